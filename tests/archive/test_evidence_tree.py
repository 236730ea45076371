"""The Merkle tree against the definitions of RFC 9162, and the checks of the script that bundles contain."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.evidence import verify_bundle
from archive.evidence.note import Checkpoint, LogKey, read_key, signed
from archive.evidence.signing_key import verified
from archive.evidence.tree import Edge, Listed, Tiled, consistency, inclusion, leaf_hash, node_hash, root_of
from archive.evidence.verify_bundle import is_consistent, is_signed, root_by_inclusion

INPUTS = [bytes.fromhex(one) for one in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
"""The leaves of the test vectors of RFC 6962's reference implementation."""
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MANY = [leaf_hash(str(n).encode()) for n in range(1_500)]


def plain_root(hashes: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word for word."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256().digest()
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(plain_root(hashes[:k]), plain_root(hashes[k:]))


def test_roots_are_those_of_the_known_vectors() -> None:
    hashes = [leaf_hash(one) for one in INPUTS]
    assert [root_of(hashes[: n + 1]).hex() for n in range(8)] == ROOTS
    assert root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 255, 256, 257, 511, 1_023, 1_300])
def test_an_edge_has_the_root_of_all_leaves_however_they_came(size: int) -> None:
    edge = Edge()
    for begin in range(0, size, 7):
        edge, _ = edge.grown(MANY[begin : min(begin + 7, size)])
    assert (edge.size, edge.root) == (size, plain_root(MANY[:size]))
    assert edge == Edge().grown(MANY[:size])[0]


def test_an_edge_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="1 subtrees are no tree of 3 leaves"):
        Edge(size=3, hashes=(b"x" * 32,))


def tiled(size: int) -> Tiled:
    _, nodes = Edge().grown(MANY[:size])
    rows = {0: MANY[:size]}
    for node in nodes:
        rows.setdefault(node.level, []).append(node.hash)
    return Tiled(lambda level, number: rows.get(level, [])[number * 256 : number * 256 + 256])


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_every_proof_leads_from_leaf_to_root_and_a_changed_one_does_not(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(MANY)))
    number = data.draw(st.integers(0, size - 1))
    tree, root = tiled(size), root_of(MANY[:size])
    path = inclusion(tree, number, size)
    assert path == inclusion(Listed(MANY[:size]), number, size)
    assert root_by_inclusion(MANY[number], number, size, list(path)) == root
    assert root_by_inclusion(MANY[number - 1], number, size, list(path)) != root or size == 1
    for other in (number + 1, number ^ 1, size):
        if other != number:
            assert root_by_inclusion(MANY[number], other, size, list(path)) != root
    assert root_by_inclusion(MANY[number], number, size, [*path, b"x" * 32]) is None
    assert not path or root_by_inclusion(MANY[number], number, size, list(path[:-1])) is None

    old = data.draw(st.integers(1, size))
    proof, old_root = consistency(tree, old, size), root_of(MANY[:old])
    assert is_consistent(old, old_root, size, root, list(proof))
    assert not is_consistent(old, root_of([*MANY[: old - 1], b"y" * 32]), size, root, list(proof))
    assert not is_consistent(old, old_root, size, root_of([*MANY[: size - 1], b"y" * 32]), list(proof))
    assert not is_consistent(old, old_root, size, root, [*proof, b"x" * 32])
    if proof:
        assert not is_consistent(old, old_root, size, root, list(proof[:-1]))
        assert not is_consistent(old, old_root, size, root, [*proof[:-1], b"x" * 32])


def test_a_proof_reads_a_few_tiles_of_a_large_tree() -> None:
    read: list[tuple[int, int]] = []

    def tile(level: int, number: int) -> list[bytes]:
        read.append((level, number))
        return [b"h" * 32] * 256

    inclusion(Tiled(tile), 123_456, 1_000_000)
    assert len(read) < 10
    assert len(set(read)) == len(read)


# RFC 8032 §7.1, tests 1 to 3 and 1024 are of this form; these are the first three.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("_seed", "public", "message", "signature"), VECTORS)
def test_signatures_are_checked_as_the_standard_says(_seed: str, public: str, message: str, signature: str) -> None:
    key, said, by = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert is_signed(key, said, by)
    assert not is_signed(key, said + b"x", by)
    for place in (0, 31, 32, 63):
        changed = bytearray(by)
        changed[place] ^= 1
        assert not is_signed(key, said, bytes(changed))
    assert not is_signed(
        bytes.fromhex(VECTORS[0][1]) if key != bytes.fromhex(VECTORS[0][1]) else b"\x02" * 32, said, by
    )


ORDER = 2**252 + 27742317777372353535851937790883648493


def test_a_signature_has_one_form() -> None:
    """An answer that is larger by the order of the group would verify too (RFC 8032 §5.1.7)."""
    _, public, message, signature = VECTORS[1]
    answer = int.from_bytes(bytes.fromhex(signature)[32:], "little") + ORDER
    other = bytes.fromhex(signature)[:32] + answer.to_bytes(32, "little")
    assert not is_signed(bytes.fromhex(public), bytes.fromhex(message), other)
    assert not is_signed(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)[:63])
    assert not is_signed(b"\xff" * 32, bytes.fromhex(message), bytes.fromhex(signature))


def key_pair(seed: bytes = b"1" * 32) -> tuple[LogKey, Ed25519PrivateKey]:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return LogKey(public=private.public_key().public_bytes_raw()), private


def test_a_note_is_read_by_both_and_only_with_its_key() -> None:
    key, private = key_pair()
    other, _ = key_pair(b"2" * 32)
    checkpoint = Checkpoint(origin=key.origin, size=17, root=b"r" * 32)
    note = signed(checkpoint, key, private.sign)
    assert verified(note, key) == checkpoint
    assert verify_bundle.read_checkpoint(note, verify_bundle.read_key(key.line())) == (17, b"r" * 32)
    assert read_key(key.line()) == key
    for changed in (
        note.replace("\n17\n", "\n18\n"),
        note.replace("—", "-"),
        note[:-20],
        note.replace(key.log, other.log),
    ):
        with pytest.raises(ValueError, match=r"."):
            verified(changed, key)
        with pytest.raises(verify_bundle.Failure):
            verify_bundle.read_checkpoint(changed, verify_bundle.read_key(key.line()))
    with pytest.raises(ValueError, match="not a checkpoint of this log"):
        verified(note, other)
    for line in ("", "a+b", key.line().replace("+", "+0", 1), other.line().replace(other.log, key.log)):
        with pytest.raises(ValueError, match=r"."):
            read_key(line)
        with pytest.raises(verify_bundle.Failure):
            verify_bundle.read_key(line)


def test_the_script_is_for_python_3_9_and_its_standard_library_alone() -> None:
    source = Path(verify_bundle.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    names = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
    later = {"strict", "pairwise", "bit_count", "UTC"}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
    assert not used & later
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Match)]


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400))
def test_anything_for_a_time_stamp_is_a_failure_with_a_reason(data: bytes) -> None:
    with pytest.raises(verify_bundle.Failure, match=r"time stamp"):
        verify_bundle.read_stamp(data)


def test_leaves_are_written_in_one_way() -> None:
    from archive.evidence.log_object import of_object

    entry = of_object(key="warc/a", length=3, sha256="0" * 64, members=leaf_hash(b"m"))
    said = json.loads(entry.leaf)
    assert said == {"key": "warc/a", "bytes": 3, "sha256": "0" * 64, "members": 1, "root": leaf_hash(b"m").hex()}
    assert entry.leaf == json.dumps(said, sort_keys=True, separators=(",", ":"))

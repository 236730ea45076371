"""Checks an evidence bundle of Pressmark, offline, with Python's standard library alone (3.9 or newer).

    python3 verify_bundle.py BUNDLE.zip [--key KEY]

KEY is the verifier key of the log, got from its operator by another way than the bundle, or a file that contains it.
One line is printed for each check. Exit code 0: all of them agree; 1: one does not, and the last line says why.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
import zipfile
import zlib
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, NamedTuple, Tuple

FORMAT = "pressmark-evidence/1"
DESCRIPTION = "evidence.json"
RECORDS = "records.warc.gz"
MOST_FILES = 10_000
MOST_BYTES = 1 << 30
"""Bytes of a file in the bundle, and of a record once it is decompressed."""
MOST_JSON_BYTES = 1 << 28
MOST_IN_ALL = 1 << 33
"""Bytes of all files together, and of all records once they are decompressed."""
COMPARED_CHARACTERS = 1_000_000
"""Beginning of two texts that a diff is about."""


class Failure(Exception):
    """Something in the bundle does not agree; the reason is for people."""


# -- the bundle


class Bundle:
    """The files of a bundle, read one by one. Nothing is unpacked, and no size that it states is believed."""

    def __init__(self, path: str) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as e:
            raise Failure(f"{path}: cannot be read, perhaps it was cut short: {e}") from e
        names = self._zip.namelist()
        if len(names) > MOST_FILES:
            raise Failure(f"has {len(names)} files, more than {MOST_FILES}")
        if len(set(names)) < len(names):
            raise Failure("has several files of one name")
        self.names = names
        self._left = MOST_IN_ALL

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def read(self, name: str, most: int = MOST_BYTES) -> bytes:
        """The content of a file."""
        if name not in self.names:
            raise Failure(f"{name}: is missing")
        try:
            with self._zip.open(name) as stream:
                data = stream.read(most + 1)
        except (OSError, EOFError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile) as e:
            raise Failure(f"{name}: is damaged: {e}") from e
        self._left -= len(data)
        if len(data) > most or self._left < 0:
            raise Failure(f"{name}: has more than {most} bytes, or all files together more than {MOST_IN_ALL}")
        return data

    def text(self, name: str) -> str:
        """The content of a file in UTF-8."""
        try:
            return self.read(name).decode("utf-8")
        except UnicodeDecodeError as e:
            raise Failure(f"{name}: is not UTF-8") from e

    def json(self, name: str) -> Any:
        """The content of a file of JSON."""
        return _json(self.read(name, MOST_JSON_BYTES), name)


def _json(data: bytes | str, name: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as e:
        raise Failure(f"{name}: is no JSON: {e}") from e


def _get(said: Any, name: str, kind: type, where: str) -> Any:
    """A field of a JSON object, of the right type."""
    value = said.get(name) if isinstance(said, dict) else None
    if not isinstance(value, kind) or (isinstance(value, int) and (isinstance(value, bool) or value < 0)):
        raise Failure(f"{where}: {name} is missing, or no {kind.__name__}")
    return value


def _bytes(value: Any, where: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as e:
        raise Failure(f"{where}: is not Base64") from e


def _path(value: Any, where: str) -> list[bytes]:
    found = [_bytes(one, where) for one in value] if isinstance(value, list) else None
    if found is None or any(len(one) != hashlib.sha256().digest_size for one in found):
        raise Failure(f"{where}: is no list of hashes")
    return found


# -- the tree (RFC 9162 §2.1)


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of what is above two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_by_inclusion(leaf: bytes, number: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that a leaf and its path lead to (§2.1.3.2); None if the path has another length than it must."""
    if number >= size:
        return None
    place, last, root = number, size - 1, leaf
    for one in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(one, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, one)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: list[bytes]) -> bool:
    """Whether a tree begins with another one, by their roots and a proof (§2.1.4.2)."""
    if old == new:
        return old_root == new_root and not path
    if not 0 < old < new or not path:
        return False
    rest = list(path) if old & (old - 1) else [old_root, *path]
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = rest[0]
    for one in rest[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(one, first), node_hash(one, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, one)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


# -- signatures (RFC 8032, Ed25519)

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
Point = Tuple[int, int, int, int]  # x, y, z and t, with t * z = x * y


def _sum(a: Point, b: Point) -> Point:
    left = (a[1] - a[0]) * (b[1] - b[0]) % _P
    right = (a[1] + a[0]) * (b[1] + b[0]) % _P
    c = 2 * a[3] * b[3] * _D % _P
    d = 2 * a[2] * b[2] % _P
    e, f, g, h = right - left, d - c, d + c, right + left
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(number: int, point: Point) -> Point:
    found: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = _sum(found, point)
        point = _sum(point, point)
        number >>= 1
    return found


def _point(data: bytes) -> Point | None:
    """The point that 32 bytes stand for (§5.1.3); None if there is none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if len(data) != 32 or y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (x * x - square) % _P or (not x and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return (x, y, 1, x * y % _P)


_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_BASE = _point(_BASE_Y.to_bytes(32, "little"))


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 key signed a message (§5.1.7)."""
    key, commitment = _point(public), _point(signature[:32])
    answer = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or _BASE is None or len(signature) != 64 or answer >= _ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _ORDER
    left, right = _times(answer, _BASE), _sum(commitment, _times(challenge, key))
    return not ((left[0] * right[2] - right[0] * left[2]) % _P or (left[1] * right[2] - right[1] * left[2]) % _P)


# -- checkpoints (C2SP tlog-checkpoint, signed-note)


class Key(NamedTuple):
    """A verifier key."""

    line: str
    name: str
    id: bytes
    public: bytes


class Checkpoint(NamedTuple):
    """What a log was when it had so many leaves."""

    size: int
    root: bytes


def read_key(line: str) -> Key:
    """The key in a line `NAME+ID+KEY`."""
    parts = line.strip().split("+", 2)
    stated = _bytes(parts[2], "the log's key") if len(parts) == 3 else b""
    if stated[:1] != b"\x01" or len(stated) != 33:
        raise Failure("the log's key is not one of Ed25519")
    number = hashlib.sha256(parts[0].encode() + b"\n" + stated).digest()[:4]
    if parts[1] != number.hex() or not parts[0].endswith("/" + hashlib.sha256(stated[1:]).hexdigest()[:16]):
        raise Failure("the log's name or id is not that of its key")
    return Key(line.strip(), parts[0], number, stated[1:])


def read_checkpoint(note: str, key: Key) -> Checkpoint:
    """The checkpoint in a note that the key signed."""
    body, gap, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not gap or len(lines) != 3 or lines[0] != key.name or not re.fullmatch("[1-9][0-9]{0,15}", lines[1]):
        raise Failure(f"a checkpoint of {key.name} is not in its form")
    for line in signatures.splitlines():
        if line.startswith(f"\u2014 {key.name} "):
            stated = _bytes(line.rsplit(" ", 1)[1], "a signature")
            if stated[:4] == key.id and is_signed(key.public, (body + "\n").encode(), stated[4:]):
                return Checkpoint(int(lines[1]), _bytes(lines[2], "a root"))
    raise Failure(f"the signature of a checkpoint with {lines[1]} leaves is not by the key of {key.name}")


# -- records of WARC/1.1


class Record(NamedTuple):
    """A WARC record."""

    fields: dict[str, str]
    """By name in lower case; of a repeated one the last."""
    block: bytes

    @property
    def id(self) -> str:
        """WARC-Record-ID."""
        return self.fields.get("warc-record-id", "")

    @property
    def kind(self) -> str:
        """WARC-Type."""
        return self.fields.get("warc-type", "").lower()


_HEAD_END = re.compile(rb"\n\r?\n")


def read_record(member: bytes) -> Record:
    """The record in a gzip member, if it agrees with its digests."""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = inflate.decompress(member, MOST_BYTES)
    except zlib.error as e:
        raise Failure(f"a record is damaged: {e}") from e
    if not inflate.eof or inflate.unused_data or inflate.unconsumed_tail:
        raise Failure("a record is cut short, too large, or followed by something else")
    head, gap, rest = plain.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    length = fields.get("content-length", "")
    if not gap or not first.upper().startswith("WARC/") or not re.fullmatch("[0-9]{1,12}", length):
        raise Failure("a record has no WARC header")
    block, end = rest[: int(length)], rest[int(length) :]
    record = Record(fields, block)
    if len(block) != int(length) or end.strip():
        raise Failure(f"{record.id}: has another length than it states")
    if fields.get("warc-block-digest") != _sha1(block):
        raise Failure(f"{record.id}: its block digest differs")
    stated = fields.get("warc-payload-digest")
    if record.kind == "response" and stated and stated != _sha1(_payload(block)) and not _is_chunked(block):
        raise Failure(f"{record.id}: its payload digest differs")
    return record


def _payload(block: bytes) -> bytes:
    end = _HEAD_END.search(block)
    return block[end.end() :] if end else b""


def _is_chunked(block: bytes) -> bool:
    end = _HEAD_END.search(block)
    return bool(end and re.search(rb"(?im)^transfer-encoding:[^\r\n]*chunked", block[: end.start()]))


def _sha1(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


# -- time stamps (RFC 3161)

_SHA2 = {
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")  # id-ct-TSTInfo
_SEQUENCE, _OBJECT_ID, _OCTETS, _CONTEXT_0, _TIME, _INTEGER = 0x30, 0x06, 0x04, 0xA0, 0x18, 0x02


class Stamp(NamedTuple):
    """What an authority states in a time stamp."""

    algorithm: str
    imprint: bytes
    time: datetime


def _values(data: bytes) -> list[tuple[int, bytes]]:
    """Tags and contents of the DER values that some bytes consist of."""
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise Failure("a time stamp is cut short")
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            more = length & 0x7F
            length, at = int.from_bytes(data[at : at + more], "big"), at + more
            if not 0 < more <= 4:
                raise Failure("a time stamp is not DER")
        if at + length > len(data):
            raise Failure("a time stamp is cut short")
        found.append((tag, data[at : at + length]))
        at += length
    return found


def _inner(data: bytes, *way: tuple[int, int]) -> bytes:
    """The content of a value within values: on each step the one at that place, with that tag."""
    for place, tag in way:
        values = _values(data)
        if place >= len(values) or values[place][0] != tag:
            raise Failure("a time stamp is not in its form")
        data = values[place][1]
    return data


def read_stamp(response: bytes) -> Stamp:
    """What an authority's response states; its signature is not checked."""
    status = _inner(response, (0, _SEQUENCE), (0, _SEQUENCE), (0, _INTEGER))
    if int.from_bytes(status, "big") > 1:  # 0 granted, 1 granted with changes
        raise Failure("a time stamp was not granted")
    content = _inner(response, (0, _SEQUENCE), (1, _SEQUENCE), (1, _CONTEXT_0), (0, _SEQUENCE), (2, _SEQUENCE))
    if _inner(content, (0, _OBJECT_ID)) != _TST_INFO:
        raise Failure("a time stamp is something else")
    info = _inner(content, (1, _CONTEXT_0), (0, _OCTETS), (0, _SEQUENCE))
    algorithm = _SHA2.get(_inner(info, (2, _SEQUENCE), (0, _SEQUENCE), (0, _OBJECT_ID)))
    if algorithm is None:
        raise Failure("a time stamp is over a hash that is not known")
    imprint = _inner(info, (2, _SEQUENCE), (1, _OCTETS))
    stated = _inner(info, (4, _TIME)).decode("ascii", "replace")
    try:
        time = datetime.strptime(stated[:14] + "Z", "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError as e:
        raise Failure("a time stamp has no time") from e
    return Stamp(algorithm, imprint, time)


# -- the checks


class Leaf(NamedTuple):
    """A sealed object as its leaf describes it."""

    key: str
    members: int
    root: bytes


Tell = Callable[[str], None]


def check(path: str, key: str | None, tell: Tell) -> None:
    """Check a bundle; raises `Failure` at the first thing that does not agree."""
    bundle = Bundle(path)
    try:
        for name in bundle.names:
            if name not in {DESCRIPTION, RECORDS}:
                bundle.read(name)
        said = bundle.json(DESCRIPTION)
        if _get(said, "format", str, DESCRIPTION) != FORMAT:
            raise Failure(f"{DESCRIPTION}: is of another format than {FORMAT}")
        leaves = [_checked_object(one, bundle, key, tell) for one in _get(said, "objects", list, DESCRIPTION)]
        records = _checked_records(_get(said, "records", list, DESCRIPTION), leaves, bundle.read(RECORDS), tell)
        _check_page(said, records, tell)
        after = _checked_text(said.get("text"), "text", records, tell)
        _check_files_of_text(after, bundle, tell)
        before = _checked_text(said.get("before"), "text before", records, tell)
        _check_diff(before, after, bundle, tell)
    finally:
        bundle.close()


def _checked_object(said: Any, bundle: Bundle, key: str | None, tell: Tell) -> Leaf:
    """An object whose leaf is in a log of that key."""
    log = read_key(_get(said, "key", str, "an object"))
    if key is not None and log.line != read_key(key).line:
        raise Failure(f"the log {log.name} has another key than the one given")
    stated = _get(said, "leaf", str, "an object")
    number = _get(said, "number", int, "an object")
    leaf = _json(stated, f"leaf {number}")
    name = _get(leaf, "key", str, f"leaf {number}")
    root = _get(leaf, "root", str, name)
    if not re.fullmatch("[0-9a-f]{64}", root):
        raise Failure(f"{name}: its root is no SHA-256")
    states = _get(said, "checkpoints", list, name)
    steps = _get(said, "consistency", list, name)
    if not states or len(steps) != len(states) - 1:
        raise Failure(f"{name}: has {len(states)} checkpoints and {len(steps)} proofs between them")
    checkpoints = []
    for one in states:
        note = _get(one, "note", str, name)
        checkpoints.append(read_checkpoint(note, log))
        if one.get("stamp") is not None:
            _check_stamp(one["stamp"], note, bundle, tell)
    first = checkpoints[0]
    path = _path(_get(said, "path", list, name), f"{name}: the path of its leaf")
    if root_by_inclusion(leaf_hash(stated.encode()), number, first.size, path) != first.root:
        raise Failure(f"{name}: is not leaf {number} of the log that the checkpoint is about")
    for old, new, step in zip(checkpoints, checkpoints[1:], steps):
        proof = _path(step, f"{name}: the proof between two checkpoints")
        if not is_consistent(old.size, old.root, new.size, new.root, proof):
            raise Failure(f"{name}: the log with {new.size} leaves does not begin with that of {old.size}")
    tell(f"{name} is leaf {number} of {log.name}, signed with {first.size} leaves, kept up to {checkpoints[-1].size}")
    return Leaf(name, _get(leaf, "members", int, name), bytes.fromhex(root))


def _check_stamp(name: Any, note: str, bundle: Bundle, tell: Tell) -> None:
    if not isinstance(name, str):
        raise Failure("the name of a time stamp is no text")
    stamp = read_stamp(bundle.read(name))
    if hashlib.new(stamp.algorithm, note.encode()).digest() != stamp.imprint:
        raise Failure(f"{name}: is about something else than its checkpoint")
    if bundle.read(name + ".checkpoint") != note.encode():
        raise Failure(f"{name}.checkpoint: is not the checkpoint that the time stamp is about")
    tell(f"{name} is about this checkpoint, and states {stamp.time:%Y-%m-%d %H:%M:%S} UTC")


def _checked_records(said: list[Any], leaves: list[Leaf], data: bytes, tell: Tell) -> dict[str, Record]:
    """The records of the bundle by their ids, each in the order of `said`, with nothing between or after them."""
    found: dict[str, Record] = {}
    at, left = 0, MOST_IN_ALL
    for one in said:
        stated = _get(one, "record", str, "a record")
        length = _get(one, "length", int, stated)
        if _get(one, "offset", int, stated) != at or not length or at + length > len(data):
            raise Failure(f"{stated}: is not where it should be in {RECORDS}")
        member, at = data[at : at + length], at + length
        number, object_number = _get(one, "member", int, stated), _get(one, "object", int, stated)
        if object_number >= len(leaves):
            raise Failure(f"{stated}: is of an object that is not in the bundle")
        leaf = leaves[object_number]
        path = _path(_get(one, "path", list, stated), f"{stated}: its path")
        if root_by_inclusion(leaf_hash(member), number, leaf.members, path) != leaf.root:
            raise Failure(f"{stated}: is not record {number} of {leaf.key} as it was sealed")
        record = read_record(member)
        left -= len(record.block)
        if left < 0:
            raise Failure(f"{RECORDS}: grows to more than {MOST_IN_ALL} bytes")
        if record.id != stated or stated in found:
            raise Failure(f"{stated}: the record is {record.id}")
        found[stated] = record
        what = " ".join(
            filter(None, (record.kind, record.fields.get("warc-date"), record.fields.get("warc-target-uri")))
        )
        tell(f"{what} is record {number} of {leaf.key}")
    if at != len(data):
        raise Failure(f"{RECORDS}: has {len(data) - at} bytes that are no record of the bundle")
    return found


def _check_page(said: Any, records: dict[str, Record], tell: Tell) -> None:
    url = _get(said, "url", str, DESCRIPTION)
    captures = [one for one in records.values() if one.kind in {"response", "revisit", "resource", "conversion"}]
    if not any(one.fields.get("warc-target-uri") == url for one in captures):
        raise Failure(f"{url}: no record in the bundle is of this URL")
    for one in captures:
        refers = one.fields.get("warc-refers-to")
        if one.kind == "revisit" and refers not in records:
            tell(f"note: what {one.id} refers to ({refers}) is not in the bundle: it shows a visit, and no words")


class Text(NamedTuple):
    """A text, from its two records."""

    conversion: Record
    words: str
    fields: dict[str, Any]


def _checked_text(said: Any, what: str, records: dict[str, Record], tell: Tell) -> Text | None:
    """A text whose records refer to each other and to a capture in the bundle."""
    if said is None:
        return None
    names = ("capture", "conversion", "metadata")
    found = [records.get(_get(said, name, str, what)) for name in names]
    capture, conversion, metadata = found
    if capture is None or conversion is None or metadata is None:
        raise Failure(f"the {what}: one of its records is missing")
    if conversion.kind != "conversion" or conversion.fields.get("warc-refers-to") != capture.id:
        raise Failure(f"the {what} was not made from the capture in the bundle")
    if metadata.kind != "metadata" or metadata.fields.get("warc-refers-to") != conversion.id:
        raise Failure(f"the {what} has the metadata of another one")
    fields = _json(metadata.block, f"the metadata of the {what}")
    if not isinstance(fields, dict):
        raise Failure(f"the metadata of the {what} are no object")
    tell(f"the {what} was made from the {capture.kind} of {capture.fields.get('warc-date')}")
    return Text(conversion, conversion.block.decode("utf-8", "replace"), fields)


def _check_files_of_text(text: Text | None, bundle: Bundle, tell: Tell) -> None:
    names = ("text.md", "text.json")
    if text is None:
        if left := [name for name in names if name in bundle.names]:
            raise Failure(f"{left[0]}: is there without a text")
        return
    markdown = text.fields.get("markdown")
    if bundle.text("text.md") != (markdown if isinstance(markdown, str) and markdown else text.words) + "\n":
        raise Failure("text.md: differs from the record of the text")
    record = text.conversion.fields
    wanted = {**text.fields, "url": record.get("warc-target-uri"), "date": record.get("warc-date"), "text": text.words}
    if bundle.json("text.json") != wanted:
        raise Failure("text.json: differs from the record of the text")
    tell("text.md and text.json are what the records of the text say")


_SIDE = ("title", "author", "published", "image")


def _check_diff(before: Text | None, after: Text | None, bundle: Bundle, tell: Tell) -> None:
    if before is None or after is None:
        if "diff.json" in bundle.names:
            raise Failure("diff.json: is there without two texts")
        return
    said = bundle.json("diff.json")
    for name, text in (("from", before), ("to", after)):
        wanted = {one: text.fields.get(one) for one in _SIDE}
        wanted["record"] = text.conversion.id
        if _get(said, name, dict, "diff.json") != wanted:
            raise Failure(f"diff.json: {name} differs from the record of the text")
    changes = _get(said, "changes", list, "diff.json")
    for gone, text in (("new", before), ("gone", after)):
        paragraphs = [
            "".join(_get(run, "text", str, "diff.json") for run in _runs(change) if _kind(run) != gone)
            for change in changes
            if _kind(change) != gone
        ]
        if "\n".join(paragraphs) != text.words[:COMPARED_CHARACTERS]:
            raise Failure("diff.json: its paragraphs are not those of the two texts")
    for change in changes:
        kinds = {_kind(run) for run in _runs(change)}
        if _kind(change) != "edited" and kinds != {_kind(change)}:
            raise Failure("diff.json: a paragraph is something else than it says")
    tell("diff.json leads from the text before to the text")


def _runs(change: Any) -> list[Any]:
    found: list[Any] = _get(change, "runs", list, "diff.json")
    return found


def _kind(said: Any) -> str:
    kind: str = _get(said, "kind", str, "diff.json")
    return kind


def _given(key: str | None) -> str | None:
    """A key as it was given, or as it is in the file of that name."""
    if key is None or key.count("+") >= 2:
        return key
    try:
        return Path(key).read_text(encoding="ascii")
    except (OSError, ValueError) as e:
        raise Failure(f"{key}: is neither a key nor a file with one: {e}") from e


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("bundle", metavar="BUNDLE.zip")
    parser.add_argument("--key", help="verifier key of the log, or a file with it, got from its operator")
    given = parser.parse_args(arguments)
    try:
        key = _given(given.key)
        check(given.bundle, key, lambda line: print("ok:", _printable(line)))
    except Failure as e:
        print("FAILED:", _printable(str(e)))
        return 1
    whose = "the key that was given" if key else "a key that only the bundle names: compare it with --key"
    print(f"everything agrees, signed by {whose}")
    return 0


def _printable(line: str) -> str:
    return "".join(one if one.isprintable() else "\ufffd" for one in line).encode("ascii", "backslashreplace").decode()


if __name__ == "__main__":
    sys.exit(main())

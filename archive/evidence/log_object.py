"""Leaves of a log, and the objects in the store that contain them: one line of JSON for each commit. No I/O."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from archive.evidence.note import Checkpoint, LogKey, read_key
from archive.evidence.signing_key import SigningKey, verified
from archive.evidence.tree import HASH_BYTES, Edge, Node, leaf_hash, root_of

PREFIX = "log/"
"""Prefix of the objects with logs."""
_KEY = re.compile(r"log/([0-9a-f]{16})/([0-9]{12})(?:-([0-9]{12}))?\.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A leaf, and what is below it."""

    leaf: str
    """JSON, exactly as it is hashed in UTF-8."""
    members: bytes = b""
    """Leaf hashes of the object's gzip members, in order, 32 bytes each; empty for the first leaf of a log."""

    @property
    def object(self) -> str:
        """Key of the object; empty for the first leaf of a log."""
        return object_of(self.leaf)


def object_of(leaf: str) -> str:
    """Key of the object that a leaf is about; empty for the first leaf of a log."""
    said = json.loads(leaf)
    return str(said.get("key", "")) if isinstance(said, dict) else ""


def of_object(*, key: str, length: int, sha256: str, members: bytes) -> Entry:
    """The entry of a sealed object.

    Args:
        key: Of the object.
        length: Its bytes.
        sha256: Of all of it, hexadecimal.
        members: Leaf hashes of its gzip members.
    """
    hashes = split(members)
    root = root_of(hashes).hex()
    return Entry(
        leaf=_canonical({"key": key, "bytes": length, "sha256": sha256, "members": len(hashes), "root": root}),
        members=members,
    )


def first_entry(key: LogKey, machine: str, after: Sequence[Checkpoint]) -> Entry:
    """The first entry of a log: whose it is, and where the earlier logs of that machine ended."""
    logs = [{"log": one.origin, "size": one.size, "root": one.root.hex()} for one in after]
    return Entry(leaf=_canonical({"log": key.line(), "machine": machine, "after": logs}))


def machine_of(leaf: str) -> str | None:
    """The machine that the first leaf of a log names; None if it is another leaf."""
    said = json.loads(leaf)
    return str(said["machine"]) if isinstance(said, dict) and "machine" in said else None


def split(members: bytes) -> list[bytes]:
    """Hashes that stand one after the other.

    Raises:
        ValueError: The last one is not complete.
    """
    if len(members) % HASH_BYTES:
        raise ValueError(f"{len(members)} bytes are no list of hashes")
    return [members[at : at + HASH_BYTES] for at in range(0, len(members), HASH_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCommit:
    """What one commit added to a log: a line of a log object."""

    key: LogKey
    before: Edge
    """The log that it was added to."""
    entries: tuple[Entry, ...]
    note: str
    """The signed checkpoint afterwards."""

    @property
    def first(self) -> int:
        """Number of its first leaf."""
        return self.before.size

    @property
    def end(self) -> int:
        """Number of leaves of the log afterwards."""
        return self.first + len(self.entries)

    def grown(self) -> tuple[Edge, list[Node]]:
        """The log afterwards, and the nodes that are complete by that."""
        return self.before.grown(leaf_hash(entry.leaf.encode()) for entry in self.entries)

    def line(self) -> bytes:
        """The commit as it is stored, with the line feed."""
        said = {
            "key": self.key.line(),
            "first": self.first,
            "edge": [one.hex() for one in self.before.hashes],
            "leaves": [
                {"leaf": entry.leaf, "members": base64.b64encode(entry.members).decode()} for entry in self.entries
            ],
            "checkpoint": self.note,
        }
        return _canonical(said).encode() + b"\n"


def commit_of(key: SigningKey, before: Edge, entries: Sequence[Entry]) -> LogCommit:
    """A commit that adds entries to a log, signed."""
    made, _ = before.grown(leaf_hash(entry.leaf.encode()) for entry in entries)
    checkpoint = Checkpoint(origin=key.key.origin, size=made.size, root=made.root)
    return LogCommit(key=key.key, before=before, entries=tuple(entries), note=key.sign(checkpoint))


def parse_line(line: bytes) -> LogCommit:
    """The commit in a line as it states itself; `read_line` verifies it.

    Raises:
        ValueError: The line is no commit.
    """
    try:
        said = json.loads(line)
        return LogCommit(
            key=read_key(said["key"]),
            before=Edge(size=int(said["first"]), hashes=tuple(bytes.fromhex(one) for one in said["edge"])),
            entries=tuple(
                Entry(leaf=str(one["leaf"]), members=base64.b64decode(one["members"], validate=True))
                for one in said["leaves"]
            ),
            note=str(said["checkpoint"]),
        )
    except (KeyError, TypeError, RecursionError) as e:
        raise ValueError(f"is no commit of a log: {type(e).__name__}: {e}") from e


def read_line(line: bytes) -> LogCommit:
    """The commit in a line, if leaves, checkpoint, signature and key fit.

    Raises:
        ValueError: They do not, or the line is no commit.
    """
    found = parse_line(line)
    checkpoint = verified(found.note, found.key)
    made, _ = found.grown()
    if (made.size, made.root) != (checkpoint.size, checkpoint.root):
        raise ValueError("its leaves are not those of its checkpoint")
    try:
        for entry in found.entries:
            _check_members(entry)
    except (TypeError, AttributeError) as e:
        raise ValueError(f"has a leaf that is none: {e}") from e
    return found


def _check_members(entry: Entry) -> None:
    said = json.loads(entry.leaf)
    if "key" in said and said.get("root") != root_of(split(entry.members)).hex():
        raise ValueError(f"{said['key']}: the hashes of its records are not those of its leaf")


def lines_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a log object with their offsets, each with its line feed.

    Raises:
        ValueError: The last one is cut off.
    """
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1
        if not end:
            raise ValueError("its last line is cut off")
        yield at, data[at:end]
        at = end


def commits_of(data: bytes, *, log: str | None = None) -> list[tuple[int, LogCommit]]:
    """The commits in a log object with their offsets, each following from the one before.

    Args:
        data: The whole object.
        log: Name of the log that all of them must be of; None: that of the first.

    Raises:
        ValueError: One of them is damaged, or does not follow.
    """
    found: list[tuple[int, LogCommit]] = []
    edge: Edge | None = None
    for at, line in lines_of(data):
        commit = read_line(line)
        log = log or commit.key.log
        if commit.key.log != log:
            raise ValueError(f"leaf {commit.first} is of another log")
        if edge is not None and commit.before != edge:
            raise ValueError(f"leaf {commit.first} does not follow from what is before it")
        edge, _ = commit.grown()
        found.append((at, commit))
    if not found:
        raise ValueError("is empty")
    return found


def fault(data: bytes) -> str | None:
    """What is wrong with a log object; None if nothing is."""
    try:
        commits_of(data)
    except ValueError as e:
        return str(e)
    return None


@dataclass(frozen=True, slots=True, order=True)
class LogObjectName:
    """What the key of a log object says."""

    log: str
    first: int
    """Number of its first leaf."""
    end: int | None = None
    """Number of leaves of the log after it, for an object that joins others; None: it is that of one commit."""

    @property
    def key(self) -> str:
        """The key itself."""
        joined = "" if self.end is None else f"-{self.end:012d}"
        return f"{PREFIX}{self.log}/{self.first:012d}{joined}.jsonl"


def read_name(key: str) -> LogObjectName | None:
    """What a key says; None if it is not one of a log object."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    return LogObjectName(found[1], int(found[2]), int(found[3]) if found[3] else None)


def hashes_of(members: Iterable[bytes]) -> bytes:
    """Leaf hashes of gzip members, one after the other."""
    return b"".join(leaf_hash(one) for one in members)


def _canonical(said: object) -> str:
    return json.dumps(said, ensure_ascii=True, sort_keys=True, separators=(",", ":"))

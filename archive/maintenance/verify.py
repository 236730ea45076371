"""Fixity check: re-reads the objects, hashes them and compares them with the index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from archive.errors import ObjectMissingError
from archive.index.from_records import capture_rows, text_rows
from archive.index.index import Index
from archive.index.schema import CaptureRow, ObjectRow, TextRow
from archive.stores import ReadableStore
from archive.warc import record as warc
from archive.warc.capture import digest
from archive.warc.members import Member, members

Kind = Literal["missing", "damaged", "index", "unknown"]
_CHUNK = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem that was found."""

    kind: Kind
    """`missing`: no such object. `damaged`: its bytes are not those that were written. `index`: a row of the index does
    not match the object, or a record has no row. `unknown`: an object that the index does not know; harmless."""
    key: str
    """The object."""
    offset: int | None
    """Offset in the object; None for the whole object."""
    reason: str

    def as_json(self) -> dict[str, object]:
        """The finding as programs see it."""
        return {"kind": self.kind, "object": self.key, "offset": self.offset, "reason": self.reason}

    def line(self) -> str:
        """The finding as people see it."""
        place = "" if self.offset is None else f" at byte {self.offset}"
        return f"{self.kind}: {self.key}{place}: {self.reason}"


def verify(store: ReadableStore, index: Index, row: ObjectRow) -> Iterator[Finding]:
    """The problems of one object that the index knows; none if it was joined with others meanwhile.

    Raises:
        StoreError: The store cannot be read at the moment; this does not mean that the object is damaged.
    """
    found = list(_problems(store, index, row))
    if found and index.has_object(row.key):
        yield from found


def _problems(store: ReadableStore, index: Index, row: ObjectRow) -> Iterator[Finding]:
    reader = StoreReader(store, row.key)
    wrong: list[Finding] = []
    end = 0

    def watched() -> Iterator[Member]:
        nonlocal end
        for member in members(reader):
            wrong.extend(_digests(row.key, member))
            end = member.offset + member.length
            yield member

    wanted: list[CaptureRow | TextRow] = []
    try:
        if row.key.startswith("text/"):
            wanted += text_rows(watched(), row.key)
        else:
            wanted += capture_rows(watched(), row.key, index.capture)
        reader.drain()
    except ObjectMissingError:
        yield Finding(kind="missing", key=row.key, offset=None, reason="no such object")
        return
    if reader.length != row.length:
        yield _damaged(row.key, min(end, reader.length), f"{reader.length} bytes, {row.length} were written")
    elif reader.sha256.hexdigest() != row.sha256:
        yield _damaged(row.key, end if end < reader.length else None, "SHA-256 differs from what was written")
    elif end != reader.length:
        yield _damaged(row.key, end, "no whole record")
    else:
        yield from wrong
        yield from _rows(index, row.key, wanted)


def unknown(store: ReadableStore, known: Iterable[str]) -> Iterator[Finding]:
    """Objects with captures or texts that no row refers to: left by a commit that was interrupted."""
    keys = set(known)
    for prefix in ("warc/", "text/"):
        for key in store.keys(prefix):
            if key not in keys:
                yield Finding(kind="unknown", key=key, offset=None, reason="the index does not know this object")


class StoreReader:
    """An object of any size as a stream that is read once and hashed while it is read."""

    def __init__(self, store: ReadableStore, key: str) -> None:
        self._store = store
        self._key = key
        self._waiting = b""
        self.length = 0
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; empty at the end."""
        if not self._waiting:
            self._waiting = self._store.read(self._key, self.length, _CHUNK)
            self.length += len(self._waiting)
            self.sha256.update(self._waiting)
        size = len(self._waiting) if size < 0 else size
        part, self._waiting = self._waiting[:size], self._waiting[size:]
        return part

    def drain(self) -> None:
        """Read to the end."""
        self._waiting = b""
        while self.read():
            pass


def _digests(key: str, member: Member) -> Iterator[Finding]:
    record = member.record
    if record.get("WARC-Block-Digest") != digest(record.block):
        yield _damaged(key, member.offset, f"{record.id}: block digest differs")
    stated = record.get("WARC-Payload-Digest")
    if (
        stated
        and record.kind == "response"
        and warc.is_capture(record)
        and stated != digest(warc.split_payload(record)[1])
    ):
        yield _damaged(key, member.offset, f"{record.id}: payload digest differs")


def _rows(index: Index, key: str, made: list[CaptureRow | TextRow]) -> Iterator[Finding]:
    """Compare rows of the index with those made from the records."""
    captures, texts = index.of_object(key)
    stated: dict[str, CaptureRow | TextRow] = {}
    for one in (captures, texts):
        stated.update((row.record, row) for row in one)
    wanted = {row.record: row for row in made}
    for record, row in wanted.items():
        if record not in stated:
            yield Finding(kind="index", key=key, offset=row.offset, reason=f"{record}: has no row in the index")
        elif names := _otherwise(stated[record], row):
            reason = f"{record}: the index says otherwise: {', '.join(names)}"
            yield Finding(kind="index", key=key, offset=row.offset, reason=reason)
    for record in stated.keys() - wanted.keys():
        reason = f"{record}: the index points here, the object holds no such record"
        yield Finding(kind="index", key=key, offset=stated[record].offset, reason=reason)


def _otherwise(stated: CaptureRow | TextRow, wanted: CaptureRow | TextRow) -> list[str]:
    """Names of fields in which the index differs; rows written by an earlier version do not know what made a text."""
    names = [name for name in wanted.__slots__ if getattr(wanted, name) != getattr(stated, name)]
    unknown = isinstance(stated, TextRow) and stated.made_by is None
    return [name for name in names if not (unknown and name == "made_by")]


def _damaged(key: str, offset: int | None, reason: str) -> Finding:
    return Finding(kind="damaged", key=key, offset=offset, reason=reason)

"""What an object of the store contains, as far as it can be read: one pass, from which verify and reindex both work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from archive.index.from_records import HeldText, capture_rows, held_texts
from archive.index.schema import VISITS, CaptureRow
from archive.stores import ReadableStore
from archive.warc.capture import digest
from archive.warc.confirmation import Confirmation, stated
from archive.warc.members import Member, members

TEXTS = "text/"
"""Prefix of the objects with texts; all others that `reindex` reads have captures."""
_CHUNK = 8 << 20
_MAGIC = b"\x1f\x8b\x08"
"""How every gzip member begins (RFC 1952 §2.3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The whole records of an object."""

    key: str
    length: int
    sha256: str
    captures: tuple[CaptureRow, ...]
    """Revisits are described by their own records alone; see `archive.index.from_records.referring`."""
    texts: tuple[HeldText, ...]
    confirmations: tuple[Confirmation, ...]
    gaps: tuple[int, ...]
    """Where bytes begin that are no whole record."""


def read_contents(store: ReadableStore, key: str, seen: Callable[[Member], object] = lambda member: member) -> Contents:
    """Read an object to its end; behind bytes that are no record the next whole one is looked for.

    Args:
        store: Has the object.
        key: Of the object.
        seen: Called with each whole member.

    Raises:
        ObjectMissingError: No such object.
        StoreError: The store cannot be read at the moment.
    """
    reader = StoreReader(store, key)
    captures: list[CaptureRow] = []
    texts: list[HeldText] = []
    again: list[Confirmation] = []
    gaps: list[int] = []

    def take(found: Iterable[Member]) -> int:
        """Read members to the first gap; returns where they end."""
        end = -1

        def watched() -> Iterator[Member]:
            nonlocal end
            for member in found:
                end = member.offset + member.length
                seen(member)
                yield member

        if key.startswith(f"{VISITS}/"):
            again.extend(stated(member.record for member in watched()))
        elif key.startswith(TEXTS):
            texts.extend(held_texts(watched(), key))
        else:
            captures.extend(capture_rows(watched(), key, None))
        return end

    end = max(take(members(reader)), 0)
    reader.drain()
    while end < reader.length:
        gaps.append(end)
        start = _next_member(store, key, end + 1, reader.length)
        if start is None:
            break
        end = take(members(StoreReader(store, key, start), start))
    return Contents(
        key=key,
        length=reader.length,
        sha256=reader.sha256.hexdigest(),
        captures=tuple(captures),
        texts=tuple(texts),
        confirmations=tuple(again),
        gaps=tuple(gaps),
    )


class StoreReader:
    """An object of any size as a stream that is read once and hashed while it is read."""

    def __init__(self, store: ReadableStore, key: str, start: int = 0) -> None:
        """Nothing is read yet; `start` is the first byte wanted."""
        self._store = store
        self._key = key
        self._waiting = b""
        self.length = start
        """Where the bytes end that were read so far."""
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


def _next_member(store: ReadableStore, key: str, at: int, length: int) -> int | None:
    """Where the first whole record at or behind a place begins."""
    while at < length:
        data = store.read(key, at, _CHUNK + len(_MAGIC) - 1)
        place = data.find(_MAGIC)
        while place >= 0:
            found = next(members(StoreReader(store, key, at + place)), None)
            if found is not None and found.record.get("WARC-Block-Digest") == digest(found.record.block):
                return at + place
            place = data.find(_MAGIC, place + 1)
        at += _CHUNK
    return None

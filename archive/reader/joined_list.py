"""What a joined object joins, as its first record lists it."""

from __future__ import annotations

from dataclasses import dataclass

from archive.index.schema import ObjectRow, is_joined
from archive.stores.protocol import ReadableStore
from archive.warc.members import members

FIELD = "joined"
"""Field of the first record that lists one object: key, length and SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A joined object as its first record describes it."""

    key: str
    begins: int
    """Offset of the first object that it joins."""
    parts: tuple[ObjectRow, ...]
    """What it joins, one after the other."""

    @property
    def length(self) -> int:
        """Size of the whole object."""
        return self.begins + sum(part.length for part in self.parts)


def listed(store: ReadableStore, key: str, at: int = 0) -> Listed | None:
    """What an object joins, from its first record; None if it does not say so.

    Args:
        store: Has the object.
        key: The object.
        at: Offset in it, of a joined object that it has joined in turn.

    Raises:
        StoreError: The store cannot be read at the moment, or there is no such object.
    """
    first = next(iter(members(_Reader(store, key, at))), None)
    if first is None or first.record.kind != "warcinfo":
        return None
    parts = []
    for line in first.record.block.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if name == FIELD and len(words) == 3 and words[1].isdigit():  # noqa: PLR2004  key, length, SHA-256
            parts.append(ObjectRow(key=words[0], length=int(words[1]), sha256=words[2]))
    return Listed(key=key, begins=at + first.length, parts=tuple(parts)) if parts else None


class _Reader:
    """An object from some place on, as a stream."""

    def __init__(self, store: ReadableStore, key: str, at: int) -> None:
        self._store, self._key, self._at = store, key, at

    def read(self, size: int = -1) -> bytes:
        data = self._store.read(self._key, self._at, max(size, 1 << 16))
        self._at += len(data)
        return data


def source_of(store: ReadableStore, key: str, offset: int) -> str:
    """Key of the object that was sealed with what is at a place: of an object that was joined, perhaps several times.

    Raises:
        StoreError: The store cannot be read at the moment, or there is no such object.
    """
    source, at = key, 0
    while is_joined(source) and (found := listed(store, key, at)) is not None:
        at = found.begins
        for part in found.parts:
            if offset < at + part.length:
                source = part.key
                break
            at += part.length
        else:
            return source
    return source

"""Joined objects as they lie in the store: the list that one begins with, and whether it is whole."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from archive.errors import ObjectMissingError
from archive.index.schema import ObjectRow, is_joined
from archive.reader.joined_list import FIELD, Listed, listed
from archive.stores import ReadableStore

log = logging.getLogger(__name__)

_CHUNK = 8 << 20


def listing(rows: Sequence[ObjectRow]) -> list[tuple[str, str]]:
    """Fields of a warcinfo record that list what an object joins: key, length and SHA-256 of each, in order."""
    return [(FIELD, f"{row.key} {row.length} {row.sha256}") for row in rows]


def _every_part(store: ReadableStore, joined: Listed) -> Iterator[ObjectRow]:
    """What an object joins, and what these had joined in turn."""
    at = joined.begins
    for part in joined.parts:
        yield part
        if is_joined(part.key) and (inner := listed(store, joined.key, at)) is not None:
            yield from _every_part(store, inner)
        at += part.length


def is_whole(store: ReadableStore, found: Listed) -> bool:
    """Whether each part of a joined object has the bytes of what it joins, and nothing follows.

    Raises:
        StoreError: The store cannot be read at the moment.
    """
    try:
        if store.size(found.key) != found.length:
            return False
        at = found.begins
        for part in found.parts:
            if sha256_of(store, found.key, at, part.length) != part.sha256:
                return False
            at += part.length
    except ObjectMissingError:
        return False
    return True


def sha256_of(store: ReadableStore, key: str, offset: int, length: int) -> str:
    """SHA-256 of a part of an object, which is read piece by piece."""
    made = hashlib.sha256()
    for piece in pieces(store, key, offset, length):
        made.update(piece)
    return made.hexdigest()


def pieces(store: ReadableStore, key: str, offset: int, length: int) -> Iterator[bytes]:
    """The bytes of a part of an object; fewer if it ends before."""
    end = offset + length
    while offset < end and (piece := store.read(key, offset, min(_CHUNK, end - offset))):
        yield piece
        offset += len(piece)


def superseded(store: ReadableStore, keys: Iterable[str]) -> Mapping[str, Listed]:
    """Objects of a store that are in a joined one as well, each with the joined one that counts.

    If the joined object is whole, these are the objects that it joins. If it is not, but all of these are there, it is
    the joined object itself. Otherwise none is left out: what can be read of each counts.

    Raises:
        StoreError: The store cannot be read at the moment.
    """
    there = set(keys)
    found: dict[str, Listed] = {}
    for key in sorted(filter(is_joined, there)):
        joined = listed(store, key)
        if joined is None:
            continue
        every = [part for part in _every_part(store, joined) if part.key in there]
        if not every:
            continue
        if is_whole(store, joined):
            found.update((part.key, joined) for part in every)
        elif there.issuperset(part.key for part in joined.parts):
            log.warning("joined object is not whole, what it joins counts object=%s", key)
            found[key] = joined
    return found

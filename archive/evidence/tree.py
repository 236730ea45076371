"""The Merkle tree of RFC 9162 over SHA-256: its right edge as it grows, its roots and its proofs. No I/O.

Subtrees of 256, 65,536 … leaves are the tiles of C2SP tlog-tiles: their roots are kept, so that a proof in a tree of
any size is made of a few hundred hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

TILE_HEIGHT = 8
"""Levels of the tree between two levels whose hashes are kept."""
TILE_WIDTH = 1 << TILE_HEIGHT
HASH_BYTES = 32


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()  # RFC 9162 §2.1.1


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of what is above two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()  # RFC 9162 §2.1.1


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Root over the hashes of leaves, or of subtrees of one size."""
    if not hashes:
        return hashlib.sha256().digest()
    row = list(hashes)
    while len(row) > 1:
        above = [node_hash(row[n], row[n + 1]) for n in range(0, len(row) - 1, 2)]
        row = above + row[len(above) * 2 :]
    return row[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A hash that is kept: of a complete subtree with 256**`level` leaves, the `number`th of that size."""

    level: int
    number: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """All that a tree needs in order to grow: the roots of the complete subtrees that it consists of."""

    size: int = 0
    """Leaves of the tree."""
    hashes: tuple[bytes, ...] = ()
    """The largest subtree first; one for each bit that is set in the size."""

    def __post_init__(self) -> None:
        if len(self.hashes) != self.size.bit_count():
            raise ValueError(f"{len(self.hashes)} subtrees are no tree of {self.size} leaves")

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        if not self.hashes:
            return root_of(())
        *rest, found = self.hashes
        for left in reversed(rest):
            found = node_hash(left, found)
        return found

    def grown(self, leaves: Iterable[bytes]) -> tuple[Edge, list[Node]]:
        """The edge with more leaves, given by their hashes, and the nodes above them that are complete by that."""
        hashes, size = list(self.hashes), self.size
        nodes: list[Node] = []
        for leaf in leaves:
            hashes.append(leaf)
            size += 1
            height = 0
            while not (size >> height) & 1:
                right = hashes.pop()
                hashes[-1] = node_hash(hashes[-1], right)
                height += 1
                if height % TILE_HEIGHT == 0:
                    nodes.append(Node(level=height // TILE_HEIGHT, number=(size >> height) - 1, hash=hashes[-1]))
        return Edge(size=size, hashes=tuple(hashes)), nodes


class Subtrees(Protocol):
    """Gives the roots of parts of a tree."""

    def root(self, begin: int, end: int) -> bytes:
        """Root over the leaves from `begin` up to `end`, where the tree divides."""


class Listed:
    """A tree whose leaf hashes are all at hand."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        self._hashes = hashes

    def root(self, begin: int, end: int) -> bytes:
        """See `Subtrees`."""
        return root_of(self._hashes[begin:end])


class Tiled:
    """A tree of any size, of which tiles are read as they are needed."""

    def __init__(self, tile: Callable[[int, int], Sequence[bytes]]) -> None:
        """Nothing is read yet.

        Args:
            tile: Returns the hashes of up to 256 complete subtrees of 256**level leaves, from 256 times `number` on.
        """
        self._read = tile
        self._tiles: dict[tuple[int, int], Sequence[bytes]] = {}

    def root(self, begin: int, end: int) -> bytes:
        """See `Subtrees`."""
        size = end - begin
        if size & (size - 1):
            middle = begin + _split(size)
            return node_hash(self.root(begin, middle), self.root(middle, end))
        level, rest = divmod(size.bit_length() - 1, TILE_HEIGHT)
        number, first = divmod(begin >> (level * TILE_HEIGHT), TILE_WIDTH)
        if (level, number) not in self._tiles:
            self._tiles[level, number] = self._read(level, number)
        return root_of(self._tiles[level, number][first : first + (1 << rest)])


def inclusion(tree: Subtrees, number: int, size: int) -> tuple[bytes, ...]:
    """The hashes by which the root of a tree with `size` leaves follows from the leaf with that number."""
    found: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:  # RFC 9162 §2.1.3.1
        middle = begin + _split(end - begin)
        if number < middle:
            found.append(tree.root(middle, end))
            end = middle
        else:
            found.append(tree.root(begin, middle))
            begin = middle
    return tuple(reversed(found))


def consistency(tree: Subtrees, old: int, new: int) -> tuple[bytes, ...]:
    """The hashes by which a tree with `new` leaves is shown to begin with that of its first `old` ones."""
    found: list[bytes] = []
    begin, end, whole = 0, new, True
    while old and old != end:  # RFC 9162 §2.1.4.1, with `old` as a place in the whole tree
        middle = begin + _split(end - begin)
        if old <= middle:
            found.append(tree.root(middle, end))
            end = middle
        else:
            found.append(tree.root(begin, middle))
            begin, whole = middle, False
    if old and not whole:
        found.append(tree.root(begin, end))
    return tuple(reversed(found))


def _split(size: int) -> int:
    """Leaves of the left part of a tree: the largest power of two that is smaller than its size."""
    return 1 << ((size - 1).bit_length() - 1)

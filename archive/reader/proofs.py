"""Proofs of stored records: from a record to the root of its object, from there to the signed roots of a log."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TypeVar

from archive.errors import DamagedError, NotLoggedError
from archive.evidence.log_object import LogCommit, split
from archive.evidence.tree import Listed, Tiled, consistency, inclusion, leaf_hash
from archive.index import log_rows
from archive.index.log_rows import CommitRow, LeafRow
from archive.index.schema import CaptureRow, TextRow
from archive.reader.joined_list import source_of
from archive.reader.log_lines import read_commit
from archive.reader.reader import Reader
from archive.warc.members import split_members

R = TypeVar("R", CaptureRow, TextRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A checkpoint of a log."""

    note: str
    """Signed."""
    stamp: bytes | None = None
    """An authority's response that states when this note existed (RFC 3161); None: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedObject:
    """A leaf, and how the signed roots of its log follow from it."""

    key: str
    """Verifier key of the log."""
    number: int
    """Of the leaf, from 0."""
    leaf: str
    path: tuple[bytes, ...]
    """To the root of the first checkpoint."""
    steps: tuple[Step, ...]
    """The first checkpoint that covers the leaf, that of the earliest time stamp that does, and the newest."""
    consistency: tuple[tuple[bytes, ...], ...]
    """One proof between each two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedMember:
    """A record as it was sealed, and how the root of its object follows from it."""

    stored: bytes
    """The gzip member."""
    number: int
    """Among the members of its object, from 0."""
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """The records of a capture or text, and the object that they were sealed in."""

    source: ProvedObject
    members: tuple[ProvedMember, ...]


class Proofs:
    """Makes proofs that lead to the same newest checkpoints, as far as the logs are known when it is made."""

    def __init__(self, reader: Reader) -> None:
        """Nothing is read yet."""
        self._reader = reader
        self._engine = reader.index.engine
        self._trees: dict[str, Tiled] = {}
        self._newest: dict[str, CommitRow] = {}
        self._commits: dict[tuple[str, int], LogCommit] = {}
        self._objects: dict[str, tuple[ProvedObject, list[bytes]]] = {}

    def of(self, row: R) -> Proved:
        """The proof of the records of a capture or a text.

        Raises:
            NotLoggedError: They are in no log.
            DamagedError: They, or what the log has about them, are not what was sealed.
            StoreError: The store failed.
            DatabaseError: The database failed.
        """
        stored = self._reader.stored_members(row)
        present = self._reader.index.present(row) or row
        source, hashes = self._object(source_of(self._reader.store, present.object, present.offset))
        tree = Listed(hashes)
        members = []
        try:
            for member in split_members(io.BytesIO(stored)):
                number = hashes.index(leaf_hash(member))
                path = inclusion(tree, number, len(hashes))
                members.append(ProvedMember(stored=member, number=number, path=path))
        except ValueError as e:
            raise DamagedError("is not what was sealed", key=present.object, offset=present.offset) from e
        return Proved(source=source, members=tuple(members))

    def _object(self, key: str) -> tuple[ProvedObject, list[bytes]]:
        if key not in self._objects:
            leaf = log_rows.logged(self._engine, [key]).get(key)
            if leaf is None:
                raise NotLoggedError(key)
            self._objects[key] = self._proved(key, leaf)
        return self._objects[key]

    def _proved(self, key: str, leaf: LeafRow) -> tuple[ProvedObject, list[bytes]]:
        row = log_rows.commit_with(self._engine, leaf.log, leaf.number)
        if row is None:
            raise NotLoggedError(key)
        commit = self._read(row)
        entry = commit.entries[leaf.number - row.first]
        if entry.object != key:
            raise DamagedError(f"leaf {leaf.number} is not about {key}", key=row.key, offset=row.offset)
        steps = self._steps(leaf, row)
        tree = self._trees.setdefault(leaf.log, Tiled(partial(log_rows.tile, self._engine, leaf.log)))
        return ProvedObject(
            key=commit.key.line(),
            number=leaf.number,
            leaf=entry.leaf,
            path=inclusion(tree, leaf.number, row.size),
            steps=tuple(steps.values()),
            consistency=tuple(consistency(tree, old, new) for old, new in pairwise(steps)),
        ), split(entry.members)

    def _steps(self, leaf: LeafRow, first: CommitRow) -> dict[int, Step]:
        """The checkpoints that a proof shows, by their size, the smallest first."""
        rows = {first.size: first}
        stamp = log_rows.first_stamp(self._engine, leaf.log, leaf.number + 1)
        of_stamp = stamp and log_rows.commit_of_size(self._engine, leaf.log, stamp.size)
        if of_stamp:
            rows[of_stamp.size] = of_stamp
        if leaf.log not in self._newest:
            self._newest[leaf.log] = log_rows.newest(self._engine, leaf.log) or first
        newest = self._newest[leaf.log]
        if newest.size > max(rows):  # others may have committed since it was read
            rows[newest.size] = newest
        stored = self._reader.store.read(stamp.key) if stamp and of_stamp else None
        return {
            size: Step(note=self._read(rows[size]).note, stamp=stored if stamp and stamp.size == size else None)
            for size in sorted(rows)
        }

    def _read(self, row: CommitRow) -> LogCommit:
        """A commit, read once."""
        place = (row.log, row.first)
        if place not in self._commits:
            self._commits[place] = read_commit(self._reader.store, self._reader.index, row)
        return self._commits[place]

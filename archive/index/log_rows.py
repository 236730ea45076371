"""Rows of the logs: how far each is known, where its commits are, its leaves and nodes. The store has all of it too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, case, delete, func, select, tuple_, update

from archive.evidence.log_object import LogCommit, machine_of
from archive.evidence.note import LogKey, read_key
from archive.evidence.tree import TILE_WIDTH, Edge, leaf_hash
from archive.index.schema import log_commits, log_leaves, log_nodes, log_stamps, logs
from archive.runtime.database import fetch, in_parts, transaction, upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far a log is known here."""

    key: LogKey
    machine: str
    """As its first leaf names it."""
    edge: Edge
    at: datetime
    """When its last leaf was added here; aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A commit of a log, and where its line is in the store."""

    commit: LogCommit
    key: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRow:
    """A commit of a log as the index knows it."""

    log: str
    first: int
    """Number of its first leaf."""
    size: int
    """Leaves of the log afterwards."""
    key: str
    """Object with its line."""
    offset: int
    length: int
    at: datetime
    """When it was added here; aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafRow:
    """A leaf and its place."""

    log: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRow:
    """A time stamp of a checkpoint."""

    log: str
    size: int
    """Leaves of the log that it is about."""
    key: str
    """Object with the time stamp."""


class NotNextError(Exception):
    """Commits do not follow from what is known of their log; nothing was changed."""


def head(engine: Engine, log: str) -> Head | None:
    """How far a log is known; None: not at all.

    Raises:
        DatabaseError: The database failed.
    """
    return heads(engine, log).get(log)


def heads(engine: Engine, log: str | None = None) -> dict[str, Head]:
    """How far each log is known, or one of them.

    Raises:
        DatabaseError: The database failed.
    """
    query = select(logs) if log is None else select(logs).where(logs.c.log == log)
    return {
        row.log: Head(key=read_key(row.key), machine=row.machine, edge=_edge(row), at=row.at)
        for row in fetch(engine, query)
    }


def add(engine: Engine, found: Sequence[Placed], *, at: datetime) -> None:
    """Add commits of one log, each of which follows from the one before it; those that are known change nothing.

    Raises:
        NotNextError: The first of them that is not known does not follow from what is known.
        DatabaseError: The database failed.
    """
    log = found[0].commit.key.log
    with transaction(engine) as connection:
        row = connection.execute(select(logs).where(logs.c.log == log).with_for_update()).first()
        edge = Edge() if row is None else _edge(row)
        fresh = [one for one in found if one.commit.end > edge.size]
        befores = [edge, *(one.commit.grown()[0] for one in fresh)]
        if any(one.commit.before != before for one, before in zip(fresh, befores, strict=False)):
            raise NotNextError(log)
        if fresh:
            _insert(connection, engine, log, fresh, at)
            values = {"key": fresh[-1].commit.key.line(), "size": befores[-1].size, "edge": _written(befores[-1])}
            machine = row.machine if row is not None else machine_of(fresh[0].commit.entries[0].leaf)
            change = upsert(engine, logs).values(log=log, at=at, machine=machine or "", **values)
            connection.execute(change.on_conflict_do_update(index_elements=["log"], set_={**values, "at": at}))


def _insert(connection: Connection, engine: Engine, log: str, fresh: Sequence[Placed], at: datetime) -> None:
    leaves: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = []
    commits: list[dict[str, Any]] = []
    for one in fresh:
        commit = one.commit
        place = {"key": one.key, "offset": one.offset, "length": len(commit.line())}
        commits.append({"log": log, "first": commit.first, "size": commit.end, "at": at, **place})
        for number, entry in enumerate(commit.entries, start=commit.first):
            hashed = leaf_hash(entry.leaf.encode()).hex()
            leaves.append({"log": log, "number": number, "key": entry.object, "hash": hashed})
        nodes += [
            {"log": log, "level": node.level, "number": node.number, "hash": node.hash.hex()}
            for node in commit.grown()[1]
        ]
    rows: tuple[tuple[Table, list[dict[str, Any]]], ...] = (
        (log_commits, commits),
        (log_leaves, leaves),
        (log_nodes, nodes),
    )
    for table, values in rows:
        if values:  # those of a log whose row was lost are there already
            connection.execute(upsert(engine, table).on_conflict_do_nothing(), values)


def logged(engine: Engine, keys: Iterable[str]) -> dict[str, LeafRow]:
    """The leaves of some objects, by their keys; an object that is in several logs has one of them.

    Raises:
        DatabaseError: The database failed.
    """
    found: dict[str, LeafRow] = {}
    for part in in_parts(keys):
        query = select(log_leaves).where(log_leaves.c.key.in_(part)).order_by(log_leaves.c.log, log_leaves.c.number)
        for row in fetch(engine, query):
            found.setdefault(row.key, LeafRow(log=row.log, number=row.number))
    return found


def commit_with(engine: Engine, log: str, number: int) -> CommitRow | None:
    """The commit that added a leaf; its checkpoint is the first that covers the leaf.

    Raises:
        DatabaseError: The database failed.
    """
    known = select(log_commits).where(log_commits.c.log == log)
    query = known.where(log_commits.c.first <= number).order_by(log_commits.c.first.desc()).limit(1)
    row = next(iter(fetch(engine, query)), None)
    return None if row is None or row.size <= number else _commit(row)


def commits(engine: Engine, log: str) -> list[CommitRow]:
    """The commits of a log, in order.

    Raises:
        DatabaseError: The database failed.
    """
    query = select(log_commits).where(log_commits.c.log == log).order_by(log_commits.c.first)
    return [_commit(row) for row in fetch(engine, query)]


def tile(engine: Engine, log: str, level: int, number: int) -> list[bytes]:
    """The hashes of up to 256 complete subtrees of 256**level leaves of a log, from 256 times `number` on.

    Raises:
        DatabaseError: The database failed.
    """
    first = number * TILE_WIDTH
    table = log_nodes if level else log_leaves
    where = [table.c.log == log, table.c.number >= first, table.c.number < first + TILE_WIDTH]
    if level:
        where.append(log_nodes.c.level == level)
    return [
        bytes.fromhex(row.hash) for row in fetch(engine, select(table.c.hash).where(*where).order_by(table.c.number))
    ]


def newest(engine: Engine, log: str) -> CommitRow | None:
    """The newest commit of a log.

    Raises:
        DatabaseError: The database failed.
    """
    query = select(log_commits).where(log_commits.c.log == log).order_by(log_commits.c.first.desc()).limit(1)
    return next((_commit(row) for row in fetch(engine, query)), None)


def move(engine: Engine, log: str, places: Mapping[int, tuple[str, int]]) -> None:
    """Let commits of a log be in other objects, all or nothing.

    Args:
        engine: The database of the index.
        log: The log.
        places: By the number of a commit's first leaf: object and offset.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        for part in in_parts(places.items()):
            known = dict(part)
            keys = {first: key for first, (key, _) in known.items()}
            offsets = {first: offset for first, (_, offset) in known.items()}
            where = (log_commits.c.log == log, log_commits.c.first.in_(list(known)))
            key = case(keys, value=log_commits.c.first, else_=log_commits.c.key)
            offset = case(offsets, value=log_commits.c.first, else_=log_commits.c.offset)
            connection.execute(update(log_commits).where(*where).values(key=key, offset=offset))


def stamped(engine: Engine, found: StampRow) -> None:
    """Add a time stamp; one that is known changes nothing.

    Raises:
        DatabaseError: The database failed.
    """
    values = {"log": found.log, "size": found.size, "key": found.key}
    with transaction(engine) as connection:
        connection.execute(upsert(engine, log_stamps).values(**values).on_conflict_do_nothing())


def first_stamp(engine: Engine, log: str, size: int) -> StampRow | None:
    """The time stamp of the smallest log with at least so many leaves: the earliest that covers the last of them.

    Raises:
        DatabaseError: The database failed.
    """
    query = select(log_stamps).where(log_stamps.c.log == log, log_stamps.c.size >= size).order_by(log_stamps.c.size)
    return next((StampRow(log=row.log, size=row.size, key=row.key) for row in fetch(engine, query.limit(1))), None)


def commit_of_size(engine: Engine, log: str, size: int) -> CommitRow | None:
    """The commit whose checkpoint has that size.

    Raises:
        DatabaseError: The database failed.
    """
    found = commit_with(engine, log, size - 1)
    return found if found is not None and found.size == size else None


def unstamped(engine: Engine) -> list[CommitRow]:
    """The newest commit of each log, where its checkpoint has no time stamp.

    Raises:
        DatabaseError: The database failed.
    """
    last = select(log_commits.c.log, func.max(log_commits.c.first)).group_by(log_commits.c.log)
    stamps = select(log_stamps.c.log).where(
        log_stamps.c.log == log_commits.c.log, log_stamps.c.size == log_commits.c.size
    )
    query = select(log_commits).where(tuple_(log_commits.c.log, log_commits.c.first).in_(last), ~stamps.exists())
    return [_commit(row) for row in fetch(engine, query.order_by(log_commits.c.log))]


def forget(engine: Engine) -> None:
    """Delete all rows of logs, before they are read from the store again.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        for table in (log_stamps, log_nodes, log_leaves, log_commits, logs):
            connection.execute(delete(table))


def _commit(row: Any) -> CommitRow:  # noqa: ANN401  a row of `log_commits`
    return CommitRow(**{name: getattr(row, name) for name in CommitRow.__slots__})


def _edge(row: Any) -> Edge:  # noqa: ANN401  a row of `logs`
    return Edge(size=row.size, hashes=tuple(bytes.fromhex(one) for one in row.edge.split()))


def _written(edge: Edge) -> str:
    return " ".join(one.hex() for one in edge.hashes)

"""Log objects that are old enough become one, byte for byte: a commit makes one, which is many in a year."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from archive.errors import ObjectMissingError
from archive.evidence.log_object import PREFIX, LogObjectName, commits_of, lines_of, read_name
from archive.index import log_rows
from archive.index.index import Index
from archive.index.log_rows import CommitRow
from archive.stores import ObjectStore
from archive.writer.object_log import SETTLED

log = logging.getLogger(__name__)

MOST_BYTES = 16 << 20
"""Size of a joined log object: it is read and verified in one piece."""
MOST_SOURCES = 1_000
OLD = 2 * SETTLED
"""Age from which on objects are joined: by then, whoever knows nothing later of the log has asked the store."""
FEWEST = 4
"""Objects that are joined: with fewer there is little to gain."""
_SMALL = 8
"""An object with an eighth of the largest size stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogObject:
    """An object of a log with its commits, in order."""

    key: str
    rows: tuple[CommitRow, ...]

    @property
    def bytes(self) -> int:
        """Its size."""
        return sum(row.length for row in self.rows)


@dataclass(slots=True)
class LogTally:
    """What was joined."""

    sources: int = 0
    joined: int = 0
    wrong: dict[str, str] | None = None
    """Objects that stay as they are because something is wrong with them, with the reason."""

    def leave_out(self, key: str, reason: str) -> None:
        """Remember such an object."""
        self.wrong = {**(self.wrong or {}), key: reason}


def join_logs(store: ObjectStore, index: Index, *, now: datetime, enough: Callable[[], bool]) -> LogTally:
    """Join the objects of each log.

    Args:
        store: Has the logs.
        index: What is known.
        now: Aware, UTC.
        enough: Called before each join; whether the rest is left to the next run.

    Raises:
        ArchiveError: Store or database failed; each log is complete all the same.
    """
    tally = LogTally()
    for name in log_rows.heads(index.engine):
        found = settled(log_rows.commits(index.engine, name), now)
        for run in runs(found):
            if enough():
                return tally
            _join(store, index, name, run, tally)
        _sweep(store, index, name)
    return tally


def settled(rows: Iterable[CommitRow], now: datetime) -> list[LogObject]:
    """The objects at the beginning of a log in which nothing is younger than what may be joined."""
    found = [LogObject(key=key, rows=tuple(group)) for key, group in itertools.groupby(rows, key=lambda row: row.key)]
    return list(itertools.takewhile(lambda one: all(now - row.at >= OLD for row in one.rows), found))


def runs(found: Iterable[LogObject]) -> Iterator[list[LogObject]]:
    """Small objects that follow each other, in lists that are large enough and not too large."""
    for small, group in itertools.groupby(found, key=lambda one: one.bytes * _SMALL < MOST_BYTES):
        run: list[LogObject] = []
        for one in group if small else ():
            if len(run) == MOST_SOURCES or sum(other.bytes for other in run) + one.bytes > MOST_BYTES:
                if len(run) >= FEWEST:
                    yield run
                run = []
            run.append(one)
        if len(run) >= FEWEST:
            yield run


def _join(store: ObjectStore, index: Index, name: str, run: Sequence[LogObject], tally: LogTally) -> None:
    data = b""
    for one in run:
        try:
            data += store.read(one.key)
        except ObjectMissingError:
            tally.leave_out(one.key, "no such object")
            return
    rows = [row for one in run for row in one.rows]
    try:
        commits = commits_of(data)
    except ValueError as e:
        tally.leave_out(run[0].key, f"{e}; it was to be joined with {len(run) - 1} others")
        return
    if [(commit.first, commit.end) for _, commit in commits] != [(row.first, row.size) for row in rows]:
        tally.leave_out(run[0].key, "has other commits than the index, or one of those after it")
        return
    key = LogObjectName(name, rows[0].first, rows[-1].size).key
    store.put(key, data)
    if store.read(key) != data:
        raise ObjectMissingError("is not what was put there", location=store.location, key=key)
    log_rows.move(index.engine, name, {commit.first: (key, offset) for offset, commit in commits})
    for one in run:
        store.delete(one.key)
    tally.sources += len(run)
    tally.joined += 1
    log.info("joined log object=%s sources=%d bytes=%d", key, len(run), len(data))


def _sweep(store: ObjectStore, index: Index, name: str) -> None:
    """Delete what an interrupted join has left: objects all of whose lines are in those that the index names."""
    places = {row.first: row for row in log_rows.commits(index.engine, name)}
    used = {row.key for row in places.values()}
    size = max((row.size for row in places.values()), default=0)
    for key in [key for key in store.keys(f"{PREFIX}{name}/") if key not in used]:
        found = read_name(key)
        if found is not None and found.first < size and _is_elsewhere(store, key, places):
            store.delete(key)
            log.info("deleted what was joined object=%s", key)


def _is_elsewhere(store: ObjectStore, key: str, places: dict[int, CommitRow]) -> bool:
    try:
        data = store.read(key)
        for (_, line), (_, commit) in zip(lines_of(data), commits_of(data), strict=True):
            row = places.get(commit.first)
            if row is None or store.read(row.key, row.offset, row.length) != line:
                return False
    except (ObjectMissingError, ValueError) as e:
        log.warning("left in the store object=%s reason=%s", key, e)
        return False
    return True

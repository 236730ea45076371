"""Commits of logs as the store has them, found by their rows."""

from __future__ import annotations

from archive.errors import DamagedError, ObjectMissingError
from archive.evidence.log_object import LogCommit, parse_line
from archive.index import log_rows
from archive.index.index import Index
from archive.index.log_rows import CommitRow
from archive.stores.protocol import ReadableStore


def read_commit(store: ReadableStore, index: Index, row: CommitRow) -> LogCommit:
    """A commit of a log, as its line states it.

    Raises:
        DamagedError: The line is not that commit.
        StoreError: The store failed, or lacks the object.
        DatabaseError: The database failed.
    """
    try:
        line = store.read(row.key, row.offset, row.length)
    except ObjectMissingError:  # joined with others meanwhile
        again = log_rows.commit_with(index.engine, row.log, row.first)
        if again is None or again.key == row.key:
            raise
        row = again
        line = store.read(row.key, row.offset, row.length)
    try:
        commit = parse_line(line)
    except ValueError as e:
        raise DamagedError(str(e), key=row.key, offset=row.offset) from e
    if (commit.key.log, commit.first, commit.end) != (row.log, row.first, row.size):
        raise DamagedError("is not the commit that the index says", key=row.key, offset=row.offset)
    return commit

"""What is wrong with the logs as a whole: objects that the store lacks, leaves that do not fit their objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby

from archive.errors import ObjectMissingError
from archive.evidence.log_object import PREFIX, commits_of
from archive.index import log_rows
from archive.index.index import Index
from archive.maintenance.verify import Finding
from archive.stores import ReadableStore


def missing_parts(store: ReadableStore, index: Index) -> Iterator[Finding]:
    """Objects of the logs that the index names and the store does not have.

    Raises:
        ArchiveError: Store or database failed.
    """
    there = set(store.keys(PREFIX))
    for name in log_rows.heads(index.engine):
        for key, rows in groupby(log_rows.commits(index.engine, name), key=lambda row: row.key):
            if key in there or not _is_missing(store, key):
                continue
            parts = list(rows)
            reason = f"no such object: leaves {parts[0].first} to {parts[-1].size - 1} are in the database only"
            yield Finding(kind="missing", key=key, offset=None, reason=reason)


def other_objects(store: ReadableStore, index: Index, key: str) -> Iterator[Finding]:
    """Objects that the index knows, and that are not what a log object says.

    Args:
        store: Has the log object.
        index: What is known.
        key: Of the log object; it is not damaged.

    Raises:
        ArchiveError: Store or database failed.
    """
    try:
        commits = commits_of(store.read(key))
    except ObjectMissingError:  # joined with others meanwhile
        return
    leaves = [(commit, entry) for _, commit in commits for entry in commit.entries if entry.object]
    known = {row.key: row for row in index.objects_of(entry.object for _, entry in leaves)}
    for commit, entry in leaves:
        row, said = known.get(entry.object), json.loads(entry.leaf)
        if row is not None and (said.get("sha256"), said.get("bytes")) != (row.sha256, row.length):
            reason = f"the index says otherwise than its leaf in log {commit.key.log}"
            yield Finding(kind="damaged", key=row.key, offset=None, reason=reason)


def _is_missing(store: ReadableStore, key: str) -> bool:
    """Whether the store lacks an object, asked again."""
    try:
        store.size(key)
    except ObjectMissingError:
        return True
    return False

"""Reads logs from the store, as far as the index does not know them yet."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from archive.errors import ObjectMissingError
from archive.evidence.log_object import PREFIX, LogObjectName, commits_of, read_name
from archive.evidence.time_stamps import STAMPS, read_stamp_key
from archive.index import log_rows
from archive.index.index import Index
from archive.index.log_rows import NotNextError, Placed, StampRow
from archive.stores import ReadableStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFault:
    """A log object from which a log cannot be continued."""

    log: str
    key: str
    reason: str


def catch_up(store: ReadableStore, index: Index, name: str = "", *, at: datetime) -> list[LogFault]:
    """Add what the store has of the logs and the index does not know; what cannot be added.

    Args:
        store: Has the logs.
        index: What is known.
        name: Of one log; empty: all of them.
        at: The present time.

    Raises:
        ArchiveError: Store or database failed; what was added until then stays.
    """
    found = sorted(filter(None, map(read_name, store.keys(f"{PREFIX}{name}"))), key=_longest_first)
    faults: list[LogFault] = []
    for one, names in groupby(found, key=lambda found: found.log):
        faults += _of_log(store, index, one, names, at)
    for key in store.keys(f"{STAMPS}{name}"):
        if (stamp := read_stamp_key(key)) is not None:
            log_rows.stamped(index.engine, StampRow(log=stamp[0], size=stamp[1], key=key))
    return faults


def _longest_first(name: LogObjectName) -> tuple[str, int, int]:
    """Order of log objects; of those with the same first leaf, one that joins others comes first."""
    return name.log, name.first, -(name.end or 0)


def _of_log(
    store: ReadableStore, index: Index, name: str, found: Iterator[LogObjectName], at: datetime
) -> list[LogFault]:
    faults: list[LogFault] = []
    for one in found:
        head = log_rows.head(index.engine, name)
        size = 0 if head is None else head.edge.size
        if (one.end or one.first + 1) <= size:
            continue  # it is known
        try:
            commits = commits_of(store.read(one.key), log=name)
            placed = [Placed(commit=commit, key=one.key, offset=offset) for offset, commit in commits]
            log_rows.add(index.engine, placed, at=at)
        except ObjectMissingError:  # joined with others since it was listed, or lost: what comes next tells
            continue
        except NotNextError:
            faults.append(LogFault(log=name, key=one.key, reason=f"does not follow from the {size} leaves before it"))
        except ValueError as e:
            faults.append(LogFault(log=name, key=one.key, reason=str(e)))
    for fault in faults:
        log.error("log cannot be read object=%s reason=%s", fault.key, fault.reason)
    return faults

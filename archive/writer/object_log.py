"""The log of what is sealed here: each commit adds a leaf for each of its objects, and signs the log's new root.

The order is: sealed objects, the object with the new leaves, its rows. The name of that object is the number of its
first leaf, and objects are written once: of two that would continue the log differently only one can be stored. So
whatever is killed, the log in the store is continued, never forked, and an object has one leaf however often its commit
is tried.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from archive.errors import ObjectExistsError, StoreBusyError
from archive.evidence.log_object import Entry, LogObjectName, commit_of, first_entry
from archive.evidence.note import Checkpoint
from archive.evidence.signing_key import SigningKey, set_aside, signing_key
from archive.evidence.tree import Edge
from archive.index import log_rows
from archive.index.index import Index
from archive.index.log_rows import Placed
from archive.runtime.file_lock import exclusive
from archive.stores.protocol import ObjectStore
from archive.writer.log_catch_up import catch_up

log = logging.getLogger(__name__)

FOLDER = "evidence"
"""Folder within the home folder with the key that signs."""
SETTLED = timedelta(days=1)
"""Age of what is known of a log from which on the store is asked first: nothing was committed for so long, or the
database is an older one. Objects of a log are joined, and then have other names, only when they are twice as old."""
_WAIT_SECONDS = 600.0
_TRIES = 20


class ObjectLog:
    """Adds leaves to the log of a home folder, in whichever process of this machine."""

    def __init__(
        self, store: ObjectStore, index: Index, home: Path, *, machine: str, now: Callable[[], datetime]
    ) -> None:
        """Nothing is written yet.

        Args:
            store: Has the log.
            index: What is known.
            home: Folder whose key signs.
            machine: Name of this machine, for the first leaf of a new log.
            now: The clock; aware, UTC.
        """
        self._store = store
        self._index = index
        self._folder = home / FOLDER
        self._machine = machine
        self._now = now

    def append(self, entries: Sequence[Entry]) -> None:
        """Add the entries of objects that are durable; those that are in a log already are passed over.

        Raises:
            StoreError: The store failed.
            DatabaseError: The database failed.
            SpoolError: The home folder cannot be used.
            LockedError: Other processes of this machine took too long.
        """
        if not entries:
            return
        key = signing_key(self._folder)
        with exclusive(self._folder / "log.lock", what="commit", wait_seconds=_WAIT_SECONDS):
            for _ in range(_TRIES):
                if self._appended(key, entries):
                    return
                key = signing_key(self._folder)
        raise StoreBusyError("its log is continued by others all the time", location=self._store.location)

    def _appended(self, key: SigningKey, entries: Sequence[Entry]) -> bool:
        """Try once; whether all entries are in a log now."""
        name = key.key.log
        head = log_rows.head(self._index.engine, name)
        if head is None or abs(self._now() - head.at) >= SETTLED:
            if not self._learned(name if head else ""):
                return False
            head = log_rows.head(self._index.engine, name)
        known = log_rows.logged(self._index.engine, [entry.object for entry in entries])
        fresh = [entry for entry in entries if entry.object not in known]
        if not fresh:
            return True
        if head is None:
            fresh.insert(0, self._first(key))
        commit = commit_of(key, head.edge if head else Edge(), fresh)
        place = LogObjectName(name, commit.first)
        try:
            self._store.put(place.key, commit.line())
        except ObjectExistsError:
            self._learned(name, beyond=commit.first)
            return False
        log_rows.add(self._index.engine, [Placed(commit=commit, key=place.key, offset=0)], at=self._now())
        log.info("logged object=%s leaves=%d", place.key, len(fresh))
        return True

    def _learned(self, name: str, *, beyond: int = 0) -> bool:
        """Learn what the store has of a log, or of all; one that cannot be continued ends, and the next one begins.

        Args:
            name: Of the log; empty: all.
            beyond: Number of a leaf that the store has, and that must be known afterwards.
        """
        own = signing_key(self._folder).key.log
        faults = [one for one in catch_up(self._store, self._index, name, at=self._now()) if one.log == own]
        head = log_rows.head(self._index.engine, own)
        if not faults and (not beyond or (head is not None and head.edge.size > beyond)):
            return True
        log.error("log ends here, a new one begins log=%s faults=%d", own, len(faults))
        set_aside(self._folder)
        return False

    def _first(self, key: SigningKey) -> Entry:
        """The first entry of a new log: it names where the earlier logs of this machine ended."""
        known = log_rows.heads(self._index.engine).values()
        after = [
            Checkpoint(origin=head.key.origin, size=head.edge.size, root=head.edge.root)
            for head in known
            if head.machine == self._machine
        ]
        return first_entry(key.key, self._machine, after)

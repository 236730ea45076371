"""Makes the index what the store says: objects are read in worker processes, their rows written by one."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from datetime import datetime
from functools import lru_cache
from itertools import islice

from archive.archive import Archive
from archive.errors import ObjectMissingError, StoreError, StoreRefusedError, TaskError
from archive.index import faults, joins, log_rows
from archive.index.from_records import entered
from archive.index.fulltext import with_words
from archive.index.schema import VISITS, ObjectRow, begun_of
from archive.index.writing import IndexWriter, ObjectRows, values
from archive.maintenance.contents import TEXTS, read_contents
from archive.maintenance.joined import sha256_of, superseded
from archive.maintenance.verify import Finding
from archive.reader.joined_list import Listed
from archive.runtime.worker_pool import Limits, WorkerPool
from archive.stores import ObjectStore, ReadableStore, open_store
from archive.warc.capture import digest
from archive.warc.members import Member
from archive.writer.log_catch_up import catch_up

log = logging.getLogger(__name__)

_FEW = 20
"""Objects that are read before processes would have started."""
_AHEAD = 4
"""Objects for each process that are read before their turn to be written."""
_ROWS = 5_000
"""Rows of one transaction."""
_LIMITS = Limits(seconds=1_800, megabytes=4_096)


def keys(store: ReadableStore) -> list[str]:
    """Objects with captures, those with texts, those with confirmations; each kind in the order of their beginning.

    What is in a joined object as well is left out.
    """
    found = _listed(store)
    elsewhere = superseded(store, found)
    return [key for key in found if key not in elsewhere]


def _listed(store: ReadableStore) -> list[str]:
    return [key for prefix in ("warc/", TEXTS, f"{VISITS}/") for key in sorted(store.keys(prefix), key=_begun)]


def _begun(key: str) -> tuple[str, str]:
    """When a batch was begun, whoever made it."""
    return (begun_of(key), key)


def reindex(store: ReadableStore, index: IndexWriter, key: str) -> Finding | None:
    """Rebuild the rows of one object, replacing the existing ones.

    Returns what is wrong with the object, if anything; its complete records get rows nevertheless.

    Raises:
        StoreError: The store cannot be read at the moment.
        DatabaseError: The database failed; the rows of this object are unchanged.
    """
    rows = object_rows(store, key)
    index.replace([rows])
    return finding(rows)


def object_rows(store: ReadableStore, key: str) -> ObjectRows:
    """The rows of one object, made from its whole records alone.

    Raises:
        StoreError: The store cannot be read at the moment.
    """
    differing: dict[str, int] = {}

    def seen(member: Member) -> None:
        if member.record.get("WARC-Block-Digest") != digest(member.record.block):
            differing[member.record.id] = member.offset

    contents = read_contents(store, key, seen)
    captures = [values(row) for row in contents.captures if row.record not in differing]
    texts = [held for held in contents.texts if held.row.record not in differing]
    return ObjectRows(
        stored=ObjectRow(key=key, length=contents.length, sha256=contents.sha256),
        captures=captures,
        texts=[values(held.row) for held in texts],
        confirmations=() if differing else contents.confirmations,
        words=tuple(with_words(entered(held)) for held in texts),
        damage=min((*contents.gaps, *differing.values()), default=None),
    )


def finding(rows: ObjectRows) -> Finding | None:
    """What is wrong with an object."""
    if rows.damage is None:
        return None
    return Finding(kind="damaged", key=rows.stored.key, offset=rows.damage, reason=rows.fault or "")


@lru_cache(maxsize=1)
def _opened(location: str) -> ObjectStore:
    return open_store(location)


def _rows_of(location: str, key: str) -> ObjectRows | None:
    """In a process: the rows of one object; None if the store failed, whose errors cannot pass between processes."""
    try:
        return object_rows(_opened(location), key)
    except StoreError as e:
        log.info("left to the parent process object=%s error=%s", key, e)
        return None


class Reindexing:
    """One rebuild of the whole index. Whoever makes it excludes crawls, and closes it."""

    def __init__(self, archive: Archive, *, now: Callable[[], datetime]) -> None:
        """List the store; nothing is changed.

        Raises:
            StoreRefusedError: The store has nothing of what the database knows: it is another store.
            ArchiveError: The store cannot be listed, or the database failed.
        """
        self._archive = archive
        self._now = now
        listed = _listed(archive.store)
        self._superseded = superseded(archive.store, listed)
        self.keys = [key for key in listed if key not in self._superseded]
        self._known = [row.key for row in archive.index.objects()]
        if self._known and not set(self._known) & set(listed):
            raise StoreRefusedError(
                f"has none of the {len(self._known)} objects that the database knows; nothing was changed",
                location=archive.store.location,
                hint="Name the store of this database in PRESSMARK_STORE, or a new database in PRESSMARK_DATABASE.",
            )
        workers = 0
        if len(self.keys) >= _FEW and not archive.store.location.startswith("memory:"):
            workers = archive.settings.extract_workers
        preload = ["archive.maintenance.reindex"]
        self._pool = WorkerPool(workers=workers, limits=_LIMITS, preload=preload) if workers else None
        self._ahead = _AHEAD * workers or 1
        self._lost: list[str] = []

    def run(self) -> Iterator[Finding | None]:
        """Rebuild the rows of each object in the store; what is wrong with it, if anything.

        Raises:
            ArchiveError: Store or database failed; objects that come later keep their rows.
        """
        writer = self._archive.writer.index
        writer.forget_confirmations()
        with writer.rebuilding(fresh=not self._known) as rebuild:
            waiting: list[ObjectRows] = []
            size = 0
            for rows in self._read():
                waiting.append(rows)
                size += len(rows.captures) + len(rows.texts)
                if size >= _ROWS:
                    rebuild.replace(waiting)
                    waiting, size = [], 0
                yield finding(rows)
            rebuild.replace(waiting)
        retire(self._archive, self._superseded, at=self._now())
        yield from self._read_logs()

    def _read_logs(self) -> Iterator[Finding]:
        """Make the rows of the logs what the store has of them; what cannot be read."""
        log_rows.forget(self._archive.index.engine)
        for fault in catch_up(self._archive.store, self._archive.index, at=self._now()):
            yield Finding(kind="damaged", key=fault.key, offset=None, reason=fault.reason)

    def mark_missing(self) -> list[str]:
        """Mark the objects that the index knows and the store does not have; their keys.

        Raises:
            ArchiveError: Store or database failed.
        """
        listed = {*self.keys, *self._superseded}
        for key in self._known:
            if key in listed:
                continue
            try:
                self._archive.store.size(key)
            except ObjectMissingError:
                engine = self._archive.index.engine
                faults.checked(engine, key, at=self._now(), fault=faults.MISSING, lost=None)
                self._lost.append(key)
            else:  # the listing was old
                reindex(self._archive.store, self._archive.writer.index, key)
        return self._lost

    def remove_missing(self) -> None:
        """Remove the rows of what is not there, once the crawler knows.

        Raises:
            DatabaseError: The database failed.
        """
        self._archive.writer.index.remove(self._lost)

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.close()

    def _read(self) -> Iterator[ObjectRows]:
        """The rows of each object, in order."""
        if self._pool is None:
            yield from (object_rows(self._archive.store, key) for key in self.keys)
            return
        left = iter(self.keys)
        waiting: deque[tuple[str, Future[ObjectRows | None]]] = deque()

        def submit(pool: WorkerPool, count: int) -> None:
            for key in islice(left, count):
                waiting.append((key, pool.submit(_rows_of, location=self._archive.store.location, key=key)))

        submit(self._pool, self._ahead)
        while waiting:
            key, future = waiting.popleft()
            yield self._result(key, future)
            submit(self._pool, 1)

    def _result(self, key: str, future: Future[ObjectRows | None]) -> ObjectRows:
        try:
            rows = future.result()
        except TaskError as e:
            log.warning("read here instead object=%s error=%s", key, e)
            rows = None
        return rows if rows is not None else object_rows(self._archive.store, key)


def retire(archive: Archive, found: Mapping[str, Listed], *, at: datetime) -> None:
    """Retire the objects of the store that are in a joined one as well, once that one is in the index.

    Args:
        archive: Has them.
        found: From `superseded`.
        at: The present time.

    Raises:
        ArchiveError: Store or database failed.
    """
    by_joined: dict[str, list[ObjectRow]] = {}
    for key, joined in found.items():
        if key != joined.key:
            size = archive.store.size(key)
            row = ObjectRow(key=key, length=size, sha256=sha256_of(archive.store, key, 0, size))
            by_joined.setdefault(joined.key, []).append(row)
    for joined_into, rows in by_joined.items():
        joins.retire(archive.index.engine, rows, joined_into, at=at)

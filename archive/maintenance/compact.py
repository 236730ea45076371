"""Compaction: small objects of a day or a month become one, byte for byte; the old ones go after a grace period.

Whenever this ends, every row refers to bytes that are in the store. A joined object is announced in the database, made
in a folder of this machine, put into the store and read back; then one transaction lets the rows refer to it and
retires what it joins. Retired objects stay for the grace period, for readers who have found a place in them; they are
deleted only if the joined object is whole at that moment. What was announced and not finished is removed by the next
run: no row can refer to it.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import platform
import secrets
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from archive.archive import Archive
from archive.errors import LockedError, ObjectMissingError
from archive.index import joins
from archive.index.joins import JoinLostError, Retired
from archive.index.schema import JOINED, ObjectRow
from archive.maintenance.join_logs import join_logs
from archive.maintenance.join_plan import Join, plan
from archive.maintenance.joined import listing, pieces, sha256_of
from archive.runtime import durable
from archive.runtime.database import turn
from archive.runtime.durable import spool_errors
from archive.runtime.file_lock import exclusive
from archive.warc import record as warc
from archive.writer.batch import object_key, software
from archive.writer.committer import index_keys, index_objects

log = logging.getLogger(__name__)

FOLDER = "compact"
"""Folder within the home folder where joined objects are made."""
_TURN = 0x50524D43  # "PRMC": the PostgreSQL advisory lock of compaction
_BUSY = "compaction or reindexing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An object that was not joined, or not deleted, because something is wrong with it."""

    key: str
    reason: str


@dataclass(slots=True)
class Tally:
    """What a run did."""

    days: set[str] = field(default_factory=set)
    months: set[str] = field(default_factory=set)
    before: int = 0
    """Objects that rows refer to, when it began."""
    after: int = 0
    sources: int = 0
    """Objects that were joined."""
    joined: int = 0
    """Objects that they became."""
    bytes: int = 0
    """Size of these."""
    deleted: int = 0
    """Objects whose grace period had ended."""
    waiting: int = 0
    """Objects that are deleted once it has ended."""
    left: int = 0
    """Joins for which there was no time."""
    log_objects: int = 0
    """Objects of logs that were joined, apart from those above."""
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    """By key."""

    def count(self, join: Join, size: int) -> None:
        """Add a join."""
        (self.days if len(join.period) == len("YYYYMMDD") else self.months).add(join.period)
        self.sources += len(join.sources)
        self.joined += 1
        self.bytes += size

    def as_json(self) -> dict[str, object]:
        """The tally as programs see it."""
        names = ("before", "after", "sources", "joined", "bytes", "deleted", "waiting", "left", "log_objects")
        left_out = [{"object": one.key, "reason": one.reason} for one in self.left_out.values()]
        periods = {"days": len(self.days), "months": len(self.months)}
        return {**periods, **{name: getattr(self, name) for name in names}, "left_out": left_out}

    def line(self, *, planned: bool = False) -> str:
        """The tally as people see it."""
        wrong = f", {len(self.left_out)} left out" if self.left_out else ""
        if self.left:
            wrong = f"{wrong}; its time is used up, {self.left} joins left for the next run"
        if self.log_objects:
            wrong = f"{wrong}; {self.log_objects} objects of logs joined"
        if planned:
            wrong = f"{wrong}; nothing was changed"
        became = f"{self.sources} objects into {self.joined} ({self.bytes:,} bytes)"
        return (
            f"joined {len(self.days)} days and {len(self.months)} months: {became}; "
            f"{self.before} objects before, {self.after} after; "
            f"{self.deleted} old ones deleted, {self.waiting} waiting{wrong}"
        )


def clean(home: Path, before: datetime) -> int:
    """Delete what an interrupted compaction left in a home folder before an instant; returns the number of files.

    Raises:
        SpoolError: The folder is not writable.
    """
    return durable.clean(home / FOLDER, "*", before)


@contextmanager
def alone(archive: Archive, *, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the turn of what moves rows from object to object: one process on a home folder, and on a PostgreSQL server.

    Raises:
        LockedError: Another process has it.
        DatabaseError: The database failed.
    """
    path = archive.settings.home / "compact.lock"
    with exclusive(path, what=_BUSY, wait_seconds=wait_seconds), turn(archive.index.engine, _TURN, what=_BUSY):
        yield


class Compaction:
    """One run over an archive; the caller holds the turn (`alone`)."""

    def __init__(
        self,
        archive: Archive,
        *,
        now: Callable[[], datetime],
        new_uuid: Callable[[], str] = lambda: str(uuid.uuid4()),
        new_name: Callable[[], str] = lambda: secrets.token_hex(4),
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Nothing is changed yet.

        Args:
            archive: Whose objects are joined.
            now: The clock.
            new_uuid: Returns a UUID for each record.
            new_name: Returns the part of an object's name by which it differs from all others.
            enough: Called before each join and each deletion; whether the rest is left to the next run.
        """
        self._archive = archive
        self._store = archive.store
        self._engine = archive.index.engine
        self._now = now
        self._new_uuid = new_uuid
        self._new_name = new_name
        self._enough = enough
        self._most_bytes = archive.settings.compact_megabytes * 1_000_000
        self._folder = archive.settings.home / FOLDER
        self.tally = Tally()

    def preview(self) -> None:
        """Count what a run would join first; changes nothing.

        Raises:
            DatabaseError: The database failed.
        """
        held = joins.held(self._engine)
        self.tally.before = self.tally.after = len(held)
        for join in plan(held, now=self._now(), most_bytes=self._most_bytes):
            self.tally.count(join, join.bytes)
            self.tally.after -= len(join.sources) - 1
        self.tally.waiting = joins.waiting(self._engine)

    def run(self) -> None:
        """Delete what has expired, join, delete again.

        Raises:
            ArchiveError: Store, database or disk failed; what was done until then is complete.
        """
        self.settle()
        self.expire()
        held = joins.held(self._engine)
        self.tally.before = self.tally.after = len(held)
        # Joins of the first round may be joined again; each round ends with fewer objects, or knows of more damage.
        while found := plan(held, now=self._now(), most_bytes=self._most_bytes, without=self.tally.left_out.keys()):
            for number, join in enumerate(found):
                if self._enough():
                    self.tally.left = len(found) - number
                    break
                self.join(join)
            held = joins.held(self._engine)
            if self.tally.left:
                break
        self.tally.after = len(held)
        self.expire()
        self._join_logs()
        self.tally.waiting = joins.waiting(self._engine)

    def _join_logs(self) -> None:
        done = join_logs(self._store, self._archive.index, now=self._now(), enough=self._enough)
        self.tally.log_objects = done.sources
        for key, reason in (done.wrong or {}).items():
            self._leave_out(key, reason)

    def settle(self) -> None:
        """Remove what an interrupted run left: no row refers to it.

        Raises:
            ArchiveError: Store, database or disk failed.
        """
        with spool_errors(self._folder):
            if self._folder.exists():
                shutil.rmtree(self._folder)
        for key in joins.unfinished(self._engine):
            self._abandon(key)

    def _abandon(self, key: str) -> None:
        if joins.give_up(self._engine, key):
            for one in (*index_keys(key), key):
                self._store.delete(one)
            joins.forget(self._engine, key)
            log.info("unfinished joined object removed object=%s", key)

    def join(self, join: Join) -> bool:
        """Join some objects; False if one of them is damaged, which the tally then names.

        Raises:
            ArchiveError: Store, database or disk failed.
        """
        name = f"{join.maker}-{join.begun}{JOINED}{self._new_name()}"
        key = object_key(join.kind, name)
        rows = [one.row for one in join.sources]
        path = self._folder / f"{name}.warc.gz"
        try:
            with spool_errors(self._folder):
                self._folder.mkdir(parents=True, exist_ok=True)
                made = self._made(key, name, rows, path)
            if made is None:
                return False
            self._replace(key, path, *made)
        finally:
            path.unlink(missing_ok=True)
        self.tally.count(join, made[0].length)
        log.info("joined object=%s sources=%d bytes=%d", key, len(rows), made[0].length)
        return True

    def _replace(self, key: str, path: Path, joined: ObjectRow, bases: list[tuple[ObjectRow, int]]) -> None:
        """Store a joined object, then let the rows refer to it."""
        joins.announce(self._engine, key)
        self._store.put(key, path)
        for one, data in self._indexed(key, bases).items():
            self._store.put(one, data)
        if sha256_of(self._store, key, 0, joined.length) != joined.sha256:
            self._abandon(key)
            raise ObjectMissingError("is not what was put there", location=self._store.location, key=key)
        try:
            joins.take_over(self._engine, joined, bases, at=self._now())
        except JoinLostError as e:
            self._abandon(key)
            raise LockedError(f"{e}: changed while it was being joined", hint="Run it again.") from e

    def _made(
        self, key: str, name: str, rows: list[ObjectRow], path: Path
    ) -> tuple[ObjectRow, list[tuple[ObjectRow, int]]] | None:
        """Write the joined file; gives its row, and where each source begins. None if a source is damaged."""
        first = warc.pack(
            warc.warcinfo(
                uuid=self._new_uuid(),
                date=self._now(),
                filename=key.rsplit("/", 1)[-1],
                info=[
                    ("software", software()),
                    ("format", "WARC File Format 1.1"),
                    ("conformsTo", warc.CONFORMS_TO),
                    *([("hostname", platform.node())] if platform.node() else []),
                    ("isPartOf", name),
                    ("description", "Objects that were joined, byte for byte, in this order."),
                    *listing(rows),
                ],
            )
        )
        whole = hashlib.sha256(first)
        at = len(first)
        bases: list[tuple[ObjectRow, int]] = []
        damaged = False
        with path.open("wb") as out:
            out.write(first)
            for row in rows:
                source = hashlib.sha256()
                size = 0
                try:
                    # One byte more than there should be shows an object that has grown.
                    for piece in pieces(self._store, row.key, 0, row.length + 1):
                        out.write(piece)
                        source.update(piece)
                        whole.update(piece)
                        size += len(piece)
                except ObjectMissingError:
                    self._leave_out(row.key, "no such object")
                    damaged = True
                    continue
                if size != row.length or source.hexdigest() != row.sha256:
                    self._leave_out(row.key, "SHA-256 differs from what was written")
                    damaged = True
                bases.append((row, at))
                at += size
        return None if damaged else (ObjectRow(key=key, length=at, sha256=whole.hexdigest()), bases)

    def _indexed(self, key: str, bases: Iterable[tuple[ObjectRow, int]]) -> Mapping[str, bytes]:
        """The index objects of a joined one."""
        rows = [
            replace(row, object=key, offset=base + row.offset)
            for source, base in bases
            for row in self._archive.index.of_object(source.key)[0]
        ]
        return index_objects(key, rows)

    def expire(self) -> None:
        """Delete the objects whose grace period has ended, if the joined ones are whole.

        Raises:
            ArchiveError: Store or database failed.
        """
        now = self._now()
        grace = self._archive.settings.compact_grace
        found = joins.expired(self._engine, before=now - grace, now=now)
        for key, group in itertools.groupby(found, key=lambda one: one.joined_into):
            if self._enough():
                return
            self._delete(key, list(group))

    def _delete(self, joined_into: str, group: list[Retired]) -> None:
        joined = joins.known(self._engine, joined_into)
        try:
            intact = joined is not None and (
                self._store.size(joined.key) == joined.length
                and sha256_of(self._store, joined.key, 0, joined.length) == joined.sha256
            )
        except ObjectMissingError:
            intact = False
        if not intact:
            self._leave_out(joined_into, f"is not whole; the {len(group)} objects that it joins are kept")
            return
        used = joins.live(self._engine, (one.row.key for one in group))
        gone = [one.row.key for one in group if one.row.key not in used]
        for key in gone:
            for one in (*index_keys(key), key):
                self._store.delete(one)
        joins.dropped(self._engine, gone)
        self.tally.deleted += len(gone)
        log.info("deleted what was joined into=%s objects=%d", joined_into, len(gone))

    def _leave_out(self, key: str, reason: str) -> None:
        self.tally.left_out[key] = LeftOut(key=key, reason=reason)
        log.warning("left out object=%s reason=%s", key, reason)

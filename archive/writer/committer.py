"""The writing half of the archive: opens batches in the spool and commits them to store and index."""

from __future__ import annotations

import itertools
import logging
import secrets
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive.errors import ArchiveError, ObjectExistsError
from archive.evidence.log_object import Entry, hashes_of, of_object
from archive.index.cdxj import cdxj
from archive.index.from_records import entered, held_texts
from archive.index.fulltext import Entered
from archive.index.schema import CRAWL, CaptureRow, ObjectRow, is_joined
from archive.index.writing import IndexWriter
from archive.index.zipnum import zipnum
from archive.runtime.durable import spool_errors
from archive.stores.protocol import ObjectStore
from archive.warc.members import members, split_members
from archive.writer import aside
from archive.writer.aside import Aside
from archive.writer.batch import Batch, Origin, Recent, Sealed
from archive.writer.damage import Damage
from archive.writer.object_log import ObjectLog
from archive.writer.recover import batch_names, recover

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What became of the batches that an earlier run left in the spool."""

    committed: int = 0
    """Batches that are in the archive now."""
    aside: tuple[Aside, ...] = ()
    """Batches that were set aside."""
    damage: tuple[Damage, ...] = ()
    """What was lost of them on this machine's disk."""
    left: int = 0
    """Batches for which there was no time."""

    def __add__(self, other: Leftovers) -> Leftovers:
        """Both together."""
        return Leftovers(
            committed=self.committed + other.committed,
            aside=self.aside + other.aside,
            damage=self.damage + other.damage,
            left=self.left + other.left,
        )

    def lines(self) -> Iterator[str]:
        """What people need to know about them."""
        yield from (damage.line() for damage in self.damage)
        yield from (f"a batch of an earlier run cannot be committed: {one.line()}" for one in self.aside)


class Writer:
    """Commits batches: objects into the store first, then rows into the index."""

    def __init__(self, store: ObjectStore, index: IndexWriter, spool: Path, log: ObjectLog) -> None:
        """Nothing is written yet.

        Args:
            store: Where objects go.
            index: Where their rows go.
            spool: Folder where batches grow; each of several concurrent processes needs its own.
            log: Where leaves for the objects go.
        """
        self.store = store
        self.index = index
        self.spool = spool
        self.log = log
        self._recent = Recent()

    def check_writable(self) -> None:
        """Make sure that store and spool accept writes.

        Raises:
            StoreError: The store cannot be used.
            SpoolError: The spool cannot be written.
        """
        self.store.check()
        self.check_spool()

    def check_spool(self) -> None:
        """Make sure that the spool accepts writes.

        Raises:
            SpoolError: The spool cannot be written.
        """
        probe = self.spool / f".probe-{secrets.token_hex(4)}"
        with spool_errors(self.spool):
            probe.parent.mkdir(parents=True, exist_ok=True)
            try:
                probe.write_bytes(b"\0" * 4096)
            finally:
                probe.unlink(missing_ok=True)

    def batch(
        self,
        *,
        now: datetime,
        origin: Origin | None = None,
        new_uuid: Callable[[], str] | None = None,
        maker: str = CRAWL,
    ) -> Batch:
        """Begin a batch in the spool; batches must be committed in the order in which they were begun."""
        name = f"{maker}-{now:%Y%m%d%H%M%S%f}-{secrets.token_hex(4)}"
        return Batch(
            self.spool,
            name,
            self.index.reads,
            self._recent,
            now=now,
            new_uuid=new_uuid or _uuids(),
            origin=origin or Origin(),
        )

    def commit(self, sealed: Sealed) -> None:
        """Make a sealed batch part of the archive: objects first, then their leaves, then the rows that refer to them.

        May be repeated after any failure. The spool keeps the batch until it is released.

        Raises:
            StoreError: The store failed.
            DatabaseError: The database failed; the objects are durable.
            SpoolError: The home folder cannot be used for the log.
            LockedError: Other processes of this machine did not end their commits in time.
        """
        for row, path in sealed.files:
            self.store.put(row.key, path)
        for key in {row.object for row in sealed.captures}:
            self.store.put(index_key(key), cdxj(row for row in sealed.captures if row.object == key))
        self.log.append([self._entry(sealed, row, path) for row, path in sealed.files])
        words = sealed.words
        if words is None:
            texts = [(row.key, path) for row, path in sealed.files if row.key.startswith("text/")]
            words = tuple(entry for key, path in texts for entry in self._words(key, path))
        self.index.add(
            [row for row, _ in sealed.files], list(sealed.captures), list(sealed.texts), words, sealed.confirmations
        )
        self._recent.forget(sealed.captures)
        for row, _ in sealed.files:
            log.info("committed object=%s bytes=%d", row.key, row.length)
        log.info("commit captures=%d texts=%d", len(sealed.captures), len(sealed.texts))

    def commit_and_release(self, sealed: Sealed) -> None:
        """Commit a batch without notes and delete its spool files.

        Raises:
            ArchiveError: Spool, store or database failed.
        """
        self.commit(sealed)
        self.release(sealed)

    def release(self, sealed: Sealed) -> None:
        """Delete the spool files of a batch that is committed and whose notes have been applied."""
        with spool_errors(self.spool):
            for path in sealed.paths:
                path.unlink(missing_ok=True)

    def commit_leftovers(
        self,
        maker: str,
        then: Callable[[Sealed], None] | None = None,
        *,
        enough: Callable[[], bool] = lambda: False,
    ) -> Leftovers:
        """Commit what an earlier run of that maker left in the spool.

        A batch whose own bytes or values are refused is set aside, so that it does not block later ones. Anything else
        that fails is an outage: the batches wait in the spool.

        Args:
            maker: First word of the batches' names.
            then: Called with each batch that is committed, before its spool files are deleted.
            enough: Called after each batch; whether the others are left to the next run.

        Raises:
            ArchiveError: Spool, store or database failed.
        """
        committed = 0
        refused: list[Aside] = []
        damage: list[Damage] = []
        for sealed in self.leftovers(maker):
            damage += sealed.damage
            error = self._refused(sealed, then)
            if error is None:
                self.release(sealed)
                committed += 1
            else:
                refused.append(self._set_aside(sealed, error))
            if enough():
                break
        left = len(batch_names(self.spool, maker))
        return Leftovers(committed=committed, aside=tuple(refused), damage=tuple(damage), left=left)

    def bring_back(self, maker: str) -> int:
        """Return to the spool what was set aside of a maker's batches, to be tried again; returns their number."""
        with spool_errors(self.spool):
            return aside.bring_back(self.spool, maker)

    def _refused(self, sealed: Sealed, then: Callable[[Sealed], None] | None) -> Exception | None:
        """Commit a batch; returns the error if it is the batch that cannot be committed."""
        try:
            with spool_errors(self.spool):
                self._commit_leftover(sealed)
                if then is not None:
                    then(sealed)
        except ArchiveError as e:
            if not e.rejected:
                raise
            return e
        except MemoryError:
            raise
        except Exception as e:  # its content comes from outside
            log.exception("batch cannot be committed")
            return e
        return None

    def _commit_leftover(self, sealed: Sealed) -> None:
        """Commit a batch, unless it was committed whole and damaged on this machine's disk only after that."""
        try:
            self.commit(sealed)
        except ObjectExistsError:
            if not sealed.damage or not self.index.has(sealed.captures, sealed.texts):
                raise

    def _set_aside(self, sealed: Sealed, error: Exception) -> Aside:
        """Set a batch aside, if store, database and spool accept writes at this moment: else it is no fault of its own.

        Raises:
            ArchiveError: One of them does not.
        """
        self.check_writable()
        self.index.check_writable()
        with spool_errors(self.spool):
            found = aside.set_aside(self.spool, sealed.paths, error)
        log.error("batch set aside name=%s folder=%s reason=%s", found.name, found.folder, found.reason)
        return found

    def leftovers(self, maker: str = CRAWL) -> Iterator[Sealed]:
        """The batches that an earlier run left in the spool; commit and release each before taking the next.

        Raises:
            SpoolError: The spool cannot be read or written.
        """
        with spool_errors(self.spool):
            yield from recover(self.spool, self.index.reads.capture, maker=maker)

    def _entry(self, sealed: Sealed, row: ObjectRow, path: Path) -> Entry:
        """What the log gets about an object."""
        members = sealed.members.get(row.key)
        if members is None:  # it was recovered
            with spool_errors(self.spool), path.open("rb") as data:
                members = hashes_of(split_members(data))
        return of_object(key=row.key, length=row.length, sha256=row.sha256, members=members)

    def _words(self, key: str, path: Path) -> list[Entered]:
        """Full-text rows of the texts in a spool file, for a batch that does not have them in memory."""
        with spool_errors(self.spool), path.open("rb") as data:
            return [entered(held) for held in held_texts(members(data), key)]


def index_key(key: str) -> str:
    """Key of the CDXJ lines for the captures of a WARC object."""
    return f"index/{key.removeprefix('warc/').removesuffix('.warc.gz')}.cdxj"


def index_keys(key: str) -> tuple[str, ...]:
    """Keys of the index objects of an object: one with lines, or blocks of lines and their summary; none for texts."""
    if not key.startswith("warc/"):
        return ()
    stem = index_key(key).removesuffix(".cdxj")
    return (f"{stem}.cdx.gz", f"{stem}.idx") if is_joined(key) else (f"{stem}.cdxj",)


def index_objects(key: str, rows: Sequence[CaptureRow]) -> dict[str, bytes]:
    """The index objects of an object with these captures; none if there are none."""
    if not rows:
        return {}
    lines = cdxj(rows)
    if not is_joined(key):
        return {index_key(key): lines}
    blocks, summary = index_keys(key)
    return dict(zip((blocks, summary), zipnum(lines.splitlines(keepends=True), blocks.rsplit("/", 1)[-1]), strict=True))


def _uuids() -> Callable[[], str]:
    """Make UUIDs that differ only in their last 32 bits: 90 random bits distinguish these from all others.

    Records refer to each other; ids that are nearly alike compress to half the size (RFC 9562 §5.8, version 8).
    """
    fixed = (secrets.randbits(128) & ~((0xF << 76) | (0x3 << 62) | 0xFFFFFFFF)) | (8 << 76) | (2 << 62)
    numbers = itertools.count()
    return lambda: str(uuid.UUID(int=fixed | next(numbers)))

"""The archive: store and index joined. Commits batches, gives captures and texts back."""

from __future__ import annotations

import io
import itertools
import json
import logging
import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

from archive.errors import DamagedError, DatabaseError, NotArchivedError, ObjectMissingError
from archive.extract.text import Entry
from archive.index.cdxj import cdxj
from archive.index.from_records import HeldText, entered, held_texts
from archive.index.fulltext import Entered
from archive.index.index import Index
from archive.index.schema import CRAWL, CaptureRow, TextRow, index_urlkey
from archive.limits import FOLLOWED_REDIRECTS
from archive.runtime.database import connect
from archive.runtime.durable import spool_errors, sync_folder
from archive.settings import ArchiveSettings
from archive.stores import ObjectStore, open_store
from archive.warc import record as warc
from archive.warc.capture import digest
from archive.warc.codings import decoded
from archive.warc.http_message import header
from archive.warc.members import members
from archive.writer.batch import Batch, Origin, Recent, Sealed
from archive.writer.recover import recover

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A capture read back, with every digest checked."""

    row: CaptureRow
    head: bytes
    """Response head of this very visit, as stored."""
    body: bytes
    """Payload with its content coding; of a revisit, that of the response it refers to."""
    payload_head: bytes
    """Head that came with `body`; `head` itself unless this is a revisit."""

    def payload(self) -> bytes:
        """`body` without its content coding.

        Raises:
            DamagedError: It grows past all bounds when it is decoded.
        """
        try:
            return decoded(self.body, header(self.payload_head, "content-encoding"))
        except OverflowError as e:
            raise DamagedError(str(e), key=self.row.object, offset=self.row.offset) from e
        except ValueError:  # servers name codings that they did not apply
            return self.body


def _uuids() -> Callable[[], str]:
    """Gives UUIDs that differ in their last 32 bits alone: 90 random bits tell these from all others.

    Records name each other; names that are nearly alike compress to half the size (RFC 9562 §5.8, version 8).
    """
    fixed = (secrets.randbits(128) & ~((0xF << 76) | (0x3 << 62) | 0xFFFFFFFF)) | (8 << 76) | (2 << 62)
    numbers = itertools.count()
    return lambda: str(uuid.UUID(int=fixed | next(numbers)))


def _target(url: str, location: str | None) -> str | None:
    """Where a redirect leads; None where that is no URL."""
    try:
        return urljoin(url, location) if location else None
    except ValueError:
        return None


def warc_maker(key: str) -> str:
    """Who made an object: the first word of its batch's name."""
    return key.rsplit("/", 1)[-1].split("-", 1)[0]


def index_key(key: str) -> str:
    """Key of the CDXJ lines for the captures of a WARC object."""
    return f"index/{key.removeprefix('warc/').removesuffix('.warc.gz')}.cdxj"


class Archive:
    """Captures and texts in one object store, found through one index."""

    def __init__(self, settings: ArchiveSettings, store: ObjectStore, index: Index, lane: str = "") -> None:
        self.settings = settings
        self.spool = settings.spool / lane
        """Folder where this process's batches grow; of processes that run side by side each has its own lane."""
        self.store = store
        self.index = index
        self._recent = Recent()

    @classmethod
    def open(cls, settings: ArchiveSettings, lane: str = "") -> Archive:
        """Open store and database; the database's tables are made or upgraded.

        Args:
            settings: Where they are.
            lane: Folder of the spool for batches of this process; no other may use it meanwhile.

        Raises:
            ArchiveError: One of them cannot be used; says which and what to do.
        """
        store = open_store(settings.store)
        index = Index(connect(settings.database))
        index.prepare()
        return cls(settings, store, index, lane)

    def check_writable(self) -> None:
        """Make sure that store and spool can take what is fetched.

        Raises:
            StoreError: The store cannot be used.
            SpoolError: The spool cannot be written.
        """
        self.store.check()
        self.check_spool()

    def check_store(self) -> None:
        """Make sure that the store is there: it has what the index knows, and takes more.

        Raises:
            StoreError: The store cannot be used, or is another one.
        """
        try:
            known = self.index.any_object()
        except DatabaseError:  # which says nothing about the store
            known = None
        if known is not None:
            self.store.size(known)
        self.store.check()

    def check_spool(self) -> None:
        """Make sure that the spool can take what is fetched.

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
            self.index,
            self._recent,
            now=now,
            new_uuid=new_uuid or _uuids(),
            origin=origin or Origin(),
        )

    def commit(self, sealed: Sealed) -> None:
        """Make a sealed batch part of the archive: objects first, then the rows that point at them.

        May be repeated after any failure. The spool keeps the batch until it is released.

        Raises:
            StoreError: The store failed.
            DatabaseError: The database failed; the objects are durable.
        """
        for row, path in sealed.files:
            self.store.put(row.key, path)
        for key in {row.object for row in sealed.captures}:
            self.store.put(index_key(key), cdxj(row for row in sealed.captures if row.object == key))
        words = [
            held for row, path in sealed.files if row.key.startswith("text/") for held in self._words(row.key, path)
        ]
        self.index.add([row for row, _ in sealed.files], list(sealed.captures), list(sealed.texts), words)
        self._recent.forget(sealed.captures)
        for row, _ in sealed.files:
            log.info("committed object=%s bytes=%d", row.key, row.length)
        log.info("commit captures=%d texts=%d", len(sealed.captures), len(sealed.texts))

    def _words(self, key: str, path: Path) -> list[Entered]:
        """The texts of a spool file."""
        with spool_errors(self.spool), path.open("rb") as data:
            return [entered(held, index_urlkey(held.row.url)) for held in held_texts(members(data), key)]

    def release(self, sealed: Sealed) -> None:
        """Free the spool of a batch that is committed and whose notes are remembered."""
        with spool_errors(self.spool):
            for path in sealed.paths:
                path.unlink(missing_ok=True)

    def set_aside(self, sealed: Sealed) -> Path:
        """Put a batch that cannot be committed where no crawl looks for one; tells the folder."""
        folder = self.spool / "aside"
        with spool_errors(self.spool):
            folder.mkdir(exist_ok=True)
            for path in sealed.paths:
                path.rename(folder / path.name)
            sync_folder(folder)
        return folder

    def left(self, maker: str = CRAWL) -> Iterator[Sealed]:
        """The batches that an earlier run left in the spool; commit and release each before the next is taken.

        Raises:
            SpoolError: The spool cannot be read or written.
        """
        with spool_errors(self.spool):
            yield from recover(self.spool, self.index.capture, maker=maker)

    def find(self, url: str, at: datetime | None = None) -> CaptureRow:
        """The capture of a URL nearest to `at`, or the newest; archived redirects are followed.

        Raises:
            NotArchivedError: None is held.
        """
        row = self.index.nearest(url, at)
        if row is None:
            raise NotArchivedError(url)
        seen = {row.url}
        while len(seen) <= FOLLOWED_REDIRECTS and 300 <= row.status < 400 and row.status != 304:  # noqa: PLR2004
            target = _target(row.url, header(self.read(row).head, "location"))
            following = self.index.nearest(target, row.date) if target else None
            if following is None or following.url in seen:
                break
            row = following
            seen.add(row.url)
        return row

    def read(self, row: CaptureRow) -> Exchange:
        """The exchange of a capture.

        Raises:
            DamagedError: What is stored is not what the index says.
            StoreError: The store failed.
        """
        record = self._records(row.object, row.offset, row.length, most=1)[0]
        if record.id != row.record:
            raise DamagedError(f"holds {record.id}, the index says {row.record}", key=row.object, offset=row.offset)
        head, body = warc.split_payload(record)
        if row.kind != "revisit":
            if digest(body) != row.digest:
                raise DamagedError("payload digest differs", key=row.object, offset=row.offset)
            return Exchange(row=row, head=head, body=body, payload_head=head)
        original = self.index.capture(row.refers_to or "")
        if original is None and warc_maker(row.object) != CRAWL:  # the other tool's archive was not imported whole
            raise NotArchivedError(row.url, what="no payload of that capture")
        if original is None or original.kind == "revisit":
            raise DamagedError(f"refers to {row.refers_to}, which is not held", key=row.object, offset=row.offset)
        payload = self.read(original)
        return Exchange(row=row, head=head, body=payload.body, payload_head=payload.head)

    def payload(self, row: CaptureRow) -> bytes:
        """The payload of a capture without its content coding.

        Raises:
            DamagedError: What is stored is not what the index says, or grows past all bounds when it is decoded.
            StoreError: The store failed.
        """
        return self.read(row).payload()

    def records(self, row: CaptureRow) -> list[warc.Record]:
        """The WARC records of a capture: response or revisit, request, metadata.

        Raises:
            DamagedError: What is stored is not what the index says.
            StoreError: The store failed.
        """
        return self._records(row.object, row.offset, row.length)

    def stored(self, row: CaptureRow) -> bytes:
        """The WARC records of a capture as the gzip members that are stored."""
        return self._bytes(row.object, row.offset, row.length)

    def raw(self, row: CaptureRow) -> bytes:
        """The WARC records of a capture as gzip members; those of the response it refers to come after a revisit's."""
        data = self.stored(row)
        original = self.index.capture(row.refers_to) if row.refers_to else None
        return data + self.raw(original) if original and original.kind != "revisit" else data

    def text(self, url: str, at: datetime | None = None) -> HeldText:
        """The text of a URL whose capture is nearest to `at`, or the newest.

        Raises:
            NotArchivedError: None is held.
            DamagedError: What is stored is not what the index says.
            StoreError: The store failed.
        """
        row = self._text_row(url, at)
        if row is None:
            raise NotArchivedError(url, what="no text")
        return self.read_text(row)

    def read_text(self, row: TextRow) -> HeldText:
        """A text as it is stored.

        Raises:
            DamagedError: What is stored is not what the index says.
            StoreError: The store failed.
        """
        conversion, rest = self._records(row.object, row.offset, row.length)
        if conversion.id != row.record or digest(conversion.block) != row.digest:
            raise DamagedError("text differs from its digest", key=row.object, offset=row.offset)
        return HeldText(row=row, text=conversion.block.decode(), fields=json.loads(rest.block))

    def entry(self, row: CaptureRow) -> Entry | None:
        """What was said elsewhere of a capture's post: as its newest whole text tells, or else another of its URL.

        Raises:
            StoreError: The store failed.
            DatabaseError: The database failed.
        """
        own = self.index.texts_of(row.record)
        nearest = None if own else self.index.nearest_text(row.url, row.date)
        for text in own or ([nearest] if nearest else []):
            try:
                return self.read_text(text).entry
            except (DamagedError, ObjectMissingError) as e:
                log.warning("text cannot be read url=%s error=%s", row.url, e)
        return None

    def _text_row(self, url: str, at: datetime | None) -> TextRow | None:
        """Of the nearest capture, or of what it repeats; else the nearest text of another capture."""
        try:
            capture = self.find(url, at)
        except NotArchivedError:
            capture = None
        if capture is not None:
            row = self.index.text_of(capture.record)
            if row is None and capture.refers_to:
                row = self.index.text_of(capture.refers_to)
            if row is not None:
                return row
        nearest = self.index.nearest_text(url, at)
        return self.index.nearest_text(capture.url, at) if nearest is None and capture is not None else nearest

    def _records(self, key: str, offset: int, length: int, *, most: int | None = None) -> list[warc.Record]:
        with self._damage(key, offset):
            records = list(itertools.islice(warc.read(io.BytesIO(self._bytes(key, offset, length))), most))
            for record in records:
                if record.get("WARC-Block-Digest") != digest(record.block):
                    raise ValueError(f"{record.id}: block digest differs")
            if not records:
                raise ValueError("no record")
        return records

    def _bytes(self, key: str, offset: int, length: int) -> bytes:
        data = self.store.read(key, offset, length)
        if len(data) != length:
            raise DamagedError(f"{len(data)} bytes are left, {length} are needed", key=key, offset=offset)
        return data

    @contextmanager
    def _damage(self, key: str, offset: int) -> Iterator[None]:
        try:
            yield
        except ValueError as e:
            raise DamagedError(str(e), key=key, offset=offset) from e

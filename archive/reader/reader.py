"""The reading half of the archive: finds captures and texts, reads them and verifies every digest.

A `Reader` never writes: it sees its store as a `ReadableStore`, which has no `put`, and its index is read-only.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import logging
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from archive.errors import DamagedError, DatabaseError, NotArchivedError, ObjectMissingError, TooLargeError
from archive.extract.text import Entry
from archive.index import faults
from archive.index.from_records import HeldText
from archive.index.index import Index
from archive.index.schema import CRAWL, CaptureRow, TextRow
from archive.index.versions import RESTLESS_VISITS, Version, versions
from archive.limits import DECODED_BYTES, FOLLOWED_REDIRECTS
from archive.reader.vanished import Ledger, NoLedger, Vanished
from archive.runtime.work import Work, here
from archive.stores.protocol import ReadableStore
from archive.warc import record as warc
from archive.warc.capture import digest, written_sha1
from archive.warc.codings import GZIP, content
from archive.warc.http_message import header
from archive.warc.page_identity import page_key, post_key
from archive.warc.pasted_url import Reading
from archive.warc.record_stream import RecordStream

log = logging.getLogger(__name__)

_NEIGHBOURS = 5
"""Objects that are asked for before one that is not there counts as lost: a store without any is another store."""
SMALL_BYTES = 1 << 20
"""Payloads up to this size are held in memory."""
STORED_PIECE = 1 << 20
"""Bytes of a record that are read from the store at once."""
R = TypeVar("R", CaptureRow, TextRow)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The heads of a capture."""

    row: CaptureRow
    head: bytes
    """Response head of this visit itself, as stored."""
    payload_head: bytes
    """The head that belongs to the payload; the same as `head` unless this is a revisit."""

    @property
    def shown_head(self) -> bytes:
        """The head that describes what this visit shows: of a 304 or a revisit without a head, that of its payload."""
        unmodified = self.row.kind == "revisit" and self.row.status == HTTPStatus.NOT_MODIFIED
        return self.payload_head if unmodified else self.head or self.payload_head

    @property
    def coding(self) -> str | None:
        """Content coding of the payload, as its server stated it."""
        return header(self.payload_head, "content-encoding")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange(Visit):
    """A capture as read from the store, with every digest verified."""

    body: bytes
    """Payload with its content coding; for a revisit, that of the response it refers to."""

    def payload(self, work: Work = here) -> bytes:
        """`body` without its content coding, removed by `work`.

        Raises:
            DamagedError: The decoded payload is larger than the limit.
            TaskError: Decoding failed in another way.
        """
        if not self.coding and not self.body.startswith(GZIP):
            return self.body
        stated = header(self.payload_head, "content-type")
        found = work(plain_payload, body=self.body, coding=self.coding, content_type=stated)
        if found is None:
            raise DamagedError(f"grows past {DECODED_BYTES} bytes", key=self.row.object, offset=self.row.offset)
        return found


def plain_payload(body: bytes, coding: str | None, content_type: str | None) -> bytes | None:
    """A payload without its content coding, as `content` gives it; None if it is too large. No I/O."""
    try:
        return content(body, coding, content_type)
    except OverflowError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPayload(Visit):
    """A capture whose payload is still in the store, where every digest was verified."""

    body: StoredBody


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """A payload in the store, with its content coding."""

    size: int
    """Bytes."""
    small: bytes | None
    """All of it, if it is small."""
    again: Callable[[], Generator[bytes]]
    """Reads it once more, in pieces."""

    def pieces(self, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Bytes from `first` up to `end`, in pieces of bounded size.

        Raises:
            DamagedError: They are no longer what was verified. The last piece comes after this was checked, if all
                is read.
            StoreError: The store failed.
        """
        if self.small is not None:
            yield self.small[first:end]
            return
        at, end = 0, self.size if end is None else end
        with closing(self.again()) as pieces:
            for piece in pieces:
                part = piece[max(0, first - at) : end - at]
                at += len(piece)
                if part:
                    yield part
                if end <= at < self.size:
                    return

    def beginning(self, count: int) -> bytes:
        """The first bytes in memory."""
        return b"".join(self.pieces(0, min(count, self.size)))

    def whole(self) -> bytes:
        """All of it in memory."""
        return b"".join(self.pieces())


class Reader:
    """Reads captures and texts from one object store, found through one index."""

    def __init__(
        self,
        store: ReadableStore,
        index: Index,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        work: Work = here,
        ledger: Ledger | None = None,
        restless_visits: int = RESTLESS_VISITS,
    ) -> None:
        """Nothing is read yet.

        Args:
            store: The objects.
            index: Says where captures and texts are in them.
            now: The clock, for marks of what cannot be read.
            work: Where archived bytes are decoded, parsed, compared.
            ledger: What is known of posts that vanished; None: nothing is.
            restless_visits: As for `archive.index.versions.versions`.
        """
        self.store = store
        self.index = index
        self.work = work
        self.ledger: Ledger = ledger or NoLedger()
        self._now = now
        self._restless_visits = restless_visits

    def working(self, work: Work, ledger: Ledger | None = None) -> Reader:
        """A reader of the same archive whose work on archived bytes is done elsewhere; `ledger` replaces its own."""
        return Reader(
            self.store,
            self.index,
            now=self._now,
            work=work,
            ledger=ledger or self.ledger,
            restless_visits=self._restless_visits,
        )

    def vanished(self, url: str) -> Vanished | None:
        """The last time that the post at a URL was not online, under any address of its page; None if none is known."""
        return self.vanished_of([url]).get(url)

    def vanished_of(self, urls: Collection[str]) -> dict[str, Vanished]:
        """`vanished` of many posts in bulk; those of which nothing is known are left out."""
        return self._told(urls, self.ledger.of)

    def missing_of(self, urls: Collection[str], at: datetime) -> dict[str, Vanished]:
        """Those of some posts that were not online at an instant, each with the time during which it was not."""
        return self._told(urls, lambda keys: self.ledger.missing(keys, at))

    def _told(
        self, urls: Collection[str], ask: Callable[[Collection[str]], Mapping[str, Vanished]]
    ) -> dict[str, Vanished]:
        """What the ledger knows of posts under all addresses of their pages, the last of it."""
        keys = {url: tuple(dict.fromkeys((post_key(url), page_key(url)))) for url in urls}
        joined = self.index.addresses({key for some in keys.values() for key in some})
        every = {url: [one for key in some for one in joined.get(key, (key,))] for url, some in keys.items()}
        known = ask({key for some in every.values() for key in some})
        found = {url: [known[key] for key in some if key in known] for url, some in every.items()}
        return {url: max(some, key=lambda one: one.since) for url, some in found.items() if some}

    def robots_txt(self, text: TextRow) -> CaptureRow | None:
        """The robots.txt that was in force when a text's page was captured: its last capture by then."""
        parts = urlsplit(text.url)
        return self.index.last_before(f"{parts.scheme}://{parts.netloc}/robots.txt", text.date)

    def check_store(self) -> None:
        """Make sure that the store is the one that the index describes.

        Raises:
            StoreError: The store cannot be used, or lacks an object that the index knows.
        """
        try:
            known = self.index.some_objects(1)
        except DatabaseError:  # it does not mean that the store is wrong
            return
        if known and not self.is_ours():
            self.store.size(known[0])

    def captures(self, url: str) -> list[CaptureRow]:
        """Every capture of a page under all its addresses, oldest first."""
        return self.index.captures(url)

    def captures_and_texts(self, url: str) -> tuple[list[CaptureRow], dict[str, list[TextRow]]]:
        """Every capture that shows a post, oldest first, and the post's texts by the WARC-Record-ID of their capture.

        Captures of the post's page, and of the feeds whose entries are the post's texts.
        """
        made = self.index.texts(url)
        rows = self.index.captures(url) if made else []
        known = {row.record for row in rows}
        others = self.index.captures_of(record for record in made if record not in known)
        return sorted([*rows, *others], key=lambda row: (row.date, row.record)) if others else rows, made

    def history(self, url: str) -> tuple[list[CaptureRow], list[Version]]:
        """Every capture that shows a post and the post's versions, oldest first; no versions if it has no text."""
        rows, made = self.captures_and_texts(url)
        return rows, versions(rows, made, restless_visits=self._restless_visits)

    def meant(self, found: Sequence[Reading]) -> Reading:
        """Of what somebody may have meant by an address, the first that is archived; the last one if none is."""
        archived = (one for one in found if self.index.nearest(one.url, None) or self.index.nearest_text(one.url, None))
        return found[0] if len(found) == 1 else next(archived, found[-1])

    def find(self, url: str, at: datetime | None = None) -> CaptureRow:
        """The capture of a URL nearest to `at`, or the newest; archived redirects are followed.

        Raises:
            NotArchivedError: The URL has no capture.
        """
        return self.followed(url, at)[-1]

    def followed(self, url: str, at: datetime | None = None) -> list[CaptureRow]:
        """The capture of a URL nearest to `at`, or the newest, and the captures that its redirects lead to.

        Raises:
            NotArchivedError: The URL has no capture.
        """
        row = self.index.nearest(url, at)
        if row is None:
            raise NotArchivedError(url)
        rows = [row]
        while len(rows) <= FOLLOWED_REDIRECTS and _is_redirect(row.status):
            target = self.target(row)
            following = self.index.nearest(target, row.date) if target else None
            if following is None or following.url in {one.url for one in rows}:
                break
            row = following
            rows.append(row)
        return rows

    def target(self, row: CaptureRow) -> str | None:
        """Where a redirect, or a 304 that confirms one, leads; None if it is not one or states no valid URL."""
        if row.status == HTTPStatus.NOT_MODIFIED:
            original = self.index.capture(row.refers_to) if row.refers_to else None
            if original is None or not _is_redirect(original.status) or original.status == HTTPStatus.NOT_MODIFIED:
                return None
        location = header(self.read(row).shown_head, "location")
        try:
            return urljoin(row.url, location) if location else None
        except ValueError:
            return None

    def confirmed(self, row: CaptureRow) -> list[CaptureRow]:
        """What a revisit needs in order to be replayed: the response that it refers to, last.

        A 304 has no headers of a page: the newest capture of the same URL with the same response comes before that
        response, if it is another one.
        """
        original = self._whole_original(row)
        if original is None:
            return []
        if row.status != HTTPStatus.NOT_MODIFIED or original.url == row.url:
            return [original]
        earlier = (
            one
            for one in reversed(self.captures(row.url))
            if one.url == row.url and one.refers_to == original.record and one.status != HTTPStatus.NOT_MODIFIED
            if one.fault is None
        )
        same = next((one for one in earlier if one.date <= row.date), None)
        return [same, original] if same else [original]

    def read(self, row: CaptureRow) -> Exchange:
        """The exchange of a capture.

        If the response with the payload is lost, any other complete one with the same payload digest stands in for it.

        Raises:
            DamagedError: The stored data do not match the index.
            StoreError: The store failed.
        """
        own, response = self._answering(row)
        first, payload_head, body = self._whole_one(response, self._checked)
        return Exchange(row=row, head=first if own is None else own, body=body, payload_head=payload_head)

    def open_payload(self, row: CaptureRow, *, most: int | None = None) -> OpenPayload:
        """As `read`, but a large payload stays in the store; it is read once to verify it, and again to send it.

        Args:
            row: The capture.
            most: Raise OverflowError if record or payload have more bytes; None: there is no such limit.

        Raises:
            DamagedError: The stored data do not match the index.
            TooLargeError: The response head is too long.
            OverflowError: It is larger than `most`.
            StoreError: The store failed.
        """
        own, response = self._answering(row)
        first, payload_head, body = self._whole_one(response, lambda row: self._verified(row, most))
        return OpenPayload(row=row, head=first if own is None else own, body=body, payload_head=payload_head)

    def _answering(self, row: CaptureRow) -> tuple[bytes | None, CaptureRow]:
        """The head of a revisit and the response that it refers to; None and the capture itself if it is none."""
        if row.kind != "revisit":
            return None, row
        head, _ = self._first(row)
        original = self.index.capture(row.refers_to or "")
        if original is None and (whole := self.index.original(row.digest)) is not None:
            original = whole
        if original is None and _maker(row.object) != CRAWL:  # the other tool's archive was not imported completely
            raise NotArchivedError(row.url, what="no payload of that capture")
        if original is None or original.kind == "revisit":
            raise DamagedError(
                f"refers to {row.refers_to}, which is not in the archive", key=row.object, offset=row.offset
            )
        return head, original

    def _whole_one(self, row: CaptureRow, read: Callable[[CaptureRow], tuple[bytes, T]]) -> tuple[bytes, bytes, T]:
        """The head of a response, that of its payload, and its payload; if it is lost, another response's same one."""
        try:
            head, body = read(row)
        except (DamagedError, ObjectMissingError) as e:
            others = self.index.originals(row.digest) if not row.truncated else []
            for other in others:
                if other.record == row.record:
                    continue
                try:
                    head, body = read(other)
                except (DamagedError, ObjectMissingError) as again:
                    log.warning("cannot be read either url=%s error=%s", other.url, again)
                    continue
                log.warning("read from another response url=%s error=%s", row.url, e)
                return b"", head, body
            raise
        return head, head, body

    def _checked(self, row: CaptureRow) -> tuple[bytes, bytes]:
        """Head and payload of a response, with its digest verified."""
        head, body = self._first(row)
        if digest(body) != row.digest:
            raise DamagedError("payload digest differs", key=row.object, offset=row.offset)
        return head, body

    def _verified(self, row: CaptureRow, most: int | None = None) -> tuple[bytes, StoredBody]:
        """As `_checked`, in pieces."""
        sha1, head, body = self._in_place(
            row, lambda row: self._asked_twice(row.object, row.offset, lambda: self._read_through(row, most))
        )
        if sha1 != row.digest:
            raise DamagedError("payload digest differs", key=row.object, offset=row.offset)
        return head, body

    def _read_through(self, row: CaptureRow, most: int | None) -> tuple[str, bytes, StoredBody]:
        """Digest of the payload, head, payload."""
        if most is not None and row.length > most:
            raise OverflowError(f"more than {most} bytes")
        stream = self._stream(row)
        sha1, size, small = hashlib.sha1(usedforsecurity=False), 0, bytearray()
        with _damage(row.object, row.offset):
            for piece in stream.payload():
                sha1.update(piece)
                size += len(piece)
                if most is not None and size > most:
                    raise OverflowError(f"more than {most} bytes")
                if size <= SMALL_BYTES:
                    small += piece
        whole = bytes(small) if size <= SMALL_BYTES else None
        return (
            written_sha1(sha1.digest()),
            stream.head,
            StoredBody(size=size, small=whole, again=lambda: self._again(row)),
        )

    def _again(self, row: CaptureRow) -> Generator[bytes]:
        """The payload of a response that was verified; if it is damaged meanwhile, that is recorded."""
        try:
            with _damage(row.object, row.offset):
                yield from self._stream(row).payload()
        except (DamagedError, ObjectMissingError):
            self._verified(row)
            raise

    def _stream(self, row: CaptureRow) -> RecordStream:
        """The first record of a capture, read as far as its payload."""
        with _damage(row.object, row.offset):
            try:
                stream = RecordStream(self._stored_pieces(row.object, row.offset, row.length))
            except OverflowError as e:
                raise TooLargeError(row.url, f"this view: {e}") from e
        if stream.record.id != row.record:
            raise DamagedError(
                f"contains {stream.record.id}, but the index says {row.record}", key=row.object, offset=row.offset
            )
        return stream

    def _stored_pieces(self, key: str, offset: int, length: int) -> Iterator[bytes]:
        for at in range(offset, offset + length, STORED_PIECE):
            yield self._stored(key, at, min(STORED_PIECE, offset + length - at))

    def _first(self, row: CaptureRow) -> tuple[bytes, bytes]:
        """Head and payload in the first record of a capture."""
        record = self._in_place(row, lambda row: self._records(row.object, row.offset, row.length, most=1))[0]
        if record.id != row.record:
            raise DamagedError(
                f"contains {record.id}, but the index says {row.record}", key=row.object, offset=row.offset
            )
        return warc.split_payload(record)

    def _whole_original(self, row: CaptureRow) -> CaptureRow | None:
        """The response that a revisit refers to or, if that is lost, another one with the same payload."""
        if not row.refers_to:
            return None
        original = self.index.capture(row.refers_to)
        if original is not None and original.fault is None:
            return original
        return self.index.original(row.digest) or original

    def payload(self, row: CaptureRow) -> bytes:
        """The payload of a capture without its content coding.

        Raises:
            DamagedError: The stored data do not match the index, or exceed the limit once decoded.
            StoreError: The store failed.
        """
        return self.read(row).payload(self.work)

    def head(self, row: CaptureRow) -> bytes:
        """The response head of a visit itself, without its payload.

        Raises:
            DamagedError: The stored data do not match the index.
            StoreError: The store failed.
        """
        return self._first(row)[0]

    def records(self, row: CaptureRow) -> list[warc.Record]:
        """The WARC records of a capture: response or revisit, request, metadata.

        Raises:
            DamagedError: The stored data do not match the index.
            StoreError: The store failed.
        """
        return self._in_place(row, lambda row: self._records(row.object, row.offset, row.length))

    def described(self, row: CaptureRow, describe: Callable[[list[warc.Record]], T]) -> T:
        """What a function makes of the WARC records of a capture, which are read by `work`.

        Raises:
            DamagedError: The stored data do not match the index.
            StoreError: The store failed.
            TaskError: They passed a limit.
        """

        def found(row: CaptureRow) -> T:
            key, offset = row.object, row.offset

            def asked() -> T:
                stored = self._stored(key, offset, row.length)
                made: T | _Damage = self.work(_described, stored=stored, describe=describe)
                if isinstance(made, _Damage):
                    raise DamagedError(made.message, key=key, offset=offset)
                return made

            return self._asked_twice(key, offset, asked)

        return self._in_place(row, found)

    def stored_members(self, row: R) -> bytes:
        """The WARC records of a capture or text as the stored gzip members."""
        return self._in_place(row, lambda row: self._bytes(row.object, row.offset, row.length))

    def replayable_members(self, row: CaptureRow) -> bytes:
        """The gzip members of a capture; for a revisit, followed by those of what it confirms."""
        return b"".join(map(self.stored_members, (row, *self.confirmed(row))))

    def text(self, url: str, at: datetime | None = None) -> HeldText:
        """The text of a URL whose capture is nearest to `at`, or the newest.

        Raises:
            NotArchivedError: The URL has no text.
            DamagedError: The stored data do not match the index.
            StoreError: The store failed.
        """
        row = self._text_row(url, at)
        if row is None:
            raise NotArchivedError(url, what="no text")
        return self.read_text(row)

    def read_text(self, row: TextRow) -> HeldText:
        """A text as stored.

        Raises:
            DamagedError: The stored data do not match the index.
            StoreError: The store failed.
        """
        conversion, rest = self._in_place(row, lambda row: self._records(row.object, row.offset, row.length))
        if conversion.id != row.record or digest(conversion.block) != row.digest:
            raise DamagedError("text differs from its digest", key=row.object, offset=row.offset)
        return HeldText(row=row, text=conversion.block.decode(), fields=json.loads(rest.block))

    def entry(self, row: CaptureRow) -> Entry | None:
        """The feed entry of a capture's post, from its newest readable text, otherwise from another text of its URL.

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
        """The text of the nearest capture, or of the response it refers to; else the nearest text of another one."""
        own = self.index.own_text(url, at)
        if own is not None:
            return own
        try:
            capture = self.find(url, at)
        except NotArchivedError:
            return self.index.nearest_text(url, at)
        return (
            self.index.text_for(capture)
            or self.index.nearest_text(url, at)
            or (self.index.nearest_text(capture.url, at) if capture.url != url else None)
        )

    def _in_place(self, row: R, read: Callable[[R], T]) -> T:
        """What is read for a row; if its object has been joined with others since, from its present place."""
        try:
            return read(row)
        except ObjectMissingError:
            present = self.index.present(row)
            if present is None or present.object == row.object:
                raise
            return read(present)

    def _records(self, key: str, offset: int, length: int, *, most: int | None = None) -> list[warc.Record]:
        return self._asked_twice(key, offset, lambda: _whole(self._stored(key, offset, length), key, offset, most))

    def _bytes(self, key: str, offset: int, length: int) -> bytes:
        return self._asked_twice(key, offset, lambda: self._stored(key, offset, length))

    def _stored(self, key: str, offset: int, length: int) -> bytes:
        data = self.store.read(key, offset, length)
        if len(data) != length:
            raise DamagedError(f"{len(data)} bytes are left, {length} are needed", key=key, offset=offset)
        return data

    def _asked_twice(self, key: str, offset: int, read: Callable[[], T]) -> T:
        """What the store gives; only what it lacks when it is asked again is lost, and marked."""
        try:
            return read()
        except (DamagedError, ObjectMissingError) as e:
            log.info("asked again object=%s offset=%d error=%s", key, offset, e)
        try:
            return read()
        except DamagedError as e:
            faults.noticed(self.index.engine, key, offset, str(e), at=self._now())
            raise
        except ObjectMissingError:
            if self.is_ours(without=key):
                faults.noticed(self.index.engine, key, None, faults.MISSING, at=self._now())
            raise

    def is_ours(self, *, without: str = "") -> bool:
        """Whether the store has one of the objects that were added last, apart from `without`.

        Raises:
            StoreError: The store failed.
        """
        for key in self.index.some_objects(_NEIGHBOURS):
            if key == without:
                continue
            try:
                self.store.size(key)
            except ObjectMissingError:
                continue
            return True
        return False


@dataclass(frozen=True, slots=True)
class _Damage:
    """What is wrong with stored bytes, from a worker process."""

    message: str


def _described(*, stored: bytes, describe: Callable[[list[warc.Record]], T]) -> T | _Damage:
    try:
        return describe(_verified_records(stored, None))
    except ValueError as e:
        return _Damage(str(e))


def _whole(data: bytes, key: str, offset: int, most: int | None) -> list[warc.Record]:
    """The records in some bytes, with their digests verified."""
    with _damage(key, offset):
        return _verified_records(data, most)


def _verified_records(data: bytes, most: int | None) -> list[warc.Record]:
    records = list(itertools.islice(warc.read(io.BytesIO(data)), most))
    for record in records:
        if record.get("WARC-Block-Digest") != digest(record.block):
            raise ValueError(f"{record.id}: block digest differs")
    if not records:
        raise ValueError("no record")
    return records


def _is_redirect(status: int) -> bool:
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


def _maker(key: str) -> str:
    """Who made an object: the first word of its batch's name."""
    return key.rsplit("/", 1)[-1].split("-", 1)[0]


@contextmanager
def _damage(key: str, offset: int) -> Iterator[None]:
    try:
        yield
    except ValueError as e:
        raise DamagedError(str(e), key=key, offset=offset) from e

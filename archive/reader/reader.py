"""The reading half of the archive: finds captures and texts, reads them and verifies every digest.

A `Reader` never writes: it sees its store as a `ReadableStore`, which has no `put`, and its index is read-only.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urljoin

from archive.errors import DamagedError, DatabaseError, NotArchivedError, ObjectMissingError
from archive.extract.text import Entry
from archive.index import faults
from archive.index.from_records import HeldText
from archive.index.index import Index
from archive.index.schema import CRAWL, CaptureRow, TextRow
from archive.limits import FOLLOWED_REDIRECTS
from archive.stores.protocol import ReadableStore
from archive.warc import record as warc
from archive.warc.capture import digest
from archive.warc.codings import decoded
from archive.warc.http_message import header
from archive.warc.pasted_url import Reading

log = logging.getLogger(__name__)

_NEIGHBOURS = 5
"""Objects that are asked for before one that is not there counts as lost: a store without any is another store."""
R = TypeVar("R", CaptureRow, TextRow)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A capture as read from the store, with every digest verified."""

    row: CaptureRow
    head: bytes
    """Response head of this visit itself, as stored."""
    body: bytes
    """Payload with its content coding; for a revisit, that of the response it refers to."""
    payload_head: bytes
    """The head that belongs to `body`; the same as `head` unless this is a revisit."""

    @property
    def shown_head(self) -> bytes:
        """The head that describes what this visit shows: of a 304 or a revisit without a head, that of `body`."""
        unmodified = self.row.kind == "revisit" and self.row.status == HTTPStatus.NOT_MODIFIED
        return self.payload_head if unmodified else self.head or self.payload_head

    def payload(self) -> bytes:
        """`body` without its content coding.

        Raises:
            DamagedError: The decoded payload is larger than the limit.
        """
        try:
            return decoded(self.body, header(self.payload_head, "content-encoding"))
        except OverflowError as e:
            raise DamagedError(str(e), key=self.row.object, offset=self.row.offset) from e
        except ValueError:  # servers name codings that they did not apply
            return self.body


class Reader:
    """Reads captures and texts from one object store, found through one index."""

    def __init__(
        self, store: ReadableStore, index: Index, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Nothing is read yet.

        Args:
            store: The objects.
            index: Says where captures and texts are in them.
            now: The clock, for marks of what cannot be read.
        """
        self.store = store
        self.index = index
        self._now = now

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
        if row.kind != "revisit":
            return self._read_response(row)
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
        payload = self._read_response(original)
        return Exchange(row=row, head=head, body=payload.body, payload_head=payload.payload_head)

    def _read_response(self, row: CaptureRow) -> Exchange:
        """The exchange of a response; if it is lost, its payload from another response that had the same."""
        try:
            head, body = self._first(row)
        except (DamagedError, ObjectMissingError) as e:
            others = self.index.originals(row.digest) if not row.truncated else []
            for other in others:
                if other.record == row.record:
                    continue
                try:
                    head, body = self._first(other)
                except (DamagedError, ObjectMissingError) as again:
                    log.warning("cannot be read either url=%s error=%s", other.url, again)
                    continue
                if digest(body) == row.digest:
                    log.warning("read from another response url=%s error=%s", row.url, e)
                    return Exchange(row=row, head=b"", body=body, payload_head=head)
            raise
        if digest(body) != row.digest:
            raise DamagedError("payload digest differs", key=row.object, offset=row.offset)
        return Exchange(row=row, head=head, body=body, payload_head=head)

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
        return self.read(row).payload()

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

    def stored_members(self, row: CaptureRow) -> bytes:
        """The WARC records of a capture as the stored gzip members."""
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


def _whole(data: bytes, key: str, offset: int, most: int | None) -> list[warc.Record]:
    """The records in some bytes, with their digests verified."""
    with _damage(key, offset):
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

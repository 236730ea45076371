"""The reading half of the archive: finds captures and texts, reads them and verifies every digest.

A `Reader` never writes: it sees its store as a `ReadableStore`, which has no `put`, and its index is read-only.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from archive.errors import DamagedError, DatabaseError, NotArchivedError, ObjectMissingError
from archive.extract.text import Entry
from archive.index.from_records import HeldText
from archive.index.index import Index
from archive.index.schema import CRAWL, CaptureRow, TextRow
from archive.limits import FOLLOWED_REDIRECTS
from archive.stores.protocol import ReadableStore
from archive.warc import record as warc
from archive.warc.capture import digest
from archive.warc.codings import decoded
from archive.warc.http_message import header

log = logging.getLogger(__name__)


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

    def __init__(self, store: ReadableStore, index: Index) -> None:
        self.store = store
        self.index = index

    def check_store(self) -> None:
        """Make sure that the store is the one that the index describes.

        Raises:
            StoreError: The store cannot be used, or lacks an object that the index knows.
        """
        try:
            known = self.index.any_object()
        except DatabaseError:  # it does not mean that the store is wrong
            return
        if known is not None:
            self.store.size(known)

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

    def find(self, url: str, at: datetime | None = None) -> CaptureRow:
        """The capture of a URL nearest to `at`, or the newest; archived redirects are followed.

        Raises:
            NotArchivedError: The URL has no capture.
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
            DamagedError: The stored data do not match the index.
            StoreError: The store failed.
        """
        record = self._records(row.object, row.offset, row.length, most=1)[0]
        if record.id != row.record:
            raise DamagedError(
                f"contains {record.id}, but the index says {row.record}", key=row.object, offset=row.offset
            )
        head, body = warc.split_payload(record)
        if row.kind != "revisit":
            if digest(body) != row.digest:
                raise DamagedError("payload digest differs", key=row.object, offset=row.offset)
            return Exchange(row=row, head=head, body=body, payload_head=head)
        original = self.index.capture(row.refers_to or "")
        if original is None and _maker(row.object) != CRAWL:  # the other tool's archive was not imported completely
            raise NotArchivedError(row.url, what="no payload of that capture")
        if original is None or original.kind == "revisit":
            raise DamagedError(
                f"refers to {row.refers_to}, which is not in the archive", key=row.object, offset=row.offset
            )
        payload = self.read(original)
        return Exchange(row=row, head=head, body=payload.body, payload_head=payload.head)

    def payload(self, row: CaptureRow) -> bytes:
        """The payload of a capture without its content coding.

        Raises:
            DamagedError: The stored data do not match the index, or exceed the limit once decoded.
            StoreError: The store failed.
        """
        return self.read(row).payload()

    def records(self, row: CaptureRow) -> list[warc.Record]:
        """The WARC records of a capture: response or revisit, request, metadata.

        Raises:
            DamagedError: The stored data do not match the index.
            StoreError: The store failed.
        """
        return self._records(row.object, row.offset, row.length)

    def stored_members(self, row: CaptureRow) -> bytes:
        """The WARC records of a capture as the stored gzip members."""
        return self._bytes(row.object, row.offset, row.length)

    def replayable_members(self, row: CaptureRow) -> bytes:
        """The gzip members of a capture; for a revisit, followed by those of the response it refers to."""
        data = self.stored_members(row)
        original = self.index.capture(row.refers_to) if row.refers_to else None
        return data + self.replayable_members(original) if original and original.kind != "revisit" else data

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
        conversion, rest = self._records(row.object, row.offset, row.length)
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
        try:
            capture = self.find(url, at)
        except NotArchivedError:
            return self.index.nearest_text(url, at)
        return (
            self.index.text_for(capture)
            or self.index.nearest_text(url, at)
            or (self.index.nearest_text(capture.url, at) if capture.url != url else None)
        )

    def _records(self, key: str, offset: int, length: int, *, most: int | None = None) -> list[warc.Record]:
        with _damage(key, offset):
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


def _target(url: str, location: str | None) -> str | None:
    """Where a redirect leads; None if that is not a valid URL."""
    try:
        return urljoin(url, location) if location else None
    except ValueError:
        return None


def _maker(key: str) -> str:
    """Who made an object: the first word of its batch's name."""
    return key.rsplit("/", 1)[-1].split("-", 1)[0]


@contextmanager
def _damage(key: str, offset: int) -> Iterator[None]:
    try:
        yield
    except ValueError as e:
        raise DamagedError(str(e), key=key, offset=offset) from e

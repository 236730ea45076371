"""Texts made anew from captures, with today's extractor; they lie beside the old ones, and count from then on."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archive.archive import Archive, HeldText
from archive.batch import Batch, Origin
from archive.capture import header
from archive.errors import ArchiveError, NotArchivedError, TaskError
from archive.extract import extract, extractor
from archive.index import AGAIN, CaptureRow
from archive.pool import WorkerPool
from archive.site import Profile
from archive.sites import Sites
from archive.text import Entry, Text

log = logging.getLogger(__name__)

_AT_ONCE = 500
"""Captures that the index is asked for at once."""
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Remade:
    """What became of one capture."""

    url: str
    made: bool = False
    """It has a new text; else the one that it has is today's, or no text could be had."""
    error: str | None = None
    """Why there is no new text; the old one stays."""


def arguments(archive: Archive, row: CaptureRow, entry: Entry | None, site: Profile | None) -> dict[str, Any]:
    """What `extract` is called with for a capture.

    Raises:
        ArchiveError: The capture cannot be read.
    """
    head = archive.read(row).payload_head
    return {
        "payload": archive.payload(row),
        "url": row.url,
        "content_type": header(head, "content-type"),
        "date": row.date,
        "entry": entry,
        "site": site,
    }


def captures(archive: Archive, urls: Sequence[str]) -> Iterator[CaptureRow]:
    """The captures of some URLs that can have a text, or all that have one.

    Raises:
        NotArchivedError: One of the URLs is not held.
        DatabaseError: The database failed.
    """
    for url in urls:
        rows = archive.index.history(url)
        if not rows:
            raise NotArchivedError(url)
        yield from (row for row in rows if row.status == _OK and row.kind == "response" and "html" in row.mime)
    after = ""
    while not urls and (found := archive.index.with_text(after, _AT_ONCE)):
        for record in found:
            row = archive.index.capture(record)
            if row is not None:
                yield row
        after = found[-1]


class Again:
    """Makes texts anew; everything is committed once `run` has ended."""

    def __init__(self, archive: Archive, pool: WorkerPool, *, now: Callable[[], datetime], workers: int) -> None:
        """Nothing is written yet."""
        self._archive = archive
        self._pool = pool
        self._now = now
        self._workers = workers
        self._sites = Sites(archive)
        self._batch: Batch | None = None

    def run(self, rows: Iterable[CaptureRow]) -> Iterator[Remade]:
        """One result for each capture, in their order.

        Raises:
            ArchiveError: Spool, store or database failed.
        """
        under_way: deque[tuple[CaptureRow, Future[Text] | Remade]] = deque()
        for row in rows:
            under_way.append((row, self._begun(row)))
            if len(under_way) > 2 * self._workers:
                yield self._ended(*under_way.popleft())
        while under_way:
            yield self._ended(*under_way.popleft())
        self._commit()

    def finish(self) -> None:
        """Commit what a run that was killed had made.

        Raises:
            ArchiveError: Spool, store or database failed.
        """
        for sealed in self._archive.left(AGAIN):
            self._archive.commit(sealed)
            self._archive.release(sealed)

    def _begun(self, row: CaptureRow) -> Future[Text] | Remade:
        try:
            held, site = self._held(row), self._sites.of(row.url)
            if held is not None and held.fields.get("extractor") == extractor(site):
                return Remade(url=row.url)
            given = arguments(self._archive, row, held.entry if held else None, site)
        except ArchiveError as e:
            if e.temporary:
                raise
            return Remade(url=row.url, error=str(e))
        return self._pool.submit(extract, **given)

    def _held(self, row: CaptureRow) -> HeldText | None:
        text = self._archive.index.text_of(row.record)
        return self._archive.read_text(text) if text else None

    def _ended(self, row: CaptureRow, found: Future[Text] | Remade) -> Remade:
        if isinstance(found, Remade):
            return found
        try:
            text = found.result()
        except TaskError as e:
            return Remade(url=row.url, error=str(e))
        batch = self._growing()
        batch.add_text(row, text)
        if batch.bytes >= self._archive.settings.batch_megabytes * 1_000_000:
            self._commit()
        return Remade(url=row.url, made=True)

    def _growing(self) -> Batch:
        if self._batch is None:
            self._batch = self._archive.batch(
                now=self._now(), maker=AGAIN, origin=Origin(description="Texts made anew from captures.")
            )
        return self._batch

    def _commit(self) -> None:
        if self._batch is None:
            return
        sealed = self._batch.seal()
        self._archive.commit(sealed)
        self._archive.release(sealed)
        self._batch = None

"""Re-extraction: new texts from stored captures by the current extractor, stored beside the old texts."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from archive.archive import Archive
from archive.errors import DamagedError, NotArchivedError, ObjectMissingError, TaskError
from archive.extract.method import Method
from archive.extract.site_profile import Profile
from archive.extract.site_rules import Rulebook
from archive.extract.text import Entry, Text, made_by
from archive.index.schema import AGAIN, OK, UNNAMED, CaptureRow, TextRow
from archive.maintenance.learn_sites import Sites
from archive.runtime.worker_pool import WorkerPool
from archive.settings import ArchiveSettings
from archive.warc.http_message import header, joined_headers
from archive.writer.batch import Origin
from archive.writer.committer import Leftovers
from archive.writer.rolling import RollingBatch

log = logging.getLogger(__name__)

_AT_ONCE = 500
"""Captures per query of the index."""
_READ_LOST = (DamagedError, ObjectMissingError)
"""Errors that concern one stored object and no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToExtract:
    """A capture that should have a text by the current extractor."""

    row: CaptureRow
    entry: Entry | None = None
    """What is known about its post if no text states it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReExtracted:
    """The result for one capture."""

    url: str
    made: bool = False
    """It has a new text; otherwise its text is by the current extractor already, or none could be extracted."""
    error: str | None = None
    """Why there is no new text; the old one stays."""
    damaged: bool = False
    """The reason is damage in the archive."""


class Methods:
    """How the texts of each site are extracted."""

    def __init__(self, settings: ArchiveSettings) -> None:
        """Read the operator's rules.

        Raises:
            SettingsError: They cannot be read.
        """
        self._extractor = settings.extractor
        self._rules = Rulebook.read(settings.site_rules)

    def of(self, url: str) -> Method:
        """The method for a page."""
        return Method(extractor=self._extractor, rules=self._rules.of(url))


def arguments(
    archive: Archive, row: CaptureRow, site: Profile | None, method: Method, *, entry: Entry | None = None
) -> dict[str, Any]:
    """The arguments of `extract` for a capture.

    Args:
        archive: Contains it.
        row: The capture.
        site: The blocks that recur on its site.
        method: How its text is extracted.
        entry: What is known about its post if no text states it.

    Raises:
        ArchiveError: The capture cannot be read.
    """
    exchange = archive.read(row)
    return {
        "payload": exchange.payload(),
        "url": row.url,
        "content_type": header(exchange.payload_head, "content-type"),
        "date": row.date,
        "entry": archive.entry(row) or entry,
        "site": site,
        "method": method,
        "headers": joined_headers(exchange.payload_head),
    }


def reads_same(before: TextRow, text: Text) -> bool | None:
    """Whether a text equals the one before it; None if another extractor made that one.

    Texts of two extractors are not compared: a difference between them is not an edit of the post.
    """
    if before.digest == text.digest:
        return True
    return False if before.made_by == made_by(text.extractor) else None


def with_text(archive: Archive) -> Iterator[CaptureRow]:
    """Every capture that has a text.

    Raises:
        DatabaseError: The database failed.
    """
    after = ""
    while found := archive.index.with_text(after, _AT_ONCE):
        yield from (row for record in found if (row := archive.index.capture(record)))
        after = found[-1]


def imported(archive: Archive) -> Iterator[CaptureRow]:
    """Every page that another tool captured and that has no text, although it could have one of its own.

    Raises:
        DatabaseError: The database failed.
    """
    after = ""
    while found := archive.index.imported_without_text(after, _AT_ONCE):
        yield from (row for row in found if _could_have_text(archive, row))
        after = found[-1].record


def of_url(archive: Archive, url: str) -> Iterator[CaptureRow]:
    """The captures of a URL, after redirects, that have a text or could have one of their own.

    Raises:
        NotArchivedError: There is no capture of that URL.
        ArchiveError: Store or database failed.
    """
    rows = archive.captures(url)
    if not rows:
        raise NotArchivedError(url)
    ends = (_end(archive, row) for row in rows)
    for row in {row.record: row for row in ends if row}.values():
        if archive.index.text_of(row.record) or _could_have_text(archive, row):
            yield row


def _end(archive: Archive, row: CaptureRow) -> CaptureRow | None:
    """Where a capture leads, after redirects; None if that can no longer be read."""
    try:
        return archive.find(row.url, row.date) if row.status // 100 == 3 else row  # noqa: PLR2004  redirects
    except _READ_LOST as e:
        log.warning("redirect cannot be read url=%s error=%s", row.url, e)
        return None


def _could_have_text(archive: Archive, row: CaptureRow) -> bool:
    """Whether it is a page, and not a revisit of one whose text would be its own."""
    if row.status != OK or not ("html" in row.mime or row.mime == UNNAMED):
        return False
    original = archive.index.capture(row.refers_to) if row.refers_to else None
    return row.refers_to is None or (original is not None and original.url != row.url)


class ReExtraction:
    """Re-extracts texts; everything is committed once `run` has ended."""

    def __init__(self, archive: Archive, pool: WorkerPool, *, now: Callable[[], datetime], workers: int) -> None:
        """Nothing is written yet."""
        self._archive = archive
        self._pool = pool
        self._workers = workers
        self._sites = Sites(archive)
        self._methods = Methods(archive.settings)
        self._batches = RollingBatch(
            archive.writer,
            maker=AGAIN,
            origin=Origin(description="Texts made anew from captures."),
            now=now,
            most_bytes=archive.settings.batch_megabytes * 1_000_000,
            longest=timedelta(seconds=archive.settings.batch_seconds),
        )

    def run(self, wanted: Iterable[ToExtract]) -> Iterator[ReExtracted]:
        """One result for each capture, in their order.

        Raises:
            ArchiveError: Spool, store or database failed.
        """
        under_way: deque[tuple[CaptureRow, Future[Text] | ReExtracted]] = deque()
        for one in wanted:
            under_way.append((one.row, self._begun(one)))
            if len(under_way) > 2 * self._workers:
                yield self._ended(*under_way.popleft())
        while under_way:
            yield self._ended(*under_way.popleft())
        self._batches.commit()

    def finish(self) -> Leftovers:
        """Commit what an interrupted run had made.

        Raises:
            ArchiveError: Spool, store or database failed.
        """
        return self._archive.writer.commit_leftovers(AGAIN)

    def _begun(self, wanted: ToExtract) -> Future[Text] | ReExtracted:
        from archive.extract.pipeline import extract  # not at the top: a crawl needs the rules of this module alone

        row, site, method = wanted.row, self._sites.of(wanted.row.url), self._methods.of(wanted.row.url)
        if self._has_todays(row, site, method):
            return ReExtracted(url=row.url)
        try:
            given = arguments(self._archive, row, site, method, entry=wanted.entry)
        except (*_READ_LOST, NotArchivedError) as e:
            return ReExtracted(url=row.url, error=str(e), damaged=isinstance(e, _READ_LOST))
        return self._pool.submit(extract, **given)

    def _has_todays(self, row: CaptureRow, site: Profile | None, method: Method) -> bool:
        from archive.extract.pipeline import extractors

        text = self._archive.index.text_of(row.record)
        if text is None:
            return False
        todays = extractors(site, method)
        if text.made_by is not None:
            return text.made_by in map(made_by, todays)
        try:
            return self._archive.read_text(text).fields.get("extractor") in todays
        except _READ_LOST:  # a new one repairs that
            return False

    def _ended(self, row: CaptureRow, found: Future[Text] | ReExtracted) -> ReExtracted:
        if isinstance(found, ReExtracted):
            return found
        try:
            text = found.result()
        except TaskError as e:
            return ReExtracted(url=row.url, error=str(e))
        self._batches.growing().add_text(row, text)
        self._batches.commit_if_due()
        return ReExtracted(url=row.url, made=True)

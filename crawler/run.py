"""One crawl: archive, frontier and worker processes joined, and the order in which things become true.

Captures and texts go into a batch; what the frontier is to remember waits beside it. A batch is committed as
*bytes, index, frontier*, in another thread, one after the other. Nothing is counted as kept before that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.exceptions import NotConfigured

from archive.archive import Archive
from archive.batch import Batch, Origin
from archive.capture import Capture
from archive.errors import ArchiveError, SpoolError, TaskError
from archive.index import CaptureRow
from archive.pool import Limits, WorkerPool
from archive.text import Text
from crawler import journal
from crawler.errors import CrawlError
from crawler.frontier import Frontier
from crawler.guard import Guard
from crawler.visit import FeedVisit, PageVisit

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from archive.settings import ArchiveSettings
    from crawler.settings import CrawlSettings

log = logging.getLogger(__name__)

progress = object()
"""Scrapy signal: sent with `summary` whenever it changed."""

_RETRY_SECONDS = (1.0, 5.0, 20.0)
"""Waits before a commit is tried again after a passing failure of store or database."""


@dataclass(slots=True)
class Summary:
    """What a run did; posts count when they are committed."""

    feeds: int = 0
    """Feeds visited."""
    unchanged: int = 0
    """Of these, answered 304."""
    failed_feeds: int = 0
    posts: int = 0
    """Pages kept that were not held before."""
    changed: int = 0
    """Pages held before of which another payload was kept."""
    same: int = 0
    """Pages asked for again that were as before."""
    failed: int = 0
    """Pages that could not be had."""
    texts: int = 0
    captures: int = 0
    bytes: int = 0
    """Of the objects put into the store."""
    objects: list[str] = field(default_factory=list)
    expected: int = 0
    """Pages asked for so far."""
    done: int = 0
    """Pages answered so far, committed or not."""

    def line(self) -> str:
        """What was kept, in one line."""
        parts = [f"kept {_count(self.posts, 'new post')}"]
        if self.changed:
            parts.append(f"{self.changed} changed")
        if self.same:
            parts.append(f"{self.same} unchanged")
        if self.failed:
            parts.append(f"{self.failed} failed")
        visits = _count(self.feeds, "feed") + " visited"
        if self.unchanged:
            visits += f" ({self.unchanged} not modified)"
        if self.failed_feeds:
            visits += f" ({self.failed_feeds} failed)"
        size = f"{_count(self.captures, 'capture')}, {_count(self.texts, 'text')}, {self.bytes:,} bytes stored"
        return f"{', '.join(parts)}; {visits}; {size}"


@dataclass(slots=True)
class _Growing:
    """A batch and what the frontier is to remember with it."""

    batch: Batch
    feeds: list[FeedVisit] = field(default_factory=list)
    pages: list[tuple[PageVisit, bool, str]] = field(default_factory=list)
    """Visit, whether the page was held before, kind of the capture."""


class Run:
    """Scrapy extension that holds what the components of one crawl share."""

    def __init__(self, archive: Archive, frontier: Frontier, options: CrawlSettings, settings: ArchiveSettings) -> None:
        self.archive = archive
        self.frontier = frontier
        self.options = options
        self.guard = Guard(options.allow_networks)
        self.summary = Summary()
        self.problems: list[CrawlError] = []
        """What failed of what a person asked for by name."""
        self.failure: ArchiveError | None = None
        """Why the archive could not take any more; ends the run."""
        self._settings = settings
        self._pool = WorkerPool(
            workers=settings.extract_workers,
            limits=Limits(seconds=settings.extract_seconds, megabytes=settings.extract_megabytes),
            preload=["archive.extract", "crawler.feeds"],
        )
        self._growing: _Growing | None = None
        self._committing: set[asyncio.Task[None]] = set()
        self._one_commit = asyncio.Lock()
        self._crawler: Crawler | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Run:
        """Open archive and frontier as the settings name them."""
        settings: ArchiveSettings | None = crawler.settings.get("PRESSMARK_ARCHIVE")
        if settings is None:
            raise NotConfigured("settings are not those of crawler.settings")
        run = cls(Archive.open(settings), Frontier.open(settings.database), options(crawler), settings)
        run._crawler = crawler
        crawler.signals.connect(run.close, signal=signals.spider_closed)
        return run

    # -- what components hand over

    def record(self, capture: Capture) -> CaptureRow | None:
        """Write a capture into the growing batch; None once the archive has failed."""
        if self.failure is not None:
            return None
        growing = self._grow()
        try:
            row = growing.batch.add(capture)
        except ArchiveError as e:
            self._fail(e)
            return None
        self._seal_if_full(growing)
        return row

    def visited_feed(self, visit: FeedVisit, row: CaptureRow | None = None) -> None:
        """Remember a visit of a feed with the next commit; `row` is its capture, if there is one."""
        if self.failure is None:
            growing = self._grow()
            try:
                growing.batch.note(journal.write(journal.FeedNote(record=row.record if row else None, visit=visit)))
            except SpoolError as e:
                self._fail(e)
                return
            growing.feeds.append(visit)
        log.info(
            "feed visit id=%d status=%s new=%d error=%s",
            visit.feed_id,
            visit.status,
            sum(seen.fetch for seen in visit.entries),
            visit.error,
        )
        self._tell()

    def visited_page(
        self, visit: PageVisit, *, held: bool, row: CaptureRow | None = None, text: Text | None = None
    ) -> None:
        """Remember a visit of a page, and keep its text, with the next commit.

        Args:
            visit: What it changes.
            held: The page was held before.
            row: Its capture, if there is one.
            text: Made from that capture.
        """
        self.summary.done += 1
        if self.failure is None:
            growing = self._grow()
            try:
                if text is not None and row is not None:
                    growing.batch.add_text(row, text)
                growing.batch.note(journal.write(journal.PageNote(record=row.record if row else None, visit=visit)))
            except SpoolError as e:
                self._fail(e)
                return
            growing.pages.append((visit, held, row.kind if row else ""))
            self._seal_if_full(growing)
        self._tell()

    def expect(self, pages: int) -> None:
        """Pages more were asked for."""
        self.summary.expected += pages
        self._tell()

    async def work(self, function: Any, **arguments: Any) -> Any:  # noqa: ANN401  any pure function of values
        """Run a function on values in a worker process.

        Raises:
            TaskError: It failed, crashed, or passed a limit.
        """
        try:
            return await asyncio.wrap_future(self._pool.submit(function, **arguments))
        except asyncio.CancelledError:
            raise TaskError("the crawl is closing") from None

    def now(self) -> datetime:
        """The clock of this run; aware, UTC."""
        return datetime.now(UTC)

    # -- commits

    def _grow(self) -> _Growing:
        if self._growing is None:
            origin = Origin(user_agent=self.options.user_agent, robots="classic")
            growing = self._growing = _Growing(self.archive.batch(now=self.now(), origin=origin))
            asyncio.get_running_loop().call_later(self._settings.batch_seconds, self._seal, growing)
        return self._growing

    def _seal_if_full(self, growing: _Growing) -> None:
        if growing.batch.bytes >= self._settings.batch_megabytes * 1_000_000:
            self._seal(growing)

    def _seal(self, growing: _Growing) -> None:
        """Commit a batch in the background and let the next record begin another."""
        if self._growing is not growing:
            return  # it was committed already
        self._growing = None
        task = asyncio.ensure_future(self._commit(growing))
        self._committing.add(task)
        task.add_done_callback(self._committing.discard)

    async def _commit(self, growing: _Growing) -> None:
        async with self._one_commit:
            # A later batch may refer to records of an earlier one, so that none is committed after a failure.
            if self.failure is not None:
                growing.batch.abandon()
                return
            try:
                sealed = await asyncio.to_thread(growing.batch.seal)
                await self._with_retries(asyncio.to_thread, self.archive.commit, sealed)
                visits = [visit for visit, _, _ in growing.pages]
                await self._with_retries(asyncio.to_thread, self.frontier.commit, growing.feeds, visits)
                await asyncio.to_thread(self.archive.release, sealed)
            except ArchiveError as e:
                self._fail(e)
                return
            except Exception as e:
                log.exception("commit failed")
                self._fail(ArchiveError(f"commit failed: {type(e).__name__}: {e}", hint="Please report this."))
                return
            self._count(growing, [row.key for row, _ in sealed.files], sum(row.length for row, _ in sealed.files))
            self.summary.captures += len(sealed.captures)
            self.summary.texts += len(sealed.texts)
        self._tell()

    async def _with_retries(self, call: Any, *arguments: Any) -> None:  # noqa: ANN401  asyncio.to_thread
        for wait in (*_RETRY_SECONDS, None):
            try:
                await call(*arguments)
            except ArchiveError as e:
                if wait is None or not e.temporary:
                    raise
                log.warning("commit failed, trying again seconds=%g error=%s", wait, e)
                await asyncio.sleep(wait)
            else:
                return

    def _count(self, growing: _Growing, objects: list[str], stored: int) -> None:
        summary = self.summary
        summary.objects += objects
        summary.bytes += stored
        for visit in growing.feeds:
            summary.feeds += 1
            summary.unchanged += visit.status == 304  # noqa: PLR2004  not modified
            summary.failed_feeds += visit.error is not None
        for page, held, kind in growing.pages:
            if not page.kept:
                summary.failed += 1
            elif not held:
                summary.posts += 1
            elif kind == "response":
                summary.changed += 1
            else:
                summary.same += 1

    def _fail(self, error: ArchiveError) -> None:
        """Stop the crawl: what is fetched from now on could not be kept."""
        if self.failure is not None:
            return
        self.failure = error
        log.error("archive failed, crawl stops error=%s", error)
        if self._growing is not None:
            self._growing.batch.abandon()
            self._growing = None
        engine = self._crawler.engine if self._crawler else None
        if engine is not None and engine.spider is not None:
            task = asyncio.ensure_future(engine.close_spider_async(reason="archive failed"))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _tell(self) -> None:
        if self._crawler is not None:
            self._crawler.signals.send_catch_log(progress, summary=self.summary)

    async def close(self, spider: Spider) -> None:  # noqa: ARG002  Scrapy's signature
        """Commit what is left and end the worker processes."""
        if self._growing is not None:
            self._seal(self._growing)
        while self._committing:
            await _all(self._committing)
        await asyncio.to_thread(self._pool.close)


async def _all(tasks: set[asyncio.Task[None]]) -> None:
    waiting: list[Awaitable[None]] = list(tasks)
    await asyncio.gather(*waiting)


def options(crawler: Any) -> CrawlSettings:  # noqa: ANN401  a Crawler, or the process that makes crawlers
    """The crawler's own settings as they came with Scrapy's."""
    found: CrawlSettings = crawler.settings["PRESSMARK_OPTIONS"]
    return found


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")

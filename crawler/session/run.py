"""One crawl: archive, frontier, worker processes and what connects them, created once and shared."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from scrapy import signals
from scrapy.exceptions import NotConfigured

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.runtime.run_time import RunTime
from archive.writer.batch import Origin
from crawler.errors import CrawlError
from crawler.frontier import machines
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier
from crawler.net.address_guard import Guard
from crawler.net.crawl_delay import Gaps
from crawler.session.committer import Committer
from crawler.session.host_claims import HostClaims
from crawler.session.in_flight import InFlight
from crawler.session.lag import Lag
from crawler.session.lanes import holder
from crawler.session.machine_name import this_machine
from crawler.session.outage import Outage
from crawler.session.retry_after import RetryAfter
from crawler.session.slow_hosts import SlowHosts
from crawler.session.summary import Summary
from crawler.session.texts import Texts

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from archive.settings import ArchiveSettings
    from crawler.options import CrawlSettings

log = logging.getLogger(__name__)

_LEARNING_SECONDS = 60.0
"""Time that a run must have left to learn what recurs on sites."""

progress = object()
"""Scrapy signal: sent with `summary` after each change."""

T = TypeVar("T")


class Run:
    """Scrapy extension that creates what the components of one crawl share; it does no work of its own."""

    def __init__(
        self,
        archive: Archive,
        frontier: Frontier,
        options: CrawlSettings,
        settings: ArchiveSettings,
        lane: str = "",
        time: RunTime | None = None,
    ) -> None:
        self._crawler: Crawler | None = None
        self.archive = archive
        self.frontier = frontier
        self.options = options
        self.time = time or RunTime(settings.run_seconds)
        self.guard = Guard(options.allow_networks)
        self.credentials = frontier.origins()
        self.retry_after = RetryAfter(frontier, options.retry_after_scope, self.now)
        self.crawl_delays = Gaps()
        self.lag = Lag()
        self.slow_hosts = SlowHosts(max(options.host_seconds, options.timeout), self.lag.clock)
        self.in_flight = InFlight()
        self.texts = Texts(archive, settings)
        self.summary = Summary()
        self.problems: list[CrawlError] = []
        """Errors of URLs that a person named."""
        self.remarks: list[str] = []
        """What that person should know, although it is not an error."""
        self.outage = Outage(
            patience_seconds=settings.outage_seconds,
            shutdown_requested=self.shutdown_requested,
            pause=self._pause,
            resume=self._resume,
        )
        machine = this_machine(settings.home)
        self.hosts = HostClaims(
            Claims(frontier.engine, holder(settings.home, lane)),
            frontier,
            self.call,
            self.now,
            once=self.outage.once,
            stay=partial(machines.stay, frontier.engine, machine),
            failed=lambda error: self.committer.fail(error),  # noqa: PLW0108  it is made below
            stop=lambda: self.shutdown_requested() or self.committer.failure is not None,
        )
        self.committer = Committer(
            archive,
            frontier,
            self.hosts,
            self.outage,
            settings,
            origin=Origin(
                user_agent=options.user_agent,
                robots="classic",
                description="Feeds and the posts that they show.",
                operator=options.operator,
            ),
            summary=self.summary,
            now=self.now,
            changed=self.report_progress,
            failed=self._stop,
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Run:
        """Open the archive and the frontier in the settings."""
        settings: ArchiveSettings | None = crawler.settings.get("PRESSMARK_ARCHIVE")
        if settings is None:
            raise NotConfigured("settings are not those of crawler.settings")
        lane: str = crawler.settings.get("PRESSMARK_LANE", "")
        time: RunTime | None = crawler.settings.get("PRESSMARK_RUN_TIME")
        archive, frontier = Archive.open(settings, lane), Frontier.open(settings.database)
        run = cls(archive, frontier, options(crawler), settings, lane, time)
        run._crawler = crawler
        crawler.signals.connect(run.begin, signal=signals.spider_opened)
        crawler.signals.connect(run.close, signal=signals.spider_closed)
        return run

    @classmethod
    def of(cls, crawler: Crawler) -> Run:
        """The run that a crawl's components share."""
        run = crawler.get_extension(cls)
        if run is None:
            raise RuntimeError("the extension crawler.session.run.Run is not enabled")
        return run

    async def begin(self, spider: Spider) -> None:  # noqa: ARG002  Scrapy's signature
        """Release the claims of an earlier run that died."""
        await self.hosts.begin()

    async def close(self, spider: Spider) -> None:  # noqa: ARG002  Scrapy's signature
        """Commit the rest and end the worker processes."""
        self.outage.end()
        await self.committer.flush()
        failed = self.committer.failure is not None
        # Learning takes up to half a minute; a run that was asked to end, or has no time, leaves it to the next one.
        in_haste = failed or self.shutdown_requested() or self.time.left_seconds < _LEARNING_SECONDS
        await self.outage.once(self.texts.close, learn=not in_haste)
        await self.hosts.end(keep=failed)

    async def call(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:  # noqa: ANN401  the function's own
        """Call in a thread with retries, like `Outage.call`."""
        return await self.outage.call(function, *arguments, **named)

    def now(self) -> datetime:
        """The clock of this run; aware, UTC."""
        return datetime.now(UTC)

    def random(self) -> float:
        """A random number from 0 up to 1."""
        return random.random()  # noqa: S311  only spreads visits

    def shutdown_requested(self) -> bool:
        """Whether Scrapy was asked to stop."""
        return self._crawler is not None and not self._crawler.crawling

    def report_progress(self) -> None:
        """Send the summary to whoever shows it."""
        if self._crawler is not None:
            self._crawler.signals.send_catch_log(progress, summary=self.summary)

    def _pause(self) -> None:
        if self._crawler is not None and self._crawler.engine is not None:
            self._crawler.engine.pause()

    def _resume(self) -> None:
        if self._crawler is not None and self._crawler.engine is not None:
            self._crawler.engine.unpause()

    def _stop(self, error: ArchiveError) -> None:  # noqa: ARG002  it is logged and reported at the end
        """Close the spider: the archive cannot store any more."""
        engine = self._crawler.engine if self._crawler else None
        if engine is not None and engine.spider is not None:
            task = asyncio.ensure_future(engine.close_spider_async(reason="archive failed"))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())


def options(crawler: Any) -> CrawlSettings:  # noqa: ANN401  a Crawler, or the process that makes crawlers
    """The crawler's own settings, passed along with Scrapy's."""
    found: CrawlSettings = crawler.settings["PRESSMARK_OPTIONS"]
    return found

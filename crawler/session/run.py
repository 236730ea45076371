"""One crawl: archive, frontier and worker processes joined, and the order in which things become true.

Captures and texts go into a batch; what the frontier is to remember waits beside it. A batch is committed as
*bytes, index, frontier*, in another thread, one after the other. Nothing is counted as kept before that.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from scrapy import signals
from scrapy.exceptions import NotConfigured
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential

from archive.archive import Archive
from archive.errors import ArchiveError, SpoolFullError, TaskError
from archive.extract.pipeline import extract
from archive.extract.site_profile import Profile
from archive.extract.text import Text, made_by
from archive.index.schema import CaptureRow
from archive.maintenance import re_extract
from archive.maintenance.learn_sites import Sites
from archive.runtime.worker_pool import Limits, WorkerPool
from archive.warc.capture import Capture
from archive.writer.batch import Batch, Origin, Sealed
from crawler.errors import CrawlError
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier, Place
from crawler.model.url_identity import shard
from crawler.model.visits import Due, Feed, FeedVisit, ListingVisit, Page, PageVisit
from crawler.net.address_guard import Guard
from crawler.net.crawl_delay import Gaps
from crawler.net.credentials import origin
from crawler.session import notes
from crawler.session.lanes import holder
from crawler.session.retry_after import Holds

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from archive.settings import ArchiveSettings
    from crawler.options import CrawlSettings

log = logging.getLogger(__name__)

progress = object()
"""Scrapy signal: sent with `summary` whenever it changed."""

_LONGEST_WAIT_SECONDS = 30.0
"""Between two tries of a commit while store or database are away."""
_ROOM_SECONDS = 1.0
"""Between two looks whether a full disk has room again."""
_STOPPING_SECONDS = 5.0
"""What a crawl that was told to end waits for store and database."""

_CLAIM = timedelta(minutes=10)
"""How long a host stays this run's without a word from it."""

IF_TEMPORARY = retry_if_exception(lambda e: isinstance(e, ArchiveError) and e.temporary)
"""Retries look at nothing else."""

T = TypeVar("T")


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
    same_text: int = 0
    """Pages with another payload in which the post's own words are as before."""
    failed: int = 0
    """Pages that could not be had."""
    vanished: int = 0
    """Pages held before that are not there any more."""
    listings: int = 0
    """Listings of older posts read."""
    texts: int = 0
    captures: int = 0
    bytes: int = 0
    """Of the objects put into the store."""
    objects: list[str] = field(default_factory=list)
    put_off: set[str] = field(default_factory=set)
    """Registrable domains that have more new pages than one run fetches."""
    expected: int = 0
    """Pages asked for so far."""
    done: int = 0
    """Pages answered so far, committed or not."""

    def line(self) -> str:
        """What was kept, in one line."""
        parts = [f"kept {_count(self.posts, 'new post')}"]
        if self.changed:
            parts.append(f"{self.changed} changed")
        if self.same_text:
            parts.append(f"{self.same_text} with the same text in other bytes")
        if self.same:
            parts.append(f"{self.same} unchanged")
        if self.vanished:
            parts.append(f"{self.vanished} not there any more")
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.put_off:
            parts.append(f"more of {_count(len(self.put_off), 'site')} waits for the next crawl")
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
    pages: list[tuple[PageVisit, bool, str, bool]] = field(default_factory=list)
    """Visit, whether the page was held before, kind of the capture, whether its text is as it was before."""
    listings: list[ListingVisit] = field(default_factory=list)
    shards: list[int] = field(default_factory=list)
    """Of what was asked for and is settled with this batch."""


class Run:
    """Scrapy extension that holds what the components of one crawl share."""

    def __init__(
        self, archive: Archive, frontier: Frontier, options: CrawlSettings, settings: ArchiveSettings, lane: str = ""
    ) -> None:
        self.archive = archive
        self.claims = Claims(frontier.engine, holder(settings.home, lane))
        self.frontier = frontier
        self.options = options
        self.guard = Guard(options.allow_networks)
        self.origins = frontier.origins()
        self.holds = Holds(frontier, options.retry_after_scope, self.now)
        self.gaps = Gaps()
        self.summary = Summary()
        self.problems: list[CrawlError] = []
        """What failed of what a person asked for by name."""
        self.failure: ArchiveError | None = None
        """Why the archive could not take any more; ends the run."""
        self._settings = settings
        self._pool = WorkerPool(
            workers=settings.extract_workers,
            limits=Limits(seconds=settings.extract_seconds, megabytes=settings.extract_megabytes),
            preload=["archive.extract.pipeline", "crawler.feeds"],
        )
        self._sites = Sites(archive)
        self._origins_of: dict[int, str] = {}
        self._growing: _Growing | None = None
        self._committing: set[asyncio.Task[None]] = set()
        self._last: asyncio.Task[None] | None = None
        self._waiting_bytes = 0
        self._ending: float | None = None
        self._stalled: dict[str, float] = {}  # why nothing more is fetched, and since when
        self._crawler: Crawler | None = None
        self._open: Counter[int] = Counter()  # what was asked for on each shard and is not committed yet
        self._expected: set[str] = set()  # what was asked for and did not come to an end yet
        self._claiming = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Run:
        """Open archive and frontier as the settings name them."""
        settings: ArchiveSettings | None = crawler.settings.get("PRESSMARK_ARCHIVE")
        if settings is None:
            raise NotConfigured("settings are not those of crawler.settings")
        lane: str = crawler.settings.get("PRESSMARK_LANE", "")
        run = cls(Archive.open(settings, lane), Frontier.open(settings.database), options(crawler), settings, lane)
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

    # -- whose hosts are whose

    async def begin(self, spider: Spider) -> None:  # noqa: ARG002  Scrapy's signature
        """Take back what a run before this one held when it died, and keep from now on what is claimed."""
        await self.ask(self.claims.release)
        self._renewing = asyncio.ensure_future(self._renew())

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_CLAIM.total_seconds() / 10)
            try:
                await asyncio.to_thread(self.claims.renew, until=self.now() + _CLAIM)
            except ArchiveError as e:  # it lasts for ten times as long
                log.warning("claims are not renewed error=%s", e)

    def due(self, **wanted: Any) -> Due:  # noqa: ANN401  fields of Due
        """What this run wants now."""
        now = self.now()
        return Due(now=now, holder=self.claims.holder, until=now + _CLAIM, **wanted)

    async def claim_feeds(self, due: Due, after: Place) -> tuple[list[Feed], Place]:
        """As of the frontier; all that come are asked for."""
        async with self._claiming:
            found, place = await self.ask(self.frontier.claim_feeds, due, after)
            for feed in found:
                self._ask(shard(feed.url))
        return found, place

    async def claim_pages(self, due: Due, after: Place) -> tuple[list[Page], Place]:
        """As of the frontier; all that come are asked for."""
        async with self._claiming:
            found, place = await self.ask(self.frontier.claim_pages, due, after)
            for page in found:
                self._ask(shard(page.url))
        return found, place

    async def claim(self, urls: Sequence[str]) -> list[bool]:
        """Whether each of these may be asked for by this run; those that may are."""
        wanted = [shard(url) for url in urls]
        async with self._claiming:
            ours = {number for number in wanted if self._open[number]}
            if new := set(wanted) - ours:
                now = self.now()
                ours |= await self.ask(self.claims.take, new, now=now, until=now + _CLAIM)
            for number in wanted:
                if number in ours:
                    self._ask(number)
        return [number in ours for number in wanted]

    async def claim_patiently(self, url: str) -> bool:
        """Claim the host of a URL that a person named, waiting for the run that has it; False if it does not end."""
        until = monotonic() + self.options.lock_seconds
        while not (await self.claim([url]))[0]:
            if monotonic() >= until or self._told_to_end:
                return False
            await asyncio.sleep(1.0)
        return True

    def _ask(self, number: int) -> None:
        self._open[number] += 1

    def begun(self, what: str) -> None:
        """A request goes out; what follows from it comes to an end with `settling`."""
        self._expected.add(what)

    @contextmanager
    def settling(self, what: str) -> Iterator[None]:
        """What is done within, well or not, is the end of what was begun."""
        try:
            yield
        finally:
            self._expected.discard(what)

    @property
    def unanswered(self) -> int:
        """Requests that were begun and did not come to an end yet."""
        return len(self._expected)

    def leave(self, url: str) -> None:
        """A host that was claimed is not needed for this URL any more, once what was fetched is committed."""
        self._grow().shards.append(shard(url))

    async def _release(self, growing: _Growing) -> None:
        """Give back the hosts of which nothing is open any more."""
        self._open.subtract(growing.shards)
        async with self._claiming:
            over = {number for number in growing.shards if self._open[number] <= 0}
            for number in over:
                del self._open[number]
            if over:
                try:
                    await asyncio.to_thread(self.claims.release, over)
                except ArchiveError as e:  # it ends by itself
                    log.warning("claims are not released error=%s", e)

    # -- what components hand over

    async def record(self, capture: Capture) -> CaptureRow | None:
        """Write a capture into the growing batch; None once the archive has failed."""
        return await self._write(lambda growing: growing.batch.add(capture))

    async def visited_feed(self, visit: FeedVisit, *, url: str, row: CaptureRow | None = None) -> None:
        """Remember a visit of a feed with the next commit.

        Args:
            visit: What it changes.
            url: The feed's, as it was asked for.
            row: Its capture, if there is one.
        """
        note = notes.write(notes.FeedNote(record=row.record if row else None, visit=visit))

        def write(growing: _Growing) -> None:
            growing.batch.note(note)
            growing.feeds.append(visit)
            growing.shards.append(shard(url))

        await self._write(write)
        log.info(
            "feed visit id=%d status=%s new=%d error=%s",
            visit.feed_id,
            visit.status,
            sum(seen.fetch for seen in visit.entries),
            visit.error,
        )
        self._tell()

    async def visited_page(
        self, visit: PageVisit, *, held: bool, row: CaptureRow | None = None, text: Text | None = None
    ) -> None:
        """Remember a visit of a page, and keep its text, with the next commit.

        Args:
            visit: What it changes.
            held: The page was held before.
            row: Its capture, if there is one.
            text: Made from that capture.
        """
        note = notes.write(notes.PageNote(record=row.record if row else None, visit=visit))
        reads_same = text is not None and row is not None and held and await self._reads_same(row, text)

        def write(growing: _Growing) -> None:
            growing.batch.note(note)
            growing.pages.append((visit, held, row.kind if row else "", reads_same))
            growing.shards.append(shard(visit.url))

        if text is not None and row is not None:
            # The text first: a note without its text would say that nothing is missing.
            await self._write(lambda growing: growing.batch.add_text(row, text))
            self._sites.made(row.url)
        await self._write(write)
        self.summary.done += 1
        self._tell()

    async def visited_listing(self, visit: ListingVisit, row: CaptureRow | None = None) -> None:
        """Remember a visit of a listing with the next commit; `row` is its capture, if there is one."""
        note = notes.write(notes.ListingNote(record=row.record if row else None, visit=visit))

        def write(growing: _Growing) -> None:
            growing.batch.note(note)
            growing.listings.append(visit)
            growing.shards.append(shard(visit.url))

        await self._write(write)
        self.summary.listings += 1
        self._tell()

    def repeats(self, row: CaptureRow | None) -> bool:
        """Whether a capture brought what another capture of the same URL had brought."""
        if row is None or row.refers_to is None:
            return False
        try:
            before = self.archive.index.capture(row.refers_to)
        except ArchiveError as e:
            log.warning("document is read again, the index is out of reach url=%s error=%s", row.url, e)
            return False
        return before is not None and before.url == row.url

    def has_text(self, row: CaptureRow | None) -> bool:
        """Whether the text of a capture is held: it repeats one of the same URL that has a text."""
        if row is None or row.refers_to is None:
            return False
        try:
            text = self.archive.index.text_of(row.refers_to)
        except ArchiveError as e:
            log.warning("text is made again, the index is out of reach url=%s error=%s", row.url, e)
            return False
        return text is not None and text.url == row.url

    async def site(self, url: str) -> Profile | None:
        """What recurs on the site of a URL, as far as it is known."""
        try:
            return await asyncio.to_thread(self._sites.of, url)
        except ArchiveError as e:
            log.warning("profile is out of reach url=%s error=%s", url, e)
            return None

    async def _reads_same(self, row: CaptureRow, text: Text) -> bool:
        """Whether the newest text before says the same; one that another extractor made is made anew for that."""
        try:
            before = await asyncio.to_thread(self.archive.index.nearest_text, row.url, row.date)
            if before is None or before.digest == text.digest:
                return before is not None
            capture = await asyncio.to_thread(self.archive.index.capture, before.capture)
            if before.made_by == made_by(text.extractor) or capture is None:
                return False
            site = await self.site(row.url)
            given = await asyncio.to_thread(re_extract.arguments, self.archive, capture, site)
            made: Text = await self.work(extract, **given)
        except (ArchiveError, TaskError) as e:
            log.warning("not compared with the text before url=%s error=%s", row.url, e)
            return False
        await self._write(lambda growing: growing.batch.add_text(capture, made))
        return made.digest == text.digest

    def expect(self, pages: int) -> None:
        """Pages more were asked for."""
        self.summary.expected += pages
        self._tell()

    async def work(self, function: Any, **arguments: Any) -> Any:  # noqa: ANN401  any pure function of values
        """Run a function on values in a worker process, as `WorkerPool.submit` does.

        Raises:
            TaskError: It failed, crashed, or passed a limit.
        """
        try:
            return await asyncio.wrap_future(self._pool.submit(function, **arguments))
        except asyncio.CancelledError:
            raise TaskError("the crawl is closing") from None

    async def origin_of(self, feed_id: int | None) -> str:
        """Origin of a feed, for what only that may be given; empty where nothing is known of any origin."""
        if feed_id is None or not self.origins.any:
            return ""
        if feed_id not in self._origins_of:
            feed = await self.ask(self.frontier.subscription, feed_id)
            self._origins_of[feed_id] = origin(feed.url) if feed else ""
        return self._origins_of[feed_id]

    async def entrust(self, url: str) -> str:
        """Take name and password out of a URL that a person gave, for its origin alone."""
        without, given = await self.ask(self.frontier.entrust, url)
        if given is not None:
            self.origins.entrust(given)
        return without

    def now(self) -> datetime:
        """The clock of this run; aware, UTC."""
        return datetime.now(UTC)

    def chance(self) -> float:
        """From 0 up to 1, evenly."""
        return random.random()  # noqa: S311  spreads visits, guards nothing

    # -- the growing batch

    async def _write(self, write: Callable[[_Growing], T]) -> T | None:
        """Write into the growing batch, waiting where the disk is full; None once the archive has failed."""
        while self.failure is None:
            growing = self._grow()
            try:
                done = write(growing)
            except SpoolFullError as e:
                await self._wait_for_room(e)
            except ArchiveError as e:
                self._fail(e)
            else:
                self._go_on("disk")
                if growing.batch.bytes >= self._settings.batch_megabytes * 1_000_000:
                    self._seal(growing)
                return done
        return None

    async def _wait_for_room(self, error: SpoolFullError) -> None:
        """Fetch nothing more for a while, and commit what there is: that frees the spool."""
        self._stall("disk", str(error))
        if self._growing is not None and self._growing.batch.bytes:
            self._seal(self._growing)
        if self._out_of_patience(self._stalled["disk"]):
            self._fail(error)
        else:
            await asyncio.sleep(_ROOM_SECONDS)

    def _grow(self) -> _Growing:
        if self._growing is None:
            origin = Origin(
                user_agent=self.options.user_agent,
                robots="classic",
                description="Feeds and the posts that they show.",
                operator=self.options.operator,
            )
            growing = self._growing = _Growing(self.archive.batch(now=self.now(), origin=origin))
            asyncio.get_running_loop().call_later(self._settings.batch_seconds, self._seal, growing)
        return self._growing

    # -- commits

    async def flush(self) -> None:
        """Commit what there is, so that the frontier tells all that is known."""
        if self._growing is not None:
            self._seal(self._growing)
        while self._committing:
            await _all(self._committing)

    def _seal(self, growing: _Growing) -> None:
        """Commit a batch in the background and let the next record begin another."""
        if self._growing is not growing:
            return  # it was committed already
        self._growing = None
        task = self._last = asyncio.ensure_future(self._commit(growing, self._last))
        self._committing.add(task)
        task.add_done_callback(self._committing.discard)

    async def _commit(self, growing: _Growing, before: asyncio.Task[None] | None) -> None:
        """Seal at once, then commit after the batch before: a later one may refer to records of an earlier."""
        self._waiting_bytes += growing.batch.bytes
        if self._waiting_bytes > self._settings.spool_megabytes * 1_000_000:
            self._stall("quota", "the spool has reached PRESSMARK_SPOOL_MEGABYTES")
        try:
            sealed = await asyncio.to_thread(growing.batch.seal)
            if before is not None:
                await before
            if self.failure is not None:
                return  # the spool keeps it
            await self.ask(self.archive.commit, sealed)
            visits = [visit for visit, *_ in growing.pages]
            await self.ask(self.frontier.commit, growing.feeds, visits, growing.listings)
            await asyncio.to_thread(self.archive.release, sealed)
            await self._release(growing)
        except ArchiveError as e:
            self._fail(e)
            return
        except Exception as e:
            log.exception("commit failed")
            self._fail(ArchiveError(f"commit failed: {type(e).__name__}: {e}", hint="Please report this."))
            return
        self._count(growing, sealed)
        self._waiting_bytes -= growing.batch.bytes
        if self._waiting_bytes <= self._settings.spool_megabytes * 1_000_000:
            self._go_on("quota")
        self._tell()

    async def ask(self, call: Callable[..., T], *arguments: Any, **named: Any) -> T:  # noqa: ANN401  the call's own
        """Call in a thread; while store or database are away try again, until patience ends.

        Raises:
            ArchiveError: They did not come back in time, or refuse.
        """
        name = getattr(call, "__name__", "call")

        def tell(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            log.warning("%s failed, trying again seconds=%.0f error=%s", name, state.upcoming_sleep, error)

        retrying = AsyncRetrying(
            retry=IF_TEMPORARY,
            wait=wait_exponential(max=_LONGEST_WAIT_SECONDS),
            stop=lambda state: self._out_of_patience(state.start_time),
            sleep=self._sleep,
            before_sleep=tell,
            reraise=True,
        )
        return await retrying(asyncio.to_thread, call, *arguments, **named)

    async def _sleep(self, seconds: float) -> None:
        """Sleep; a second only once the crawl was told to end."""
        until = monotonic() + seconds
        await asyncio.sleep(min(1.0, seconds))
        while monotonic() < until and not self._told_to_end:  # noqa: ASYNC110  Scrapy sends no signal for it
            await asyncio.sleep(1.0)

    @property
    def _told_to_end(self) -> bool:
        return self._crawler is not None and not self._crawler.crawling

    def _out_of_patience(self, since: float) -> bool:
        """Whether a failure that began then has lasted too long.

        While there is work and room in the spool, a crawl goes on without store or database for any time.
        """
        idle = [*self._stalled.values(), *([self._ending] if self._ending else [])]
        if not idle:
            return False
        patience = _STOPPING_SECONDS if self._told_to_end else self._settings.outage_seconds
        return monotonic() - max(since, min(idle)) >= patience

    def _stall(self, why: str, reason: str) -> None:
        """Send no new requests until `_go_on`."""
        if why not in self._stalled:
            self._stalled[why] = monotonic()
            log.warning("crawl pauses why=%s reason=%s", why, reason)
            self._pause()

    def _go_on(self, why: str) -> None:
        if self._stalled.pop(why, None) is not None:
            log.warning("crawl goes on why=%s", why)
            self._pause()

    def _pause(self) -> None:
        engine = self._crawler.engine if self._crawler else None
        if engine is not None:
            (engine.pause if self._stalled else engine.unpause)()

    def _count(self, growing: _Growing, sealed: Sealed) -> None:
        summary = self.summary
        summary.objects += [row.key for row, _ in sealed.files]
        summary.bytes += sum(row.length for row, _ in sealed.files)
        summary.captures += len(sealed.captures)
        summary.texts += len(sealed.texts)
        for visit in growing.feeds:
            summary.feeds += 1
            summary.unchanged += visit.status == 304  # noqa: PLR2004  not modified
            summary.failed_feeds += visit.error is not None
        for page, held, kind, reads_same in growing.pages:
            if page.gone and held:
                summary.vanished += 1
            elif not page.kept:
                summary.failed += 1
            elif not held:
                summary.posts += 1
            elif kind == "response" and reads_same:
                summary.same_text += 1
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
        self._ending = monotonic()
        await self.flush()
        if self.failure is None:
            await asyncio.to_thread(self._sites.learn)
        await asyncio.to_thread(self._pool.close)
        if self._renewing is not None:
            self._renewing.cancel()
        if self.failure is not None:
            return  # what is not committed must not be asked for by others; the next run here has its hosts back
        try:
            await asyncio.to_thread(self.claims.release)
        except ArchiveError as e:  # they end by themselves
            log.warning("claims are not released error=%s", e)


async def _all(tasks: set[asyncio.Task[None]]) -> None:
    waiting: list[Awaitable[None]] = list(tasks)
    await asyncio.gather(*waiting)


def options(crawler: Any) -> CrawlSettings:  # noqa: ANN401  a Crawler, or the process that makes crawlers
    """The crawler's own settings as they came with Scrapy's."""
    found: CrawlSettings = crawler.settings["PRESSMARK_OPTIONS"]
    return found


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")

"""The spider: visits due feeds, captures their posts and has the texts extracted.

It makes requests and passes the responses to `seeds`, `feed_visits`, `page_visits` and `page_requisites`, which
never see Scrapy.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider

from archive.errors import ArchiveError
from archive.extract.requisites import Requisite
from archive.index.known import Known, known
from archive.runtime.console import printable
from archive.warc.page_identity import page_key
from crawler.decide.feed import validators
from crawler.errors import CrawlError, FetchError, UsageError
from crawler.feeds import accept_header
from crawler.frontier.frontier import AT_ONCE, PagePlace, Place
from crawler.model.answer import Answer
from crawler.model.url_identity import as_http, host_of, is_address, registrable_domain, shard, shard_of
from crawler.model.visits import Feed, Page, Shard
from crawler.net.credentials import bare, origin
from crawler.net.failure_reason import lasts, reason
from crawler.net.request_context import RequestContext, context_of, in_meta
from crawler.session.conditions import Conditions, usable
from crawler.session.host_claims import NotSentError
from crawler.session.retry_after import RetryAfterError
from crawler.session.run import Run
from crawler.spiders.answers import answer_of
from crawler.spiders.feed_visits import FeedVisits
from crawler.spiders.page_requisites import Allowance, PageRequisites
from crawler.spiders.page_visits import PageVisits
from crawler.spiders.seeds import Seeds, failed

if TYPE_CHECKING:
    from scrapy.http import Response
    from twisted.python.failure import Failure

log = logging.getLogger(__name__)

ACCEPT_FEED = accept_header()
ACCEPT_SEED = accept_header("text/html")
PARTS = ("subscribe", "feeds", "rechecks")
"""What a crawl can be limited to."""
_FEEDS_FIRST, _RECHECKS_LAST, _REQUISITES_LAST = 10, -10, -20
"""Priorities; those of new posts' pages are between the first two."""
_ACCEPT_REQUISITE = {
    "image": "image/avif,image/webp,image/*,*/*;q=0.8",
    "style": "text/css,*/*;q=0.1",
    "font": "font/woff2,font/woff,*/*;q=0.1",
}
_LOOK_SECONDS = 15.0
"""Time between two checks for what has become due while a crawl runs."""


class BlogSpider(Spider):
    """Visits feeds and fetches what is new in them.

    Args:
        url: Feeds or pages of blogs, separated by white space; subscribed if new. Without it, every due feed.
        shard: `3/16`: only the due feeds of that shard.
        force: `1`: also feeds that are not due.
        insecure: `1`: stop verifying certificates for the hosts of these URLs, permanently for the feeds behind them;
            `0`: verify them again.
        only: `subscribe`: find and read the feeds, but do not fetch posts; `feeds`: no re-checks of archived posts;
            `rechecks`: only re-checks.
    """

    name = "blog"
    hops = "L"
    """How the pages of posts are reached, as in WARC metadata."""
    thorough = False
    """Whether to ignore the budgets of hosts."""
    may_wait = True
    """Whether the next run can take what this one has no time for."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401  Scrapy's
        url: str = "",
        shard: str = "",
        force: str = "",
        only: str = "",
        insecure: str = "",
        **kwargs: Any,  # noqa: ANN401  Scrapy's
    ) -> None:
        super().__init__(*args, **kwargs)
        self.urls = arguments(url=url, shard=shard, only=only, unknown=kwargs)
        self.only = only
        self.shard = Shard.parse(shard) if shard else None
        self.force = force not in {"", "0", "no", "false"}
        self.subscribe_only = only == "subscribe"
        self.unverified = None if not insecure else insecure not in {"0", "no", "false"}
        self._asked: set[str] = set()
        self._fetched: Counter[str] = Counter()  # first-time fetches, by host
        self._origins: dict[int, str] = {}  # origins of feeds, by id

    def join(self, run: Run) -> None:
        """Build the stages from what the components of this crawl share."""
        self.run = run
        if self.thorough:
            run.slow_hosts.wait_for_all()
        self.seeds = Seeds(run, self.ask, feed=ACCEPT_FEED, page=ACCEPT_SEED)
        self.feed_visits = FeedVisits(run)
        self.page_visits = PageVisits(run, self.fetch)
        self.requisites = PageRequisites(run, self._asked)

    run: Run
    """What the components of this crawl share."""
    seeds: Seeds
    feed_visits: FeedVisits
    page_visits: PageVisits
    requisites: PageRequisites

    async def start(self) -> AsyncIterator[Any]:
        """All requests that do not follow from a response."""
        self.join(Run.of(self.crawler))  # Scrapy creates spiders before extensions
        async for request in self.requests():
            yield request

    async def requests(self) -> AsyncIterator[Any]:
        """Requests for the URLs that were named, or for what is due, including what becomes due meanwhile."""
        await self._take_credentials()
        for url in self.urls:
            subscribed = await self.run.call(self.run.frontier.find, url)
            claimed = [feed for feed in subscribed if await self._claimed(feed.url)]
            async for request in self._feed_requests(claimed, seed=url):
                yield request
            if not subscribed and await self._claimed(url):
                yield self._seed_request(url)
        named = await self.run.call(self.run.frontier.feed_ids, self.urls) if self.urls else None
        if not self.subscribe_only and (named is None or named):
            async for request in self._due(named):
                yield request

    async def _take_credentials(self) -> None:
        """Take over the credentials and `insecure` that a person gave with the URLs."""
        urls = []
        for url in self.urls:
            without, given = await self.run.call(self.run.frontier.entrust, url)
            if given is not None:
                self.run.credentials.entrust(given)
            urls.append(without)
        self.urls = tuple(dict.fromkeys(urls))
        if self.unverified is not None:
            for url in self.urls:
                self.run.credentials.trust(host_of(url), unverified=self.unverified)
                await self.run.call(self.run.frontier.trust, url, unverified=self.unverified)

    async def _due(self, feed_ids: tuple[int, ...] | None) -> AsyncIterator[Request]:
        """Requests for what is due, of all feeds or some, for as long as something is due or may become due.

        Once most of the run's time is used, the rest is left for the next run.
        """
        run, force = self.run, self.force
        feeds_at: Place = None
        pages_at: PagePlace | None = None
        while not run.time.is_ending:
            due = run.hosts.due(part=self.shard, feed_ids=feed_ids, force=force)
            more: Place = None
            if feed_ids is None and self.only != "rechecks":
                found, more = await run.hosts.claim_feeds(due, feeds_at)
                async for request in self._feed_requests(found):
                    yield request
                feeds_at = more or feeds_at
            pages, others = await run.hosts.claim_pages(replace(due, **self._pages_wanted()), pages_at)
            async for request in self._page_requests(pages):
                yield request
            pages_at = others or pages_at
            while len(run.in_flight) > AT_ONCE:  # noqa: ASYNC110  responses come from many places
                await asyncio.sleep(1.0)
            if more or others:
                continue
            if feed_ids is not None or force or not len(run.in_flight):
                return
            await asyncio.sleep(_LOOK_SECONDS if len(run.in_flight) > 1 else 1.0)

    def left(self) -> Mapping[str, int]:
        """How much is due after the run, by kind of thing; counted up to a limit."""
        due = self.run.hosts.due(part=self.shard, **self._pages_wanted())
        feeds, pages = self.run.frontier.count_due(due)
        return {"page": pages} if self.only == "rechecks" else {"feed": feeds, "page": pages}

    def _pages_wanted(self) -> dict[str, Any]:
        without = tuple(map(shard_of, self.run.summary.put_off | self.run.summary.slow))
        if self.only == "feeds":
            return {"held": False, "backfill": False, "without": without}
        held = True if self.only == "rechecks" else None
        return {"held": held, "backfill": False, "without": without, "budget": self.run.options.recheck_budget}

    async def _claimed(self, url: str) -> bool:
        """Claim the host of a URL that a person named; reports it if another run does not release it."""
        run = self.run
        if await run.hosts.claim_patiently(url, seconds=run.options.lock_seconds, stop=run.shutdown_requested):
            return True
        self._problem(FetchError("another run works on this host; try again when it has ended", url=url))
        return False

    async def fetch(self, url: str, *, via: str, accept: bytes | None = None) -> Answer | None:
        """As `ask`, for a URL that may not exist; None if there is no response."""
        try:
            return await self.ask(url, via=via, accept=accept)
        except FetchError as e:
            log.info("no answer url=%s reason=%s", url, e.reason)
            return None

    async def ask(self, url: str, *, via: str, accept: bytes | None = None, ignores_robots: bool = False) -> Answer:
        """The response to a request outside the queue.

        Raises:
            FetchError: There is none.
        """
        try:
            engine = self.crawler.engine
            assert engine is not None  # it runs while callbacks do
            headers = {"Accept": accept} if accept else None
            context = RequestContext(via=via, hops="L", credentials_for=origin(via), ignores_robots=ignores_robots)
            return self._answer(await engine.download_async(Request(url, headers=headers, meta=in_meta(context))))
        except Exception as e:  # whatever it is, the request has failed
            failure = FetchError(reason(e), url=url)
            failure.lasting = lasts(e)
            raise failure from e

    def _answer(self, response: Response) -> Answer:
        return answer_of(response, self.run.now)

    # -- seeds

    def _seed_request(self, url: str) -> Request:
        self.run.in_flight.begin(f"seed {url}")
        return Request(
            url,
            callback=self.parse_seed,
            errback=self.seed_failed,
            cb_kwargs={"seed": url},
            headers={"Accept": ACCEPT_SEED},
            meta=in_meta(RequestContext(credentials_for=origin(url))),
            dont_filter=True,
        )

    async def parse_seed(self, response: Response, seed: str) -> AsyncIterator[Any]:
        """The response for a URL that a person gave: a feed, or a page that links to one."""
        with self.run.in_flight.ending(f"seed {seed}"):
            try:
                found = await self.seeds.found(self._answer(response), seed)
            except CrawlError as e:
                self._problem(e)
                found = ()
            for one in found:
                feed = await self.seeds.subscribe(one, seed, unverified=self.unverified)
                if await self._claimed(feed.url):
                    visited = await self.feed_visits.read(feed, one.answer, one.parsed)
                    async for request in self._new_pages(visited.pages, via=one.answer.url):
                        yield request
        self.run.committer.set_aside(seed)

    def seed_failed(self, failure: Failure) -> None:
        """A URL that a person gave could not be fetched."""
        seed: str = failure.request.cb_kwargs["seed"]
        with self.run.in_flight.ending(f"seed {seed}"):
            self._problem(failed(seed, failure.value, reason(failure.value)))
        self.run.committer.set_aside(seed)

    # -- feeds

    async def _feed_requests(self, feeds: Sequence[Feed], seed: str | None = None) -> AsyncIterator[Request]:
        """Requests for feeds whose hosts are claimed."""
        stored = [_stored(feed.url, *validators(feed), feed.validated) for feed in feeds]
        # A feed's row changes its URL and its validators together, so what it says of them holds.
        conditions = {one.url: one for one in stored if one.record and one.headers}
        conditions |= await self._conditions(one for one in stored if not one.record)
        for feed in feeds:
            if request := await self._feed_request(feed, seed, conditions.get(feed.url)):
                yield request

    async def _feed_request(self, feed: Feed, seed: str | None, conditions: Conditions | None) -> Request | None:
        """The conditional GET of a feed; None if its URL cannot be requested, which is recorded."""
        context = RequestContext(credentials_for=origin(feed.url), may_wait=seed is None, **_conditional(conditions))
        try:
            request = Request(
                feed.url,
                callback=self.parse_feed,
                errback=self.feed_failed,
                cb_kwargs={"feed": feed, "seed": seed},
                headers={
                    "Accept": ACCEPT_SEED if feed.listing else ACCEPT_FEED,
                    **(conditions.headers if conditions else {}),
                },
                priority=_FEEDS_FIRST,
                meta=in_meta(context),
                dont_filter=True,
            )
        except ValueError as e:
            await self._feed_failed(feed, seed, FetchError(str(e), url=feed.url))
            return None
        self.run.in_flight.begin(f"feed {feed.url}")
        return request

    async def parse_feed(self, response: Response, feed: Feed, seed: str | None) -> AsyncIterator[Any]:
        """The response to a request for a feed."""
        with self.run.in_flight.ending(f"feed {feed.url}"):
            answer = self._answer(response)
            visited = await self.feed_visits.answered(feed, answer)
            if visited.error and seed:
                self._problem(FetchError(visited.error, url=seed))
            await self.seeds.followed(feed, answer)
            async for request in self._new_pages(visited.pages, via=response.url):
                yield request

    async def feed_failed(self, failure: Failure) -> None:
        """A feed could not be fetched."""
        feed: Feed = failure.request.cb_kwargs["feed"]
        with self.run.in_flight.ending(f"feed {feed.url}"):
            if isinstance(failure.value, NotSentError):
                self._not_asked(feed.url, failure.value)
                return
            await self._feed_failed(feed, failure.request.cb_kwargs["seed"], failure.value)

    async def _feed_failed(self, feed: Feed, seed: str | None, failure: BaseException) -> None:
        await self.feed_visits.failed(feed, failure)
        if seed:
            self._problem(failed(seed, failure, reason(failure)))

    # -- pages

    async def _new_pages(self, pages: Sequence[Page], via: str) -> AsyncIterator[Request]:
        """Requests for pages that a document links to, if there is time and their hosts are ours; others stay due."""
        if self.subscribe_only or self.run.time.is_ending:
            return
        wanted = [
            page
            for page in pages
            if page_key(page.url) not in self._asked and (self.shard is None or self.shard.holds(shard(page.url)))
        ]
        ours = await self.run.hosts.claim([page.url for page in wanted])
        claimed = [page for page, mine in zip(wanted, ours, strict=True) if mine]
        async for request in self._page_requests(claimed, via):
            yield request

    async def _page_requests(self, pages: Sequence[Page], via: str | None = None) -> AsyncIterator[Request]:
        """Requests for pages whose hosts are claimed, with what is known of each page."""
        wanted: dict[str, Page] = {}
        for page in pages:
            # Another feed may list it too.
            if page_key(page.url) in self._asked or (not page.kept and self._spent(page.url)):
                self.run.committer.set_aside(page.url)
            else:
                self._asked.add(page_key(page.url))
                wanted[page.url] = page
        before = await self._known(wanted.values())
        conditions = await self._conditions(
            _stored(page.url, page.etag, page.last_modified, page.validated) for page in wanted.values() if page.kept
        )
        self.run.summary.expected += len(wanted)
        self.run.report_progress()
        for page in wanted.values():
            known = before.get(page.url, Known())
            if request := await self._page_request(page, via, known, conditions.get(page.url)):
                yield request

    async def _page_request(
        self, page: Page, via: str | None, before: Known, conditions: Conditions | None
    ) -> Request | None:
        """The conditional GET of a page; None if its URL cannot be requested, which is recorded."""
        context = RequestContext(
            via=via,
            hops=self.hops,
            credentials_for=await self._credentials_for(page.feed_id),
            known=before,
            unread_since=page.read,
            may_wait=self.may_wait,
            **_conditional(conditions),
        )
        try:
            request = Request(
                page.url,
                callback=self.parse_page,
                errback=self.page_failed,
                cb_kwargs={"page": page},
                headers=conditions.headers if conditions else None,
                priority=_RECHECKS_LAST if page.kept else 0,
                meta=in_meta(context),
                dont_filter=True,
            )
        except ValueError as e:
            await self.page_visits.failed(page, str(e))
            return None
        self.run.in_flight.begin(f"page {page.url}")
        return request

    async def _known(self, pages: Iterable[Page]) -> dict[str, Known]:
        """What the archive has of these pages; empty if it cannot be read, so that texts are extracted again."""
        asked = {page.url: page.alive_record for page in pages if page.kept or page.read is not None}
        if not asked:
            return {}
        try:
            return await asyncio.to_thread(known, self.run.archive.index, asked)
        except ArchiveError as e:
            log.warning("what is known of pages is out of reach pages=%d error=%s", len(asked), e)
            return {}

    async def _conditions(self, wanted: Iterable[Conditions]) -> dict[str, Conditions]:
        """Conditions that may be sent, by URL; empty if the archive cannot be read, so that all is sent in full."""
        asked = [one for one in wanted if one.headers]
        try:
            return await asyncio.to_thread(usable, self.run.archive, asked) if asked else {}
        except ArchiveError as e:
            log.warning("asked without conditions, the archive is out of reach urls=%d error=%s", len(asked), e)
            return {}

    async def _credentials_for(self, feed_id: int | None) -> str:
        """The origin of a feed, whose credentials may be sent; empty if there are credentials for no origin."""
        if feed_id is None or not self.run.credentials.any:
            return ""
        if feed_id not in self._origins:
            feed = await self.run.call(self.run.frontier.subscription, feed_id)
            self._origins[feed_id] = origin(feed.url) if feed else ""
        return self._origins[feed_id]

    def _spent(self, url: str) -> bool:
        """Whether a registrable domain has used up its budget of new pages in this crawl; the rest stays due."""
        host = registrable_domain(host_of(url))
        if self.thorough or self._fetched[host] < self.run.options.host_budget:
            self._fetched[host] += 1
            return False
        if host not in self.run.summary.put_off:
            self.run.summary.put_off.add(host)
            log.warning("host has more new pages than one crawl fetches host=%s pages=%d", host, self._fetched[host])
        return True

    async def parse_page(self, response: Response, page: Page) -> AsyncIterator[Request]:
        """The response to a request for a post's page."""
        with self.run.in_flight.ending(f"page {page.url}"):
            answer = self._answer(response)
            await self.page_visits.answered(page, answer, context_of(response).known)
            found, allowance = await self.requisites.of_page(answer)
            for request in self._requisite_requests(found, allowance, via=answer.url, depth=1):
                yield request

    async def page_failed(self, failure: Failure) -> None:
        """A page could not be fetched."""
        page: Page = failure.request.cb_kwargs["page"]
        until = failure.value.until if isinstance(failure.value, RetryAfterError) else None
        with self.run.in_flight.ending(f"page {page.url}"):
            if isinstance(failure.value, NotSentError):
                self._not_asked(page.url, failure.value)
                self._asked.discard(page_key(page.url))
                return
            await self.page_visits.failed(page, reason(failure.value), until)

    def _not_asked(self, url: str, why: BaseException) -> None:
        """A URL was not requested after all; it stays due."""
        log.info("not requested reason=%s url=%s", why, url)
        self.run.committer.set_aside(url)

    # -- page requisites

    def _requisite_requests(
        self, found: Iterable[Requisite], allowance: Allowance, *, via: str, depth: int
    ) -> Iterable[Request]:
        """Requests for what a page or a stylesheet loads."""
        for one in found:
            context = RequestContext(via=via, hops="E")
            try:
                request = Request(
                    one.url,
                    callback=self.parse_requisite,
                    errback=self.requisite_failed,
                    cb_kwargs={"asked": one, "allowance": allowance, "depth": depth},
                    headers={"Accept": _ACCEPT_REQUISITE[one.kind]},
                    priority=_REQUISITES_LAST,
                    meta=in_meta(context, download_maxsize=self.run.options.requisite_bytes),
                    dont_filter=True,
                )
            except ValueError:
                self.run.committer.set_aside(one.url)
                continue
            self.run.in_flight.begin(f"requisite {one.url}")
            yield request

    async def parse_requisite(
        self, response: Response, asked: Requisite, allowance: Allowance, depth: int
    ) -> AsyncIterator[Request]:
        """The response with an image, stylesheet or font; a stylesheet may load more."""
        with self.run.in_flight.ending(f"requisite {asked.url}"):
            self.run.committer.set_aside(asked.url)
            answer = self._answer(response)
            found = await self.requisites.of_style(answer, asked, allowance, depth)
            for request in self._requisite_requests(found, allowance, via=answer.url, depth=depth + 1):
                yield request

    async def requisite_failed(self, failure: Failure) -> None:
        """An image, stylesheet or font could not be fetched; the page is archived nevertheless."""
        asked: Requisite = failure.request.cb_kwargs["asked"]
        with self.run.in_flight.ending(f"requisite {asked.url}"):
            log.info("requisite failed url=%s error=%s", asked.url, reason(failure.value))
            self.run.committer.set_aside(asked.url)

    def _problem(self, error: CrawlError) -> None:
        self.run.problems.append(error)


def arguments(*, url: str, shard: str, only: str, unknown: Iterable[str] = ()) -> tuple[str, ...]:
    """The URLs of a command line.

    Raises:
        UsageError: One of the arguments cannot be used.
    """
    if names := sorted(unknown):
        raise UsageError(f"{names[0]}: no such argument", hint="There are url, shard, force, only and insecure.")
    urls = tuple(dict.fromkeys(as_http(one) for one in url.split()))
    for found in urls:
        if not is_address(found):
            raise UsageError(
                f"{printable(bare(found))}: not an http or https address", hint="Write it with http:// or https://."
            )
    if only not in {"", *PARTS}:
        raise UsageError(f"only={only}: no such part of a crawl", hint=f"There are {', '.join(PARTS)}.")
    if shard:
        try:
            Shard.parse(shard)
        except ValueError as e:
            raise UsageError(str(e)) from e
    return urls


def _stored(url: str, etag: str | None, last_modified: str | None, validated: str | None) -> Conditions:
    """The conditions that the frontier has for a URL."""
    return Conditions(url=url, etag=etag, last_modified=last_modified, record=validated)


def _conditional(conditions: Conditions | None) -> dict[str, Any]:
    """Fields of a request's context for conditions."""
    if conditions is None:
        return {}
    return {"conditions": tuple(conditions.headers.items()), "validated_by": conditions.record}

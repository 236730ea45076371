"""The spider for posts older than a feed shows: reads listings, fetches posts. Rules: `crawler.backfill.listings`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from scrapy import Request

from archive.errors import TaskError
from archive.limits import URL_CHARACTERS
from archive.warc.page_identity import page_key
from crawler.backfill import listings as backfill
from crawler.backfill.as_feed import INDEX
from crawler.decide.answers import OK
from crawler.decide.entries import pages_to_fetch, seen_entries
from crawler.decide.places import page_url
from crawler.frontier.backfills import Backlog
from crawler.frontier.frontier import AT_ONCE, PagePlace, Place
from crawler.limits import BACKFILL_LISTINGS, BACKFILL_PAGES
from crawler.model.answer import Answer
from crawler.model.url_identity import shard
from crawler.model.visits import Feed, Listing, ListingVisit, Page, SeenEntry
from crawler.net.failure_reason import FORBIDDEN, reason
from crawler.net.request_context import RequestContext, in_meta
from crawler.session.host_claims import NotSentError
from crawler.session.retry_after import RetryAfterError
from crawler.spiders.blog import ACCEPT_FEED, BlogSpider

if TYPE_CHECKING:
    from scrapy.http import Response
    from twisted.python.failure import Failure

log = logging.getLogger(__name__)

_LISTINGS, _POSTS = -20, -30
"""Priorities: anything else that is due on the host comes first."""
_WAIT_SECONDS = 0.05
_POLL_SECONDS = 15.0
"""Time between two checks whether a feed on the hosts of this run has become due."""


@dataclass(slots=True)
class _Work:
    """The backfill of one feed in this run."""

    feed: Feed
    site: str
    shapes: frozenset[str]
    asked: set[str] = field(default_factory=set)
    """Known listings; each is read once."""
    kinds: set[str] = field(default_factory=set)
    posts: set[str] = field(default_factory=set)
    """Keys of the posts in this run's listings, whether known before or not."""
    aside: set[str] = field(default_factory=set)
    """Keys of the pages in this run's listings that were not taken."""
    everything: bool = False
    """Whether to take all pages in sitemaps, whatever their URLs look like."""
    found: int = 0
    """Number of posts in listings other than the feed itself, each counted once."""
    complete: bool = False
    """Whether a listing stated that it is complete."""
    failed: bool = False
    """Whether a listing must be tried again in another run."""


class BackfillSpider(BlogSpider):
    """Looks for posts older than feeds show, and fetches them.

    Args:
        url: Feeds or blogs, several separated by white space; subscribed if new. Without it, every backfill that is
            not finished.
        everything: `1`: take all pages in sitemaps, whatever their URLs look like.
    """

    name = "backfill"
    thorough = True

    def __init__(self, *args: Any, everything: str = "", **kwargs: Any) -> None:  # noqa: ANN401  Scrapy's
        super().__init__(*args, **kwargs)
        self.everything = everything not in {"", "0", "no", "false"}
        self._works: dict[int, _Work] = {}

    @property
    def backlog(self) -> Backlog:
        """The backfills in the database."""
        return Backlog(self.run.frontier.engine)

    async def requests(self) -> AsyncIterator[Any]:
        """Requests for the listings of each feed, one feed after another, then for the posts in them."""
        await self._take_credentials()
        for url in self.urls:
            if not await self.run.call(self.run.frontier.find, url) and await self._claimed(url):
                yield self._seed_request(url)
        await self._answers()
        await self.run.committer.flush()
        if self.urls:
            feed_ids = list(await self.run.call(self.run.frontier.feed_ids, self.urls))
            for feed_id in feed_ids:
                await self.run.call(self._begin, feed_id)
        else:
            feed_ids = await self.run.call(self.backlog.waiting)
        for feed_id in feed_ids:
            if self.run.time.is_ending:
                return
            async for request in self._feed_backfill(feed_id):
                yield request

    def left(self) -> Mapping[str, int]:
        """How many backfills are not finished."""
        return {"backfill": len(self.backlog.waiting())}

    def _begin(self, feed_id: int) -> None:
        feed = self.run.frontier.subscription(feed_id)
        if feed is not None and feed.listing != INDEX:
            self.backlog.ask(feed_id, (), at=self.run.now(), why="person", shown=feed.shown, everything=self.everything)

    async def _feed_backfill(self, feed_id: int) -> AsyncIterator[Request]:
        feed = await self.run.call(self.run.frontier.subscription, feed_id)
        if feed is None or feed.listing == INDEX or not await self._host_of(feed):
            return
        work = self._works[feed_id] = await self.run.call(self._work, feed)
        async for request in self._listings(work):
            yield request
        async for request in self._posts(work):
            yield request
        self.run.committer.set_aside(feed.url)
        if not work.failed and self.run.committer.failure is None:
            await self.run.call(self._end, feed_id)

    def _end(self, feed_id: int) -> None:
        if self.backlog.done(feed_id):
            self.backlog.end(feed_id, at=self.run.now())

    def _work(self, feed: Feed) -> _Work:
        """The state of a feed's backfill after earlier runs."""
        known = self.backlog.known(feed.id)
        return _Work(
            feed=feed,
            site=feed.site or urljoin(feed.url, "/"),
            shapes=backfill.shapes(self.backlog.links(feed.id)),
            asked={url for url, _, _ in known},
            kinds={kind for _, kind, _ in known},
            found=sum(found for _, kind, found in known if kind != backfill.FEED),
            everything=self.backlog.everything(feed.id),
        )

    async def _listings(self, work: _Work) -> AsyncIterator[Request]:
        """Requests for listings, stage by stage."""
        listings = await self.run.call(self.backlog.listings, work.feed.id)
        own = backfill.kind_of_feed(work.feed.listing)
        if own not in work.kinds:
            listings = [*self._more(work, [(work.feed.url, own)]), *listings]
        while True:
            for listing in listings:
                async for request in self._listing_request(work, listing):
                    yield request
            async for request in self._while_waiting():
                yield request
            await self.run.committer.flush()
            if work.complete or work.failed:
                return
            listings = self._more(work, backfill.next_stage(work.kinds, found=work.found, site=work.site))
            if not listings:
                return

    async def _posts(self, work: _Work) -> AsyncIterator[Request]:
        """Requests for posts that were found but not fetched yet."""
        place: PagePlace | None = None
        while not self._is_ending(work):
            # Also those that are due from the feed itself, since this run has claimed the host.
            due = self.run.hosts.due(feed_ids=(work.feed.id,), held=False)
            pages, more = await self.run.hosts.claim_pages(due, place)
            async for request in self._page_requests(pages):
                yield request.replace(priority=_POSTS)
            async for request in self._while_waiting():
                yield request
            await self.run.committer.flush()
            if more is None:
                return
            place = more

    def _is_ending(self, work: _Work) -> bool:
        """Whether no more may be requested, since most of the run's time is used; a later run then goes on."""
        work.failed = work.failed or self.run.time.is_ending
        return self.run.time.is_ending

    async def _host_of(self, feed: Feed) -> bool:
        """Claim a feed's host for the whole backfill; waits for it if a person started the backfill."""
        return await self._claimed(feed.url) if self.urls else (await self.run.hosts.claim([feed.url]))[0]

    async def _while_waiting(self) -> AsyncIterator[Request]:
        """Wait for all responses; visits feeds on this run's hosts that become due meanwhile."""
        feeds_at: Place = None
        waited = 0.0
        while len(self.run.in_flight):
            await asyncio.sleep(_WAIT_SECONDS)
            waited += _WAIT_SECONDS
            if waited >= _POLL_SECONDS:
                waited = 0.0
                found, place = await self.run.hosts.claim_feeds(self.run.hosts.due(held_only=True), feeds_at)
                feeds_at = place or feeds_at
                async for request in self._feed_requests(found):
                    yield request

    async def _answers(self) -> None:
        while len(self.run.in_flight):  # noqa: ASYNC110  responses come from many places
            await asyncio.sleep(_WAIT_SECONDS)

    # -- listings

    def _more(self, work: _Work, named: Iterable[tuple[str, str]], *, number: int = 0) -> list[Listing]:
        """Listings that are not known yet, up to the limit."""
        found = []
        for url, kind in named:
            if number and len(work.asked) >= BACKFILL_LISTINGS:
                log.warning("backfill stops at its limit feed=%s listings=%d", work.feed.url, len(work.asked))
                break
            if url not in work.asked and len(url) <= URL_CHARACTERS:
                work.asked.add(url)
                found.append(Listing(feed_id=work.feed.id, url=url, kind=kind, number=number))
        return found

    async def _listing_request(self, work: _Work, listing: Listing) -> AsyncIterator[Request]:
        if self.shard is not None and not self.shard.holds(shard(listing.url)):
            return
        if self._is_ending(work):
            return
        if not (await self.run.hosts.claim([listing.url]))[0]:
            work.failed = True  # another run has claimed that host
            return
        work.kinds.add(listing.kind)
        robots = listing.kind == backfill.ROBOTS
        context = RequestContext(via=work.feed.url, hops="L", ignores_robots=robots, may_wait=True)
        try:
            request = Request(
                listing.url,
                callback=self.parse_listing,
                errback=self.listing_failed,
                cb_kwargs={"listing": listing},
                headers={"Accept": ACCEPT_FEED} if listing.kind == backfill.ARCHIVE else None,
                priority=_LISTINGS,
                meta=in_meta(context),
                dont_filter=True,
            )
        except ValueError as e:
            async for following in self._follow(listing, None, backfill.Found(), error=str(e), done=True):
                yield following
        else:
            self.run.in_flight.begin(f"listing {listing.url}")
            yield request

    async def parse_listing(self, response: Response, listing: Listing) -> AsyncIterator[Any]:
        """The response to a request for a listing."""
        with self.run.in_flight.ending(f"listing {listing.url}"):
            answer = self._answer(response)
            found, error = await self._found(answer, listing)
            done = backfill.answers(response.status, listing.kind)
            async for request in self._follow(listing, answer, found, error=error, done=done):
                yield request

    async def listing_failed(self, failure: Failure) -> AsyncIterator[Any]:
        """A listing could not be fetched."""
        listing: Listing = failure.request.cb_kwargs["listing"]
        error = reason(failure.value)
        asked = not isinstance(failure.value, RetryAfterError)
        done = error == FORBIDDEN
        with self.run.in_flight.ending(f"listing {listing.url}"):
            if isinstance(failure.value, NotSentError):
                self._works[listing.feed_id].failed = True  # it goes on in a later run
                self._not_asked(listing.url, failure.value)
                return
            async for request in self._follow(listing, None, backfill.Found(), error=error, done=done, counts=asked):
                yield request

    async def _follow(
        self,
        listing: Listing,
        answer: Answer | None,
        found: backfill.Found,
        *,
        error: str | None,
        done: bool,
        counts: bool = True,
    ) -> AsyncIterator[Request]:
        """Record a visit of a listing; yields requests for what it links to.

        Args:
            listing: The listing that was visited.
            answer: The response, if there was one.
            found: Its content.
            error: What is wrong with it.
            done: Whether the response is final.
            counts: Whether an error counts towards the number after which the listing is abandoned.
        """
        work = self._works[listing.feed_id]
        failures = 0 if error is None else listing.failures + counts
        done = done or failures > self.run.options.backfill_retries
        work.failed = work.failed or not done
        work.complete = work.complete or found.complete
        urls = {url for entry in found.entries if (url := page_url(entry))}
        known = await self.run.call(self.run.frontier.pages, {*urls, *found.aside})
        if listing.kind == backfill.FEED:
            work.shapes = backfill.shapes({*urls, *await self.run.call(self.backlog.links, work.feed.id)})
        fresh, count = self._new(work, listing, found, known)
        named = found.more
        if error is not None:
            log.info("listing url=%s kind=%s error=%s", listing.url, listing.kind, error)
            named = backfill.instead(listing.kind, listing.url, feed=work.feed.url) if done else ()
        elif work.found > BACKFILL_PAGES or (listing.kind == backfill.PAGED and not count):
            named = ()  # past the end WordPress may repeat the last page endlessly
        more = self._more(work, named, number=listing.number + 1)
        visit = ListingVisit(
            feed_id=listing.feed_id,
            url=listing.url,
            kind=listing.kind,
            number=listing.number,
            at=answer.at if answer is not None else self.run.now(),
            status=answer.status if answer is not None else None,
            error=error,
            failures=failures,
            done=done,
            total=found.total,
            found=count,
            listed=len(found.entries) + len(found.aside) + found.elsewhere + len(found.more) + len(found.unread),
            aside=_aside(work, found, known),
            elsewhere=found.elsewhere,
            unread=len(found.unread),
            entries=fresh,
            more=tuple(more),
            record=answer.row.record if answer is not None and answer.row else None,
        )
        await self.run.committer.visited_listing(visit, answer.row if answer is not None else None)
        for following in more:
            async for request in self._listing_request(work, following):
                yield request
        if len(self.run.in_flight) < AT_ONCE:
            record, at = (answer.row.record if answer and answer.row else None), visit.at
            found_pages = pages_to_fetch(fresh, work.feed, {}, record=record, at=at)
            wanted = [replace(page, backfill=True) for page in found_pages]
            async for request in self._new_pages(wanted, via=listing.url):
                yield request.replace(priority=_POSTS)

    def _new(
        self, work: _Work, listing: Listing, found: backfill.Found, known: Mapping[str, Page]
    ) -> tuple[tuple[SeenEntry, ...], int]:
        """Entries of a listing whose pages are not known, and the number of posts that no earlier listing had."""
        urls = {url for entry in found.entries if (url := page_url(entry))}
        keys = {page_key(url) for url in urls} - work.posts
        work.posts |= keys
        room = BACKFILL_PAGES - work.found
        if listing.kind != backfill.FEED:
            work.found += len(keys)
        if work.found > BACKFILL_PAGES:
            log.warning("backfill stops at its limit feed=%s posts=%d", work.feed.url, work.found)
        seen = seen_entries(found.entries, {}, known, at=self.run.now())
        return tuple(one for one in seen if one.url and one.url not in known)[: max(0, room)], len(keys)

    async def _found(self, answer: Answer, listing: Listing) -> tuple[backfill.Found, str | None]:
        """The content of a listing, and what is wrong with it."""
        work = self._works[listing.feed_id]
        if answer.status != OK:
            return backfill.Found(), f"answered {answer.status}"
        try:
            found: backfill.Found = await self.run.texts.work(
                backfill.read,
                body=answer.body,
                url=answer.url,
                kind=listing.kind,
                headers=dict(answer.headers),
                shapes=work.shapes,
                site=work.site,
                everything=work.everything,
            )
        except TaskError as e:
            return backfill.Found(), str(e).removeprefix(f"{answer.url}: ")
        return found, None


def _aside(work: _Work, found: backfill.Found, known: Mapping[str, Page]) -> int:
    """The number of pages in a listing that are not taken, and that no other listing had."""
    keys = {page_key(url) for url in found.aside if url not in known} - work.aside - work.posts
    work.aside |= keys
    return len(keys)

"""Seeds: the URLs that a person gives, each a feed or a page that links to one."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from archive.errors import TaskError
from archive.settings import setting
from crawler import discover
from crawler.backfill.as_feed import parse_listing
from crawler.decide import deleted_posts
from crawler.decide.answers import GONE, OK
from crawler.discover import FeedLink
from crawler.errors import CrawlError, FetchError, NoFeedError, PrivateAddressError
from crawler.feeds import is_meant_as_feed, parse
from crawler.feeds.model import ParsedFeed
from crawler.limits import DISCOVERY_REQUESTS, GUESSES_INSTEAD, LISTING_REQUESTS, LISTING_REQUESTS_INSTEAD, REASONS
from crawler.model.answer import Answer
from crawler.model.url_identity import host_of, registrable_domain
from crawler.model.visits import Feed
from crawler.session.run import Run
from crawler.spiders.listing_seeds import Ask, Found, ListingSeeds

log = logging.getLogger(__name__)

_PASSING = frozenset({408, 425, 429})
"""Statuses below 500 that mean: try again later."""
_NOT_THERE = frozenset({404, 410})
_LASTING = 500
"""Statuses from here on mean that the server has failed for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """A declared feed that could not be had."""

    url: str
    reason: str
    lasting: bool
    """Whether trying again later is pointless."""
    dead: bool = False
    """Whether there is nothing at that address that may be the feed: the link is a mistake of the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Behind:
    """What a page's links to feeds led to."""

    found: Found | None = None
    refusals: tuple[_Refusal, ...] = ()
    """Declared feeds that were tried before."""

    @property
    def is_open(self) -> bool:
        """Whether the page has told nothing of where its feed is: no feed is declared, or links to it are dead."""
        return all(refusal.dead for refusal in self.refusals)


class Seeds:
    """Finds the feed behind a URL, or else a listing of posts, and subscribes to it.

    Args:
        run: What the components of this crawl share.
        ask: Requests one URL.
        feed: The Accept header for a URL that may be a feed.
        page: The Accept header for other documents.
    """

    def __init__(self, run: Run, ask: Ask, *, feed: bytes, page: bytes) -> None:
        self._run = run
        self._ask = ask
        self._accept = feed
        self._listings = ListingSeeds(run, ask, page)

    async def found(self, answer: Answer, seed: str) -> tuple[Found, ...]:
        """The feed in a response, or the one that its page links to, or else the listings of its blog.

        Raises:
            CrawlError: There is nothing to subscribe to, or it cannot be parsed.
        """
        try:
            parsed = await self._as_feed(answer)
        except TaskError as e:  # it is a feed, so do not search for another
            raise FetchError(f"cannot be read as a feed: {reason_of(answer, e)}", url=seed) from e
        if parsed is not None:
            return (Found(answer=answer, parsed=parsed),)
        if answer.status != OK:
            raise FetchError(f"answered {answer.status}", url=seed)
        behind = await self._behind(answer)
        if behind.found is not None:
            return (behind.found,)
        why = _why(behind.refusals)
        if any(not refusal.lasting for refusal in behind.refusals):
            raise FetchError(f"its feed cannot be had now: {why}", url=seed, hint="Try again later.")
        requests = LISTING_REQUESTS if behind.is_open else LISTING_REQUESTS_INSTEAD
        asks_password = deleted_posts.asks_password(answer.body)
        listings = () if asks_password else await self._listings.found(answer, requests=requests)
        if not listings:
            if why:
                raise FetchError(f"its feed cannot be had: {why}", url=seed)
            raise NoFeedError("no feed was found there, and no sitemap or archive page that lists posts", url=seed)
        instead = f"its feed cannot be had ({why})" if why else "no feed"
        self._run.remarks.append(f"{seed}: {instead}; subscribed to {'; '.join(one.words for one in listings)}")
        return listings

    async def followed(self, feed: Feed, answer: Answer) -> None:
        """Subscribe to what is new in a listing of listings; nothing for others."""
        await self._listings.followed(feed, answer)

    async def subscribe(self, found: Found, seed: str, *, unverified: bool | None) -> Feed:
        """Subscribe to what was found; `unverified`: stop or resume verifying the certificate of its host."""
        frontier, url = self._run.frontier, found.answer.lasting_url
        feed = await self._run.call(frontier.subscribe, url, seed=seed, now=self._run.now(), listing=found.listing)
        if unverified is not None:
            await self._run.call(frontier.trust, feed.url, unverified=unverified)
        log.info("subscribed feed=%s seed=%s listing=%s", feed.url, seed, found.listing)
        return feed

    async def is_feed(self, answer: Answer) -> bool:
        """Whether a response is a feed."""
        try:
            return await self._as_feed(answer) is not None
        except TaskError:
            return True

    async def declared_links(self, page: Answer) -> list[FeedLink]:
        """The feeds that a page declares, without those of comments; they have not been requested."""
        return [link for link in await self._links(page) if link.declared and not link.comments]

    async def first(self, links: list[FeedLink], page: Answer) -> Found | None:
        """The first of these links that leads to a feed."""
        return (await self._first(links, page)).found

    async def _links(self, page: Answer) -> list[FeedLink]:
        try:
            found: list[FeedLink] = await self._run.texts.work(
                discover.links, body=page.body, url=page.url, headers=dict(page.headers)
            )
        except TaskError as e:
            log.warning("page cannot be searched for feeds url=%s error=%s", page.url, e)
            return []
        return found

    async def _behind(self, page: Answer) -> _Behind:
        """The first feed that a page links to, else one at the usual addresses."""
        links = await self._links(page)
        behind = await self._first(links, page)
        # Links to feeds may be dead. Behind a login, or if a feed is there and cannot be had, guessing is pointless.
        if behind.found is not None or not behind.is_open or deleted_posts.asks_password(page.body):
            return behind
        known = {link.url for link in links}
        guesses = [FeedLink(url=url, declared=False) for url in discover.guesses(page.url) if url not in known]
        requests = GUESSES_INSTEAD if behind.refusals else DISCOVERY_REQUESTS - len(links)
        more = await self._first(guesses[:requests], page)
        return replace(more, refusals=behind.refusals)

    async def _first(self, links: list[FeedLink], page: Answer) -> _Behind:
        """The first of these that is a feed."""
        refusals: list[_Refusal] = []
        for link in links:
            if link.comments and any(not refusal.lasting for refusal in refusals):
                continue  # the blog's own feed exists
            found = await self._at(link, page)
            if isinstance(found, Found):
                return _Behind(found=found, refusals=tuple(refusals))
            if link.declared and not link.comments:
                refusals.append(found)
            log.info("no feed url=%s reason=%s", link.url, found.reason)
        return _Behind(refusals=tuple(refusals))

    async def _at(self, link: FeedLink, page: Answer) -> Found | _Refusal:
        """The feed that a link leads to, or why there is none."""
        try:
            answer = await self._ask(link.url, via=page.url, accept=self._accept)
        except FetchError as e:
            return _Refusal(url=link.url, reason=e.reason, lasting=e.lasting)
        if answer.status != OK:
            status = answer.status or 0
            lasting = status in GONE or (status < _LASTING and status not in _PASSING)
            dead = status in _NOT_THERE
            return _Refusal(url=link.url, reason=f"answered {answer.status}", lasting=lasting, dead=dead)
        try:
            parsed = await self._as_feed(answer)
        except TaskError as e:
            return _Refusal(url=link.url, reason=reason_of(answer, e), lasting=True)
        if parsed is None:
            return _Refusal(url=link.url, reason=_what(answer), lasting=True, dead=_is_page(answer))
        if link.elsewhere and not _is_of(parsed, page.url):
            return _Refusal(url=link.url, reason="is the feed of another site", lasting=True, dead=True)
        return Found(answer=answer, parsed=parsed)

    async def _as_feed(self, answer: Answer) -> ParsedFeed | None:
        """The feed in a response, or None.

        Raises:
            TaskError: It begins like a feed but cannot be parsed.
        """
        if answer.status != OK or not answer.body:
            return None
        try:
            return await parsed_feed(self._run, answer)
        except TaskError:
            if is_meant_as_feed(answer.body):
                raise
            return None


def _is_of(parsed: ParsedFeed, url: str) -> bool:
    """Whether a feed is that of the site of a URL: it says so, or its posts are there."""
    site = registrable_domain(host_of(url))
    named = [parsed.feed.link, *(entry.page for entry in parsed.entries)]
    return any(one and registrable_domain(host_of(one)) == site for one in named)


def _what(answer: Answer) -> str:
    """What a response is that is not a feed."""
    if not answer.body:
        return "is empty"
    return "is an HTML page, not a feed" if _is_page(answer) else "is not a feed"


def _is_page(answer: Answer) -> bool:
    """Whether a response says that it is an HTML page."""
    kind = (answer.content_type or "").partition(";")[0].strip().lower()
    return kind in {"text/html", "application/xhtml+xml"}


def _why(refusals: tuple[_Refusal, ...]) -> str:
    """The declared feeds and the reason of each, in one line."""
    named = [f"{refusal.url}: {refusal.reason}" for refusal in refusals[:REASONS]]
    if len(refusals) > REASONS:
        named.append(f"and {len(refusals) - REASONS} more")
    return "; ".join(named)


async def parsed_feed(run: Run, answer: Answer, feed: Feed | None = None) -> ParsedFeed:
    """The feed document in a response, or the listing that stands for one, parsed in a worker process.

    Raises:
        TaskError: It cannot be parsed.
    """
    values = {"body": answer.body, "url": answer.url, "content_type": answer.content_type}
    if feed is not None and feed.listing is not None:
        values |= {"kind": feed.listing, "site": feed.site}
    parsed: ParsedFeed = await run.texts.work(
        parse_listing if "kind" in values else parse,
        deadline_seconds=run.options.feed_seconds,
        deadline_setting=setting("feed_seconds"),
        **values,
    )
    return parsed


def reason_of(answer: Answer, error: TaskError) -> str:
    """The error message without the URL that it begins with."""
    return str(error).removeprefix(f"{answer.url}: ")


def failed(url: str, error: BaseException, reason: str) -> CrawlError:
    """The error for a URL that a person named but that could not be fetched."""
    kind = PrivateAddressError if isinstance(error, PrivateAddressError) else FetchError
    return kind(reason, url=url)

"""Listings behind a URL that a person gave, for a blog without a feed: sitemap, WordPress's API, archive page."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from archive.errors import TaskError
from crawler.backfill import as_feed, sitemap, wordpress
from crawler.backfill.as_feed import INDEX, LINKS, SITEMAP, WORDPRESS, Declared, Read
from crawler.backfill.url_shapes import same_site
from crawler.decide.answers import OK
from crawler.errors import FetchError
from crawler.feeds import is_meant_as_feed, parse
from crawler.feeds.model import ParsedFeed
from crawler.limits import LISTING_REQUESTS, LISTING_SUBSCRIPTIONS
from crawler.model.answer import Answer
from crawler.model.visits import Feed
from crawler.session.run import Run

log = logging.getLogger(__name__)

_ENOUGH = 10
"""Posts of one sitemap that suffice, as many as a feed shows; older ones are a matter of backfill."""
_EVIDENT = 3
"""Posts with evident addresses that a sitemap must have if its name promises none."""
_SHOWN = 5
"""Addresses that are named as examples."""
_ARCHIVES = 2
"""Archive pages that are tried."""
_NAMES = {SITEMAP: "sitemap", WORDPRESS: "WordPress API", LINKS: "page of links"}


class Ask(Protocol):
    """Requests one URL."""

    def __call__(
        self, url: str, *, via: str, accept: bytes | None = None, ignores_robots: bool = False
    ) -> Awaitable[Answer]:
        """The response.

        Raises:
            FetchError: There is none.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is behind a seed: a feed, or a listing that is read as one."""

    answer: Answer
    parsed: ParsedFeed
    listing: str | None = None
    """Its kind; None: a feed."""
    words: str = ""
    """What was found in a listing, for the person who gave the seed."""


@dataclass(slots=True)
class _Search:
    """The search for the listings of one blog."""

    page: Answer
    left: int
    """Requests that may still be made."""


class ListingSeeds:
    """Finds the listings of a blog that has no feed.

    Args:
        run: What the components of this crawl share.
        ask: Requests one URL.
        accept: The Accept header for pages.
    """

    def __init__(self, run: Run, ask: Ask, accept: bytes) -> None:
        self._run = run
        self._ask = ask
        self._accept = accept

    async def found(self, page: Answer, *, requests: int = LISTING_REQUESTS) -> tuple[Found, ...]:
        """The listings to subscribe to in place of a feed: of the first kind that lists posts; none if there is none.

        Args:
            page: The response for the URL that the person gave.
            requests: How many may be made.
        """
        search = _Search(page, requests)
        kind = await self._work(as_feed.kind_of, page, body=page.body, url=page.url)
        if kind is not None:  # the person gave the listing itself
            return (
                await self._of_sitemap(search, page) if kind in {SITEMAP, INDEX} else await self._of(search, kind, page)
            )
        stated = await self._declared(page)
        tries: list[Callable[[], Awaitable[tuple[Found, ...]]]] = [
            partial(self._of_sitemaps, search),
            partial(self._of_api, search, wordpress.api_of(page.url)),
            partial(self._of_links, search, stated.archives),
        ]
        if stated.api:
            tries[:0] = [partial(self._of_api, search, stated.api)]
        for found in tries:
            if listings := await found():
                return tuple(_titled(one, stated.title, page.url) for one in listings)
        return ()

    async def followed(self, feed: Feed, answer: Answer) -> None:
        """Subscribe to sitemaps that are new in an index and continue one that is subscribed to.

        What they continue is complete, so it is paused.
        """
        if feed.listing != INDEX or answer.status != OK:
            return
        read = await self._read(INDEX, answer, feed.site)
        if read is None:
            return
        frontier, now = self._run.frontier, self._run.now()
        ours = {one.url: one for one in await self._run.call(frontier.subscriptions) if one.listing == SITEMAP}
        for members in read.families:
            fresh = as_feed.continuing(members, ours)
            for url in fresh[:LISTING_SUBSCRIPTIONS]:
                await self._run.call(frontier.subscribe, url, seed=None, now=now, listing=SITEMAP, site=feed.site)
                log.info("subscribed feed=%s index=%s", url, feed.url)
            for one in members if fresh else ():
                if one.url in ours:
                    await self._run.call(frontier.pause, one.url, paused=True)

    # -- kinds of listings

    async def _of(self, search: _Search, kind: str, answer: Answer | None) -> tuple[Found, ...]:
        """A listing in a response, if it lists posts."""
        read = await self._read(kind, answer, search.page.url)
        if read is None or answer is None or not read.parsed.entries:
            return ()
        return (Found(answer=answer, parsed=read.parsed, listing=kind, words=_words(kind, answer.url, read)),)

    async def _of_api(self, search: _Search, api: str) -> tuple[Found, ...]:
        return await self._of(search, WORDPRESS, await self._get(search, wordpress.newest_url(api)))

    async def _of_sitemaps(self, search: _Search) -> tuple[Found, ...]:
        """The sitemaps in robots.txt, else the usual ones."""
        robots = await self._get(search, urljoin(search.page.url, "/robots.txt"), ignores_robots=True)
        named: Iterable[tuple[str, str]] = sitemap.usual_sitemaps(search.page.url)
        if robots is not None:
            listed = await self._work(sitemap.read_robots, robots, body=robots.body, url=robots.url)
            named = listed.more if listed is not None else named
        for url in sorted((url for url, _ in named), key=sitemap.lacks_posts):
            if found := await self._of_sitemap(search, await self._get(search, url)):
                return found
        return ()

    async def _of_sitemap(self, search: _Search, answer: Answer | None) -> tuple[Found, ...]:
        """A sitemap that lists posts, or those of an index that do, with the index."""
        if answer is None:
            return ()
        if is_meant_as_feed(answer.body):  # sitemaps.org allows feeds in place of sitemaps
            parsed = await self._work(parse, answer, body=answer.body, url=answer.url, content_type=answer.content_type)
            return () if parsed is None else (Found(answer=answer, parsed=parsed, words=f"{answer.url} (feed)"),)
        index = await self._read(INDEX, answer)
        if index is None:
            return await self._of(search, SITEMAP, answer)
        found: list[Found] = []
        for members in index.families:
            names = tuple(one.url for one in members)
            if same_site(names[0], answer.url) and not (found and sitemap.lacks_posts(names[0])):
                found += await self._of_family(search, names)
        if not found:
            return ()
        whole = Found(answer=answer, parsed=index.parsed, listing=INDEX, words=f"{answer.url}: its index, for new ones")
        return (*found, whole)

    async def _of_family(self, search: _Search, members: tuple[str, ...]) -> list[Found]:
        """The newest sitemaps of one name, until they list about as many posts as a feed."""
        found: list[Found] = []
        for url in members[:LISTING_SUBSCRIPTIONS]:
            answer = await self._get(search, url)
            read = await self._read(SITEMAP, answer, search.page.url)
            if read is None or answer is None or not read.parsed.entries:
                break
            if sitemap.lacks_posts(url) and read.likely.evident < _EVIDENT:
                break
            found.append(
                Found(answer=answer, parsed=read.parsed, listing=SITEMAP, words=_words(SITEMAP, answer.url, read))
            )
            if sum(len(one.parsed.entries) for one in found) >= _ENOUGH:
                break
        return found

    async def _of_links(self, search: _Search, archives: tuple[str, ...]) -> tuple[Found, ...]:
        """The page itself if it links to posts, else the pages that it calls its archive, else the usual ones."""
        page = search.page
        if found := await self._of_page(search, page):
            return found
        usual = [urljoin(page.url, f"/{name}") for name in ("archive", "archives", "blog")]
        for url in dict.fromkeys([*[one for one in archives if same_site(one, page.url)][:_ARCHIVES], *usual]):
            if url != page.url and (found := await self._of_page(search, await self._get(search, url))):
                return found
        return ()

    async def _of_page(self, search: _Search, answer: Answer | None) -> tuple[Found, ...]:
        read = await self._read(LINKS, answer, search.page.url)
        if read is None or answer is None or not as_feed.is_list_of_posts(read):
            return ()
        return (Found(answer=answer, parsed=read.parsed, listing=LINKS, words=_words(LINKS, answer.url, read)),)

    # -- requests and worker processes

    async def _get(self, search: _Search, url: str, *, ignores_robots: bool = False) -> Answer | None:
        """The response with a document; None if there is none, or no request is left."""
        if search.left <= 0:
            return None
        search.left -= 1
        try:
            answer = await self._ask(url, via=search.page.url, accept=self._accept, ignores_robots=ignores_robots)
        except FetchError as e:
            log.info("no listing url=%s reason=%s", url, e.reason)
            return None
        return answer if answer.status == OK and answer.body else None

    async def _declared(self, page: Answer) -> Declared:
        found: Declared | None = await self._work(
            as_feed.declared,
            page,
            body=page.body,
            url=page.url,
            content_type=page.content_type,
            link=page.headers.get("link"),
        )
        return found or Declared()

    async def _read(self, kind: str, answer: Answer | None, site: str | None = None) -> Read | None:
        """The listing of that kind in a response; None if it has none."""
        if answer is None:
            return None
        read: Read | None = await self._work(
            as_feed.read_listing,
            answer,
            kind=kind,
            body=answer.body,
            url=answer.url,
            content_type=answer.content_type,
            site=site,
        )
        return read

    async def _work(self, function: object, answer: Answer, **values: object) -> Any:  # noqa: ANN401  the function's own
        try:
            return await self._run.texts.work(function, **values)
        except TaskError as e:
            log.info("no listing url=%s reason=%s", answer.url, e)
            return None


def _titled(found: Found, title: str | None, site: str) -> Found:
    """A listing with the title and address of the page that led to it: it states none itself."""
    if found.listing is None:
        return found
    feed = replace(found.parsed.feed, title=title, words=title, link=site)
    return replace(found, parsed=replace(found.parsed, feed=feed))


def _words(kind: str, url: str, read: Read) -> str:
    posts, others = len(read.likely.posts), read.likely.others
    words = f"{url} ({_NAMES[kind]}): {posts} addresses look like posts"
    if others:
        examples = ", ".join(urlsplit(one).path or "/" for one in others[:_SHOWN])
        words += f", {len(others)} do not: {examples}{', …' if len(others) > _SHOWN else ''}"
    return words

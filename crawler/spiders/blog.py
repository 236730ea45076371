"""The spider: due feeds in, captures and texts of their posts out. Rules are in `crawler.decide`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider

from archive.errors import TaskError
from archive.extract import extract
from archive.faces import printable
from archive.text import Text
from crawler import decide, discover
from crawler.errors import CrawlError, FetchError, NoFeedError, PrivateAddressError, UsageError
from crawler.failure import reason
from crawler.feeds import ParsedFeed, parse
from crawler.freshness import retry_after
from crawler.frontier import shard
from crawler.held import READ
from crawler.holds import HeldError
from crawler.opml import is_address
from crawler.run import Run
from crawler.visit import Feed, Page, Shard
from crawler.wire import CAPTURE, HOPS, VIA

if TYPE_CHECKING:
    from scrapy.http import Response
    from twisted.python.failure import Failure

log = logging.getLogger(__name__)

_ACCEPT_FEED = b"application/atom+xml,application/rss+xml,application/feed+json,application/xml;q=0.9,*/*;q=0.8"
_PERMANENT = frozenset({301, 308})


class BlogSpider(Spider):
    """Visits feeds and fetches what is new in them.

    Args:
        url: A feed or a blog's page, several separated by white space; subscribed if new. Without it, every due feed.
        shard: `3/16`: of the due feeds those of one shard.
        force: `1`: feeds that are not due as well.
        only: `subscribe`: find and read the feeds, fetch no posts yet.
    """

    name = "blog"

    def __init__(
        self,
        *args: Any,  # noqa: ANN401  Scrapy's
        url: str = "",
        shard: str = "",
        force: str = "",
        only: str = "",
        **kwargs: Any,  # noqa: ANN401  Scrapy's
    ) -> None:
        super().__init__(*args, **kwargs)
        self.urls = arguments(url=url, shard=shard, only=only, unknown=kwargs)
        self.shard = Shard.parse(shard) if shard else None
        self.force = force not in {"", "0", "no", "false"}
        self.subscribe_only = only == "subscribe"
        self._asked: set[str] = set()

    @property
    def run(self) -> Run:
        """What the components of this crawl share."""
        return Run.of(self.crawler)

    async def start(self) -> AsyncIterator[Any]:
        """Requests for what is due, or for what was named."""
        for url in self.urls:
            known = self.run.frontier.find(url)
            for feed in known:
                yield self._feed_request(feed, seed=url)
            if not known:
                yield Request(
                    url,
                    callback=self.parse_seed,
                    errback=self.seed_failed,
                    cb_kwargs={"seed": url},
                    dont_filter=True,
                )
            async for request in self._page_requests(self._due_pages([feed.id for feed in known])):
                yield request
        if self.urls:
            return
        async for request in self._page_requests(self._due_pages(None)):
            yield request
        for feed in self.run.frontier.due_feeds(None if self.force else self.run.now(), self.shard):
            yield self._feed_request(feed)

    # -- finding feeds

    async def parse_seed(self, response: Response, seed: str) -> AsyncIterator[Any]:
        """The URL that a person gave: a feed, or a page that leads to one."""
        found = await self._as_feed(response)
        feed_url = _lasting_url(response)
        if found is None:
            if response.status != decide.OK:
                self._problem(FetchError(f"answered {response.status}", url=seed))
                return
            headers = _headers(response)
            try:
                candidates = await self.run.work(discover.feeds, body=response.body, url=response.url, headers=headers)
            except TaskError as e:
                log.warning("page cannot be searched for feeds url=%s error=%s", response.url, e)
                candidates = []
            for url in candidates or discover.guesses(response.url):
                candidate = await self._try(url, via=response.url)
                found = await self._as_feed(candidate) if candidate is not None else None
                if found is not None and candidate is not None:
                    response, feed_url = candidate, _lasting_url(candidate)
                    break
        if found is None:
            self._problem(NoFeedError("no feed was found there", url=seed))
            return
        feed = self.run.frontier.subscribe(feed_url, seed=seed, now=self.run.now())
        log.info("subscribed feed=%s seed=%s", feed.url, seed)
        async for request in self._read(feed, response, found):
            yield request

    def seed_failed(self, failure: Failure) -> None:
        """The URL that a person gave could not be fetched."""
        self._problem(_asked_for(failure.request.cb_kwargs["seed"], failure.value))

    async def _try(self, url: str, *, via: str) -> Response | None:
        """The answer to a request for what may be a feed, or None."""
        try:
            engine = self.crawler.engine
            assert engine is not None  # callbacks run while it does
            return await engine.download_async(Request(url, meta={VIA: via, HOPS: "L"}))
        except Exception as e:  # noqa: BLE001  one address of several that may be wrong
            log.info("no feed url=%s reason=%s", url, reason(e))
            return None

    async def _as_feed(self, response: Response) -> ParsedFeed | None:
        if response.status != decide.OK or not response.body:
            return None
        try:
            return await self._parsed(response)
        except TaskError:
            return None

    async def _parsed(self, response: Response) -> ParsedFeed:
        kind = _content_type(response)
        parsed: ParsedFeed = await self.run.work(parse, body=response.body, url=response.url, content_type=kind)
        return parsed

    # -- reading feeds

    def _feed_request(self, feed: Feed, seed: str | None = None) -> Request:
        return Request(
            feed.url,
            callback=self.parse_feed,
            errback=self.feed_failed,
            cb_kwargs={"feed": feed, "seed": seed},
            headers={"Accept": _ACCEPT_FEED, **_conditional(feed.etag, feed.last_modified)},
            dont_filter=True,
        )

    async def parse_feed(self, response: Response, feed: Feed, seed: str | None) -> AsyncIterator[Any]:
        """The answer to a visit of a feed."""
        if response.status == decide.NOT_MODIFIED:
            await self._visited(feed, response)
            return
        error = None if response.status == decide.OK else f"answered {response.status}"
        parsed: ParsedFeed | None = None
        if error is None:
            try:
                parsed = await self._parsed(response)
            except TaskError as e:
                error = str(e).removeprefix(f"{response.url}: ")
        if parsed is None:
            await self._visited(feed, response, error=error)
            if seed:
                self._problem(FetchError(error or "is no feed", url=seed))
            return
        async for request in self._read(feed, response, parsed):
            yield request

    async def feed_failed(self, failure: Failure) -> None:
        """A feed could not be fetched."""
        feed: Feed = failure.request.cb_kwargs["feed"]
        seed: str | None = failure.request.cb_kwargs["seed"]
        error = reason(failure.value)
        visit = decide.after_feed(feed, at=self.run.now(), pace=self.run.options.pace, status=None, error=error)
        if isinstance(failure.value, HeldError):  # it was not asked, so that it did not fail
            visit = replace(visit, failures=feed.failures, due=failure.value.until)
        await self.run.visited_feed(visit)
        if seed:
            self._problem(_asked_for(seed, failure.value))

    async def _read(self, feed: Feed, response: Response, parsed: ParsedFeed) -> AsyncIterator[Request]:
        """Remember a feed's entries; requests for the pages of those that are new or changed."""
        frontier = self.run.frontier
        known = frontier.digests(feed.id, [key for key in decide.keys(parsed.entries) if key])
        pages = frontier.pages({entry.link for entry in parsed.entries if entry.link})
        seen = decide.seen_entries(parsed.entries, known, pages, parsed.feed.language)
        await self._visited(feed, response, parsed=parsed, seen=seen)
        if self.subscribe_only:
            return
        wanted = (decide.page_of(entry, feed, pages.get(entry.url or "")) for entry in seen)
        async for request in self._page_requests((page for page in wanted if page), via=response.url):
            yield request

    async def _visited(self, feed: Feed, response: Response, **found: Any) -> None:  # noqa: ANN401  as decide.after_feed
        await self.run.visited_feed(
            decide.after_feed(
                feed,
                at=_date(response, self.run),
                pace=self.run.options.pace,
                status=response.status,
                headers=_told(response),
                moved_to=_lasting_url(response) if response.meta.get("redirect_urls") else None,
                chance=self.run.chance(),
                **found,
            ),
            response.meta.get(CAPTURE),
        )

    # -- fetching pages

    def _due_pages(self, feed_ids: list[int] | None) -> Iterable[Page]:
        if self.subscribe_only:
            return ()
        return self.run.frontier.due_pages(self.run.now(), part=self.shard, feed_ids=feed_ids)

    async def _page_requests(self, pages: Iterable[Page], via: str | None = None) -> AsyncIterator[Request]:
        for page in pages:
            if page.url in self._asked:
                continue  # another feed shows it too
            if self.shard is not None and not self.shard.holds(shard(page.url)):
                continue  # another run has its host
            self._asked.add(page.url)
            self.run.expect(1)
            try:
                yield Request(
                    page.url,
                    callback=self.parse_page,
                    errback=self.page_failed,
                    cb_kwargs={"page": page},
                    headers=_conditional(page.etag, page.last_modified) if page.kept else None,
                    meta={VIA: via, HOPS: "L", READ: page.read},
                    dont_filter=True,
                )
            except ValueError as e:
                await self._page_gone_wrong(page, str(e))

    async def parse_page(self, response: Response, page: Page) -> None:
        """The answer to a request for a post's page."""
        row = response.meta.get(CAPTURE)
        text: Text | None = None
        error = None if response.status in {decide.OK, decide.NOT_MODIFIED} else f"answered {response.status}"
        if response.status == decide.OK and not self.run.has_text(row):
            try:
                text = await self.run.work(
                    extract,
                    payload=response.body,
                    url=response.url,
                    content_type=_content_type(response),
                    date=_date(response, self.run),
                    entry=page.entry,
                )
            except TaskError as e:
                error = f"no text: {e}"
                log.warning("no text url=%s error=%s", response.url, e)
        visit = decide.after_page(
            page,
            at=_date(response, self.run),
            status=response.status,
            error=error,
            etag=_validator(response, "ETag"),
            last_modified=_validator(response, "Last-Modified"),
            not_before=self._asked_to_wait(response),
        )
        await self.run.visited_page(visit, held=page.kept, row=row, text=text)

    async def page_failed(self, failure: Failure) -> None:
        """A page could not be fetched."""
        until = failure.value.until if isinstance(failure.value, HeldError) else None
        await self._page_gone_wrong(failure.request.cb_kwargs["page"], reason(failure.value), until)

    def _asked_to_wait(self, response: Response) -> datetime | None:
        now = self.run.now()
        wait = retry_after(_header(response, "Retry-After"), at=now) if response.status != decide.OK else None
        return now + wait if wait else None

    async def _page_gone_wrong(self, page: Page, error: str, not_before: datetime | None = None) -> None:
        log.warning("page failed url=%s error=%s", page.url, error)
        visit = decide.after_page(page, at=self.run.now(), status=None, error=error, not_before=not_before)
        await self.run.visited_page(visit, held=page.kept)

    def _problem(self, error: CrawlError) -> None:
        self.run.problems.append(error)


def arguments(*, url: str, shard: str, only: str, unknown: Iterable[str] = ()) -> tuple[str, ...]:
    """The URLs of a command line.

    Raises:
        UsageError: One of the arguments cannot be used.
    """
    if names := sorted(unknown):
        raise UsageError(f"{names[0]}: no such argument", hint="There are url, shard, force and only.")
    urls = tuple(dict.fromkeys(url.split()))
    for found in urls:
        if not is_address(found):
            raise UsageError(
                f"{printable(found)}: not an http or https address", hint="Write it with http:// or https://."
            )
    if only not in {"", "subscribe"}:
        raise UsageError(f"only={only}: no such part of a crawl", hint="There is only=subscribe.")
    if shard:
        try:
            Shard.parse(shard)
        except ValueError as e:
            raise UsageError(str(e)) from e
    return urls


def _asked_for(url: str, error: BaseException) -> CrawlError:
    kind = PrivateAddressError if isinstance(error, PrivateAddressError) else FetchError
    return kind(reason(error), url=url)


def _lasting_url(response: Response) -> str:
    """The URL to subscribe to: past redirects that are permanent, before the first that is not."""
    urls = [*response.meta.get("redirect_urls", []), response.url]
    for at, status in enumerate(response.meta.get("redirect_reasons", [])):
        if status not in _PERMANENT:
            return str(urls[at])
    return str(urls[-1])


def _conditional(etag: str | None, last_modified: str | None) -> dict[str, bytes]:
    """Validators byte for byte as they came (RFC 9110 §13.1)."""
    pairs = (("If-None-Match", etag), ("If-Modified-Since", last_modified))
    return {name: value.encode("latin-1") for name, value in pairs if value}


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None


def _told(response: Response) -> dict[str, str]:
    """Headers with names in lower case, without the validators of a URL that was redirected to."""
    told = _headers(response)
    for name in ("etag", "last-modified"):
        if value := _validator(response, name):
            told[name] = value
        else:
            told.pop(name, None)
    return told


def _validator(response: Response, name: str) -> str | None:
    """A validator for the URL that was asked for; none after a redirect, where it is another URL's."""
    return None if response.meta.get("redirect_urls") else _header(response, name)


def _headers(response: Response) -> dict[str, str]:
    """Headers with names in lower case, those of one name joined."""
    pairs = response.headers.items()
    return {name.decode("latin-1").lower(): b", ".join(values).decode("latin-1") for name, values in pairs}


def _content_type(response: Response) -> str | None:
    return _header(response, "Content-Type")


def _date(response: Response, run: Run) -> datetime:
    """When the exchange began: the date of its capture."""
    row = response.meta.get(CAPTURE)
    return row.date if row else run.now()

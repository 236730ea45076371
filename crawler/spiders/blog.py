"""The spider: due feeds in, captures and texts of their posts out. Rules are in `crawler.decide.feed`."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from scrapy import Request, Spider

from archive.errors import ArchiveError, TaskError
from archive.extract.pipeline import extract
from archive.extract.requisites import Requisite, of_style, requisites
from archive.extract.text import Entry, Text
from archive.index.from_records import HeldText
from archive.index.schema import CaptureRow
from archive.runtime.console import printable
from crawler import discover
from crawler.decide import deleted_posts
from crawler.decide.answers import NOT_MODIFIED, OK, PARTIAL
from crawler.decide.entries import keys, page_of, page_url, seen_entries
from crawler.decide.feed import after_feed, validators
from crawler.decide.freshness import retry_after
from crawler.decide.page import after_page
from crawler.downloader.unread_captures import READ
from crawler.downloader.wire import CAPTURE, HOPS, ON_BEHALF, VIA
from crawler.errors import CrawlError, FetchError, NoFeedError, PrivateAddressError, UsageError
from crawler.feeds import accept_header, is_meant_as_feed, parse
from crawler.feeds.model import ParsedFeed
from crawler.frontier.frontier import AT_ONCE, Frontier, Place
from crawler.limits import DISCOVERY_REQUESTS
from crawler.model.url_identity import host_of, is_address, page_key, registrable_domain, shard, shard_of
from crawler.model.visits import Feed, Gone, Page, SeenEntry, Shard
from crawler.net.credentials import bare, origin
from crawler.net.failure_reason import reason
from crawler.session.retry_after import HeldError
from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy.http import Response
    from twisted.python.failure import Failure

log = logging.getLogger(__name__)

ACCEPT_FEED = accept_header()
_ACCEPT_SEED = accept_header("text/html")
_PERMANENT = frozenset({301, 308})
PARTS = ("subscribe", "feeds", "rechecks")
"""What a crawl can be limited to."""
_FEEDS_FIRST, _RECHECKS_LAST, _REQUISITES_LAST = 10, -10, -20
"""Priorities; pages of new posts are between the first two."""
_MAX_STYLES = 3
"""Stylesheets that load one another are followed so far."""
_ACCEPT_REQUISITE = {
    "image": "image/avif,image/webp,image/*,*/*;q=0.8",
    "style": "text/css,*/*;q=0.1",
    "font": "font/woff2,font/woff,*/*;q=0.1",
}
_LOOK_SECONDS = 15.0
"""Between two looks for what has become due while a crawl runs."""


class BlogSpider(Spider):
    """Visits feeds and fetches what is new in them.

    Args:
        url: A feed or a blog's page, several separated by white space; subscribed if new. Without it, every due feed.
        shard: `3/16`: of the due feeds those of one shard.
        force: `1`: feeds that are not due as well.
        insecure: `1`: certificates are taken as they are for the hosts of these URLs, and for good for the feeds behind
            them; `0`: no more.
        only: `subscribe`: find and read the feeds, fetch no posts yet; `feeds`: no posts that are held already;
            `rechecks`: nothing but these.
    """

    name = "blog"
    thorough = False
    """No host has a budget."""

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
        self._fetched: Counter[str] = Counter()  # pages of each host that are fetched for the first time

    @property
    def run(self) -> Run:
        """What the components of this crawl share."""
        return Run.of(self.crawler)

    async def start(self) -> AsyncIterator[Any]:
        """Requests for what was named, or for what is due, and for what becomes due while there is work."""
        await self._heed()
        for url in self.urls:
            known = await self.run.ask(self.run.frontier.find, url)
            for feed in known:
                if await self._ours(feed.url) and (request := await self._feed_request(feed, seed=url)):
                    yield request
            if not known and await self._ours(url):
                yield self._seed_request(url)
        named = await self.run.ask(self.run.frontier.feed_ids, self.urls) if self.urls else None
        if not self.subscribe_only and (named is None or named):
            async for request in self._due(named):
                yield request

    async def _heed(self) -> None:
        """What a person gave with the URLs: names, passwords, trust."""
        self.urls = tuple(dict.fromkeys([await self.run.entrust(url) for url in self.urls]))
        if self.unverified is not None:
            for url in self.urls:
                self.run.origins.trust(host_of(url), unverified=self.unverified)
                await self.run.ask(self.run.frontier.trust, url, unverified=self.unverified)

    async def _due(self, feed_ids: tuple[int, ...] | None) -> AsyncIterator[Request]:
        """Requests for what is due, of all feeds or some, as long as that is so or may become so."""
        feeds_at: Place = None
        pages_at: Place = None
        force = self.force
        while True:
            due = self.run.due(part=self.shard, feed_ids=feed_ids, force=force)
            more: Place = None
            if feed_ids is None and self.only != "rechecks":
                found, more = await self.run.claim_feeds(due, feeds_at)
                for feed in found:
                    if request := await self._feed_request(feed):
                        yield request
                feeds_at = more or feeds_at
            pages, others = await self.run.claim_pages(replace(due, **self._pages_wanted()), pages_at)
            async for request in self._page_requests(pages):
                yield request
            pages_at = others or pages_at
            while self.run.unanswered > AT_ONCE:  # noqa: ASYNC110  answers come from many places
                await asyncio.sleep(1.0)
            if more or others:
                continue
            if feed_ids is not None or force or not self.run.unanswered:
                return
            await asyncio.sleep(_LOOK_SECONDS if self.run.unanswered > 1 else 1.0)

    def _pages_wanted(self) -> dict[str, Any]:
        without = tuple(map(shard_of, self.run.summary.put_off))
        if self.only == "feeds":
            return {"held": False, "backfill": False, "without": without}
        held = True if self.only == "rechecks" else None
        return {"held": held, "backfill": False, "without": without, "budget": self.run.options.recheck_budget}

    async def _ours(self, url: str) -> bool:
        """Claim the host of what a person named; tells if another run keeps it."""
        if await self.run.claim_patiently(url):
            return True
        self._problem(FetchError("another run works on this host; try again when it has ended", url=url))
        return False

    def _seed_request(self, url: str) -> Request:
        self.run.begun(f"seed {url}")
        return Request(
            url,
            callback=self.parse_seed,
            errback=self.seed_failed,
            cb_kwargs={"seed": url},
            headers={"Accept": _ACCEPT_SEED},
            meta={ON_BEHALF: origin(url)},
            dont_filter=True,
        )

    # -- finding feeds

    async def parse_seed(self, response: Response, seed: str) -> AsyncIterator[Any]:
        """The URL that a person gave: a feed, or a page that leads to one."""
        with self.run.settling(f"seed {seed}"):
            async for request in self._subscribe(response, seed):
                yield request
        self.run.leave(seed)

    async def _subscribe(self, response: Response, seed: str) -> AsyncIterator[Any]:
        try:
            found = await self._as_feed(response)
        except TaskError as e:  # it is a feed, so that none is looked for
            self._problem(FetchError(f"cannot be read as a feed: {_without(response.url, e)}", url=seed))
            return
        if found is None:
            if response.status != OK:
                self._problem(FetchError(f"answered {response.status}", url=seed))
                return
            behind = await self._feed_behind(response)
            if behind is None:
                self._problem(NoFeedError("no feed was found there", url=seed))
                return
            response, found = behind
        frontier, now = self.run.frontier, self.run.now()
        feed = await self.run.ask(frontier.subscribe, _lasting_url(response), seed=seed, now=now)
        if self.unverified is not None:
            await self.run.ask(frontier.trust, feed.url, unverified=self.unverified)
        log.info("subscribed feed=%s seed=%s", feed.url, seed)
        if not await self._ours(feed.url):
            return
        async for request in self._read(feed, response, found):
            yield request

    async def _feed_behind(self, page: Response) -> tuple[Response, ParsedFeed] | None:
        """The first feed that a page leads to, or None."""
        try:
            candidates = await self.run.work(discover.feeds, body=page.body, url=page.url, headers=headers_of(page))
        except TaskError as e:
            log.warning("page cannot be searched for feeds url=%s error=%s", page.url, e)
            candidates = []
        # What a page names may be dead. Behind a login there is nothing to be guessed.
        guesses = [] if deleted_posts.asks_password(page.body) else discover.guesses(page.url)
        for url in list(dict.fromkeys([*candidates, *guesses]))[:DISCOVERY_REQUESTS]:
            candidate = await self._try(url, via=page.url, accept=ACCEPT_FEED)
            try:
                found = await self._as_feed(candidate) if candidate is not None else None
            except TaskError as e:
                log.info("feed cannot be read url=%s error=%s", url, e)
                continue
            if found is not None and candidate is not None:
                return candidate, found
        return None

    def seed_failed(self, failure: Failure) -> None:
        """The URL that a person gave could not be fetched."""
        seed: str = failure.request.cb_kwargs["seed"]
        with self.run.settling(f"seed {seed}"):
            self._problem(_asked_for(seed, failure.value))
        self.run.leave(seed)

    async def _try(self, url: str, *, via: str, accept: bytes | None = None) -> Response | None:
        """The answer to a request for what may be a feed, or None."""
        try:
            engine = self.crawler.engine
            assert engine is not None  # callbacks run while it does
            headers = {"Accept": accept} if accept else None
            meta = {VIA: via, HOPS: "L", ON_BEHALF: origin(via)}
            return await engine.download_async(Request(url, headers=headers, meta=meta))
        except Exception as e:  # noqa: BLE001  one address of several that may be wrong
            log.info("no feed url=%s reason=%s", url, reason(e))
            return None

    async def _as_feed(self, response: Response) -> ParsedFeed | None:
        """The feed that a response is, or None.

        Raises:
            TaskError: It begins as a feed does and cannot be read.
        """
        if response.status != OK or not response.body:
            return None
        try:
            return await self._parsed(response)
        except TaskError:
            if is_meant_as_feed(response.body):
                raise
            return None

    async def _parsed(self, response: Response) -> ParsedFeed:
        kind = _content_type(response)
        parsed: ParsedFeed = await self.run.work(
            parse,
            body=response.body,
            url=response.url,
            content_type=kind,
            deadline_seconds=self.run.options.feed_seconds,
        )
        return parsed

    # -- reading feeds

    async def _feed_request(self, feed: Feed, seed: str | None = None) -> Request | None:
        """The request for a feed; None where its URL cannot be asked for, which is noted."""
        try:
            request = Request(
                feed.url,
                callback=self.parse_feed,
                errback=self.feed_failed,
                cb_kwargs={"feed": feed, "seed": seed},
                headers={"Accept": ACCEPT_FEED, **_conditional(*validators(feed))},
                priority=_FEEDS_FIRST,
                meta={ON_BEHALF: origin(feed.url)},
                dont_filter=True,
            )
        except ValueError as e:
            await self._feed_gone_wrong(feed, seed, FetchError(str(e), url=feed.url))
            return None
        self.run.begun(f"feed {feed.url}")
        return request

    async def parse_feed(self, response: Response, feed: Feed, seed: str | None) -> AsyncIterator[Any]:
        """The answer to a visit of a feed."""
        with self.run.settling(f"feed {feed.url}"):
            async for request in self._answered(response, feed, seed):
                yield request

    async def _answered(self, response: Response, feed: Feed, seed: str | None) -> AsyncIterator[Any]:
        if response.status == NOT_MODIFIED:
            await self._visited(feed, response)
            return
        error = None if response.status in {OK, PARTIAL} else f"answered {response.status}"
        same = error is None and feed.error is None and feed.shown is not None and self.run.repeats(row_of(response))
        if same and _as_noted(feed, response):
            await self._visited(feed, response, same=True)  # there is nothing to read in it
            return
        parsed: ParsedFeed | None = None
        if error is None:
            try:
                parsed = await self._parsed(response)
            except TaskError as e:
                error = _without(response.url, e)
        if parsed is None:
            await self._visited(feed, response, error=error)
            if seed:
                self._problem(FetchError(error or "is not a feed", url=seed))
            return
        async for request in self._read(feed, response, parsed, same=same and parsed.complete):
            yield request

    async def feed_failed(self, failure: Failure) -> None:
        """A feed could not be fetched."""
        feed: Feed = failure.request.cb_kwargs["feed"]
        with self.run.settling(f"feed {feed.url}"):
            await self._feed_gone_wrong(feed, failure.request.cb_kwargs["seed"], failure.value)

    async def _feed_gone_wrong(self, feed: Feed, seed: str | None, failure: BaseException) -> None:
        error = reason(failure)
        visit = after_feed(
            feed,
            at=self.run.now(),
            pace=self.run.options.pace,
            status=None,
            error=error,
            chance=self.run.chance(),
        )
        if isinstance(failure, HeldError):  # it was not asked, so that it did not fail
            visit = replace(visit, failures=feed.failures, due=failure.until, judged=(), alarms=())
        await self.run.visited_feed(visit, url=feed.url)
        if seed:
            self._problem(_asked_for(seed, failure))

    async def _read(
        self, feed: Feed, response: Response, parsed: ParsedFeed, *, same: bool = False
    ) -> AsyncIterator[Request]:
        """Remember a feed's entries; requests for the pages of those that are new or changed."""
        # Feeds with thousands of entries must not keep other answers waiting.
        seen, shared, pages = await self.run.ask(_compared, self.run.frontier, feed, parsed, self.run.now())
        if parsed.left_out:
            log.warning("entries left out feed=%s read=%d left=%d", feed.url, len(parsed.entries), parsed.left_out)
        await self._visited(feed, response, parsed=parsed, seen=seen, shared=shared, same=same)
        if self.subscribe_only:
            return
        wanted = (page_of(entry, feed, pages.get(entry.url or "")) for entry in seen)
        async for request in self._new_pages([page for page in wanted if page], via=response.url):
            yield request

    async def _visited(self, feed: Feed, response: Response, **found: Any) -> None:  # noqa: ANN401  as after_feed
        await self.run.visited_feed(
            after_feed(
                feed,
                at=when(response, self.run),
                pace=self.run.options.pace,
                status=response.status,
                headers=_told(response),
                moved_to=_lasting_url(response) if response.meta.get("redirect_urls") else None,
                chance=self.run.chance(),
                **found,
            ),
            url=feed.url,
            row=row_of(response),
        )

    # -- fetching pages

    async def _new_pages(self, pages: Sequence[Page], via: str) -> AsyncIterator[Request]:
        """Requests for pages that a document named, where their hosts are this run's; others stay due."""
        wanted = [
            page
            for page in pages
            if page_key(page.url) not in self._asked and (self.shard is None or self.shard.holds(shard(page.url)))
        ]
        ours = await self.run.claim([page.url for page in wanted])
        async for request in self._page_requests((page for page, mine in zip(wanted, ours, strict=True) if mine), via):
            yield request

    async def _page_requests(self, pages: Iterable[Page], via: str | None = None) -> AsyncIterator[Request]:
        """Requests for pages that are claimed."""
        for page in pages:
            if page_key(page.url) in self._asked:  # another feed shows it too
                self.run.leave(page.url)
                continue
            if not page.kept and self._spent(page.url):
                self.run.leave(page.url)
                continue
            self._asked.add(page_key(page.url))
            self.run.expect(1)
            try:
                request = Request(
                    page.url,
                    callback=self.parse_page,
                    errback=self.page_failed,
                    cb_kwargs={"page": page},
                    headers=_conditional(page.etag, page.last_modified) if page.kept else None,
                    priority=_RECHECKS_LAST if page.kept else 0,
                    meta={VIA: via, HOPS: "L", READ: page.read, ON_BEHALF: await self.run.origin_of(page.feed_id)},
                    dont_filter=True,
                )
            except ValueError as e:
                await self._page_gone_wrong(page, str(e))
                continue
            self.run.begun(f"page {page.url}")
            yield request

    def _spent(self, url: str) -> bool:
        """Whether a host has had its share of this run; if not, this page counts to it."""
        host = registrable_domain(host_of(url))
        if self.thorough or self._fetched[host] < self.run.options.host_budget:
            self._fetched[host] += 1
            return False
        if host not in self.run.summary.put_off:
            self.run.summary.put_off.add(host)
            log.warning("host has more new pages than one crawl fetches host=%s pages=%d", host, self._fetched[host])
        return True

    async def parse_page(self, response: Response, page: Page) -> AsyncIterator[Request]:
        """The answer to a request for a post's page."""
        with self.run.settling(f"page {page.url}"):
            await self._visited_page(response, page)
            if self.run.options.requisites and response.status == OK:
                allowance = Counter(left=self.run.options.requisites_of_page)
                async for request in self._requisite_requests(response, allowance, depth=0):
                    yield request

    async def _requisite_requests(
        self, response: Response, allowance: Counter[str], *, depth: int
    ) -> AsyncIterator[Request]:
        """Requests for what a page or a stylesheet loads and is not held, where its host is this run's.

        `allowance` is the page's: what its stylesheets load counts to it.
        """
        try:
            found: list[Requisite] = await self.run.work(
                requisites if depth == 0 else of_style,
                payload=response.body,
                url=response.url,
                **({"content_type": _content_type(response)} if depth == 0 else {}),
            )
        except TaskError as e:
            log.warning("requisites are not known url=%s error=%s", response.url, e)
            return
        wanted: list[Requisite] = []
        for one in (replace(one, url=bare(one.url)) for one in found):
            if allowance["left"] <= 0:
                break
            if page_key(one.url) not in self._asked and await self._is_wanted(one.url):
                self._asked.add(page_key(one.url))
                allowance["left"] -= 1
                wanted.append(one)
        for one, mine in zip(wanted, await self.run.claim([one.url for one in wanted]), strict=True):
            if not mine:  # another run works at that host; the page's next visit asks again
                continue
            try:
                request = Request(
                    one.url,
                    callback=self.parse_requisite,
                    errback=self.requisite_failed,
                    cb_kwargs={"asked": one, "allowance": allowance, "depth": depth + 1},
                    headers={"Accept": _ACCEPT_REQUISITE[one.kind]},
                    priority=_REQUISITES_LAST,
                    meta={VIA: response.url, HOPS: "E", "download_maxsize": self.run.options.requisite_bytes},
                    dont_filter=True,
                )
            except ValueError:
                self.run.leave(one.url)
                continue
            self.run.begun(f"requisite {one.url}")
            yield request

    async def _is_wanted(self, url: str) -> bool:
        """Whether nothing is held of it, or nothing recent."""
        try:
            row = await asyncio.to_thread(self.run.archive.index.nearest, url, None)
        except ArchiveError as e:
            log.warning("requisite is not fetched, the index is out of reach url=%s error=%s", url, e)
            return False
        age = timedelta(seconds=self.run.options.requisite_age)
        return row is None or row.url != url or row.date < self.run.now() - age

    async def parse_requisite(
        self, response: Response, asked: Requisite, allowance: Counter[str], depth: int
    ) -> AsyncIterator[Request]:
        """An image, stylesheet or font came; a stylesheet may load more."""
        with self.run.settling(f"requisite {asked.url}"):
            self.run.leave(asked.url)
            if asked.kind == "style" and response.status == OK and depth < _MAX_STYLES:
                async for request in self._requisite_requests(response, allowance, depth=depth):
                    yield request

    async def requisite_failed(self, failure: Failure) -> None:
        """An image, stylesheet or font could not be had; the page is kept all the same."""
        asked: Requisite = failure.request.cb_kwargs["asked"]
        with self.run.settling(f"requisite {asked.url}"):
            log.info("requisite failed url=%s error=%s", asked.url, reason(failure.value))
            self.run.leave(asked.url)

    async def _visited_page(self, response: Response, page: Page) -> None:
        row = row_of(response)
        text: Text | None = None
        error = None if response.status in {OK, NOT_MODIFIED} else f"answered {response.status}"
        gone: Gone | None = None
        if page.kept:
            gone = deleted_posts.by_address(await self._seen(response, page))
        if row is not None and row.truncated and response.status == OK:
            error = "came in part: its compressed payload has no end"
        elif gone is None and response.status == OK and not self.run.has_text(row):
            before = await self._before(page) if page.kept else None
            try:
                text = await self._text(response, _known(page.entry, before.entry if before else None))
            except TaskError as e:
                error = f"no text: {e}"
                log.warning("no text url=%s error=%s", response.url, e)
            if before is not None:
                gone = await self._replaced(response, page, text.text if text else "", before.text)
        if gone is not None:
            text, error = None, f"the post is not there any more ({gone})"
        visit = after_page(
            page,
            at=when(response, self.run),
            plan=self.run.options.recheck_plan,
            status=response.status,
            error=error,
            etag=_validator(response, "ETag"),
            last_modified=_validator(response, "Last-Modified"),
            not_before=self._asked_to_wait(response),
            gone=gone,
            record=row.record if row else None,
        )
        await self.run.visited_page(visit, held=page.kept, row=row, text=text)

    async def _text(self, response: Response, entry: Entry | None = None) -> Text:
        """The text of a page.

        Raises:
            TaskError: There is none to be had.
        """
        text: Text = await self.run.work(
            extract,
            payload=response.body,
            url=response.url,
            content_type=_content_type(response),
            date=when(response, self.run),
            entry=entry,
            site=await self.run.site(response.url),
        )
        return text

    async def _seen(self, response: Response, page: Page, **more: Any) -> deleted_posts.Seen:  # noqa: ANN401  fields of Seen
        asked = str((response.meta.get("redirect_urls") or [response.url])[0])
        site = await self.run.ask(self.run.frontier.site, page.feed_id) if response.url != asked else None
        return deleted_posts.Seen(asked=asked, url=response.url, status=response.status, site=site, **more)

    async def _before(self, page: Page) -> HeldText | None:
        """The newest text of a page that is held."""
        try:
            return await asyncio.to_thread(self.run.archive.text, page.url)
        except ArchiveError as e:
            log.info("not compared with what was there url=%s reason=%s", page.url, e)
            return None

    async def _replaced(self, response: Response, page: Page, words: str, before: str) -> Gone | None:
        """Whether a login wall or an error page is where a post was."""
        seen = await self._seen(
            response,
            page,
            title=deleted_posts.title(response.body),
            text=words,
            before=before,
            asks_password=deleted_posts.asks_password(response.body),
        )
        if not deleted_posts.is_other(seen):
            return None
        if (told := deleted_posts.by_words(seen)) is not None:
            return told
        # Error pages that say nothing of the kind are the same wherever there is no page.
        probe = await self._try(urljoin(page.url, f"pressmark-{secrets.token_hex(8)}"), via=page.url)
        if probe is None or probe.status != OK:
            return None
        try:
            return "soft-404" if deleted_posts.same((await self._text(probe)).text, words) else None
        except TaskError:
            return None

    async def page_failed(self, failure: Failure) -> None:
        """A page could not be fetched."""
        page: Page = failure.request.cb_kwargs["page"]
        until = failure.value.until if isinstance(failure.value, HeldError) else None
        with self.run.settling(f"page {page.url}"):
            await self._page_gone_wrong(page, reason(failure.value), until)

    async def _page_gone_wrong(self, page: Page, error: str, not_before: datetime | None = None) -> None:
        log.warning("page failed url=%s error=%s", page.url, error)
        visit = after_page(
            page,
            at=self.run.now(),
            plan=self.run.options.recheck_plan,
            status=None,
            error=error,
            not_before=not_before,
        )
        await self.run.visited_page(visit, held=page.kept)

    def _asked_to_wait(self, response: Response) -> datetime | None:
        now = self.run.now()
        wait = retry_after(_header(response, "Retry-After"), at=now) if response.status != OK else None
        return now + wait if wait else None

    def _problem(self, error: CrawlError) -> None:
        self.run.problems.append(error)


def _known(entry: Entry | None, before: Entry | None) -> Entry | None:
    """What a feed says of a post, with the markup of the text before: it is forgotten once a page is kept."""
    if entry is None or before is None:
        return entry or before
    return entry if entry.html else replace(entry, html=before.html)


def arguments(*, url: str, shard: str, only: str, unknown: Iterable[str] = ()) -> tuple[str, ...]:
    """The URLs of a command line.

    Raises:
        UsageError: One of the arguments cannot be used.
    """
    if names := sorted(unknown):
        raise UsageError(f"{names[0]}: no such argument", hint="There are url, shard, force, only and insecure.")
    urls = tuple(dict.fromkeys(url.split()))
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


def _asked_for(url: str, error: BaseException) -> CrawlError:
    kind = PrivateAddressError if isinstance(error, PrivateAddressError) else FetchError
    return kind(reason(error), url=url)


def _without(url: str, error: TaskError) -> str:
    """What went wrong, without the URL that it begins with."""
    return str(error).removeprefix(f"{url}: ")


def _as_noted(feed: Feed, response: Response) -> bool:
    """Whether an answer has the validators that are noted; those of a document that was cut off are not."""
    return (_validator(response, "ETag"), _validator(response, "Last-Modified")) == (feed.etag, feed.last_modified)


def _compared(
    frontier: Frontier, feed: Feed, parsed: ParsedFeed, at: datetime
) -> tuple[tuple[SeenEntry, ...], list[bool], dict[str, Page]]:
    """Entries that are new or changed, for each entry whether it was seen before, and the pages that are known."""
    found = keys(parsed.entries)
    known = frontier.digests(feed.id, [key for key in found if key])
    pages = frontier.pages({url for entry in parsed.entries if (url := page_url(entry))})
    seen = _each_page_once(seen_entries(parsed.entries, known, pages, parsed.feed.language, at=at))
    # An entry under a new id is not new if its page is known.
    shared = [key in known or entry.page in pages for key, entry in zip(found, parsed.entries, strict=True)]
    return seen, shared, pages


def _each_page_once(seen: Iterable[SeenEntry]) -> tuple[SeenEntry, ...]:
    """Entries of one document, of which no two want the same page to be fetched."""
    wanted: set[str] = set()
    found = []
    for one in seen:
        known = page_key(one.url) if one.url and one.fetch else None
        found.append(replace(one, fetch=False) if known in wanted else one)
        if known:
            wanted.add(known)
    return tuple(found)


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


def row_of(response: Response) -> CaptureRow | None:
    """The capture of an answer."""
    row: CaptureRow | None = response.meta.get(CAPTURE)
    return row


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None


def _told(response: Response) -> dict[str, str]:
    """Headers with names in lower case, without the validators of a URL that was redirected to."""
    told = headers_of(response)
    for name in ("etag", "last-modified"):
        if value := _validator(response, name):
            told[name] = value
        else:
            told.pop(name, None)
    return told


def _validator(response: Response, name: str) -> str | None:
    """A validator for the URL that was asked for; none after a redirect, where it is another URL's."""
    return None if response.meta.get("redirect_urls") else _header(response, name)


def headers_of(response: Response) -> dict[str, str]:
    """Headers with names in lower case, those of one name joined."""
    pairs = response.headers.items()
    return {name.decode("latin-1").lower(): b", ".join(values).decode("latin-1") for name, values in pairs}


def _content_type(response: Response) -> str | None:
    return _header(response, "Content-Type")


def when(response: Response, run: Run) -> datetime:
    """When the exchange began: the date of its capture."""
    row = row_of(response)
    return row.date if row else run.now()

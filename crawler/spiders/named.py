"""Spiders for what a person names: `save` archives pages as posts of their own, `recheck` visits known ones again."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrapy import Request

from archive.errors import ArchiveError
from archive.index.known import known
from archive.warc.page_identity import page_key
from crawler.decide.answers import NOT_MODIFIED, OK
from crawler.errors import UnknownError
from crawler.limits import SAVE_FEED_REQUESTS
from crawler.model.answer import Answer
from crawler.model.visits import Page
from crawler.session.summary import Named
from crawler.spiders.blog import BlogSpider

if TYPE_CHECKING:
    from scrapy.http import Response

log = logging.getLogger(__name__)


class NamedSpider(BlogSpider):
    """A spider that visits what a person names, and nothing else."""

    name = ""  # Scrapy's loader passes over it
    may_wait = False

    async def requests(self) -> AsyncIterator[Any]:
        """Requests for the URLs that were named."""
        await self._take_credentials()
        for url in self.urls:
            async for request in self.named(url):
                yield request

    def named(self, url: str) -> AsyncIterator[Request]:
        """Requests for a URL."""
        raise NotImplementedError

    async def visited(self, page: Page, url: str) -> AsyncIterator[Request]:
        """The request for a page, if this run can claim its host."""
        self.run.summary.named.append(Named(url=url, key=page_key(page.url)))
        if await self._claimed(page.url):
            async for request in self._page_requests([page]):
                yield request


class SaveSpider(NamedSpider):
    """Archives pages as posts of their own, and looks for the feed of each.

    Args:
        url: Pages, separated by white space.
    """

    name = "save"
    hops = ""  # so that a rebuilt frontier knows that a person asked for the page itself
    thorough = True

    async def named(self, url: str) -> AsyncIterator[Request]:
        """The request for a page, which becomes a post if it is not one yet."""
        page = await self.run.call(self.run.frontier.enter, url, self.run.now())
        async for request in self.visited(page, url):
            yield request

    async def parse_page(self, response: Response, page: Page) -> AsyncIterator[Request]:
        """The response to a request for a page."""
        async for request in super().parse_page(response, page):
            yield request
        answer = self._answer(response)
        if answer.status == NOT_MODIFIED:
            answer = replace(answer, status=OK, body=await self.run.call(self._archived, answer.url))
        if answer.status != OK or not answer.body:
            return
        with self.run.in_flight.ending(f"feed of {page.url}"):
            feed_url, subscribed = await self._feed_of(answer)
        for one in self.run.summary.named:
            if one.key == page_key(page.url):
                one.feed_url, one.subscribed = feed_url, subscribed

    def _archived(self, url: str) -> bytes:
        """The archived payload of a page that has not changed; empty if it cannot be read."""
        try:
            return self.run.archive.payload(self.run.archive.find(url))
        except ArchiveError as e:
            log.warning("archived page cannot be read url=%s error=%s", url, e)
            return b""

    async def _feed_of(self, page: Answer) -> tuple[str | None, bool]:
        """URL of the feed that a page declares, and whether it is subscribed to."""
        find = self.run.frontier.find
        if await self.seeds.is_feed(page):
            return page.lasting_url, bool(await self.run.call(find, page.lasting_url))
        links = await self.seeds.declared_links(page)
        for link in links:
            if feeds := await self.run.call(find, link.url):
                return feeds[0].url, True
        found = await self.seeds.first(links[:SAVE_FEED_REQUESTS], page)
        if found is None:
            return None, False
        url = found.answer.lasting_url
        return url, bool(await self.run.call(find, url))


class RecheckSpider(NamedSpider):
    """Looks again at posts and feeds that are known.

    Args:
        url: Posts, feeds or blogs, separated by white space.
    """

    name = "recheck"

    async def named(self, url: str) -> AsyncIterator[Request]:
        """The requests for the feeds behind a URL, or for the post there."""
        feeds = await self.run.call(self.run.frontier.find, url)
        for feed in feeds:
            self.run.summary.named.append(Named(url=url, feed_id=feed.id))
            if await self._claimed(feed.url):
                async for request in self._feed_requests([feed], seed=url):
                    yield request
        if feeds:
            return
        page = await self.run.call(self.run.frontier.page, url)
        if page is None and await self.run.call(self._is_archived, url):
            page = await self.run.call(self.run.frontier.enter, url, self.run.now())
        if page is None:
            self._problem(UnknownError("is neither a post nor a feed that is known here", url=url))
            return
        async for request in self.visited(page, url):
            yield request

    def _is_archived(self, url: str) -> bool:
        """Whether the archive has a text of the page, such as one that was imported."""
        return known(self.run.archive.index, {url: None})[url].text is not None

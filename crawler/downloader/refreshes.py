"""Refreshes that pages declare, followed like redirects where they lead to the same site within seconds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy.http import HtmlResponse

from archive.errors import TaskError
from crawler.decide.answers import OK
from crawler.downloader.redirects import Redirects
from crawler.feeds import is_meant_as_feed
from crawler.limits import REFRESH_BYTES
from crawler.net.refresh import is_html, may_refresh, refresh_target
from crawler.net.request_context import context_of
from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.session.texts import Texts

log = logging.getLogger(__name__)


class Refreshes:
    """Downloader middleware: a page that only sends its readers on is a redirect, by other means."""

    def __init__(self, redirects: Redirects, texts: Texts) -> None:
        self._redirects = redirects
        self._texts = texts

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Refreshes:
        """Create it on the worker processes of the run; limits are those of redirects."""
        return cls(Redirects.from_crawler(crawler), Run.of(crawler).texts)

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """The request for the address to which a page leads, or the response itself."""
        url = await self._target(request, response)
        if url is None or not self._redirects.leads_on(request, response, url):
            return response
        return self._redirects.follow(request, response, url, "refresh")

    async def _target(self, request: Request, response: Response) -> str | None:
        stated = response.headers.get("Refresh")
        if response.status != OK or context_of(request).ignores_robots:
            return None
        beginning = response.body[:REFRESH_BYTES]
        if not (stated or may_refresh(beginning)) or is_meant_as_feed(beginning):
            return None
        if not isinstance(response, HtmlResponse) and not is_html(beginning):
            return None
        content_type = response.headers.get("Content-Type")
        try:
            found: str | None = await self._texts.work(
                refresh_target,
                body=beginning,
                url=response.url,
                content_type=content_type.decode("latin-1") if content_type else None,
                header=stated.decode("latin-1") if stated else None,
            )
        except TaskError as e:
            log.warning("page cannot be searched for a refresh url=%s error=%s", response.url, e)
            return None
        return found

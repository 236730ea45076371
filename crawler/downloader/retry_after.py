"""Retry-After: no requests to a server before it has passed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.session.retry_after import RetryAfter


class RetryAfterMiddleware:
    """Downloader middleware over `RetryAfter`; the download handler fills it, and checks again before it sends."""

    def __init__(self, retry_after: RetryAfter) -> None:
        self._retry_after = retry_after

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryAfterMiddleware:
        """Create it from the run's `RetryAfter`."""
        return cls(Run.of(crawler).retry_after)

    async def process_request(self, request: Request) -> None:
        """Raise if the server must not be requested yet."""
        if self._retry_after.stale:
            await asyncio.to_thread(self._retry_after.look)
        self._retry_after.check(request.url)

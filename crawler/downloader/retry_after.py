"""Retry-After: no requests to a server before it has passed, nor to one that was waited for long enough."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.session.retry_after import RetryAfter
    from crawler.session.slow_hosts import SlowHosts


class RetryAfterMiddleware:
    """Downloader middleware over `RetryAfter` and `SlowHosts`.

    The download handler fills them, and checks again before it sends.
    """

    def __init__(self, retry_after: RetryAfter, slow_hosts: SlowHosts) -> None:
        self._retry_after = retry_after
        self._slow_hosts = slow_hosts

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryAfterMiddleware:
        """Create it from the run's `RetryAfter`."""
        run = Run.of(crawler)
        return cls(run.retry_after, run.slow_hosts)

    async def process_request(self, request: Request) -> None:
        """Raise if the server must not be requested yet."""
        if self._retry_after.stale:
            await asyncio.to_thread(self._retry_after.look)
        self._retry_after.check(request.url)
        self._slow_hosts.check(request.url)

"""Nothing is asked of a server whose Retry-After has not passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.session.retry_after import RetryAfter


class RetryAfterMiddleware:
    """Downloader middleware over `RetryAfter`; the download handler fills that, and asks again at a request's turn."""

    def __init__(self, retry_after: RetryAfter) -> None:
        self._retry_after = retry_after

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryAfterMiddleware:
        """Build it from the run's."""
        return cls(Run.of(crawler).retry_after)

    def process_request(self, request: Request) -> None:
        """Raise where the server is not to be asked."""
        self._retry_after.check(request.url)

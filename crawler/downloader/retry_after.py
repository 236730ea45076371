"""Nothing is asked of a server that asked to be left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.session.retry_after import Holds


class Patience:
    """Downloader middleware over `Holds`; the download handler fills it, and asks again when a request has its turn."""

    def __init__(self, holds: Holds) -> None:
        self._holds = holds

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Patience:
        """Build it from the run's."""
        return cls(Run.of(crawler).holds)

    def process_request(self, request: Request) -> None:
        """Raise where the server is not to be asked."""
        self._holds.check(request.url)

"""Pages that were captured, but not read, when a crawl was killed: answered from the archive, not fetched again."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scrapy.http import Headers
from scrapy.responsetypes import responsetypes

from archive.errors import ArchiveError
from archive.warc import http_message
from crawler.decide.answers import NOT_MODIFIED
from crawler.downloader.wire import CAPTURE
from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from archive.index.schema import CaptureRow

log = logging.getLogger(__name__)

READ = "read"
"""Key in a request's meta: an instant; a capture of the URL after it was not read yet, and answers the request."""
FRESH = timedelta(hours=1)
"""An older capture is no answer to the question how the page is now."""


class Held:
    """Downloader middleware that answers from the archive what was captured and never read."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Held:
        """Build it on the run's archive."""
        return cls(Run.of(crawler))

    def process_request(self, request: Request) -> Response | None:
        """The archived answer, if there is one."""
        read: datetime | None = request.meta.get(READ)
        if read is None:
            return None
        try:
            row = self._run.archive.index.nearest(request.url, None)
            if row is None or not self._answers(row, request.url, read):
                return None
            exchange = self._run.archive.read(row)
        except ArchiveError as e:
            log.warning("held page cannot be used url=%s error=%s", request.url, e)
            return None
        log.info("answered from the archive url=%s captured=%s", request.url, row.timestamp)
        headers = Headers()
        for name, value in http_message.headers(exchange.head):
            headers.appendlist(name, value.encode("latin-1"))
        body = b"" if row.status == NOT_MODIFIED else exchange.body
        kind = responsetypes.from_args(headers=headers, url=row.url, body=body)
        request.meta[CAPTURE] = row
        return kind(row.url, status=row.status, headers=headers, body=body, request=request)

    def _answers(self, row: CaptureRow, url: str, read: datetime) -> bool:
        return row.url == url and row.date > read and self._run.now() - row.date < FRESH and not row.truncated

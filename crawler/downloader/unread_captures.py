"""Pages captured but not processed when a crawl was killed: answered from the archive, not fetched again."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from scrapy.http import Headers
from scrapy.responsetypes import responsetypes

from archive.errors import ArchiveError
from archive.runtime.times import is_recent
from archive.warc import http_message
from crawler.decide.answers import NOT_MODIFIED
from crawler.net.request_context import Recorded, RequestContext, change, context_of
from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from archive.index.schema import CaptureRow

log = logging.getLogger(__name__)

FRESH = timedelta(hours=1)
"""An older capture may not show the page as it is now."""


class UnreadCaptures:
    """Downloader middleware that answers from the archive if a capture was never processed."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> UnreadCaptures:
        """Create it on the run's archive."""
        return cls(Run.of(crawler))

    async def process_request(self, request: Request) -> Response | None:
        """The archived response, if there is one; the request carries what is known of its URL."""
        row = self._unread(context_of(request))
        if row is None:
            return None
        try:
            exchange = await asyncio.to_thread(self._run.archive.read, row)
        except ArchiveError as e:
            log.warning("unread capture cannot be used url=%s error=%s", request.url, e)
            return None
        log.info("answered from the archive url=%s captured=%s", request.url, row.timestamp)
        headers = Headers()
        for name, value in http_message.headers(exchange.head):
            headers.appendlist(name, value.encode("latin-1"))
        body = b"" if row.status == NOT_MODIFIED else exchange.body
        kind = responsetypes.from_args(headers=headers, url=row.url, body=body)
        change(request, recorded=Recorded(row=row, repeats=_repeats(row, context_of(request))))
        return kind(row.url, status=row.status, headers=headers, body=body, request=request)

    def _unread(self, context: RequestContext) -> CaptureRow | None:
        row, since = context.known.capture, context.unread_since
        if row is None or since is None or row.truncated:
            return None
        return row if row.seen > since and is_recent(row.seen, self._run.now(), FRESH) else None


def _repeats(row: CaptureRow, context: RequestContext) -> bool:
    """Whether a capture has the same payload as an earlier capture of the same URL."""
    text = context.known.texts.get(row.refers_to or "")
    return text is not None and text.url == row.url

"""Payloads without their content coding, as the archive reads them; the capture keeps what crossed the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import IgnoreRequest
from scrapy.responsetypes import responsetypes

from archive.warc.codings import content

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

_CODING = "Content-Encoding"


class Decompression:
    """Downloader middleware in the place of Scrapy's, which fails where a body is not in the coding that is stated."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Decompression:
        """Create it with the limit for bodies."""
        return cls(crawler.settings.getint("DOWNLOAD_MAXSIZE"))

    def process_response(self, request: Request, response: Response) -> Response:
        """The response with its decoded body.

        Raises:
            IgnoreRequest: The decoded body is too large.
        """
        coding = b", ".join(response.headers.getlist(_CODING)).decode("latin-1")
        kind = (response.headers.get("Content-Type") or b"").decode("latin-1")
        try:
            body = content(response.body, coding, kind, limit=self._max_bytes)
        except OverflowError as e:
            raise IgnoreRequest(f"the decoded body {e}") from e
        if body is response.body and not coding:
            return response
        headers = response.headers.copy()
        headers.pop(_CODING, None)
        made = responsetypes.from_args(headers=headers, url=response.url, body=body)
        return made(response.url, status=response.status, headers=headers, body=body, request=request)

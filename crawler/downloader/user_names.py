"""User names in URLs: those of links are nobody's credentials, and make no other host of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.net.credentials import bare

if TYPE_CHECKING:
    from scrapy import Request


class UserNames:
    """Downloader middleware: a request for a URL with user name or password becomes one for the URL without them.

    Credentials that a person gave with a URL are taken from it before (`Frontier.entrust`), and are sent as a header.
    """

    def process_request(self, request: Request) -> Request | None:
        """The request without them; None if there are none."""
        url = bare(request.url)
        return request.replace(url=url) if url != request.url else None

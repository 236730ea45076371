"""Redirects as Scrapy follows them, without headers that must not be sent to the target."""

from __future__ import annotations

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.downloader.protocol import RedirectHook
from crawler.net.credentials import bare
from crawler.net.request_context import change, context_of

CONDITIONAL = ("If-None-Match", "If-Modified-Since")


class Redirects(RedirectHook):
    """Follows redirects without Referer and without validators, which apply only to the URL that sent them."""

    def handle_referer(self, request: Request, response: Response) -> None:  # noqa: ARG002  Scrapy's signature
        """Send no Referer on any request."""
        request.headers.pop("Referer", None)

    def target(self, redirected: Request, request: Request) -> Request:
        """Remove credentials that the server put into the URL: they are not ours (RFC 9110 §4.2.4)."""
        redirected = redirected.replace(url=bare(redirected.url))
        if redirected.url in {request.url, *request.meta.get("redirect_urls", ())}:
            raise IgnoreRequest(f"redirects lead back to {redirected.url}")
        return redirected

    def following(self, redirected: Request, request: Request) -> Request:
        """Remove validators, which do not apply to another resource (RFC 9110 §13.1), and count the hop."""
        for name in CONDITIONAL:
            redirected.headers.pop(name, None)
        change(redirected, via=request.url, hops=context_of(request).hops + "R")
        return redirected

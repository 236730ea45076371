"""Redirects as Scrapy follows them, minus what must not travel along."""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.downloader.wire import HOPS, VIA
from crawler.net.credentials import bare

CONDITIONAL = ("If-None-Match", "If-Modified-Since")


class Redirects(RedirectMiddleware):
    """Follows redirects without Referer and without validators, which belong to the URL that gave them."""

    def handle_referer(self, request: Request, response: Response) -> None:  # noqa: ARG002  Scrapy's signature
        """No Referer is sent on any request."""
        request.headers.pop("Referer", None)

    def _engine_started(self) -> None:
        """Scrapy would warn here that no middleware for the Referer header is enabled; that is meant."""

    def _redirect(self, redirected: Request, request: Request, reason: Any) -> Request:  # noqa: ANN401  Scrapy's
        # What the server puts there is none of ours to send (RFC 9110 §4.2.4).
        redirected = redirected.replace(url=bare(redirected.url))
        if redirected.url in {request.url, *request.meta.get("redirect_urls", ())}:
            raise IgnoreRequest(f"redirects lead back to {redirected.url}")
        following: Request = super()._redirect(redirected, request, reason)
        for name in CONDITIONAL:  # RFC 9110 §13.1: a validator says nothing about another resource
            following.headers.pop(name, None)
        following.meta[VIA] = request.url
        following.meta[HOPS] = request.meta.get(HOPS, "") + "R"
        return following

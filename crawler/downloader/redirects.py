"""Redirects as Scrapy follows them: without headers that must not be sent to the target, with the chain's cookies."""

from __future__ import annotations

from typing import Any
from urllib.parse import urldefrag

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.downloader.protocol import RedirectHook
from crawler.limits import COOKIE_RETURNS
from crawler.net.cookies import added, cookie_header
from crawler.net.credentials import bare
from crawler.net.request_context import change, context_of

CONDITIONAL = ("If-None-Match", "If-Modified-Since")
_COOKIE = "cookie"
"""Why a request is made that leads back to an address already asked: it now has the cookies of the site."""


class Redirects(RedirectHook):
    """Follows redirects without Referer and without validators, which apply only to the URL that sent them.

    Cookies set on the way are sent as a browser would send them, but only within this chain, and only to their own
    host: sites that check for cookies redirect until theirs come back.
    """

    def handle_referer(self, request: Request, response: Response) -> None:
        """Send no Referer on any request. As the one hook that sees the response, it also notes the cookies in it."""
        request.headers.pop("Referer", None)
        values = response.headers.getlist("Set-Cookie")
        change(request, cookies=added(context_of(request).cookies, values, response.url))

    def target(self, redirected: Request, request: Request, reason: Any) -> tuple[Request, Any]:  # noqa: ANN401  Scrapy's
        """The request without credentials that the server put into the URL: they are not ours (RFC 9110 §4.2.4).

        Raises:
            IgnoreRequest: That very request has been made before on the way.
        """
        redirected = redirected.replace(url=bare(redirected.url))
        cookies = cookie_header(context_of(redirected).cookies, redirected.url)
        asked = {*context_of(request).asked, (_address(request), request.headers.get("Cookie") or b"")}
        before = [sent for address, sent in asked if address == _address(redirected)]
        if cookies in before or len(before) > COOKIE_RETURNS:
            also = ", also with the cookies that the site has set" if cookies else ""
            raise IgnoreRequest(f"redirects lead back to {redirected.url}{also}")
        redirected.headers.pop("Cookie", None)
        if cookies:
            redirected.headers["Cookie"] = cookies
        change(redirected, asked=frozenset(asked))
        return redirected, _COOKIE if before else reason

    def following(self, redirected: Request, request: Request) -> Request:
        """Send validators only to the URL that sent them (RFC 9110 §13.1), and count the hop."""
        for name in CONDITIONAL:
            redirected.headers.pop(name, None)
        context = context_of(request)
        if redirected.url == redirected.meta["redirect_urls"][0]:
            redirected.headers.update(dict(context.conditions))
        # An unread capture is one of the first URL, and has answered by now.
        change(redirected, via=request.url, hops=context.hops + "R", unread_since=None, may_wait=False)
        return redirected

    def leads_on(self, request: Request, response: Response, url: str) -> bool:
        """Whether a URL that a page names is another address, or the same one for the sake of cookies just set."""
        context = context_of(request)
        if urldefrag(url)[0] != _address(request):
            return True
        cookies = cookie_header(added(context.cookies, response.headers.getlist("Set-Cookie"), request.url), url)
        first = all(address != _address(request) for address, _ in context.asked)
        return first and cookies not in {b"", request.headers.get("Cookie")}


def _address(request: Request) -> str:
    return urldefrag(request.url)[0]

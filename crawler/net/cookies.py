"""Cookies of one chain of redirects: what the addresses so far have set, and what is sent to the next. No I/O.

Nothing is stored: the cookies are part of a request, and end with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.limits import COOKIE_BYTES, COOKIES

_TEXT = re.compile(rb"[\t\x20-\x7e]+")
"""Cookies with other characters are refused, or not echoed as they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCookie:
    """A Set-Cookie header."""

    url: str
    """URL whose response has it."""
    value: bytes
    """As received."""


def added(cookies: Sequence[SetCookie], values: Iterable[bytes], url: str) -> tuple[SetCookie, ...]:
    """The cookies so far and those of one more response; what exceeds the limits, or cannot be sent, is left out."""
    given = (
        SetCookie(url=url, value=value) for value in values if len(value) <= COOKIE_BYTES and _TEXT.fullmatch(value)
    )
    return (*cookies, *given)[:COOKIES]


def cookie_header(cookies: Iterable[SetCookie], url: str) -> bytes:
    """The Cookie header of a request (RFC 6265 §5.4); empty if there is nothing to send, or too much.

    Only the host that has set a cookie gets it back, even if it set it for its whole domain.
    """
    from scrapy import Request
    from scrapy.http import Response
    from scrapy.http.cookies import CookieJar

    host = urlsplit(url).hostname
    jar, request = CookieJar(), Request(url)
    for cookie in cookies:
        if urlsplit(cookie.url).hostname == host:
            response = Response(cookie.url, headers={"Set-Cookie": cookie.value})
            jar.extract_cookies(response, Request(cookie.url))
    jar.add_cookie_header(request)
    found: bytes = request.headers.get("Cookie") or b""
    return found if len(found) <= COOKIE_BYTES else b""

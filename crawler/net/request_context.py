"""Context of a request, from the spider to the wire and back: one frozen value under one key of its meta."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from archive.index.known import Known
from archive.index.schema import CaptureRow
from crawler.net.cookies import SetCookie

KEY = "pressmark"
"""The key in a request's meta."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The capture of an exchange, once it is in the open batch."""

    row: CaptureRow
    repeats: bool = False
    """Whether an earlier capture of the same URL has the same payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """What the downloader needs to know about a request, and what it found."""

    via: str | None = None
    """URL that led here; None for a seed."""
    hops: str = ""
    """How it was reached from a seed, one letter for each hop, as in WARC metadata (hopsFromSeed)."""
    credentials_for: str = ""
    """Origin of the feed that it is made for; only credentials of that origin are sent."""
    enough_bytes: int | None = None
    """Number of payload bytes that suffice, content coding removed; None: all. A longer response is not an error; its
    capture is marked as truncated."""
    unread_since: datetime | None = None
    """A capture of the URL after that instant was never processed, and answers the request; None: fetch it."""
    conditions: tuple[tuple[str, bytes], ...] = ()
    """Headers that make it a conditional GET, as name and value: validators of one stored response of its URL."""
    validated_by: str | None = None
    """WARC-Record-ID of that response."""
    asked_again: bool = False
    """Whether the server has answered 304 without confirming anything, and is asked again without conditions."""
    cookies: tuple[SetCookie, ...] = ()
    """Cookies that the addresses before this one have set; sent with this request and its redirects, then forgotten."""
    asked: frozenset[tuple[str, bytes]] = frozenset()
    """Addresses requested before this one on the way from the first, each with the cookies that were sent."""
    may_wait: bool = False
    """Whether it begins work that the next run can do as well: it is not sent once most of the run's time is used."""
    ignores_robots: bool = False
    """Whether it is a request for robots.txt itself."""
    known: Known = Known()  # noqa: RUF009  frozen
    """What the archive had of the URL before the request."""
    recorded: Recorded | None = None
    """The capture, once made."""


class HasMeta(Protocol):
    """A Scrapy request or response."""

    @property
    def meta(self) -> dict[str, Any]:
        """Values that Scrapy passes along with it."""


def context_of(of: HasMeta) -> RequestContext:
    """The context of a request, or of a response's request."""
    found: RequestContext = of.meta.get(KEY) or RequestContext()
    return found


def in_meta(context: RequestContext, **scrapy: Any) -> dict[str, Any]:  # noqa: ANN401  Scrapy's own keys
    """Meta for a new request."""
    return {KEY: context, **scrapy}


def change(of: HasMeta, **changes: Any) -> None:  # noqa: ANN401  fields of RequestContext
    """Replace the context with a changed one."""
    of.meta[KEY] = replace(context_of(of), **changes)

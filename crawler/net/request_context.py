"""What travels with a request from the spider to the wire and back: one frozen value under one key of its meta."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from archive.index.known import Known
from archive.index.schema import CaptureRow

KEY = "pressmark"
"""The key in a request's meta."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The capture of an exchange, once it is in the growing batch."""

    row: CaptureRow
    repeats: bool = False
    """Its payload is that of an earlier capture of the very same URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """What the downloader has to know of a request, and what it found."""

    via: str | None = None
    """URL that led here; None for a seed."""
    hops: str = ""
    """How it was reached from a seed, one letter a hop, as WARC metadata have it."""
    credentials_for: str = ""
    """Origin of the feed that it is made for; only its own credentials go with it."""
    enough_bytes: int | None = None
    """Bytes of the payload, content coding removed, that are all that is wanted of it. A longer answer is no error; its
    capture is marked as cut."""
    unread_since: datetime | None = None
    """A capture of the URL after that instant was never read, and answers the request; None: it is to be fetched."""
    ignores_robots: bool = False
    """It is a request for robots.txt itself."""
    known: Known = Known()  # noqa: RUF009  frozen
    """What the archive had of the URL before it was requested."""
    recorded: Recorded | None = None
    """The capture, once it is made."""


class HasMeta(Protocol):
    """A Scrapy request or response."""

    @property
    def meta(self) -> dict[str, Any]:
        """Values that travel with it."""


def context_of(of: HasMeta) -> RequestContext:
    """The context of a request, or of the request that a response answers."""
    found: RequestContext = of.meta.get(KEY) or RequestContext()
    return found


def in_meta(context: RequestContext, **scrapy: Any) -> Mapping[str, Any]:  # noqa: ANN401  Scrapy's own keys
    """Meta for a new request."""
    return {KEY: context, **scrapy}


def change(of: HasMeta, **changes: Any) -> None:  # noqa: ANN401  fields of RequestContext
    """Put a changed context in place of the one that is there."""
    of.meta[KEY] = replace(context_of(of), **changes)

"""Dialects of feeds: one row each, used by parser, sniffing, discovery and content negotiation. No I/O.

A new dialect is one new module beside this one and one row in `DIALECTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from crawler.errors import FeedError
from crawler.feeds import json_feed, xml_feed
from crawler.feeds.gzip_file import start_of, unpacked
from crawler.feeds.model import ParsedFeed
from crawler.feeds.sanitize import sanitized

_SNIFF_BYTES = 4_096


class Parser(Protocol):
    """How a dialect is parsed."""

    def __call__(self, body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
        """Parse a document like `parse` below, except that fields need not be sanitized."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A format of feeds."""

    name: str
    sniff: Callable[[bytes], bool]
    """Whether `parse` should try a document, from its first bytes without byte order mark and leading white space."""
    is_meant: Callable[[bytes], bool]
    """Whether a document declares itself to be of this dialect, readable or not, from its first bytes."""
    link_types: frozenset[str]
    """Media types of links that lead to such a feed (HTML §4.6.7.1 alternate)."""
    generic_link_types: frozenset[str]
    """Media types of links that lead to such a feed only if the link's URL or title also says so."""
    accept: tuple[str, ...]
    """Media ranges for the Accept header, with their weight (RFC 9110 §12.5.1)."""
    parse: Parser


DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        name="RSS, RDF and Atom",
        sniff=xml_feed.sniff,
        is_meant=xml_feed.is_meant,
        link_types=frozenset(
            (
                "application/rss+xml",
                "application/atom+xml",
                "application/rdf+xml",
                "application/rss",
                "application/atom",
                "application/x-rss+xml",
                "text/rss+xml",
            )
        ),
        generic_link_types=frozenset(("application/xml", "text/xml")),
        accept=("application/atom+xml", "application/rss+xml", "application/xml;q=0.9"),
        parse=xml_feed.parse,
    ),
    Dialect(
        name="JSON Feed",
        sniff=json_feed.sniff,
        is_meant=json_feed.is_meant,
        link_types=frozenset(("application/feed+json",)),
        generic_link_types=frozenset(("application/json",)),
        accept=("application/feed+json",),
        parse=json_feed.parse,
    ),
)
"""The first row whose `sniff` accepts a document parses it: put more specific dialects above more general ones."""


def parse(body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
    """Parse a feed document of any dialect.

    Args:
        body: The document, content coding removed; it may be a gzip file.
        url: Base of relative links; empty leaves them unchanged.
        content_type: Of the response; only its charset counts, the dialect is sniffed from the bytes.

    Raises:
        FeedError: It is not a feed.
    """
    body = unpacked(body, url=url)
    start = body[:_SNIFF_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    for dialect in DIALECTS:
        if dialect.sniff(start):
            return sanitized(dialect.parse(body, url=url, content_type=content_type))
    raise FeedError("is not a feed", url=url)


def is_meant_as_feed(body: bytes) -> bool:
    """Whether a document declares itself to be a feed, readable or not."""
    start = start_of(body, _SNIFF_BYTES)
    return any(dialect.is_meant(start) for dialect in DIALECTS)


def is_feed_type(media_type: str) -> bool:
    """Whether a link of this media type can lead to a feed."""
    return any(media_type in one.link_types or media_type in one.generic_link_types for one in DIALECTS)


def is_generic_type(media_type: str) -> bool:
    """Whether a link of this media type leads to a feed only if its URL or title also says so."""
    return any(media_type in dialect.generic_link_types for dialect in DIALECTS)


def accept_header(*before: str) -> bytes:
    """Accept header for a feed of any dialect: content negotiation (RFC 9110 §12.5.1).

    Args:
        before: Media ranges to accept as well, put first.
    """
    ranges = [*before, *(one for dialect in DIALECTS for one in dialect.accept)]
    ranges.sort(key=_weight, reverse=True)  # stable: rows keep their order
    return ",".join([*ranges, "*/*;q=0.8"]).encode("ascii")


def _weight(media_range: str) -> float:
    return float(media_range.partition(";q=")[2] or 1)

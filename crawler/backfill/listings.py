"""Listings of posts older than a feed shows: which to read next, and how. Pure rules, no I/O.

They are tried in this order: documents that the feed links to (RFC 5005, JSON Feed), the APIs of WordPress and
Blogger, sitemaps, and finally the pages of the blog that link to its posts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from urllib.parse import parse_qs, urljoin, urlsplit

from crawler.backfill import as_feed, page_links, sitemap, wordpress
from crawler.backfill.model import ARCHIVE, FEED, NEXT, PAGED, PAGES, ROBOTS, SITEMAP, WORDPRESS, Found
from crawler.backfill.url_shapes import shapes
from crawler.feeds import parse
from crawler.feeds.model import ParsedFeed
from crawler.feeds.sanitize import sanitized_entries
from crawler.model.url_identity import with_query

__all__ = [
    "ARCHIVE",
    "FEED",
    "NEXT",
    "PAGED",
    "PAGES",
    "ROBOTS",
    "SITEMAP",
    "WORDPRESS",
    "Found",
    "answers",
    "first",
    "instead",
    "kind_of_feed",
    "next_stage",
    "read",
    "shapes",
]


ENDS = frozenset({400, 404, 410})
"""Statuses that mean that the listing does not exist, or that there are no more."""
_REFUSED = frozenset({401, 403, 405, 406, 451})
"""Statuses that mean that a listing may exist but is not accessible to us."""
_MAYBE = frozenset({WORDPRESS, ROBOTS, SITEMAP, PAGES})
"""Kinds of listings that a blog may lack; documents that the feed itself links to exist."""
_AS_FEED = {as_feed.SITEMAP: SITEMAP, as_feed.INDEX: SITEMAP, as_feed.WORDPRESS: WORDPRESS, as_feed.LINKS: PAGES}
_BLOGGER_PAGE = 150
_OK = 200


def read(
    body: bytes,
    *,
    url: str,
    kind: str,
    headers: Mapping[str, str],
    shapes: frozenset[str],
    site: str | None,
    everything: bool = False,
) -> Found:
    """Read a listing.

    Args:
        body: The document, content coding removed.
        url: Its URL.
        kind: What it was requested as.
        headers: Of the response, names in lower case.
        shapes: Of the URLs of known posts; they distinguish posts from other pages.
        site: Front page of the blog.
        everything: Take all pages that a sitemap lists, whatever their URLs look like.

    Raises:
        FeedError: It cannot be parsed.
    """
    if kind == SITEMAP:
        found = sitemap.read_sitemap(body, url, shapes, everything=everything)
    else:
        found = _read(body, url, kind, headers, shapes, site)
    return replace(found, entries=tuple(sanitized_entries(found.entries)))


def _read(
    body: bytes, url: str, kind: str, headers: Mapping[str, str], known_shapes: frozenset[str], site: str | None
) -> Found:
    if kind == ROBOTS:
        return sitemap.read_robots(body, url)
    if kind == PAGES:
        return page_links.read(body, url, headers.get("content-type"), known_shapes)
    if kind == WORDPRESS:
        return wordpress.read(body, url, headers)
    parsed = parse(body, url=url, content_type=headers.get("content-type"))
    more: list[tuple[str, str]] = []
    if kind == FEED:
        more += first(parsed, url=url, site=site)
    else:
        more += _older(parsed)
    if kind == PAGED and parsed.entries:
        more.append((with_query(url, paged=str(_paged(url) + 1)), PAGED))
    return Found(entries=parsed.entries, more=tuple(more), total=parsed.feed.total, complete=parsed.feed.is_all)


def first(parsed: ParsedFeed, *, url: str, site: str | None) -> list[tuple[str, str]]:
    """The listings that a feed's own document leads to: its next pages, or an API of the blog's software."""
    if parsed.feed.is_all:
        return []
    if is_blogger(parsed, url):
        query = {"start-index": "1", "max-results": str(_BLOGGER_PAGE), "orderby": "published"}
        return [(with_query(url, **query), NEXT)]
    if older := _older(parsed):
        return older
    if wordpress.is_wordpress(parsed, url):
        return [(wordpress.posts_url(site or parsed.feed.link or urljoin(url, "/")), WORDPRESS)]
    return []


def _older(parsed: ParsedFeed) -> list[tuple[str, str]]:
    if parsed.feed.prev_archive:
        return [(parsed.feed.prev_archive, ARCHIVE)]
    return [(parsed.feed.next_page, NEXT)] if parsed.feed.next_page else []


def kind_of_feed(listing: str | None) -> str:
    """The kind of listing as which a backfill reads the document of a subscription."""
    return FEED if listing is None else _AS_FEED[listing]


def answers(status: int, kind: str) -> bool:
    """Whether a response is final for a listing of that kind: it was served, does not exist, or is refused."""
    return status == _OK or status in ENDS or (status in _REFUSED and kind in _MAYBE)


def instead(kind: str, url: str, *, feed: str) -> tuple[tuple[str, str], ...]:
    """The listings to try in place of one that could not be read."""
    if kind == WORDPRESS:
        return ((with_query(feed, paged="2"), PAGED),)
    return sitemap.usual_sitemaps(url) if kind == ROBOTS else ()


def next_stage(kinds: Collection[str], *, found: int, site: str) -> list[tuple[str, str]]:
    """The listings to try when all known ones are read; empty once everything was tried.

    Args:
        kinds: Of the listings read so far.
        found: Number of posts found in listings other than the feed.
        site: Front page of the blog.
    """
    if ROBOTS not in kinds:
        return [(urljoin(site, "/robots.txt"), ROBOTS)]
    if PAGES not in kinds and not found:
        return page_links.front_pages(site)
    return []


def is_blogger(parsed: ParsedFeed, url: str) -> bool:
    """Whether Blogger made a feed."""
    return (parsed.feed.generator or "").lower() == "blogger" or "/feeds/posts/" in url


def _paged(url: str) -> int:
    value = parse_qs(urlsplit(url).query).get("paged", ["1"])[0]
    return int(value) if value.isdecimal() and len(value) < 7 else 1  # noqa: PLR2004  digits

"""Kinds of listings, and the content of one. Pure values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.feeds.model import FeedEntry

FEED, ARCHIVE, NEXT, PAGED, WORDPRESS = "feed", "archive", "next", "paged", "wordpress"
ROBOTS, SITEMAP, PAGES = "robots", "sitemap", "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The content of a listing."""

    entries: tuple[FeedEntry, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    """URL and kind of the listings that it links to."""
    total: int | None = None
    """Number of posts that the site states."""
    complete: bool = False
    """Whether it lists every post of the blog."""
    aside: tuple[str, ...] = ()
    """URLs in it that are not taken, because they do not have the shape of known posts' URLs."""
    elsewhere: int = 0
    """Number of URLs in it that belong to other sites."""
    unread: tuple[str, ...] = ()
    """Listings that it links to but that are not read: their names or hosts say that they do not list posts."""

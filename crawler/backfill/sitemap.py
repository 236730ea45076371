"""Sitemaps and the robots.txt that lists them (sitemaps.org). No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from lxml.etree import LxmlError
from scrapy.utils.sitemap import Sitemap as Elements
from scrapy.utils.sitemap import sitemap_urls_from_robots

from crawler.backfill.model import SITEMAP, Found
from crawler.backfill.url_shapes import posts, same_site
from crawler.errors import FeedError
from crawler.feeds import parse_date
from crawler.feeds.gzip_file import unpacked
from crawler.limits import SITEMAP_BYTES, SITEMAP_URLS
from crawler.model.url_identity import joined
from crawler.net.credentials import bare

_SITEMAPS = ("sitemap.xml", "sitemap_index.xml", "wp-sitemap.xml")
_NO_POSTS = re.compile(r"(?:page|categor|tag|author|product|user|image|video|taxonom|attachment|format)", re.IGNORECASE)
_ABSOLUTE = re.compile(r"https?://[^@#\s]+\Z", re.IGNORECASE)
"""An absolute URL without credentials and fragment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """An address in a sitemap."""

    url: str
    changed: datetime | None = None
    """When it was last changed, as the sitemap states; aware, UTC."""
    changed_raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """A sitemap."""

    locations: tuple[Location, ...]
    is_index: bool = False
    """Whether it lists other sitemaps."""

    @property
    def urls(self) -> list[str]:
        """Its addresses alone."""
        return [one.url for one in self.locations]


def usual_sitemaps(url: str) -> tuple[tuple[str, str], ...]:
    """Where the site of a URL usually has its sitemaps."""
    return tuple((urljoin(url, f"/{path}"), SITEMAP) for path in _SITEMAPS)


def read_robots(body: bytes, url: str) -> Found:
    """The sitemaps listed in a robots.txt, else the usual ones.

    Sitemaps on other hosts are ignored: what they list does not belong to the blog.
    """
    lines = (line.partition(b"#")[0] for line in body.splitlines())
    named = dict.fromkeys(one for line in lines for one in _sitemap_of(line, url))
    ours = [one for one in named if same_site(one, url)]
    elsewhere = tuple(one for one in named if one not in ours)
    return Found(more=tuple((one, SITEMAP) for one in ours) or usual_sitemaps(url), unread=elsewhere)


def _sitemap_of(line: bytes, url: str) -> list[str]:
    try:
        return list(sitemap_urls_from_robots(line, base_url=url))
    except ValueError:
        return []


def read_sitemap(body: bytes, url: str, shapes: frozenset[str], *, everything: bool = False) -> Found:
    """Read a sitemap: an index, a list of URLs, or plain lines; `everything`: whatever the URLs look like.

    Raises:
        FeedError: It is not a sitemap.
    """
    found = parse_sitemap(body, url)
    if not found.is_index:
        return posts(list(found.urls), url, shapes, everything=everything)
    ours = [one for one in found.urls if same_site(one, url)]
    wanted = ours if everything else [one for one in ours if not lacks_posts(one)] or ours
    left = dict.fromkeys(one for one in found.urls if one not in wanted)
    return Found(more=tuple((one, SITEMAP) for one in wanted), unread=tuple(left))


def parse_sitemap(body: bytes, url: str) -> Sitemap:
    """The addresses in a sitemap of any form, at most SITEMAP_URLS.

    Raises:
        FeedError: It is not a sitemap.
    """
    body = unpacked(body, url=url, limit=SITEMAP_BYTES)
    if b"<" not in body[:1_000]:
        lines = body.decode("utf-8", "replace").split()[:SITEMAP_URLS]
        return Sitemap(locations=tuple(Location(url=one) for line in lines if (one := _resolved(line, url))))
    try:
        document = Elements(body)
        named = [found for number, found in enumerate(document) if number < SITEMAP_URLS and found.get("loc")]
    except (LxmlError, ValueError, AttributeError, TypeError, StopIteration) as e:
        raise FeedError("is not a sitemap", url=url) from e
    if document.type not in {"sitemapindex", "urlset"}:
        raise FeedError("is not a sitemap", url=url)
    located = ((_resolved(found["loc"], url), found.get("lastmod")) for found in named)
    return Sitemap(
        locations=tuple(
            Location(url=one, changed=_date(changed) if changed else None, changed_raw=changed)
            for one, changed in located
            if one
        ),
        is_index=document.type == "sitemapindex",
    )


def _date(text: str) -> datetime | None:
    """A date of a sitemap (W3C Datetime), or in another form."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return parse_date(text)


def lacks_posts(url: str) -> bool:
    """Whether the name of a sitemap says that it lists something other than posts."""
    return _NO_POSTS.search(_last(url)) is not None


def _resolved(named: str, url: str) -> str | None:
    """An absolute URL; None for one that cannot be resolved."""
    named = named.strip()
    if _ABSOLUTE.match(named):
        return named  # as nearly all are, in lists of tens of thousands
    target = joined(url, named)
    return bare(target) if target is not None else None


def _last(url: str) -> str:
    return urlsplit(url).path.rsplit("/", 1)[-1]

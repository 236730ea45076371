"""Sitemaps and the robots.txt that lists them (sitemaps.org). No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from lxml.etree import LxmlError
from scrapy.utils.gz import gunzip
from scrapy.utils.sitemap import Sitemap, sitemap_urls_from_robots

from crawler.backfill.model import SITEMAP, Found
from crawler.backfill.url_shapes import posts, same_site
from crawler.errors import FeedError
from crawler.limits import SITEMAP_BYTES, SITEMAP_URLS
from crawler.model.url_identity import joined
from crawler.net.credentials import bare

_SITEMAPS = ("sitemap.xml", "sitemap_index.xml", "wp-sitemap.xml")
_NO_POSTS = re.compile(r"(?:page|categor|tag|author|product|user|image|video|taxonom|attachment|format)", re.IGNORECASE)
_GZIP = b"\x1f\x8b"


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
    if body.startswith(_GZIP):
        try:
            body = gunzip(body, max_size=SITEMAP_BYTES)
        except Exception as e:  # what Scrapy raises depends on how it is broken
            raise FeedError(f"cannot be unpacked: {type(e).__name__}", url=url) from e
    if b"<" not in body[:1_000]:
        lines = body.decode("utf-8", "replace").split()
        return posts(_resolved(lines[:SITEMAP_URLS], url), url, shapes, everything=everything)
    try:
        document = Sitemap(body)
        named = [found["loc"] for number, found in enumerate(document) if number < SITEMAP_URLS and found.get("loc")]
    except (LxmlError, ValueError, AttributeError, TypeError, StopIteration) as e:
        raise FeedError("is not a sitemap", url=url) from e
    located = _resolved(named, url)
    if document.type != "sitemapindex":
        return posts(located, url, shapes, everything=everything)
    ours = [one for one in located if same_site(one, url)]
    wanted = ours if everything else [one for one in ours if not _NO_POSTS.search(_last(one))] or ours
    left = dict.fromkeys(one for one in located if one not in wanted)
    return Found(more=tuple((one, SITEMAP) for one in wanted), unread=tuple(left))


def _resolved(named: Iterable[str], url: str) -> list[str]:
    """Absolute URLs, without those that cannot be resolved."""
    targets = (joined(url, one.strip()) for one in named)
    return [bare(target) for target in targets if target is not None]


def _last(url: str) -> str:
    return urlsplit(url).path.rsplit("/", 1)[-1]

"""Listings that are read as feeds, for blogs that have none: sitemaps, WordPress's API, pages of links. No I/O."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import html as lxml_html
from lxml.etree import LxmlError

from archive.extract.links import base_url
from archive.extract.padding import without_padding
from archive.limits import FIELD_CHARACTERS
from archive.warc.codings import unicode_html
from crawler.backfill import wordpress
from crawler.backfill.likely_posts import Likely, likely_posts
from crawler.backfill.sitemap import Location, Sitemap, lacks_posts, parse_sitemap
from crawler.errors import FeedError
from crawler.feeds.model import FeedEntry, FeedInfo, ParsedFeed
from crawler.feeds.sanitize import sanitized
from crawler.limits import FEED_ENTRIES, LINK_HEADER_CHARACTERS, SITEMAP_URLS
from crawler.model.url_identity import joined
from crawler.model.visits import LISTINGS
from crawler.net.credentials import bare

SITEMAP, INDEX, WORDPRESS, LINKS = LISTINGS
"""Kinds of listings, as stored with a subscription. An index has no posts: it shows which sitemaps there are."""
_BUILD_DATES = 5
"""Addresses from which on a date that most of them share is that of the site's last build."""
_MIN_LINKS = 2
"""Posts that a page must link to in order to count as a list of them."""
_FOLDER = 3
"""Addresses below the folder of a blog from which on the rest of the site is not the blog."""
_PARAGRAPH = 200
"""Characters of a paragraph from which on its links are references in a text, not a list."""
_ARCHIVE = re.compile(r"^\W*(?:archives?|all posts|posts|blog|writing|articles)\W*$", re.IGNORECASE)
_API = "https://api.w.org/"
_API_LINK = re.compile(rf"<([^<>]*)>\s*;\s*rel=[\"']?{re.escape(_API)}")
_BESIDE = "nav"
_AROUND = frozenset({"header", "footer", "aside"})
_WITHIN = frozenset({"article", "main", "section"})
_OTHER_LINKS = frozenset({"author", "category", "license", "me", "next", "prev", "search", "tag"})
_NEVER = datetime.min.replace(tzinfo=UTC)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A listing that was read."""

    parsed: ParsedFeed
    likely: Likely = Likely()  # noqa: RUF009  frozen
    """Its addresses, sorted into posts and others."""
    families: tuple[tuple[Location, ...], ...] = ()
    """Of an index: its sitemaps in groups of one name, numbers aside; in each the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a page says about listings of its blog."""

    title: str | None = None
    """Its title."""
    api: str | None = None
    """Root of WordPress's REST API."""
    archives: tuple[str, ...] = ()
    """Pages that it calls its archive."""


def parse_listing(kind: str, body: bytes, *, url: str, content_type: str | None, site: str | None) -> ParsedFeed:
    """A listing as the document that a feed would be: an entry for each post, with the date of its last change.

    Args:
        kind: SITEMAP, INDEX, WORDPRESS or LINKS.
        body: The document, content coding removed.
        url: Its URL.
        content_type: Of the response.
        site: The blog's front page; if it is a folder that has addresses below it, the posts are among them.

    Raises:
        FeedError: It is not such a listing.
    """
    return read_listing(kind, body, url=url, content_type=content_type, site=site).parsed


def read_listing(kind: str, body: bytes, *, url: str, content_type: str | None, site: str | None) -> Read:
    """As `parse_listing`, with what else the listing has.

    Raises:
        FeedError: It is not such a listing.
    """
    if kind == WORDPRESS:
        entries = wordpress.read(body, url, {}).entries
        return Read(
            parsed=_parsed([replace(entry, listed=True) for entry in entries]),
            likely=Likely(posts=tuple(entry.link for entry in entries if entry.link), evident=len(entries)),
        )
    if kind == LINKS:
        likely = likely_posts(_in_folder(_links(body, url, content_type), site), url)
        return Read(parsed=_parsed([_entry(one) for one in likely.posts]), likely=likely)
    found = parse_sitemap(body, url)
    if found.is_index != (kind == INDEX):
        raise FeedError("is an index of sitemaps" if found.is_index else "is not an index of sitemaps", url=url)
    if kind == INDEX:
        return Read(parsed=_parsed([]), families=_families(found))
    return _of_sitemap(found, url, site)


def is_list_of_posts(read: Read) -> bool:
    """Whether a page links to so many posts that it can stand for a feed."""
    return len(read.likely.posts) >= _MIN_LINKS


def kind_of(body: bytes, *, url: str) -> str | None:
    """The kind of a document that is a sitemap or WordPress's list of posts; None if it is neither."""
    try:
        if wordpress.read(body, url, {}).entries:
            return WORDPRESS
    except FeedError:
        pass
    try:
        found = parse_sitemap(body, url) if b"<" in body[:1_000] or body[:2] == b"\x1f\x8b" else None
    except FeedError:
        return None
    if found is None or not found.locations:
        return None
    return INDEX if found.is_index else SITEMAP


def declared(body: bytes, *, url: str, content_type: str | None, link: str | None) -> Declared:
    """What a page and its Link header say about listings of its blog."""
    tree = _tree(body, url, content_type)
    base = base_url(tree, url)
    api = next(
        (one.get("href") for one in tree.iter("link") if _API in (one.get("rel") or "").split() and one.get("href")),
        None,
    )
    header = _API_LINK.search((link or "")[:LINK_HEADER_CHARACTERS])
    api = api or (header[1] if header else None)
    called = [
        one.get("href")
        for one in tree.iter("a")
        if one.get("href") and _ARCHIVE.match(" ".join(one.text_content().split())[:100])
    ]
    named = (joined(base, href.strip()) for href in called)
    return Declared(
        title=" ".join((tree.findtext(".//title") or "").split())[:FIELD_CHARACTERS] or None,
        api=joined(base, api.strip()) if api else None,
        archives=tuple(dict.fromkeys(one.partition("#")[0] for one in named if one)),
    )


# -- sitemaps


def _of_sitemap(found: Sitemap, url: str, site: str | None) -> Read:
    by_url = {one.url: one for one in found.locations}
    likely = likely_posts(_in_folder(found.urls, site), url)
    shared = _build_date([by_url[one] for one in likely.posts])
    posts = [_without_date(by_url[one]) if by_url[one].changed == shared else by_url[one] for one in likely.posts]
    # Most are oldest first, and the newest count.
    posts.sort(key=_changed, reverse=True)
    entries = [_entry(one.url, changed=one.changed, changed_raw=one.changed_raw) for one in posts]
    return Read(parsed=_parsed(entries), likely=likely)


def _build_date(posts: Sequence[Location]) -> datetime | None:
    """The date of change that most posts share: that of the site's last build, which edits no post."""
    dates = Counter(one.changed for one in posts if one.changed)
    if len(posts) < _BUILD_DATES or not dates:
        return None
    date, count = dates.most_common(1)[0]
    return date if count * 2 > len(posts) else None


def _without_date(location: Location) -> Location:
    return replace(location, changed=None, changed_raw=None)


def _families(found: Sitemap) -> tuple[tuple[Location, ...], ...]:
    """The sitemaps of an index by name; names that promise no posts last."""
    families: dict[str, list[Location]] = {}
    for one in found.locations:
        families.setdefault(_family(one.url), []).append(one)
    order = sorted(families.values(), key=lambda members: lacks_posts(members[0].url))
    return tuple(tuple(sorted(members, key=_age, reverse=True)) for members in order)


def continuing(members: Sequence[Location], ours: Collection[str]) -> tuple[str, ...]:
    """The sitemaps of a family that continue those that are subscribed to, newest first.

    They have higher numbers and were not changed earlier. An older one that was changed lately does not count, nor do
    those of software whose numbers grow towards the past.
    """
    known = [one for one in members if one.url in ours]
    if not known:
        return ()
    numbers, changed = max(map(_numbers, known)), max(map(_changed, known))
    return tuple(one.url for one in members if _numbers(one) > numbers and _changed(one) >= changed)


def _family(url: str) -> str:
    """The name of a sitemap without the numbers that distinguish it from its siblings."""
    return _NUMBER.sub("", url)


def _age(location: Location) -> tuple[datetime, tuple[int, ...]]:
    return _changed(location), _numbers(location)


def _changed(location: Location) -> datetime:
    return location.changed or _NEVER


def _numbers(location: Location) -> tuple[int, ...]:
    parts = urlsplit(location.url)
    return tuple(int(number[:9]) for number in _NUMBER.findall(f"{parts.path}?{parts.query}"))


# -- pages of links


def _links(body: bytes, url: str, content_type: str | None) -> list[str]:
    """The targets of the links in the content of a page."""
    tree = _tree(body, url, content_type)
    base = base_url(tree, url)
    urls = []
    for number, link in enumerate(tree.iter("a")):
        if number >= SITEMAP_URLS:
            break
        rel = set((link.get("rel") or "").lower().split())
        target = joined(base, (link.get("href") or "").strip())
        if target and not rel & _OTHER_LINKS and not _is_beside(link):
            urls.append(bare(target.partition("#")[0]))
    own = url.partition("#")[0]
    return [one for one in urls if one != own]


def _is_beside(link: Any) -> bool:  # noqa: ANN401  lxml's element
    """Whether a link is in the navigation, in the head, foot or margin of the page, or within a text."""
    around = False
    for element in link.iterancestors():
        if element.tag == _BESIDE or (element.tag == "p" and len(element.text_content()) > _PARAGRAPH):
            return True
        if element.tag in _WITHIN and not around:
            return False
        around = around or element.tag in _AROUND
        if around and element.tag == "article":
            return False  # the head of a post in a list
    return around


def _tree(body: bytes, url: str, content_type: str | None) -> Any:  # noqa: ANN401  lxml's element
    text = without_padding(unicode_html(body, content_type))
    try:
        return lxml_html.document_fromstring(text.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    except (LxmlError, ValueError) as e:
        raise FeedError("is not an HTML page", url=url) from e


# -- all


def _in_folder(urls: Sequence[str], site: str | None) -> Iterator[str]:
    """The addresses below the front page of the blog, if it is a folder of a site; else all of them."""
    folder = urlsplit(site or "").path.rpartition("/")[0] + "/"
    below = [one for one in urls if urlsplit(one).path.startswith(folder)]
    yield from below if len(below) >= _FOLDER else urls


def _entry(url: str, *, changed: datetime | None = None, changed_raw: str | None = None) -> FeedEntry:
    return FeedEntry(link=url, updated=changed, updated_raw=changed_raw, listed=True)


def _parsed(entries: Sequence[FeedEntry]) -> ParsedFeed:
    newest = tuple(entries[:FEED_ENTRIES])
    return sanitized(ParsedFeed(feed=FeedInfo(), entries=newest, left_out=len(entries) - len(newest)))

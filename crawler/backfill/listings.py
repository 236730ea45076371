"""Where posts older than the feed shows are listed, and how such listings are read. Pure rules, no I/O.

In the order in which they are tried: documents that the feed leads to (RFC 5005, JSON Feed), the interfaces of
WordPress and Blogger, sitemaps, and last the pages of the blog that link its posts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit, urlunsplit

from lxml import html as lxml_html
from lxml.etree import LxmlError
from scrapy.utils.gz import gunzip
from scrapy.utils.sitemap import Sitemap, sitemap_urls_from_robots

from archive.warc.codings import unicode_html
from crawler.errors import FeedError
from crawler.feeds import parse
from crawler.feeds.model import FeedEntry, ParsedFeed
from crawler.feeds.sanitize import sanitized_entries
from crawler.limits import SITEMAP_BYTES, SITEMAP_URLS
from crawler.net.credentials import bare

FEED, ARCHIVE, NEXT, PAGED, WORDPRESS = "feed", "archive", "next", "paged", "wordpress"
ROBOTS, SITEMAP, PAGES = "robots", "sitemap", "pages"
ENDS = frozenset({400, 404, 410})
"""Answers that mean that there is no such listing, or none further on."""
_REFUSED = frozenset({401, 403, 405, 406, 451})
"""Answers that mean, to what may or may not be there, that it is not for us."""
_MAYBE = frozenset({WORDPRESS, ROBOTS, SITEMAP, PAGES})
"""Listings that a blog may have; a document that the feed itself leads to is there."""

_WORDPRESS_FIELDS = "id,link,guid,date_gmt,modified_gmt,title"
_WORDPRESS_PAGE = 100
_BLOGGER_PAGE = 150
_SITEMAPS = ("sitemap.xml", "sitemap_index.xml", "wp-sitemap.xml")
_FRONT_PAGES = ("", "archive", "archives", "blog")
_MAX_SHAPES = 50
_FEW = 3
"""Posts that share a word in their addresses, from which on the word belongs to the shape."""
_NO_POSTS = re.compile(r"(?:page|categor|tag|author|product|user|image|video|taxonom|attachment|format)", re.IGNORECASE)
_NO_POST = re.compile(
    r"about(?:-us)?|archives?|authors?|categor(?:y|ies)|comments|contact|feed|home|impressum|imprint|index|login|page|"
    r"privacy(?:-policy)?|search|tags?|topics|users",
    re.IGNORECASE,
)
"""Words in addresses of pages that stand beside the posts, where they are not in all addresses of posts, too."""
_TRACKING = re.compile(r"utm_\w+|(?:fb|g)clid|mc_[ce]id")
_YEAR = re.compile(r"/(?:19|20)\d\d(?:/\d\d?)?/?$")
_A_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBERED = re.compile(r"(?:/page/?\d+/?$|[?&](?:page|paged|p|start|offset)=\d+$|/page\d+)", re.IGNORECASE)
_ARCHIVE_WORDS = re.compile(
    r"^\W*(?:older|previous|next|earlier|more posts|archives?|all posts|»|→|\u203a)", re.IGNORECASE
)
_GZIP = b"\x1f\x8b"
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a listing gives."""

    entries: tuple[FeedEntry, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    """URL and kind of the listings that it leads to."""
    total: int | None = None
    """Posts that the site says it has."""
    complete: bool = False
    """It has all that there are."""


def read(
    body: bytes, *, url: str, kind: str, headers: Mapping[str, str], shapes: frozenset[str], site: str | None
) -> Found:
    """Read a listing.

    Args:
        body: The document, content coding removed.
        url: Where it was found.
        kind: What it was asked for as.
        headers: Of the response, names in lower case.
        shapes: Of the addresses of posts that are known; tells posts from other pages.
        site: Front page of the blog.

    Raises:
        FeedError: It cannot be read.
    """
    found = _read(body, url, kind, headers, shapes, site)
    return replace(found, entries=tuple(sanitized_entries(found.entries)))


def _read(
    body: bytes, url: str, kind: str, headers: Mapping[str, str], shapes: frozenset[str], site: str | None
) -> Found:
    if kind == ROBOTS:
        return _robots(body, url)
    if kind == SITEMAP:
        return _sitemap(body, url, shapes)
    if kind == PAGES:
        return _page(body, url, headers.get("content-type"), shapes)
    if kind == WORDPRESS:
        return _wordpress(body, url, headers)
    parsed = parse(body, url=url, content_type=headers.get("content-type"))
    more: list[tuple[str, str]] = []
    if kind == FEED:
        more += first(parsed, url=url, site=site)
    else:
        more += _older(parsed)
    if kind == PAGED and parsed.entries:
        more.append((_with_query(url, paged=str(_paged(url) + 1)), PAGED))
    return Found(entries=parsed.entries, more=tuple(more), total=parsed.feed.total, complete=parsed.feed.is_all)


def first(parsed: ParsedFeed, *, url: str, site: str | None) -> list[tuple[str, str]]:
    """The listings that a feed's own document leads to."""
    if parsed.feed.is_all:
        return []
    if is_blogger(parsed, url):
        query = {"start-index": "1", "max-results": str(_BLOGGER_PAGE), "orderby": "published"}
        return [(_with_query(url, **query), NEXT)]
    if older := _older(parsed):
        return older
    if is_wordpress(parsed, url):
        return [(wordpress(site or parsed.feed.link or urljoin(url, "/")), WORDPRESS)]
    return []


def _older(parsed: ParsedFeed) -> list[tuple[str, str]]:
    if parsed.feed.prev_archive:
        return [(parsed.feed.prev_archive, ARCHIVE)]
    return [(parsed.feed.next_page, NEXT)] if parsed.feed.next_page else []


def answers(status: int, kind: str) -> bool:
    """Whether a listing of that kind will not be answered better: it came, is not there, or is refused."""
    return status == _OK or status in ENDS or (status in _REFUSED and kind in _MAYBE)


def instead(kind: str, url: str, *, feed: str) -> tuple[tuple[str, str], ...]:
    """The listings to try where one of that kind is not to be had."""
    if kind == WORDPRESS:
        return ((_with_query(feed, paged="2"), PAGED),)
    return sitemaps(url) if kind == ROBOTS else ()


def sitemaps(url: str) -> tuple[tuple[str, str], ...]:
    """Where sitemaps usually lie on the site of a URL."""
    return tuple((urljoin(url, f"/{path}"), SITEMAP) for path in _SITEMAPS)


def next_stage(kinds: Collection[str], *, found: int, site: str) -> list[tuple[str, str]]:
    """Where to look on when all known listings are read; nothing if everything was tried.

    Args:
        kinds: Of the listings read so far.
        found: Posts that listings beyond the feed itself have given.
        site: Front page of the blog.
    """
    root = urljoin(site, "/")
    if ROBOTS not in kinds:
        return [(urljoin(root, "robots.txt"), ROBOTS)]
    if PAGES not in kinds and not found:
        front = site if site.endswith("/") else f"{site}/"
        return [(url, PAGES) for url in dict.fromkeys(urljoin(front, path) for path in _FRONT_PAGES)]
    return []


def is_wordpress(parsed: ParsedFeed, url: str) -> bool:
    """Whether WordPress made a feed."""
    said = (parsed.feed.generator or "").lower()
    return "wordpress" in said or (not said and bool(re.search(r"/feed/?$|[?&]feed=", url)))


def is_blogger(parsed: ParsedFeed, url: str) -> bool:
    """Whether Blogger made a feed."""
    return (parsed.feed.generator or "").lower() == "blogger" or "/feeds/posts/" in url


def wordpress(site: str, page: int = 1) -> str:
    """A page of the list of posts that WordPress gives to programs; oldest first, so that new posts shift nothing."""
    query = {
        "per_page": _WORDPRESS_PAGE,
        "page": page,
        "orderby": "date",
        "order": "asc",
        "_fields": _WORDPRESS_FIELDS,
    }
    return urljoin(site if site.endswith("/") else f"{site}/", "wp-json/wp/v2/posts") + "?" + urlencode(query, safe=",")


def _wordpress(body: bytes, url: str, headers: Mapping[str, str]) -> Found:
    """developer.wordpress.org/rest-api/using-the-rest-api/pagination."""
    try:
        posts = json.loads(body)
    except (ValueError, RecursionError) as e:
        raise FeedError("is no list of posts", url=url) from e
    if not isinstance(posts, list):
        raise FeedError("is no list of posts", url=url)
    entries = tuple(entry for post in posts if isinstance(post, dict) and (entry := _wordpress_post(post)))
    page = int(parse_qs(urlsplit(url).query).get("page", ["1"])[0])
    pages, total = _header_number(headers, "x-wp-totalpages"), _header_number(headers, "x-wp-total")
    more = page < pages if pages is not None else len(posts) == _WORDPRESS_PAGE
    return Found(
        entries=entries,
        more=((_with_query(url, page=str(page + 1)), WORDPRESS),) if more else (),
        total=total,
        complete=total is not None and not more,
    )


def _wordpress_post(post: dict[str, Any]) -> FeedEntry | None:
    link = post.get("link")
    if not isinstance(link, str):
        return None
    guid, title = _rendered(post.get("guid")), _rendered(post.get("title"))
    return FeedEntry(
        id=guid, link=link, title=title, published=_gmt(post.get("date_gmt")), updated=_gmt(post.get("modified_gmt"))
    )


def _rendered(value: object) -> str | None:
    text = value.get("rendered") if isinstance(value, dict) else value
    return text.strip() or None if isinstance(text, str) else None


def _gmt(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else None
    except ValueError:
        return None


def _header_number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "").strip()
    return int(value) if value.isdecimal() and len(value) < 10 else None  # noqa: PLR2004  digits


def _robots(body: bytes, url: str) -> Found:
    """Sitemaps on other hosts are left out: they are not ours to ask, and what they list is not the blog's."""
    lines = (line.partition(b"#")[0] for line in body.splitlines())
    named = dict.fromkeys(one for line in lines for one in _sitemap_of(line, url) if _one_site(one, url))
    return Found(more=tuple((one, SITEMAP) for one in named) or sitemaps(url))


def _sitemap_of(line: bytes, url: str) -> list[str]:
    try:
        return list(sitemap_urls_from_robots(line, base_url=url))
    except ValueError:
        return []


def _sitemap(body: bytes, url: str, shapes: frozenset[str]) -> Found:
    """sitemaps.org: an index, a list of URLs, or plain lines."""
    if body.startswith(_GZIP):
        try:
            body = gunzip(body, max_size=SITEMAP_BYTES)
        except Exception as e:  # what Scrapy raises depends on how it is broken
            raise FeedError(f"cannot be unpacked: {type(e).__name__}", url=url) from e
    if b"<" not in body[:1_000]:
        lines = body.decode("utf-8", "replace").split()
        return Found(entries=_posts(_joined(lines[:SITEMAP_URLS], url), url, shapes))
    try:
        document = Sitemap(body)
        named = [found["loc"] for number, found in enumerate(document) if number < SITEMAP_URLS and found.get("loc")]
    except (LxmlError, ValueError, AttributeError, TypeError, StopIteration) as e:
        raise FeedError("is no sitemap", url=url) from e
    located = _joined(named, url)
    if document.type != "sitemapindex":
        return Found(entries=_posts(located, url, shapes))
    ours = [one for one in located if _one_site(one, url)]
    wanted = [one for one in ours if not _NO_POSTS.search(_last(one))] or ours
    return Found(more=tuple((one, SITEMAP) for one in wanted))


def _joined(named: Iterable[str], url: str) -> list[str]:
    """Addresses in full, without those that are none."""
    found = []
    for one in named:
        try:
            found.append(bare(urljoin(url, one.strip())))
        except ValueError:
            continue
    return found


def _last(url: str) -> str:
    return urlsplit(url).path.rsplit("/", 1)[-1]


def _page(body: bytes, url: str, content_type: str | None, shapes: frozenset[str]) -> Found:
    text = unicode_html(body, content_type)
    try:
        tree = lxml_html.document_fromstring(text.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    except (LxmlError, ValueError) as e:
        raise FeedError("is no page", url=url) from e
    links = list(_links(tree, url))
    posts = _posts((target for target, _ in links), url, shapes)
    known = {post.link for post in posts}
    more = [target for target, goes_on in links if goes_on and target not in known and _one_site(target, url)]
    return Found(entries=posts, more=tuple((target, PAGES) for target in dict.fromkeys(more)))


def _links(tree: Any, url: str) -> Iterator[tuple[str, bool]]:  # noqa: ANN401  lxml's element
    """Addresses of links and whether they go on to other lists of posts."""
    for number, link in enumerate(tree.iter("a", "link")):
        if number >= SITEMAP_URLS:
            return
        try:
            target = bare(urljoin(url, (link.get("href") or "").strip()).partition("#")[0])
        except ValueError:
            continue
        rel = (link.get("rel") or "").lower().split()
        if link.tag == "link" and not {"next", "prev"} & set(rel):
            continue
        words = " ".join(link.text_content().split())[:100] if link.tag == "a" else ""
        parts = urlsplit(target)
        listed = _YEAR.search(parts.path) or _NUMBERED.search(parts.path + (f"?{parts.query}" if parts.query else ""))
        yield target, bool({"next", "prev"} & set(rel) or listed or _ARCHIVE_WORDS.match(words))


def _posts(urls: Iterable[str], base: str, shapes: frozenset[str]) -> tuple[FeedEntry, ...]:
    """Entries for the addresses that look like those of posts."""
    named = dict.fromkeys(url for url in urls if _one_site(url, base) and _is_post(url, shapes))
    return tuple(FeedEntry(link=url) for url in named)


def _is_post(url: str, shapes: frozenset[str]) -> bool:
    shape = shape_of(url, shapes)
    if shape not in shapes:
        return False
    pairs = zip(shape.split("/"), _segments(url), strict=False)
    return not any(part.startswith("*") and _NO_POST.fullmatch(word.partition(".")[0]) for part, word in pairs)


def _one_site(one: str, other: str) -> bool:
    try:
        hosts = [(urlsplit(url).hostname or "").removeprefix("www.") for url in (one, other)]
    except ValueError:
        return False
    return hosts[0] == hosts[1] and one.lower().startswith(("http://", "https://"))


# -- what addresses of posts look like


def shapes(urls: Collection[str]) -> frozenset[str]:
    """The shapes of addresses: years, other numbers, words that all share, and places where words differ."""
    kinds: dict[tuple[str, ...], list[list[str]]] = {}
    for url in urls:
        words = _segments(url)
        kinds.setdefault(_kinds(words), []).append(words)
    found = []
    for kind, examples in sorted(kinds.items(), key=lambda item: -len(item[1]))[:_MAX_SHAPES]:
        shared = [
            len(examples) >= _FEW and len({example[at] for example in examples}) == 1 and kind[at] == "*"
            for at in range(len(kind))
        ]
        found.append("/".join(examples[0][at] if shared[at] else kind[at] for at in range(len(kind))))
    return frozenset(shape for shape in found if shape)


def shape_of(url: str, known: frozenset[str]) -> str:
    """The shape of an address, with the words that a known shape has in the same places."""
    words = _segments(url)
    kinds = _kinds(words)
    for shape in known:
        parts = shape.split("/")
        if len(parts) == len(words) and all(map(_fits, parts, kinds, words)):
            return shape
    return "/".join(kinds)


def _fits(part: str, kind: str, word: str) -> bool:
    return part in (kind, word) or (part, kind) == ("{n}", "{4}")


def _segments(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    path = [segment for segment in parts.path.split("/") if segment]
    query = {name: values[0] for name, values in parse_qs(parts.query).items() if not _TRACKING.fullmatch(name)}
    return [*path, *(f"?{name}={value}" for name, value in sorted(query.items()))]


def _kinds(words: list[str]) -> tuple[str, ...]:
    return tuple(_kind(word, last=at == len(words)) for at, word in enumerate(words, 1))


def _kind(word: str, *, last: bool) -> str:
    if word.startswith("?"):
        return word.partition("=")[0] + "=*"
    if word.isdecimal():  # at the end it is the number of a post, which may look like a year
        return "{4}" if _A_YEAR.fullmatch(word) and not last else "{n}"
    return "*." + word.rsplit(".", 1)[1] if re.search(r"\.\w{2,5}$", word) else "*"


def _paged(url: str) -> int:
    value = parse_qs(urlsplit(url).query).get("paged", ["1"])[0]
    return int(value) if value.isdecimal() and len(value) < 7 else 1  # noqa: PLR2004  digits


def _with_query(url: str, **changed: str) -> str:
    """A URL with these parameters, which replace those of the same names."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    return urlunsplit(parts._replace(query=urlencode({**query, **changed}, safe=",")))

"""Feed autodiscovery: the feeds that a page and its Link header link to. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urljoin, urlsplit

from lxml import html as lxml_html
from lxml.etree import LxmlError
from lxml.html import HtmlElement

from archive.warc.codings import unicode_html
from crawler.feeds.dialects import is_feed_type, is_generic_type
from crawler.limits import DISCOVERY_REQUESTS, LINK_HEADER_CHARACTERS
from crawler.model.url_identity import is_address, joined
from crawler.net.credentials import bare

GUESSES = ("feed/", "feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json", "feeds/posts/default")
"""Usual paths of feeds in blog software, tried if a page links to none."""
_IN_FOLDER = ("feed/", "rss.xml", "feed.xml", "atom.xml", "index.xml")
_SHAPES = (  # Medium, Mastodon, YouTube
    (re.compile(r"(@[\w.-]+)"), r"feed/\1"),
    (re.compile(r"(@[\w.-]+)"), r"\1.rss"),
    (re.compile(r"channel/([\w-]+)"), r"feeds/videos.xml?channel_id=\1"),
)
"""Paths of personal pages on services, and the path of the feed of each."""

_LINK_HEADER = re.compile(r"<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~-]+\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]+))*)")
_PARAMETER = re.compile(r";\s*([\w!#$&+.^`|~-]+)\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))")
_FEED_WORD = re.compile(r"(?:^|[/._?=-])(?:rss2?|atom|feeds?|rdf)(?:$|[/._?=&-]|\.xml|\.json)", re.IGNORECASE)
_FEED_TEXT = re.compile(r"\b(?:rss|atom|feeds?)\b", re.IGNORECASE)
_FEED_FILE = re.compile(r"\.(?:xml|rss|atom|rdf|json)$", re.IGNORECASE)
_MAX_WORDS = 200
"""Characters of a link's text that are examined."""
_COMMENTS = re.compile(r"comment|komment|comentario|commentaire|replies", re.IGNORECASE)
_NOT_FEEDS = re.compile(r"oembed|/wp-json/|/api/|\.webmanifest|opensearch|/xmlrpc|\bpost_comments\b", re.IGNORECASE)


def feeds(body: bytes, *, url: str, headers: Mapping[str, str]) -> list[str]:
    """URLs of feeds that a page and its headers link to, best first; they have not been requested.

    Args:
        body: The page, content coding removed.
        url: Its final URL after redirects.
        headers: Of the response.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    found = [*_from_header(lower.get("link", ""), url)]
    text = unicode_html(body, lower.get("content-type"))
    try:
        tree = lxml_html.document_fromstring(text.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    except (LxmlError, ValueError):
        return _ranked(found)
    base = _base(tree, url)
    found += _from_links(tree, base)
    # A declared feed may be dead; ordinary links come after it.
    return _ranked([*found, *_from_anchors(tree, base)])


def guesses(url: str) -> list[str]:
    """Likely feed URLs of a site that declares none: below the page itself, then at the root of the site."""
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}/"
    path = parts.path.strip("/")
    own = [shape.expand(target) for form, target in _SHAPES if (shape := form.fullmatch(path))]
    if path and "." not in path.rpartition("/")[2]:  # a folder, which may be a blog's root
        own += [f"{path}/{name}" for name in _IN_FOLDER]
    return [urljoin(root, guess) for guess in (*own, *GUESSES)]


def related(value: str, rel: str, url: str) -> str | None:
    """Target of the first link with that relation in a Link header."""
    found = (
        _join(url, target) for target, stated in _link_header(value) if rel in stated.get("rel", "").lower().split()
    )
    return next((link for link in found if link), None)


def _link_header(value: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Targets and parameters of a Link header (RFC 8288)."""
    for target, raw in _LINK_HEADER.findall(value[:LINK_HEADER_CHARACTERS]):
        yield target, {name.lower(): quoted or token for name, quoted, token in _PARAMETER.findall(raw)}


def _from_header(value: str, url: str) -> Iterator[tuple[str, str]]:
    """`Link: <…>; rel=alternate; type=…`."""
    for target, parameters in _link_header(value):
        if _is_feed(parameters.get("rel", ""), parameters.get("type", ""), target):
            yield _join(url, target), parameters.get("title", "")


def _from_links(tree: HtmlElement, base: str) -> Iterator[tuple[str, str]]:
    for link in tree.iter("link", "a"):
        href = (link.get("href") or "").strip()
        if href and _is_feed(link.get("rel") or "", link.get("type") or "", href, link.get("title") or ""):
            yield _join(base, href), link.get("title") or ""


def _from_anchors(tree: HtmlElement, base: str) -> Iterator[tuple[str, str]]:
    """Links on the same site whose URL looks like a feed's, or whose words do if the URL may be a feed's."""
    host = urlsplit(base).hostname
    for link in tree.iter("a"):
        target = _join(base, (link.get("href") or "").strip())
        try:
            same = urlsplit(target).hostname == host
        except ValueError:
            continue
        address = urlsplit(target).path + "?" + urlsplit(target).query
        if not same or _NOT_FEEDS.search(address):
            continue
        words = " ".join(link.text_content().split())[:_MAX_WORDS]
        if _FEED_WORD.search(address) or (_FEED_TEXT.search(words) and _FEED_FILE.search(urlsplit(target).path)):
            yield target, words


def _is_feed(rel: str, kind: str, href: str, title: str = "") -> bool:
    """Whether a link element or header leads to a feed (HTML §4.6.7.1 alternate)."""
    tokens = rel.lower().split()
    media = kind.split(";", maxsplit=1)[0].strip().lower()
    if _NOT_FEEDS.search(href) or "stylesheet" in tokens:
        return False
    if "feed" in tokens:
        return not media or is_feed_type(media)
    if "alternate" not in tokens or not is_feed_type(media):
        return False
    return not is_generic_type(media) or bool(_FEED_WORD.search(href) or _FEED_TEXT.search(title))


def _base(tree: HtmlElement, url: str) -> str:
    for base in tree.iter("base"):
        if base.get("href"):
            return _join(url, base.get("href").strip())
    return url


def _join(base: str, href: str) -> str:
    """An absolute http or https URL without fragment; empty if it is not one."""
    href = re.sub(r"^feed:(?://)?(?=https?:)", "", href, flags=re.IGNORECASE)
    href = re.sub(r"^feed://", "http://", href, flags=re.IGNORECASE)
    target = bare((joined(base, href) or "").split("#")[0])
    return target if is_address(target) else ""


def _ranked(found: list[tuple[str, str]]) -> list[str]:
    """Each once, comment feeds last, otherwise in the order of the page."""
    unique = {url: title for url, title in reversed(found) if url}
    order = [url for url in dict.fromkeys(url for url, _ in found) if url]
    order.sort(key=lambda url: bool(_COMMENTS.search(urlsplit(url).path + unique[url])))
    return order[:DISCOVERY_REQUESTS]

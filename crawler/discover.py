"""Feed autodiscovery: the feeds that a page and its Link header link to. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from lxml import html as lxml_html
from lxml.etree import LxmlError
from lxml.html import HtmlElement

from archive.extract.padding import without_padding
from archive.warc.codings import unicode_html
from crawler.feeds.dialects import is_feed_type, is_generic_type
from crawler.limits import DISCOVERY_REQUESTS, LINK_HEADER_CHARACTERS
from crawler.model.url_identity import as_http, host_of, is_address, joined
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
_LABEL_WORDS = 2
"""Words of a link that is a label, such as `RSS feed`, and not a sentence about feeds."""
_COMMENTS = re.compile(r"comment|komment|comentario|commentaire|replies", re.IGNORECASE)
_OTHER_ROLES = frozenset(
    {
        "author",
        "edit",
        "first",
        "hub",
        "last",
        "license",
        "next",
        "prefetch",
        "preload",
        "prev",
        "previous",
        "replies",
        "search",
        "service.post",
        "stylesheet",
        "via",
    }
)
"""Relations (IANA's registry, AtomPub) that give a link another role than that of the page's feed."""
_NOT_FEEDS = re.compile(r"oembed|/wp-json/|/api/|\.webmanifest|opensearch|/xmlrpc|\bpost_comments\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLink:
    """A link to what may be a feed."""

    url: str
    declared: bool
    """Whether the page or its headers declare it as a feed; other links only look like it."""
    comments: bool = False
    """Whether it is a feed of comments."""
    elsewhere: bool = False
    """Whether an ordinary link leads to another host: the feed may be that of somebody else."""


def feeds(body: bytes, *, url: str, headers: Mapping[str, str]) -> list[str]:
    """URLs of feeds that a page and its headers link to, best first; they have not been requested.

    Args:
        body: The page, content coding removed.
        url: Its final URL after redirects.
        headers: Of the response.
    """
    return [link.url for link in links(body, url=url, headers=headers) if not link.elsewhere]


def links(body: bytes, *, url: str, headers: Mapping[str, str]) -> list[FeedLink]:
    """As `feeds`, with what is known of each link; those that lead elsewhere come last."""
    lower = {name.lower(): value for name, value in headers.items()}
    declared = [*_from_header(lower.get("link", ""), url)]
    text = without_padding(unicode_html(body, lower.get("content-type")))
    try:
        tree = lxml_html.document_fromstring(text.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    except (LxmlError, ValueError):
        return _ranked(declared, [], set())
    base = _base(tree, url)
    declared += _from_links(tree, base)
    # A declared feed may be dead; ordinary links come after it.
    return _ranked(declared, list(_from_anchors(tree, base)), {_bare_host(url), _bare_host(base)})


def guesses(url: str) -> list[str]:
    """Likely feed URLs of a site that declares none: below the page itself, then at the root of the site."""
    parts = urlsplit(bare(url))
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
        href, rel = (link.get("href") or "").strip(), link.get("rel") or ""
        if link.tag == "a" and not {"alternate", "feed"} & set(rel.lower().split()):
            continue  # it says of what type its target is, not that it is the feed of this page
        if href and _is_feed(rel, link.get("type") or "", href, link.get("title") or ""):
            yield _join(base, href), link.get("title") or ""


def _from_anchors(tree: HtmlElement, base: str) -> Iterator[tuple[str, str]]:
    """Links whose type, scheme or URL is that of a feed, or whose words name a feed."""
    for link in tree.iter("a"):
        href = (link.get("href") or "").strip()
        target = _join(base, href)
        words = " ".join(
            [link.text_content(), link.get("title") or "", *(i.get("alt") or "" for i in link.iter("img"))]
        )
        label = " ".join(words.split())[:_MAX_WORDS]
        if target and (
            href[:5].lower() == "feed:" or _is_specific(link.get("type")) or _looks_like_feed(target, label)
        ):
            yield target, label


def _looks_like_feed(target: str, label: str) -> bool:
    parts = urlsplit(target)
    address = f"//{parts.hostname}{parts.path}?{parts.query}"
    if _NOT_FEEDS.search(address):
        return False
    if _FEED_WORD.search(f"{parts.path}?{parts.query}"):
        return True
    named = _FEED_TEXT.search(label) is not None
    short = len(label.split()) <= _LABEL_WORDS
    return named and (short or bool(_FEED_FILE.search(parts.path) or _FEED_WORD.search(address)))


def _is_feed(rel: str, kind: str, href: str, title: str = "") -> bool:
    """Whether a link element or header leads to a feed (HTML §4.6.7.1 alternate).

    A type that only feeds have is evidence enough, whatever the URL and without a relation.
    """
    tokens = set(rel.lower().split())
    media = _media(kind)
    if tokens & _OTHER_ROLES:
        return False
    if _is_specific(media):
        return True
    if _NOT_FEEDS.search(href):
        return False
    if "feed" in tokens:
        return not media or is_generic_type(media)
    if "alternate" not in tokens or not is_generic_type(media):
        return False
    return bool(_FEED_WORD.search(href) or _FEED_TEXT.search(title))


def _media(kind: str | None) -> str:
    return (kind or "").split(";", maxsplit=1)[0].strip().lower()


def _is_specific(kind: str | None) -> bool:
    """Whether a media type is that of feeds only."""
    media = _media(kind)
    return is_feed_type(media) and not is_generic_type(media)


def _base(tree: HtmlElement, url: str) -> str:
    for base in tree.iter("base"):
        if base.get("href"):
            return _join(url, base.get("href").strip())
    return url


def _join(base: str, href: str) -> str:
    """An absolute http or https URL without fragment; empty if it is not one."""
    target = bare((joined(base, as_http(href)) or "").split("#")[0])
    return target if is_address(target) else ""


def _bare_host(url: str) -> str:
    return host_of(url).removeprefix("www.")


def _ranked(declared: Iterable[tuple[str, str]], linked: Iterable[tuple[str, str]], hosts: set[str]) -> list[FeedLink]:
    """Each URL once: declared feeds, then links on these hosts, each with comments last; then other hosts."""
    found: dict[str, FeedLink] = {}
    for named, is_declared in ((declared, True), (linked, False)):
        for url, title in named:
            if url and url not in found:
                found[url] = FeedLink(
                    url=url,
                    declared=is_declared,
                    comments=bool(_COMMENTS.search(urlsplit(url).path + title)),
                    elsewhere=not is_declared and _bare_host(url) not in hosts,
                )
    order = sorted(found.values(), key=lambda link: (link.elsewhere, link.comments))
    return order[:DISCOVERY_REQUESTS]

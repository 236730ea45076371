"""The links of a page to other forms of the same post: its next page, its AMP version, its canonical URL. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from urllib.parse import parse_qsl, urldefrag, urlencode, urlsplit, urlunsplit

from lxml.html import HtmlElement

from archive.extract import boilerplate
from archive.extract.links import base_url, joined, without_user
from archive.limits import URL_CHARACTERS

_PARAMETERS = frozenset(
    {"page", "paged", "pg", "seite", "pagina", "pagenum", "pageno", "page_no", "page_num", "strana"}
)
_MAX_PATH = 2_000
_PATH_NUMBER = re.compile(
    r"^(?P<base>.*/[^/]*[^\d/][^/]*?)(?P<word>/page|/p|/seite|/pagina)?/(?P<number>[1-9]\d{0,2})(?P<end>/?|\.html?)$"
)
_NAME_NUMBER = re.compile(
    r"^(?P<base>.*/[^/]*[^\d/_-])[-_](?P<number>[1-9]\d{0,2})(?P<end>\.(?:s?html?|php|aspx?)|/?)$"
)
_PAGE_LINKS = re.compile(
    r"(?:^|[\s_-])(?:page-?links?|post-page-numbers|post-?pagination|article-?pagination|page-?numbers?|pagination|pager|paginator|multipage|wp-pagenavi|link-?pages|pages)(?:$|[\s_-])",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_POST = re.compile(
    r"(?:^|\s)(?:h-entry|hentry|e-content|entry-content|post-content|article-content|post-body|article-body)(?:$|\s)"
)
_SECOND = 2
_WHOLE = frozenset({"html", "body", "main", "article"})
_MAX_ASCENT = 6
_MAX_LINKS = 5_000
_MIN_LISTED = 3
"""Headings that lead to other pages from which on a page is a list of posts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLinks:
    """Other forms of the same post; absolute URLs, None if the page states none."""

    next_page: str | None = None
    amp: str | None = None
    canonical: str | None = None


def links_of(tree: HtmlElement, url: str, *, front: str | None = None) -> PageLinks:
    """The links of a page to other forms of the same post.

    Args:
        tree: The page.
        url: Its URL.
        front: The front page of the blog, which has no next page that would be the same post.
    """
    base = base_url(tree, url)
    stated: dict[str, str] = {}
    for link in tree.iter("link"):
        for rel in (link.get("rel") or "").lower().split():
            if rel in ("amphtml", "canonical", "next", "prev") and (target := _web(base, link.get("href"))):
                stated.setdefault(rel, target)
    return PageLinks(
        next_page=_next_page(tree, url, base, stated, front),
        amp=stated.get("amphtml"),
        canonical=stated.get("canonical"),
    )


@dataclass(frozen=True, slots=True)
class _Address:
    """The address of a page of a post."""

    base: str
    """That of its first page."""
    number: int
    is_certain: bool
    """The number cannot be a part of the post's name: `my-post-2` is also what blog software calls a second post of the
    same title."""


def _next_page(tree: HtmlElement, url: str, base: str, stated: dict[str, str], front: str | None) -> str | None:
    own = urldefrag(url)[0]
    if front and _bare(front) == _bare(own):
        return None
    candidates = [
        (target, at, is_listed)
        for target, is_listed in [*_page_links(tree, base, own), *_declared(tree, base, stated)]
        for at in _addresses(target)
        if at.number >= _SECOND and (at.is_certain or is_listed)
    ]
    if not candidates or _is_listing(tree, own, base):
        return None
    numbered = list(_addresses(own))
    for target, at, _ in candidates:
        first = _bare(at.base)
        if at.number == _SECOND and first == _bare(own):
            return target
        is_next = any(one.number == at.number - 1 and _bare(one.base) == first for one in numbered)
        # The number of a page that is itself numbered may be the post's name: `/post/7`, and `/post/8` is another.
        if is_next and at.number > _SECOND and first in _known(tree, base, own, stated):
            return target
    return None


def _known(tree: HtmlElement, base: str, own: str, stated: dict[str, str]) -> frozenset[str]:
    """The pages of a post that its page links to."""
    return frozenset(_bare(target) for target in (*(one for one, _ in _page_links(tree, base, own)), *stated.values()))


def _declared(tree: HtmlElement, base: str, stated: dict[str, str]) -> Iterator[tuple[str, bool]]:
    """The targets of `rel=next`, which themes also give to the next post."""
    if "next" in stated:
        yield stated["next"], False
    for link in tree.iter("a"):
        if "next" in (link.get("rel") or "").lower().split() and (target := _web(base, link.get("href"))):
            yield target, False


def _page_links(tree: HtmlElement, base: str, own: str) -> Iterator[tuple[str, bool]]:
    """The links of the lists of pages, with True; not those of comments."""
    is_numbered = _DIGIT.search(own) is not None
    known: dict[HtmlElement, bool] = {}
    for link in islice(tree.iter("a"), _MAX_LINKS):
        href = link.get("href") or ""
        if not is_numbered and not _DIGIT.search(href):
            continue
        above = link.getparent()
        if above not in known:
            known[above] = _lists_pages(above)
        if known[above] and (target := _web(base, href)) is not None:
            yield target, True


def _lists_pages(box: HtmlElement | None) -> bool:
    """Whether an element is in a list of pages that is not one of comments."""
    above = [] if box is None else [box, *box.iterancestors()]
    if not any(_names_pages(one.get("class") or "", one.get("id") or "") for one in above[:_MAX_ASCENT]):
        return False
    return not any(
        boilerplate.names_of(one).is_comments and one.tag not in ("body", "main", "article") for one in above
    )


@lru_cache(maxsize=8_192)
def _names_pages(classes: str, name: str) -> bool:
    return _PAGE_LINKS.search(f"{classes} {name}") is not None


def _addresses(url: str) -> Iterator[_Address]:
    """The ways to read a URL as the address of a numbered page of a post."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    for name, value in query:
        if name.lower() in _PARAMETERS and value.isascii() and value.isdigit() and 1 <= len(value) <= 3:  # noqa: PLR2004
            rest = urlencode([pair for pair in query if pair[0] != name])
            yield _Address(urlunsplit(parts._replace(query=rest)), int(value), is_certain=True)
    if len(parts.path) > _MAX_PATH:
        return
    if found := _PATH_NUMBER.match(parts.path):
        end = "" if found["end"] == "/" else found["end"]
        yield _Address(urlunsplit(parts._replace(path=found["base"] + end)), int(found["number"]), is_certain=True)
        if end:
            yield _Address(urlunsplit(parts._replace(path=found["base"])), int(found["number"]), is_certain=True)
    elif found := _NAME_NUMBER.match(parts.path):
        yield _Address(
            urlunsplit(parts._replace(path=found["base"] + found["end"])), int(found["number"]), is_certain=False
        )


def _is_listing(tree: HtmlElement, url: str, base: str) -> bool:
    """Whether a page is a list of posts rather than a post."""
    body = tree.find("body")
    if body is not None and not boilerplate.rules().listing.isdisjoint((body.get("class") or "").split()):
        return True
    listed = set()
    for article in tree.iter("article", "div", "li"):
        if article.tag != "article" and not _POST.search(article.get("class") or ""):
            continue
        heading = next(article.iter("h1", "h2", "h3"), None)
        link = next(heading.iter("a"), None) if heading is not None else None
        target = _web(base, link.get("href")) if link is not None else None
        if (
            target
            and _bare(target) != _bare(url)
            and next(article.iterancestors("aside", "nav", "footer", "article"), None) is None
        ):
            listed.add(target)
    return len(listed) >= _MIN_LISTED


def _web(base: str, link: str | None) -> str | None:
    target = joined(base, link) if link else None
    if target is None or len(target) > URL_CHARACTERS or not target.lower().startswith(("http://", "https://")):
        return None
    try:
        return urldefrag(without_user(target))[0]
    except ValueError:
        return None


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}"

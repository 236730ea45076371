"""Which addresses of a listing are those of posts, if nothing else is known of the blog. Pure, no I/O.

Evidence decides: dates in paths, words of a title, siblings in one folder, addresses that others lie below. Where it
is lacking, an address counts as a post: what a page is shows when it is read.
"""

from __future__ import annotations

import mimetypes
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from archive.warc.page_identity import page_identity
from crawler.backfill.url_shapes import NO_POST

_TITLE_WORDS = 3
"""Words in the last part of a path from which on it is a title."""
_SIBLINGS = 3
"""Addresses of one form that make it that of the posts."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATED_NAME = re.compile(r"(?:19|20)\d\d[-_.]?\d\d[-_.]?\d\d[-_.].+")
_PAGING = re.compile(r"page|paged|start|offset|s|q|search|cat|category|tag|author|replytocom|share|m", re.IGNORECASE)
"""Query parameters of lists of posts and of links to share them."""
_LISTS = re.compile(r"tags?|categor(?:y|ies)|authors?|labels?|topics|users|search|page|feed|wp-content", re.IGNORECASE)
"""Folders of lists."""
_FILES = frozenset({"application", "audio", "font", "image", "video"})
"""Media types of what is not a page."""
_USUAL = re.compile(
    r"(?:about|accessibility|account|agb|cart|checkout|colophon|contact|cookies?|datenschutz\w*+|disclaimer|faq|imprint|"
    r"impressum|kontakt|legal|licen[cs]e|log-?in|mentions[-_]legales|newsletter|now|privacy|register|rss|sign-?up|"
    r"sitemap|subscribe|terms|thanks?|thank-you|uses|404)"
    r"(?:[-_](?:me|us|policy|notice|statement|page|info|of|use|service|and|conditions))*",
    re.IGNORECASE,
)
"""Pages that nearly every site has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """The addresses of a listing, each once, in its order."""

    posts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    evident: int = 0
    """Number of those posts whose own address is that of a post: dated, or with the words of a title."""


@dataclass(frozen=True, slots=True)
class _Address:
    url: str
    words: tuple[str, ...]
    """Parts of the path."""
    query: tuple[tuple[str, str], ...]
    host: str

    @property
    def last(self) -> str:
        return self.words[-1].rsplit(".", 1)[0] if self.words else ""

    @property
    def is_dated(self) -> bool:
        """Whether there is a year in the path and something after it that is not a number, or a dated file name."""
        years = [at for at, word in enumerate(self.words[:-1]) if _YEAR.fullmatch(word)]
        return bool(years and not self.last.isdecimal()) or bool(self.words and _DATED_NAME.fullmatch(self.words[-1]))

    @property
    def is_title(self) -> bool:
        """Whether the last part has the words of a title; scripts without spaces have few words."""
        words = [word for word in re.split(r"[-_ +~]+", self.last) if word]
        return len(words) >= _TITLE_WORDS or (not self.last.isascii() and len(self.last) > _TITLE_WORDS)


def likely_posts(urls: Iterable[str], base: str) -> Likely:
    """Tell posts from the other pages among the addresses of a listing.

    Args:
        urls: As the listing has them.
        base: URL of the listing; addresses on other sites are not posts of the blog.
    """
    unique = {page_identity(url): url for url in reversed(list(urls))}
    found = [_address(url) for url in reversed(unique.values())]
    above = _sections(found)
    host = (urlsplit(base).hostname or "").removeprefix("www.")
    own = [one for one in found if one.host == host and one.words not in above]
    posts = [one for one in own if not _is_other(one)]
    if not any(map(_is_evident, posts)) and len(posts) < _SIBLINGS:
        # On some sites the folder of all posts has the name of a list: `/archives/123.html`.
        siblings = Counter(one.words[:-1] for one in own if len(one.words) > 1 and not _is_list(one))
        posts += [one for one in own if siblings[one.words[:-1]] >= _SIBLINGS and _is_other(one) and not _is_list(one)]
    if _have_a_form(posts):
        posts = [one for one in posts if len(one.words) > 1 or one.query or _is_evident(one)]
    urls_of_posts = {one.url for one in posts}
    return Likely(
        posts=tuple(one.url for one in found if one.url in urls_of_posts),
        others=tuple(one.url for one in found if one.url not in urls_of_posts),
        evident=sum(map(_is_evident, posts)),
    )


def _address(url: str) -> _Address:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return _Address(url, (), (), "")
    return _Address(
        url,
        tuple(unquote(word) for word in parts.path.split("/") if word),
        tuple(parse_qsl(parts.query, keep_blank_values=True)) if parts.query else (),
        host.removeprefix("www.") if parts.scheme in {"http", "https"} else "",
    )


def _sections(found: Sequence[_Address]) -> set[tuple[str, ...]]:
    """Paths that several others lie below; below a dated post there are only its attachments."""
    below: Counter[tuple[str, ...]] = Counter()
    for one in found:
        below.update(one.words[:depth] for depth in range(len(one.words)))
    dated = {one.words for one in found if one.is_dated}
    sections = {path for path, count in below.items() if count > 1 and path not in dated}
    beside, names = {path[:-1] for path in sections if path}, {path[-1] for path in sections if path}
    # Beside a section, or of the same name, an address with one other below it is a section too.
    more = {path for path in below if path and (path[:-1] in beside or path[-1] in names)}
    return sections | (more - dated)


def _is_evident(one: _Address) -> bool:
    return one.is_dated or one.is_title


def _is_other(one: _Address) -> bool:
    """Whether an address is that of something that every site has beside its posts."""
    if _is_list(one):
        return True
    if one.is_dated:
        return False
    return bool(_USUAL.fullmatch(one.last)) or any(NO_POST.fullmatch(word) for word in (*one.words[:-1], one.last))


def _is_list(one: _Address) -> bool:
    """Whether an address is that of a front page, a list of posts, or a file."""
    if any(_PAGING.fullmatch(name) for name, _ in one.query) or (not one.words and not one.query):
        return True
    if any(_LISTS.fullmatch(word) for word in one.words[:-1]):
        return True
    if one.words and all(word.isdecimal() for word in one.words) and _YEAR.fullmatch(one.words[0]):
        return len(one.words) > 1  # the archive of a month or day
    kind = mimetypes.guess_type(one.words[-1])[0] if one.words and "." in one.words[-1] else None
    return kind is not None and kind.partition("/")[0] in _FILES and kind != "application/xhtml+xml"


def _have_a_form(posts: Sequence[_Address]) -> bool:
    """Whether posts have addresses of a form that a page at the top of the site has not: dates, or a folder."""
    if sum(one.is_dated for one in posts) >= _SIBLINGS:
        return True
    folders = Counter(one.words[:-1] for one in posts if len(one.words) > 1)
    top = sum(len(one.words) == 1 and not _is_evident(one) for one in posts)
    most = max(folders.values(), default=0)
    return most >= _SIBLINGS and most >= 2 * top

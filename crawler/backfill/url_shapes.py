"""Shapes of URLs: distinguish the posts of a blog from its other pages by the URLs of known posts. No I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from archive.warc.page_identity import is_front, page_identity, page_key
from crawler.backfill.model import Found
from crawler.feeds.model import FeedEntry
from crawler.model.url_identity import is_address

_MAX_SHAPES = 50
_FEW = 3
"""Minimum number of posts for a word that all their URLs share to be part of the shape."""
NO_POST = re.compile(
    r"about(?:-us)?|archives?|authors?|categor(?:y|ies)|comments|contact|feed|home|impressum|imprint|index|login|page|"
    r"privacy(?:-policy)?|search|tags?|topics|users",
    re.IGNORECASE,
)
"""Words in the URLs of pages that are not posts, unless the URLs of all posts also have them."""
_A_YEAR = re.compile(r"(?:19|20)\d\d")


def shapes(urls: Collection[str]) -> frozenset[str]:
    """The shapes of URLs: years, other numbers, shared words, and positions where words differ."""
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
    """The shape of a URL, with the words that a known shape has in the same positions."""
    words = _segments(url)
    kinds = _kinds(words)
    for shape in known:
        parts = shape.split("/")
        if len(parts) == len(words) and all(map(_fits, parts, kinds, words)):
            return shape
    return "/".join(kinds)


def posts(urls: Iterable[str], base: str, shapes: frozenset[str], *, everything: bool = False) -> Found:
    """What of these URLs is taken: those that look like posts of the same site, each page once.

    Args:
        urls: As a listing names them.
        base: URL of the listing.
        shapes: Of the URLs of known posts.
        everything: Take all pages of the site, whatever their URLs look like.
    """
    taken: dict[str, FeedEntry] = {}
    aside: dict[str, str] = {}
    elsewhere = 0
    for url in dict.fromkeys(urls):
        if not same_site(url, base):
            elsewhere += is_address(url)  # what is no URL is nowhere
        elif (everything and not is_front(url)) or _is_post(url, shapes):
            taken.setdefault(page_key(url), FeedEntry(link=url))
        elif not is_front(url):
            aside.setdefault(page_key(url), url)
    left = tuple(url for key, url in aside.items() if key not in taken)
    return Found(entries=tuple(taken.values()), aside=left, elsewhere=elsewhere)


def _is_post(url: str, shapes: frozenset[str]) -> bool:
    shape = shape_of(url, shapes)
    if shape not in shapes:
        return False
    pairs = zip(shape.split("/"), _segments(url), strict=False)
    return not any(part.startswith("*") and NO_POST.fullmatch(word.partition(".")[0]) for part, word in pairs)


def same_site(one: str, other: str) -> bool:
    """Whether two URLs have the same host, with or without `www.`."""
    try:
        hosts = [(urlsplit(url).hostname or "").removeprefix("www.") for url in (one, other)]
    except ValueError:
        return False
    return hosts[0] == hosts[1] and one.lower().startswith(("http://", "https://"))


def _fits(part: str, kind: str, word: str) -> bool:
    return part in (kind, word) or (part, kind) == ("{n}", "{4}")


def _segments(url: str) -> list[str]:
    """The parts of a URL by which pages of one site differ, without what `page_identity` knows to be noise."""
    if not same_site(url, url):  # it is no URL of a site
        return []
    place, _, query = page_identity(url).partition("?")
    path = place.partition("/")[2]
    pairs = sorted({name: value for name, _, value in (pair.partition("=") for pair in query.split("&"))}.items())
    return [
        *(segment for segment in path.split("/") if segment),
        *(f"?{name}={value}" for name, value in pairs if name),
    ]


def _kinds(words: list[str]) -> tuple[str, ...]:
    return tuple(_kind(word, last=at == len(words)) for at, word in enumerate(words, 1))


def _kind(word: str, *, last: bool) -> str:
    if word.startswith("?"):
        return word.partition("=")[0] + "=*"
    if word.isdecimal():  # a number at the end identifies a post, although it may look like a year
        return "{4}" if _A_YEAR.fullmatch(word) and not last else "{n}"
    return "*." + word.rsplit(".", 1)[1] if re.search(r"\.\w{2,5}$", word) else "*"

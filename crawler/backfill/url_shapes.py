"""Shapes of URLs: distinguish the posts of a blog from its other pages by the URLs of known posts. No I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from urllib.parse import parse_qs, urlsplit

from crawler.feeds.model import FeedEntry

_MAX_SHAPES = 50
_FEW = 3
"""Minimum number of posts for a word that all their URLs share to be part of the shape."""
NO_POST = re.compile(
    r"about(?:-us)?|archives?|authors?|categor(?:y|ies)|comments|contact|feed|home|impressum|imprint|index|login|page|"
    r"privacy(?:-policy)?|search|tags?|topics|users",
    re.IGNORECASE,
)
"""Words in the URLs of pages that are not posts, unless the URLs of all posts also have them."""
_TRACKING = re.compile(r"utm_\w+|(?:fb|g)clid|mc_[ce]id")
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


def posts(urls: Iterable[str], base: str, shapes: frozenset[str]) -> tuple[FeedEntry, ...]:
    """Entries for the URLs that look like those of posts of the same site."""
    named = dict.fromkeys(url for url in urls if same_site(url, base) and _is_post(url, shapes))
    return tuple(FeedEntry(link=url) for url in named)


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
    if word.isdecimal():  # a number at the end identifies a post, although it may look like a year
        return "{4}" if _A_YEAR.fullmatch(word) and not last else "{n}"
    return "*." + word.rsplit(".", 1)[1] if re.search(r"\.\w{2,5}$", word) else "*"

"""What a publisher lets others do with a page: directives for robots, and the reservation of text and data mining.

Read from the page's `meta` elements and the response's head: X-Robots-Tag, and the TDM Reservation Protocol of the W3C
community group (`tdm-reservation`, `tdm-policy`). A licence is a fact of the post like its author. No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from lxml.html import HtmlElement

from archive.extract.links import joined
from archive.limits import RIGHTS_DIRECTIVES

_DIRECTIVE = re.compile(r"[a-z][a-z0-9_-]{1,39}")
_GENERAL = frozenset(
    {
        "all", "index", "follow", "none", "noindex", "nofollow", "noarchive", "nocache", "nosnippet", "noimageindex",
        "notranslate", "noai", "noimageai", "noodp", "noydir", "indexifembedded", "nopagereadaloud",
    }
)  # fmt: skip
"""Directives that search engines and publishers have documented. A `meta` element of nothing else, one of which
forbids something, is for a robot."""
_WITH_VALUE = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
_PAIRS = 400
"""Elements of a page that are looked at; pages have a few dozen."""


def stated(tree: HtmlElement, headers: Mapping[str, str], url: str) -> dict[str, object]:
    """The rights that a response states; empty if it states none.

    Args:
        tree: The page, as parsed.
        headers: The response's headers; several of a name joined by commas.
        url: Base of relative links.

    Returns:
        `robots`, directives in order of the alphabet, those for one crawler as `name: directive`; `tdm_reserved`, true
        or false; `tdm_policy`, an absolute URL. Each only if it is stated; where head and page differ, the reservation
        counts.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    meta = list(_meta(tree))
    directives = {*_of_header(sent.get("x-robots-tag", "")), *_of_page(meta)}
    reserved = {value.strip() for value in (sent.get("tdm-reservation", ""), *_named(meta, "tdm-reservation"))}
    policies = (joined(url, one.strip()) for one in (*_named(meta, "tdm-policy"), sent.get("tdm-policy", "")) if one)
    found: dict[str, object] = {}
    if directives:
        found["robots"] = sorted(directives)[:RIGHTS_DIRECTIVES]
    if not reserved.isdisjoint({"0", "1"}):
        found["tdm_reserved"] = "1" in reserved
    if policy := next(filter(None, policies), None):
        found["tdm_policy"] = policy
    return found


def _meta(tree: HtmlElement) -> Iterator[tuple[str, str]]:
    """Name and content of each `meta` element."""
    for number, element in enumerate(tree.iter("meta")):
        if number == _PAIRS:
            return
        name, content = element.get("name"), element.get("content")
        if name and content:
            yield name.strip().lower(), content.lower() if name.strip().lower() != "tdm-policy" else content


def _named(meta: Iterable[tuple[str, str]], wanted: str) -> list[str]:
    return [content for name, content in meta if name == wanted]


def _of_page(meta: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The directives of `robots`, and of elements for one crawler, which contain nothing but directives."""
    for name, content in meta:
        pieces = [one.strip() for one in content.split(",") if one.strip()]
        if name == "robots":
            yield from filter(_DIRECTIVE.fullmatch, pieces)
        elif _GENERAL.issuperset(pieces) and any(one.startswith("no") for one in pieces) and _DIRECTIVE.fullmatch(name):
            yield from (f"{name}: {one}" for one in pieces)


def _of_header(value: str) -> Iterator[str]:
    """The directives of X-Robots-Tag; a name with a colon before them is the crawler that they are for."""
    crawler = ""
    for piece in value.lower().split(","):
        before, colon, after = (part.strip() for part in piece.partition(":"))
        if colon and before in _WITH_VALUE:
            continue
        if colon and _DIRECTIVE.fullmatch(before):
            crawler = before
        directive = after if colon else before
        if _DIRECTIVE.fullmatch(directive):
            yield f"{crawler}: {directive}" if crawler else directive

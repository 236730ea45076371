"""The section of a page that a fragment names: a post on a page that several share, such as a change log. No I/O."""

from __future__ import annotations

from copy import deepcopy
from urllib.parse import unquote, urldefrag

from lxml.html import HtmlElement, html_parser

from archive.extract import boilerplate
from archive.extract.tags import BLOCKS, HEADINGS

_CONTAINERS = BLOCKS - HEADINGS - {"body", "hr", "dt", "p", "caption"}
_HEAD = frozenset({"base", "link", "meta"})
_TITLES = frozenset({"og:title", "twitter:title", "og:description", "description", "article:published_time"})


def section(tree: HtmlElement, url: str) -> HtmlElement | None:
    """A page that has only the section which the fragment of a URL names; None if it names none.

    The section is the element of that name if it is a container; from a heading, it reaches to the next heading of the
    same or a higher level; from another place in a text, to the next place with a name.
    """
    name = unquote(urldefrag(url)[1]).strip()
    target = _named(tree, name) if name else None
    if target is None or _is_in_comments(target):
        return None
    parts = _parts(target)
    if parts is None:
        return None
    return _page(tree, parts)


def _named(tree: HtmlElement, name: str) -> HtmlElement | None:
    for element in tree.iter("*"):
        if element.get("id") == name or (element.tag == "a" and element.get("name") == name):
            return None if element.tag in ("html", "head", "body") else element
    return None


def _is_in_comments(target: HtmlElement) -> bool:
    above = (target, *target.iterancestors())
    return any(boilerplate.names_of(one).is_comments and one.tag not in ("body", "main", "article") for one in above)


def _parts(target: HtmlElement) -> list[HtmlElement] | None:
    """The elements of the section that a named element begins or contains."""
    if target.tag in _CONTAINERS and _text(target) and not _is_heading(target):
        return [target]
    start = target
    if target.tag not in BLOCKS or not _text(target):
        start = _block(target)
    heading = _heading(start)
    if (
        heading is None
        and start.tag in _CONTAINERS
        and _text(start)
        and start.tag not in ("div", "section", "article", "main")
    ):
        return [start]
    return _following(start, int(heading.tag[1]) if heading is not None else None)


def _block(target: HtmlElement) -> HtmlElement:
    """The block that a name stands in, or the one that follows if it stands alone."""
    at = target
    while not _text(at):
        following = at.getnext()
        while following is not None and not isinstance(following.tag, str):
            following = following.getnext()
        if (at.tail or "").strip():
            break
        if following is not None:
            at = following
            break
        above = at.getparent()
        if above is None or above.tag == "body":
            return at
        at = above
    while at.tag not in BLOCKS:
        above = at.getparent()
        if above is None or above.tag == "body":
            break
        at = above
    return at


def _heading(start: HtmlElement) -> HtmlElement | None:
    """The heading that an element is, or consists of."""
    if start.tag in HEADINGS:
        return start
    inner = next((element for element in start.iter(*HEADINGS)), None)
    return inner if inner is not None and _text(inner) == _text(start) else None


def _is_heading(element: HtmlElement) -> bool:
    return _heading(element) is not None


def _following(start: HtmlElement, level: int | None) -> list[HtmlElement]:
    """An element and its later siblings up to the end of the section."""
    while True:
        found = [start]
        is_ended = False
        for sibling in start.itersiblings():
            if not isinstance(sibling.tag, str):
                continue
            if _ends(sibling, level):
                is_ended = True
                break
            found.append(sibling)
        above = start.getparent()
        has_more = any(_text(one) or (one.tail or "").strip() for one in found[1:])
        if has_more or is_ended or level is None or above is None or above.tag in ("body", "main", "article"):
            return found
        if _text(above) != _text(start):
            return found
        start = above  # a box around the heading alone


def _ends(element: HtmlElement, level: int | None) -> bool:
    """Whether a section ends before an element."""
    if level is None:
        names = (element, *element.iter("a"))
        return element.tag in HEADINGS or any(one.get("name") or one.get("id") for one in names)
    heading = element if element.tag in HEADINGS else next(element.iter(*HEADINGS), None)
    if heading is None or int(heading.tag[1]) > level:
        return False
    return element.tag in HEADINGS or _text(element).startswith(_text(heading))


def _page(tree: HtmlElement, parts: list[HtmlElement]) -> HtmlElement:
    make = html_parser.makeelement
    page = make("html", {"lang": tree.get("lang")} if tree.get("lang") else {})
    head, body = make("head"), make("body")
    page.append(head)
    page.append(body)
    for element in tree.iter(*_HEAD):
        named = (element.get("property") or element.get("name") or "").lower()
        if named not in _TITLES:
            copied = deepcopy(element)
            copied.tail = None
            head.append(copied)
    article = make("article", {"class": "entry-content"})
    body.append(article)
    for part in parts:
        article.append(deepcopy(part))
    article[-1].tail = None
    heading = next(article.iter(*HEADINGS), None)
    if heading is not None:
        title = make("title")
        title.text = _text(heading)
        head.append(title)
    return page


def _text(element: HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())

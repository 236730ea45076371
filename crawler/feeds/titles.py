"""Titles: which `<` begin markup and which are text. Pure, no I/O."""

from __future__ import annotations

import re

from lxml.html import defs

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-z][a-z0-9]*)(?P<rest>\s[^<>]*|\s*/?)>", re.IGNORECASE)
_ELEMENTS = defs.tags - defs.empty_tags
_BREAKS = frozenset({"br", "hr", "wbr"})
"""Elements without an end tag that mean something without attributes."""
_WITH_ATTRIBUTES = defs.empty_tags - _BREAKS
_PHRASES = defs.phrase_tags | defs.font_style_tags | {"a", "div", "font", "p", "span", "sub", "sup"}


def as_markup(title: str, *, is_html: bool = False) -> str:
    """A title as markup in which `<` begins a tag.

    Feeds rarely say whether a title is text or markup, and are often wrong. A tag is the name of an HTML element with a
    partner, or one that needs none: `Vec<T>`, `a < b`, `<3` and `the <title> element` are text.

    Args:
        title: Text, markup, or something between the two.
        is_html: Whether the feed says that it is markup: then a tag without a partner at its begin is left out.
    """
    if "<" not in title:
        return title
    title = _without_comments(title)
    tags = list(_TAG.finditer(title))
    real = _partners(tags)
    parts, done = [], 0
    if is_html and tags and tags[0].start() not in real and _begins(title, tags[0]):
        done = tags[0].end()
    for tag in tags:
        if tag.start() in real:
            parts += [as_text(title[done : tag.start()]), tag[0]]
            done = tag.end()
    return "".join([*parts, as_text(title[done:])])


def as_text(title: str) -> str:
    """A plain text as markup; `&` stays, because feeds write entities even where they are not decoded."""
    return title.replace("<", "&lt;").replace(">", "&gt;")


def _without_comments(title: str) -> str:
    """A title without its comments; what opens one and does not close it stays."""
    outside, *comments = title.split("<!--")
    kept = [outside]
    for part in comments:
        _, closed, after = part.partition("-->")
        kept.append(after if closed else f"<!--{part}")
    return "".join(kept)


def _begins(title: str, tag: re.Match[str]) -> bool:
    """Whether a title begins with the start tag of an element within a line."""
    return not title[: tag.start()].strip() and not tag["end"] and tag["name"].lower() in _PHRASES


def _partners(tags: list[re.Match[str]]) -> set[int]:
    """Positions of the tags of HTML elements that have a partner or need none."""
    real: set[int] = set()
    opened: dict[str, list[int]] = {}
    for tag in tags:
        name = tag["name"].lower()
        if name in _BREAKS or (name in _WITH_ATTRIBUTES and "=" in tag["rest"]):
            real.add(tag.start())
        elif name in _ELEMENTS and not tag["end"]:
            opened.setdefault(name, []).append(tag.start())
        elif tag["end"] and opened.get(name):
            real |= {opened[name].pop(), tag.start()}
    return real

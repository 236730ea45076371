"""Atom feeds of posts (RFC 4287). No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from archive.runtime.times import iso

MEDIA_TYPE = "application/atom+xml"
ATOM = "http://www.w3.org/2005/Atom"
"""Namespace of its elements."""
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_NO_XML = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of such a feed."""

    id: str
    """An absolute URI that stays."""
    link: str
    """Where it can be read; may be relative to the feed."""
    title: str
    updated: datetime
    published: datetime | None
    author: str | None
    html: str
    """Its content, sanitized."""


def atom(
    *,
    id: str,  # noqa: A002  Atom's name
    link: str,
    alternate: str,
    title: str,
    entries: Iterable[Entry],
    updated: datetime,
    base: str = "",
) -> bytes:
    """A feed.

    Args:
        id: An absolute URI that stays.
        link: Where the feed is.
        alternate: The page of which it is the feed.
        title: Its title.
        entries: In their order.
        updated: When it last changed if it has no entries; aware, UTC.
        base: What relative addresses in it are relative to; empty: the feed itself.
    """
    shown = list(entries)
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    if base:
        feed.set(_BASE, base)
    add(feed, "title", title)
    add(feed, "id", id)
    add(feed, "updated", _instant(max((one.updated for one in shown), default=updated)))
    add(add(feed, "author"), "name", "Pressmark")
    add_link(feed, "self", link)
    add_link(feed, "alternate", alternate)
    for one in shown:
        entry = add(feed, "entry")
        add(entry, "title", one.title)
        add(entry, "id", one.id)
        add(entry, "updated", _instant(one.updated))
        if one.published is not None:
            add(entry, "published", _instant(one.published))
        if one.author:
            add(add(entry, "author"), "name", one.author)
        add_link(entry, "alternate", one.link)
        add(entry, "content", one.html).set("type", "html")
    made: bytes = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
    return made


def _instant(moment: datetime) -> str:
    return iso(moment.astimezone(UTC), "seconds")


def add_link(parent: Any, rel: str, target: str) -> None:  # noqa: ANN401  lxml has no types
    """Add a link to an element."""
    etree.SubElement(parent, f"{{{ATOM}}}link", rel=rel, href=_NO_XML.sub("", target))


def add(parent: Any, name: str, text: str = "") -> Any:  # noqa: ANN401  lxml has no types
    """Add an element with a text, without characters that XML does not allow."""
    made = etree.SubElement(parent, f"{{{ATOM}}}{name}")
    made.text = _NO_XML.sub("", text) or None
    return made

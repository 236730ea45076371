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
_ATOM = "http://www.w3.org/2005/Atom"
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
    feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    if base:
        feed.set(_BASE, base)
    _add(feed, "title", title)
    _add(feed, "id", id)
    _add(feed, "updated", _instant(max((one.updated for one in shown), default=updated)))
    _add(_add(feed, "author"), "name", "Pressmark")
    _link(feed, "self", link)
    _link(feed, "alternate", alternate)
    for one in shown:
        entry = _add(feed, "entry")
        _add(entry, "title", one.title)
        _add(entry, "id", one.id)
        _add(entry, "updated", _instant(one.updated))
        if one.published is not None:
            _add(entry, "published", _instant(one.published))
        if one.author:
            _add(_add(entry, "author"), "name", one.author)
        _link(entry, "alternate", one.link)
        _add(entry, "content", one.html).set("type", "html")
    made: bytes = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
    return made


def _instant(moment: datetime) -> str:
    return iso(moment.astimezone(UTC), "seconds")


def _link(parent: Any, rel: str, target: str) -> None:  # noqa: ANN401  lxml has no types
    etree.SubElement(parent, f"{{{_ATOM}}}link", rel=rel, href=_NO_XML.sub("", target))


def _add(parent: Any, name: str, text: str = "") -> Any:  # noqa: ANN401  lxml has no types
    made = etree.SubElement(parent, f"{{{_ATOM}}}{name}")
    made.text = _NO_XML.sub("", text) or None
    return made

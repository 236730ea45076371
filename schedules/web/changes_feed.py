"""New, edited and deleted posts as an Atom feed (RFC 4287). No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from archive.index.overview import Post
from archive.runtime.times import iso
from archive.web import DeletedPost
from archive.web.memento_path import quoted, stamp_of

LATEST = 100
"""Number of entries in the feed."""
_ATOM = "http://www.w3.org/2005/Atom"


def changes_feed(base: str, posts: Iterable[Post], deleted: Iterable[DeletedPost]) -> bytes:
    """The Atom feed.

    Args:
        base: Origin of the web app, for links.
        posts: The latest posts.
        deleted: Posts deleted lately.
    """
    entries: list[tuple[datetime, str, str, str]] = []
    for post in posts:
        target = f"{base}/post/{stamp_of(post.seen)}/{quoted(post.url)}"
        entries.append((post.seen, "Edited" if post.edited else "New", post.title or post.url, target))
    for gone in deleted:
        target = f"{base}/post/{stamp_of(gone.since)}/{quoted(gone.url)}"
        entries.append((gone.since, "Vanished", gone.url, target))
    entries.sort(key=lambda one: one[0], reverse=True)
    feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    _add(feed, "title", "Pressmark: new, edited and vanished posts")
    _add(feed, "id", f"{base}/changes.atom")
    _add(feed, "updated", iso(entries[0][0] if entries else datetime(1970, 1, 1, tzinfo=UTC), "seconds"))
    _add(_add(feed, "author", ""), "name", "Pressmark")
    etree.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=f"{base}/changes.atom")
    for moment, kind, title, target in entries[:LATEST]:
        entry = _add(feed, "entry", "")
        _add(entry, "title", f"{kind}: {title}")
        _add(entry, "id", target)
        _add(entry, "updated", iso(moment, "seconds"))
        etree.SubElement(entry, f"{{{_ATOM}}}link", rel="alternate", href=target)
        etree.SubElement(entry, f"{{{_ATOM}}}category", term=kind.lower())
        _add(entry, "summary", f"{kind}, seen on {moment:%Y-%m-%d %H:%M} UTC.")
    made: bytes = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
    return made


_NO_XML = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow."""


def _add(parent: Any, name: str, text: str) -> Any:  # noqa: ANN401  lxml has no types
    made = etree.SubElement(parent, f"{{{_ATOM}}}{name}")
    made.text = _NO_XML.sub("", text) or None
    return made

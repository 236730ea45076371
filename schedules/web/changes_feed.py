"""New, edited and deleted posts, and those that came back, as an Atom feed (RFC 4287). No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from archive.index.overview import Post
from archive.reader.vanished import Vanished
from archive.runtime.times import iso
from archive.web.memento_path import quoted, stamp_of

LATEST = 100
"""Number of entries in the feed."""
_ATOM = "http://www.w3.org/2005/Atom"


def changes_feed(base: str, posts: Iterable[Post], deleted: Iterable[Vanished]) -> bytes:
    """The Atom feed.

    Args:
        base: Origin of the web app, for links.
        posts: The latest posts.
        deleted: Posts deleted lately; those that are back by now are told twice.
    """
    entries: list[tuple[datetime, str, str, str, str]] = []
    for post in posts:
        target = f"{base}/post/{stamp_of(post.seen)}/{quoted(post.url)}"
        kind = "Edited" if post.edited else "New"
        summary = f"{kind}, seen on {post.seen:%Y-%m-%d %H:%M} UTC."
        entries.append((post.seen, kind, post.title or post.url, target, summary))
    for gone in deleted:
        for moment, kind in ((gone.since, "Vanished"), (gone.back, "Back")):
            if moment is not None:
                target = f"{base}/post/{stamp_of(moment)}/{quoted(gone.url)}"
                entries.append((moment, kind, gone.url, target, f"{kind}: {gone.line()}."))
    entries.sort(key=lambda one: one[0], reverse=True)
    feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    _add(feed, "title", "Pressmark: new, edited and vanished posts")
    _add(feed, "id", f"{base}/changes.atom")
    _add(feed, "updated", iso(entries[0][0] if entries else datetime(1970, 1, 1, tzinfo=UTC), "seconds"))
    _add(_add(feed, "author", ""), "name", "Pressmark")
    etree.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=f"{base}/changes.atom")
    for moment, kind, title, target, summary in entries[:LATEST]:
        entry = _add(feed, "entry", "")
        _add(entry, "title", f"{kind}: {title}")
        _add(entry, "id", target)
        _add(entry, "updated", iso(moment, "seconds"))
        etree.SubElement(entry, f"{{{_ATOM}}}link", rel="alternate", href=target)
        etree.SubElement(entry, f"{{{_ATOM}}}category", term=kind.lower())
        _add(entry, "summary", summary)
    made: bytes = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
    return made


_NO_XML = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow."""


def _add(parent: Any, name: str, text: str) -> Any:  # noqa: ANN401  lxml has no types
    made = etree.SubElement(parent, f"{{{_ATOM}}}{name}")
    made.text = _NO_XML.sub("", text) or None
    return made

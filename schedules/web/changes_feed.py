"""What happened to posts, as an Atom feed (RFC 4287). No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from archive.reader.text_edits import summary
from archive.runtime.times import iso
from archive.web.memento_path import quoted, stamp_of
from schedules.changes.model import Change, Kind

LATEST = 100
"""Number of entries in a feed."""
_ATOM = "http://www.w3.org/2005/Atom"
_NAMES: dict[Kind, str] = {"new": "New", "edited": "Edited", "vanished": "Vanished", "back": "Back"}


def changes_feed(base: str, path: str, title: str, found: Sequence[Change]) -> bytes:
    """An Atom feed of changes.

    Args:
        base: Origin of the web app, for links.
        path: The feed's own path.
        title: Its title.
        found: The changes, the last ones first.
    """
    feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    _add(feed, "title", title)
    _add(feed, "id", f"{base}{path}")
    _add(feed, "updated", iso(found[0].at if found else datetime(1970, 1, 1, tzinfo=UTC), "seconds"))
    _add(_add(feed, "author", ""), "name", "Pressmark")
    etree.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=f"{base}{path}")
    for one in found:
        target = f"{base}/post/{stamp_of(one.at)}/{quoted(one.url)}"
        entry = _add(feed, "entry", "")
        _add(entry, "title", f"{_NAMES[one.kind]}: {one.title or one.url}")
        _add(entry, "id", target)
        _add(entry, "updated", iso(one.at, "seconds"))
        etree.SubElement(entry, f"{{{_ATOM}}}link", rel="alternate", href=target)
        for term in (one.kind, *one.classes):
            etree.SubElement(entry, f"{{{_ATOM}}}category", term=term)
        _add(entry, "summary", _summary(one))
    made: bytes = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
    return made


def _summary(one: Change) -> str:
    if one.detail:
        return f"{_NAMES[one.kind]}: {one.detail}."
    seen = f"{_NAMES[one.kind]}, seen on {one.at:%Y-%m-%d %H:%M} UTC."
    edits = summary(edit.name for edit in one.edits)
    return f"{seen} Edits: {edits}." if edits else seen


_NO_XML = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow."""


def _add(parent: Any, name: str, text: str) -> Any:  # noqa: ANN401  lxml has no types
    made = etree.SubElement(parent, f"{{{_ATOM}}}{name}")
    made.text = _NO_XML.sub("", text) or None
    return made

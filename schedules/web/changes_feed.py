"""What happened to posts, as an Atom feed (RFC 4287). No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from lxml import etree

from archive.export.atom import ATOM, add, add_link
from archive.reader.text_edits import summary
from archive.runtime.times import iso
from archive.web.memento_path import quoted, stamp_of
from schedules.changes.model import Change, Kind

LATEST = 100
"""Number of entries in a feed."""
_NAMES: dict[Kind, str] = {"new": "New", "edited": "Edited", "vanished": "Vanished", "back": "Back"}


def changes_feed(base: str, path: str, title: str, found: Sequence[Change]) -> bytes:
    """An Atom feed of changes.

    Args:
        base: Origin of the web app, for links.
        path: The feed's own path.
        title: Its title.
        found: The changes, the last ones first.
    """
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    add(feed, "title", title)
    add(feed, "id", f"{base}{path}")
    add(feed, "updated", iso(found[0].at if found else datetime(1970, 1, 1, tzinfo=UTC), "seconds"))
    add(add(feed, "author", ""), "name", "Pressmark")
    add_link(feed, "self", f"{base}{path}")
    for one in found:
        target = f"{base}/post/{stamp_of(one.at)}/{quoted(one.url)}"
        entry = add(feed, "entry", "")
        add(entry, "title", f"{_NAMES[one.kind]}: {one.title or one.url}")
        add(entry, "id", target)
        add(entry, "updated", iso(one.at, "seconds"))
        add_link(entry, "alternate", target)
        for term in (one.kind, *one.classes):
            etree.SubElement(entry, f"{{{ATOM}}}category", term=term)
        add(entry, "summary", _summary(one))
    made: bytes = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
    return made


def _summary(one: Change) -> str:
    if one.detail:
        return f"{_NAMES[one.kind]}: {one.detail}."
    seen = f"{_NAMES[one.kind]}, seen on {one.at:%Y-%m-%d %H:%M} UTC."
    edits = summary(edit.name for edit in one.edits)
    return f"{seen} Edits: {edits}." if edits else seen

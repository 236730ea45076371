"""Sanitize parsed feeds: remove characters that cannot be stored, truncate fields; markup stays. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from archive.limits import ENTRY_CHARACTERS, FIELD_CHARACTERS, URL_CHARACTERS
from crawler.feeds.fields import heading
from crawler.feeds.model import Enclosure, FeedEntry, FeedInfo, ParsedFeed
from crawler.limits import FEED_CHARACTERS, TAG_CHARACTERS, TAGS

_ADDRESSES = frozenset({"link", "original", "related", "license", "self_link", "hub", "prev_archive", "next_page"})
_LENGTHS = {
    "content": ENTRY_CHARACTERS,
    "summary": ENTRY_CHARACTERS,
    "id": URL_CHARACTERS,
    "url": URL_CHARACTERS,
    "title": 10 * FIELD_CHARACTERS,
}
_SHORT = frozenset({"published_raw", "updated_raw", "type", "length", "language"})


def sanitized(found: ParsedFeed) -> ParsedFeed:
    """A parsed feed with storable characters and fields within their limits."""
    about = replace(found.feed, **_sanitized_fields(found.feed))
    feed = replace(about, words=heading(about.title))
    return replace(found, feed=feed, entries=tuple(sanitized_entries(found.entries)))


def sanitized_entries(entries: Iterable[FeedEntry]) -> Iterator[FeedEntry]:
    """Entries with storable characters and fields within their limits; their `words` and `essence` are computed.

    Character references can produce any character; internal entities and long base URLs can produce any length.
    """
    left = FEED_CHARACTERS
    for entry in entries:
        fields = _sanitized_fields(entry)
        is_one_text = entry.summary is entry.content  # feeds without a summary have their content there too
        if is_one_text:
            fields["summary"] = fields.get("content")
        sane = replace(
            entry,
            **fields,
            tags=tuple(_sanitized_text(tag)[:TAG_CHARACTERS] for tag in entry.tags[:TAGS]),
            enclosures=tuple(replace(one, **_sanitized_fields(one)) for one in entry.enclosures[:TAGS]),
        )
        size = len(sane.content or "") + (0 if is_one_text else len(sane.summary or ""))
        if size > left:
            sane = replace(sane, content=None, summary=None)
        left -= min(size, left)
        yield replace(sane, words=heading(sane.title), essence=sane.digest)


def _sanitized_fields(value: FeedInfo | FeedEntry | Enclosure) -> dict[str, Any]:
    texts = ((name, getattr(value, name)) for name in value.__slots__)
    return {name: _sanitized_field(name, text) for name, text in texts if isinstance(text, str)}


def _sanitized_field(name: str, text: str) -> str | None:
    if name in _ADDRESSES:
        return _sanitized_address(text)
    limit = TAG_CHARACTERS if name in _SHORT else _LENGTHS.get(name, FIELD_CHARACTERS)
    return _sanitized_text(text)[:limit]


def _sanitized_address(text: str) -> str | None:
    """A URL without control characters, as browsers read it (URL Standard §4.4); None if it is not a URL."""
    url = "".join(c for c in _sanitized_text(text) if c >= " " and c != "\x7f")
    if len(url) > URL_CHARACTERS:
        return None
    try:
        _ = urlsplit(url).port
    except ValueError:
        return None
    return url


def _sanitized_text(text: str) -> str:
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()

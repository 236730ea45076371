"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1). No I/O."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from crawler.errors import FeedError
from crawler.feeds.dates import parse_date
from crawler.feeds.fields import date_text, link_of, string, web_link
from crawler.feeds.titles import as_text
from crawler.feeds.model import Enclosure, FeedEntry, FeedInfo, ParsedFeed
from crawler.limits import FEED_ENTRIES

_KNOWN_VERSION = re.compile(r"(https?://)?(www\.)?jsonfeed\.org/version/|1(\.|$)")
_KNOWN_JSON = re.compile(rb"""^\s*\{[^{}]{0,500}"version"\s*:\s*"https?:\\?/\\?/(?:www\.)?jsonfeed\.org""")
_INT_DIGITS = 1_000
"""Longer numbers in JSON stay text: Python does not convert those of more than 4300 digits."""


def sniff(start: bytes) -> bool:
    """Whether a document is a JSON object, from its first bytes."""
    return start.startswith(b"{")


def is_meant(start: bytes) -> bool:
    """Whether a JSON object states a version of JSON Feed, readable or not."""
    return _KNOWN_JSON.search(start) is not None


def parse(body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:  # noqa: ARG001  JSON is UTF-8 (RFC 8259 §8.1)
    """Parse a JSON Feed document.

    Raises:
        FeedError: It is not a JSON Feed.
    """
    try:
        data = json.loads(body.decode("utf-8-sig", "replace"), strict=False, parse_int=_integer)
    except (ValueError, RecursionError) as e:
        raise FeedError("is not valid JSON", url=url) from e
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list) or not _KNOWN_VERSION.match(str(data.get("version", "1"))):
        raise FeedError("is JSON, but not a JSON Feed", url=url)
    return ParsedFeed(
        feed=FeedInfo(
            title=_text(data.get("title")),
            link=link_of(string(data.get("home_page_url")), url),
            id=string(data.get("feed_url")),
            subtitle=string(data.get("description")),
            author=_json_author(data),
            language=string(data.get("language")),
            self_link=link_of(string(data.get("feed_url")), url),
            hub=_json_hub(data.get("hubs"), url),
            next_page=web_link(string(data.get("next_url")), url),
        ),
        entries=tuple(_json_entry(item, url) for item in _newest_items(items) if isinstance(item, dict)),
        left_out=max(0, len(items) - FEED_ENTRIES),
    )


def _newest_items(items: list[Any]) -> list[Any]:
    """The newest FEED_ENTRIES items, from whichever end has the newer ones."""
    if len(items) <= FEED_ENTRIES:
        return items
    ends = [_iso(item.get("date_published")) for item in (items[0], items[-1]) if isinstance(item, dict)]
    rising = len(ends) == 2 and ends[0] and ends[1] and ends[0] < ends[1]  # noqa: PLR2004  both ends
    return items[-FEED_ENTRIES:] if rising else items[:FEED_ENTRIES]


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _INT_DIGITS else digits


def _json_hub(hubs: object, url: str) -> str | None:
    found = [one for one in hubs if isinstance(one, dict)] if isinstance(hubs, list) else []
    links = (link_of(string(one.get("url")), url) for one in found if str(one.get("type", "")).lower() == "websub")
    return next((link for link in links if link), None)


def _json_entry(item: dict[str, Any], url: str) -> FeedEntry:
    tags = item.get("tags")
    attachments = item.get("attachments")
    text = _text(item.get("content_text"))
    return FeedEntry(
        id=string(item.get("id")),
        link=link_of(string(item.get("url")) or string(item.get("external_url")), url),
        title=_text(item.get("title")),
        author=_json_author(item),
        summary=string(item.get("summary")),
        content=string(item.get("content_html")) or text,
        published=_iso(item.get("date_published")),
        updated=_iso(item.get("date_modified")),
        published_raw=date_text(item.get("date_published")),
        updated_raw=date_text(item.get("date_modified")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        enclosures=tuple(
            Enclosure(
                url=found["url"] if not url else link_of(found["url"], url) or found["url"],
                type=string(found.get("mime_type")),
                length=string(found.get("size_in_bytes")),
            )
            for found in (attachments if isinstance(attachments, list) else ())
            if isinstance(found, dict) and isinstance(found.get("url"), str)
        ),
    )


def _text(value: object) -> str | None:
    text = string(value)
    return as_text(text) if text else None


def _json_author(item: dict[str, Any]) -> str | None:
    authors = item.get("authors")
    if not isinstance(authors, list):
        authors = [item.get("author")]
    found = [author for author in authors if isinstance(author, dict)]
    names = [string(author.get("name")) for author in found]
    links = [string(author.get("url")) for author in found]
    return ", ".join(name for name in names if name) or next(
        (link.removeprefix("mailto:") for link in links if link and link.startswith("mailto:")), None
    )


def _iso(value: object) -> datetime | None:
    """A date of RFC 3339; without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return parse_date(value)

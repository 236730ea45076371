"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1). No I/O."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

from crawler.errors import FeedError
from crawler.feeds.charset import in_utf8
from crawler.feeds.dates import parse_date
from crawler.feeds.fields import WEB_URL, date_text, link_of, string, stripped, web_link
from crawler.feeds.links import is_elsewhere
from crawler.feeds.model import Enclosure, FeedEntry, FeedInfo, ParsedFeed
from crawler.feeds.titles import as_text
from crawler.limits import FEED_ENTRIES

_KNOWN_VERSION = re.compile(r"(https?://)?(www\.)?jsonfeed\.org/version/|1(\.|$)")
_KNOWN_JSON = re.compile(rb"""^\s*\{[^{}]{0,500}"version"\s*:\s*"https?:\\?/\\?/(?:www\.)?jsonfeed\.org""")
_ITEMS = re.compile(r'"items"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*(?=\{)")
_HEAD = 4_096
"""The version of a damaged document is searched for within this distance from its start."""
_INT_DIGITS = 1_000
"""Longer numbers in JSON stay text: Python does not convert those of more than 4300 digits."""


def sniff(start: bytes) -> bool:
    """Whether a document is a JSON object, from its first bytes."""
    return start.startswith(b"{")


def is_meant(start: bytes) -> bool:
    """Whether a JSON object states a version of JSON Feed, readable or not."""
    return _KNOWN_JSON.search(start) is not None


def parse(body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
    """Parse a JSON Feed document, as far as it goes if it is truncated.

    Raises:
        FeedError: It is not a JSON Feed.
    """
    text = in_utf8(body, content_type).decode("utf-8", "replace")
    data, complete = _read(text, url)
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list) or not _KNOWN_VERSION.match(str(data.get("version", "1"))):
        raise FeedError("is JSON, but not a JSON Feed", url=url)
    page = link_of(string(data.get("home_page_url")), url)
    base = page if page and is_elsewhere(page, url) else url
    shared = _json_author(data)
    return ParsedFeed(
        feed=FeedInfo(
            title=_text(data.get("title")),
            link=page,
            id=string(data.get("feed_url")),
            subtitle=string(data.get("description")),
            author=shared,
            language=string(data.get("language")),
            self_link=link_of(string(data.get("feed_url")), url),
            hub=_json_hub(data.get("hubs"), url),
            next_page=web_link(string(data.get("next_url")), url),
        ),
        entries=tuple(_json_entry(item, base, shared) for item in _newest_items(items) if isinstance(item, dict)),
        complete=complete,
        left_out=max(0, len(items) - FEED_ENTRIES),
    )


def _read(text: str, url: str) -> tuple[Any, bool]:
    """The value of a JSON text, and whether it is all there; without the items after the one that is not."""
    decoder = json.JSONDecoder(strict=False, parse_int=_integer)
    try:
        return decoder.decode(text), True
    except (ValueError, RecursionError) as e:
        if (items := _ITEMS.search(text)) is None or _KNOWN_JSON.search(text[:_HEAD].encode()) is None:
            raise FeedError("is not valid JSON", url=url) from e
        try:
            head = decoder.decode(text[: items.start()].rstrip().rstrip(",") + "}")
        except (ValueError, RecursionError):
            head = {}
    found: list[Any] = []
    at = items.end()
    try:
        while separator := _BETWEEN.match(text, at):
            item, at = decoder.raw_decode(text, separator.end())
            found.append(item)
    except (ValueError, RecursionError):  # the one that is cut
        pass
    return {**head, "items": found}, False


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


def _json_entry(item: dict[str, Any], url: str, shared: str | None) -> FeedEntry:
    """An item; without authors it has those of the feed (JSON Feed 1.1, items)."""
    tags = item.get("tags")
    attachments = item.get("attachments")
    text = _text(item.get("content_text"))
    return FeedEntry(
        id=string(item.get("id")),
        link=link_of(string(item.get("url")) or string(item.get("external_url")), url) or _as_link(item.get("id"), url),
        title=_text(item.get("title")),
        author=_json_author(item) or shared,
        summary=string(item.get("summary")),
        content=string(item.get("content_html")) or text,
        published=_iso(item.get("date_published")),
        updated=_iso(item.get("date_modified")),
        published_raw=date_text(item.get("date_published")),
        updated_raw=date_text(item.get("date_modified")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        enclosures=tuple(
            Enclosure(
                url=link_of(found["url"], url) or found["url"],
                type=string(found.get("mime_type")),
                length=_size(found.get("size_in_bytes")),
            )
            for found in (attachments if isinstance(attachments, list) else ())
            if isinstance(found, dict) and stripped(found.get("url"))
        ),
    )


def _as_link(value: object, url: str) -> str | None:
    """An id that is the URL of the item, as it ideally is (JSON Feed 1.1, id)."""
    name = string(value)
    return web_link(name, url) if name and WEB_URL.match(name) else None


def _size(value: object) -> str | None:
    """A number of bytes: feeds write fractions too."""
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)
    return string(value)


def _text(value: object) -> str | None:
    text = string(value)
    return as_text(text) if text else None


def _json_author(item: dict[str, Any]) -> str | None:
    """The authors of a feed or item: names, else an address. A feed of version 1.0 has one author."""
    authors = item.get("authors")
    if not isinstance(authors, list) or not authors:
        authors = [item.get("author")]
    names = [string(author.get("name")) if isinstance(author, dict) else stripped(author) for author in authors]
    links = [string(author.get("url")) for author in authors if isinstance(author, dict)]
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

"""Feeds: RSS, RDF, Atom and JSON Feed to one form; the home of the feed parser. No I/O.

Ids are kept verbatim, content is not sanitised, a date that cannot be read is None.
"""

from __future__ import annotations

import calendar
import hashlib
import io
import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import feedparser
from lxml import html as lxml_html
from lxml.etree import LxmlError

from crawler.errors import FeedError

MAX_ENTRIES = 20_000
"""Entries of one document that are looked at."""

_SNIFF_BYTES = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that goes with an entry."""

    url: str
    type: str | None = None
    length: str | None = None
    """As the feed states it, in bytes; not checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry (an RSS item) of a feed."""

    id: str | None = None
    """guid, atom:id, JSON id or rdf:about, verbatim but for white space around it."""
    link: str | None = None
    """URL of the post's page, absolute where the feed's own URL is known."""
    title: str | None = None
    author: str | None = None
    """Several names are joined with `, `."""
    summary: str | None = None
    """Markup, not sanitised."""
    content: str | None = None
    """Markup, not sanitised; None if the feed gives a summary at most."""
    published: datetime | None = None
    """Aware, UTC; None if absent or unreadable."""
    updated: datetime | None = None
    """Aware, UTC; None if absent or unreadable."""
    tags: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()

    @property
    def key(self) -> str | None:
        """SHA-256 of what tells this entry from the feed's others: its id, else its link; None if it has neither."""
        known = self.id or self.link
        return hashlib.sha256(known.encode()).hexdigest() if known else None

    @property
    def digest(self) -> str:
        """SHA-256 of what the feed says of this post; another one means that the post was edited."""
        said = (self.link, self.title, self.summary, self.content, str(self.updated))
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedInfo:
    """What a feed says of itself."""

    title: str | None = None
    link: str | None = None
    id: str | None = None
    subtitle: str | None = None
    author: str | None = None
    language: str | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed document."""

    feed: FeedInfo
    entries: tuple[FeedEntry, ...]
    """In document order."""


def parse(body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
    """Read a feed document.

    Args:
        body: The document, content coding removed.
        url: Base of relative links; empty leaves them as they are.
        content_type: Of the response; only its charset counts, the format is told from the bytes.

    Raises:
        FeedError: It is no feed.
    """
    return _sane(_parsed(body, url, content_type))


def _parsed(body: bytes, url: str, content_type: str | None) -> ParsedFeed:
    start = body[:_SNIFF_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        return _json_feed(body, url)
    if b"<" not in start:
        raise FeedError("is no feed", url=url)
    headers = {"content-type": content_type} if content_type else {}
    if url:
        headers["content-location"] = url
    try:
        found = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=True
        )
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError) as e:
        if content_type:
            return _parsed(body, url, None)  # perhaps its charset is none
        raise FeedError(f"cannot be read: {type(e).__name__}", url=url) from e  # what feedparser stumbles over
    if not found.get("version") and not found.entries:
        raise FeedError("is no feed", url=url)
    feed = found.feed
    return ParsedFeed(
        feed=FeedInfo(
            title=_plain(feed.get("title")),
            link=_link(feed.get("link"), url),
            id=feed.get("id"),
            subtitle=_plain(feed.get("subtitle")),
            author=_author(feed),
            language=feed.get("language"),
            updated=_moment(feed.get("updated_parsed")),
        ),
        entries=tuple(_entry(entry, url) for entry in found.entries[:MAX_ENTRIES]),
    )


def _sane(found: ParsedFeed) -> ParsedFeed:
    """The feed without what no database and no UTF-8 file can hold; character references in feeds bring it in."""
    return replace(
        found,
        feed=replace(found.feed, **_sane_fields(found.feed)),
        entries=tuple(
            replace(
                entry,
                **_sane_fields(entry),
                tags=tuple(_sane_text(tag) for tag in entry.tags),
                enclosures=tuple(replace(one, **_sane_fields(one)) for one in entry.enclosures),
            )
            for entry in found.entries
        ),
    )


def _sane_fields(value: FeedInfo | FeedEntry | Enclosure) -> dict[str, Any]:
    texts = ((name, getattr(value, name)) for name in value.__slots__)
    return {name: _sane_text(text) for name, text in texts if isinstance(text, str)}


def _sane_text(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def parse_date(text: str) -> datetime | None:
    """The instant that a date in a feed means, aware, in UTC; None if it cannot be read. No zone means UTC."""
    try:
        return _moment(feedparser.datetimes._parse_date(text))  # noqa: SLF001  feedparser has no public name for it
    except (ValueError, OverflowError, TypeError):
        return None


def _entry(entry: Any, url: str) -> FeedEntry:  # noqa: ANN401  feedparser's dict
    contents = [part.get("value") for part in entry.get("content", ()) if part.get("value")]
    return FeedEntry(
        id=_stripped(entry.get("id")),
        link=_link(entry.get("link"), url),
        title=_plain(entry.get("title")),
        author=_author(entry),
        summary=_stripped(entry.get("summary")),
        content=max(contents, key=len, default=None),
        published=_moment(entry.get("published_parsed")),
        updated=_moment(entry.get("updated_parsed") if "updated" in entry else None),
        tags=tuple(tag["term"] for tag in entry.get("tags", ()) if tag.get("term")),
        enclosures=tuple(
            Enclosure(url=found["href"], type=found.get("type"), length=found.get("length"))
            for found in entry.get("enclosures", ())
            if found.get("href")
        ),
    )


def _json_feed(body: bytes, url: str) -> ParsedFeed:
    """JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1)."""
    try:
        data = json.loads(body.decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError) as e:
        raise FeedError("is broken JSON", url=url) from e
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list) or "jsonfeed.org" not in str(data.get("version", "jsonfeed.org")):
        raise FeedError("is JSON but no JSON Feed", url=url)
    return ParsedFeed(
        feed=FeedInfo(
            title=_string(data.get("title")),
            link=_link(_string(data.get("home_page_url")), url),
            id=_string(data.get("feed_url")),
            subtitle=_string(data.get("description")),
            author=_json_author(data),
            language=_string(data.get("language")),
        ),
        entries=tuple(_json_entry(item, url) for item in items[:MAX_ENTRIES] if isinstance(item, dict)),
    )


def _json_entry(item: dict[str, Any], url: str) -> FeedEntry:
    tags = item.get("tags")
    attachments = item.get("attachments")
    text = _string(item.get("content_text"))
    return FeedEntry(
        id=_string(item.get("id")),
        link=_link(_string(item.get("url")) or _string(item.get("external_url")), url),
        title=_string(item.get("title")),
        author=_json_author(item),
        summary=_string(item.get("summary")),
        content=_string(item.get("content_html")) or text,
        published=_iso(item.get("date_published")),
        updated=_iso(item.get("date_modified")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        enclosures=tuple(
            Enclosure(
                url=urljoin(url, found["url"]),
                type=_string(found.get("mime_type")),
                length=_string(found.get("size_in_bytes")),
            )
            for found in (attachments if isinstance(attachments, list) else ())
            if isinstance(found, dict) and isinstance(found.get("url"), str)
        ),
    )


def _json_author(item: dict[str, Any]) -> str | None:
    authors = item.get("authors")
    if not isinstance(authors, list):
        authors = [item.get("author")]
    names = [_string(author.get("name")) for author in authors if isinstance(author, dict)]
    return ", ".join(name for name in names if name) or None


def _iso(value: object) -> datetime | None:
    """RFC 3339; no zone means UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return parse_date(value)


def _moment(parsed: time.struct_time | None) -> datetime | None:
    """Feedparser's UTC struct_time as a datetime."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None


def _author(found: Any) -> str | None:  # noqa: ANN401  feedparser's dict
    names = [author["name"].strip() for author in found.get("authors", ()) if author.get("name")]
    return ", ".join(dict.fromkeys(names)) or _stripped(found.get("author"))


def _plain(value: str | None) -> str | None:
    """A title as plain text: feeds put markup and entities into it."""
    if not value:
        return None
    if "<" in value or "&" in value:
        try:
            value = lxml_html.fromstring(f"<div>{value}</div>").text_content()
        except (LxmlError, ValueError):
            return value.strip()
    return " ".join(value.split()) or None


def _link(value: str | None, url: str) -> str | None:
    if not value or not value.strip():
        return None
    try:
        return urljoin(url, value.strip()) if url else value.strip()
    except ValueError:
        return None


def _stripped(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _string(value: object) -> str | None:
    """A JSON value as text: feeds write numbers where strings belong."""
    if isinstance(value, bool) or value is None:
        return None
    return str(value).strip() or None if isinstance(value, str | int | float) else None

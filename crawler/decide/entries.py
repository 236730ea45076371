"""Classifies entries of a feed as new, changed or known, and selects the pages to fetch. Pure, no I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from archive.extract.text import Entry
from archive.limits import URL_CHARACTERS
from crawler.feeds.dates import names_zone
from crawler.feeds.fields import plain
from crawler.feeds.model import FeedEntry
from crawler.limits import FIRST_YEAR
from crawler.model.url_identity import is_address
from crawler.model.visits import Feed, Page, SeenEntry

_FUTURE = timedelta(days=1)


def keys(entries: Sequence[FeedEntry]) -> list[str | None]:
    """Keys of the entries of one document: their ids, with links and titles added if several share an id."""
    links = _apart((entry.key, entry.page) for entry in entries)
    found = [_joined(entry.key, entry.page, links) for entry in entries]
    titles = _apart((key, entry.title) for key, entry in zip(found, entries, strict=True))
    return [_joined(key, entry.title, titles) for key, entry in zip(found, entries, strict=True)]


def _apart(pairs: Iterable[tuple[str | None, str | None]]) -> dict[str | None, set[str | None]]:
    """The different values of each key."""
    found: dict[str | None, set[str | None]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return found


def _joined(key: str | None, value: str | None, apart: Mapping[str | None, set[str | None]]) -> str | None:
    """The key itself, or a key derived from key and value if it has several values."""
    if key is None or len(apart[key]) < 2:  # noqa: PLR2004  several
        return key
    return hashlib.sha256(f"{key} {value}".encode("utf-8", "replace")).hexdigest()


def seen_entries(
    entries: tuple[FeedEntry, ...],
    known: Mapping[str, str],
    pages: Mapping[str, Page],
    language: str | None = None,
    *,
    at: datetime | None = None,
) -> tuple[SeenEntry, ...]:
    """Entries that are new or were edited.

    Args:
        entries: Of the current document.
        known: Digest of each entry seen before, by key.
        pages: Known pages, by URL: a new entry whose page is archived needs no fetch.
        language: The language that the feed states for all its entries.
        at: When the feed was fetched.
    """
    found: dict[str, SeenEntry] = {}
    for entry, key in zip(entries, keys(entries), strict=True):
        if key is None or known.get(key) == entry.digest or key in found:
            continue
        url = page_url(entry)
        page = pages.get(url) if url else None
        found[key] = SeenEntry(
            key=key,
            id=entry.id,
            digest=entry.digest,
            url=url,
            entry=as_entry(entry, language, at=at),
            # If a known entry has changed, its page may have changed too.
            fetch=url is not None and (key in known or page is None or not page.kept),
        )
    return tuple(found.values())


def page_url(entry: FeedEntry) -> str | None:
    """URL of an entry's page, if it can be fetched."""
    return entry.page if entry.page and len(entry.page) <= URL_CHARACTERS and is_address(entry.page) else None


def as_entry(entry: FeedEntry, language: str | None = None, *, at: datetime | None = None) -> Entry:
    """An entry as the archive stores it; `at` is when the feed was fetched."""
    return Entry(
        title=entry.words if entry.essence is not None else plain(entry.title),
        author=entry.author,
        published=entry.published or (None if entry.listed else entry.updated),
        modified=entry.updated,
        tags=entry.tags,
        language=language,
        html=entry.content or entry.summary,
        published_raw=entry.published_raw,
        modified_raw=entry.updated_raw,
        doubts=_doubts(entry, at),
        related=entry.related,
        named_by=entry.named_by,
    )


def _doubts(entry: FeedEntry, at: datetime | None) -> tuple[str, ...]:
    dates = ((entry.published, entry.published_raw), (entry.updated, entry.updated_raw))
    written = [(date, raw) for date, raw in dates if raw]
    found = [date for date, _ in written if date]
    doubts = {
        "unreadable": len(found) < len(written),
        "no zone": any(date and not names_zone(raw) for date, raw in written),
        "future": at is not None and any(date > at + _FUTURE for date in found),
        "old": any(date.year < FIRST_YEAR for date in found),
    }
    return tuple(name for name, holds in doubts.items() if holds)


def page_of(seen: SeenEntry, feed: Feed, known: Page | None) -> Page | None:
    """The page to fetch for an entry, or None."""
    if not seen.url or not seen.fetch:
        return None
    page = known or Page(url=seen.url, feed_id=feed.id, kept=False)
    return replace(page, entry=seen.entry)

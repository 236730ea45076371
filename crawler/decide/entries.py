"""Classifies entries of a feed as new, changed or known, and selects the pages to fetch. Pure, no I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from archive.extract.text import Entry
from archive.warc.page_identity import page_key, same_page
from crawler.decide.places import Place, own_address, own_address_of, own_domains, places
from crawler.feeds.dates import names_zone
from crawler.feeds.fields import plain
from crawler.feeds.model import FeedEntry
from crawler.limits import FIRST_YEAR, LOOKS_AN_HOUR
from crawler.model.visits import Feed, FeedPost, Page, SeenEntry

_HOUR = timedelta(hours=1)
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
    feed: str = "",
    site: str | None = None,
) -> tuple[SeenEntry, ...]:
    """Entries that are new or were edited.

    Args:
        entries: Of the current document.
        known: Digest of each entry seen before, by key.
        pages: Known pages, by URL.
        language: The language that the feed states for all its entries.
        at: When the feed was fetched.
        feed: URL of the feed.
        site: Front page of the blog, as the feed states it.
    """
    found: dict[str, SeenEntry] = {}
    named = keys(entries)
    for entry, key, place in zip(entries, named, placed(entries, named, feed=feed, site=site), strict=True):
        page = pages.get(place.page) if place.page else None
        # The first entry of a page that only now turns out to be shared gets its own address.
        unsettled = place.address is not None and page is not None and not page.shared
        if key is None or (known.get(key) == entry.digest and not unsettled) or key in found:
            continue
        address = place.address
        if address is None and page is not None and (page.shared or (key not in known and _is_other_post(entry, page))):
            address = own_address(entry, key, place.page, feed=feed)
        changed = key in known and known[key] != entry.digest
        fetch = place.page is not None and _is_wanted(entry, page, new=key not in known, changed=changed)
        found[key] = SeenEntry(
            key=key,
            id=entry.id,
            digest=entry.digest,
            url=place.page,
            entry=as_entry(entry, language, at=at),
            fetch=fetch,
            address=address,
            later=_later(page, at) if fetch else None,
            known=key in known,
        )
    return tuple(found.values())


def placed(
    entries: Sequence[FeedEntry], named: Sequence[str | None], *, feed: str = "", site: str | None = None
) -> list[Place]:
    """Where the posts of the entries of one document are."""
    return places(entries, named, feed=feed, own=own_domains(feed, site) if feed else ())


def _is_other_post(entry: FeedEntry, page: Page) -> bool:
    """Whether a new entry links to a page that belongs to another post: one with another title."""
    return bool(page.titles) and bool(title_of(entry)) and title_of(entry) not in (page.titles or ())


def _is_wanted(entry: FeedEntry, page: Page | None, *, new: bool, changed: bool) -> bool:
    """Whether the page of an entry is to be fetched: it is not archived, or may show something new."""
    if page is None or not page.kept or changed:
        return True
    return new and _is_other_post(entry, page)


def _later(page: Page | None, at: datetime | None) -> datetime | None:
    """When a page may be fetched again that entries have caused to be fetched several times within the hour."""
    if page is None or at is None or page.looks_since is None or page.looks < LOOKS_AN_HOUR:
        return None
    over = page.looks_since + _HOUR
    return over if page.looks_since <= at < over else None


def title_of(entry: FeedEntry) -> str:
    """The words of an entry's title; empty if it has none."""
    return (entry.words if entry.essence is not None else plain(entry.title)) or ""


def as_entry(entry: FeedEntry, language: str | None = None, *, at: datetime | None = None) -> Entry:
    """An entry as the archive stores it; `at` is when the feed was fetched."""
    return Entry(
        title=title_of(entry) or None,
        author=None if entry.is_shared_author else entry.author,
        shared_author=entry.author if entry.is_shared_author else None,
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
        license=entry.license,
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


def pages_to_fetch(
    seen: Iterable[SeenEntry], feed: Feed, known: Mapping[str, Page], *, record: str | None, at: datetime
) -> list[Page]:
    """The pages to fetch now for the entries of a document, each once, with the posts that are on it.

    Args:
        seen: Entries that are new or were edited.
        feed: Their feed.
        known: Known pages, by URL.
        record: WARC-Record-ID of the capture that contains the entries.
        at: When that capture was made.
    """
    found: dict[str, Page] = {}
    for one in seen:
        if not one.url:
            continue
        key = page_key(one.url)
        page = found.get(key)
        if page is None:
            if not one.fetch or one.later is not None:
                continue
            page = known.get(one.url) or Page(url=one.url, feed_id=feed.id, kept=False)
        post = feed_post(one, feed, record=record, at=at)
        if one.address is None:
            page = replace(page, entry=one.entry, post=post)
        else:
            page = replace(page, shared=True, posts=(*page.posts, post) if post else page.posts)
        found[key] = replace(page, news=True)
    return list(found.values())


def feed_post(seen: SeenEntry, feed: Feed, *, record: str | None, at: datetime) -> FeedPost | None:
    """The post as the feed has it; None if it has no address, or the feed's capture is not known."""
    address = seen.address or seen.url
    if record is None or address is None:
        return None
    own = own_address_of(seen, feed=feed.url)
    return FeedPost(address=address, entry=seen.entry, record=record, at=at, base=feed.site or feed.url, own=own)


def only_in_feed(seen: SeenEntry) -> bool:
    """Whether a post has its words in the feed alone: it has no page, and links to no place on one."""
    if seen.address is None:
        return False
    return seen.url is None or not same_page(seen.address, seen.url)

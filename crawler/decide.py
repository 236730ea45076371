"""What follows from a visit: when to come again, what to fetch. Pure rules, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from archive.text import Entry
from crawler.feeds import FeedEntry, ParsedFeed, plain
from crawler.visit import Feed, FeedVisit, Page, PageVisit, SeenEntry

OK = 200
NOT_MODIFIED = 304
GONE = frozenset({404, 410})
MAX_URL = 8_192
"""Characters of an entry's link; a longer one is no address of a page."""

_PAGE_RETRY = timedelta(minutes=10)
_PAGE_FAILURES = 8
"""Failed fetches after which a page is not tried again by itself: about a day and a half after the first."""
_LONGEST_WAIT = timedelta(days=1)


def backoff(first: timedelta, failures: int) -> timedelta:
    """Wait after the given number of failures in a row: doubled with each, a day at most."""
    doubled: int = 2 ** min(failures - 1, 16)
    return min(first * doubled, max(first, _LONGEST_WAIT))


def after_feed(
    feed: Feed,
    *,
    at: datetime,
    interval: timedelta,
    status: int | None,
    error: str | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
    parsed: ParsedFeed | None = None,
    seen: tuple[SeenEntry, ...] = (),
) -> FeedVisit:
    """What a visit of a feed changes; `error` marks a bad one, whose validators are the old ones."""
    failures = feed.failures + 1 if error else 0
    if error:
        etag, last_modified = feed.etag, feed.last_modified
    elif status == NOT_MODIFIED:
        # A 304 may bring newer validators; without them the old ones stay (RFC 9111 §4.3.4).
        etag, last_modified = etag or feed.etag, last_modified or feed.last_modified
    return FeedVisit(
        feed_id=feed.id,
        at=at,
        due=at + (backoff(interval, failures) if error else interval),
        status=_told(status),
        error=error,
        failures=failures,
        etag=etag,
        last_modified=last_modified,
        title=plain(parsed.feed.title) if parsed else None,
        site=parsed.feed.link if parsed else None,
        entries=seen,
    )


def after_page(
    page: Page,
    *,
    at: datetime,
    status: int | None,
    error: str | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
) -> PageVisit:
    """What a visit of a page changes. `error` with status 200 or 304 is about its text: the page itself is held."""
    held = status in {OK, NOT_MODIFIED}
    failures = 0 if held else page.failures + 1
    again = not held and status not in GONE and failures < _PAGE_FAILURES
    return PageVisit(
        url=page.url,
        feed_id=page.feed_id,
        at=at,
        due=at + backoff(_PAGE_RETRY, failures) if again else None,
        kept=held,
        status=_told(status),
        error=error,
        failures=failures,
        # Validators of an error, or of a page that was redirected to, say nothing of this one (RFC 9110 §13.1).
        etag=etag if status == OK else (etag if status == NOT_MODIFIED else None) or page.etag,
        last_modified=last_modified
        if status == OK
        else (last_modified if status == NOT_MODIFIED else None) or page.last_modified,
    )


def _told(status: int | None) -> int | None:
    """A status as it can be remembered; 0 where it has more than three digits."""
    return status if status is None or status < 1_000 else 0  # noqa: PLR2004  of three digits


def seen_entries(
    entries: tuple[FeedEntry, ...], known: Mapping[str, str], pages: Mapping[str, Page], language: str | None = None
) -> tuple[SeenEntry, ...]:
    """Entries that are new or say something else than before.

    Args:
        entries: Of the feed as it is now.
        known: Digest of each entry seen before, by key.
        pages: Pages known already, by URL: a new entry whose page is held needs no fetch.
        language: That the feed states for all its entries.
    """
    found: dict[str, SeenEntry] = {}
    for entry in entries:
        if entry.key is None or known.get(entry.key) == entry.digest or entry.key in found:
            continue
        url = entry.link if entry.link and len(entry.link) <= MAX_URL and _is_web(entry.link) else None
        page = pages.get(url) if url else None
        found[entry.key] = SeenEntry(
            key=entry.key,
            id=entry.id,
            digest=entry.digest,
            url=url,
            entry=as_entry(entry, language),
            # A known entry that changed means that its page may have changed.
            fetch=url is not None and (entry.key in known or page is None or not page.kept),
        )
    return tuple(found.values())


def as_entry(entry: FeedEntry, language: str | None = None) -> Entry:
    """What a feed says of a post, in the archive's own form."""
    return Entry(
        title=plain(entry.title),
        author=entry.author,
        published=entry.published or entry.updated,
        modified=entry.updated,
        tags=entry.tags,
        language=language,
        html=entry.content or entry.summary,
    )


def page_of(seen: SeenEntry, feed: Feed, known: Page | None) -> Page | None:
    """The page of an entry that is to be fetched, or None."""
    if not seen.url or not seen.fetch:
        return None
    page = known or Page(url=seen.url, feed_id=feed.id, kept=False)
    return replace(page, entry=seen.entry)


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))

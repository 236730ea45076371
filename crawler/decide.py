"""What follows from a visit: when to come again, what to fetch. Pure rules, no I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from archive.text import Entry
from crawler import freshness
from crawler.feeds import FeedEntry, ParsedFeed, plain
from crawler.freshness import Pace
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
_SPREAD = 0.1
"""Share of the wait that chance may add."""
_GONE_FOR_GOOD = 410
_RETIRED = timedelta(days=30)
"""After 410 a feed is looked for once a month."""
_MOVED_TIMES = 3
_MOVED_FOR = timedelta(days=1)


def backoff(first: timedelta, failures: int) -> timedelta:
    """Wait after the given number of failures in a row: doubled with each, a day at most."""
    doubled: int = 2 ** min(failures - 1, 16)
    return min(first * doubled, max(first, _LONGEST_WAIT))


def after_feed(
    feed: Feed,
    *,
    at: datetime,
    pace: Pace,
    status: int | None,
    error: str | None = None,
    headers: Mapping[str, str] | None = None,
    moved_to: str | None = None,
    parsed: ParsedFeed | None = None,
    seen: tuple[SeenEntry, ...] = (),
    chance: float = 0.0,
) -> FeedVisit:
    """What a visit of a feed changes.

    Args:
        feed: As it was before.
        at: When it was visited.
        pace: The operator's.
        status: Of the answer; None if there was none.
        error: Marks a bad visit; its validators are the old ones.
        headers: Of the answer, names in lower case; without validators that another URL gave.
        moved_to: Where permanent redirects led.
        parsed: The document, if a whole one came.
        seen: Entries that are new or changed.
        chance: From 0 up to 1: spreads visits, so that feeds found together are not asked together for ever.
    """
    failures = feed.failures + 1 if error else 0
    told = headers or {}
    etag, last_modified = told.get("etag"), told.get("last-modified")
    if error:
        etag, last_modified = feed.etag, feed.last_modified
    elif status == NOT_MODIFIED:
        # A 304 may bring newer validators; without them the old ones stay (RFC 9111 §4.3.4).
        etag, last_modified = etag or feed.etag, last_modified or feed.last_modified
    rhythm = _rhythm(parsed, at) if parsed else None
    visit = FeedVisit(
        feed_id=feed.id,
        at=at,
        due=at,
        status=_told(status),
        error=error,
        failures=failures,
        etag=etag,
        last_modified=last_modified,
        title=plain(parsed.feed.title) if parsed else None,
        site=parsed.feed.link if parsed else None,
        rhythm=rhythm,
        entries=seen,
        **_moved(feed, at, None if error else moved_to, error),
    )
    if error:
        return replace(visit, due=_due_after_error(visit, pace.least, told))
    hints = [freshness.fresh_for(told, at=at)]
    if parsed and parsed.feed.every:
        hints.append(parsed.feed.every)
    wait = freshness.interval(
        pace, own_rhythm=rhythm or feed.rhythm, hints=hints, validated=bool(etag or last_modified)
    )
    due = at + wait * (1 + _SPREAD * chance)
    if parsed:
        due = freshness.past_skipped(due, hours=parsed.feed.skip_hours, days=parsed.feed.skip_days)
    return replace(visit, due=due)


def _due_after_error(visit: FeedVisit, interval: timedelta, headers: Mapping[str, str]) -> datetime:
    if visit.status == _GONE_FOR_GOOD:
        return visit.at + _RETIRED
    asked = freshness.retry_after(headers.get("retry-after"), at=visit.at) or timedelta(0)
    return visit.at + max(backoff(interval, visit.failures), asked)


def _rhythm(parsed: ParsedFeed, at: datetime) -> timedelta | None:
    dates = (entry.published or entry.updated for entry in parsed.entries)
    return freshness.rhythm([date for date in dates if date is not None and date <= at])


def _moved(feed: Feed, at: datetime, target: str | None, error: str | None) -> dict[str, Any]:
    """A permanent redirect is believed once it has led to the feed on several visits over a day.

    Maintenance pages and captive portals redirect permanently, too.
    """
    if error:
        return {"moved_to": feed.moved_to, "moved_since": feed.moved_since, "moved_times": feed.moved_times}
    if target is None or target == feed.url or (feed.url.startswith("https:") and not target.startswith("https:")):
        return {}
    if target != feed.moved_to or feed.moved_since is None:
        return {"moved_to": target, "moved_since": at, "moved_times": 1}
    times = feed.moved_times + 1
    if times >= _MOVED_TIMES and at - feed.moved_since >= _MOVED_FOR:
        return {"url": target}
    return {"moved_to": target, "moved_since": feed.moved_since, "moved_times": times}


def after_page(
    page: Page,
    *,
    at: datetime,
    status: int | None,
    error: str | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
    not_before: datetime | None = None,
) -> PageVisit:
    """What a visit of a page changes.

    `error` with status 200 or 304 is about its text: the page itself is held. `not_before` is what the server asked
    for; a page that was not asked for at all because of that has not failed.
    """
    held = status in {OK, NOT_MODIFIED}
    if not held:  # the validators of an error say nothing of the page (RFC 9110 §13.1)
        etag = last_modified = None
    failures = 0 if held else page.failures + (status is not None or not_before is None)
    again = not held and status not in GONE and failures < _PAGE_FAILURES
    due = max(at + backoff(_PAGE_RETRY, max(failures, 1)), not_before or at)
    return PageVisit(
        url=page.url,
        feed_id=page.feed_id,
        at=at,
        due=due if again else None,
        kept=held,
        status=_told(status),
        error=error,
        failures=failures,
        etag=etag if status == OK else etag or page.etag,
        last_modified=last_modified if status == OK else last_modified or page.last_modified,
    )


def _told(status: int | None) -> int | None:
    """A status as it can be remembered; 0 where it has more than three digits."""
    return status if status is None or status < 1_000 else 0  # noqa: PLR2004  of three digits


def keys(entries: Sequence[FeedEntry]) -> list[str | None]:
    """What tells the entries of one document apart: their ids, and their links where several share an id."""
    links: dict[str, set[str | None]] = {}
    for entry in entries:
        if entry.key:
            links.setdefault(entry.key, set()).add(entry.link)
    return [
        hashlib.sha256(f"{entry.key} {entry.link}".encode()).hexdigest()
        if entry.key and len(links[entry.key]) > 1
        else entry.key
        for entry in entries
    ]


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
    for entry, key in zip(entries, keys(entries), strict=True):
        if key is None or known.get(key) == entry.digest or key in found:
            continue
        url = entry.link if entry.link and len(entry.link) <= MAX_URL and _is_web(entry.link) else None
        page = pages.get(url) if url else None
        found[key] = SeenEntry(
            key=key,
            id=entry.id,
            digest=entry.digest,
            url=url,
            entry=as_entry(entry, language),
            # A known entry that changed means that its page may have changed.
            fetch=url is not None and (key in known or page is None or not page.kept),
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

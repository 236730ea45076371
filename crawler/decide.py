"""What follows from a visit: when to come again, what to fetch. Pure rules, no I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from archive.limits import TAG_CHARACTERS, URL_CHARACTERS
from archive.text import Entry
from crawler import discover, freshness, watch
from crawler.dates import names_zone
from crawler.feeds import FeedEntry, ParsedFeed, plain
from crawler.freshness import Pace
from crawler.opml import is_address
from crawler.visit import Feed, FeedVisit, Gone, Page, PageVisit, SeenEntry

OK = 200
PARTIAL = 226
"""A document with new entries alone (RFC 3229)."""
NOT_MODIFIED = 304
GONE = frozenset({404, 410, 451})
BUSY = frozenset({429, 503})

_PAGE_RETRY = timedelta(minutes=10)
_BUSY_RETRY = timedelta(hours=1)
"""First wait after 429 or 503, where the server does not tell how long."""
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
_STUCK = timedelta(days=30)
_FUTURE = timedelta(days=1)
_FIRST_YEAR = 1990
"""Older posts than the web are doubtful."""
"""After nothing but 304 for so long the document is asked for without conditions, once."""


def backoff(first: timedelta, failures: int) -> timedelta:
    """Wait after the given number of failures in a row: doubled with each, a day at most."""
    doubled: int = 2 ** min(failures - 1, 16)
    return min(first * doubled, max(first, _LONGEST_WAIT))


def validators(feed: Feed) -> tuple[str | None, str | None]:
    """ETag and Last-Modified to send; none where the server may be stuck in saying that nothing has changed."""
    if feed.whole is not None and feed.visited is not None and feed.visited - feed.whole > _STUCK:
        return None, None
    return feed.etag, feed.last_modified


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
    shared: Sequence[bool] = (),
    same: bool = False,
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
        parsed: The document, if a whole one came that differs from the last.
        seen: Entries that are new or changed.
        shared: For each entry of the document, whether it was seen before.
        same: The document came, and is the one that came before.
        chance: From 0 up to 1: spreads visits, so that feeds found together are not asked together for ever.
    """
    told = headers or {}
    if error:
        return _after_error(feed, at, pace, status, error, told, chance)
    etag, last_modified = told.get("etag"), told.get("last-modified")
    if status == NOT_MODIFIED or (parsed and not parsed.complete):
        # A 304 may bring newer validators; without them the old ones stay (RFC 9111 §4.3.4). What was cut off is
        # wanted whole.
        etag, last_modified = feed.etag, feed.last_modified
        if status == NOT_MODIFIED:
            etag, last_modified = told.get("etag") or etag, told.get("last-modified") or last_modified
    rhythm = _rhythm(parsed, at) if parsed else None
    news = at if parsed and not all(shared) else None
    visit = FeedVisit(
        feed_id=feed.id,
        at=at,
        due=at,
        status=_told(status),
        error=None,
        failures=0,
        etag=etag,
        last_modified=last_modified,
        rhythm=rhythm,
        fresh=freshness.fresh_for(told, at=at),
        entries=seen,
        news=news,
        **(_document(feed, parsed, shared, told) if parsed and status != PARTIAL else {}),
        **_moved(feed, at, moved_to),
    )
    if status == OK or (status == NOT_MODIFIED and validators(feed) == (None, None)):
        visit = replace(visit, whole=at)
    if status == NOT_MODIFIED and not freshness.says(told):
        visit = replace(visit, fresh=feed.fresh)  # RFC 9111 §4.3.4: what a 304 does not say stays as it was
    alarms = list(watch.of_silence(feed, at=at, news=visit.news, rhythm=rhythm))
    if visit.shown is not None and parsed:
        alarms += watch.of_document(feed, shown=len(parsed.entries), media=visit.media, left_out=parsed.left_out)
    judged = watch.ON_SAME if visit.shown is None else watch.ON_DOCUMENT
    every, skips = (feed.every, feed.skips) if visit.shown is None else (visit.every, visit.skips)
    hints = [hint for hint in (visit.fresh, every) if hint]
    # Where the same document comes in full in spite of validators, the server does not look at them.
    validated = bool(etag or last_modified) and not same
    wait = freshness.interval(pace, own_rhythm=rhythm or feed.rhythm, hints=hints, validated=validated)
    if feed.pushed is not None and feed.pushed > at:
        wait = max(wait, min(pace.slowest, feed.pushed - at))  # the hub tells of news
    due = at + wait * (1 + _SPREAD * chance)
    hours, days = freshness.skipped(skips)
    due = freshness.past_skipped(due, hours=hours, days=days)
    return replace(visit, due=due, alarms=tuple(alarms), judged=judged)


def _after_error(
    feed: Feed, at: datetime, pace: Pace, status: int | None, error: str, told: Mapping[str, str], chance: float
) -> FeedVisit:
    visit = FeedVisit(
        feed_id=feed.id,
        at=at,
        due=at,
        status=_told(status),
        error=error,
        failures=feed.failures + 1,
        etag=feed.etag,
        last_modified=feed.last_modified,
        moved_to=feed.moved_to,
        moved_since=feed.moved_since,
        moved_times=feed.moved_times,
        fresh=feed.fresh,
        judged=watch.ON_ERROR,
        alarms=tuple(watch.of_error(status=status, error=error, failures=feed.failures + 1)),
    )
    return replace(visit, due=_due_after_error(visit, pace.least, told, chance))


def _document(feed: Feed, parsed: ParsedFeed, shared: Sequence[bool], told: Mapping[str, str]) -> dict[str, Any]:
    """What a document says of its feed."""
    shown = len(parsed.entries)
    return {
        "title": parsed.feed.words,
        "site": parsed.feed.link,
        "shown": feed.shown if watch.collapsed(feed, shown) else shown,
        "media": told.get("content-type", "").partition(";")[0].strip().lower()[:TAG_CHARACTERS] or None,
        # WebSub §4: the headers' word counts before the document's.
        "hub": discover.related(told.get("link", ""), "hub", feed.url) or parsed.feed.hub,
        "topic": discover.related(told.get("link", ""), "self", feed.url) or parsed.feed.self_link,
        "every": parsed.feed.every,
        "skips": freshness.skips(parsed.feed.skip_hours, parsed.feed.skip_days),
        "gap": watch.gap(parsed.entries, shared, feed=feed),
    }


def _due_after_error(visit: FeedVisit, interval: timedelta, headers: Mapping[str, str], chance: float) -> datetime:
    if visit.status == _GONE_FOR_GOOD:
        return visit.at + _RETIRED
    asked = freshness.retry_after(headers.get("retry-after"), at=visit.at) or timedelta(0)
    return visit.at + max(backoff(interval, visit.failures) * (1 + _SPREAD * chance), asked)


def _rhythm(parsed: ParsedFeed, at: datetime) -> timedelta | None:
    dates = (entry.published or entry.updated for entry in parsed.entries)
    return freshness.rhythm([date for date in dates if date is not None and date <= at])


def _moved(feed: Feed, at: datetime, target: str | None) -> dict[str, Any]:
    """A permanent redirect is believed once it has led to the feed on several visits over a day.

    Maintenance pages and captive portals redirect permanently, too.
    """
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
    plan: Sequence[timedelta],
    status: int | None,
    error: str | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
    not_before: datetime | None = None,
    gone: Gone | None = None,
    record: str | None = None,
) -> PageVisit:
    """What a visit of a page changes.

    `error` with status 200 or 304 is about its text: the page itself is held.

    Args:
        page: As it was before.
        at: When it was visited.
        plan: Waits between the visits of a page that is held; the last one goes on for ever, none means never.
        status: Of the answer; None if there was none.
        error: What went wrong.
        etag: Of the answer.
        last_modified: Of the answer.
        not_before: What the server asked for; a page that was not asked for at all because of that has not failed.
        gone: Why the post is not there, whatever the status says.
        record: Of the capture that shows it.
    """
    if gone is None and status in GONE and page.kept:
        gone = "gone"
    there = status in {OK, NOT_MODIFIED} and gone is None
    if not there:  # the validators of an error say nothing of the page (RFC 9110 §13.1)
        etag = last_modified = None
    answered = there or gone is not None
    failures = 0 if answered else page.failures + (status is not None or not_before is None)
    visit = PageVisit(
        url=page.url,
        feed_id=page.feed_id,
        at=at,
        due=None,
        kept=there,
        status=_told(status),
        error=error,
        failures=failures,
        etag=etag if status == OK else etag or page.etag,
        last_modified=last_modified if status == OK else last_modified or page.last_modified,
        checks=page.checks,
        record=record,
        gone=gone,
    )
    if answered:
        again = page.checks + 1 if page.kept else 0
        return replace(visit, checks=again, due=_recheck(at, plan, again))
    if status not in GONE and failures < _PAGE_FAILURES:
        first = _BUSY_RETRY if status in BUSY else _PAGE_RETRY
        return replace(visit, due=max(at + backoff(first, max(failures, 1)), not_before or at))
    # Given up for now; what is held keeps its place in the plan.
    return replace(visit, due=_recheck(at, plan, page.checks + 1), checks=page.checks + 1) if page.kept else visit


def _recheck(at: datetime, plan: Sequence[timedelta], checks: int) -> datetime | None:
    return at + plan[min(checks, len(plan) - 1)] if plan else None


def _told(status: int | None) -> int | None:
    """A status as it can be remembered; 0 where it has more than three digits."""
    return status if status is None or status < 1_000 else 0  # noqa: PLR2004  of three digits


def keys(entries: Sequence[FeedEntry]) -> list[str | None]:
    """What tells the entries of one document apart: their ids, and links and titles where several share an id."""
    links = _apart((entry.key, entry.page) for entry in entries)
    found = [_joined(entry.key, entry.page, links) for entry in entries]
    titles = _apart((key, entry.title) for key, entry in zip(found, entries, strict=True))
    return [_joined(key, entry.title, titles) for key, entry in zip(found, entries, strict=True)]


def _apart(pairs: Iterable[tuple[str | None, str | None]]) -> dict[str | None, set[str | None]]:
    """What goes with each key."""
    found: dict[str | None, set[str | None]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return found


def _joined(key: str | None, value: str | None, apart: Mapping[str | None, set[str | None]]) -> str | None:
    """The key itself, or one of key and value where several values go with it."""
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
    """Entries that are new or say something else than before.

    Args:
        entries: Of the feed as it is now.
        known: Digest of each entry seen before, by key.
        pages: Pages known already, by URL: a new entry whose page is held needs no fetch.
        language: That the feed states for all its entries.
        at: When the feed was seen.
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
            # A known entry that changed means that its page may have changed.
            fetch=url is not None and (key in known or page is None or not page.kept),
        )
    return tuple(found.values())


def page_url(entry: FeedEntry) -> str | None:
    """The page of an entry, if it has one that can be fetched."""
    return entry.page if entry.page and len(entry.page) <= URL_CHARACTERS and is_address(entry.page) else None


def as_entry(entry: FeedEntry, language: str | None = None, *, at: datetime | None = None) -> Entry:
    """What a feed that was seen at some time says of a post, in the archive's own form."""
    return Entry(
        title=entry.words if entry.essence is not None else plain(entry.title),
        author=entry.author,
        published=entry.published or entry.updated,
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
        "old": any(date.year < _FIRST_YEAR for date in found),
    }
    return tuple(name for name, holds in doubts.items() if holds)


def page_of(seen: SeenEntry, feed: Feed, known: Page | None) -> Page | None:
    """The page of an entry that is to be fetched, or None."""
    if not seen.url or not seen.fetch:
        return None
    page = known or Page(url=seen.url, feed_id=feed.id, kept=False)
    return replace(page, entry=seen.entry)

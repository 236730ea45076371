"""What follows from a visit of a feed: when to come again, what is remembered of it. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from crawler import discover
from crawler.decide import feed_alarms, freshness
from crawler.decide.answers import NOT_MODIFIED, OK, PARTIAL, storable
from crawler.decide.freshness import Pace
from crawler.feeds.model import ParsedFeed
from crawler.limits import TAG_CHARACTERS
from crawler.model.visits import Feed, FeedVisit, SeenEntry
from crawler.net.backoff import backoff

_SPREAD = 0.1
"""Share of the wait that chance may add."""
_RETIRED = timedelta(days=30)
"""After 410 a feed is looked for once a month."""
_MOVED_TIMES = 3
_MOVED_FOR = timedelta(days=1)
_STUCK = timedelta(days=30)
"""After nothing but 304 for so long the document is asked for without conditions, once."""


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
        status=storable(status),
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
    alarms = list(feed_alarms.of_silence(feed, at=at, news=visit.news, rhythm=rhythm))
    if visit.shown is not None and parsed:
        alarms += feed_alarms.of_document(feed, shown=len(parsed.entries), media=visit.media, left_out=parsed.left_out)
    judged = feed_alarms.ON_SAME if visit.shown is None else feed_alarms.ON_DOCUMENT
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
        status=storable(status),
        error=error,
        failures=feed.failures + 1,
        etag=feed.etag,
        last_modified=feed.last_modified,
        moved_to=feed.moved_to,
        moved_since=feed.moved_since,
        moved_times=feed.moved_times,
        fresh=feed.fresh,
        judged=feed_alarms.ON_ERROR,
        alarms=tuple(feed_alarms.of_error(status=status, error=error, failures=feed.failures + 1)),
    )
    return replace(visit, due=_due_after_error(visit, pace.least, told, chance))


def _document(feed: Feed, parsed: ParsedFeed, shared: Sequence[bool], told: Mapping[str, str]) -> dict[str, Any]:
    """What a document says of its feed."""
    shown = len(parsed.entries)
    return {
        "title": parsed.feed.words,
        "site": parsed.feed.link,
        "shown": feed.shown if feed_alarms.collapsed(feed, shown) else shown,
        "media": told.get("content-type", "").partition(";")[0].strip().lower()[:TAG_CHARACTERS] or None,
        # WebSub §4: the headers' word counts before the document's.
        "hub": discover.related(told.get("link", ""), "hub", feed.url) or parsed.feed.hub,
        "topic": discover.related(told.get("link", ""), "self", feed.url) or parsed.feed.self_link,
        "every": parsed.feed.every,
        "skips": freshness.skips(parsed.feed.skip_hours, parsed.feed.skip_days),
        "gap": feed_alarms.gap(parsed.entries, shared, feed=feed),
    }


def _due_after_error(visit: FeedVisit, interval: timedelta, headers: Mapping[str, str], chance: float) -> datetime:
    if visit.status == HTTPStatus.GONE:
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

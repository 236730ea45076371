"""What a visit of a feed changes: polling interval, back-off, validators, alarms. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from crawler import discover
from crawler.decide import feed_alarms, freshness, window
from crawler.decide.answers import NOT_MODIFIED, OK, PARTIAL, storable
from crawler.decide.freshness import RETIRED, SPREAD, Pace
from crawler.feeds.model import ParsedFeed
from crawler.limits import TAG_CHARACTERS
from crawler.model.answer import Answer
from crawler.model.visits import Alarm, Feed, FeedVisit, SeenEntry
from crawler.net.backoff import backoff

_MOVED_TIMES = 3
_MOVED_FOR = timedelta(days=1)
_STUCK = timedelta(days=30)
"""After nothing but 304 for this long, the document is requested once without validators."""


def validators(feed: Feed) -> tuple[str | None, str | None]:
    """ETag and Last-Modified for a conditional GET; none if the server may be stuck in answering 304."""
    if feed.whole is not None and feed.visited is not None and feed.visited - feed.whole > _STUCK:
        return None, None
    return feed.etag, feed.last_modified


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A feed document in a response, compared with what was known."""

    parsed: ParsedFeed | None = None
    """The document, if it is complete and differs from the last one."""
    seen: tuple[SeenEntry, ...] = ()
    """Entries that are new or changed."""
    shared: Sequence[bool] = ()
    """For each entry of the document, whether it was seen before."""
    shows: tuple[str, ...] | None = None
    """Keys of all its entries, in its order; None: not known, or too many to follow."""
    same: bool = False
    """Whether the document was sent in full but has not changed."""
    restless: bool | None = None
    """Whether its entries change without an edit; None: this document does not show it."""


def after_feed(
    feed: Feed,
    answer: Answer,
    reading: Reading = Reading(),
    *,
    pace: Pace,
    error: str | None = None,
    chance: float = 0.0,
) -> FeedVisit:
    """What a visit of a feed changes.

    Args:
        feed: The feed before this visit.
        answer: The result of the request.
        reading: The document in it.
        pace: The operator's.
        error: Why the visit failed, if it did; the old validators then stay.
        chance: Random number from 0 up to 1: spreads visits, so that feeds added together drift apart.
    """
    if error:
        return _after_error(feed, answer, pace, error, chance)
    parsed, shared, headers = reading.parsed, reading.shared, answer.headers
    etag, last_modified, validated = answer.etag, answer.last_modified, answer.validated
    if answer.status == NOT_MODIFIED or (parsed and not parsed.complete):
        # A 304 may bring newer validators; without them the old ones stay (RFC 9111 §4.3.4). After a truncated document
        # the whole one is wanted.
        etag, last_modified, validated = feed.etag, feed.last_modified, feed.validated
        if answer.status == NOT_MODIFIED:
            etag, last_modified = answer.etag or etag, answer.last_modified or last_modified
            validated = answer.validated or validated
    rhythm = _rhythm(parsed, answer.at) if parsed else None
    visit = FeedVisit(
        feed_id=feed.id,
        at=answer.at,
        due=answer.at,
        status=storable(answer.status),
        error=None,
        failures=0,
        etag=etag,
        last_modified=last_modified,
        validated=validated if etag or last_modified else None,
        rhythm=rhythm,
        fresh=freshness.fresh_for(headers, at=answer.at),
        entries=reading.seen,
        # In a listing, dates of change are the only other sign of life.
        news=answer.at if parsed and (not all(shared) or (feed.listing and reading.seen)) else None,
        restless=reading.restless,
        shows=reading.shows if parsed and parsed.complete and answer.status != PARTIAL else None,
        **(_document(feed, parsed, shared, headers) if parsed and answer.status != PARTIAL else {}),
        **_moved(feed, answer.at, answer.moved_to),
    )
    if visit.url:  # validators apply only to the URL that sent them
        visit = replace(visit, etag=None, last_modified=None, validated=None)
    if answer.status == OK or (answer.status == NOT_MODIFIED and validators(feed) == (None, None)):
        visit = replace(visit, whole=answer.at)
    if answer.status == NOT_MODIFIED and not freshness.says(headers):
        visit = replace(visit, fresh=feed.fresh)  # RFC 9111 §4.3.4: what a 304 does not state stays unchanged
    visit = replace(visit, window=_window(feed, visit, parsed, shared, pace))
    # If the same document is sent in full in spite of validators, the server ignores them.
    honoured = bool(etag or last_modified) and not reading.same
    return replace(
        visit,
        due=_due(feed, visit, pace, validated=honoured, chance=chance),
        alarms=tuple(_alarms(feed, visit, parsed)),
        judged=feed_alarms.ON_SAME if visit.shown is None else feed_alarms.ON_DOCUMENT,
    )


def _alarms(feed: Feed, visit: FeedVisit, parsed: ParsedFeed | None) -> Iterator[Alarm]:
    """Alarms after a successful visit."""
    yield from feed_alarms.of_silence(feed, at=visit.at, news=visit.news, rhythm=visit.rhythm)
    if visit.shown is not None and parsed:
        shown = len(parsed.entries)
        yield from feed_alarms.of_document(feed, shown=shown, media=visit.media, left_out=parsed.left_out)


def _due(feed: Feed, visit: FeedVisit, pace: Pace, *, validated: bool, chance: float) -> datetime:
    """When to visit a feed again after a successful visit."""
    every, skips = (feed.every, feed.skips) if visit.shown is None else (visit.every, visit.skips)
    hints = [hint for hint in (visit.fresh, every) if hint]
    shown, stays = visit.shown or feed.shown, visit.window or feed.window
    own = visit.rhythm or feed.rhythm or (stays / shown if stays and shown else None)
    wait = freshness.interval(pace, own_rhythm=own, hints=hints, validated=validated)
    latest = visit.at + (freshness.latest(pace, stays) if shown != 0 else freshness.LONGEST)
    if feed.pushed is not None and feed.pushed > visit.at:  # the hub notifies us of news
        pushed = min(pace.slowest, feed.pushed - visit.at)
        wait, latest = max(wait, pushed), max(latest, visit.at + pushed * (1 + SPREAD))
    hours, days = freshness.skipped(skips)
    due = freshness.past_skipped(visit.at + wait * (1 + SPREAD * chance), hours=hours, days=days)
    return min(due, max(latest, visit.at + pace.least * (1 + SPREAD * chance)))


def _window(
    feed: Feed, visit: FeedVisit, parsed: ParsedFeed | None, shared: Sequence[bool], pace: Pace
) -> timedelta | None:
    """The window after a successful visit."""
    if visit.shown is None or parsed is None:
        return None if visit.news else window.after_no_news(feed, at=visit.at, least=pace.least)
    if visit.restless is not None:
        feed = replace(feed, restless=visit.restless)
    shared = shared or [False] * len(parsed.entries)
    return window.after_document(feed, parsed.entries, shared, at=visit.at, least=pace.least, gap=visit.gap)


def _after_error(feed: Feed, answer: Answer, pace: Pace, error: str, chance: float) -> FeedVisit:
    visit = FeedVisit(
        feed_id=feed.id,
        at=answer.at,
        due=answer.at,
        status=storable(answer.status),
        error=error,
        failures=feed.failures + 1,
        etag=feed.etag,
        last_modified=feed.last_modified,
        validated=feed.validated,
        moved_to=feed.moved_to,
        moved_since=feed.moved_since,
        moved_times=feed.moved_times,
        fresh=feed.fresh,
        judged=feed_alarms.ON_ERROR,
        alarms=tuple(feed_alarms.of_error(status=answer.status, error=error, failures=feed.failures + 1)),
    )
    return replace(visit, due=_due_after_error(visit, pace.least, answer.headers, chance))


def _document(feed: Feed, parsed: ParsedFeed, shared: Sequence[bool], headers: Mapping[str, str]) -> dict[str, Any]:
    """What a document states about its feed."""
    shown = len(parsed.entries)
    return {
        "title": parsed.feed.words,
        "site": parsed.feed.link,
        "shown": feed.shown if feed_alarms.collapsed(feed, shown) else shown,
        "media": headers.get("content-type", "").partition(";")[0].strip().lower()[:TAG_CHARACTERS] or None,
        # WebSub §4: the headers take precedence over the document.
        "hub": discover.related(headers.get("link", ""), "hub", feed.url) or parsed.feed.hub,
        "topic": discover.related(headers.get("link", ""), "self", feed.url) or parsed.feed.self_link,
        "every": parsed.feed.every,
        "skips": freshness.skips(parsed.feed.skip_hours, parsed.feed.skip_days),
        "gap": feed_alarms.gap(parsed.entries, shared, feed=feed),
    }


def _due_after_error(visit: FeedVisit, interval: timedelta, headers: Mapping[str, str], chance: float) -> datetime:
    if visit.status == HTTPStatus.GONE:
        return visit.at + RETIRED
    asked = freshness.retry_after(headers.get("retry-after"), at=visit.at) or timedelta(0)
    return visit.at + max(backoff(interval, visit.failures) * (1 + SPREAD * chance), asked)


def _rhythm(parsed: ParsedFeed, at: datetime) -> timedelta | None:
    dates = (entry.published or entry.updated for entry in parsed.entries)
    return freshness.rhythm([date for date in dates if date is not None and date <= at])


def _moved(feed: Feed, at: datetime, target: str | None) -> dict[str, Any]:
    """Adopt a permanent redirect once it has led to the feed on several visits over a day.

    Maintenance pages and captive portals also redirect permanently.
    """
    if target is None or target == feed.url or (feed.url.startswith("https:") and not target.startswith("https:")):
        return {}
    if target != feed.moved_to or feed.moved_since is None or feed.moved_since > at:
        return {"moved_to": target, "moved_since": at, "moved_times": 1}
    times = feed.moved_times + 1
    if times >= _MOVED_TIMES and at - feed.moved_since >= _MOVED_FOR:
        return {"url": target}
    return {"moved_to": target, "moved_since": feed.moved_since, "moved_times": times}

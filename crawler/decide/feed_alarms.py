"""Alarms that a visit of a feed raises: gaps, silence, odd documents. Pure rules, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import pairwise

from crawler.feeds.model import FeedEntry
from crawler.model.visits import Alarm, Feed

ON_ERROR = ("failing", "gone")
"""Kinds that a failed visit decides."""
ON_SAME = (*ON_ERROR, "quiet")
"""Kinds that a successful visit without a new document decides."""
ON_DOCUMENT = (*ON_SAME, "collapsed", "retyped", "too-long")
"""Kinds that a visit with a document decides."""

_FAILURES = 5
"""Consecutive failed visits that raise an alarm: by then the feed has been away for about a day."""
_QUIET_TIMES = 8
"""How many times the usual gap between two posts must pass for silence to raise an alarm."""
_QUIET_LEAST = timedelta(days=3)
_COLLAPSED_TO = 0.2
_COLLAPSED_FROM = 5


def gap(entries: Sequence[FeedEntry], known: Collection[bool], *, feed: Feed) -> bool:
    """Whether posts may have come and gone between the last document and this one.

    This is the case if all its entries are new. An old entry that a blog pins above newer ones does not count.

    Args:
        entries: In the document's order.
        known: For each of them, whether it was seen before.
        feed: The feed before this visit.
    """
    if not feed.shown or not entries:
        return False
    fresh = [entry for entry, old in zip(entries, known, strict=True) if not old]
    if not fresh:
        return False
    shared = [number for number, old in enumerate(known) if old]
    if _falling(fresh):
        shared = [number for number in shared if not _pinned(number, entries, known)]
    return not shared


def _falling(entries: Sequence[FeedEntry]) -> bool:
    """Whether there are two or more entries, newest first."""
    dates = [date for entry in entries if (date := entry.published or entry.updated)]
    return len(dates) > 1 and all(a >= b for a, b in pairwise(dates)) and dates[0] > dates[-1]


def _pinned(number: int, entries: Sequence[FeedEntry], known: Collection[bool]) -> bool:
    """Whether a known entry is placed above a new one although it is older."""
    own = entries[number].published or entries[number].updated
    below = zip(entries[number + 1 :], list(known)[number + 1 :], strict=True)
    dates = [entry.published or entry.updated for entry, old in below if not old]
    return own is not None and any(date is not None and date > own for date in dates)


def of_error(*, status: int | None, error: str, failures: int) -> Iterator[Alarm]:
    """Alarms of a failed visit."""
    if status == HTTPStatus.GONE:
        yield Alarm(kind="gone", detail="the feed is gone for good (410); it is looked for once a month")
    elif failures >= _FAILURES:
        yield Alarm(kind="failing", detail=f"{failures} visits in a row failed, the last one: {error}")


def of_silence(feed: Feed, *, at: datetime, news: datetime | None, rhythm: timedelta | None) -> Iterator[Alarm]:
    """Alarms of a successful visit without news; `news` is the time of the last news."""
    heard = news or feed.news or feed.added
    usual = rhythm or feed.rhythm
    if usual and at - heard > max(usual * _QUIET_TIMES, _QUIET_LEAST):
        yield Alarm(kind="quiet", detail=f"no news since {heard:%Y-%m-%d}, though it had some every {_words(usual)}")


def collapsed(feed: Feed, shown: int) -> bool:
    """Whether a document shows far fewer entries than it used to."""
    return bool(feed.shown and feed.shown >= _COLLAPSED_FROM and shown <= feed.shown * _COLLAPSED_TO)


def of_document(feed: Feed, *, shown: int, media: str | None, left_out: int) -> Iterator[Alarm]:
    """Alarms of a document, compared with the previous one."""
    if left_out and feed.listing is None:  # sitemaps list all posts there ever were
        yield Alarm(kind="too-long", detail=f"shows {shown + left_out} entries, of which the newest {shown} are read")
    if collapsed(feed, shown):
        yield Alarm(kind="collapsed", detail=f"shows {shown} entries where it showed {feed.shown}")
    if feed.media and media and media != feed.media:
        yield Alarm(kind="retyped", detail=f"is served as {media}, was {feed.media}")


def _words(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"  # noqa: PLR2004  two days

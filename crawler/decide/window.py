"""The window of a feed: how long it takes until what it shows now has scrolled away. Pure rules, no I/O.

A window is estimated from the dates of the entries where they are credible, and from what arrived between visits. Both
can be odd: a hundred posts imported in a minute are no rhythm of seconds, a pinned post is not the oldest one that
still shows, and dates may be those of the fetch, of the future, or missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from archive.runtime.times import is_recent
from crawler.feeds.model import FeedEntry
from crawler.limits import FIRST_YEAR
from crawler.model.visits import Feed

_PAUSE = timedelta(days=3)
"""How long a rhythm may pause, such as over a weekend, before it counts as over."""
_MADE = timedelta(minutes=1)
"""Dates that all are so near to the fetch were made by it."""
_QUARTER = 4
_FEW = 3


def after_document(
    feed: Feed, entries: Sequence[FeedEntry], shared: Sequence[bool], *, at: datetime, least: timedelta, gap: bool
) -> timedelta | None:
    """The window after a visit that brought a document; None if nothing is known about it.

    Args:
        feed: The feed before this visit.
        entries: Of the document.
        shared: For each of them, whether it was seen before.
        at: When it was fetched.
        least: Shortest time between two visits: what happens faster cannot be followed.
        gap: Whether entries may have come and gone since the visit before.
    """
    if not entries:
        return None
    dated = of_dates(_dates(feed, entries, shared, at=at), shown=len(entries), at=at, least=least)
    seen_before = feed.visited is not None and bool(feed.shown)
    observed = _observed(feed, shared, at=at, dated=dated) if seen_before else None
    found = [window for window in (dated, observed) if window is not None]
    if gap and feed.visited is not None:
        found.append(max(at - feed.visited, timedelta(0)) / 2)  # the pace was too slow
    return min(found, default=None)


def after_no_news(feed: Feed, *, at: datetime, least: timedelta) -> timedelta | None:
    """The window after a visit that found the document unchanged.

    A burst is over when nothing follows, and so is a rhythm that pauses for long: from then on the window grows.
    """
    if feed.window is None or feed.visited is None:
        return None
    steady = feed.rhythm is not None and feed.window >= max(feed.rhythm, least)
    if steady and is_recent(feed.news or feed.added, at, _PAUSE):
        return feed.window
    return feed.window + max(at - feed.visited, timedelta(0))


def of_dates(dates: Sequence[datetime], *, shown: int, at: datetime, least: timedelta) -> timedelta | None:
    """The window according to dates of entries; None if there are none."""
    if not dates:
        return None
    newest_first = sorted(dates, reverse=True)
    count = len(newest_first)
    half = (count + 1) // 2
    # In the time since the k-th newest entry, k entries have come: of all entries, and of the newer half, so that
    # neither an old post that is pinned nor a recent change of the rhythm is missed.
    lately = min((at - newest_first[k - 1]) * (shown / k) for k in {half, count})
    spans = sorted(a - b for a, b in zip(newest_first, newest_first[half:], strict=False))
    if not spans:
        return lately
    usual = spans[(len(spans) - 1) // _QUARTER] * (shown / half)
    if usual < least or at - newest_first[0] > _PAUSE:  # a burst, or a rhythm that is over
        return lately
    return min(usual, lately)


def _observed(feed: Feed, shared: Sequence[bool], *, at: datetime, dated: timedelta | None) -> timedelta | None:
    """The window according to how many entries came between visits."""
    assert feed.visited is not None  # asked only then
    new, shown = list(shared).count(False), len(shared)
    since = max(at - feed.visited, timedelta(0))
    if not new:
        return None if dated is not None else (feed.window or timedelta(0)) + since
    quiet = max(at - (feed.news or feed.visited), timedelta(0))
    found = [] if dated is not None else [quiet * (shown / new)]
    if new * _QUARTER >= shown and new >= min(_FEW, shown):  # fewer may have come together by chance
        found.append(since * (shown / new))
    return min(found, default=None)


def _dates(feed: Feed, entries: Sequence[FeedEntry], shared: Sequence[bool], *, at: datetime) -> list[datetime]:
    """The credible dates of entries; empty if they are the minority, or if the fetch made them."""
    found = []
    for entry, known in zip(entries, shared, strict=True):
        date = entry.published or (None if feed.restless else entry.updated)
        late = known and feed.visited is not None and date is not None and date > feed.visited
        if date is not None and date <= at and date.year >= FIRST_YEAR and not late:
            found.append(date)
    if len(found) * 2 < len(entries):
        return []
    made = len(found) >= _FEW and all(at - date <= _MADE for date in found) and len(set(found)) == 1
    return [] if made else found

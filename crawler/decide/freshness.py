"""Freshness (RFC 9111), Retry-After and polling interval: when to visit a feed again. Pure rules, no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from statistics import median
from urllib.request import parse_http_list

from crawler.limits import CACHE_HEADER_CHARACTERS

LONGEST = timedelta(days=7)
"""The longest wait that a hint from server or feed can cause."""
SLOWEST = timedelta(days=1)
"""The default for the longest polling interval, however seldom a feed has news."""
RETIRED = timedelta(days=30)
"""After 410 Gone a feed is visited once a month."""
SPREAD = 0.1
"""Random share of a wait that may be added (jitter)."""
WINDOW_SHARE = 0.5
"""The share of a feed's window after which it is visited at the latest."""

_SECONDS = re.compile(r"[0-9]{1,12}")
_RHYTHM_TIMES = 10
_AT_ONCE = timedelta(hours=1)
"""Entries within this time came together: a burst of posts is no rhythm of seconds."""
_VISITS_A_POST = 4
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often the operator wants feeds to be visited."""

    least: timedelta
    """Shortest time between two visits; no hint makes it shorter."""
    slowest: timedelta = SLOWEST
    """The longest wait that a feed's own rhythm, or a server without validators, can cause."""


def fresh_for(headers: Mapping[str, str], *, at: datetime) -> timedelta:
    """Freshness lifetime of a response (RFC 9111 §4.2.1); zero if it does not state one.

    `no-cache` and `max-age=0` ask for validation, which every visit performs, not for more visits.

    Args:
        headers: Of the response, names in lower case.
        at: When it was received, used if the server sends no Date.
    """
    directives = _directives(headers.get("cache-control", ""))
    if {"no-cache", "no-store"} & directives.keys():
        return timedelta(0)
    if _SECONDS.fullmatch(directives.get("max-age", "")):  # s-maxage is for shared caches (RFC 9111 §5.2.2.10)
        age = headers.get("age", "").strip()
        spent = int(age) if _SECONDS.fullmatch(age) else 0
        return _capped(int(directives["max-age"]) - spent)
    expires = _http_date(headers.get("expires"))
    if expires is None:
        return timedelta(0)
    return _capped((expires - (_http_date(headers.get("date")) or at)).total_seconds())


def retry_after(value: str | None, *, at: datetime) -> timedelta | None:
    """Retry-After (RFC 9110 §10.2.3), seconds or a date, as the time to wait; None if it is absent."""
    if value is None:
        return None
    if _SECONDS.fullmatch(value.strip()):
        return _capped(int(value))
    moment = _http_date(value)
    return None if moment is None else _capped((moment - at).total_seconds())


def rhythm(dates: Sequence[datetime]) -> timedelta | None:
    """How often a feed has news: the median gap between the newest times at which it had some.

    Entries that came together count once; None if there are fewer than three such times.
    """
    times: list[datetime] = []
    for date in sorted(dates, reverse=True):
        if not times or times[-1] - date >= _AT_ONCE:
            times.append(date)
    newest = times[:_RHYTHM_TIMES]
    if len(newest) < 3:  # noqa: PLR2004  two gaps
        return None
    return timedelta(seconds=median((a - b).total_seconds() for a, b in pairwise(newest)))


def interval(pace: Pace, *, own_rhythm: timedelta | None, hints: Sequence[timedelta], validated: bool) -> timedelta:
    """Polling interval: the time to the next visit of a feed after a successful one; `latest` may shorten it.

    Args:
        pace: The operator's.
        own_rhythm: How often the feed has news.
        hints: Intervals that server and feed ask for.
        validated: Whether the server sends validators, so that a visit without news costs little (conditional GET).
    """
    adapted = min(own_rhythm / _VISITS_A_POST, pace.slowest) if own_rhythm else timedelta(0)
    whole = timedelta(0) if validated else pace.slowest
    return max(pace.least, adapted, whole, min(max(hints, default=timedelta(0)), LONGEST))


def latest(pace: Pace, window: timedelta | None) -> timedelta:
    """The longest wait after which nothing that a feed shows has scrolled away, whatever server and feed ask for.

    Not shorter than the operator's shortest time between two visits. Where the window is not known yet, it is learned
    from visits.
    """
    return max(pace.least, pace.slowest if window is None else min(window * WINDOW_SHARE, LONGEST))


def says(headers: Mapping[str, str]) -> bool:
    """Whether a response states its freshness, even if it is zero."""
    return "cache-control" in headers or "expires" in headers


def skips(hours: frozenset[int], days: frozenset[str]) -> str | None:
    """Skipped hours and days as one line, as stored."""
    return " ".join([*(str(hour) for hour in sorted(hours)), *sorted(day.lower() for day in days)]) or None


def skipped(line: str | None) -> tuple[frozenset[int], frozenset[str]]:
    """The hours and days of such a line."""
    words = (line or "").split()
    return frozenset(int(word) for word in words if word.isdecimal()), frozenset(w for w in words if w.isalpha())


def past_skipped(due: datetime, *, hours: frozenset[int], days: frozenset[str]) -> datetime:
    """The first instant from `due` on that is in no hour (0 to 23, GMT) or day (English name) that the feed skips.

    A list of every hour or every day is ignored.
    """
    hours = frozenset(hour % 24 for hour in hours)
    days = frozenset(day.lower() for day in days) & frozenset(_DAYS)
    hours = frozenset() if len(hours) == 24 else hours  # noqa: PLR2004  of a day
    days = frozenset() if len(days) == len(_DAYS) else days
    moment = due.astimezone(UTC)
    while moment.hour in hours or _DAYS[moment.weekday()] in days:
        moment = (moment + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    return moment if moment != due else due


def _directives(value: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in parse_http_list(value[:CACHE_HEADER_CHARACTERS]))
    return {name.strip().lower(): text.strip().strip('"') for name, _, text in pairs}


def _capped(seconds: float) -> timedelta:
    return timedelta(seconds=min(max(seconds, 0), LONGEST.total_seconds()))


def _http_date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except (ValueError, OverflowError):
        return None
    return None if moment is None else moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

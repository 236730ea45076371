"""Instants and durations as people and programs write them; ages; a clock that sleep does not stop."""

from __future__ import annotations

import calendar
import re
import time
from datetime import UTC, datetime, timedelta

from archive.limits import CLOCK_SECONDS

CLOCK_TOLERANCE = timedelta(seconds=CLOCK_SECONDS)
"""How far clocks may differ; see `CLOCK_SECONDS`."""

_DIGITS = re.compile(r"\d{4,14}")
_DATE = re.compile(r"\d{4}(-\d{2}){1,2}")
_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*(s|m|h|d|w|)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_span(text: str) -> timedelta:
    """A duration such as `90`, `90s`, `5m`, `6h`, `1d`, `2w`; without a unit it is in seconds.

    Raises:
        ValueError: The text is not a duration.
    """
    found = _SPAN.fullmatch(text.strip().lower())
    if not found:
        raise ValueError(f"{text!r} is not a valid duration: use a number and s, m, h, d or w, such as 6h")
    return timedelta(seconds=float(found[1]) * _UNITS[found[2]])


def parse_moment(text: str) -> datetime:
    """The instant that a TIME argument means: aware, UTC.

    ISO 8601, a date, or 4 to 14 digits as in the Wayback Machine. No zone means UTC. If parts are left out, the last
    instant that they allow is meant: `2024` is the end of that year, so that its newest capture is the nearest.

    Raises:
        ValueError: The text is none of these.
    """
    bare = text.strip()
    try:
        if _DIGITS.fullmatch(bare) and len(bare) % 2 == 0:
            return _filled(bare)
        if _DATE.fullmatch(bare):
            return _filled(bare.replace("-", ""))
        moment = datetime.fromisoformat(bare)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise ValueError(
            f"{text!r} is not a valid time: use ISO 8601 (2024-05-31T12:00:00Z), a date, or 4 to 14 digits (20240531)"
        ) from e


def begin(value: str) -> datetime:
    """The first instant of a day, month or year; other times are what `parse_moment` says.

    Raises:
        ValueError: It is not a time.
    """
    bare = value.strip()
    moment = parse_moment(bare)
    digits = bare.replace("-", "") if _DATE.fullmatch(bare) else bare
    return within(digits, end=False) if _DIGITS.fullmatch(digits) else moment


def _filled(digits: str) -> datetime:
    year, month = int(digits[:4]), int(digits[4:6] or 12)
    if not 1 <= month <= 12:  # noqa: PLR2004  months of a year
        raise ValueError(f"no month {month}")
    day = int(digits[6:8] or calendar.monthrange(year, month)[1])
    hour, minute, second = (int(digits[at : at + 2] or rest) for at, rest in ((8, 23), (10, 59), (12, 59)))
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def within(digits: str, *, end: bool) -> datetime:
    """The first or last second that begins with 1 to 14 digits.

    A month, day or hour out of range counts as the nearest valid one; the last year is 9998, so that another follows.
    """
    digits = digits.ljust(14, "9" if end else "0")
    year = min(max(int(digits[:4]), 1), 9998)
    month = min(max(int(digits[4:6]), 1), 12)
    day = min(max(int(digits[6:8]), 1), calendar.monthrange(year, month)[1])
    hour, minute, second = min(int(digits[8:10]), 23), min(int(digits[10:12]), 59), min(int(digits[12:]), 59)
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def is_recent(then: datetime, now: datetime, limit: timedelta) -> bool:
    """Whether an age counts: an instant lies no longer ago than `limit`, and not in the future.

    What is dated after now was dated by a clock that was ahead; how old it is cannot be known.
    """
    return timedelta(0) <= now - then <= limit


def seconds_since_boot() -> float:
    """A clock that nobody sets and that goes on while the machine is suspended, where the system has one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def iso(moment: datetime, timespec: str = "auto") -> str:
    """An instant in UTC as programs see it: ISO 8601, `Z` for its zone."""
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")

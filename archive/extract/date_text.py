"""Parsing dates as pages write them, in 15 languages; no part is filled in from today's date. No I/O."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date as Date  # noqa: N812  as in archive.extract.text
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from itertools import product
from typing import Literal

from babel.dates import get_month_names

_OLDEST = "1990-01-01"
_SHORT_YEAR = 2
"""Digits of a year without its century."""
_MAX_RFC_5322 = 60
"""Characters above which a text is not a date in the format of RFC 5322."""
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_ANY_YEAR = r"(?P<year>(?:(?:19|20)\d)?\d\d?)"
_NAME = r"(?P<month>[^\W\d_]{3,10})\.?"
_WRITTEN = (
    re.compile(rf"(?<![\d./-]){_YEAR}\s?(?P<mark>[./-])\s?(?P<month>\d{{1,2}})(?P=mark)\s?(?P<day>\d{{1,2}})(?!\d)"),
    re.compile(rf"\b{_NAME}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,|\s)\s*{_YEAR}(?!\d)", re.IGNORECASE),
    re.compile(
        rf"(?<![\d./-])(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th|er|º)?[\s-]\s*(?:de\s+|of\s+)?{_NAME}"
        rf"(?:,|\s|-)\s*(?:de\s+|del\s+)?{_YEAR}(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<![\d./-])(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.\s?{_ANY_YEAR}(?![\d.])"),
    re.compile(rf"{_YEAR}\s?[年년]\s?(?P<month>\d{{1,2}})\s?[月월]\s?(?P<day>\d{{1,2}})\s?[日일]"),
)
_SLASHED = re.compile(
    rf"(?<![\d./-])(?P<first>\d{{1,2}})(?P<mark>[/-])(?P<second>\d{{1,2}})(?P=mark){_ANY_YEAR}(?![\d/-])"
)
_IN_URL = re.compile(rf"/{_YEAR}[/-](?P<month>[01]?\d)[/-](?P<day>[0-3]?\d)(?:[/-]|$)")
_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "ru", "uk", "pl", "cs", "tr")
"""Languages whose names of months are known."""
_CONTEXTS: tuple[Literal["format", "stand-alone"], ...] = ("format", "stand-alone")
_WIDTHS: tuple[Literal["abbreviated", "wide"], ...] = ("abbreviated", "wide")
_NAMES_BESIDES = {"mrz": 3}
"""Abbreviations in use that CLDR does not list."""
_PREFIXES = (5, 4, 3)
"""Letters by which an abbreviation or inflection that is not listed is recognised, the longest first."""


def instant(value: object) -> datetime | Date | None:
    """An instant in the format of ISO 8601 or RFC 5322, with its own offset; a day if zone or time is missing."""
    if not isinstance(value, str):
        return None
    bare = value.strip()
    try:
        if "T" in bare or " " in bare:
            return _aware(datetime.fromisoformat(bare))
    except (ValueError, OverflowError):
        pass
    return iso_day(bare) or _rfc_5322(bare)


def _rfc_5322(bare: str) -> datetime | Date | None:
    if not bare[:3].isalpha() or ":" not in bare or len(bare) > _MAX_RFC_5322:
        return None
    try:
        return _aware(parsedate_to_datetime(bare))
    except (ValueError, TypeError, OverflowError):
        return None


def _aware(moment: datetime) -> datetime | Date:
    return moment if moment.tzinfo else moment.date()


def iso_day(value: str) -> Date | None:
    """The ISO 8601 date that a text begins with."""
    try:
        return Date.fromisoformat(value[:10])
    except ValueError:
        return None


def in_url(url: str) -> Date | None:
    """The date in the path of a URL."""
    match = _IN_URL.search(url)
    return _day(match["year"], match["month"], match["day"]) if match else None


def written_day(text: str, *, month_first: bool = False) -> Date | None:
    """The first date in a text such as `Posted on 3 March 2020`; None if there is none.

    Args:
        text: A line.
        month_first: Whether 3/4/2020 is a day in March. If that number is not a month, the other one is.
    """
    found = min(_days(text, month_first=month_first), default=None)
    return found[1] if found else None


def written_day_at(text: str, *, month_first: bool = False) -> tuple[int, Date] | None:
    """As `written_day`, with the position where the date begins."""
    return min(_days(text, month_first=month_first), default=None)


def _days(text: str, *, month_first: bool) -> Iterator[tuple[int, Date]]:
    for pattern in _WRITTEN:
        for match in pattern.finditer(text):
            if day := _day(match["year"], match["month"], match["day"]):
                yield match.start(), day
                break
    for match in _SLASHED.finditer(text):
        first, second = match["first"], match["second"]
        orders = ((first, second), (second, first)) if month_first else ((second, first), (first, second))
        if day := next(filter(None, (_day(match["year"], *order) for order in orders)), None):
            yield match.start(), day
            break


def _day(year: str, month: str, day: str) -> Date | None:
    number = int(month) if month.isdecimal() else _month(month.casefold())
    century = 2000 if len(year) <= _SHORT_YEAR else 0  # 28.01.22
    try:
        return Date(century + int(year), number, int(day))
    except ValueError:
        return None


def _month(name: str) -> int:
    """The number of a month by its name or the beginning of it; 0 if it is not a month."""
    months = _months()
    return next((months[part] for part in (name, *(name[:size] for size in _PREFIXES)) if part in months), 0)


@cache
def _months() -> dict[str, int]:
    """Numbers of the months by their names in CLDR, and by the beginnings that all languages read the same."""
    names = dict(_NAMES_BESIDES)
    prefixes: defaultdict[str, set[int]] = defaultdict(set)
    for language, context, width in product(_LANGUAGES, _CONTEXTS, _WIDTHS):
        for number, listed in get_month_names(width, context, language).items():
            name = listed.casefold().rstrip(".")
            names[name] = number
            for size in _PREFIXES:
                prefixes[name[:size]].add(number)
    return {**{prefix: min(numbers) for prefix, numbers in prefixes.items() if len(numbers) == 1}, **names}


def believed(moment: datetime | Date | None, latest: datetime | None) -> datetime | Date | None:
    """A date, or None if no post can have it: before the web, or after `latest`."""
    if moment is None:
        return None
    day = moment.date() if isinstance(moment, datetime) else moment
    if day.isoformat() < _OLDEST:
        return None
    if latest is None:
        return moment
    if isinstance(moment, datetime):
        return moment if moment <= latest else None
    return moment if moment <= latest.date() else None

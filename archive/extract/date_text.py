"""Parsing dates as pages write them, in 15 languages; no part is filled in from today's date. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date as Date  # noqa: N812  as in archive.extract.text
from datetime import datetime
from email.utils import parsedate_to_datetime

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
_MONTHS = {
    start: number
    for number, starts in enumerate(
        (
            "jan ene gen янв січ oca sty led",
            "feb fév fev фев лют şub lut úno",
            "mar mär mrz maa мар бер bře",  # noqa: RUF001  Cyrillic is meant
            "apr abr avr апр кві nis kwi dub",
            "may mai mei mag maj мая тра kvě",
            "jun giu juin июн чер haz cze červn",
            "jul juil lug июл лип tem červe",
            "aug ago aoû авг сер ağu sie srp",  # noqa: RUF001  as above
            "sep set сен вер eyl wrz zář",
            "oct okt out ott окт жов eki paź říj",
            "nov ноя kas lis",
            "dec dez déc dic дек гру ara gru pro",  # noqa: RUF001  as above
        ),
        start=1,
    )
    for start in starts.split()
}
"""Months by the first letters of their names in English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish,
Danish, Norwegian, Russian, Ukrainian, Polish, Czech and Turkish."""


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
    return next((_MONTHS[name[:size]] for size in (5, 4, 3) if name[:size] in _MONTHS), 0)


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

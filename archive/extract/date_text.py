"""Parsing dates as pages write them, in many languages; no part is filled in from today's date. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as Date  # noqa: N812  as in archive.extract.text
from email.utils import parsedate_to_datetime

from archive.extract import calendar_words

_OLDEST = "1990-01-01"
_SHORT_YEAR = 2
"""Digits of a year without its century."""
_MAX_RFC_5322 = 60
"""Characters above which a text is not a date in the format of RFC 5322."""
_MAX_TEXT = 400
"""Characters of a text that are searched for dates."""
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_ANY_YEAR = r"(?P<year>(?:(?:19|20)\d)?\d\d?)"
_THAI_YEAR = r"(?P<year>(?:19|20|25)\d\d)"
_NAME = r"(?P<month>[^\W\d_](?:[^\s\d.,;:()/|-]|(?<=[\u0e00-\u0e7f])\.(?=[\u0e00-\u0e7f])){1,14})\.?"
_NTH = r"(?:\.|º|-?(?![ap]m\b)[^\W\d_]{1,2}\b)?"
_DAY = r"(?P<day>\d{1,2})"
_LINK = r"(?:(?:de[lr]?|of|den|van)\s+|d['\N{RIGHT SINGLE QUOTATION MARK}]\s?)?"
_WRITTEN = (
    re.compile(rf"(?<![\d./-]){_YEAR}\s?(?P<mark>[./-])\s?(?P<month>\d{{1,2}})(?P=mark)\s?{_DAY}(?!\d)"),
    re.compile(rf"\b{_NAME}\s+{_DAY}{_NTH}(?:[,\u060c]|\s)\s*{_YEAR}(?!\d)", re.IGNORECASE),
    re.compile(
        rf"(?<![\d./-]){_DAY}{_NTH}[\s-]\s*{_LINK}{_NAME}(?:[,\u060c]|\s|-)\s*{_LINK}{_THAI_YEAR}(?!\d)",
        re.IGNORECASE,
    ),
    # Hungarian, Lithuanian, Latvian and Basque: the year first, with a word or an ending
    re.compile(rf"(?<![\d./-]){_YEAR}(?:\.|\(e\)ko|eko)?\s+(?:m\.|gada|ko)?\s*{_NAME}\s+{_DAY}(?!\d)", re.IGNORECASE),
    re.compile(rf"(?<![\d./-]){_YEAR}\.?\s+(?:gada\s+)?{_DAY}\.?\s+{_NAME}(?!\w)", re.IGNORECASE),
    re.compile(
        rf"(?<![\d./-]){_DAY}\s+(?:tháng|thg)\s+(?P<month>\d{{1,2}})(?:,|\s+năm|\s)\s*{_YEAR}(?!\d)", re.IGNORECASE
    ),
    re.compile(rf"(?<![\d./-]){_DAY}\.\s?(?P<month>\d{{1,2}})\.\s?{_ANY_YEAR}(?![\d.])"),
    re.compile(rf"{_YEAR}\s?[年년]\s?(?P<month>\d{{1,2}})\s?[月월]\s?{_DAY}\s?[日일号號]"),
    re.compile(
        rf"(?P<era>令和|平成|昭和|民國|民国)\s?(?P<year>\d{{1,3}}|元)\s?年\s?(?P<month>\d{{1,2}})\s?月\s?{_DAY}\s?日"
    ),
)
_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "民國": 1911, "民国": 1911}
"""Years before the first of each era, Japanese and Taiwanese."""
_BUDDHIST = 543
"""Years by which the Thai calendar is ahead."""
_SLASHED = re.compile(
    rf"(?<![\d./-])(?P<first>\d{{1,2}})(?P<mark>[/-])(?P<second>\d{{1,2}})(?P=mark){_ANY_YEAR}(?![\d/-])"
)
_IN_URL = re.compile(rf"/{_YEAR}[/-](?P<month>[01]?\d)[/-](?P<day>[0-3]?\d)(?:[/-]|$)")
_SHORT_ISO = re.compile(rf"{_YEAR}[-/](?P<month>\d{{1,2}})[-/]{_DAY}(?!\d)")
_COMPACT = re.compile(r"(?:19|20)\d{6}(?:\d\d){0,3}")
"""A date of digits alone, and perhaps a time of day."""
_UNIX = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")
"""Seconds or milliseconds since 1970."""
_MILLISECONDS = 12
"""Digits from which on an instant is in milliseconds."""
_DECIMAL = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How a page writes dates."""

    month_first: bool = False
    """Whether 3/4/2020 is a day in March. If that number is not a month, the other one is."""
    language: str = ""
    """BCP 47 tag; empty if it is not known. Names of months that mean another one in other languages are read by it."""


_ANY = DateStyle()


def instant(value: object) -> datetime | Date | None:
    """An instant in the format of ISO 8601, RFC 5322 or Unix, with its own offset; a day if zone or time is missing."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = format(value, ".0f")
    if not isinstance(value, str):
        return None
    bare = value.strip()
    if bare[:1].isdigit() and (found := _of_digits(bare)) is not None:
        return found
    try:
        if "T" in bare or " " in bare:
            return _aware(datetime.fromisoformat(bare))
    except (ValueError, OverflowError):
        pass
    return iso_day(bare) or _short_iso_day(bare) or _rfc_5322(bare)


def _of_digits(bare: str) -> datetime | Date | None:
    """A date, or an instant in Unix time, that is written in digits alone."""
    if _COMPACT.fullmatch(bare):
        return iso_day(f"{bare[:4]}-{bare[4:6]}-{bare[6:8]}")
    if _UNIX.fullmatch(bare):
        seconds = int(bare) / 1000 if len(bare) >= _MILLISECONDS and "." not in bare else float(bare)
        return datetime.fromtimestamp(seconds, UTC)
    return None


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


def _short_iso_day(bare: str) -> Date | None:
    """The day of a date like 2022-5-3T23:57, which is ISO 8601 without its zeros."""
    match = _SHORT_ISO.match(bare)
    return _day(match["year"], match["month"], match["day"]) if match else None


def in_url(url: str) -> Date | None:
    """The date in the path of a URL."""
    match = _IN_URL.search(url)
    return _day(match["year"], match["month"], match["day"]) if match else None


def written_day(text: str, style: DateStyle = _ANY) -> Date | None:
    """The first date in a text such as `Posted on 3 March 2020`; None if there is none."""
    return next((day for _, day in written_days(text, style)), None)


def written_days(text: str, style: DateStyle = _ANY) -> list[tuple[int, Date]]:
    """The dates in a text, each with the position where it begins, in order."""
    text = _with_latin_digits(text[:_MAX_TEXT])
    found: dict[int, Date] = {}
    for pattern in _WRITTEN:
        for match in pattern.finditer(text):
            if day := _day_of(match, style.language):
                found.setdefault(match.start(), day)
    for match in _SLASHED.finditer(text):
        first, second = match["first"], match["second"]
        orders = ((first, second), (second, first)) if style.month_first else ((second, first), (first, second))
        if day := next(filter(None, (_day(match["year"], *order) for order in orders)), None):
            found.setdefault(match.start(), day)
    return sorted(found.items())


def _with_latin_digits(text: str) -> str:
    """The text with its decimal digits of other scripts as 0 to 9, character by character."""
    return text if text.isascii() else _DECIMAL.sub(lambda digit: str(int(digit[0])), text)


def _day_of(match: re.Match[str], language: str) -> Date | None:
    era = match.groupdict().get("era")
    year = match["year"]
    if era:
        year = str(_ERAS[era] + (1 if year == "元" else int(year)))
    elif year.startswith("25") and len(year) > _SHORT_YEAR:
        year = str(int(year) - _BUDDHIST)
    return _day(year, match["month"], match["day"], language)


def _day(year: str, month: str, day: str, language: str = "") -> Date | None:
    number = int(month) if month.isdecimal() else calendar_words.month(month, language)
    century = 2000 if len(year) <= _SHORT_YEAR else 0  # 28.01.22
    try:
        return Date(century + int(year), number, int(day))
    except ValueError:
        return None


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

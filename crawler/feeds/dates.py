"""Dates as feeds write them. A date must name day, month and year; nothing is filled in from today. No I/O."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Literal

from crawler.limits import DATE_CHARACTERS

_LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl", "cs", "sk", "hu", "ro", "el", "ru", "uk",
    "bg", "sr", "hr", "sl", "tr", "et", "lv", "lt", "ca", "eu", "gl", "is", "ga", "id", "ms", "vi",
)  # fmt: skip
"""Languages whose names of months and weekdays are known; of names in conflict only the English ones count."""

_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "met": 60, "cest": 120,
    "mest": 120, "mez": 60, "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "ist": 330, "sgt": 480, "hkt": 480,
    "awst": 480, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780, "at": -240, "ast": -240,
    "adt": -180,
    "et": -300, "est": -300, "edt": -240, "ct": -360, "cst": -360, "cdt": -300, "mt": -420, "mst": -420, "mdt": -360,
    "pt": -480, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "brt": -180, "art": -180,
}  # fmt: skip
"""Minutes east of Greenwich. Zones with other names count as UTC (RFC 5322 §4.3)."""

_KOREA = timezone(timedelta(hours=9))
_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2,3}|[^\W\d_]+)(?:-(?P<day>\d{1,2}))?)?(?:[t ]+(?P<rest>\d.*))?", re.UNICODE
)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:[t ]+(?P<rest>\d.*))?")
_OTHER_DIGITS = re.compile(r"\d{5,6}|\d{4}-?\d{3}")
"""Dates of digits alone that `_SHORT` parses."""
_SHORT = (  # ISO 8601:1988 without a century, and by the day of the year
    re.compile(r"-(?P<year>\d{2})-?(?P<month>\d{2})"),
    re.compile(r"(?P<year>\d{2})-?(?P<month>\d{2})-?(?P<day>\d{2})"),
    re.compile(r"(?P<year>\d{2})(?P<ordinal>\d{3})"),
    re.compile(r"(?P<year>\d{4})-?(?P<ordinal>\d{3})"),
)
_KOREAN = re.compile(r"(\d{4})(?:-|년 )(\d{1,2})(?:-|월 )(\d{1,2})(?:일)? +(?:(오전|오후) )?(\d{1,2}):(\d{2}):(\d{2})")
_EAST_ASIAN = re.compile(
    r"(\d{4})年 ?(\d{1,2})月 ?(\d{1,2})日(?: ?[^\w ]?(?:星期)?[日月火水木金土一二三四五六天][^\w ]?(?:曜日)?)?"
    r"(?: ?(午前|午後|上午|下午)? ?(\d{1,2})(?:[:時时点](\d{2})?分?)(?::?(\d{2})秒?)?)?"
)
_TIME = re.compile(
    r"(?<![\d:+-])(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?(?![\d:])\s*(?P<half>[ap]\.?m\b\.?)?"
)
_OFFSET = re.compile(r"(?:\b(?:gmt|utc|ut)|etc/gmt)?\s*(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})\b")
_HOURS_EAST = re.compile(r"[+-]\d{1,2}(?::?\d{2})?\b")
_SLASHED = re.compile(r"\b(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})\b")
_WORD = re.compile(r"[^\W\d_]+|\d+", re.UNICODE)
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
_ZONE_LIKE = re.compile(r"[a-z]{3,5}")
_FILLERS = frozenset({"at", "of", "the", "de", "del", "um", "uhr", "on", "etc", "t"})
_PIVOT = 69
"""Two-digit years below this are in the 21st century, as in POSIX."""


def parse_date(text: str) -> datetime | None:
    """The instant of a date in a feed, aware, in UTC; None if it cannot be parsed. Without a zone it is in UTC."""
    plain = unicodedata.normalize("NFC", " ".join(text.split())).lower()
    if not plain or len(plain) > DATE_CHARACTERS:
        return None
    for read in (_iso, _short, _korean, _east_asian, _words):
        try:
            moment = read(plain)
        except (ValueError, OverflowError):
            return None  # it has the form of a date but does not exist, such as the 31st of September
        if moment is not None:
            return moment
    return None


def names_zone(text: str) -> bool:
    """Whether a date states the zone of its time of day."""
    plain = unicodedata.normalize("NFC", " ".join(text.split())).lower()[:DATE_CHARACTERS]
    clock = _TIME.search(plain)
    if clock is None:
        return False
    after = plain[clock.end() :]
    words = (word.rstrip(".").removeprefix("etc/") for word in re.split(r"[\s,()]+", after))
    return _HOURS_EAST.search(after) is not None or any(word in _ZONES for word in words)


def _iso(text: str) -> datetime | None:
    """ISO 8601 and W3C-DTF, also with the name of a month; a year alone must be plausible."""
    found = _COMPACT.fullmatch(text) or _ISO.fullmatch(text)
    if found is None or _OTHER_DIGITS.fullmatch(text):
        return None
    named = found["month"] or "1"
    month = int(named) if named.isdigit() else _names("months").get(named, 0)
    if found["month"] is None and (found["rest"] or not 1900 <= int(found["year"]) < 2200):  # noqa: PLR2004
        return None
    return _moment(int(found["year"]), month, int(found["day"] or 1), found["rest"] or "")


def _short(text: str) -> datetime | None:
    for form in _SHORT:
        found = form.fullmatch(text)
        if found is None:
            continue
        parts = {name: int(value) for name, value in found.groupdict().items()}
        year = _century(parts["year"]) if len(found["year"]) == 2 else parts["year"]  # noqa: PLR2004  digits
        if "ordinal" in parts:
            moment = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=parts["ordinal"] - 1)
            return moment if moment.year == year else None
        return datetime(year, parts["month"], parts.get("day", 1), tzinfo=UTC)
    return None


def _korean(text: str) -> datetime | None:
    found = _KOREAN.fullmatch(text)
    if found is None or ("년" not in text and found[4] is None):
        return None
    hour = int(found[5]) % 12 + (12 if found[4] == "오후" else 0) if found[4] else int(found[5])
    parts = (int(found[1]), int(found[2]), int(found[3]), hour, int(found[6]), int(found[7]))
    return datetime(*parts, tzinfo=_KOREA).astimezone(UTC)


def _east_asian(text: str) -> datetime | None:
    """Chinese and Japanese, such as 2026年5月1日 午後3:04."""
    found = _EAST_ASIAN.fullmatch(text)
    if found is None:
        return None
    hour = int(found[5] or 0)
    if found[4]:
        hour = hour % 12 + (12 if found[4] in {"午後", "下午"} else 0)
    return datetime(
        int(found[1]), int(found[2]), int(found[3]), hour, int(found[6] or 0), int(found[7] or 0), tzinfo=UTC
    )


def _words(text: str) -> datetime | None:
    """RFC 822 and its many variants: day, name of the month and year in any order, time and zone anywhere."""
    clock = _TIME.search(text)
    rest = text
    offset = None
    if clock is not None:
        after = text[clock.end() :]
        offset = _OFFSET.search(after)
        if offset is not None:
            after = after[: offset.start()] + " " + after[offset.end() :]
        rest = text[: clock.start()] + " " + after
    if slashed := _SLASHED.search(rest):
        day_of = (int(slashed["year"]), int(slashed["month"]), int(slashed["day"]))
        rest = rest[: slashed.start()] + " " + rest[slashed.end() :]
        zone = _leftover(rest.replace(",", " ").split(), clock is not None)
        return None if zone is None else _moment(*day_of, _time_of(text, clock, offset, zone))
    numbers: list[str] = []
    months: list[int] = []
    others: list[str] = []
    for word in re.split(r"[\s,;()]+|(?<=[^\W\d_])\.|(?<=\d)\.|(?<=\w)-(?=\w)", _ORDINAL.sub("", rest)):
        if not word or word in {"-", "."}:
            continue
        month = _names("months").get(word.rstrip("."))
        if word.isdigit():
            numbers.append(word)
        elif month is not None and not (months or (word.rstrip(".") in _names("days") and not numbers)):
            months.append(month)
        else:
            others.append(word)
    zone = _leftover(others, clock is not None)
    if zone is None or len(months) != 1 or len(numbers) != 2:  # noqa: PLR2004  day and year
        return None
    day, year = numbers if len(numbers[0]) <= 2 else numbers[::-1]  # noqa: PLR2004  digits of a day
    if len(day) > 2 or len(year) not in {2, 4}:  # noqa: PLR2004
        return None
    whole = int(year) if len(year) == 4 else _century(int(year))  # noqa: PLR2004
    return _moment(whole, months[0], int(day), _time_of(text, clock, offset, zone))


def _leftover(words: list[str], timed: bool) -> int | None:
    """Minutes of the zone among the remaining words; None if one of them is not part of a date."""
    zone = 0
    for word in words:
        bare = word.rstrip(".").removeprefix("etc/")
        if bare in _ZONES and timed:
            zone = _ZONES[bare]
        elif bare not in _names("days") and bare not in _FILLERS and not (timed and re.fullmatch("[a-z]{3,5}", bare)):
            return None
    return zone


def _time_of(text: str, clock: re.Match[str] | None, offset: re.Match[str] | None, zone: int) -> str:  # noqa: ARG001
    if clock is None:
        return ""
    shift = f"{offset['sign']}{int(offset['hours']):02}:{offset['minutes']}" if offset else ""
    return f"{clock[0]} {shift or f'{zone:+}m'}"


def _moment(year: int, month: int, day: int, time: str) -> datetime | None:
    """The instant of a day and what follows it: a time, AM or PM, an offset or zone."""
    found = _TIME.match(time)
    if time and found is None:
        return None
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second")) if found else (0, 0, 0)
    if found and found["half"]:
        hour = hour % 12 + (12 if found["half"].startswith("p") else 0)
    if hour == 24:  # noqa: PLR2004  midnight, by which feeds mean the beginning of the day that they name
        hour = 0
    minutes = _offset_minutes(time[found.end() :].strip() if found else "")
    if minutes is None:
        return None
    moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    return moment - timedelta(minutes=minutes)


def _offset_minutes(text: str) -> int | None:
    if not text:
        return 0
    if text.endswith("m") and (text[1:-1].isdigit()):
        return int(text[:-1])
    found = _OFFSET.fullmatch(text)
    if found is not None:
        minutes = int(found["hours"]) * 60 + int(found["minutes"])
        return -minutes if found["sign"] == "-" else minutes
    if hours := re.fullmatch(r"([+-])(\d{1,2})", text):
        return int(hours[1] + hours[2]) * 60
    return _ZONES.get(text.removeprefix("etc/"), 0) if re.fullmatch(r"(?:etc/)?[a-z]{1,5}", text) else None


def _century(year: int) -> int:
    return year + (2000 if year < _PIVOT else 1900)


@lru_cache(maxsize=2)
def _names(what: Literal["months", "days"]) -> dict[str, int]:
    """Number of a month or weekday by its name in any of the languages, in lower case."""
    from babel.dates import get_day_names, get_month_names

    names_of = get_month_names if what == "months" else get_day_names
    known: dict[str, int] = {}
    doubtful: set[str] = set()
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                names = names_of(width, context, language)
                for number, name in names.items():
                    word = unicodedata.normalize("NFC", str(name)).lower().rstrip(".")
                    if not word.isalpha():
                        continue
                    if known.setdefault(word, int(number)) != int(number) and language != "en":
                        doubtful.add(word)
    english = {
        str(name).lower().rstrip(".")
        for width in ("wide", "abbreviated")
        for name in names_of(width, "format", "en").values()
    }
    kept = {word: number for word, number in known.items() if word in english or word not in doubtful}
    # Common spellings that no standard defines.
    return {**kept, **({"sept": 9} if "september" in kept else {"tues": 1, "thurs": 3, "thur": 3, "weds": 2})}

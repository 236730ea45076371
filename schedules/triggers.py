"""Parses triggers: a span of time, or a cron expression in UTC. No I/O."""

from __future__ import annotations

import re
from datetime import timedelta

from archive.runtime.times import parse_span

LEAST = timedelta(seconds=1)
MOST = timedelta(days=366)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = dict(zip(_MONTHS, range(1, 13), strict=True)) | {name: n for n, name in enumerate(_WEEKDAYS[:7])}
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _WEEKDAYS),
)
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(?:\*|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,2}))?")


def parse_trigger(text: str) -> timedelta | str | None:
    """A span such as `5m`, a cron expression such as `30 3 * * *` (UTC), or None for a job that is off.

    Raises:
        ValueError: The text is none of these.
    """
    bare = text.strip()
    if bare.lower() in {"", "off"}:
        return None
    fields = bare.split()
    try:
        if len(fields) == len(_FIELDS):
            cron_fields(bare)
            return " ".join(fields)
        span = parse_span(bare)
    except ValueError as e:
        why = f" ({e})" if len(fields) == len(_FIELDS) else ""
        raise ValueError(
            f"{text!r} is not a valid trigger{why}: use a span such as 5m, five cron fields (UTC), or off"
        ) from None
    if span < LEAST:
        raise ValueError(f"{text!r} is too short: a second at least")
    if span > MOST:
        raise ValueError(f"{text!r} is too long: {MOST.days} days at most")
    return span


def cron_fields(text: str) -> tuple[str, str, str, str, str]:
    """Minute, hour, day, month and weekday of a cron expression with each value spelt out, or `*`.

    Weekdays are returned by name: 0 and 7 are Sunday in cron, but another day elsewhere.

    Raises:
        ValueError: The text is not a cron expression, or its date never occurs.
    """
    minutes, hours, days, months, weekdays = (
        _values(field.lower(), *rule) for field, rule in zip(text.split(), _FIELDS, strict=True)
    )
    if all(day > _LENGTHS[month - 1] for day in days or (1,) for month in months or (1,)):
        raise ValueError("such a day never comes")
    named = sorted({_WEEKDAYS[day] for day in weekdays}, key=_WEEKDAYS.index)
    spelt = (",".join(map(str, values)) or "*" for values in (minutes, hours, days, months, named))
    minute, hour, day, month, weekday = spelt
    return minute, hour, day, month, weekday


def _values(field: str, name: str, least: int, most: int, names: tuple[str, ...]) -> list[int]:
    """The values that a field allows, in order; empty if it allows all."""
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not a valid {name}")
        first, last, step = match.groups()
        if match[0] == "*":
            return []
        low = _number(first, name, names) if first else least
        high = _number(last, name, names) if last else most if step or not first else low
        if names is _WEEKDAYS and last == "sun":
            high = most
        if not (least <= low <= high <= most and step != "0" and int(step or 1)):
            raise ValueError(f"{part!r} is not a valid {name}: {least} to {most}")
        found.update(range(low, high + 1, int(step or 1)))
    return sorted(found)


def _number(text: str, name: str, names: tuple[str, ...]) -> int:
    if text.isdecimal():
        return int(text)
    if text not in names:
        raise ValueError(f"{text!r} is not a valid {name}")
    return _NAMES[text]

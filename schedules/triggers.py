"""Triggers as people write them: a span of time, or a cron expression in UTC. No I/O."""

from __future__ import annotations

import re
from datetime import timedelta

from archive.moment import parse_span

LEAST = timedelta(seconds=1)
_CRON_FIELDS = 5
_CRON = re.compile(r"[0-9a-zA-Z*/,-]+")


def parse_trigger(text: str) -> timedelta | str | None:
    """A span such as `5m`, a cron expression such as `30 3 * * *` (UTC), or None for a job that is off.

    Raises:
        ValueError: It is none of these.
    """
    bare = text.strip()
    if bare.lower() in {"", "off"}:
        return None
    fields = bare.split()
    if len(fields) == _CRON_FIELDS and all(_CRON.fullmatch(field) for field in fields):
        return " ".join(fields)
    try:
        span = parse_span(bare)
    except ValueError:
        raise ValueError(f"{text!r} is no trigger: use a span such as 5m, five cron fields (UTC), or off") from None
    if span < LEAST:
        raise ValueError(f"{text!r} is too short: a second at least")
    return span

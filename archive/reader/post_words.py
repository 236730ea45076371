"""What lists and feeds say of a post: the beginning of its text, its day, its instant. No I/O."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

LEAD_CHARACTERS = 280
"""Beginning of a text, as shown in lists."""


def lead_of(text: str) -> str:
    """The beginning of a text on one line, cut between two words where it has spaces."""
    words = " ".join(text[: 4 * LEAD_CHARACTERS].split())
    if len(words) <= LEAD_CHARACTERS:
        return words
    cut = words[:LEAD_CHARACTERS]
    whole = cut.rpartition(" ")[0]
    return (whole if 2 * len(whole) > LEAD_CHARACTERS else cut) + "…"


def day_of(published: datetime | date | None) -> str:
    """The day that a post states, `2026-05-01`, in its author's zone; empty if it states none."""
    return f"{published:%Y-%m-%d}" if published else ""


def instant_of(published: datetime | date | None) -> datetime | None:
    """The instant that a post states, aware; of a day the first one in UTC."""
    if isinstance(published, datetime):
        return published if published.tzinfo else published.replace(tzinfo=UTC)
    return datetime.combine(published, time(), UTC) if published else None

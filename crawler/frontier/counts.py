"""Counts of the frontier, none of which reads a whole table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, union

from crawler.frontier.tables import alarms, feeds, frontier_tallies


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is."""

    feeds: int
    pages: int
    vanished: int
    """Deleted posts that are not back."""
    paused: int
    failing: int
    """Feeds whose last visit failed."""
    ill: int
    """Feeds with an error or an active alarm."""
    alarms: int
    """Active alarms."""
    longest_due: datetime | None
    """Since when the feed is due, or when it will be, that is due before all others; None if there is none."""


def read(connection: Connection) -> Counts:
    """Count; what is not counted already is what is out of the ordinary."""
    kept = {row.name: row.many for row in connection.execute(_TALLIES)}
    wrong = select(feeds.c.url).where(feeds.c.error.is_not(None))
    active = alarms.c.ended.is_(None)
    raised = select(alarms.c.subject).where(active, alarms.c.subject.contains("://"))  # others are about jobs
    ill = select(func.count()).select_from(union(wrong, raised).subquery())
    return Counts(
        feeds=kept.get("feeds", 0),
        pages=kept.get("pages", 0),
        vanished=kept.get("vanished", 0),
        paused=connection.execute(select(func.count()).select_from(feeds).where(feeds.c.paused)).scalar_one(),
        failing=connection.execute(select(func.count()).select_from(feeds).where(feeds.c.failures > 0)).scalar_one(),
        ill=connection.execute(ill).scalar_one(),
        alarms=connection.execute(select(func.count()).select_from(alarms).where(active)).scalar_one(),
        longest_due=connection.execute(
            select(feeds.c.due).where(~feeds.c.paused).order_by(feeds.c.due).limit(1)
        ).scalar(),
    )


_TALLIES = select(frontier_tallies.c.name, frontier_tallies.c.count.label("many"))

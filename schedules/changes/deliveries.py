"""What is still to be sent to whom: changes that match watches, those that were tried, and dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, delete, select, update

from archive.runtime.database import fetch, in_parts, transaction, upsert
from archive.runtime.times import iso
from crawler.net.backoff import AFTER_DELIVERY, backoff
from schedules.changes.model import Change
from schedules.changes.tables import deliveries
from schedules.changes.watches import Watch
from schedules.limits import DELIVERED_TOGETHER, DELIVERY_TRIES

Way = Literal["webhook", "mail"]
_LATE = timedelta(days=2)
"""What happened longer ago is not sent: it is found again when the database is made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A change that is to be sent, or could not be."""

    id: int
    watch: str
    change_id: int
    way: Way
    tries: int
    error: str | None
    """Why the last try failed."""
    due: datetime

    def as_json(self) -> dict[str, object]:
        """It as programs see it."""
        return {
            "id": self.id,
            "watch": self.watch,
            "change": self.change_id,
            "way": self.way,
            "tries": self.tries,
            "error": self.error,
            "last_try": iso(self.due),
        }


def queue(
    connection: Connection,
    found: Iterable[Change],
    watches: Sequence[Watch],
    *,
    text: Callable[[Change], str],
    now: datetime,
) -> None:
    """Queue changes for the watches that they match."""
    wanted = [(watch, watch.wanted) for watch in watches if watch.webhook or watch.mail]
    for change in found:
        if change.at < now - _LATE:
            continue
        for watch, filters in wanted:
            if change.at < watch.added or not filters.matches(change, lambda: text(change)):  # noqa: B023  called at once
                continue
            for way in [way for way, where in (("webhook", watch.webhook), ("mail", watch.mail)) if where]:
                values = {
                    "watch": watch.name,
                    "change_id": change.id,
                    "way": way,
                    "due": now,
                    "tries": 0,
                    "dead": False,
                }
                adding = upsert(connection.engine, deliveries).values(**values)
                connection.execute(adding.on_conflict_do_nothing())


def due(engine: Engine, way: Way, *, now: datetime) -> list[Delivery]:
    """What is to be sent now, what has waited longest first; as much as is sent at once."""
    of_way = (deliveries.c.way == way) & ~deliveries.c.dead & (deliveries.c.due <= now)
    query = select(deliveries).where(of_way).order_by(deliveries.c.due, deliveries.c.id).limit(DELIVERED_TOGETHER)
    return [_delivery(row) for row in fetch(engine, query)]


def dead(engine: Engine, watch: str | None = None) -> list[Delivery]:
    """Dead letters, of one watch or of all, the oldest first."""
    query = select(deliveries).where(deliveries.c.dead).order_by(deliveries.c.id).limit(DELIVERED_TOGETHER)
    return [
        _delivery(row) for row in fetch(engine, query if watch is None else query.where(deliveries.c.watch == watch))
    ]


def revive(engine: Engine, watch: str | None, *, now: datetime) -> int:
    """Make dead letters due again, of one watch or of all; returns how many."""
    of = deliveries.c.dead if watch is None else deliveries.c.dead & (deliveries.c.watch == watch)
    with transaction(engine) as connection:
        return connection.execute(update(deliveries).where(of).values(dead=False, tries=0, due=now)).rowcount


def sent(engine: Engine, found: Iterable[Delivery]) -> None:
    """Forget what was sent."""
    with transaction(engine) as connection:
        for part in in_parts(one.id for one in found):
            connection.execute(delete(deliveries).where(deliveries.c.id.in_(part)))


def refused(engine: Engine, found: Iterable[Delivery], error: str, *, now: datetime) -> None:
    """Try again later (back-off), or not any more: after `DELIVERY_TRIES` it is a dead letter."""
    with transaction(engine) as connection:
        for one in found:
            wait = backoff(AFTER_DELIVERY, one.tries + 1)
            is_dead = one.tries + 1 >= DELIVERY_TRIES
            values = {"tries": one.tries + 1, "error": error, "dead": is_dead, "due": now if is_dead else now + wait}
            connection.execute(update(deliveries).where(deliveries.c.id == one.id).values(**values))


def forget(engine: Engine, before: datetime) -> int:
    """Delete dead letters whose last try was before an instant; returns how many."""
    with transaction(engine) as connection:
        return connection.execute(delete(deliveries).where(deliveries.c.dead, deliveries.c.due < before)).rowcount


def _delivery(row: Row[Any]) -> Delivery:
    names = ("id", "watch", "change_id", "way", "tries", "error", "due")
    return Delivery(**{name: getattr(row, name) for name in names})

"""Alarms for the operator: each is raised once, notified once, and ends with its cause."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select, update

from archive.runtime.database import fetch, in_parts, transaction, upsert
from archive.runtime.times import iso
from crawler.frontier.tables import alarms
from crawler.model.url_identity import key
from crawler.model.visits import Alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alarm and what it is about."""

    kind: str
    subject: str
    """URL of a feed, or a name."""
    detail: str
    since: datetime
    ended: datetime | None
    """None while it is active."""
    told: datetime | None
    """When the operator was notified by webhook or mail."""


def judge(
    connection: Connection,
    engine: Engine,
    subject: str,
    *,
    at: datetime,
    judged: Collection[str],
    raised: Iterable[Alarm],
) -> None:
    """Raise alarms about a subject, and end those of the judged kinds that are not among them."""
    now = {alarm.kind: alarm for alarm in raised}
    for alarm in now.values():
        raise_alarm(connection, engine, subject, alarm, at=at)
    if over := [kind for kind in judged if kind not in now]:
        end(connection, subject, over, at=at)


def raise_alarm(connection: Connection, engine: Engine, subject: str, alarm: Alarm, *, at: datetime) -> None:
    """Raise an alarm; if it is already active, only its detail is updated, and it is not notified again."""
    again = {"since": at, "told": None, "ended": None, "detail": alarm.detail}
    known = {"kind": alarm.kind, "key": key(subject)}
    connection.execute(
        upsert(engine, alarms)
        .values(subject=subject, **known, **again)
        .on_conflict_do_update(index_elements=["kind", "key"], set_=again, where=alarms.c.ended.is_not(None))
    )
    still = (alarms.c.kind == alarm.kind) & (alarms.c.key == key(subject))
    connection.execute(update(alarms).where(still).values(detail=alarm.detail))


def end(connection: Connection, subject: str, kinds: Collection[str], *, at: datetime) -> None:
    """End alarms about a subject."""
    open_ones = (alarms.c.key == key(subject)) & alarms.c.kind.in_(kinds) & alarms.c.ended.is_(None)
    connection.execute(update(alarms).where(open_ones).values(ended=at))


def move(connection: Connection, subject: str, to: str) -> None:
    """Assign the alarms about a subject to another one."""
    if subject != to:
        forget(connection, [to])
        known = alarms.c.key == key(subject)
        connection.execute(update(alarms).where(known).values(subject=to, key=key(to)))


def forget(connection: Connection, subjects: Iterable[str]) -> None:
    """Delete the alarms about subjects that no longer exist."""
    connection.execute(delete(alarms).where(alarms.c.key.in_([key(subject) for subject in subjects])))


def about(engine: Engine, subject: str, alarm: Alarm | None, *, kind: str, at: datetime) -> None:
    """Raise an alarm of a kind about a subject, or end it if there is none."""
    with transaction(engine) as connection:
        judge(connection, engine, subject, at=at, judged=(kind,), raised=[alarm] if alarm else [])


def standing(engine: Engine, *, untold: bool = False, over: bool = False) -> list[Raised]:
    """Active alarms, or all, or those not notified yet; oldest first."""
    query = select(alarms).order_by(alarms.c.since, alarms.c.kind, alarms.c.subject)
    if untold:
        query = query.where(alarms.c.told.is_(None))
    elif not over:
        query = query.where(alarms.c.ended.is_(None))
    with transaction(engine, reads=True) as connection:
        rows = connection.execute(query).all()
    return [_raised(row) for row in rows]


def by_subject(engine: Engine, subjects: Iterable[str] | None = None) -> dict[str, list[Raised]]:
    """Active alarms, grouped by the feed or job that they are about: all, or those about some."""
    if subjects is None:
        return _grouped(standing(engine))
    query = select(alarms).where(alarms.c.ended.is_(None)).order_by(alarms.c.since, alarms.c.kind)
    rows = [
        row
        for part in in_parts(key(subject) for subject in subjects)
        for row in fetch(engine, query.where(alarms.c.key.in_(part)))
    ]
    return _grouped([_raised(row) for row in rows])


def _grouped(raised: Iterable[Raised]) -> dict[str, list[Raised]]:
    found: dict[str, list[Raised]] = {}
    for alarm in raised:
        found.setdefault(alarm.subject, []).append(alarm)
    return found


def _raised(row: Row[Any]) -> Raised:
    return Raised(**{field.name: getattr(row, field.name) for field in fields(Raised)})


def as_json(alarm: Raised) -> dict[str, str | None]:
    """An alarm as JSON, for webhooks and commands."""
    return {
        "kind": alarm.kind,
        "subject": alarm.subject,
        "detail": alarm.detail,
        "since": iso(alarm.since),
        "ended": iso(alarm.ended) if alarm.ended else None,
    }


def told(engine: Engine, found: Iterable[Raised], *, at: datetime) -> None:
    """Record that these alarms were notified."""
    with transaction(engine) as connection:
        for one in found:
            same = (alarms.c.kind == one.kind) & (alarms.c.key == key(one.subject)) & (alarms.c.since == one.since)
            connection.execute(update(alarms).where(same).values(told=at))

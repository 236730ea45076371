"""What the store has lost is fetched again: pages and feeds of lost payloads become due, without conditions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from archive.index.schema import captures, objects
from crawler.frontier.seen import NO_VALIDATORS
from crawler.frontier.tables import feeds, pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """How much is to be fetched again."""

    pages: int
    feeds: int


_UNTOLD = select(objects.c.id).where(objects.c.fault.is_not(None), objects.c.told.is_(None))


def is_wanted(connection: Connection) -> bool:
    """Whether there are marks that have not been acted on."""
    return connection.execute(_UNTOLD.limit(1)).first() is not None


def heal(connection: Connection, now: datetime) -> Healing:
    """Make due what the marks of the index say is lost, once for each mark.

    A page, if the capture that last showed the post has a payload that no complete response has any more; a feed, if
    that is so of the response whose validators it has, or of any, if it has none. The manners are those of any visit.
    """
    lost = _lost(_UNTOLD)
    records = select(captures.c.record).where(captures.c.digest.in_(lost))
    shown = or_(pages.c.due.is_not(None), pages.c.feed_id.is_not(None))  # others are not visited any more
    found = Healing(
        pages=_make_due(connection, pages, pages.c.alive_record.in_(records) & shown, now),
        feeds=_make_due(connection, feeds, _feeds(records, lost), now),
    )
    connection.execute(update(objects).where(objects.c.fault.is_not(None), objects.c.told.is_(None)).values(told=now))
    return found


def _lost(objects_of: Select[tuple[int]]) -> Select[tuple[str]]:
    """Digests of payloads of which no complete response is left, of responses in some objects."""
    whole = captures.alias("whole")
    held = select(whole.c.record).where(
        whole.c.digest == captures.c.digest,
        whole.c.kind == literal_column("'response'"),  # a parameter would keep databases from using the index
        whole.c.truncated.is_(None),
        whole.c.fault.is_(None),
    )
    marked = captures.c.fault.is_not(None) & captures.c.object_id.in_(objects_of)
    return select(captures.c.digest).where(marked, captures.c.kind == "response", ~held.exists())


def _feeds(records: Select[tuple[str]], lost: Select[tuple[str]]) -> ColumnElement[bool]:
    theirs = select(captures.c.page).where(captures.c.digest.in_(lost))
    return or_(feeds.c.validated.in_(records), and_(feeds.c.validated.is_(None), feeds.c.key.in_(theirs)))


def _make_due(connection: Connection, table: Table, where: ColumnElement[bool], now: datetime) -> int:
    due = case((table.c.due < now, table.c.due), else_=literal(now, table.c.due.type))
    return connection.execute(update(table).where(where).values(due=due, **NO_VALIDATORS)).rowcount

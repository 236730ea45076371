"""Blogs that are gone as a whole: neither the feed nor any page of it answers any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, func, select, update

from archive.reader.vanished import BLOG
from archive.runtime.database import upsert
from crawler.frontier import unsaved
from crawler.frontier.tables import alarms, deletions, pages
from crawler.model.url_identity import key
from crawler.model.visits import FeedVisit

_LASTS = timedelta(days=7)
"""How long a feed has to be away before its blog can count as gone."""
_AWAY = ("failing", "gone")


def is_away(of_feed: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the ledger has the blog of the feed with that key as gone."""
    return exists().where(deletions.c.key == of_feed, deletions.c.kind == BLOG, deletions.c.restored.is_(None))


def note(connection: Connection, visit: FeedVisit, feed: Row[Any]) -> None:
    """Enter that a blog is gone, if its feed has been away for a week and no page of it was alive since, or is back.

    Nothing is said before one of its pages was looked at as well: if none was, the one visited last becomes due.
    Must be called once the visit's alarms are raised.

    Args:
        connection: A transaction.
        visit: Of the feed.
        feed: Its row before the visit, with `is_away` as `away`.
    """
    if visit.error is None:
        if feed.away:
            _end(connection, visit, feed.key)
        return
    if feed.away:
        return
    since = _away_since(connection, feed.url)
    if since is None or visit.at - since < _LASTS:
        return
    theirs = pages.c.feed_id == visit.feed_id
    alive, visited = connection.execute(
        select(func.max(pages.c.alive), func.max(pages.c.visited)).where(theirs, pages.c.kept)
    ).one()
    if visited is None or (alive is not None and alive >= since):
        return
    if visited < since:
        newest = select(pages.c.id).where(theirs, pages.c.kept).order_by(pages.c.visited.desc()).limit(1)
        connection.execute(update(pages).where(pages.c.id == newest.scalar_subquery()).values(due=visit.at))
        return
    row: dict[str, Any] = {
        "key": feed.key,
        "since": visit.at,
        "url": feed.site or feed.url,
        "kind": BLOG,
        "status": visit.status,
        "proof": visit.record,
        "alive": max(filter(None, (alive, feed.whole)), default=None),
    }
    connection.execute(upsert(connection.engine, deletions).values(**row).on_conflict_do_nothing())
    unsaved.note(connection, "deletion", [feed.key])


def _away_since(connection: Connection, url: str) -> datetime | None:
    query = select(func.min(alarms.c.since))
    of_feed = (alarms.c.key == key(url)) & alarms.c.kind.in_(_AWAY) & alarms.c.ended.is_(None)
    return connection.execute(query.where(of_feed)).scalar()


def _end(connection: Connection, visit: FeedVisit, known: str) -> None:
    over = (deletions.c.key == known) & (deletions.c.kind == BLOG) & deletions.c.restored.is_(None)
    connection.execute(update(deletions).where(over).values(restored=visit.at, restored_record=visit.record))
    unsaved.note(connection, "deletion", [known])

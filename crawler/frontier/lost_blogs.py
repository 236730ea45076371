"""Blogs that are gone as a whole: neither the feed nor any page of it answers any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from archive.reader.vanished import BLOG
from archive.runtime.database import upsert
from crawler.frontier import unsaved
from crawler.frontier.tables import alarms, deletions, feeds, pages
from crawler.model.url_identity import key
from crawler.model.visits import FeedVisit

_LASTS = timedelta(days=7)
"""How long a feed has to be away before its blog can count as gone."""
_AWAY = ("failing", "gone")


def note(connection: Connection, visit: FeedVisit) -> None:
    """Enter that a blog is gone, if its feed has been away for a week and no page of it was alive since, or is back.

    Nothing is said before one of its pages was looked at as well: if none was, the one visited last becomes due.
    Must be called once the visit's alarms are raised.
    """
    if visit.error is None:
        _end(connection, visit)
        return
    feed = connection.execute(select(feeds).where(feeds.c.id == visit.feed_id)).one()
    since = _away_since(connection, feed.url)
    if since is None or visit.at - since < _LASTS or _is_entered(connection, feed.key):
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


def _is_entered(connection: Connection, known: str) -> bool:
    query = select(deletions.c.key).where(deletions.c.key == known, deletions.c.kind == BLOG)
    return connection.execute(query.where(deletions.c.restored.is_(None))).first() is not None


def _end(connection: Connection, visit: FeedVisit) -> None:
    of_feed = deletions.c.key == select(feeds.c.key).where(feeds.c.id == visit.feed_id).scalar_subquery()
    over = of_feed & (deletions.c.kind == BLOG) & deletions.c.restored.is_(None)
    back = {"restored": visit.at, "restored_record": visit.record}
    ended = connection.scalars(select(deletions.c.key).where(over)).all()
    if ended:
        connection.execute(update(deletions).where(over).values(back))
        unsaved.note(connection, "deletion", ended)

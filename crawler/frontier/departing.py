"""Which entries a feed shows, and what the ledger says of those that were taken out of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from archive.reader.vanished import UNLISTED
from archive.runtime.database import in_parts, update_all, upsert_all
from crawler.decide.departures import Shown, taken_out
from crawler.frontier import unsaved
from crawler.frontier.seen import entry_of
from crawler.frontier.tables import deletions, entries, pages
from crawler.model.visits import FeedVisit


def note(connection: Connection, visit: FeedVisit, feed: Row[Any]) -> None:
    """Enter which entries a document shows; a post that was taken out of its feed goes into the ledger and is due.

    Args:
        connection: A transaction; the document's entries are entered.
        visit: Of the feed.
        feed: Its row before the visit.
    """
    if visit.shows is None:
        return
    ours = entries.c.feed_id == visit.feed_id
    query = select(entries.c.key, entries.c.facts, entries.c.first_seen, entries.c.page_id)
    before: dict[str, Row[Any]] = {row.key: row for row in _rows(connection, query.where(ours, entries.c.shown))}
    now = set(visit.shows)
    for part in in_parts(now - before.keys()):
        fresh = ours & entries.c.key.in_(part)
        back = [row.page_id for row in connection.execute(query.where(fresh, entries.c.departed.is_not(None)))]
        _end(connection, back, visit)
        connection.execute(update(entries).where(fresh).values(shown=True, departed=None))
    left = before.keys() - now
    for part in in_parts(left):
        connection.execute(update(entries).where(ours, entries.c.key.in_(part)).values(shown=False, departed=visit.at))
    out = taken_out({key: _shown(row, restless=feed.restless) for key, row in before.items()}, visit.shows)
    _enter(connection, [before[key].page_id for key in out], visit, last_seen=feed.visited)


def _shown(row: Row[Any], *, restless: bool) -> Shown:
    entry = None if restless else entry_of(row.facts, None)
    return Shown(first_seen=row.first_seen, published=entry.published if entry else None)


def _enter(
    connection: Connection, of_pages: Collection[int | None], visit: FeedVisit, last_seen: datetime | None
) -> None:
    """Enter archived posts that were taken out of their feed, unless the ledger has them as missing already."""
    found = [page for page in _pages(connection, of_pages) if page.kept and not page.shared]
    missing: set[str] = set()
    for part in in_parts(page.key for page in found):
        open_ones = deletions.c.key.in_(part) & deletions.c.restored.is_(None)
        missing.update(connection.scalars(select(deletions.c.key).where(open_ones)))
    fresh = {page.key: page for page in found if page.key not in missing}
    every = {"since": visit.at, "kind": UNLISTED, "proof": visit.record, "alive": last_seen}
    rows = [{"key": key, "url": page.url, **every} for key, page in fresh.items()]
    upsert_all(connection, deletions, rows, keys=("key", "since"))
    if fresh:
        unsaved.note(connection, "deletion", fresh)
    update_all(connection, pages, [{"id": page.id, "due": visit.at} for page in fresh.values()])


def _end(connection: Connection, of_pages: Collection[int | None], visit: FeedVisit) -> None:
    """Note that posts are in their feed again."""
    keys = [page.key for page in _pages(connection, of_pages)]
    for part in in_parts(keys):
        over = deletions.c.key.in_(part) & deletions.c.restored.is_(None) & (deletions.c.kind == UNLISTED)
        back = {"restored": visit.at, "restored_record": visit.record}
        ended = connection.scalars(select(deletions.c.key).where(over)).all()
        connection.execute(update(deletions).where(over).values(back))
        unsaved.note(connection, "deletion", ended)


def _pages(connection: Connection, ids: Iterable[int | None]) -> list[Row[Any]]:
    wanted = [number for number in ids if number is not None]
    query = select(pages.c.id, pages.c.key, pages.c.url, pages.c.kept, pages.c.shared)
    return [row for part in in_parts(wanted) for row in _rows(connection, query.where(pages.c.id.in_(part)))]


def _rows(connection: Connection, query: Select[Any]) -> Sequence[Row[Any]]:
    return connection.execute(query).all()

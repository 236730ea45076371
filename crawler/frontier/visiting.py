"""What a visit of a feed, a listing or a page changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, false, or_, select, update

from archive.index import aliases
from archive.runtime.database import in_parts, update_all
from archive.warc.page_identity import page_key
from crawler.frontier import alarms, backfills, deletions, departing, entering, lost_blogs, subscriptions, unsaved
from crawler.frontier.tables import entries, feeds, pages
from crawler.model.visits import Alarm, FeedVisit, ListingVisit, PageVisit

_BEFORE: Select[Any] = select(
    *(feeds.c[name] for name in ("url", "key", "site", "whole", "visited", "restless")),
    lost_blogs.is_away(feeds.c.key).label("away"),
)
"""What a visit of a feed has to know of the feed before it."""


def visit_feed(connection: Connection, visit: FeedVisit, *, late: bool = False) -> None:
    """Store what a visit of a feed changed; nothing if the subscription was removed meanwhile.

    A late one only adds entries that are not known.
    """
    if late:
        if connection.execute(select(feeds.c.id).where(feeds.c.id == visit.feed_id)).first() is not None:
            entering.enter(connection, visit, late=True)
        return
    values: dict[str, Any] = {
        **_of_visit(visit),
        "moved_to": visit.moved_to,
        "moved_since": visit.moved_since,
        "moved_times": visit.moved_times,
        "fresh": visit.fresh,
    }
    kept = ("title", "site", "rhythm", "whole", "shown", "media", "news", "window", "restless")
    values.update({name: getattr(visit, name) for name in kept if getattr(visit, name) is not None})
    if visit.shown is not None:
        values.update(hub=visit.hub, topic=visit.topic, every=visit.every, skips=visit.skips)
    if visit.url:
        values.update(subscriptions.move(connection, visit.feed_id, visit.url))
    of_feed = feeds.c.id == visit.feed_id
    before = connection.execute(_BEFORE.where(of_feed)).first()
    stated = {name: values[name] for name in ("title", "site") if name in values}
    other = [feeds.c[name].is_distinct_from(value) for name, value in stated.items()]
    unsaved.note(
        connection, "subscription", connection.scalars(select(feeds.c.key).where(of_feed, or_(false(), *other)))
    )
    changed = connection.execute(update(feeds).where(of_feed).values(**values))
    if before is None or not changed.rowcount:  # the subscription was removed meanwhile
        return
    url = values.get("url", before.url)
    alarms.judge(connection, connection.engine, url, at=visit.at, judged=visit.judged, raised=visit.alarms)
    if visit.gap:
        backfills.ask(connection, connection.engine, visit.feed_id, at=visit.at, why="gap", shown=visit.shown)
        detail = "posts may have come and gone between two visits; a backfill looks for them"
        alarms.raise_alarm(connection, connection.engine, url, Alarm(kind="gap", detail=detail), at=visit.at)
    entering.enter(connection, visit)
    departing.note(connection, visit, before)
    lost_blogs.note(connection, visit, before)


def visit_listing(connection: Connection, visit: ListingVisit, *, late: bool = False) -> None:
    """Store what a visit of a backfill's listing brought; nothing if the subscription was removed meanwhile.

    A late one only adds listings and entries that are not known.
    """
    if backfills.visited(connection, visit, late=late):
        entering.enter(connection, visit, backfill=True, late=late)


def visit_pages(connection: Connection, visits: Iterable[PageVisit]) -> None:
    """Store what visits of pages changed, the oldest first; however many there are, the statements are few."""
    some: dict[str, PageVisit] = {}
    for visit in visits:
        known = page_key(visit.url)
        if known in some:
            _visit_each_once(connection, some)
            some = {}
        some[known] = visit
    _visit_each_once(connection, some)


def _visit_each_once(connection: Connection, visits: Mapping[str, PageVisit]) -> None:
    """Store what visits of different pages changed, by the keys of these."""
    unsaved.note(connection, "alias", aliases.enter(connection, [one for v in visits.values() for one in v.aliases]))
    missing = deletions.missing(connection, visits)
    noted = [known for known, visit in visits.items() if visit.gone or (visit.kept and known in missing)]
    changed = [known for known in noted if deletions.note(connection, connection.engine, known, visits[known])]
    unsaved.note(connection, "deletion", changed)
    update_all(connection, pages, [{"key": known, **_of_page_visit(one)} for known, one in visits.items()], by="key")
    # No further visits if the subscription was removed meanwhile.
    for part in in_parts(known for known, visit in visits.items() if visit.feed_id is not None):
        connection.execute(update(pages).where(pages.c.key.in_(part), pages.c.feed_id.is_(None)).values(due=None))
    for visit in visits.values():
        entering.enter_texts(connection, visit.feed_id, visit.at, visit.texts)
    # Of a page with an error the text failed, and may be extracted later.
    for part in in_parts(known for known, visit in visits.items() if visit.kept and visit.error is None):
        of_page = entries.c.page_id.in_(select(pages.c.id).where(pages.c.key.in_(part), ~pages.c.shared))
        connection.execute(update(entries).where(of_page, entries.c.markup.is_not(None)).values(markup=None))


def _of_page_visit(visit: PageVisit) -> dict[str, Any]:
    """Columns of a page that a visit changes."""
    return {
        **_of_visit(visit),
        "checks": visit.checks,
        "verdict": visit.verdict,
        **({"source": visit.source} if visit.source else {}),
        **({"kept": True, "alive": visit.at, "alive_record": visit.record} if visit.kept else {}),
    }


def _of_visit(visit: FeedVisit | PageVisit) -> dict[str, Any]:
    """Columns that feeds and pages have alike."""
    names = ("due", "status", "error", "failures", "etag", "last_modified", "validated")
    return {"visited": visit.at, **{name: getattr(visit, name) for name in names}}


def visit_page_late(connection: Connection, visit: PageVisit) -> None:
    """Add what a late visit of a page shows and no later one can disprove.

    That is evidence of addresses, texts that are not known, and that the page was archived.
    """
    known = page_key(visit.url)
    unsaved.note(connection, "alias", aliases.enter(connection, visit.aliases))
    if visit.kept:
        shown: dict[str, Any] = {"kept": True, "alive": visit.at, "alive_record": visit.record}
        unknown = ~pages.c.kept | pages.c.alive.is_(None) | (pages.c.alive < visit.at)
        connection.execute(update(pages).where(pages.c.key == known, unknown).values(**shown))
    if visit.source:
        no_text = pages.c.source.is_(None)
        connection.execute(update(pages).where(pages.c.key == known, no_text).values(source=visit.source))
    entering.enter_texts(connection, visit.feed_id, visit.at, visit.texts, late=True)

"""Entries and pages seen so far, and what a visit of a feed or page changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, literal, select, update

from archive.extract.text import Entry
from archive.runtime.database import in_parts, upsert
from archive.warc.page_identity import page_key
from crawler.frontier import alarms, backfills, deletions, subscriptions
from crawler.frontier.tables import entries, feeds, pages
from crawler.model.url_identity import host_of, shard
from crawler.model.visits import Alarm, FeedVisit, ListingVisit, Page, PageVisit, SeenEntry


def digests(connection: Connection, feed_id: int, keys: Iterable[str]) -> dict[str, str]:
    """Digests of the known ones among these entries of a feed, by key."""
    found: dict[str, str] = {}
    for part in in_parts(keys):
        query = select(entries.c.key, entries.c.digest).where(entries.c.feed_id == feed_id, entries.c.key.in_(part))
        found.update((row.key, row.digest) for row in connection.execute(query))
    return found


def pages_by_url(connection: Connection, urls: Iterable[str]) -> dict[str, Page]:
    """The known ones among these pages, by URL."""
    found: dict[str, Page] = {}
    wanted: dict[str, list[str]] = {}
    for url in urls:
        wanted.setdefault(page_key(url), []).append(url)
    for part in in_parts(wanted):
        for row in connection.execute(select(pages).where(pages.c.key.in_(part))):
            found.update((url, _page(row)) for url in wanted[row.key])
    return found


def kept_pages(connection: Connection, url: str | None, *, after: int, limit: int) -> Sequence[Row[Any]]:
    """Rows of archived pages with their entries, in the order of their ids: all, or the one of a URL."""
    query = (
        select(pages, entries.c.facts, entries.c.markup)
        .outerjoin(entries, entries.c.page_id == pages.c.id)
        .where(pages.c.kept, pages.c.id > after)
        .order_by(pages.c.id)
        .limit(limit)
    )
    return connection.execute(query if url is None else query.where(pages.c.key == page_key(url))).all()


def visit_feed(connection: Connection, visit: FeedVisit) -> None:
    """Store what a visit of a feed changed; nothing if the subscription was removed meanwhile."""
    values: dict[str, Any] = {
        "visited": visit.at,
        "due": visit.due,
        "status": visit.status,
        "error": visit.error,
        "failures": visit.failures,
        "etag": visit.etag,
        "last_modified": visit.last_modified,
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
    changed = connection.execute(update(feeds).where(feeds.c.id == visit.feed_id).values(**values))
    if not changed.rowcount:  # the subscription was removed meanwhile
        return
    url = connection.execute(select(feeds.c.url).where(feeds.c.id == visit.feed_id)).scalar_one()
    alarms.judge(connection, connection.engine, url, at=visit.at, judged=visit.judged, raised=visit.alarms)
    if visit.gap:
        backfills.ask(connection, connection.engine, visit.feed_id, at=visit.at, why="gap", shown=visit.shown)
        detail = "posts may have come and gone between two visits; a backfill looks for them"
        alarms.raise_alarm(connection, connection.engine, url, Alarm(kind="gap", detail=detail), at=visit.at)
    _enter(connection, visit.feed_id, visit.at, visit.entries, backfill=False)


def visit_listing(connection: Connection, visit: ListingVisit) -> None:
    """Store what a visit of a backfill's listing brought; nothing if the subscription was removed meanwhile."""
    if backfills.visited(connection, connection.engine, visit):
        _enter(connection, visit.feed_id, visit.at, visit.entries, backfill=True)


def visit_page(connection: Connection, visit: PageVisit) -> None:
    """Store what a visit of a page changed."""
    known = page_key(visit.url)
    deletions.note(connection, connection.engine, known, visit)
    values: dict[str, Any] = {
        "visited": visit.at,
        "due": visit.due,
        "status": visit.status,
        "error": visit.error,
        "failures": visit.failures,
        "etag": visit.etag,
        "last_modified": visit.last_modified,
        "checks": visit.checks,
        **({"kept": True, "alive": visit.at, "alive_record": visit.record} if visit.kept else {}),
    }
    connection.execute(update(pages).where(pages.c.key == known).values(**values))
    if visit.feed_id is not None:  # no further visits if the subscription was removed meanwhile
        connection.execute(update(pages).where(pages.c.key == known, pages.c.feed_id.is_(None)).values(due=None))
    if visit.kept and visit.error is None:  # otherwise its text failed, and may be extracted later
        of_page = entries.c.page_id.in_(select(pages.c.id).where(pages.c.key == known))
        connection.execute(update(entries).where(of_page, entries.c.markup.is_not(None)).values(markup=None))


def _enter(connection: Connection, feed_id: int, at: datetime, seen: Sequence[SeenEntry], *, backfill: bool) -> None:
    for one in seen:
        page_id = _enter_page(connection, feed_id, at, one, backfill=backfill) if one.url else None
        if one.id is None and backfill:
            continue  # a bare URL says nothing about its post
        values = {"id": one.id, "page_id": page_id, "digest": one.digest, **_facts(one.entry)}
        insert = upsert(connection.engine, entries).values(feed_id=feed_id, key=one.key, first_seen=at, **values)
        # What a listing says about an entry must not replace what the feed says.
        connection.execute(
            insert.on_conflict_do_nothing()
            if backfill
            else insert.on_conflict_do_update(index_elements=["feed_id", "key"], set_=values)
        )


def _enter_page(connection: Connection, feed_id: int, at: datetime, seen: SeenEntry, *, backfill: bool) -> int:
    url = seen.url or ""
    known = page_key(url)
    connection.execute(
        upsert(connection.engine, pages)
        .values(
            url=url,
            key=known,
            feed_id=feed_id,
            shard=shard(url),
            host=host_of(url),
            kept=False,
            backfill=backfill,
            first_seen=at,
            due=at if seen.fetch else None,
            failures=0,
            checks=0,
        )
        .on_conflict_do_nothing()
    )
    orphan = (pages.c.key == known) & pages.c.feed_id.is_(None)  # its subscription was removed; this one adopts it
    due = func.coalesce(pages.c.due, literal(at, pages.c.due.type))
    connection.execute(update(pages).where(orphan).values(feed_id=feed_id, due=due))
    if seen.fetch:
        changes: dict[str, Any] = {"due": at} if not backfill else {}
        if not backfill:  # it may now be under https, or under another host name
            changes.update(url=url, shard=shard(url), host=host_of(url), backfill=False)
        if changes:
            connection.execute(update(pages).where(pages.c.key == known).values(**changes))
    found: int = connection.execute(select(pages.c.id).where(pages.c.key == known)).scalar_one()
    return found


def enter_post(connection: Connection, url: str, *, feed_id: int | None, at: datetime) -> None:
    """Enter a page that a backfill or a person has found, with no visit planned; a known one stays unchanged."""
    connection.execute(
        upsert(connection.engine, pages)
        .values(
            url=url, key=page_key(url), feed_id=feed_id, shard=shard(url), host=host_of(url), kept=False, backfill=True,
            first_seen=at, failures=0, checks=0,
        )
        .on_conflict_do_nothing()
    )  # fmt: skip


def each_page_once(rows: Iterable[Row[Any]]) -> Iterator[Page]:
    """Each page once, although each feed that lists it has a row."""
    seen: set[str] = set()
    for row in rows:
        if row.key not in seen:
            seen.add(row.key)
            yield _page(row)


def _facts(entry: Entry) -> dict[str, str | None]:
    """Columns of an entry; its markup has its own, since it is stored only until its page is archived."""
    said = entry.as_json()
    markup = said.pop("html", None)
    return {"facts": json.dumps(said, ensure_ascii=False), "markup": str(markup) if markup else None}


def _entry(facts: str, markup: str | None) -> Entry | None:
    return Entry.from_json({**json.loads(facts), "html": markup})


def _page(row: Row[Any]) -> Page:
    facts = getattr(row, "facts", None)
    return Page(
        url=row.url,
        feed_id=row.feed_id,
        kept=row.kept,
        etag=row.etag,
        last_modified=row.last_modified,
        failures=row.failures,
        read=row.visited or row.due,
        entry=_entry(facts, row.markup) if facts else None,
        checks=row.checks,
        alive=row.alive,
        alive_record=row.alive_record,
        backfill=row.backfill,
    )

"""Entries and pages seen so far, and what a visit of a feed or page changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, false, or_, select, update

from archive.extract.text import Entry
from archive.index import aliases
from archive.index.aliases import Alias
from archive.runtime.database import in_parts, upsert
from archive.warc.page_identity import page_key, post_key
from crawler.frontier import alarms, backfills, deletions, subscriptions, unsaved
from crawler.frontier.tables import entries, feeds, pages
from crawler.limits import POSTS_OF_PAGE
from crawler.model.url_identity import host_of, shard
from crawler.model.visits import (
    Alarm,
    FeedPost,
    FeedVisit,
    ListingVisit,
    Page,
    PageVisit,
    SeenEntry,
    Source,
)

_HOUR = timedelta(hours=1)


OF_ENTRY = (
    entries.c.facts,
    entries.c.markup,
    entries.c.record.label("entry_record"),
    entries.c.seen.label("entry_seen"),
)
"""Columns of an entry that `each_page_once` reads beside those of its page."""


NO_VALIDATORS: Mapping[str, None] = {"etag": None, "last_modified": None, "validated": None}
"""Columns of a page whose URL has changed: validators belong to the response of one URL."""


def located(url: str) -> dict[str, Any]:
    """Columns of a page that follow from its URL, apart from its key."""
    return {"url": url, "shard": shard(url), "host": host_of(url)}


def digests(connection: Connection, feed_id: int, keys: Iterable[str]) -> dict[str, str]:
    """Digests of the known ones among these entries of a feed, by key."""
    found: dict[str, str] = {}
    for part in in_parts(keys):
        query = select(entries.c.key, entries.c.digest).where(entries.c.feed_id == feed_id, entries.c.key.in_(part))
        found.update((row.key, row.digest) for row in connection.execute(query))
    return found


def pages_by_url(connection: Connection, urls: Iterable[str]) -> dict[str, Page]:
    """The known ones among these pages, by URL; a page is also found by an address that evidence has joined with it."""
    wanted: dict[str, list[str]] = {}
    for url in urls:
        wanted.setdefault(page_key(url), []).append(url)
    found = _pages_of(connection, wanted)
    others = {key: named for key, named in wanted.items() if not found.keys() & set(named)}
    joined: dict[str, list[str]] = {}
    for key, keys in aliases.keys_of(connection, others).items():
        for other in keys:
            joined.setdefault(other, []).extend(others[key])
    return {**_pages_of(connection, joined), **found}


def _pages_of(connection: Connection, wanted: Mapping[str, Sequence[str]]) -> dict[str, Page]:
    found: dict[str, Page] = {}
    for part in in_parts(wanted):
        for row in connection.execute(select(pages).where(pages.c.key.in_(part))):
            found.update((url, _page(row)) for url in wanted[row.key])
    return found


def pages_of_entries(
    connection: Connection, feed_id: int, shown: Mapping[str, tuple[str, str | None]]
) -> dict[str, Page]:
    """The known pages of the entries of a feed document, by the URL that the document has for them.

    If an entry has kept its id and its title and changed its link, its page is the one that it had before; it is
    found by the new link, without validators.

    Args:
        connection: The database.
        feed_id: The feed.
        shown: URL of its page and title of each entry that has a page, by key.
    """
    found = pages_by_url(connection, [url for url, _ in shown.values()])
    rows: list[Row[Any]] = []
    for part in in_parts(key for key, (url, _) in shown.items() if url not in found):
        query = select(pages, entries.c.key.label("entry"), *OF_ENTRY).join(entries, entries.c.page_id == pages.c.id)
        ours = (entries.c.feed_id == feed_id) & entries.c.key.in_(part) & entries.c.address.is_(None) & ~pages.c.shared
        rows += connection.execute(query.where(ours)).all()
    for row in rows:
        url, title = shown[row.entry]
        before = _entry(row.facts, None)
        if before is not None and (before.title or "") == (title or ""):
            found[url] = replace(
                _page(row), url=url, moved_from=row.url, etag=None, last_modified=None, validated=None, entry=None
            )
    titles = _titles(connection, found.values())
    return {url: replace(page, titles=titles.get(page_key(page.moved_from or page.url))) for url, page in found.items()}


def _titles(connection: Connection, known: Iterable[Page]) -> dict[str, frozenset[str]]:
    """Titles of the known entries that link to archived pages, by the pages' keys."""
    found: dict[str, set[str]] = {}
    for part in in_parts({page_key(page.moved_from or page.url) for page in known if page.kept}):
        query = select(pages.c.key, entries.c.facts).join(entries, entries.c.page_id == pages.c.id)
        for row in connection.execute(query.where(pages.c.key.in_(part))):
            entry = _entry(row.facts, None)
            if entry is not None and entry.title:
                found.setdefault(row.key, set()).add(entry.title)
    return {key: frozenset(some) for key, some in found.items()}


def kept_pages(connection: Connection, url: str | None, *, after: int, limit: int) -> Sequence[Row[Any]]:
    """Rows of archived pages with their entries, in the order of their ids: all, or the one of a URL."""
    query = (
        select(pages, *OF_ENTRY)
        .outerjoin(entries, entries.c.page_id == pages.c.id)
        .where(pages.c.kept, pages.c.id > after)
        .order_by(pages.c.id)
        .limit(limit)
    )
    return connection.execute(query if url is None else query.where(pages.c.key == page_key(url))).all()


def posts_of(connection: Connection, page: Page) -> tuple[FeedPost, ...]:
    """The posts with addresses of their own that link to a page, newest first, at most POSTS_OF_PAGE."""
    query = (
        select(entries.c.address, *OF_ENTRY)
        .join(pages, pages.c.id == entries.c.page_id)
        .where(pages.c.key == page_key(page.url), entries.c.address.is_not(None), entries.c.record.is_not(None))
        .order_by(entries.c.first_seen.desc(), entries.c.key)
        .limit(POSTS_OF_PAGE)
    )
    return tuple(
        FeedPost(address=row.address, entry=entry, record=row.entry_record, at=row.entry_seen, base=page.url)
        for row in connection.execute(query)
        if (entry := _entry(row.facts, row.markup)) is not None
    )


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
        "validated": visit.validated,
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
    stated = {name: values[name] for name in ("title", "site") if name in values}
    of_feed = feeds.c.id == visit.feed_id
    other = [feeds.c[name].is_distinct_from(value) for name, value in stated.items()]
    unsaved.note(
        connection, "subscription", connection.scalars(select(feeds.c.key).where(of_feed, or_(false(), *other)))
    )
    changed = connection.execute(update(feeds).where(feeds.c.id == visit.feed_id).values(**values))
    if not changed.rowcount:  # the subscription was removed meanwhile
        return
    url = connection.execute(select(feeds.c.url).where(feeds.c.id == visit.feed_id)).scalar_one()
    alarms.judge(connection, connection.engine, url, at=visit.at, judged=visit.judged, raised=visit.alarms)
    if visit.gap:
        backfills.ask(connection, connection.engine, visit.feed_id, at=visit.at, why="gap", shown=visit.shown)
        detail = "posts may have come and gone between two visits; a backfill looks for them"
        alarms.raise_alarm(connection, connection.engine, url, Alarm(kind="gap", detail=detail), at=visit.at)
    _enter(connection, visit.feed_id, visit, visit.entries, backfill=False)


def visit_listing(connection: Connection, visit: ListingVisit) -> None:
    """Store what a visit of a backfill's listing brought; nothing if the subscription was removed meanwhile."""
    if backfills.visited(connection, connection.engine, visit):
        _enter(connection, visit.feed_id, visit, visit.entries, backfill=True)


def visit_page(connection: Connection, visit: PageVisit) -> None:
    """Store what a visit of a page changed."""
    known = page_key(visit.url)
    unsaved.note(connection, "alias", aliases.enter(connection, connection.engine, visit.aliases))
    if deletions.note(connection, connection.engine, known, visit):
        unsaved.note(connection, "deletion", [known])
    values: dict[str, Any] = {
        "visited": visit.at,
        "due": visit.due,
        "status": visit.status,
        "error": visit.error,
        "failures": visit.failures,
        "etag": visit.etag,
        "last_modified": visit.last_modified,
        "validated": visit.validated,
        "checks": visit.checks,
        "verdict": visit.verdict,
        **({"source": visit.source} if visit.source else {}),
        **({"kept": True, "alive": visit.at, "alive_record": visit.record} if visit.kept else {}),
    }
    connection.execute(update(pages).where(pages.c.key == known).values(**values))
    if visit.feed_id is not None:  # no further visits if the subscription was removed meanwhile
        connection.execute(update(pages).where(pages.c.key == known, pages.c.feed_id.is_(None)).values(due=None))
    for address, source in visit.texts:
        _enter_text(connection, visit.feed_id, visit.at, address, source)
    if visit.kept and visit.error is None:  # otherwise its text failed, and may be extracted later
        of_page = entries.c.page_id.in_(select(pages.c.id).where(pages.c.key == known, ~pages.c.shared))
        connection.execute(update(entries).where(of_page, entries.c.markup.is_not(None)).values(markup=None))


def _enter_text(connection: Connection, feed_id: int | None, at: datetime, address: str, source: Source) -> None:
    """Store that a post with an address of its own has a text now. Such a post has no visits of its own."""
    known = {"kept": True, "source": source, "visited": at, "alive": at}
    insert = upsert(connection.engine, pages).values(
        key=post_key(address),
        feed_id=feed_id,
        first_seen=at,
        backfill=False,
        failures=0,
        checks=0,
        due=None,
        **located(address),
        **known,
    )
    connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_=known))


def _enter(
    connection: Connection,
    feed_id: int,
    visit: FeedVisit | ListingVisit,
    seen: Sequence[SeenEntry],
    *,
    backfill: bool,
) -> None:
    texts = dict(visit.texts) if isinstance(visit, FeedVisit) else {}
    for one in seen:
        if one.known and one.url and one.address is None:
            _move_page(connection, feed_id, one, record=visit.record, at=visit.at)
        page_id = _enter_page(connection, feed_id, visit.at, one, backfill=backfill) if one.url else None
        if one.id is None and backfill:
            continue  # a bare URL says nothing about its post
        values = {
            "id": one.id,
            "page_id": page_id,
            "digest": one.digest,
            "address": one.address,
            "record": visit.record,
            "seen": visit.at,
            **facts_of(one.entry),
        }
        insert = upsert(connection.engine, entries).values(feed_id=feed_id, key=one.key, first_seen=visit.at, **values)
        # What a listing says about an entry must not replace what the feed says.
        connection.execute(
            insert.on_conflict_do_nothing()
            if backfill
            else insert.on_conflict_do_update(index_elements=["feed_id", "key"], set_=values)
        )
        if one.address is not None and one.address in texts:
            _enter_text(connection, feed_id, visit.at, one.address, texts[one.address])


def _move_page(connection: Connection, feed_id: int, seen: SeenEntry, *, record: str | None, at: datetime) -> None:
    """Give the page of a known entry its new URL, if the entry has kept its id and title and changed its link."""
    url = seen.url or ""
    of_entry = (entries.c.feed_id == feed_id) & (entries.c.key == seen.key) & entries.c.address.is_(None)
    query = select(pages, entries.c.facts).join(entries, entries.c.page_id == pages.c.id).where(of_entry)
    row = connection.execute(query.where(~pages.c.shared)).first()
    if row is None or row.key == page_key(url):
        return
    before = _entry(row.facts, None)
    if before is None or (before.title or "") != (seen.entry.title or ""):
        return
    if record is not None:
        found = Alias(url=row.url, target=url, kind="id", proof=record, since=at)
        unsaved.note(connection, "alias", aliases.enter(connection, connection.engine, [found]))
    if connection.execute(select(pages.c.id).where(pages.c.key == page_key(url))).first() is None:
        values = {"key": page_key(url), **located(url), **NO_VALIDATORS}
        connection.execute(update(pages).where(pages.c.id == row.id).values(**values))


def _enter_page(connection: Connection, feed_id: int, at: datetime, seen: SeenEntry, *, backfill: bool) -> int:
    url = seen.url or ""
    known = page_key(url)
    due = (seen.later or at) if seen.fetch else None
    row = connection.execute(select(pages).where(pages.c.key == known)).first()
    if row is None:
        joined = aliases.keys_of(connection, [known]).get(known, ())
        row = connection.execute(select(pages).where(pages.c.key.in_(joined)).order_by(~pages.c.kept)).first()
    if row is None:
        insert = upsert(connection.engine, pages).values(
            key=known,
            feed_id=feed_id,
            **located(url),
            kept=False,
            backfill=backfill,
            shared=seen.address is not None,
            first_seen=at,
            due=due,
            failures=0,
            checks=0,
        )
        connection.execute(insert.on_conflict_do_nothing())
        row = connection.execute(select(pages).where(pages.c.key == known)).one()
        return int(row.id)
    changes: dict[str, Any] = {"shared": True} if seen.address is not None and not row.shared else {}
    if row.feed_id is None:  # its subscription was removed, or a person asked for the page itself: this feed adopts it
        changes.update(feed_id=feed_id, due=row.due or at)
    if seen.fetch and not backfill:
        changes.update(due=due, backfill=False)
        if row.key == known:  # it may now be under https, or under another host name
            if url != row.url:
                changes.update(NO_VALIDATORS)
            changes.update(located(url))
        if row.kept and seen.later is None:
            changes.update(_looked(row, at))
    if changes:
        connection.execute(update(pages).where(pages.c.id == row.id).values(**changes))
    return int(row.id)


def _looked(row: Row[Any], at: datetime) -> dict[str, Any]:
    """Count a visit of an archived page that an entry has caused."""
    if row.looks_since is None or at - row.looks_since >= _HOUR:
        return {"looks": 1, "looks_since": at}
    return {"looks": row.looks + 1}


def each_page_once(rows: Iterable[Row[Any]]) -> Iterator[Page]:
    """Each page once, although each feed that lists it has a row."""
    seen: set[str] = set()
    for row in rows:
        if row.key not in seen:
            seen.add(row.key)
            yield _page(row)


def facts_of(entry: Entry) -> dict[str, str | None]:
    """Columns of an entry; its markup has its own, since it is stored only until its page is archived."""
    said = entry.as_json()
    markup = said.pop("html", None)
    return {"facts": json.dumps(said, ensure_ascii=False), "markup": str(markup) if markup else None}


def _entry(facts: str, markup: str | None) -> Entry | None:
    return Entry.from_json({**json.loads(facts), "html": markup})


def _page(row: Row[Any]) -> Page:
    facts = None if row.shared else getattr(row, "facts", None)
    entry = _entry(facts, row.markup) if facts else None
    return Page(
        url=row.url,
        feed_id=row.feed_id,
        kept=row.kept,
        etag=row.etag,
        last_modified=row.last_modified,
        validated=row.validated,
        failures=row.failures,
        read=row.visited or row.due,
        entry=entry,
        checks=row.checks,
        alive=row.alive,
        alive_record=row.alive_record,
        backfill=row.backfill,
        source=row.source,
        verdict=row.verdict,
        shared=row.shared,
        looks=row.looks,
        looks_since=row.looks_since,
        post=_feed_post(row, entry),
    )


def _feed_post(row: Row[Any], entry: Entry | None) -> FeedPost | None:
    """The entry of a page, as the post's text for want of the page; None if the markup is not stored any more."""
    record = getattr(row, "entry_record", None)
    if entry is None or not record:
        return None
    return FeedPost(address=row.url, entry=entry, record=record, at=row.entry_seen, base=row.url)

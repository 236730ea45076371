"""Entries and pages seen so far. Read-only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select

from archive.extract.text import Entry
from archive.index import aliases
from archive.runtime.database import in_parts
from archive.warc.page_identity import page_key
from crawler.frontier.tables import entries, pages
from crawler.limits import POSTS_OF_PAGE
from crawler.model.url_identity import host_of, shard
from crawler.model.visits import FeedPost, Page

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
        before = entry_of(row.facts, None)
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
            entry = entry_of(row.facts, None)
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
        if (entry := entry_of(row.facts, row.markup)) is not None
    )


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


def entry_of(facts: str, markup: str | None) -> Entry | None:
    """The entry that these columns describe."""
    return Entry.from_json({**json.loads(facts), "html": markup})


def _page(row: Row[Any]) -> Page:
    facts = None if row.shared else getattr(row, "facts", None)
    entry = entry_of(facts, row.markup) if facts else None
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

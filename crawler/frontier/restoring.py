"""Enters in bulk what the archive shows of feeds, entries and pages, for `pressmark reindex`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from archive.index import aliases
from archive.runtime.database import in_parts, upsert
from archive.warc.page_identity import page_key, post_key
from crawler.frontier import unsaved, visiting
from crawler.frontier.deletions import Deletion
from crawler.frontier.seen import facts_of, located
from crawler.frontier.tables import deletions, entries, pages
from crawler.model.visits import FeedVisit, SeenEntry, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredEntry:
    """An entry of a feed, as its captured documents have it."""

    seen: SeenEntry
    """As it was in the last document in which it was new or changed."""
    first_seen: datetime
    at: datetime
    """When that document was captured."""
    record: str | None
    """WARC-Record-ID of that capture."""
    urls: tuple[str, ...]
    """Every page that it linked to, the last one last; a page that only moved counts under its last URL."""
    shown: bool | None = None
    """Whether the last document shows it; None: not known."""
    departed: datetime | None = None
    """The first document without it; None if it is shown, or not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredFeed:
    """What all captures of a feed come to."""

    visit: FeedVisit
    """The last visit, with what earlier ones showed and it did not; without entries."""
    entries: tuple[RestoredEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredText:
    """The text of a post with an address of its own."""

    feed_id: int
    source: Source
    at: datetime
    """Date of the capture that it was made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredPage:
    """What all captures of a post's page come to."""

    url: str
    """URL by which the page is known."""
    values: Mapping[str, Any]
    """Columns that are known of it."""


def enter_feeds(connection: Connection, found: Sequence[RestoredFeed], texts: Mapping[str, RestoredText]) -> None:
    """Enter feeds with their entries, the pages that these link to, and posts with addresses of their own.

    Args:
        connection: A transaction.
        found: The feeds; all are subscribed to.
        texts: By address.
    """
    for feed in found:
        visiting.visit_feed(connection, feed.visit)
    ids = _enter_pages(connection, found)
    rows = [
        {
            "feed_id": feed.visit.feed_id,
            "key": entry.seen.key,
            "id": entry.seen.id,
            "page_id": ids.get(page_key(entry.seen.url)) if entry.seen.url else None,
            "digest": entry.seen.digest,
            "address": entry.seen.address,
            "record": entry.record,
            "seen": entry.at,
            "first_seen": entry.first_seen,
            "shown": entry.shown,
            "departed": entry.departed,
            **facts_of(entry.seen.entry),
        }
        for feed in found
        for entry in feed.entries
    ]
    if rows:
        insert = upsert(connection.engine, entries)
        change = {name: insert.excluded[name] for name in rows[0] if name not in {"feed_id", "key", "first_seen"}}
        connection.execute(insert.on_conflict_do_update(index_elements=["feed_id", "key"], set_=change), rows)
    _enter_texts(connection, texts)


def enter_page_visits(connection: Connection, found: Iterable[RestoredPage], lost: Iterable[Deletion]) -> None:
    """Enter what the captures of pages show, and the deletions among them."""
    of_columns: dict[frozenset[str], list[dict[str, Any]]] = {}
    for page in found:
        row = {"of": page_key(page.url), **page.values}
        of_columns.setdefault(frozenset(page.values), []).append(row)
    for rows in of_columns.values():
        connection.execute(update(pages).where(pages.c.key == bindparam("of")), rows)
        kept = [row["of"] for row in rows if row.get("kept")]
        for part in in_parts(kept):
            theirs = select(pages.c.id).where(pages.c.key.in_(part), ~pages.c.shared)
            over = entries.c.page_id.in_(theirs) & entries.c.markup.is_not(None)
            connection.execute(update(entries).where(over).values(markup=None))
    ledger = [asdict(one) for one in lost]
    if ledger:
        insert = upsert(connection.engine, deletions).on_conflict_do_nothing()
        connection.execute(insert, ledger)
        unsaved.note(connection, "deletion", [row["key"] for row in ledger])


def enter_posts(connection: Connection, found: Mapping[str, int | None], now: datetime) -> None:
    """Enter pages that no feed shows, by URL, each with its feed; None: a person asked for the page itself."""
    rows = [
        {
            "key": page_key(url),
            "feed_id": feed_id,
            "first_seen": now,
            "due": now,
            "backfill": feed_id is not None,
            "kept": False,
            "failures": 0,
            "checks": 0,
            **located(url),
        }
        for url, feed_id in found.items()
    ]
    if rows:
        connection.execute(upsert(connection.engine, pages).on_conflict_do_nothing(), rows)


def _enter_pages(connection: Connection, found: Sequence[RestoredFeed]) -> dict[str, int]:
    """Enter the pages that entries link to; returns the ids of all of them, by the key of the link."""
    wanted = _wanted(found)
    joined = aliases.keys_of(connection, wanted)
    known = _known(connection, {*wanted, *(other for keys in joined.values() for other in keys)})
    fresh: dict[str, dict[str, Any]] = {}
    of_link: dict[str, str] = {}
    shared: set[str] = set()
    for key, row in wanted.items():
        others = [other for other in joined.get(key, ()) if other in known or other in fresh]
        kept_first = sorted(others, key=lambda other: not known.get(other, _NO_PAGE)[1])
        there = key if key in known or key in fresh else next(iter(kept_first), key)
        of_link[key] = there
        if there not in known:
            before = fresh.setdefault(there, row)
            before["shared"] = before["shared"] or row["shared"]
        elif row["shared"]:
            shared.add(there)
    if fresh:
        connection.execute(upsert(connection.engine, pages).on_conflict_do_nothing(), list(fresh.values()))
        known |= _known(connection, fresh)
    for part in in_parts(sorted(shared)):
        connection.execute(update(pages).where(pages.c.key.in_(part)).values(shared=True))
    adopted = [
        {"of": of_link[key], "feed": row["feed_id"], "now": row["due"]}
        for key, row in wanted.items()
        if known[of_link[key]][2] is None
    ]
    if adopted:  # its subscription was removed, or a person asked for the page itself: the feed adopts it
        change = update(pages).where(pages.c.key == bindparam("of"), pages.c.feed_id.is_(None))
        due = bindparam("now", type_=pages.c.due.type)
        connection.execute(change.values(feed_id=bindparam("feed"), due=func.coalesce(pages.c.due, due)), adopted)
    return {key: known[there][0] for key, there in of_link.items()}


_NO_PAGE: tuple[int, bool, int | None] = (0, False, None)


def _wanted(found: Sequence[RestoredFeed]) -> dict[str, dict[str, Any]]:
    """Rows of the pages that entries link to, by key."""
    wanted: dict[str, dict[str, Any]] = {}
    for feed in found:
        for entry in feed.entries:
            for url in entry.urls:
                key = page_key(url)
                row = wanted.setdefault(
                    key,
                    {
                        "key": key,
                        "feed_id": feed.visit.feed_id,
                        "kept": False,
                        "backfill": False,
                        "shared": False,
                        "first_seen": entry.first_seen,
                        "due": entry.at,
                        "failures": 0,
                        "checks": 0,
                    },
                )
                row["first_seen"] = min(row["first_seen"], entry.first_seen)
                row["shared"] = row["shared"] or entry.seen.address is not None
                if entry.at >= row["due"]:
                    row.update(due=entry.at, **located(url))
    return wanted


def _known(connection: Connection, keys: Iterable[str]) -> dict[str, tuple[int, bool, int | None]]:
    """Id, whether it is archived, and feed of each known page, by key."""
    found: dict[str, tuple[int, bool, int | None]] = {}
    for part in in_parts(keys):
        query = select(pages.c.key, pages.c.id, pages.c.kept, pages.c.feed_id).where(pages.c.key.in_(part))
        found.update((row.key, (row.id, row.kept, row.feed_id)) for row in connection.execute(query))
    return found


def _enter_texts(connection: Connection, texts: Mapping[str, RestoredText]) -> None:
    rows = [
        {
            "key": post_key(address),
            "feed_id": text.feed_id,
            "first_seen": text.at,
            "backfill": False,
            "failures": 0,
            "checks": 0,
            "due": None,
            "kept": True,
            "source": text.source,
            "visited": text.at,
            "alive": text.at,
            **located(address),
        }
        for address, text in texts.items()
    ]
    if rows:
        insert = upsert(connection.engine, pages)
        change = {name: insert.excluded[name] for name in ("kept", "source", "visited", "alive")}
        connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_=change), rows)

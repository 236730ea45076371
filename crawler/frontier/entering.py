"""Entries of a document, and the pages that they link to, as a visit enters them.

However many entries there are, the number of statements is the same: what is known is read at once, the entries are
gone through in memory, and what has changed is written at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from archive.index import aliases
from archive.index.aliases import Alias
from archive.runtime.database import in_parts, update_all, upsert_all
from archive.runtime.times import is_recent
from archive.warc.page_identity import page_key, post_key
from crawler.frontier import unsaved
from crawler.frontier.seen import NO_VALIDATORS, entry_of, facts_of, located
from crawler.frontier.tables import entries, pages
from crawler.model.visits import FeedVisit, ListingVisit, SeenEntry, Source

_HOUR = timedelta(hours=1)


def enter(
    connection: Connection, visit: FeedVisit | ListingVisit, *, backfill: bool = False, late: bool = False
) -> None:
    """Enter the entries of a document with their pages, and the posts that have their words in the feed alone.

    Args:
        connection: A transaction.
        visit: Of the feed, or of a listing of its backfill.
        backfill: It is a listing, whose statements about an entry must not replace those of the feed.
        late: Only what nobody knows yet is added.
    """
    if not visit.entries:
        return
    if not late:
        _move_pages(connection, visit)
    known = _Pages(connection, {page_key(one.url) for one in visit.entries if one.url})
    links = [known.enter(one, visit, backfill=backfill, late=late) if one.url else None for one in visit.entries]
    known.write(connection)
    _enter_entries(connection, visit, links, backfill=backfill, late=late)
    texts = dict(visit.texts) if isinstance(visit, FeedVisit) else {}
    addresses = [one.address for one in visit.entries if one.address is not None and one.address in texts]
    enter_texts(connection, visit.feed_id, visit.at, [(one, texts[one]) for one in addresses], late=late)


def enter_texts(
    connection: Connection,
    feed_id: int | None,
    at: datetime,
    texts: Iterable[tuple[str, Source]],
    *,
    late: bool = False,
) -> None:
    """Store that posts with addresses of their own have texts now. Such posts have no visits of their own.

    Args:
        connection: A transaction.
        feed_id: Their feed.
        at: When their texts were captured.
        texts: Address and source of each.
        late: Known ones stay as they are.
    """
    wanted = {post_key(address): (address, source) for address, source in texts}
    if not wanted:
        return
    known = _known(connection, wanted)
    shown: dict[str, Any] = {"kept": True, "visited": at, "alive": at}
    rows = [
        {
            "key": key,
            "feed_id": feed_id,
            "first_seen": at,
            "backfill": False,
            "failures": 0,
            "checks": 0,
            "due": None,
            "source": source,
            **located(address),
            **shown,
        }
        for key, (address, source) in wanted.items()
        if key not in known
    ]
    upsert_all(connection, pages, rows, keys=("key",), change=() if late else (*shown, "source"))
    if not late:
        update_all(connection, pages, [{"key": key, "source": wanted[key][1], **shown} for key in known], by="key")


def _enter_entries(
    connection: Connection,
    visit: FeedVisit | ListingVisit,
    links: Sequence[Mapping[str, Any] | None],
    *,
    backfill: bool,
    late: bool,
) -> None:
    """Enter what the document states about the entries; each of them with its page, if it has one."""
    rows: dict[str, dict[str, Any]] = {}
    for one, page in zip(visit.entries, links, strict=True):
        if one.id is None and backfill:
            continue  # a bare URL says nothing about its post
        row = {
            "feed_id": visit.feed_id,
            "key": one.key,
            "first_seen": visit.at,
            "id": one.id,
            "page_id": page["id"] if page is not None else None,
            "digest": one.digest,
            "address": one.address,
            "record": visit.record,
            "seen": visit.at,
            **facts_of(one.entry),
        }
        if backfill or late:
            rows.setdefault(one.key, row)
        else:
            rows[one.key] = row
    names = () if backfill or late else ("id", "page_id", "digest", "address", "record", "seen", "facts", "markup")
    upsert_all(connection, entries, list(rows.values()), keys=("feed_id", "key"), change=names)


def _move_pages(connection: Connection, visit: FeedVisit | ListingVisit) -> None:
    """Give pages their new URLs if their entries have kept ids and titles and changed their links."""
    changed = {one.key: one for one in visit.entries if one.known and one.url and one.address is None}
    rows = [row for row in _pages_of(connection, visit.feed_id, changed) if _has_moved(row, changed[row.entry])]
    if not rows:
        return
    taken = _known(connection, {page_key(changed[row.entry].url or "") for row in rows})
    now = {row.id: (row.url, row.key) for row in rows}
    moved: dict[int, dict[str, Any]] = {}
    found: list[Alias] = []
    for row in rows:
        url = changed[row.entry].url or ""
        before, key = now[row.id]
        if key == page_key(url):
            continue
        if visit.record is not None:
            found.append(Alias(url=before, target=url, kind="id", proof=visit.record, since=visit.at))
        if page_key(url) not in taken:
            taken.add(page_key(url))
            now[row.id] = (url, page_key(url))
            moved[row.id] = {"id": row.id, "key": page_key(url), **located(url), **NO_VALIDATORS}
    unsaved.note(connection, "alias", aliases.enter(connection, found))
    update_all(connection, pages, moved.values())


def _known(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Those of some keys that pages have."""
    query = select(pages.c.key)
    return {key for part in in_parts(keys) for key in connection.scalars(query.where(pages.c.key.in_(part)))}


def _pages_of(connection: Connection, feed_id: int, changed: Mapping[str, SeenEntry]) -> list[Row[Any]]:
    """Pages of entries of a feed, in the order of the document."""
    found: dict[str, Row[Any]] = {}
    query = select(pages.c.id, pages.c.url, pages.c.key, entries.c.key.label("entry"), entries.c.facts)
    query = query.join(entries, entries.c.page_id == pages.c.id)
    for part in in_parts(changed):
        of_entry = (entries.c.feed_id == feed_id) & entries.c.key.in_(part) & entries.c.address.is_(None)
        rows: list[Any] = list(connection.execute(query.where(of_entry, ~pages.c.shared)))
        found.update((row.entry, row) for row in rows)
    return [found[key] for key in changed if key in found]


def _has_moved(row: Row[Any], seen: SeenEntry) -> bool:
    if row.key == page_key(seen.url or ""):
        return False
    before = entry_of(row.facts, None)
    return before is not None and (before.title or "") == (seen.entry.title or "")


class _Pages:
    """The pages that the entries of a document link to, as one entry after another changes them."""

    def __init__(self, connection: Connection, keys: Iterable[str]) -> None:
        self._by_key: dict[str, dict[str, Any]] = {}
        self._fresh: list[dict[str, Any]] = []
        self._changed: dict[int, dict[str, Any]] = {}
        wanted = sorted(keys)
        self._read(connection, wanted)
        unknown = [key for key in wanted if key not in self._by_key]
        self._joined = aliases.keys_of(connection, unknown)
        self._read(connection, sorted({other for others in self._joined.values() for other in others}))

    def enter(
        self, seen: SeenEntry, visit: FeedVisit | ListingVisit, *, backfill: bool, late: bool
    ) -> Mapping[str, Any]:
        """The row of an entry's page, with what this entry changes of it; it has an id once it is written."""
        url = seen.url or ""
        known = page_key(url)
        row = self._row(known)
        if row is None:
            row = self._by_key[known] = {
                "key": known,
                "feed_id": visit.feed_id,
                **located(url),
                **NO_VALIDATORS,
                "kept": False,
                "backfill": backfill,
                "shared": seen.address is not None,
                "first_seen": visit.at,
                "due": (seen.later or visit.at) if seen.fetch else None,
                "failures": 0,
                "checks": 0,
            }
            self._fresh.append(row)
        elif not late:
            changes = dict(_changes(row, seen, visit, backfill=backfill))
            row.update(changes)
            if "id" in row:
                self._changed.setdefault(row["id"], {"id": row["id"]}).update(changes)
        return row

    def write(self, connection: Connection) -> None:
        """Write new pages, which get their ids, and the changes of known ones."""
        upsert_all(connection, pages, self._fresh)
        fresh = {row["key"]: row for row in self._fresh}
        for part in in_parts(fresh):
            for row in connection.execute(select(pages.c.key, pages.c.id).where(pages.c.key.in_(part))):
                fresh[row.key]["id"] = row.id
        update_all(connection, pages, [row for row in self._changed.values() if len(row) > 1])

    def _row(self, key: str) -> dict[str, Any] | None:
        """The page with that key, else an archived one whose address evidence has joined with it, else any of these."""
        others = [self._by_key[other] for other in self._joined.get(key, ()) if other in self._by_key]
        return self._by_key.get(key) or next((row for row in others if row["kept"]), next(iter(others), None))

    def _read(self, connection: Connection, keys: Iterable[str]) -> None:
        for part in in_parts(keys):
            query = select(*(pages.c[name] for name in _READ)).where(pages.c.key.in_(part))
            self._by_key.update((row.key, dict(row._mapping)) for row in connection.execute(query))  # noqa: SLF001  SQLAlchemy's documented name


_READ = ("id", "key", "url", "feed_id", "kept", "shared", "due", "looks", "looks_since")


def _changes(
    row: Mapping[str, Any], seen: SeenEntry, visit: FeedVisit | ListingVisit, *, backfill: bool
) -> Iterator[tuple[str, Any]]:
    """Columns of a known page that an entry changes."""
    url, at = seen.url or "", visit.at
    if seen.address is not None and not row["shared"]:
        yield "shared", True
    if row["feed_id"] is None:
        # Its subscription was removed, or a person asked for the page itself: this feed adopts it.
        yield "feed_id", visit.feed_id
        yield "due", row["due"] or at
    if seen.fetch and not backfill:
        yield "due", seen.later or at
        yield "backfill", False
        if row["key"] == page_key(url):  # it may now be under https, or under another host name
            if url != row["url"]:
                yield from NO_VALIDATORS.items()
            yield from located(url).items()
        if row["kept"] and seen.later is None:
            yield from _looked(row, at).items()


def _looked(row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Count a visit of an archived page that an entry has caused."""
    if row["looks_since"] is None or not is_recent(row["looks_since"], at, _HOUR):
        return {"looks": 1, "looks_since": at}
    return {"looks": row["looks"] + 1}

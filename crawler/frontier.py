"""The frontier: subscriptions, what is due, what was seen. Everything here can be made anew from the archive."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import tldextract
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    delete,
    func,
    select,
    update,
)

from archive.database import Instant, Seconds, Words, connect, migrate, transaction, upsert
from archive.text import Entry
from crawler.visit import SHARDS, Feed, FeedVisit, Page, PageVisit, Shard, Subscription

REVISION = "0002"
_PART = 500
"""Rows of one query: SQLite takes a limited number of parameters."""

metadata = MetaData()

_VISITS: tuple[tuple[str, Any], ...] = (
    ("etag", Words),
    ("last_modified", Words),
    ("status", Integer),
    ("error", Words),
)

feeds = Table(
    "feeds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", Words, nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("shard", Integer, nullable=False),
    Column("title", Words),
    Column("site", Words),
    Column("paused", Boolean, nullable=False, default=False),
    Column("added", Instant, nullable=False),
    Column("visited", Instant),
    Column("due", Instant, nullable=False),
    *(Column(name, kind) for name, kind in _VISITS),
    Column("failures", Integer, nullable=False, default=0),
    Column("rhythm", Seconds),
    Column("moved_to", Words),
    Column("moved_since", Instant),
    Column("moved_times", Integer, nullable=False, default=0),
)

seeds = Table(
    "seeds",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("feed_id", Integer, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("url", Words, nullable=False),
)

pages = Table(
    "pages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", Words, nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("feed_id", Integer, ForeignKey("feeds.id", ondelete="SET NULL")),
    Column("shard", Integer, nullable=False),
    Column("kept", Boolean, nullable=False, default=False),
    Column("first_seen", Instant, nullable=False),
    Column("visited", Instant),
    Column("due", Instant),
    *(Column(name, kind) for name, kind in _VISITS),
    Column("failures", Integer, nullable=False, default=0),
)

entries = Table(
    "entries",
    metadata,
    Column("feed_id", Integer, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("id", Words),
    Column("page_id", BigInteger, ForeignKey("pages.id")),
    Column("digest", String(64), nullable=False),
    Column("facts", Words, nullable=False),
    Column("first_seen", Instant, nullable=False),
)


holds = Table(
    "holds",
    metadata,
    Column("scope", String(255), primary_key=True),
    Column("until", Instant, nullable=False),
)


class Frontier:
    """What is due, and what was seen."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, database: str) -> Frontier:
        """Open the database, making or upgrading its tables.

        Raises:
            ArchiveError: The database cannot be used.
        """
        frontier = cls(connect(database))
        migrate(frontier._engine, "crawler", REVISION)
        return frontier

    # -- subscriptions

    def subscribe(self, url: str, *, seed: str | None, now: datetime) -> Feed:
        """Remember a feed, and the URL that a person gave for it; known ones stay as they are."""
        with transaction(self._engine) as connection:
            connection.execute(
                upsert(self._engine, feeds)
                .values(url=url, key=key(url), shard=shard(url), paused=False, added=now, due=now, failures=0)
                .on_conflict_do_nothing()
            )
            feed_id = connection.execute(select(feeds.c.id).where(feeds.c.key == key(url))).scalar_one()
            for name in {url, seed or url}:
                connection.execute(
                    upsert(self._engine, seeds)
                    .values(key=key(name), feed_id=feed_id, url=name)
                    .on_conflict_do_nothing()
                )
            return _feed(connection.execute(select(feeds).where(feeds.c.id == feed_id)).one())

    def subscriptions(self) -> list[Subscription]:
        """All subscriptions in the order in which they were added, with the URLs that people gave."""
        given: dict[int, list[str]] = {}
        with transaction(self._engine, reads=True) as connection:
            for row in connection.execute(select(seeds.c.feed_id, seeds.c.url).order_by(seeds.c.url)):
                given.setdefault(row.feed_id, []).append(row.url)
            rows = list(connection.execute(select(feeds).order_by(feeds.c.added, feeds.c.id)))
        return [
            Subscription(
                url=row.url,
                title=row.title,
                site=row.site,
                paused=row.paused,
                added=row.added,
                seeds=tuple(given.get(row.id, ())),
            )
            for row in rows
        ]

    def restore(self, subscription: Subscription) -> Feed:
        """Subscribe as it was."""
        feed = self.subscribe(subscription.url, seed=None, now=subscription.added)
        for seed in subscription.seeds:
            self.subscribe(subscription.url, seed=seed, now=subscription.added)
        with transaction(self._engine) as connection:
            for column, value in ((feeds.c.title, subscription.title), (feeds.c.site, subscription.site)):
                connection.execute(
                    update(feeds).where(feeds.c.id == feed.id, column.is_(None)).values({column.name: value})
                )
        if subscription.paused:
            self.pause(subscription.url, paused=True)
        return feed

    def feeds(self) -> list[Feed]:
        """All subscriptions in the order in which they were added, with the number of posts kept."""
        kept = (
            select(pages.c.feed_id, func.count().label("kept")).where(pages.c.kept).group_by(pages.c.feed_id).subquery()
        )
        query = (
            select(feeds, func.coalesce(kept.c.kept, 0).label("kept"))
            .outerjoin(kept, kept.c.feed_id == feeds.c.id)
            .order_by(feeds.c.added, feeds.c.id)
        )
        with transaction(self._engine, reads=True) as connection:
            return [_feed(row) for row in connection.execute(query)]

    def find(self, url: str) -> list[Feed]:
        """The feeds behind a URL: itself one, or what a person meant by it."""
        query = select(feeds).join(seeds).where(seeds.c.key == key(url)).order_by(feeds.c.id)
        with transaction(self._engine, reads=True) as connection:
            return [_feed(row) for row in connection.execute(query)]

    def pause(self, url: str, *, paused: bool) -> int:
        """Pause or resume the feeds behind a URL; tells how many there are."""
        ids = [feed.id for feed in self.find(url)]
        with transaction(self._engine) as connection:
            connection.execute(update(feeds).where(feeds.c.id.in_(ids)).values(paused=paused))
        return len(ids)

    def remove(self, url: str) -> int:
        """End the subscription of the feeds behind a URL; what is archived stays. Tells how many there were."""
        ids = [feed.id for feed in self.find(url)]
        with transaction(self._engine) as connection:
            connection.execute(update(pages).where(pages.c.feed_id.in_(ids), ~pages.c.kept).values(due=None))
            connection.execute(delete(feeds).where(feeds.c.id.in_(ids)))
        return len(ids)

    # -- what is due

    def due_feeds(self, now: datetime | None, part: Shard | None = None) -> Iterator[Feed]:
        """Feeds to visit, the longest due first; all that are not paused where `now` is None."""
        query = select(feeds).where(~feeds.c.paused).order_by(feeds.c.due, feeds.c.id)
        if now is not None:
            query = query.where(feeds.c.due <= now)
        if part is not None:
            query = query.where(feeds.c.shard % part.count == part.index)
        for row in self._all(query):
            yield _feed(row)

    def due_pages(
        self, now: datetime, *, part: Shard | None = None, feed_ids: Sequence[int] | None = None
    ) -> Iterator[Page]:
        """Pages to fetch, the longest due first; of paused feeds none."""
        query = (
            select(pages, entries.c.facts)
            .outerjoin(feeds, feeds.c.id == pages.c.feed_id)
            .outerjoin(entries, entries.c.page_id == pages.c.id)
            .where(pages.c.due <= now, ~func.coalesce(feeds.c.paused, False))
            .order_by(pages.c.due, pages.c.id)
        )
        if part is not None:
            query = query.where(pages.c.shard % part.count == part.index)
        if feed_ids is not None:
            query = query.where(pages.c.feed_id.in_(feed_ids))
        seen: set[str] = set()  # a page that two feeds show comes once for each
        for row in self._all(query):
            if row.key not in seen:
                seen.add(row.key)
                yield _page(row)

    # -- what was seen

    def digests(self, feed_id: int, keys: Iterable[str]) -> dict[str, str]:
        """Digest of each of these entries of a feed that is known."""
        found: dict[str, str] = {}
        with transaction(self._engine, reads=True) as connection:
            for part in _parts(keys):
                query = select(entries.c.key, entries.c.digest).where(
                    entries.c.feed_id == feed_id, entries.c.key.in_(part)
                )
                found.update((row.key, row.digest) for row in connection.execute(query))
        return found

    def pages(self, urls: Iterable[str]) -> dict[str, Page]:
        """Each of these pages that is known, by its URL."""
        found: dict[str, Page] = {}
        with transaction(self._engine, reads=True) as connection:
            for part in _parts(key(url) for url in urls):
                for row in connection.execute(select(pages).where(pages.c.key.in_(part))):
                    found[row.url] = _page(row)
        return found

    def commit(self, visits: Sequence[FeedVisit], fetched: Sequence[PageVisit]) -> None:
        """Remember visits, all or none; only after the captures they rest on are committed."""
        with transaction(self._engine) as connection:
            for visit in visits:
                self._visit_feed(connection, visit)
            for page in fetched:
                self._visit_page(connection, page)

    def _visit_feed(self, connection: Connection, visit: FeedVisit) -> None:
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
        }
        kept = (("title", visit.title), ("site", visit.site), ("rhythm", visit.rhythm))
        values.update({k: v for k, v in kept if v is not None})
        if visit.url:
            values.update(self._move(connection, visit.feed_id, visit.url))
        changed = connection.execute(update(feeds).where(feeds.c.id == visit.feed_id).values(**values))
        if not changed.rowcount:  # the subscription was removed meanwhile
            return
        for seen in visit.entries:
            page_id = None
            if seen.url:
                connection.execute(
                    upsert(self._engine, pages)
                    .values(
                        url=seen.url,
                        key=key(seen.url),
                        feed_id=visit.feed_id,
                        shard=shard(seen.url),
                        kept=False,
                        first_seen=visit.at,
                        due=visit.at if seen.fetch else None,
                        failures=0,
                    )
                    .on_conflict_do_nothing()
                )
                if seen.fetch:
                    connection.execute(update(pages).where(pages.c.key == key(seen.url)).values(due=visit.at))
                page_id = connection.execute(select(pages.c.id).where(pages.c.key == key(seen.url))).scalar_one()
            values = {"id": seen.id, "page_id": page_id, "digest": seen.digest, "facts": _facts(seen.entry)}
            connection.execute(
                upsert(self._engine, entries)
                .values(feed_id=visit.feed_id, key=seen.key, first_seen=visit.at, **values)
                .on_conflict_do_update(index_elements=["feed_id", "key"], set_=values)
            )

    def _move(self, connection: Connection, feed_id: int, url: str) -> dict[str, Any]:
        """A feed lies elsewhere now; its old URL stays a name for it. None of it if another subscription lies there."""
        if connection.execute(select(feeds.c.id).where(feeds.c.key == key(url))).first():
            return {}
        connection.execute(
            upsert(self._engine, seeds).values(key=key(url), feed_id=feed_id, url=url).on_conflict_do_nothing()
        )
        return {"url": url, "key": key(url), "shard": shard(url)}

    # -- who asked to be left alone

    def hold(self, scope: str, until: datetime) -> None:
        """Remember that nothing of a scope may be asked before an instant; the latest one holds."""
        with transaction(self._engine) as connection:
            connection.execute(
                upsert(self._engine, holds)
                .values(scope=scope, until=until)
                .on_conflict_do_update(index_elements=["scope"], set_={"until": until}, where=holds.c.until < until)
            )

    def holds(self, now: datetime) -> dict[str, datetime]:
        """Scopes that may not be asked yet, and until when; what is over is forgotten."""
        with transaction(self._engine) as connection:
            connection.execute(delete(holds).where(holds.c.until <= now))
            return {row.scope: row.until for row in connection.execute(select(holds))}

    def _visit_page(self, connection: Connection, visit: PageVisit) -> None:
        values: dict[str, Any] = {
            "visited": visit.at,
            "due": visit.due,
            "status": visit.status,
            "error": visit.error,
            "failures": visit.failures,
            "etag": visit.etag,
            "last_modified": visit.last_modified,
            **({"kept": True} if visit.kept else {}),
        }
        connection.execute(update(pages).where(pages.c.key == key(visit.url)).values(**values))

    def _all(self, query: Any) -> Iterator[Row[Any]]:  # noqa: ANN401  any SELECT
        with transaction(self._engine, reads=True) as connection:
            rows = connection.execute(query).all()
        yield from rows


def key(url: str) -> str:
    """SHA-256 of a URL: of one length, so that any database can index it."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def shard(url: str) -> int:
    """Number of a URL's registrable domain, or of its host where it has none: one host is always in one shard."""
    return _host_shard(urlsplit(url).hostname or "")


@lru_cache(maxsize=65_536)
def _host_shard(host: str) -> int:
    return zlib.crc32(registrable_domain(host).encode()) % SHARDS


def registrable_domain(host: str) -> str:
    """What one may register of a host's name; the host itself where that cannot be told."""
    return _suffixes()(host).top_domain_under_public_suffix or host


@lru_cache(maxsize=1)
def _suffixes() -> tldextract.TLDExtract:
    """The public suffix list that tldextract ships; nothing is fetched."""
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def _parts(keys: Iterable[str]) -> Iterator[list[str]]:
    found = list(keys)
    for start in range(0, len(found), _PART):
        yield found[start : start + _PART]


def _facts(entry: Entry) -> str:
    return json.dumps(
        {
            "title": entry.title,
            "author": entry.author,
            "published": entry.published.isoformat() if entry.published else None,
            "modified": entry.modified.isoformat() if entry.modified else None,
            "tags": entry.tags,
            "language": entry.language,
        },
        ensure_ascii=False,
    )


def _entry(facts: str) -> Entry:
    said = json.loads(facts)
    return Entry(
        title=said["title"],
        author=said["author"],
        published=datetime.fromisoformat(said["published"]) if said["published"] else None,
        modified=datetime.fromisoformat(said["modified"]) if said["modified"] else None,
        tags=tuple(said["tags"]),
        language=said.get("language"),
    )


def _feed(row: Row[Any]) -> Feed:
    found = row._mapping  # noqa: SLF001  SQLAlchemy's documented name
    return Feed(**{name: found[name] for name in Feed.__slots__ if name in found})


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
        entry=_entry(facts) if facts else None,
    )

"""The frontier: subscriptions, what is due, what was seen. Everything here can be made anew from the archive."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, delete, func, or_, select, tuple_, update

from archive.extract.text import Entry
from archive.runtime.database import connect, make_private, migrate, optimize, transaction, upsert
from crawler.frontier import alarms, backfills
from crawler.frontier import deletions as ledger
from crawler.frontier.claims import claim
from crawler.frontier.deletions import Deletion
from crawler.frontier.tables import REVISION, claims, credentials, entries, feeds, holds, pages, seeds
from crawler.frontier.tables import alarms as alarm_rows
from crawler.model.url_identity import host_of, key, page_key, shard
from crawler.model.visits import (
    Alarm,
    Due,
    Feed,
    FeedVisit,
    ListingVisit,
    Page,
    PageVisit,
    SeenEntry,
    Shard,
    Subscription,
)
from crawler.net.credentials import Credentials, Origins, bare, origin, split

_PART = 500
"""Rows of one query: SQLite takes a limited number of parameters."""
AT_ONCE = 1_000
"""Feeds or pages that are taken at a time."""
_FEED_FIELDS = frozenset(Feed.__slots__)
_DAY = timedelta(days=1)
_CLOCK_SLACK = timedelta(minutes=10)
_ALARMS_KEPT = timedelta(days=90)
Place = tuple[datetime, int] | None
"""Where in the order of what is due a list goes on."""


class Frontier:
    """What is due, and what was seen."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The database, for what else the crawler keeps in it."""
        return self._engine

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
        """Remember a feed, and the URL that a person gave for it; known ones stay as they are.

        No name or password is remembered with a URL; `entrust` takes them.
        """
        url, seed = bare(url), bare(seed) if seed else None
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
                unverified=row.unverified,
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
        if subscription.unverified:
            self.trust(subscription.url, unverified=True)
        return feed

    def entrust(self, url: str) -> tuple[str, Credentials | None]:
        """Remember the name and password in a URL for its origin; gives the URL without them, and them."""
        without, given = split(url)
        if given is not None:
            row = {"origin": given.origin, "user": given.user, "password": given.password}
            with transaction(self._engine) as connection:
                connection.execute(
                    upsert(self._engine, credentials)
                    .values(row)
                    .on_conflict_do_update(index_elements=["origin"], set_=row)
                )
            make_private(self._engine)
        return without, given

    def origins(self) -> Origins:
        """What people gave for origins."""
        with transaction(self._engine, reads=True) as connection:
            given = [
                Credentials(origin=row.origin, user=row.user, password=row.password)
                for row in connection.execute(select(credentials))
            ]
            unverified = [host_of(url) for url in connection.scalars(select(feeds.c.url).where(feeds.c.unverified))]
        return Origins(given, unverified)

    def trust(self, url: str, *, unverified: bool) -> int:
        """Whether certificates are taken as they are for the feeds behind a URL; tells how many there are."""
        ids = [feed.id for feed in self.find(url)]
        with transaction(self._engine) as connection:
            connection.execute(update(feeds).where(feeds.c.id.in_(ids)).values(unverified=unverified))
        return len(ids)

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
        query = select(feeds).join(seeds).where(seeds.c.key == key(bare(url))).order_by(feeds.c.id)
        with transaction(self._engine, reads=True) as connection:
            return [_feed(row) for row in connection.execute(query)]

    def feed_ids(self, urls: Iterable[str]) -> tuple[int, ...]:
        """Ids of the feeds behind URLs."""
        return tuple(dict.fromkeys(feed.id for url in urls for feed in self.find(url)))

    def site(self, feed_id: int | None) -> str | None:
        """Front page of the blog that a feed names."""
        with transaction(self._engine, reads=True) as connection:
            found: str | None = connection.execute(select(feeds.c.site).where(feeds.c.id == feed_id)).scalar()
        return found

    def subscription(self, feed_id: int) -> Feed | None:
        """A feed by its id."""
        with transaction(self._engine, reads=True) as connection:
            row = connection.execute(select(feeds).where(feeds.c.id == feed_id)).first()
        return _feed(row) if row else None

    def pause(self, url: str, *, paused: bool) -> int:
        """Pause or resume the feeds behind a URL; tells how many there are."""
        ids = [feed.id for feed in self.find(url)]
        with transaction(self._engine) as connection:
            connection.execute(update(feeds).where(feeds.c.id.in_(ids)).values(paused=paused))
        return len(ids)

    def remove(self, url: str) -> int:
        """End the subscription of the feeds behind a URL; what is archived stays. Tells how many there were."""
        found = self.find(url)
        ids = [feed.id for feed in found]
        with transaction(self._engine) as connection:
            connection.execute(update(pages).where(pages.c.feed_id.in_(ids), ~pages.c.kept).values(due=None))
            connection.execute(delete(feeds).where(feeds.c.id.in_(ids)))
            alarms.forget(connection, [feed.url for feed in found])
            others = {origin(one) for one in connection.scalars(select(feeds.c.url))}
            over = {origin(feed.url) for feed in found} - others
            connection.execute(delete(credentials).where(credentials.c.origin.in_(over)))
        return len(ids)

    # -- what is due

    def due_feeds(self, now: datetime | None, part: Shard | None = None) -> Iterator[Feed]:
        """Feeds to visit, the longest due first; all that are not paused where `now` is None."""
        with transaction(self._engine, reads=True) as connection:
            rows = connection.execute(_due_feeds(now, part)).all()
        yield from (_feed(row) for row in rows)

    def claim_feeds(self, due: Due, after: Place = None, limit: int = AT_ONCE) -> tuple[list[Feed], Place]:
        """Due feeds whose hosts are this run's from now on, the longest due first, and where to go on.

        Args:
            due: What is wanted, and who claims it.
            after: Where the list before ended.
            limit: Feeds looked at; those on other runs' hosts are left out.

        Raises:
            DatabaseError: The database failed.
        """
        query = _due_feeds(None if due.force else due.now, due.part).limit(limit)
        if after:
            query = query.where(tuple_(feeds.c.due, feeds.c.id) > after)
        if due.held_only:
            query = query.where(feeds.c.shard.in_(_held(due)))
        with transaction(self._engine) as connection:
            rows = connection.execute(query).all()
            ours = claim(connection, {row.shard for row in rows}, due.holder, now=due.now, until=due.until)
        place = (rows[-1].due, rows[-1].id) if rows else None
        return [_feed(row) for row in rows if row.shard in ours], place

    def due_pages(
        self, now: datetime, *, part: Shard | None = None, feed_ids: Sequence[int] | None = None
    ) -> Iterator[Page]:
        """Pages to fetch, held or not, the longest due first; of paused feeds none."""
        with transaction(self._engine, reads=True) as connection:
            rows = connection.execute(_due_pages(now, part, feed_ids)).all()
        yield from _each_once(rows)

    def claim_pages(self, due: Due, after: Place = None, limit: int = AT_ONCE) -> tuple[list[Page], Place]:
        """Due pages on hosts that are this run's from now on, the longest due first, and where to go on.

        Of pages that are held no more come for one host than `due.budget` allows within a day.
        """
        wanted = _due_pages(due.now, due.part, due.feed_ids)
        if due.held is not None:
            wanted = wanted.where(pages.c.kept == due.held)
        if due.backfill is not None:
            wanted = wanted.where(or_(pages.c.backfill == due.backfill, pages.c.kept))
        if due.held_only:
            wanted = wanted.where(pages.c.shard.in_(_held(due)))
        if due.without:
            wanted = wanted.where(or_(pages.c.kept, pages.c.shard.not_in(due.without)))
        if due.budget is not None:
            wanted = wanted.where(or_(~pages.c.kept, pages.c.id.in_(_within_budget(due.now, due.budget))))
        if after:
            wanted = wanted.where(tuple_(pages.c.due, pages.c.id) > after)
        with transaction(self._engine) as connection:
            rows = connection.execute(wanted.limit(limit)).all()
            ours = claim(connection, {row.shard for row in rows}, due.holder, now=due.now, until=due.until)
        place = (rows[-1].due, rows[-1].id) if rows else None
        return list(_each_once(row for row in rows if row.shard in ours)), place

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
        wanted: dict[str, list[str]] = {}
        for url in urls:
            wanted.setdefault(page_key(url), []).append(url)
        with transaction(self._engine, reads=True) as connection:
            for part in _parts(list(wanted)):
                for row in connection.execute(select(pages).where(pages.c.key.in_(part))):
                    found.update((url, _page(row)) for url in wanted[row.key])
        return found

    def known(self, feed_id: int, keys: Iterable[str], urls: Iterable[str]) -> tuple[dict[str, str], dict[str, Page]]:
        """What is known of a feed document: digests of its entries by key, and the pages of its entries by URL."""
        return self.digests(feed_id, keys), self.pages(urls)

    def kept(self, url: str | None = None) -> Iterator[Page]:
        """Pages that are held, with what their entries say: all of them, or that of a URL."""
        query = (
            select(pages, entries.c.facts, entries.c.markup)
            .outerjoin(entries, entries.c.page_id == pages.c.id)
            .where(pages.c.kept)
            .order_by(pages.c.id)
        )
        if url is not None:
            query = query.where(pages.c.key == page_key(url))
        after = -1
        while True:
            with transaction(self._engine, reads=True) as connection:
                rows = connection.execute(query.where(pages.c.id > after).limit(AT_ONCE)).all()
            if not rows:
                return
            yield from _each_once(rows)
            after = rows[-1].id

    def commit(
        self, visits: Sequence[FeedVisit], fetched: Sequence[PageVisit], listed: Sequence[ListingVisit] = ()
    ) -> None:
        """Remember visits, all or none; only after the captures they rest on are committed."""
        with transaction(self._engine) as connection:
            for visit in visits:
                self._visit_feed(connection, visit)
            for found in listed:
                if backfills.visited(connection, self._engine, found):
                    self._seen(connection, found.feed_id, found.at, found.entries, backfill=True)
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
            "fresh": visit.fresh,
        }
        kept = ("title", "site", "rhythm", "whole", "shown", "media", "news")
        values.update({name: getattr(visit, name) for name in kept if getattr(visit, name) is not None})
        if visit.shown is not None:
            values.update(hub=visit.hub, topic=visit.topic, every=visit.every, skips=visit.skips)
        if visit.url:
            values.update(self._move(connection, visit.feed_id, visit.url))
        changed = connection.execute(update(feeds).where(feeds.c.id == visit.feed_id).values(**values))
        if not changed.rowcount:  # the subscription was removed meanwhile
            return
        url = connection.execute(select(feeds.c.url).where(feeds.c.id == visit.feed_id)).scalar_one()
        alarms.judge(connection, self._engine, url, at=visit.at, judged=visit.judged, raised=visit.alarms)
        if visit.gap:
            backfills.ask(connection, self._engine, visit.feed_id, at=visit.at, why="gap", shown=visit.shown)
            detail = "posts may have come and gone between two visits; a backfill looks for them"
            alarms.raise_alarm(connection, self._engine, url, Alarm(kind="gap", detail=detail), at=visit.at)
        self._seen(connection, visit.feed_id, visit.at, visit.entries, backfill=False)

    def _seen(
        self, connection: Connection, feed_id: int, at: datetime, seen: Sequence[SeenEntry], *, backfill: bool
    ) -> None:
        for one in seen:
            page_id = self._seen_page(connection, feed_id, at, one, backfill=backfill) if one.url else None
            if one.id is None and backfill:
                continue  # an address in a list says nothing of its post
            values = {"id": one.id, "page_id": page_id, "digest": one.digest, **_facts(one.entry)}
            insert = upsert(self._engine, entries).values(feed_id=feed_id, key=one.key, first_seen=at, **values)
            # What a listing says of an entry is not what the feed says of it, so that the feed's word stands.
            connection.execute(
                insert.on_conflict_do_nothing()
                if backfill
                else insert.on_conflict_do_update(index_elements=["feed_id", "key"], set_=values)
            )

    def _seen_page(self, connection: Connection, feed_id: int, at: datetime, seen: SeenEntry, *, backfill: bool) -> int:
        url = seen.url or ""
        known = page_key(url)
        connection.execute(
            upsert(self._engine, pages)
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
        if seen.fetch:
            changes: dict[str, Any] = {"due": at} if not backfill else {}
            if not backfill:  # it may be under https, or at another host's name for it, from now on
                changes.update(url=url, shard=shard(url), host=host_of(url), backfill=False)
            if changes:
                connection.execute(update(pages).where(pages.c.key == known).values(**changes))
        found: int = connection.execute(select(pages.c.id).where(pages.c.key == known)).scalar_one()
        return found

    def _move(self, connection: Connection, feed_id: int, url: str) -> dict[str, Any]:
        """A feed lies elsewhere now; its old URL stays a name for it. It joins another subscription that lies there."""
        there = connection.execute(select(feeds.c.id).where(feeds.c.key == key(url))).scalar()
        if there is not None:
            self._join(connection, feed_id, there)
            return {}
        connection.execute(
            upsert(self._engine, seeds).values(key=key(url), feed_id=feed_id, url=url).on_conflict_do_nothing()
        )
        before = connection.execute(select(feeds.c.url).where(feeds.c.id == feed_id)).scalar()
        if before is not None:
            alarms.move(connection, before, url)
        return {"url": url, "key": key(url), "shard": shard(url)}

    def _join(self, connection: Connection, feed_id: int, other: int) -> None:
        """Two subscriptions turned out to be one feed, which is asked for once (and what they had is kept)."""
        for row in connection.execute(select(seeds.c.url).where(seeds.c.feed_id == feed_id)).all():
            connection.execute(
                upsert(self._engine, seeds)
                .values(key=key(row.url), feed_id=other, url=row.url)
                .on_conflict_do_nothing()
            )
        connection.execute(update(pages).where(pages.c.feed_id == feed_id).values(feed_id=other))
        gone = connection.execute(select(feeds.c.url).where(feeds.c.id == feed_id)).scalar()
        connection.execute(delete(feeds).where(feeds.c.id == feed_id))
        alarms.forget(connection, [gone] if gone else [])

    # -- what is gone

    def deletions(self, *, since: datetime | None = None) -> list[Deletion]:
        """The deletion ledger, or what was entered or restored since an instant."""
        return ledger.read(self._engine, since=since)

    def enter_deletions(self, found: Iterable[Deletion]) -> None:
        """Enter deletions as they were."""
        ledger.enter(self._engine, found)

    # -- order

    def tidy(self, now: datetime) -> None:
        """Forget what is over, and bring back what a clock that was ahead has put into the future."""
        with transaction(self._engine) as connection:
            connection.execute(delete(holds).where(holds.c.until <= now))
            connection.execute(delete(claims).where(claims.c.until <= now))
            connection.execute(delete(alarm_rows).where(alarm_rows.c.ended < now - _ALARMS_KEPT))
            for table in (feeds, pages):
                ahead = table.c.visited > now + _CLOCK_SLACK
                connection.execute(update(table).where(ahead).values(visited=now, due=now))
        optimize(self._engine)

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
        known = page_key(visit.url)
        ledger.note(connection, self._engine, known, visit)
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
        if visit.kept and visit.error is None:  # else its text failed, and may be made another time
            of_page = entries.c.page_id.in_(select(pages.c.id).where(pages.c.key == known))
            connection.execute(update(entries).where(of_page, entries.c.markup.is_not(None)).values(markup=None))


def _due_feeds(now: datetime | None, part: Shard | None) -> Select[Any]:
    query = select(feeds).where(~feeds.c.paused).order_by(feeds.c.due, feeds.c.id)
    if now is not None:
        query = query.where(feeds.c.due <= now)
    return query if part is None else query.where(feeds.c.shard % part.count == part.index)


def _due_pages(now: datetime, part: Shard | None, feed_ids: Sequence[int] | None) -> Select[Any]:
    query = (
        select(pages, entries.c.facts, entries.c.markup)
        .outerjoin(feeds, feeds.c.id == pages.c.feed_id)
        .outerjoin(entries, entries.c.page_id == pages.c.id)
        .where(pages.c.due <= now, ~func.coalesce(feeds.c.paused, False))
        .order_by(pages.c.due, pages.c.id)
    )
    if part is not None:
        query = query.where(pages.c.shard % part.count == part.index)
    return query if feed_ids is None else query.where(pages.c.feed_id.in_(feed_ids))


def _held(due: Due) -> Select[Any]:
    """Shards that a run holds."""
    return select(claims.c.shard).where(claims.c.holder == due.holder)


def _within_budget(now: datetime, budget: int) -> Select[Any]:
    """Of the held pages that are due, as many of each host as its budget for a day still allows."""
    spent = (
        select(pages.c.host, func.count().label("spent"))
        .where(pages.c.visited > now - _DAY, pages.c.checks > 0)
        .group_by(pages.c.host)
        .subquery()
    )
    number = func.row_number().over(partition_by=pages.c.host, order_by=(pages.c.due, pages.c.id)).label("number")
    due = select(pages.c.id, pages.c.host, number).where(pages.c.kept, pages.c.due <= now).subquery()
    return (
        select(due.c.id)
        .outerjoin(spent, spent.c.host == due.c.host)
        .where(due.c.number <= budget - func.coalesce(spent.c.spent, 0))
    )


def _each_once(rows: Iterable[Row[Any]]) -> Iterator[Page]:
    """Each page once, though each feed that shows it has a row."""
    seen: set[str] = set()
    for row in rows:
        if row.key not in seen:
            seen.add(row.key)
            yield _page(row)


def _parts(keys: Iterable[str]) -> Iterator[list[str]]:
    found = list(keys)
    for start in range(0, len(found), _PART):
        yield found[start : start + _PART]


def _facts(entry: Entry) -> dict[str, str | None]:
    """Columns of an entry; its markup is apart, since it is kept only until its page is."""
    said = entry.as_json()
    markup = said.pop("html", None)
    return {"facts": json.dumps(said, ensure_ascii=False), "markup": str(markup) if markup else None}


def _entry(facts: str, markup: str | None) -> Entry | None:
    return Entry.from_json({**json.loads(facts), "html": markup})


def _feed(row: Row[Any]) -> Feed:
    found = row._asdict()
    return Feed(**{name: found[name] for name in found.keys() & _FEED_FIELDS})


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

"""The frontier: subscriptions, what is due, what was seen; `pressmark reindex` rebuilds it from the archive."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, func, select, update

from archive.index import aliases as page_aliases
from archive.index.aliases import Alias
from archive.index.index import Index
from archive.index.writing import IndexWriter
from archive.reader.vanished import EVERY, Wanted
from archive.runtime.database import connect, database_time, make_private, migrate, optimize, transaction, upsert
from archive.runtime.times import CLOCK_TOLERANCE
from crawler.decide.freshness import LONGEST as LONGEST_HOLD
from crawler.frontier import counts, healing, machines, named, refused, seen, subscriptions, visiting
from crawler.frontier import deletions as ledger
from crawler.frontier import due as due_now
from crawler.frontier.counts import Counts
from crawler.frontier.deletions import Deletion
from crawler.frontier.due import Epochs, PagePlace, Place
from crawler.frontier.healing import Healing
from crawler.frontier.late import Late
from crawler.frontier.subscriptions import Added
from crawler.frontier.tables import REVISION, alarms, deletions, feeds, holds, pages
from crawler.model.visits import Due, Feed, FeedPost, FeedVisit, ListingVisit, Page, PageVisit, Subscription, Visit
from crawler.net.credentials import Credentials, Origins, split

__all__ = ["AT_ONCE", "Epochs", "Frontier", "PagePlace", "Place"]

log = logging.getLogger(__name__)

AT_ONCE = 1_000
"""Number of feeds or pages claimed at a time."""
COUNTED = 100_000
"""Up to which what is due is counted."""
ALARMS_KEPT = timedelta(days=90)


class Frontier:
    """What is due, and what was seen: each method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The database, for other tables of the crawler in it."""
        return self._engine

    @classmethod
    def open(cls, database: str) -> Frontier:
        """Open the database, creating or upgrading its tables.

        Raises:
            ArchiveError: The database cannot be used.
        """
        frontier = cls(connect(database))
        IndexWriter(Index(frontier._engine)).prepare()  # aliases are in the index
        migrate(frontier._engine, "crawler", REVISION)
        return frontier

    # -- subscriptions

    def subscribe(
        self, url: str, *, seed: str | None, now: datetime, listing: str | None = None, site: str | None = None
    ) -> Feed:
        """Add a feed, or a listing that is read as one, and the URL that a person gave; known ones stay unchanged.

        Credentials in a URL are removed; `entrust` stores them.
        """
        with transaction(self._engine) as connection:
            return subscriptions.subscribe(connection, url, seed=seed, now=now, listing=listing, site=site)

    def subscriptions(self, keys: Iterable[str] | None = None) -> list[Subscription]:
        """All subscriptions in the order in which they were added, or those of feeds with these keys."""
        with transaction(self._engine, reads=True) as connection:
            return subscriptions.every(connection, keys)

    def restore(self, found: Iterable[Subscription]) -> list[Feed]:
        """Subscribe with the title, site, seeds and state of stored subscriptions; each feed once."""
        with transaction(self._engine) as connection:
            feeds_of = [subscriptions.restore(connection, one) for one in found]
        return list({feed.id: feed for feed in feeds_of}.values())

    def entrust(self, url: str) -> tuple[str, Credentials | None]:
        """Store the credentials in a URL for its origin; returns the URL without them, and them."""
        without, given = split(url)
        if given is not None:
            with transaction(self._engine) as connection:
                subscriptions.store_credentials(connection, given)
            make_private(self._engine)
        return without, given

    def origins(self) -> Origins:
        """Credentials, and the hosts whose certificates are not verified."""
        with transaction(self._engine, reads=True) as connection:
            return subscriptions.origins(connection)

    def trust(self, url: str, *, unverified: bool) -> int:
        """Stop or resume verifying certificates for the feeds behind a URL; returns how many there are."""
        with transaction(self._engine) as connection:
            return subscriptions.change(connection, url, unverified=unverified)

    def feeds(self, *, after: Added | None = None, limit: int | None = None) -> list[Feed]:
        """Feeds in the order in which they were added, with the numbers of posts archived and refused.

        Args:
            after: When the last feed of the previous part was added, and its id.
            limit: Maximum number of feeds; None: all.
        """
        with transaction(self._engine, reads=True) as connection:
            return subscriptions.with_posts_kept(connection, after=after, limit=limit)

    def each_feed(self) -> Iterator[Feed]:
        """All feeds, like `feeds`; each part of the list is a transaction."""
        after: Added | None = None
        while found := self.feeds(after=after, limit=AT_ONCE):
            yield from found
            after = (found[-1].added, found[-1].id)

    def newest_feed(self) -> int:
        """The id of the feed that was added last; 0 if there is none. Later ones have higher ids."""
        with transaction(self._engine, reads=True) as connection:
            return connection.execute(select(func.max(feeds.c.id))).scalar() or 0

    def feed(self, feed_id: int) -> Feed | None:
        """A feed by its id, with the numbers of posts archived and refused."""
        with transaction(self._engine, reads=True) as connection:
            return next(iter(subscriptions.with_posts_kept(connection, feed_id=feed_id)), None)

    def counts(self) -> Counts:
        """How many feeds, pages, deletions and alarms there are."""
        with transaction(self._engine, reads=True) as connection:
            return counts.read(connection)

    def find(self, url: str) -> list[Feed]:
        """The feeds behind a URL: the feed with that URL, and those that a person subscribed to by it."""
        with transaction(self._engine, reads=True) as connection:
            return subscriptions.find(connection, url)

    def feed_ids(self, urls: Iterable[str]) -> tuple[int, ...]:
        """Ids of the feeds behind URLs."""
        return tuple(dict.fromkeys(feed.id for url in urls for feed in self.find(url)))

    def site(self, feed_id: int | None) -> str | None:
        """The front page that a feed states."""
        with transaction(self._engine, reads=True) as connection:
            return subscriptions.site(connection, feed_id)

    def subscription(self, feed_id: int) -> Feed | None:
        """A feed by its id."""
        with transaction(self._engine, reads=True) as connection:
            return subscriptions.get(connection, feed_id)

    def pause(self, url: str, *, paused: bool) -> int:
        """Pause or resume the feeds behind a URL; returns how many there are."""
        with transaction(self._engine) as connection:
            return subscriptions.change(connection, url, paused=paused)

    def remove(self, url: str) -> int:
        """Unsubscribe from the feeds behind a URL; what is archived stays. Returns how many there were."""
        with transaction(self._engine) as connection:
            return subscriptions.remove(connection, url)

    # -- what is due

    def claim_feeds(self, due: Due, after: Place = None, limit: int = AT_ONCE) -> tuple[list[Feed], Place, Epochs]:
        """Claim the hosts of due feeds for this run.

        Returns the feeds, longest due first; where to continue; and the epochs of the claims, by shard.

        Args:
            due: What is wanted, and who claims it.
            after: Where the previous list ended.
            limit: Feeds examined; those on hosts that other runs have claimed are left out.

        Raises:
            DatabaseError: The database failed.
        """
        with transaction(self._engine) as connection:
            return due_now.claim_feeds(connection, due, after, limit)

    def claim_pages(
        self, due: Due, after: PagePlace | None = None, limit: int = AT_ONCE
    ) -> tuple[list[Page], PagePlace | None, Epochs]:
        """Claim the hosts of due pages for this run, like `claim_feeds`.

        It returns no more archived pages of one host than `due.budget` allows within a day. Of these, new posts that
        were never visited again come first, the newest first: older ones, however many, cannot keep them waiting.
        """
        with transaction(self._engine) as connection:
            return due_now.claim_pages(connection, due, after, limit)

    def count_due(self, due: Due, limit: int = COUNTED) -> tuple[int, int]:
        """How many feeds and pages are due, whoever has claimed their hosts; each is counted up to a limit."""
        with transaction(self._engine, reads=True) as connection:
            return due_now.count(connection, due, limit)

    # -- what was seen

    def pages(self, urls: Iterable[str]) -> dict[str, Page]:
        """Each of these pages that is known, by its URL."""
        with transaction(self._engine, reads=True) as connection:
            return seen.pages_by_url(connection, urls)

    def known(
        self, feed_id: int, keys: Iterable[str], shown: Mapping[str, tuple[str, str | None]]
    ) -> tuple[dict[str, str], dict[str, Page]]:
        """What is known of a feed document: digests of its entries by key, and the pages of its entries by URL.

        Args:
            feed_id: The feed.
            keys: Of its entries.
            shown: URL of its page and title of each entry that has a page, by key.
        """
        with transaction(self._engine, reads=True) as connection:
            return seen.digests(connection, feed_id, keys), seen.pages_of_entries(connection, feed_id, shown)

    def posts_of(self, page: Page) -> tuple[FeedPost, ...]:
        """The posts with addresses of their own that link to a page, newest first."""
        with transaction(self._engine, reads=True) as connection:
            return seen.posts_of(connection, page)

    def page(self, url: str) -> Page | None:
        """The page at a URL, with its entry in a feed; None if it is not known."""
        with transaction(self._engine, reads=True) as connection:
            return named.page(connection, url)

    def enter(self, url: str, now: datetime, *, feed_id: int | None = None) -> Page:
        """The page at a URL, which is added as a post if it is not known: of a feed, or on its own."""
        with transaction(self._engine) as connection:
            return named.enter(connection, url, now, feed_id=feed_id)

    def kept(self, url: str | None = None) -> Iterator[Page]:
        """Archived pages with their entries: all, or the one of a URL. Each part of the list is a transaction."""
        after = -1
        while True:
            with transaction(self._engine, reads=True) as connection:
                rows = seen.kept_pages(connection, url, after=after, limit=AT_ONCE)
            if not rows:
                return
            yield from seen.each_page_once(rows)
            after = rows[-1].id

    def commit(
        self,
        visits: Sequence[FeedVisit],
        fetched: Sequence[PageVisit],
        listed: Sequence[ListingVisit] = (),
        *,
        now: datetime | None = None,
    ) -> list[Visit]:
        """Store visits atomically; call it only after the captures they refer to are committed.

        Args:
            visits: Of feeds.
            fetched: Of pages.
            listed: Of listings.
            now: The current time; by default the database's.

        Returns:
            The late ones, which changed nothing of what is known; see `crawler.frontier.late`.
        """
        with transaction(self._engine) as connection:
            now = now or database_time(connection)
            late = Late(connection, [*visits, *fetched, *listed], now=now)
            for visit, is_late in late.each(visits):
                visiting.visit_feed(connection, visit, late=is_late)
            for listing, is_late in late.each(listed):
                visiting.visit_listing(connection, listing, late=is_late)
            in_time = []
            for page, is_late in late.each(fetched):
                if is_late:
                    visiting.visit_page_late(connection, page)
                else:
                    in_time.append(page)
            visiting.visit_pages(connection, in_time)
            refused.judge(connection, in_time)
        for one in late.found:
            log.warning("visit came late, newer is known target=%s at=%s", _target(one), one.at.isoformat())
        return late.found

    # -- deleted posts

    def deletions(self, pages: Iterable[str] | None = None, *, wanted: Wanted = EVERY) -> list[Deletion]:
        """The deletion ledger, or its entries that are wanted, or about the pages with these keys."""
        return ledger.read(self._engine, pages, wanted)

    def enter_deletions(self, found: Iterable[Deletion]) -> None:
        """Enter deletions unchanged."""
        ledger.enter(self._engine, found)

    # -- addresses of one page

    def aliases(self, pages: Iterable[str] | None = None) -> list[Alias]:
        """The evidence that addresses are one page, or that about the pages with these keys."""
        return page_aliases.proofs(self._engine, pages)

    def enter_aliases(self, found: Iterable[Alias]) -> None:
        """Enter evidence that addresses are one page."""
        with transaction(self._engine) as connection:
            page_aliases.enter(connection, found)

    # -- maintenance

    def heal(self, now: datetime) -> Healing:
        """Let pages and feeds whose payloads the store has lost be fetched again; each loss counts once."""
        with transaction(self._engine, reads=True) as connection:
            if not healing.is_wanted(connection):
                return Healing(pages=0, feeds=0)
        with transaction(self._engine) as connection:
            return healing.heal(connection, now)

    def tidy(self, now: datetime, *, alarms_kept: timedelta = ALARMS_KEPT) -> None:
        """Delete expired rows, and correct what a fast clock has dated into the future.

        Args:
            now: The current time.
            alarms_kept: How long alarms are kept after their end.
        """
        with transaction(self._engine) as connection:
            connection.execute(delete(holds).where(_expired(now)))
            connection.execute(delete(alarms).where(alarms.c.ended < now - alarms_kept))
            machines.forget(connection)
        self.take_back(now)
        optimize(self._engine)

    def take_back(self, now: datetime, *, longest: timedelta | None = None) -> None:
        """Correct what a clock that was ahead has dated into the future: visited and due now, so that it heals.

        Args:
            now: The current time.
            longest: No visit is due later than this after now by the rules; None: not asked.
        """
        latest = now + CLOCK_TOLERANCE
        with transaction(self._engine) as connection:
            for table in (feeds, pages):
                connection.execute(update(table).where(table.c.visited > latest).values(visited=now, due=now))
                if longest is not None:
                    connection.execute(update(table).where(table.c.due > latest + longest).values(due=now))
            for column in (feeds.c.added, feeds.c.whole, feeds.c.news, feeds.c.moved_since, deletions.c.restored):
                connection.execute(update(column.table).where(column > latest).values({column: now}))
            still = deletions.c.restored.is_(None)
            connection.execute(update(deletions).where(still, deletions.c.since > latest).values(since=now))

    # -- Retry-After

    def hold(self, scope: str, until: datetime) -> None:
        """Store a Retry-After: nothing of this scope is requested before an instant; the latest one wins."""
        with transaction(self._engine) as connection:
            connection.execute(
                upsert(self._engine, holds)
                .values(scope=scope, until=until)
                .on_conflict_do_update(index_elements=["scope"], set_={"until": until}, where=holds.c.until < until)
            )

    def holds(self, now: datetime) -> dict[str, datetime]:
        """Scopes that may not be requested yet, and until when; expired ones are deleted."""
        with transaction(self._engine) as connection:
            connection.execute(delete(holds).where(_expired(now)))
            return {row.scope: row.until for row in connection.execute(select(holds))}


def _expired(now: datetime) -> ColumnElement[bool]:
    """Holds that have ended, or that end later than a server can ask for: a clock that was ahead has dated them."""
    return (holds.c.until <= now) | (holds.c.until > now + LONGEST_HOLD + CLOCK_TOLERANCE)


def _target(visit: Visit) -> str:
    return f"feed {visit.feed_id}" if isinstance(visit, FeedVisit) else visit.url

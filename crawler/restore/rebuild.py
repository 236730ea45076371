"""Rebuilds the frontier from the archive: subscriptions from its state objects, entries and pages from captures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from archive.archive import Archive
from archive.index.in_bulk import captures_by_page, originals_of, own_texts
from archive.runtime.database import bulk, transaction
from archive.runtime.worker_pool import WorkerPool
from archive.warc.page_identity import page_key, post_key
from crawler.decide.freshness import Pace
from crawler.feeds.model import ParsedFeed
from crawler.frontier import restoring
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier
from crawler.frontier.restoring import RestoredFeed, RestoredText
from crawler.model.visits import Feed, Source
from crawler.restore import feed_history, page_history, store_state
from crawler.restore.found_posts import found_posts

T = TypeVar("T")

_FEEDS = 50
"""Feeds of one transaction."""
_PAGES = 500
"""Pages of one transaction."""
_MANY = 2_000
"""Captures from which on feeds are parsed in processes of their own."""


class Rebuild:
    """One rebuild of the frontier. The index must be complete; whoever makes it excludes crawls, and closes it.

    Failures are not restored: whatever could not be fetched is tried again.
    """

    def __init__(self, archive: Archive, frontier: Frontier, *, pace: Pace, plan: Sequence[timedelta]) -> None:
        """Nothing is read yet.

        Args:
            archive: Has the captures.
            frontier: Of the same database.
            pace: The operator's.
            plan: Waits between the visits of an archived page.
        """
        self._archive = archive
        self._frontier = frontier
        self._pace = pace
        self._plan = plan
        self._pool: WorkerPool | None = None
        self._ledger: dict[str, dict[datetime, Deletion]] = {}

    def run(self, now: datetime) -> int:
        """Restore subscriptions, seen entries, archived pages and deletions; returns how many subscriptions there are.

        Raises:
            ArchiveError: Store or database failed.
            FeedError: The stored subscriptions cannot be read.
        """
        archive, frontier = self._archive, self._frontier
        subscriptions = store_state.subscriptions(archive.store, now=now)
        if subscriptions is None:
            return 0
        with bulk(frontier.engine), bulk(archive.index.engine):
            frontier.enter_aliases(dict.fromkeys(store_state.aliases(archive.store)))
            for one in store_state.deletions(archive.store):  # the object written last shows whether it was restored
                self._ledger.setdefault(one.key, {})[one.since] = one
            feeds = [feed for part in _parts(subscriptions, _PAGES) for feed in frontier.restore(part)]
            entered: set[str] = set()
            for of_transaction in _parts(feeds, _FEEDS):
                entered |= self._feeds(of_transaction)
            # What backfills and people have found stands in no feed; only its captures show that it was a post.
            for posts in _parts(found_posts(archive, frontier.feeds(), entered), _PAGES):
                of_feed = {post.url: post.feed_id for post in posts}
                with transaction(frontier.engine) as connection:
                    restoring.enter_posts(connection, of_feed, now)
                self._pages(of_feed)
            frontier.enter_deletions(one for known in self._ledger.values() for one in known.values())
        return len(subscriptions)

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.close()

    def _feeds(self, feeds: Sequence[Feed]) -> set[str]:
        """Enter some feeds and the pages that they link to; returns the keys of these."""
        by_page = captures_by_page(self._archive.index, {page_key(feed.url) for feed in feeds})
        originals = originals_of(self._archive.index, by_page)
        run = self._runner(sum(map(len, by_page.values())))
        begun = []
        for feed in feeds:
            rows = [row for row in by_page.get(page_key(feed.url), ()) if row.url == feed.url]
            finals = page_history.final_captures(self._archive, rows, originals)
            begun.append((feed, feed_history.begin(self._archive, feed, finals, run)))
        ended = (feed_history.end(self._archive, feed, visits, pace=self._pace) for feed, visits in begun)
        found = [one for one in ended if one is not None]
        posts = self._posts(found)
        with transaction(self._frontier.engine) as connection:
            restoring.enter_feeds(connection, found, posts)
        of_feed: dict[str, int | None] = {}
        for one in found:
            for entry in one.entries:
                of_feed.update((url, one.visit.feed_id) for url in entry.urls)
        entered: set[str] = set()
        for part in _parts(of_feed.items(), _PAGES):
            entered |= self._pages(dict(part))
        return entered

    def _posts(self, feeds: Iterable[RestoredFeed]) -> dict[str, RestoredText]:
        """The posts with addresses of their own that have a text, by address."""
        wanted = {
            post_key(entry.seen.address): (entry.seen.address, feed.visit.feed_id)
            for feed in feeds
            for entry in feed.entries
            if entry.seen.address
        }
        found: dict[str, RestoredText] = {}
        for key, (made_from, at) in own_texts(self._archive.index, wanted).items():
            address, feed_id = wanted[key]
            source: Source = "feed" if made_from == "feed" else "page"
            found[address] = RestoredText(feed_id=feed_id, source=source, at=at)
        return found

    def _pages(self, of_feed: Mapping[str, int | None]) -> set[str]:
        """Enter what the captures of pages show; returns the keys of these pages and of those they led to."""
        found, lost = [], []
        entered: set[str] = set()
        for history in page_history.histories(self._archive, list(of_feed)):
            known = self._ledger.get(page_key(history.url), {}).values()
            page, deletions = page_history.restored(history, of_feed[history.url], plan=self._plan, ledger=list(known))
            entered |= {page_key(history.url), *(page_key(final.url) for _, final in history.rows)}
            lost += deletions
            if page is not None:
                found.append(page)
        with transaction(self._frontier.engine) as connection:
            restoring.enter_page_visits(connection, found, lost)
        return entered

    def _runner(self, captures: int) -> Callable[..., Future[ParsedFeed | None]]:
        """What parses documents: processes if there is much to do."""
        if self._pool is None and captures < _MANY:
            return _at_once
        if self._pool is None:
            settings = self._archive.settings
            preload = ["crawler.restore.feed_history", "crawler.feeds.reading", "babel.dates"]
            self._pool = WorkerPool(workers=settings.extract_workers, limits=settings.extract_limits, preload=preload)
        return self._pool.submit


def _at_once(function: Callable[..., T], **values: Any) -> Future[T]:  # noqa: ANN401  the function's own
    future: Future[T] = Future()
    future.set_result(function(**values))
    return future


def _parts(found: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(found)
    while part := list(islice(left, size)):
        yield part

"""Counts of feeds, posts and deletions agree with the rows, whatever is done to these; lists of feeds come in parts."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import case, delete, func, or_, select, update

from archive.extract.text import Entry
from archive.runtime.database import transaction
from crawler.frontier import alarms
from crawler.frontier.frontier import Frontier
from crawler.frontier.refused import REFUSED
from crawler.frontier.tables import deletions, feed_tallies, feeds, pages
from crawler.model.visits import Alarm, FeedVisit, PageVisit, SeenEntry

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


class Crawl:
    """A frontier to which random things happen."""

    def __init__(self, frontier: Frontier, chance: random.Random) -> None:
        self.frontier = frontier
        self.chance = chance
        self.at = T0

    def _now(self) -> datetime:
        self.at += HOUR
        return self.at

    def _url(self) -> str:
        return f"http://blog{self.chance.randrange(4)}.example/{self.chance.randrange(6)}"

    def subscribe(self) -> None:
        self.frontier.subscribe(f"http://blog{self.chance.randrange(4)}.example/feed", seed=None, now=self._now())

    def remove(self) -> None:
        self.frontier.remove(f"http://blog{self.chance.randrange(4)}.example/feed")

    def visit_feed(self) -> None:
        known = self.frontier.feeds()
        if not known:
            return
        feed, at = self.chance.choice(known), self._now()
        entries = []
        for number in range(4):
            url = self._url()
            one = SeenEntry(
                key=f"{number}{url}"[:64], id=f"{number}", digest="d", url=url, entry=Entry(title="T"), fetch=True
            )
            if self.chance.random() < 0.3:
                one = replace(one, address=f"{url}#{number}")
            entries.append(one)
        texts: Any = tuple((one.address, "feed") for one in entries if one.address)
        other = self.chance.choice([None, None, self.chance.choice(known).url])
        visit = FeedVisit(
            feed_id=feed.id, at=at, due=at, status=200, error=self.chance.choice([None, "x"]), failures=0, etag=None,
            last_modified=None, entries=tuple(entries), texts=texts, record="r", url=other,
        )  # fmt: skip
        self.frontier.commit([visit], [], now=at)

    def visit_pages(self) -> None:
        at = self._now()
        visits = []
        for url in {self._url() for _ in range(4)}:
            kept = self.chance.random() < 0.5
            visit = PageVisit(
                url=url, feed_id=None, at=at, due=at, kept=kept, status=200, error=None if kept else "status 403",
                failures=0 if kept else 1, etag=None, last_modified=None,
                verdict=None if kept else self.chance.choice([None, "wall", "media"]),
                source=self.chance.choice(["page", "feed", None]), gone=None if kept else self.chance.choice(["gone", None]),
            )  # fmt: skip
            visits.append(visit)
        self.frontier.commit([], visits, now=at)

    def forget(self) -> None:
        with transaction(self.frontier.engine) as connection:
            some = select(pages.c.id).where(pages.c.feed_id.is_(None)).limit(1)
            used = select(func.count()).select_from(deletions)
            connection.execute(used)
            connection.execute(update(pages).where(pages.c.id.in_(some)).values(source=None, kept=False))
            first = select(func.min(deletions.c.since)).scalar_subquery()
            connection.execute(delete(deletions).where(deletions.c.since == first))


def agree(frontier: Frontier) -> None:
    counts = frontier.counts()
    with transaction(frontier.engine, reads=True) as connection:
        kept = func.sum(case((or_(pages.c.kept, pages.c.source.is_not(None)), 1), else_=0))
        refused = func.sum(case((REFUSED, 1), else_=0))
        query = select(pages.c.feed_id, kept, refused).where(pages.c.feed_id.is_not(None)).group_by(pages.c.feed_id)
        counted = {number: (int(had), int(lost)) for number, had, lost in connection.execute(query)}
        held = {row.feed_id: (row.kept, row.refused) for row in connection.execute(select(feed_tallies))}
        rows = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (feeds, pages)
        }
        vanished = select(func.count()).select_from(deletions).where(deletions.c.restored.is_(None))
        assert counts.vanished == connection.execute(vanished).scalar_one()
    assert (counts.feeds, counts.pages) == (rows["feeds"], rows["pages"])
    nothing = (0, 0)
    assert {key: some for key, some in held.items() if some != nothing} == {
        key: some for key, some in counted.items() if some != nothing
    }


@pytest.mark.parametrize("seed", range(4))
def test_counts_agree_with_the_rows_after_whatever_is_done(frontier: Frontier, seed: int) -> None:
    crawl = Crawl(frontier, random.Random(seed))
    actions: list[Callable[[], None]] = [
        crawl.subscribe, crawl.remove, crawl.visit_feed, crawl.visit_feed, crawl.visit_pages, crawl.visit_pages,
        crawl.forget,
    ]  # fmt: skip
    for _ in range(40):
        crawl.chance.choice(actions)()
        agree(frontier)
    assert frontier.counts().pages > 0


def test_feeds_come_in_parts_in_the_order_in_which_they_were_added(frontier: Frontier) -> None:
    added = [frontier.subscribe(f"http://blog{n}.example/feed", seed=None, now=T0 - n % 2 * HOUR) for n in range(7)]
    found, after = [], None
    while part := frontier.feeds(after=after, limit=3):
        found += part
        after = (part[-1].added, part[-1].id)
    assert [feed.id for feed in found] == [feed.id for feed in sorted(added, key=lambda one: (one.added, one.id))]
    assert found == frontier.feeds() == list(frontier.each_feed())
    assert frontier.feed(added[3].id) == found[[one.id for one in found].index(added[3].id)]
    assert frontier.newest_feed() == added[-1].id


def test_feeds_with_problems_are_counted_once(frontier: Frontier) -> None:
    some = [frontier.subscribe(f"http://blog{n}.example/feed", seed=None, now=T0) for n in range(4)]
    visit = FeedVisit(
        feed_id=some[0].id, at=T0, due=T0 - HOUR, status=500, error="x", failures=1, etag=None, last_modified=None
    )
    frontier.commit([visit], [], now=T0)
    for subject in (some[0].url, some[1].url, "job backup"):
        alarms.about(frontier.engine, subject, Alarm(kind="silent", detail="d"), kind="silent", at=T0)
    frontier.pause(some[2].url, paused=True)
    counts = frontier.counts()
    assert (counts.feeds, counts.ill, counts.failing, counts.paused, counts.alarms) == (4, 2, 1, 1, 3)
    assert counts.longest_due == T0 - HOUR
    assert set(alarms.by_subject(frontier.engine, [some[1].url, some[3].url])) == {some[1].url}

"""Posts that leave their feed, and blogs that are away as a whole: what the ledger says of them, and what it does not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from conftest import Home
from sample.prose import POST as PROSE
from sample.prose import p
from sample.server import Answer, Site
from sample.visits import feed_visit, page_visit
from sqlalchemy import select

from archive.warc.page_identity import page_key
from crawler.decide.departures import Shown, taken_out
from crawler.decide.entries import seen_entries
from crawler.decide.freshness import Pace
from crawler.feeds.model import FeedEntry, FeedInfo, ParsedFeed
from crawler.frontier.frontier import Frontier
from crawler.frontier.tables import pages
from crawler.frontier.told_ledger import ledger_of

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PACE = Pace(least=timedelta(hours=1))
URL = "http://blog.example/feed"


def dated(*days: int) -> dict[str, Shown]:
    return {str(n): Shown(first_seen=T0, published=T0 + n * DAY) for n in days}


@pytest.mark.parametrize(
    ("before", "now", "wanted"),
    [
        ([9, 8, 7, 6, 5], [9, 8, 7, 6, 5], set()),
        ([9, 8, 7, 6, 5], [10, 9, 8, 7, 6], set()),
        ([9, 8, 7, 6, 5], [12, 11, 9, 8, 7], set()),
        ([9, 8, 7, 6, 5], [9, 8, 6, 5], {7}),
        ([9, 8, 7, 6, 5], [10, 9, 7, 6, 5], {8}),
        ([9, 8, 7, 6, 5], [9, 8, 7, 5], set()),  # one older one may have been moved
        ([1, 9, 8, 7, 6, 5], [1, 10, 9, 8, 7, 6], set()),  # 1 is pinned
        ([1, 2, 9, 8, 7, 6, 5], [1, 2, 10, 9, 8, 7, 6], set()),
        ([5, 6, 7, 8, 9], [5, 6, 7, 9], set()),  # oldest first: nothing shows which would go next
        ([9, 8, 7, 6, 5, 4], [5, 4], set()),  # a feed that was cut
        ([], [3, 2, 1], set()),
        ([9, 8, 7], [], set()),
    ],
)
def test_what_leaves_before_older_ones_was_taken_out(before: list[int], now: list[int], wanted: set[int]) -> None:
    assert set(taken_out(dated(*before), [str(n) for n in now])) == {str(n) for n in wanted}


def test_without_dates_the_order_in_which_they_were_seen_counts() -> None:
    before = {str(n): Shown(first_seen=T0 + n * DAY, published=None) for n in range(5)}
    assert set(taken_out(before, ["4", "2", "1", "0"])) == {"3"}
    together = {str(n): Shown(first_seen=T0, published=None) for n in range(5)}
    assert not taken_out(together, ["4", "2", "1", "0"])


def visit(frontier: Frontier, at: datetime, shown: Sequence[int], **read: object) -> None:
    entries = tuple(
        FeedEntry(id=str(n), link=f"http://blog.example/{n}", title=f"Post {n}", published=T0 - (99 - n) * DAY)
        for n in shown
    )
    feed = frontier.find(URL)[0]
    named = [key for one in entries if (key := one.key)]
    known = frontier.known(feed.id, named, {})[0]
    document = ParsedFeed(feed=FeedInfo(), entries=entries)
    seen = seen_entries(entries, known, {})
    shows = tuple(named)
    done = feed_visit(feed, at=at, pace=PACE, status=200, parsed=document, seen=seen, shows=shows, shared=[True] * len(entries), **read)  # fmt: skip
    frontier.commit([done], [])


def archived(frontier: Frontier, at: datetime, *numbers: int) -> None:
    for n in numbers:
        page = frontier.pages([f"http://blog.example/{n}"])[f"http://blog.example/{n}"]
        frontier.commit([], [page_visit(page, at=at, status=200, plan=(DAY,))])


@pytest.fixture
def frontier(database: str) -> Frontier:
    frontier = Frontier.open(database)
    frontier.subscribe(URL, seed=None, now=T0)
    visit(frontier, T0, range(20, 10, -1))
    archived(frontier, T0, *range(11, 21))
    return frontier


def told(frontier: Frontier) -> list[tuple[str, str, bool]]:
    return [(one.url.rpartition("/")[2], one.kind, one.restored is None) for one in frontier.deletions()]


def test_a_post_taken_out_is_in_the_ledger_and_due_until_it_is_back(frontier: Frontier) -> None:
    visit(frontier, T0 + DAY, [20, 19, 18, 16, 15, 14, 13, 12, 11])
    (one,) = frontier.deletions()
    assert (one.url, one.kind, one.since, one.alive, one.status) == (
        "http://blog.example/17",
        "unlisted",
        T0 + DAY,
        T0,
        None,
    )
    assert not one.missing(T0 + 2 * DAY), "what its page answers is the post all the same"
    assert one.told().line().startswith("not in its feed any more since 2026-05-02")
    archived(frontier, T0 + 2 * DAY, 17)
    assert told(frontier) == [("17", "unlisted", True)], "that its page is there does not bring it back into the feed"
    visit(frontier, T0 + 3 * DAY, range(20, 10, -1))
    assert told(frontier) == [("17", "unlisted", False)]


def test_what_rolls_off_or_was_never_archived_is_not(frontier: Frontier) -> None:
    visit(frontier, T0 + DAY, range(21, 11, -1))
    visit(frontier, T0 + 2 * DAY, [20, *range(19, 11, -1)])  # 21 is not archived
    assert told(frontier) == []


def test_its_page_may_then_turn_out_to_be_gone_and_back(frontier: Frontier) -> None:
    visit(frontier, T0 + DAY, [20, 19, 18, 16, 15, 14, 13, 12, 11])
    url = "http://blog.example/17"
    page = frontier.pages([url])[url]
    frontier.commit([], [page_visit(page, at=T0 + 2 * DAY, status=404, plan=(DAY,), gone="gone")])
    assert told(frontier) == [("17", "unlisted", True), ("17", "gone", True)]
    archived(frontier, T0 + 3 * DAY, 17)
    assert told(frontier) == [("17", "unlisted", True), ("17", "gone", False)]


def fail(frontier: Frontier, at: datetime) -> None:
    feed = frontier.find(URL)[0]
    frontier.commit([feed_visit(feed, at=at, pace=PACE, status=None, error="no such host")], [])


def test_a_blog_is_away_once_its_feed_and_a_page_have_been_for_a_week(frontier: Frontier) -> None:
    for day in range(1, 9):
        fail(frontier, T0 + day * DAY)
    assert told(frontier) == [], "none of its pages was looked at"
    fail(frontier, T0 + 13 * DAY)
    (due,) = [n for n in range(11, 21) if _due(frontier, n) == T0 + 13 * DAY]
    url = f"http://blog.example/{due}"
    page = frontier.pages([url])[url]
    frontier.commit([], [page_visit(page, at=T0 + 14 * DAY, status=None, error="no such host", plan=(DAY,))])
    fail(frontier, T0 + 15 * DAY)
    fail(frontier, T0 + 16 * DAY)
    ledger = ledger_of(frontier.engine)
    (of_post,) = frontier.deletions()
    assert (of_post.kind, of_post.since, of_post.alive) == ("blog", T0 + 15 * DAY, T0)
    every = ledger.of(_keys(frontier))
    assert {one.kind for one in every.values()} == {"blog"}
    assert {one.url for one in every.values()} == {f"http://blog.example/{n}" for n in range(11, 21)}
    visit(frontier, T0 + 17 * DAY, range(20, 10, -1))
    assert all(one.back == T0 + 17 * DAY for one in ledger.of(_keys(frontier)).values())
    away = [ledger.missing(_keys(frontier), T0 + day * DAY).keys() for day in (14, 15, 16, 17)]
    assert away == [set(), every.keys(), every.keys(), set()]


def test_a_blog_whose_pages_answer_is_not_away(frontier: Frontier) -> None:
    for day in range(1, 9):
        fail(frontier, T0 + day * DAY)
    archived(frontier, T0 + 9 * DAY, 15)
    for day in range(14, 20):
        fail(frontier, T0 + day * DAY)
    assert told(frontier) == []


def _keys(frontier: Frontier) -> list[str]:
    return [page_key(f"http://blog.example/{n}") for n in range(11, 21)]


def _due(frontier: Frontier, number: int) -> datetime | None:
    with frontier.engine.connect() as connection:
        return connection.execute(select(pages.c.due).where(pages.c.url == f"http://blog.example/{number}")).scalar()


def test_a_crawl_tells_it_everywhere(home: Home, site: Site) -> None:
    numbers = list(range(1, 7))
    for n in numbers:
        site.pages[f"/{n}"] = Answer(
            f"<title>Post {n}</title><article><h1>Post {n}</h1>{p(*PROSE)}<p>Number {n}.</p></article>".encode()
        )
    site.pages["/feed"] = rss(site, numbers[::-1])
    assert home.crawl(f"url={site.url}/feed").out.startswith("kept 6 new posts")
    site.pages["/feed"] = rss(site, [6, 5, 3, 2, 1])
    site.log.clear()
    assert home.crawl("force=1").code == 0
    url = f"{site.url}/4"
    listed = json.loads(home.pressmark("deletions", "--kind", "unlisted", "--json").out)
    assert (listed["url"], listed["kind"]) == (url, "unlisted")
    text = json.loads(home.pressmark("get", url, "--as", "json").out)
    assert text["vanished"]["kind"] == "unlisted"
    assert "not in its feed any more since" in home.pressmark("get", url).err
    for file in home.path.glob("pressmark.db*"):
        file.unlink()
    assert home.pressmark("reindex").code == 0
    assert json.loads(home.pressmark("deletions", "--json").out)["kind"] == "unlisted"
    with sqlite3.connect(home.path / "pressmark.db") as database:
        assert database.execute("SELECT count(*) FROM entries").fetchone() == (6,)


def rss(site: Site, numbers: Sequence[int]) -> Answer:
    items = "".join(
        f"<item><guid isPermaLink='false'>{n}</guid><link>{site.url}/{n}</link><title>Post {n}</title>"
        f"<pubDate>{format_datetime(T0 - (99 - n) * DAY)}</pubDate></item>"
        for n in numbers
    )
    return Answer(
        f"<rss version='2.0'><channel><title>B</title>{items}</channel></rss>".encode(), "application/rss+xml"
    )

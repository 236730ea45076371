"""Posts that could not be had: they are counted, shown with the reason, and an alarm is raised about many of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Home
from sample.server import Answer, Site

from archive.extract.text import Entry
from crawler.frontier import alarms, refused
from crawler.frontier.feed_json import feed_as_json, state
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Feed, FeedVisit, PageVisit, SeenEntry

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "http://blog.example/feed"


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


def show(frontier: Frontier, numbers: Iterable[int], *, at: datetime = T0) -> Feed:
    """A visit of the feed that shows these posts."""
    feed = frontier.subscribe(URL, seed=None, now=T0)
    entries = tuple(
        SeenEntry(key=str(n), id=str(n), digest="d", url=f"http://blog.example/{n}", entry=Entry(), fetch=True)
        for n in numbers
    )
    visit = FeedVisit(
        feed_id=feed.id, at=at, due=at + HOUR, status=200, error=None, failures=0, etag=None, last_modified=None,
        shown=len(entries), entries=entries,
    )  # fmt: skip
    frontier.commit([visit], [])
    return feed


def ask(frontier: Frontier, feed: Feed, lost: Iterable[int], *, had: Iterable[int] = (), at: datetime = T0) -> None:
    """Visits of pages, of which some cannot be had."""
    frontier.commit(
        [],
        [
            PageVisit(
                url=f"http://blog.example/{n}", feed_id=feed.id, at=at, due=at + HOUR, kept=error is None,
                status=403 if error else 200, error=error, failures=1 if error else 0, etag=None, last_modified=None,
            )
            for numbers, error in ((lost, "answered 403"), (had, None))
            for n in numbers
        ],
    )  # fmt: skip


def standing(frontier: Frontier) -> list[str]:
    return [alarm.kind for alarm in alarms.standing(frontier.engine)]


def test_a_feed_of_which_nothing_can_be_had_is_not_ok(frontier: Frontier) -> None:
    feed = show(frontier, [1, 2])
    ask(frontier, feed, [1, 2])
    [found] = frontier.feeds()
    assert (state(found), found.refused, found.kept) == ("refused", 2, 0)
    assert feed_as_json(found)["posts_refused"] == 2
    assert standing(frontier) == [], "two are not many"
    ask(frontier, feed, [2], had=[1])
    assert state(frontier.feeds()[0]) == "ok"


def test_many_refusals_raise_an_alarm_that_ends_when_posts_can_be_had(frontier: Frontier) -> None:
    feed = show(frontier, range(6))
    ask(frontier, feed, [0, 1], had=[3, 4])
    assert standing(frontier) == []
    ask(frontier, feed, [2])
    assert standing(frontier) == ["refused"]
    assert alarms.standing(frontier.engine)[0].detail.startswith("3 of the 5 posts that it shows could not be had")
    ask(frontier, feed, [], had=[2], at=T0 + HOUR)
    assert standing(frontier) == []


def test_a_few_dead_links_among_many_posts_are_no_alarm(frontier: Frontier) -> None:
    feed = show(frontier, range(20))
    ask(frontier, feed, range(4), had=range(4, 20))
    assert standing(frontier) == []
    assert state(frontier.feeds()[0]) == "ok"


def test_old_refusals_do_not_count_against_what_the_feed_shows_now(frontier: Frontier) -> None:
    feed = show(frontier, range(4))
    ask(frontier, feed, range(4))
    assert standing(frontier) == ["refused"]
    show(frontier, range(10, 14), at=T0 + HOUR)
    ask(frontier, feed, [], had=range(10, 14), at=T0 + HOUR)
    assert (standing(frontier), state(frontier.feeds()[0])) == ([], "ok")


def test_the_newest_are_shown_with_the_reason(frontier: Frontier) -> None:
    feed = show(frontier, range(5))
    ask(frontier, feed, range(5))
    show(frontier, [9], at=T0 + HOUR)
    ask(frontier, feed, [9], at=T0 + HOUR)
    found = refused.newest(frontier.engine, feed.id)
    assert found[0].line() == "http://blog.example/9  answered 403"
    assert len(found) == refused.SHOWN


def test_commands_show_what_could_not_be_had_and_claim_no_more_than_they_know(home: Home, site: Site) -> None:
    items = "".join(f"<item><guid>{n}</guid><link>{site.url}/{n}</link></item>" for n in range(3))
    site.pages["/feed"] = Answer(
        f"<rss><channel><title>B</title>{items}</channel></rss>".encode(), "application/rss+xml"
    )
    site.pages.update({f"/{n}": Answer(b"no", status=403) for n in range(3)})
    assert home.pressmark("alarms").out == "no alarms; 0 feeds\n"
    home.crawl(f"url={site.url}/feed")
    row = json.loads(home.pressmark("feeds", "--json").out)
    assert (row["state"], row["posts_refused"], row["alarms"]) == ("refused", 3, ["refused"])
    assert {one["reason"] for one in row["refused"]} == {"answered 403"}
    shown = home.pressmark("feeds").out
    assert f"{site.url}/feed: 3 posts could not be had from their pages, the newest:" in shown
    assert "answered 403" in shown
    assert "refused" in home.pressmark("alarms").out

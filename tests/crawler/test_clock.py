"""One crawl under a clock that was ahead: what it left in archive and frontier does no harm once the clock is right."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Home
from sample.claims import end_in
from sample.server import Answer, Site
from sample.visits import feed_visit
from sqlalchemy import select, update
from test_refreshes import page, rss

from archive.runtime.database import transaction
from crawler.decide.freshness import Pace
from crawler.frontier import websub
from crawler.frontier.claims import LONGEST, Claims
from crawler.frontier.frontier import Frontier
from crawler.frontier.tables import feeds, pages
from crawler.model.visits import Due, FeedVisit

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AHEAD = T0 + 400 * DAY


# -- in a crawl


def ask(home: Home, statement: str) -> list[tuple]:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        return database.execute(statement).fetchall()


def robots(disallowed: str) -> Answer:
    return Answer(f"User-agent: *\nDisallow: {disallowed}\n".encode(), content_type="text/plain", validators=False)


@pytest.fixture
def ahead(home: Home, site: Site) -> Site:
    """A blog of which all was captured in the future, and not processed since."""
    site.pages = {"/feed": rss(f"{site.url}/1"), "/1": page("Old words."), "/robots.txt": robots("")}
    assert home.crawl(f"url={site.url}/feed").out.startswith("kept 1 new post;")
    ask(home, "UPDATE captures SET date = date + 400 * 86400000000")
    ask(home, "UPDATE pages SET due = 0, visited = 1")
    site.log.clear()
    return site


def test_a_capture_of_the_future_is_not_taken_for_the_page_as_it_is(home: Home, ahead: Site) -> None:
    ahead.pages["/1"] = page("New words.")
    assert home.crawl("only=rechecks", "force=1").code == 0
    assert ahead.asked == ["/robots.txt", "/1"]


def test_a_robots_txt_of_the_future_is_not_obeyed(home: Home, ahead: Site) -> None:
    ahead.pages["/robots.txt"] = robots("/")
    home.crawl("force=1")
    assert set(ahead.asked) == {"/robots.txt"}
    ahead.log.clear()
    home.crawl("force=1")
    assert ahead.asked == [], "the one fetched now counts, though one of the future is newer"


@pytest.mark.parametrize(("days", "wanted"), [(0, 0), (400, 1)])
def test_an_image_of_the_future_is_fetched_again(home: Home, site: Site, days: int, wanted: int) -> None:
    home.settings["PRESSMARK_REQUISITES"] = "1"
    picture = Answer(b"GIF89a", content_type="image/gif")
    site.pages = {"/feed": rss(f"{site.url}/1"), "/1": page("<img src='/a.gif'>Words."), "/a.gif": picture}
    assert home.crawl(f"url={site.url}/feed").code == 0
    assert site.asked.count("/a.gif") == 1
    ask(home, f"UPDATE captures SET date = date + {days} * 86400000000")
    ask(home, "UPDATE pages SET due = 0")
    site.pages["/1"] = page("<img src='/a.gif'>More words.")
    site.log.clear()
    assert home.crawl("only=rechecks", "force=1").code == 0
    assert site.asked.count("/a.gif") == wanted


# -- in the frontier


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


def test_a_claim_that_lasts_longer_than_any_has_expired(frontier: Frontier) -> None:
    dead, mine = Claims(frontier.engine, "dead"), Claims(frontier.engine, "mine")
    dead.take({1}, lasts=HOUR)
    end_in(frontier.engine, LONGEST + HOUR)
    assert set(mine.take({1}, lasts=HOUR)) == {1}
    assert dead.take({1}, lasts=HOUR) == {}


def test_a_hold_that_lasts_longer_than_a_server_can_ask_for_has_ended(frontier: Frontier) -> None:
    frontier.hold("a.example", AHEAD + HOUR)
    frontier.hold("b.example", T0 + 7 * DAY)
    assert frontier.holds(T0) == {"b.example": T0 + 7 * DAY}
    frontier.hold("a.example", T0 + HOUR)
    assert frontier.holds(T0)["a.example"] == T0 + HOUR


def test_rechecks_of_the_future_do_not_use_up_a_budget(frontier: Frontier) -> None:
    with transaction(frontier.engine) as connection:
        for number, visited in enumerate((AHEAD, AHEAD, T0 - DAY * 2)):
            connection.execute(
                pages.insert().values(
                    url=f"http://a.example/{number}", key=str(number), shard=1, host="a.example", first_seen=T0,
                    kept=True, checks=1, visited=visited, due=T0 if number == 2 else AHEAD,
                )
            )  # fmt: skip
    due = Due(now=T0, holder="a", budget=1)
    assert [one.url for one in frontier.claim_pages(due)[0]] == ["http://a.example/2"]


def test_housekeeping_takes_back_what_a_feed_knows_of_the_future(frontier: Frontier) -> None:
    feed = frontier.subscribe("http://a.example/feed", seed=None, now=T0)
    frontier.commit(
        [
            FeedVisit(
                feed_id=feed.id, at=AHEAD, due=AHEAD, status=200, error=None, failures=0, etag=None, last_modified=None,
                whole=AHEAD, news=AHEAD, moved_to="http://b.example/feed", moved_since=AHEAD, moved_times=1,
            )
        ],
        [],
    )  # fmt: skip
    frontier.tidy(T0)
    found = frontier.subscription(feed.id)
    assert found is not None
    assert {found.visited, found.due, found.whole, found.news, found.moved_since} == {T0}


def test_a_move_noted_in_the_future_begins_anew(frontier: Frontier) -> None:
    feed = frontier.subscribe("http://a.example/feed", seed=None, now=T0)
    target = "http://b.example/feed"
    first = feed_visit(feed, at=AHEAD, pace=Pace(least=HOUR), status=200, moved_to=target)
    frontier.commit([first], [])
    known = frontier.subscription(feed.id)
    assert known is not None
    visit = feed_visit(known, at=T0, pace=Pace(least=HOUR), status=200, moved_to=target)
    assert (visit.moved_since, visit.moved_times) == (T0, 1)


def test_a_lease_of_the_future_is_asked_for_again(frontier: Frontier) -> None:
    feed = frontier.subscribe("http://a.example/feed", seed=None, now=T0)
    with transaction(frontier.engine) as connection:
        connection.execute(update(feeds).values(hub="http://hub.example/", topic=feed.url))
    (one,) = websub.wanted(frontier.engine, now=AHEAD)
    websub.asked(frontier.engine, one, now=AHEAD)
    assert [found.topic for found in websub.wanted(frontier.engine, now=T0)] == [feed.url]
    websub.asked(frontier.engine, one, now=T0)
    assert websub.wanted(frontier.engine, now=T0) == []
    with transaction(frontier.engine, reads=True) as connection:
        assert connection.execute(select(feeds.c.hub)).scalar() == "http://hub.example/"

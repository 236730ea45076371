"""One crawl under a clock that was ahead: what it left in archive and frontier does no harm once the clock is right."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from conftest import Home
from sample.claims import end_in
from sample.server import Answer, Site
from sample.visits import feed_visit
from sqlalchemy import select, update
from test_refreshes import page, rss

from archive.archive import Archive
from archive.index.known import known
from archive.runtime.database import transaction
from archive.runtime.times import is_recent
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from crawler.decide.entries import seen_entries
from crawler.decide.freshness import Pace
from crawler.errors import ClockError
from crawler.feeds.model import FeedEntry
from crawler.frontier import websub
from crawler.frontier.claims import LONGEST, Claims
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier
from crawler.frontier.tables import feeds, pages
from crawler.model.visits import Due, FeedVisit, Page
from crawler.options import CrawlSettings
from crawler.session import clock

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AHEAD = T0 + 400 * DAY
POST = "http://blog.example/post"


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
    before = frontier.subscription(feed.id)
    assert before is not None
    visit = feed_visit(before, at=T0, pace=Pace(least=HOUR), status=200, moved_to=target)
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


def test_visits_and_due_dates_of_the_future_are_taken_back(frontier: Frontier) -> None:
    feed = frontier.subscribe("http://a.example/feed", seed=None, now=T0)
    for name in ("visited", "due", "well"):
        frontier.enter(f"http://a.example/{name}", T0)
    at = {"visited": (AHEAD, AHEAD), "due": (T0, AHEAD), "well": (T0, T0 + 300 * DAY)}
    with transaction(frontier.engine) as connection:
        connection.execute(update(feeds).values(due=AHEAD, added=AHEAD))
        for name, (visited, due) in at.items():
            mine = pages.c.url == f"http://a.example/{name}"
            connection.execute(update(pages).where(mine).values(visited=visited, due=due))
    gone = Deletion(
        key="k", url="http://a.example/visited", since=AHEAD, kind="gone", status=404, proof=None, alive=T0,
        alive_record=None,
    )  # fmt: skip
    frontier.enter_deletions([gone])
    longest = CrawlSettings().longest_wait
    assert 365 * DAY < longest < 400 * DAY
    frontier.take_back(T0, longest=longest)
    found = {page.url.rpartition("/")[2] for page in frontier.claim_pages(Due(now=T0, holder="a"))[0]}
    assert found == {"visited", "due"}
    taken_back = frontier.subscription(feed.id)
    assert taken_back is not None
    assert (taken_back.due, taken_back.added) == (T0, T0)
    assert [one.since for one in frontier.deletions()] == [T0]


def test_visits_that_entries_caused_in_the_future_hold_nothing_back() -> None:
    page = Page(url="http://a.example/1", feed_id=1, kept=True, looks=9, looks_since=AHEAD)
    entry = FeedEntry(id="1", link=page.url, title="New")
    (seen,) = seen_entries((entry,), {entry.key or "": "old"}, {page.url: page}, at=T0)
    assert (seen.fetch, seen.later) == (True, None)
    (seen,) = seen_entries((entry,), {entry.key or "": "old"}, {page.url: replace(page, looks_since=T0)}, at=T0)
    assert seen.later == T0 + HOUR


# -- ages, and what is newest


def test_an_age_counts_only_between_nothing_and_its_limit() -> None:
    recent = [is_recent(T0 - ago, T0, HOUR) for ago in (-DAY, -timedelta(seconds=1), HOUR * 0, HOUR, HOUR * 2)]
    assert recent == [False, False, True, True, False]


@pytest.fixture
def archived(tmp_path: Path) -> Archive:
    """A page captured twice, of which the second capture is of the future."""
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    for at in (T0, AHEAD):
        add(archive, at)
    archive.index._now = lambda: T0 + DAY
    return archive


def add(archive: Archive, at: datetime, *, stated: datetime | None = None) -> None:
    """Commit a batch with one capture made at an instant; `stated` is the server's Date."""
    date = f"Date: {format_datetime(stated, usegmt=True)}\r\n" if stated else ""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{date}\r\n".encode()
    batch = archive.writer.batch(now=at)
    body = f"<p>{at}".encode()
    batch.add(Capture(url=POST, date=at, request=b"GET / HTTP/1.1\r\n\r\n", head=head, body=body))
    archive.writer.commit_and_release(batch.seal())


def test_the_newest_capture_is_none_of_the_future(archived: Archive) -> None:
    index = archived.index
    found = [index.nearest(POST, None), index.latest_payload(POST), known(index, {POST: None})[POST].capture]
    assert [row.date for row in found if row] == [T0] * 3
    assert archived.find(POST, AHEAD).date == AHEAD, "it can be asked for"


def test_where_there_is_nothing_else_the_future_is_shown(archived: Archive) -> None:
    archived.index._now = lambda: T0 - DAY
    row = archived.index.nearest(POST, None)
    assert row is not None
    assert row.date == AHEAD
    assert archived.index.latest_payload(POST) is None


# -- before a crawl begins


def test_a_clock_behind_the_newest_captures_is_refused(tmp_path: Path) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    clock.check(archive, T0, trusted=False)
    add(archive, T0, stated=T0)
    clock.check(archive, T0 - timedelta(minutes=9), trusted=False)
    with pytest.raises(ClockError) as error:
        clock.check(archive, T0 - DAY, trusted=False)
    assert str(error.value) == (
        "this machine's clock says 2026-04-30 12:00:00Z, the newest capture's 2026-05-01 12:00:00Z"
    )
    assert "Set the clock" in str(error.value.hint)
    clock.check(archive, T0 - DAY, trusted=True)


def test_captures_of_a_wrong_future_lock_no_archive(tmp_path: Path) -> None:
    """The clocks of the servers show that this one is right now, and was ahead then."""
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    add(archive, AHEAD, stated=T0 - DAY)
    clock.check(archive, T0, trusted=False)
    add(archive, AHEAD + DAY, stated=T0 + HOUR)
    clock.check(archive, T0, trusted=False)
    add(archive, AHEAD + 2 * DAY, stated=T0 + HOUR)
    with pytest.raises(ClockError):
        clock.check(archive, T0, trusted=False)


def test_what_is_committed_last_counts_and_not_what_is_dated_last(tmp_path: Path) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    for at in (AHEAD, AHEAD + DAY, AHEAD + 2 * DAY):
        add(archive, at)
    with pytest.raises(ClockError):
        clock.check(archive, T0, trusted=False)
    add(archive, T0)  # by a crawl that was told to trust its clock
    clock.check(archive, T0, trusted=False)


@pytest.mark.parametrize("off", [-DAY, DAY])
def test_a_clock_far_off_the_databases_is_refused(postgres_database: str, tmp_path: Path, off: timedelta) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path, database=postgres_database))
    now = datetime.now(UTC)
    clock.check(archive, now, trusted=False)
    with pytest.raises(ClockError, match="the database's"):
        clock.check(archive, now + off, trusted=False)
    clock.check(archive, now + off, trusted=True)


def test_a_crawl_under_a_clock_that_is_behind_ends_with_one_line(home: Home, site: Site) -> None:
    site.pages = {"/feed": rss(f"{site.url}/1"), "/1": page("Words.")}
    assert home.crawl(f"url={site.url}/feed").code == 0
    ask(home, "UPDATE captures SET date = date + 400 * 86400000000")
    for name in home.objects("warc"):
        name.unlink()  # so that no server can be asked what time it was
    site.log.clear()
    refused = home.pressmark("crawl", "--force")
    assert refused.code == 1
    assert "this machine's clock says" in refused.err
    assert "Traceback" not in refused.err
    assert site.asked == []
    home.settings["PRESSMARK_TRUST_CLOCK"] = "1"
    assert home.pressmark("crawl", "--force").code == 0
    assert "/feed" in site.asked

"""A machine that slept between any two steps does no harm: epochs of claims, late visits, requests that are not sent."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Home
from sample.claims import lapse
from sample.server import Answer, Site
from sqlalchemy import event, select

from archive.archive import Archive
from archive.extract.text import Entry
from archive.index.aliases import Alias
from archive.runtime.database import transaction
from archive.settings import ArchiveSettings
from archive.warc.page_identity import post_key
from archive.writer.batch import Origin
from crawler.errors import TwinError
from crawler.frontier import alarms
from crawler.frontier.backfills import Backlog
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier
from crawler.frontier.tables import pages
from crawler.job import recover
from crawler.model.url_identity import shard
from crawler.model.visits import (
    Alarm,
    Due,
    Feed,
    FeedVisit,
    Listing,
    ListingVisit,
    Page,
    PageVisit,
    SeenEntry,
    Under,
)
from crawler.session import host_claims, notes
from crawler.session.committer import Committer
from crawler.session.host_claims import ClaimLostError, HostClaims
from crawler.session.outage import Outage
from crawler.session.summary import Summary

T0 = datetime(2020, 5, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
URL = "http://blog.example/feed"
POST = "http://blog.example/post"
SHARD = shard(POST)


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


@pytest.fixture
def feed(frontier: Frontier) -> Feed:
    return frontier.subscribe(URL, seed=None, now=T0)


def feed_visit(feed: Feed, *entries: SeenEntry, at: datetime, **changes: Any) -> FeedVisit:
    values = {"status": 200, "error": None, "failures": 0, "etag": None, "last_modified": None, "due": at + HOUR}
    return FeedVisit(feed_id=feed.id, at=at, entries=entries, **{**values, **changes})


def seen(name: str, *, digest: str = "d", title: str = "T", known: bool = False) -> SeenEntry:
    url = f"http://blog.example/{name}"
    return SeenEntry(key=name, id=name, digest=digest, url=url, entry=Entry(title=title), fetch=True, known=known)


def page_visit(at: datetime, *, url: str = POST, **changes: Any) -> PageVisit:
    values = {
        "feed_id": None, "due": at + DAY, "kept": True, "status": 200, "error": None, "failures": 0, "etag": None,
        "last_modified": None, "record": f"record {at:%H}", "source": "page",
    }  # fmt: skip
    return PageVisit(url=url, at=at, **{**values, **changes})


def gone(at: datetime, **changes: Any) -> PageVisit:
    return page_visit(at, kept=False, status=404, gone="gone", source=None, error="404", failures=1, **changes)


def known(frontier: Frontier) -> Page:
    found = frontier.page(POST)
    assert found is not None
    return found


# -- epochs


def test_a_claim_keeps_its_epoch_until_another_holder_takes_it(frontier: Frontier) -> None:
    one, other = Claims(frontier.engine, "one"), Claims(frontier.engine, "other")
    first = one.take({1}, lasts=HOUR)[1]
    assert one.take({1}, lasts=HOUR) == one.renew(lasts=HOUR) == {1: first}
    lapse(frontier.engine)
    assert one.renew(lasts=HOUR) == {1: first}, "nobody had it in between"
    lapse(frontier.engine)
    assert other.take({1}, lasts=HOUR) == {1: first + 1}
    assert one.renew(lasts=HOUR) == {}
    other.release()
    assert one.take({1}, lasts=HOUR) == {1: first + 2}, "what was released is remembered"


def test_a_run_that_begins_anew_has_epochs_of_its_own(frontier: Frontier) -> None:
    claims = Claims(frontier.engine, "one")
    before = claims.take({1}, lasts=HOUR)[1]
    claims.release()
    assert claims.renew(lasts=HOUR) == {}, "what is released is not renewed"
    frontier.tidy(T0)
    assert claims.take({1}, lasts=HOUR) == {1: before + 1}


def test_epochs_of_a_database_made_anew_are_not_those_of_the_old_one(tmp_path: Path) -> None:
    epochs = set()
    for name in ("a", "b"):
        claims = Claims(Frontier.open(f"sqlite:///{tmp_path / name}").engine, "one")
        epochs.add(claims.take({1}, lasts=HOUR)[1])
    assert len(epochs) == 2


def test_due_feeds_and_pages_come_with_the_epochs_of_their_claims(frontier: Frontier, feed: Feed) -> None:
    frontier.enter(POST, T0)
    due = Due(now=T0, holder="one")
    _, _, epochs = frontier.claim_feeds(due)
    assert epochs.keys() == {shard(URL)}
    assert frontier.claim_pages(due)[2] == epochs


# -- commits under a claim that was lost


def test_a_visit_under_a_lost_claim_changes_nothing(frontier: Frontier) -> None:
    frontier.enter(POST, T0)
    one, other = Claims(frontier.engine, "one"), Claims(frontier.engine, "other")
    mine = Under(shard=SHARD, epoch=one.take({SHARD}, lasts=HOUR)[SHARD])
    assert frontier.commit([], [page_visit(T0, under=mine)]) == []
    lapse(frontier.engine)
    theirs = Under(shard=SHARD, epoch=other.take({SHARD}, lasts=HOUR)[SHARD])
    late = gone(T0 + 2 * HOUR, under=mine)
    assert frontier.commit([], [late]) == [late], "though nothing newer is known yet"
    assert frontier.deletions() == []
    assert (known(frontier).read, known(frontier).failures) == (T0, 0)
    assert frontier.commit([], [gone(T0 + 3 * HOUR, under=theirs)]) == []
    assert [one.since for one in frontier.deletions()] == [T0 + 3 * HOUR]


def test_a_claim_that_only_ran_out_is_no_lost_claim(frontier: Frontier) -> None:
    frontier.enter(POST, T0)
    epoch = Claims(frontier.engine, "one").take({SHARD}, lasts=HOUR)[SHARD]
    lapse(frontier.engine)
    assert frontier.commit([], [page_visit(T0, under=Under(shard=SHARD, epoch=epoch))]) == []


def test_no_claim_is_taken_over_while_a_commit_checks_it(postgres_database: str) -> None:
    frontier = Frontier.open(postgres_database)
    frontier.enter(POST, T0)
    mine = Under(shard=SHARD, epoch=Claims(frontier.engine, "one").take({SHARD}, lasts=HOUR)[SHARD])
    lapse(frontier.engine)
    other = Frontier.open(postgres_database)
    tried: list[str] = []

    def while_committing(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "UPDATE pages" in statement and not tried:
            tried.append(statement)
            with other.engine.connect() as connection:
                connection.exec_driver_sql("SET lock_timeout = '200ms'")
                with pytest.raises(Exception, match="lock timeout"):
                    connection.exec_driver_sql(f"UPDATE claims SET holder = 'other', epoch = 0 WHERE shard = {SHARD}")

    event.listen(frontier.engine, "before_cursor_execute", while_committing)
    assert frontier.commit([], [page_visit(T0, under=mine)]) == []
    assert tried


def test_a_note_that_is_recovered_is_under_its_claim(frontier: Frontier, tmp_path: Path) -> None:
    """A run is killed, another one takes over, and the first one's machine starts again."""
    archive = Archive.open(
        ArchiveSettings(home=tmp_path, database=str(frontier.engine.url.render_as_string(hide_password=False)))
    )
    frontier.enter(POST, T0)
    one, other = Claims(frontier.engine, "one"), Claims(frontier.engine, "other")
    mine = Under(shard=SHARD, epoch=one.take({SHARD}, lasts=HOUR)[SHARD])
    batch = archive.writer.batch(now=T0)
    batch.note(notes.write(notes.PageNote(record=None, visit=gone(T0 + HOUR, under=mine))))
    batch.seal()
    lapse(frontier.engine)
    other.take({SHARD}, lasts=HOUR)
    assert recover(archive, frontier).committed == 1
    assert known(frontier).failures == 0


def test_notes_of_earlier_versions_have_no_claim() -> None:
    line = notes.write(notes.PageNote(record=None, visit=gone(T0)))
    (note,) = notes.read([line.replace('"under":null', '"unknown":1').replace(',"unknown":1', "")], lambda _: True)
    assert note.visit.under is None


# -- older than what is known


def test_an_older_visit_of_a_page_overwrites_nothing(frontier: Frontier) -> None:
    frontier.enter(POST, T0)
    newer = page_visit(T0 + 2 * HOUR, etag='"new"')
    older = page_visit(T0 + HOUR, etag='"old"', status=500, kept=False, error="500", failures=3, source=None)
    assert frontier.commit([], [newer]) == []
    assert frontier.commit([], [older]) == [older]
    page = known(frontier)
    assert (page.etag, page.failures, page.read) == ('"new"', 0, T0 + 2 * HOUR)


def test_an_older_404_starts_no_deletion_and_an_older_answer_ends_none(frontier: Frontier) -> None:
    frontier.enter(POST, T0)
    frontier.commit([], [page_visit(T0 + 3 * HOUR)])
    frontier.commit([], [gone(T0 + 2 * HOUR)])
    assert frontier.deletions() == []
    frontier.commit([], [gone(T0 + 5 * HOUR)])
    frontier.commit([], [page_visit(T0 + 4 * HOUR)])
    (deletion,) = frontier.deletions()
    assert (deletion.since, deletion.restored) == (T0 + 5 * HOUR, None)


def test_what_an_older_visit_archived_is_archived(frontier: Frontier) -> None:
    frontier.enter(POST, T0)
    frontier.commit([], [gone(T0 + 2 * HOUR)])
    proof = Alias(url=POST, target=f"{POST}/2", kind="redirect", proof="record", since=T0 + HOUR)
    frontier.commit([], [page_visit(T0 + HOUR, aliases=(proof,), texts=((f"{URL}#own", "page"),))])
    page = known(frontier)
    assert (page.kept, page.alive, page.alive_record, page.source) == (True, T0 + HOUR, f"record {13}", "page")
    assert page.failures == 1
    assert frontier.aliases() == [proof]
    with transaction(frontier.engine, reads=True) as connection:
        kept = select(pages.c.kept).where(pages.c.key == post_key(f"{URL}#own"))
        assert connection.execute(kept).scalar_one() is True


def test_an_older_visit_of_a_feed_adds_what_is_unknown_and_overwrites_nothing(frontier: Frontier, feed: Feed) -> None:
    one = [seen("a", digest="new", title="New")]
    frontier.commit([feed_visit(feed, *one, at=T0 + 2 * HOUR, title="New", etag='"new"')], [])
    before = [seen("a", digest="old", title="Old", known=True), seen("scrolled-away")]
    raised = (Alarm(kind="quiet", detail="x"),)
    older = feed_visit(feed, *before, at=T0 + HOUR, title="Old", etag='"old"', alarms=raised, url="http://b.example/f")
    assert frontier.commit([older], []) == [older]
    (found,) = frontier.feeds()
    assert (found.title, found.etag, found.visited, found.url) == ("New", '"new"', T0 + 2 * HOUR, URL)
    digests, _ = frontier.known(feed.id, ["a", "scrolled-away"], {})
    assert digests == {"a": "new", "scrolled-away": "d"}
    due, _, _ = frontier.claim_pages(Due(now=T0 + 3 * HOUR, holder="one"))
    assert {page.url for page in due} == {"http://blog.example/a", "http://blog.example/scrolled-away"}
    assert alarms.standing(frontier.engine) == []


def test_a_late_visit_of_a_feed_that_was_removed_brings_nothing_back(frontier: Frontier, feed: Feed) -> None:
    frontier.commit([feed_visit(feed, at=T0 + 2 * HOUR)], [])
    frontier.remove(URL)
    assert frontier.commit([feed_visit(feed, seen("a"), at=T0 + HOUR)], []) == []
    assert frontier.page("http://blog.example/a") is None


def test_an_older_visit_of_a_listing_adds_what_is_unknown(frontier: Frontier, feed: Feed) -> None:
    backlog = Backlog(frontier.engine)
    url = "http://blog.example/sitemap.xml"
    backlog.ask(feed.id, [Listing(feed_id=feed.id, url=url, kind="sitemap", number=0)], at=T0, why="asked", shown=1)

    def visit(at: datetime, **changes: Any) -> ListingVisit:
        values: dict[str, Any] = {"status": 200, "error": None, "failures": 0, "done": True, "found": 1}
        return ListingVisit(feed_id=feed.id, url=url, kind="sitemap", number=0, at=at, **{**values, **changes})

    frontier.commit([], [], [visit(T0 + 2 * HOUR, found=7)])
    more = Listing(feed_id=feed.id, url="http://blog.example/more.xml", kind="sitemap", number=1)
    older = visit(T0 + HOUR, status=None, error="x", done=False, entries=(seen("old"),), more=(more,))
    assert frontier.commit([], [], [older]) == [older]
    assert {known: found for known, _, found in backlog.known(feed.id)}[url] == 7
    assert [one.url for one in backlog.listings(feed.id)] == [more.url]
    assert frontier.page("http://blog.example/old") is not None


def test_visits_of_one_commit_count_in_the_order_of_their_times(frontier: Frontier) -> None:
    frontier.enter(POST, T0)
    assert frontier.commit([], [page_visit(T0 + 2 * HOUR, etag='"2"'), page_visit(T0 + HOUR, etag='"1"')]) == []
    assert known(frontier).etag == '"2"'


def test_a_visit_of_the_future_keeps_no_later_one_out(frontier: Frontier, feed: Feed) -> None:
    """It was dated by a clock that was ahead."""
    frontier.enter(POST, T0)
    ahead = T0 + 400 * DAY
    frontier.commit([feed_visit(feed, at=ahead, etag='"ahead"')], [page_visit(ahead, etag='"ahead"')], now=ahead)
    now = T0 + HOUR
    assert frontier.commit([feed_visit(feed, at=now, etag='"now"')], [page_visit(now, etag='"now"')], now=now) == []
    assert (known(frontier).etag, frontier.feeds()[0].etag) == ('"now"', '"now"')


def test_clocks_of_two_machines_may_differ_a_little(frontier: Frontier) -> None:
    frontier.enter(POST, T0)
    slightly = T0 + timedelta(minutes=5)
    frontier.commit([], [page_visit(slightly)], now=slightly)
    assert len(frontier.commit([], [gone(T0)], now=T0)) == 1


# -- before a request is sent


class Clock:
    """Seconds that pass when a test says so, also while the machine sleeps."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, by: timedelta) -> None:
        self.seconds += by.total_seconds()


def outage() -> Outage:
    return Outage(patience_seconds=0, shutdown_requested=lambda: False, pause=lambda: None, resume=lambda: None)


def hosts_of(frontier: Frontier, holder: str, clock: Clock, **more: Any) -> HostClaims:
    claims = Claims(frontier.engine, holder)
    calls = outage()
    return HostClaims(claims, frontier, calls.call, lambda: T0, once=calls.once, clock=clock, **more)


def test_a_run_that_slept_renews_its_claims_before_it_asks(frontier: Frontier, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, renewed = Clock(), []
    renew = Claims.renew
    monkeypatch.setattr(Claims, "renew", lambda self, **more: renewed.append(self.holder) or renew(self, **more))

    async def steps() -> list[bool]:
        one = hosts_of(frontier, "one", clock)
        await one.claim([POST])
        await one.hold(POST)
        sure = [one.may_send(POST), not renewed]
        clock.sleep(HOUR)
        lapse(frontier.engine)
        sure.append(not one.may_send(POST))
        await one.hold(POST)
        return [*sure, one.may_send(POST), (await hosts_of(frontier, "other", clock).claim([POST])) == [False]]

    assert asyncio.run(steps()) == [True] * 5
    assert renewed == ["one"]


def test_a_host_that_another_run_took_over_is_not_asked(frontier: Frontier) -> None:
    clock = Clock()

    async def steps() -> None:
        one, other = hosts_of(frontier, "one", clock), hosts_of(frontier, "other", clock)
        await one.claim([POST, "http://another.example/"])
        mine = one.under(POST)
        clock.sleep(HOUR)
        lapse(frontier.engine)
        assert await other.claim([POST]) == [True]
        with pytest.raises(ClaimLostError):
            await one.hold(POST)
        await one.hold("http://another.example/")
        assert not one.may_send(POST)
        assert one.under(POST) == mine, "what was fetched before is under the lost claim"
        assert await one.claim([POST]) == [False]
        await other.settle([SHARD])
        assert await one.claim([POST]) == [True]
        await one.hold(POST)
        assert one.under(POST) != mine

    asyncio.run(steps())


def test_hosts_that_were_never_claimed_are_not_checked(frontier: Frontier) -> None:
    clock = Clock()

    async def steps() -> bool:
        one = hosts_of(frontier, "one", clock)
        clock.sleep(HOUR)
        await one.hold(POST)
        return one.may_send(POST) and one.under(POST) is None

    assert asyncio.run(steps())


def test_a_request_waits_for_the_database_and_ends_with_the_run(
    frontier: Frontier, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archive.errors import DatabaseError

    monkeypatch.setattr(host_claims, "_POLL_SECONDS", 0.01)
    clock, asked = Clock(), []

    def away(*_: object, **__: object) -> None:
        asked.append(1)
        raise DatabaseError("away", url="x", temporary=True)

    async def steps() -> None:
        one = hosts_of(frontier, "one", clock, stop=lambda: len(asked) > 2)
        await one.claim([POST])
        clock.sleep(HOUR)
        monkeypatch.setattr(Claims, "renew", away)
        with pytest.raises(ClaimLostError):
            await one.hold(POST)

    asyncio.run(steps())
    assert len(asked) == 3


def test_a_run_whose_name_another_machine_uses_asks_nothing_more(frontier: Frontier) -> None:
    clock, failures = Clock(), []

    def stay() -> None:
        raise TwinError("another machine")

    async def steps() -> None:
        one = hosts_of(frontier, "one", clock, stay=stay, failed=failures.append)
        await one.claim([POST])
        clock.sleep(HOUR)
        with pytest.raises(ClaimLostError):
            await one.hold(POST)

    asyncio.run(steps())
    assert [type(one) for one in failures] == [TwinError]


def test_late_visits_are_counted_apart(tmp_path: Path) -> None:
    settings = ArchiveSettings(home=tmp_path)
    frontier, clock = Frontier.open(settings.database), Clock()
    frontier.enter(POST, T0)
    summary = Summary()

    async def steps() -> None:
        one, other = hosts_of(frontier, "one", clock), hosts_of(frontier, "other", clock)
        committer = Committer(
            Archive.open(settings), frontier, one, outage(), settings, origin=Origin(), summary=summary,
            now=lambda: T0, changed=lambda: None, failed=lambda _: None,
        )  # fmt: skip
        await one.claim([POST, POST])
        await committer.visited_page(page_visit(T0), known=False)
        await committer.flush()
        lapse(frontier.engine)
        await other.claim([POST])
        await committer.visited_page(replace(gone(T0 + HOUR), under=None), known=True)
        await committer.flush()
        assert committer.failure is None

    asyncio.run(steps())
    assert (summary.posts, summary.vanished, summary.late) == (1, 0, 1)
    assert "1 visit too late to count" in summary.line()
    assert known(frontier).failures == 0


# -- in a crawl


def test_pages_whose_host_was_taken_over_stay_due(home: Home, site: Site) -> None:
    """While a run waits for an answer, its claims run out and another run takes its host over."""
    rows = "".join(f"<item><guid>{n}</guid><title>T{n}</title><link>{site.url}/{n}</link></item>" for n in range(4))
    site.pages["/feed"] = Answer(f"<rss version='2.0'><channel>{rows}</channel></rss>".encode(), "application/rss+xml")
    database = f"sqlite:///{home.path / 'pressmark.db'}"

    def take_over(_: dict[str, str]) -> Answer:
        engine = Frontier.open(database).engine
        while not Claims(engine, "other/crawl").take({shard(site.url)}, lasts=HOUR):
            lapse(engine)
        time.sleep(1)  # the run notices when it renews its claims
        return Answer(f"<article><h1>T</h1><p>{'Words of a post. ' * 20}</p></article>".encode())

    site.pages.update({f"/{n}": take_over for n in range(4)})
    home.settings["PRESSMARK_HOST_CONCURRENCY"] = "1"
    home.settings["PYTHONPATH"] = str(Path(__file__).parents[1])
    short = "import sample.short_claims; from schedules.entry import main; main()"
    done = home.run("python", "-c", short, "crawl", f"{site.url}/feed")
    assert done.code == 0, done.err
    assert len([path for path in site.asked if path[1:].isdigit()]) == 1
    left = Frontier.open(database).pages([f"{site.url}/{n}" for n in range(4)]).values()
    assert [page.failures for page in left] == [0] * 4
    assert "visits too late to count" in done.out, "that of the feed, and that of the page"

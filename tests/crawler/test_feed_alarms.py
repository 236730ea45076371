"""What feeds do on their own: posts that slip by, silence, odd documents, new names for old posts; whose hosts are whose."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Home
from sample.claims import lapse
from sample.server import Answer, Site
from sample.visits import feed_visit
from sqlalchemy import insert

from archive.warc.page_identity import page_key
from crawler.decide import feed_alarms
from crawler.decide.entries import seen_entries
from crawler.decide.feed import validators
from crawler.decide.freshness import Pace
from crawler.feeds import parse
from crawler.feeds.model import FeedEntry, FeedInfo, ParsedFeed
from crawler.frontier import alarms, tables
from crawler.frontier.backfills import Backlog
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier
from crawler.model.url_identity import key, shard
from crawler.model.visits import Due, Feed, FeedVisit, PageVisit, Shard
from crawler.session.retry_after import scope_of

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
URL = "http://blog.example/feed"
FEED = Feed(
    id=1, url=URL, title=None, site=None, paused=False, added=T0, visited=None, due=T0, etag='"1"',
    last_modified=None, status=None, error=None, failures=0, shown=10,
)  # fmt: skip


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


def visit(feed: Feed = FEED, *, at: datetime = T0, status: int | None = 200, **more: object) -> FeedVisit:
    headers = {"etag": '"1"', **more.pop("headers", {})}  # type: ignore[dict-item]
    return feed_visit(feed, at=at, pace=Pace(least=HOUR), status=status, headers=headers, **more)  # type: ignore[arg-type]


def entry(n: int, day: float | None = None) -> FeedEntry:
    published = None if day is None else T0 + day * DAY
    return FeedEntry(id=str(n), link=f"http://blog.example/{n}", title=f"Post {n}", published=published)


def document(*entries: FeedEntry) -> ParsedFeed:
    return ParsedFeed(feed=FeedInfo(), entries=entries)


def kinds(found: FeedVisit) -> list[str]:
    return [alarm.kind for alarm in found.alarms]


# -- posts that slip by


NEWEST_FIRST = [entry(n, day=n) for n in range(19, 9, -1)]


def gap(entries: Sequence[FeedEntry], known: set[str], feed: Feed = FEED) -> bool:
    return feed_alarms.gap(entries, [one.id in known for one in entries], feed=feed)


def test_a_document_that_shares_no_entry_with_the_last_is_a_gap() -> None:
    assert gap(NEWEST_FIRST, set())
    assert not gap(NEWEST_FIRST, {"10"})
    assert gap([entry(1)], set()), "one entry is enough"


def test_the_first_document_and_an_empty_one_are_no_gap() -> None:
    assert not gap(NEWEST_FIRST, set(), replace(FEED, shown=None))
    assert not gap(NEWEST_FIRST, set(), replace(FEED, shown=0)), "there was nothing that could have slipped by"
    assert not gap([], set())


def test_a_deleted_entry_is_no_gap() -> None:
    assert not gap(NEWEST_FIRST[1:], {one.id for one in NEWEST_FIRST})
    assert not gap([entry(20, day=20), *NEWEST_FIRST[1:-1]], {one.id for one in NEWEST_FIRST})


def test_an_old_entry_that_is_pinned_above_new_ones_hides_no_gap() -> None:
    assert gap([entry(1, day=-300), *NEWEST_FIRST], {"1"})
    assert gap([NEWEST_FIRST[0], entry(1, day=-300), *NEWEST_FIRST[1:]], {"1"})
    assert not gap([entry(1, day=-300), *NEWEST_FIRST], {"1", "10"})
    assert not gap([*NEWEST_FIRST, entry(1, day=-300)], {"1"}), "in its place it is the end of what is new"


def test_an_old_entry_above_a_single_new_one_is_no_sign_of_a_gap() -> None:
    assert not gap([entry(1, day=-300), entry(19, day=19)], {"1"})


def test_a_feed_with_the_oldest_first_is_judged_alike() -> None:
    oldest_first = NEWEST_FIRST[::-1]
    assert gap(oldest_first, set())
    assert not gap(oldest_first, {"10"})


def test_entries_without_dates_are_judged_alike() -> None:
    bare = [entry(n) for n in range(10)]
    assert gap(bare, set())
    assert not gap(bare, {"9"})
    assert not gap(bare, {"0"})


def test_new_entries_alone_say_nothing_of_what_is_between() -> None:
    """RFC 3229 with `feed`: what the server knows that we have is left out."""
    fresh = document(entry(19, day=19), entry(18, day=18))
    assert not visit(status=226, parsed=fresh, shared=[False, False]).gap
    assert visit(status=200, parsed=fresh, shared=[False, False]).gap


def test_a_gap_calls_for_a_backfill_and_stands_until_that_is_done(frontier: Frontier) -> None:
    feed, backlog = frontier.subscribe(URL, seed=None, now=T0), Backlog(frontier.engine)
    frontier.commit([visit(replace(feed, shown=None), parsed=document(*NEWEST_FIRST), shared=[False] * 10)], [])
    assert (backlog.waiting(), alarms.standing(frontier.engine)) == ([], [])
    feed = frontier.find(URL)[0]
    frontier.commit([visit(feed, at=T0 + DAY, parsed=document(entry(99, day=99)), shared=[False])], [])
    assert backlog.waiting() == [feed.id]
    assert [(one.kind, one.subject, one.since) for one in alarms.standing(frontier.engine)] == [
        ("collapsed", URL, T0 + DAY),
        ("gap", URL, T0 + DAY),
    ]
    feed = frontier.find(URL)[0]
    frontier.commit([visit(feed, at=T0 + 2 * DAY, parsed=document(*NEWEST_FIRST), shared=[True] * 10)], [])
    assert [one.kind for one in alarms.standing(frontier.engine)] == ["gap"], "a good visit brings nothing back"
    backlog.end(feed.id, at=T0 + 3 * DAY)
    assert (backlog.waiting(), alarms.standing(frontier.engine)) == ([], [])


# -- silence, odd documents, failures


def test_a_feed_that_is_silent_for_long_is_told_of() -> None:
    daily = replace(FEED, rhythm=DAY, news=T0)
    assert kinds(visit(daily, at=T0 + 8 * DAY, status=304)) == []
    assert kinds(visit(daily, at=T0 + 8 * DAY + HOUR, status=304)) == ["quiet"]
    assert "every 24 hours" in visit(daily, at=T0 + 9 * DAY, status=304).alarms[0].detail
    old = [entry(n, day=-n) for n in range(5)]
    assert kinds(visit(daily, at=T0 + 9 * DAY, parsed=document(*old), shared=[True] * 5)) == ["quiet"]
    assert kinds(visit(daily, at=T0 + 9 * DAY, parsed=document(*old), shared=[False] + [True] * 4)) == []
    assert kinds(visit(daily, at=T0 + 9 * DAY, same=True)) == ["quiet"]


def test_silence_is_measured_by_the_feeds_own_rhythm_and_never_below_three_days() -> None:
    hourly, monthly = (replace(FEED, rhythm=rhythm, news=T0) for rhythm in (HOUR, 30 * DAY))
    assert kinds(visit(hourly, at=T0 + 3 * DAY, status=304)) == []
    assert kinds(visit(hourly, at=T0 + 3 * DAY + HOUR, status=304)) == ["quiet"]
    assert kinds(visit(monthly, at=T0 + 239 * DAY, status=304)) == []
    assert kinds(visit(monthly, at=T0 + 241 * DAY, status=304)) == ["quiet"]
    assert kinds(visit(replace(FEED, news=T0), at=T0 + 900 * DAY, status=304)) == [], "no rhythm, no silence"
    assert kinds(visit(replace(monthly, news=None), at=T0 + DAY, status=304)) == [], "it was added yesterday"


def test_new_entries_alone_are_news() -> None:
    silent = replace(FEED, rhythm=DAY, news=T0)
    found = visit(silent, at=T0 + 20 * DAY, status=226, parsed=document(entry(1, day=20)), shared=[False])
    assert (found.news, kinds(found)) == (T0 + 20 * DAY, [])


@pytest.mark.parametrize(
    ("before", "now", "odd"), [(10, 2, True), (10, 3, False), (5, 1, True), (5, 0, True), (4, 0, False)]
)
def test_a_document_that_shows_far_less_than_it_used_to_is_odd(before: int, now: int, odd: bool) -> None:
    shown = [entry(n) for n in range(now)]
    found = visit(replace(FEED, shown=before), parsed=document(*shown), shared=[True] * now)
    assert kinds(found) == ["collapsed"] * odd
    assert found.shown == (before if odd else now), "what is odd is no measure"


@pytest.mark.parametrize(
    ("now", "odd"),
    [("text/html", True), ("application/rss+xml; charset=utf-8", False), ("Application/RSS+XML", False), ("", False)],
)
def test_another_media_type_is_odd(now: str, odd: bool) -> None:
    rss = replace(FEED, media="application/rss+xml", shown=1)
    found = visit(rss, parsed=document(entry(1)), shared=[True], headers={"content-type": now})
    assert kinds(found) == ["retyped"] * odd
    assert kinds(visit(replace(rss, media=None), parsed=document(entry(1)), shared=[True])) == []


def test_a_feed_that_fails_five_times_is_told_of() -> None:
    for failures in range(8):
        found = visit(replace(FEED, failures=failures), status=503, error="answered 503")
        assert kinds(found) == ["failing"] * (failures >= 4)
    assert (
        "5 visits in a row failed, the last one: no answer"
        in visit(replace(FEED, failures=4), status=None, error="no answer").alarms[0].detail
    )


def test_a_feed_that_is_gone_is_told_of_at_once() -> None:
    assert kinds(visit(status=410, error="answered 410")) == ["gone"]
    assert kinds(visit(replace(FEED, failures=9), status=410, error="answered 410")) == ["gone"]
    assert kinds(visit(status=404, error="answered 404")) == []


def test_an_alarm_is_raised_once_keeps_its_beginning_and_ends(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)

    def standing() -> list[tuple]:
        return [(one.kind, one.since - T0, one.told is None) for one in alarms.standing(frontier.engine)]

    def fail(hours: int) -> None:
        away = replace(feed, failures=3 + hours)
        frontier.commit([visit(away, at=T0 + hours * HOUR, status=None, error=f"no answer {hours}")], [])

    fail(0)
    assert standing() == []
    fail(1)
    assert standing() == [("failing", HOUR, True)]
    alarms.told(frontier.engine, alarms.standing(frontier.engine), at=T0 + HOUR)
    fail(2)
    assert standing() == [("failing", HOUR, False)], "it is the same alarm and was told"
    assert "no answer 2" in alarms.standing(frontier.engine)[0].detail
    frontier.commit([visit(feed, at=T0 + 3 * HOUR, status=304)], [])
    assert standing() == []
    (over,) = alarms.standing(frontier.engine, over=True)
    assert (over.since, over.ended) == (T0 + HOUR, T0 + 3 * HOUR)
    fail(4)
    assert standing() == [("failing", 4 * HOUR, True)], "it is another one, and is told"
    assert len(alarms.standing(frontier.engine, over=True)) == 1


def test_a_visit_ends_only_alarms_that_it_can_judge(frontier: Frontier) -> None:
    feed = replace(frontier.subscribe(URL, seed=None, now=T0), shown=10, rhythm=HOUR, news=T0, failures=9)

    def standing() -> list[str]:
        return sorted(one.kind for one in alarms.standing(frontier.engine))

    frontier.commit([visit(feed, at=T0 + 9 * DAY, parsed=document(entry(1)), shared=[True])], [])
    assert standing() == ["collapsed", "quiet"]
    frontier.commit([visit(feed, at=T0 + 10 * DAY, status=503, error="answered 503")], [])
    assert standing() == ["collapsed", "failing", "quiet"]
    frontier.commit([visit(feed, at=T0 + 11 * DAY, status=304)], [])
    assert standing() == ["collapsed", "quiet"], "a 304 says nothing of the document"
    many = [entry(n) for n in range(8)]
    frontier.commit([visit(feed, at=T0 + 12 * DAY, parsed=document(*many), shared=[False] + [True] * 7)], [])
    assert standing() == []


def test_alarms_are_about_one_feed(frontier: Frontier) -> None:
    feeds = [frontier.subscribe(f"{URL}{n}", seed=None, now=T0) for n in range(2)]
    for feed in feeds:
        frontier.commit([visit(feed, status=410, error="answered 410")], [])
    frontier.commit([visit(feeds[0], at=T0 + HOUR)], [])
    assert [(one.kind, one.subject) for one in alarms.standing(frontier.engine)] == [("gone", f"{URL}1")]


def test_alarms_of_a_feed_that_was_removed_are_over(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    frontier.commit([visit(feed, status=410, error="answered 410")], [])
    frontier.remove(URL)
    assert alarms.standing(frontier.engine) == []


def test_alarms_go_with_a_feed_that_moves(frontier: Frontier) -> None:
    feed = replace(frontier.subscribe(URL, seed=None, now=T0), shown=10)
    frontier.commit([visit(feed, parsed=document(entry(1)), shared=[False])], [])
    assert {one.kind for one in alarms.standing(frontier.engine)} == {"gap", "collapsed"}
    many = [entry(n) for n in range(8)]
    good = visit(feed, at=T0 + DAY, parsed=document(*many), shared=[True] * 8)
    frontier.commit([replace(good, url="https://other.example/feed")], [])
    Backlog(frontier.engine).end(feed.id, at=T0 + 2 * DAY)
    assert alarms.standing(frontier.engine) == []


# -- whose hosts are whose


def due(holder: str, now: datetime = T0, **wanted: object) -> Due:
    return Due(now=now, holder=holder, **wanted)


def subscribe_many(frontier: Frontier, count: int) -> list[str]:
    """Feeds on as many hosts, all due since the same instant."""
    urls = [f"http://blog{n}.example{n}.org/feed" for n in range(count)]
    rows = [
        {"url": url, "key": key(url), "shard": shard(url), "paused": False, "added": T0, "due": T0, "failures": 0, "moved_times": 0}
        for url in urls
    ]  # fmt: skip
    with frontier.engine.begin() as connection:
        connection.execute(insert(tables.feeds), rows)
    return urls


def test_a_shard_has_one_holder(frontier: Frontier) -> None:
    one, other = (Claims(frontier.engine, name) for name in ("one", "other"))
    assert set(one.take({1, 2}, lasts=HOUR)) == {1, 2}
    assert set(other.take({2, 3}, lasts=HOUR)) == {3}
    assert set(one.take({1, 2, 3}, lasts=HOUR)) == {1, 2}, "its own stay its own"
    assert other.take(set(), lasts=HOUR) == {}


def test_a_claim_that_ran_out_can_be_taken_and_one_that_is_renewed_cannot(frontier: Frontier) -> None:
    one, other = (Claims(frontier.engine, name) for name in ("one", "other"))
    one.take({1, 2}, lasts=HOUR)
    assert other.take({1}, lasts=HOUR) == {}
    lapse(frontier.engine)
    assert set(other.take({1}, lasts=HOUR)) == {1}
    assert set(one.renew(lasts=HOUR)) == {2}
    assert one.take({1}, lasts=HOUR) == {}, "what was taken is not renewed"
    assert other.take({2}, lasts=HOUR) == {}, "what nobody took is renewed, though it had run out"


def test_what_is_released_is_free_and_nothing_else(frontier: Frontier) -> None:
    one, other = (Claims(frontier.engine, name) for name in ("one", "other"))
    one.take(range(1_200), lasts=HOUR)
    other.take({5_000}, lasts=HOUR)
    one.release(range(1_000, 1_200))
    assert set(other.take(range(1_200), lasts=HOUR)) == set(range(1_000, 1_200))
    one.release({1_000, 5_000})
    one.release()
    assert set(one.take(range(1_200), lasts=HOUR)) == set(range(1_000))
    assert one.take({5_000}, lasts=HOUR) == {}


def test_runs_that_claim_at_once_share_nothing(frontier: Frontier) -> None:
    def take(n: int) -> set[int]:
        claims = Claims(frontier.engine, f"run {n}")
        parts = (range(start, 1_500, 3) for start in ((n + k) % 3 for k in range(3)))
        return set().union(*(claims.take(part, lasts=HOUR / 6) for part in parts))

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take, range(4)))
    assert sum(map(len, taken)) == 1_500
    assert set().union(*taken) == set(range(1_500))


def test_two_runs_never_get_the_same_feed(frontier: Frontier) -> None:
    urls = subscribe_many(frontier, 30)
    ours, place, _ = frontier.claim_feeds(due("one"), limit=10)
    assert len(ours) == 10
    theirs, _, _ = frontier.claim_feeds(due("other"))
    assert len(theirs) == 20
    assert sorted(feed.url for feed in [*ours, *theirs]) == sorted(urls)
    assert frontier.claim_feeds(due("one"), place)[0] == []
    lapse(frontier.engine)
    assert len(frontier.claim_feeds(due("third"))[0]) == 30, "both died"


def test_feeds_of_one_domain_have_one_run(frontier: Frontier) -> None:
    for name in ("a", "b", "c"):
        frontier.subscribe(f"http://{name}.blog.example.org/feed", seed=None, now=T0)
    assert len(frontier.claim_feeds(due("one"), limit=1)[0]) == 1
    found, place, _ = frontier.claim_feeds(due("other"))
    assert (found, place is not None) == ([], True), "others' feeds are passed over, not the end of the list"
    assert len(frontier.claim_feeds(due("one", held_only=True))[0]) == 3
    assert frontier.claim_feeds(due("other", held_only=True)) == ([], None, {})


def test_a_long_list_of_due_feeds_comes_once_each_part_after_part(frontier: Frontier) -> None:
    urls = subscribe_many(frontier, 2_500)
    seen: list[str] = []
    place, parts = None, 0
    while True:
        found, more, _ = frontier.claim_feeds(due("one"), place)
        if more is None:
            break
        seen += [feed.url for feed in found]
        place, parts = more, parts + 1
    assert (len(seen), sorted(seen)) == (2_500, sorted(urls))
    assert parts == 3
    found, _, _ = frontier.claim_feeds(due("one", part=Shard(1, 4)))
    assert 400 < len(found) < 900
    assert all(shard(feed.url) % 4 == 1 for feed in found)


def test_what_is_not_due_comes_by_force_alone(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    frontier.commit([visit(feed)], [])
    assert frontier.claim_feeds(due("one")) == ([], None, {})
    assert [found.url for found in frontier.claim_feeds(due("one", force=True))[0]] == [URL]


def test_the_budget_is_each_hosts_own(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    urls = [f"http://{host}.example/{n}" for host in ("a", "b") for n in range(5)]
    entries = tuple(FeedEntry(id=url, link=url) for url in urls)
    frontier.commit([visit(feed, parsed=document(*entries), seen=seen_entries(entries, {}, {}))], [])
    held = [
        PageVisit(url=url, feed_id=feed.id, at=T0, due=T0 + HOUR, kept=True, status=200, error=None, failures=0, etag=None, last_modified=None)
        for url in urls[1:]
    ]  # fmt: skip
    frontier.commit([], held)

    def come(now: datetime) -> list[str]:
        found: list[str] = []
        place = None
        while True:
            pages, more, _ = frontier.claim_pages(due("one", now=now, budget=2), place, limit=2)
            if more is None:
                return sorted(page.url for page in found)
            found += pages
            place = more

    assert come(T0 + HOUR) == [urls[0], *urls[3:5], *urls[8:]], "what is not held yet is not counted"
    frontier.commit([], [replace(held[3], at=T0 + HOUR, due=T0 + 9 * DAY, checks=1)])
    assert come(T0 + 2 * HOUR) == [urls[0], urls[3], *urls[8:]]
    assert come(T0 + 2 * DAY) == [urls[0], *urls[2:4], *urls[8:]], "another day"


# -- documents that were read before


def test_after_a_month_of_304_the_document_is_asked_for_once_without_conditions() -> None:
    stuck = replace(FEED, last_modified="then", whole=T0, visited=T0 + 30 * DAY)
    assert validators(stuck) == ('"1"', "then")
    stuck = replace(stuck, visited=T0 + 30 * DAY + HOUR)
    assert validators(stuck) == (None, None)
    again = visit(stuck, at=T0 + 31 * DAY, same=True)
    assert validators(replace(stuck, whole=again.whole, visited=again.at)) == ('"1"', "then")
    assert validators(replace(stuck, whole=None)) == ('"1"', "then"), "it is not known how long"
    assert visit(stuck, at=T0 + 31 * DAY, status=304).whole == T0 + 31 * DAY, "a server that says so to anything"


def test_a_document_that_comes_in_spite_of_validators_is_asked_for_once_a_day() -> None:
    assert visit(same=True).due == T0 + DAY
    assert visit(parsed=document(entry(1)), shared=[True]).due == T0 + HOUR


SAYS = "<p>All of <a href='http://blog.example/a'>this</a> was seen.<img src='http://blog.example/i.png?w=1'></p>"


@pytest.mark.parametrize(
    "other",
    [
        SAYS + "<img src='http://feeds.example/~r/blog/~4/9f' height='1' width='1'>",
        SAYS + "<img width=1 height=1 src=//count.example/9f.gif />",
        SAYS + "<img src='https://medium.com/_/stat?event=post&id=9f'>",
        SAYS.replace("w=1", "nonce=9f"),
        SAYS.replace("/a'", "/a?utm_source=rss'"),
        SAYS.replace("<p>", "<p id='p9' class=x>\n"),
        SAYS.replace("http:", "https:"),
    ],
)
def test_what_changes_by_itself_is_no_edit(other: str) -> None:
    first = FeedEntry(id="1", link="http://blog.example/1", content=SAYS)
    assert replace(first, content=other).digest == first.digest
    assert replace(first, link="https://blog.example/1").digest == first.digest


@pytest.mark.parametrize(
    "edited",
    [
        SAYS.replace("seen", "heard"),
        SAYS.replace("/a'", "/b'"),
        SAYS.replace("i.png", "j.png"),
        SAYS + "<p>More.</p>",
        "",
        None,
    ],
)
def test_another_word_link_or_picture_is_an_edit(edited: str | None) -> None:
    one = FeedEntry(id="1", link="http://blog.example/1", title="T", content=SAYS)
    assert replace(one, content=edited).digest != one.digest
    assert replace(one, title="U").digest != one.digest
    assert replace(one, updated=T0).digest != one.digest
    assert replace(one, link="http://blog.example/2").digest != one.digest


@pytest.mark.parametrize(
    "other",
    [
        "https://blog.example/post?p=1",
        "http://blog.example/post?p=1&utm_source=rss&utm_medium=feed&utm_campaign=x",
        "http://blog.example/post?utm_term=a&p=1&fbclid=z",
        "http://blog.example/post?p=1#comments",
        "https://blog.example/post?gclid=1&p=1&mc_eid=2",
    ],
)
def test_addresses_that_differ_in_who_led_there_are_one_page(other: str) -> None:
    assert page_key(other) == page_key("http://blog.example/post?p=1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("?p=1", "?p=2"),
        ("?p=1", ""),
        ("?p=1", "?p=1&page=2"),
        ("?p=1", "?P=1"),
        ("?p=1&tag=a&tag=b", "?p=1&tag=a&tag=c"),
        ("?utm=1", ""),
    ],
)
def test_other_addresses_are_other_pages(one: str, other: str) -> None:
    assert page_key(f"http://blog.example/post{one}") != page_key(f"http://blog.example/post{other}")
    assert page_key("http://a.example/x") != page_key("http://b.example/x")


RSS = b"<rss version='2.0'><channel><title>T</title>%s</channel></rss>"
ITEMS = b"".join(b"<item><guid>%d</guid><title>Post %d</title></item>" % (n, n) for n in range(3))
ATOM = (
    b"<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>"
    b"<entry><id>0</id><title>Post 0</title></entry><entry><id>1</id><title>Post 1</title></entry></feed>"
)


def cut(body: bytes, at: bytes) -> ParsedFeed:
    return parse(body[: body.rindex(at)], url=URL, content_type=None)


@pytest.mark.parametrize(
    ("body", "at", "ids"),
    [
        (RSS % ITEMS, b"</channel>", "012"),
        (RSS % ITEMS, b"</item>", "01"),
        (RSS % ITEMS, b"2</title>", "01"),
        (RSS % ITEMS, b"guid>2", "01"),
        (RSS % ITEMS, b"0</title>", ""),
        (ATOM, b"</feed>", "01"),
        (ATOM, b"1</title>", "0"),
    ],
)  # fmt: skip
def test_of_a_document_that_was_cut_off_whole_entries_are_read(body: bytes, at: bytes, ids: str) -> None:
    found = cut(body, at)
    assert ("".join(one.id or "" for one in found.entries), found.complete) == (ids, False)


def test_a_document_that_ends_as_feeds_do_is_whole() -> None:
    for body in (
        RSS % ITEMS,
        (RSS % ITEMS).removesuffix(b"</rss>"),
        RSS % b"",
        ATOM,
        ATOM + b"\n<!-- made in 0.1 s -->",
    ):
        assert parse(body, url=URL, content_type=None).complete
    begun = b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "content_text": "a"}, {"id'
    found = parse(begun, url=URL, content_type=None)
    assert ([one.id for one in found.entries], found.complete) == (["1"], False)


def test_a_document_that_was_cut_off_is_wanted_whole() -> None:
    part = replace(document(entry(1)), complete=False)
    found = visit(replace(FEED, shown=1), parsed=part, shared=[True], headers={"etag": '"of the part"'})
    assert found.etag == '"1"'
    assert visit(replace(FEED, etag=None), parsed=part, shared=[True]).etag is None


# -- through a crawl


class Blog:
    """A feed of plain posts, each way of naming them a format."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.guid, self.link, self.more = "id-{n}", "{url}/post-{n}", ""

    def rss(self, numbers: Sequence[int]) -> bytes:
        items = b""
        for n in numbers:
            link, guid = self.link.format(url=self.site.url, n=n), self.guid.format(url=self.site.url, n=n)
            said = f"Words of post {n}. {self.more}".replace("<", "&lt;")
            items += f"<item><title>Post {n}</title><link>{link}</link><guid>{guid}</guid><description>{said}</description></item>".encode()
        return RSS % items

    def show(self, *numbers: int, **answer: object) -> None:
        for n in numbers:
            words = f"<title>Post {n}</title><article><h1>Post {n}</h1><p>Words of post {n}.</p></article>"
            self.site.pages[f"/post-{n}"] = Answer(words.encode())
        self.site.pages["/feed"] = Answer(self.rss(numbers), **{"content_type": "application/rss+xml", **answer})

    def crawl(self, home: Home) -> str:
        self.site.log.clear()
        done = home.crawl(f"url={self.site.url}/feed")
        assert done.code == 0, done.err
        return done.out

    @property
    def asked(self) -> list[str]:
        return [path for path in self.site.asked if path != "/robots.txt"]


@pytest.fixture
def blog(site: Site) -> Blog:
    return Blog(site)


def ask(home: Home, statement: str) -> list[tuple]:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        return database.execute(statement).fetchall()


def standing(home: Home) -> list[str]:
    return [one.kind for one in alarms.standing(opened(home).engine)]


def opened(home: Home) -> Frontier:
    return Frontier.open(f"sqlite:///{home.path / 'pressmark.db'}")


def to_https(blog: Blog) -> None:
    blog.guid = blog.link = "{url}/post-{n}".replace("{url}", blog.site.url.replace("http:", "https:"))


def to_new_ids(blog: Blog) -> None:
    blog.guid = "reissued-{n}"


def to_campaign(blog: Blog) -> None:
    blog.guid, blog.link = "reissued-{n}", "{url}/post-{n}?utm_source=rss&utm_medium=feed"


def to_pixel(blog: Blog) -> None:
    blog.more = "<img src='http://count.example/9f3a.gif' width='1' height='1'>"


@pytest.mark.parametrize("change", [to_https, to_new_ids, to_campaign, to_pixel])
def test_old_posts_under_new_names_are_not_fetched_again(
    home: Home, blog: Blog, change: Callable[[Blog], None]
) -> None:
    if change is to_https:
        blog.guid = "{url}/post-{n}"
    if change is to_pixel:
        blog.more = "<img src='http://count.example/0d1e.gif' width='1' height='1'>"
    blog.show(3, 2, 1)
    assert blog.crawl(home).startswith("kept 3 new posts;")
    entries = ask(home, "SELECT count(*) FROM entries")
    change(blog)
    blog.show(3, 2, 1)
    assert blog.crawl(home).startswith("kept 0 new posts; 1 feed visited;")
    assert blog.asked == ["/feed"]
    assert ask(home, "SELECT count(*) FROM pages") == [(3,)]
    if change in {to_https, to_pixel}:
        assert ask(home, "SELECT count(*) FROM entries") == entries
    assert standing(home) == []


def test_two_names_of_a_post_in_one_document_are_fetched_once(home: Home, blog: Blog) -> None:
    blog.show(1)
    other = Blog(blog.site)
    other.guid, other.link = "again-{n}", "{url}/post-{n}?utm_source=rss"
    both = blog.rss([1]).replace(b"</channel></rss>", other.rss([1]).partition(b"</title>")[2])
    blog.site.pages["/feed"] = Answer(both, "application/rss+xml")
    blog.site.pages["/post-1?utm_source=rss"] = blog.site.pages["/post-1"]
    assert blog.crawl(home).startswith("kept 1 new post;")
    assert len([path for path in blog.asked if path.startswith("/post-1")]) == 1


def test_posts_that_slipped_by_are_told_of_and_wait_for_a_backfill(home: Home, blog: Blog) -> None:
    blog.show(3, 2, 1)
    blog.crawl(home)
    assert (standing(home), Backlog(opened(home).engine).waiting()) == ([], [])
    blog.show(9, 8, 7)
    assert blog.crawl(home).startswith("kept 3 new posts;")
    assert Backlog(opened(home).engine).waiting() == [1]
    told = json.loads(home.pressmark("alarms", "--json").out)
    assert (told["kind"], told["subject"], told["ended"]) == ("gap", f"{blog.site.url}/feed", None)
    assert json.loads(home.pressmark("feeds", "--json").out)["alarms"] == ["gap"]


def test_an_answer_with_new_entries_alone_keeps_the_old_ones(home: Home, blog: Blog) -> None:
    blog.show(3, 2, 1)
    blog.crawl(home)
    blog.show(4, status=226)
    assert blog.crawl(home).startswith("kept 1 new post; 1 feed visited;")
    assert (standing(home), ask(home, "SELECT shown FROM feeds")) == ([], [(3,)])
    blog.show(4, 3, 2)
    assert blog.crawl(home).startswith("kept 0 new posts; 1 feed visited;")
    assert (blog.asked, standing(home)) == (["/feed"], [])


def test_the_same_document_again_is_not_read_and_not_asked_for_before_a_day(home: Home, blog: Blog) -> None:
    """From a server that gives validators and does not look at them."""
    blog.show(3, 2, 1, validators=False, headers={"ETag": '"for ever"'})
    waits = []
    for n in range(2):
        blog.crawl(home)
        waits.append(ask(home, "SELECT (due - visited) / 3600e6 FROM feeds")[0][0])
        assert [entry.headers.get("if-none-match") for entry in blog.site.log if entry.path == "/feed"] == [
            None if n == 0 else '"for ever"'
        ]
        ask(home, "UPDATE feeds SET title = 'as it was'")
    assert 1 <= waits[0] <= 1.1
    assert 24 <= waits[1] <= 26.4
    blog.crawl(home)
    assert ask(home, "SELECT title FROM feeds") == [("as it was",)]
    blog.show(4, 3, 2, 1, validators=False)
    assert blog.crawl(home).startswith("kept 1 new post;")
    assert ask(home, "SELECT title FROM feeds") == [("T",)]


def test_a_document_that_is_cut_off_again_and_again_is_wanted_whole(home: Home, blog: Blog) -> None:
    blog.show(3, 2, 1)
    whole = blog.site.pages["/feed"]
    tag = whole.etag
    part = whole.body[: whole.body.rindex(b"<item>") + 10]
    for _ in range(3):
        blog.site.pages["/feed"] = Answer(part, "application/rss+xml", headers={"ETag": tag}, validators=False)
        blog.crawl(home)
        assert "if-none-match" not in blog.site.log[-1].headers
    blog.site.pages["/feed"] = whole
    assert blog.crawl(home).startswith("kept 1 new post;")


def test_a_feed_that_was_not_asked_for_has_not_failed_once_more(home: Home, blog: Blog) -> None:
    blog.show(1)
    blog.crawl(home)
    ask(home, "UPDATE feeds SET failures = 4, error = 'answered 503', due = 0")
    opened(home).hold(scope_of(blog.site.url, "host"), datetime.now(UTC) + HOUR)
    assert home.crawl("force=1").code == 0
    assert ask(home, "SELECT failures FROM feeds") == [(4,)]
    assert standing(home) == []

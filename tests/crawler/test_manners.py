"""How a feed is asked again: validators, freshness, Retry-After, back-off, moves. Clocks are arguments."""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from conftest import Home
from sample.blogs import TIDE
from sample.raw import RawSite
from sample.server import Answer, Site
from sample.visits import feed_visit

from crawler.decide import freshness
from crawler.decide.entries import keys, seen_entries
from crawler.decide.freshness import Pace
from crawler.feeds import parse
from crawler.feeds.model import FeedEntry, FeedInfo, ParsedFeed
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Feed, FeedVisit
from crawler.net.crawl_delay import Gaps
from crawler.session.retry_after import scope_of

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEED = Feed(
    id=1, url="https://a.example/feed", title=None, site=None, paused=False, added=T0, visited=None, due=T0,
    etag='"1"', last_modified=None, status=None, error=None, failures=0,
)  # fmt: skip


def visit(feed: Feed = FEED, *, at: datetime = T0, status: int | None = 200, **more: object) -> FeedVisit:
    headers = {"etag": '"1"', **more.pop("headers", {})}  # type: ignore[dict-item]
    return feed_visit(feed, at=at, pace=Pace(least=HOUR), status=status, headers=headers, **more)  # type: ignore[arg-type]


def http(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


# -- validators


def test_validators_are_echoed_byte_for_byte(home: Home) -> None:
    """Also where they are no validators by the letter."""
    odd = {
        "/quoted": (b'ETag: "x"', b"Last-Modified: Tue, 1 Jan 2019 1:02:03 UTC"),
        "/weak": (b'ETag: W/"x-gzip"', b"Last-Modified: yesterday"),
        "/bare": (b"ETag: x", b"Last-Modified: Sat, 01 Jan 2000 00:00:00 GMT"),
        "/empty": (b'ETag: ""', b"X-None: 1"),
        "/long": (b'ETag: "' + b"y" * 8_000 + b'"', b"X-None: 1"),
    }
    body = b"<rss version='2.0'><channel><title>T</title><item><title>i</title></item></channel></rss>"
    with RawSite() as site:
        for path, lines in odd.items():
            head = b"\r\n".join((b"HTTP/1.1 200 OK", *lines, b"Content-Length: %d" % len(body), b"", b""))
            site.answers[path] = head + body
        urls = " ".join(site.url + path for path in odd)
        assert home.crawl(f"url={urls}").code == 0
        assert home.crawl(f"url={urls}", "force=1").code == 0
        for path, lines in odd.items():
            first, second = site.received[path]
            assert b"If-" not in first
            for line in lines:
                name, value = line.split(b": ", 1)
                sent = {b"ETag": b"If-None-Match", b"Last-Modified": b"If-Modified-Since"}.get(name)
                assert sent is None or b"\r\n%s: %s\r\n" % (sent, value) in second


def test_a_200_replaces_both_validators_and_clears_a_missing_one() -> None:
    feed = replace(FEED, etag='"old"', last_modified="then")
    found = feed_visit(feed, at=T0, pace=Pace(least=HOUR), status=200, headers={"etag": '"new"'})
    assert (found.etag, found.last_modified) == ('"new"', None)


def test_an_error_keeps_the_validators_of_the_last_good_visit() -> None:
    found = visit(status=503, error="answered 503", headers={"etag": '"of the error page"'})
    assert found.etag == '"1"'


# -- when to come again


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({}, timedelta(0)),
        ({"cache-control": "max-age=43200"}, 12 * HOUR),
        ({"cache-control": "public, max-age=43200, must-revalidate", "age": "3600"}, 11 * HOUR),
        ({"cache-control": "max-age=60", "age": "3600"}, timedelta(0)),
        ({"cache-control": "s-maxage=43200"}, timedelta(0)),
        ({"cache-control": "no-cache, max-age=43200"}, timedelta(0)),
        ({"cache-control": "max-age=99999999999"}, freshness.LONGEST),
        ({"cache-control": 'private="x, max-age=1", max-age="7200"'}, 2 * HOUR),
        ({"cache-control": "max-age=soon"}, timedelta(0)),
        ({"expires": http(T0 + 6 * HOUR), "date": http(T0)}, 6 * HOUR),
        ({"expires": http(T0 + 6 * HOUR)}, 6 * HOUR),
        ({"expires": http(T0 + 6 * HOUR), "cache-control": "max-age=3600"}, HOUR),
        ({"expires": "0"}, timedelta(0)),
        ({"expires": http(T0 - DAY), "date": http(T0)}, timedelta(0)),
    ],
)
def test_an_answer_is_fresh_as_long_as_it_says(headers: dict[str, str], wanted: timedelta) -> None:
    assert freshness.fresh_for(headers, at=T0) == wanted


def test_no_hint_makes_visits_more_frequent_than_the_operator_wants() -> None:
    assert visit(headers={"cache-control": "max-age=60"}).due == T0 + HOUR
    assert visit(headers={"cache-control": "max-age=43200"}).due == T0 + 12 * HOUR
    assert visit(status=304, headers={"cache-control": "max-age=43200"}).due == T0 + 12 * HOUR


def test_a_server_without_validators_is_asked_once_a_day() -> None:
    found = feed_visit(replace(FEED, etag=None), at=T0, pace=Pace(least=HOUR), status=200, headers={})
    assert found.due == T0 + DAY


def test_chance_spreads_visits_and_never_brings_one_forward() -> None:
    dues = [visit(chance=n / 10).due for n in range(10)]
    assert dues[0] == T0 + HOUR
    assert dues == sorted(set(dues))
    assert dues[-1] <= T0 + 1.1 * HOUR


def with_hints(inside: str) -> FeedInfo:
    ns = "xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'"
    body = f"<rss version='2.0' {ns}><channel><title>T</title>{inside}<item><title>i</title></item></channel></rss>"
    return parse(body.encode(), url="http://a.example/", content_type=None).feed


@pytest.mark.parametrize(
    ("inside", "wanted"),
    [
        ("", None),
        ("<ttl>120</ttl>", 2 * HOUR),
        ("<ttl>soon</ttl>", None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", HOUR),
        ("<sy:updatePeriod>weekly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>", 3.5 * DAY),
        ("<sy:updateFrequency>2</sy:updateFrequency><sy:updatePeriod>weekly</sy:updatePeriod>", 3.5 * DAY),
        ("<sy:updateFrequency>4</sy:updateFrequency>", 6 * HOUR),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", DAY),
    ],
)
def test_a_feed_tells_how_often_it_changes(inside: str, wanted: timedelta | None) -> None:
    assert with_hints(inside).every == wanted


def test_hours_and_days_that_a_feed_skips_are_skipped() -> None:
    feed = with_hints(
        "<skipHours><hour>13</hour><hour> 14 </hour><hour>24</hour></skipHours><skipDays><day>Saturday</day></skipDays>"
    )
    assert (feed.skip_hours, feed.skip_days) == ({13, 14, 24}, {"Saturday"})
    assert visit(parsed=ParsedFeed(feed=feed, entries=())).due == T0.replace(hour=15)
    # The 1st of May 2026 is a Friday.
    late = visit(at=T0.replace(hour=23), parsed=ParsedFeed(feed=feed, entries=()))
    assert late.due == T0.replace(day=2, hour=23), "a day at most, while it is not known how long posts stay"


def test_a_plan_that_skips_everything_is_none() -> None:
    everything = freshness.past_skipped(T0, hours=frozenset(range(24)), days=frozenset())
    assert everything == T0
    days = frozenset({"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"})
    assert freshness.past_skipped(T0, hours=frozenset(), days=days) == T0


def entries(gap: timedelta, count: int = 12) -> tuple[FeedEntry, ...]:
    return tuple(FeedEntry(id=str(n), published=T0 - n * gap) for n in range(count))


@pytest.mark.parametrize(("gap", "wanted"), [(HOUR, HOUR), (8 * HOUR, 2 * HOUR), (2 * DAY, 12 * HOUR), (30 * DAY, DAY)])
def test_a_feed_is_visited_as_often_as_it_has_news(gap: timedelta, wanted: timedelta) -> None:
    found = visit(parsed=ParsedFeed(feed=FeedInfo(), entries=entries(gap)))
    assert found.due == T0 + wanted
    assert visit(replace(FEED, rhythm=found.rhythm), status=304).due == T0 + wanted, "a 304 brings no entries"


def test_dates_that_are_yet_to_come_tell_no_rhythm() -> None:
    future = tuple(replace(entry, published=T0 + n * HOUR) for n, entry in enumerate(entries(HOUR), 1))
    assert visit(parsed=ParsedFeed(feed=FeedInfo(), entries=future)).rhythm is None


# -- trouble


def test_a_week_of_errors_costs_few_requests() -> None:
    feed, now, asked = FEED, T0, 0
    while now < T0 + 7 * DAY:
        found = visit(feed, at=now, status=500, error="answered 500")
        feed, now, asked = replace(feed, failures=found.failures), found.due, asked + 1
    assert asked <= 15
    assert visit(feed).failures == 0


def test_a_feed_that_is_gone_is_left_alone_for_a_month() -> None:
    assert visit(status=410, error="answered 410").due >= T0 + 29 * DAY
    assert visit(status=404, error="answered 404").due == T0 + HOUR


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("120", timedelta(seconds=120)),
        (http(T0 + HOUR), HOUR),
        (http(T0 - HOUR), timedelta(0)),
        ("999999999999", freshness.LONGEST),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, wanted: timedelta | None) -> None:
    assert freshness.retry_after(value, at=T0) == wanted


def test_a_feed_waits_as_long_as_it_was_asked_to() -> None:
    assert visit(status=503, error="answered 503", headers={"retry-after": "86400"}).due == T0 + DAY


def test_scopes_of_retry_after() -> None:
    url = "https://blog.shop.example.co.uk:8443/a?b"
    assert scope_of(url, "url") == url
    assert scope_of(url, "host") == "blog.shop.example.co.uk:8443"
    assert scope_of(url, "domain") == "example.co.uk"


def test_a_host_that_says_not_now_is_asked_nothing_more(home: Home, site: Site) -> None:
    """Neither in this run nor in the next ones, whatever it is about."""
    site.pages.update(TIDE.pages(site.url))
    for post in TIDE.posts:
        site.pages[TIDE.url_of(post)] = Answer(
            b"not now", status=429, headers={"Retry-After": "3600"}, validators=False
        )
    home.settings["PRESSMARK_HOST_CONCURRENCY"] = "1"
    done = home.crawl(f"url={site.url}/")
    assert done.out.startswith("kept 0 new posts, 4 failed;")
    assert len([path for path in site.asked if path.startswith("/20")]) == 1, done.err
    site.log.clear()
    again = home.crawl(f"url={site.url}/", "force=1")
    assert site.asked == []
    assert "asked to be left alone until" in again.err
    with sqlite3.connect(home.path / "pressmark.db") as database:
        wait = database.execute("SELECT min(due) FROM pages").fetchone()[0] / 1e6 - datetime.now(UTC).timestamp()
        failures = database.execute("SELECT sum(failures) FROM pages").fetchone()[0]
        database.execute("UPDATE holds SET until = 0")
        database.execute("UPDATE pages SET due = 0")
    assert wait > 3_000
    assert failures == 1, "what was not asked for has not failed"
    site.pages.update(TIDE.pages(site.url))
    assert home.crawl(f"url={site.url}/").out.startswith("kept 4 new posts;")


# -- moves


def test_a_permanent_redirect_is_believed_after_it_proved_itself() -> None:
    feed, target = FEED, "https://b.example/feed"
    for n in range(3):
        found = visit(feed, at=T0 + n * 8 * HOUR, moved_to=target)
        assert (found.url, found.moved_to, found.moved_times) == (None, target, n + 1)
        feed = replace(feed, moved_to=found.moved_to, moved_since=found.moved_since, moved_times=found.moved_times)
    assert visit(feed, at=T0 + 25 * HOUR, moved_to=target).url == target


def test_a_move_that_is_taken_back_or_leads_elsewhere_begins_anew() -> None:
    feed = replace(FEED, moved_to="https://b.example/feed", moved_since=T0 - 9 * DAY, moved_times=9)
    assert visit(feed, moved_to=None).moved_to is None
    other = visit(feed, moved_to="https://c.example/feed")
    assert (other.url, other.moved_times, other.moved_since) == (None, 1, T0)
    failed = visit(feed, status=200, error="is not a feed", moved_to="https://b.example/feed")
    assert (failed.url, failed.moved_times) == (None, 9), "an error proves nothing"


def test_a_move_to_http_is_followed_and_not_stored() -> None:
    feed = replace(FEED, moved_to="http://a.example/feed", moved_since=T0 - 9 * DAY, moved_times=9)
    assert visit(feed, moved_to="http://a.example/feed").url is None


def test_a_feed_that_moved_keeps_its_old_name(database: str) -> None:
    frontier = Frontier.open(database)
    feed = frontier.subscribe("http://a.example/feed", seed="http://a.example/", now=T0)
    moved = FeedVisit(
        feed_id=feed.id, at=T0, due=T0, status=200, error=None, failures=0, etag=None, last_modified=None,
        rhythm=DAY, url="https://b.example/feed",
    )  # fmt: skip
    frontier.commit([moved], [])
    for name in ("http://a.example/feed", "http://a.example/", "https://b.example/feed"):
        assert [found.url for found in frontier.find(name)] == ["https://b.example/feed"]
    assert frontier.find("http://a.example/feed")[0].rhythm == DAY
    other = frontier.subscribe("http://c.example/feed", seed=None, now=T0)
    frontier.commit([replace(moved, feed_id=other.id)], [])
    assert [found.url for found in frontier.feeds()] == ["https://b.example/feed"], "two turned out to be one"
    assert frontier.find("http://c.example/feed")[0].id == feed.id


def test_holds_last_over_runs_and_end(database: str) -> None:
    frontier = Frontier.open(database)
    frontier.hold("a.example", T0 + HOUR)
    frontier.hold("a.example", T0 + timedelta(minutes=1))
    assert frontier.holds(T0) == {"a.example": T0 + HOUR}, "the later one holds"
    assert frontier.holds(T0 + 2 * HOUR) == {}


# -- entries


def test_posts_that_share_an_id_are_told_apart_by_their_links() -> None:
    same = tuple(FeedEntry(id="1", link=f"http://a.example/{n}", title=f"T{n}") for n in range(10))
    found = seen_entries(same, {}, {})
    assert [seen.url for seen in found] == [entry.link for entry in same]
    known = {seen.key: seen.digest for seen in found}
    assert seen_entries(same, known, {}) == ()
    alone = FeedEntry(id="1", link="http://a.example/1")
    assert keys((alone,)) == [alone.key]


# -- at a time


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_requests_go_to_a_host_at_once_than_were_allowed(home: Home, site: Site, at_once: int) -> None:
    site.pages.update(TIDE.pages(site.url))
    site.delay = 0.1
    home.settings["PRESSMARK_HOST_CONCURRENCY"] = str(at_once)
    assert home.crawl(f"url={site.url}/").out.startswith("kept 4 new posts;")
    assert site.most_at_once == at_once


def test_turns_of_a_host_that_asks_for_a_gap_are_that_far_apart() -> None:
    gaps = Gaps()
    assert gaps.wait("a.example", 100.0) == 0
    gaps.ask("a.example", 5)
    assert [gaps.wait("a.example", 100.0) for _ in range(3)] == [0, 5, 10]
    assert gaps.wait("a.example", 200.0) == 0
    assert gaps.wait("b.example", 100.0) == 0
    gaps.ask("c.example", 86_400)
    assert [gaps.wait("c.example", 0.0) for _ in range(2)] == [0, 60]
    gaps.ask("d.example", 0)
    assert [gaps.wait("d.example", 0.0) for _ in range(2)] == [0, 0]


def test_a_crawl_delay_is_kept(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    site.pages["/robots.txt"] = Answer(b"User-agent: *\nCrawl-delay: 1\n", content_type="text/plain")
    assert home.crawl(f"url={site.url}/").out.startswith("kept 4 new posts;")
    times = [entry.at for entry in site.log[1:]]
    assert all(later - earlier > 0.9 for earlier, later in itertools.pairwise(times))

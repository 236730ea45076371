"""Polling over many visits: what is remembered of hints, how few requests go out, where redirects end."""

from __future__ import annotations

import sqlite3
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Home
from sample.server import Answer, Site
from sample.visits import feed_visit, page_visit

from crawler.decide.entries import seen_entries
from crawler.decide.feed import validators
from crawler.decide.freshness import Pace
from crawler.feeds import parse
from crawler.feeds.model import FeedEntry, FeedInfo, ParsedFeed
from crawler.frontier.frontier import Frontier
from crawler.model.url_identity import shard
from crawler.model.visits import Feed, FeedVisit, Page
from crawler.session.retry_after import RetryAfter, RetryAfterError

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
URL = "http://blog.example/feed"
FEED = Feed(
    id=1, url=URL, title=None, site=None, paused=False, added=T0, visited=None, due=T0, etag=None,
    last_modified=None, status=None, error=None, failures=0,
)  # fmt: skip
RSS = b"<rss version='2.0' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'><channel><title>T</title>%s</channel></rss>"
OLD = b"<item><guid>0</guid><pubDate>Wed, 01 Jan 2020 00:00:00 GMT</pubDate></item>"
"""It tells that what the feed shows does not scroll away soon."""
ITEM = b"<item><guid>1</guid><title>One</title><link>http://blog.example/1</link></item>"


def after(feed: Feed, visit: FeedVisit) -> Feed:
    """The feed as it is known once the visit is committed."""
    kept = {"title", "site", "rhythm", "whole", "shown", "media", "news", "window", "restless"}
    document = {"hub", "topic", "every", "skips"}
    changes = {}
    for one in fields(FeedVisit):
        value = getattr(visit, one.name)
        if one.name not in Feed.__slots__ or (one.name in kept and value is None) or one.name == "url":
            continue
        if one.name in document and visit.shown is None:
            continue
        changes[one.name] = value
    return replace(feed, visited=visit.at, **changes)


def visit(feed: Feed, at: datetime, status: int = 200, body: bytes | None = None, **headers: str) -> FeedVisit:
    told = {"etag": '"1"', **{name.replace("_", "-"): value for name, value in headers.items()}}
    parsed = parse(body, url=URL, content_type=None) if body else None
    shared = [False] * len(parsed.entries) if parsed else []
    return feed_visit(feed, at=at, pace=Pace(least=HOUR), status=status, headers=told, parsed=parsed, shared=shared)


# -- hints


def test_what_server_and_document_ask_for_holds_over_answers_that_do_not_repeat_it() -> None:
    first = visit(FEED, T0, body=RSS % (b"<ttl>720</ttl>" + ITEM), cache_control="max-age=36000")
    assert first.due == T0 + 12 * HOUR
    feed = after(FEED, first)
    bare = visit(feed, T0 + DAY, status=304)
    assert bare.due == T0 + DAY + 12 * HOUR
    feed = after(feed, replace(bare, every=None))
    newer = visit(feed, T0 + 2 * DAY, status=304, cache_control="max-age=57600")
    assert newer.due == T0 + 2 * DAY + 16 * HOUR, "a 304 refreshes what it says"
    same = feed_visit(feed, at=T0 + 3 * DAY, pace=Pace(least=HOUR), status=200, headers={"etag": '"1"'}, same=True)
    assert same.due == T0 + 4 * DAY
    gone = after(after(feed, newer), visit(feed, T0 + 4 * DAY, body=RSS % ITEM))
    due = visit(gone, T0 + 5 * DAY, status=304).due
    assert due == T0 + 5 * DAY + 15 * HOUR, "the document does not ask for it any more; for days nothing came"


def test_hours_that_a_feed_skips_are_skipped_after_a_304_too() -> None:
    hours = b"".join(b"<hour>%d</hour>" % hour for hour in range(13, 20))
    feed = after(FEED, visit(FEED, T0, body=RSS % (b"<skipHours>" + hours + b"</skipHours>" + ITEM)))
    assert visit(feed, T0, status=304).due == T0.replace(hour=20)


@pytest.mark.parametrize(
    ("inside", "headers", "wanted"),
    [
        (b"<ttl>120</ttl>", {}, 2 * HOUR),
        (b"<ttl>120</ttl>", {"cache_control": "max-age=14400"}, 4 * HOUR),
        (b"<ttl>480</ttl>", {"cache_control": "max-age=14400"}, 8 * HOUR),
        (b"<ttl>120</ttl><sy:updatePeriod>daily</sy:updatePeriod>", {}, DAY),
        (
            b"<sy:updateFrequency>2</sy:updateFrequency><sy:updatePeriod>weekly</sy:updatePeriod>" + OLD,
            {},
            timedelta(days=3.5),
        ),
        (
            b"<sy:updatePeriod>weekly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>" + OLD,
            {},
            timedelta(days=3.5),
        ),
        (b"<sy:updatePeriod>yearly</sy:updatePeriod>" + OLD, {}, 7 * DAY),
        (b"<sy:updatePeriod>yearly</sy:updatePeriod>", {}, DAY),
        (b"<ttl>abc</ttl>", {}, HOUR),
        (b"<ttl>-5</ttl>", {}, HOUR),
        (b"<ttl>0</ttl>", {}, HOUR),
        (b"<ttl>99999999</ttl>", {}, HOUR),
        (b"<ttl>900000</ttl>" + OLD, {}, 7 * DAY),
    ],
)
def test_the_longest_of_all_hints_counts(inside: bytes, headers: dict[str, str], wanted: timedelta) -> None:
    assert visit(FEED, T0, body=RSS % (inside + ITEM), **headers).due == T0 + wanted


# -- how few requests


def test_of_a_hundred_visits_one_is_unconditional() -> None:
    feed, at, plain = FEED, T0, 0
    for _ in range(100):
        known = validators(feed) != (None, None)
        plain += not known
        done = visit(feed, at, status=304) if known else visit(feed, at, body=RSS % ITEM)
        assert done.due - at >= HOUR
        feed, at = after(feed, done), done.due
    assert plain == 1


def test_a_server_that_says_304_to_everything_is_not_asked_for_the_whole_again_and_again() -> None:
    feed = replace(FEED, etag='"1"', whole=T0, visited=T0)
    plain, at = 0, T0
    for _ in range(24 * 62):
        at += HOUR
        plain += validators(feed) == (None, None)
        feed = after(feed, visit(feed, at, status=304))
    assert plain == 2


@pytest.mark.parametrize("status", [404, 500, None])
def test_a_week_of_errors_costs_few_requests_and_chance_spreads_them(status: int | None) -> None:
    for chance in (0.0, 0.9):
        feed, at, asked = FEED, T0, 0
        while at < T0 + 7 * DAY:
            asked += 1
            done = feed_visit(feed, at=at, pace=Pace(least=HOUR), status=status, error="no", chance=chance)
            assert done.due >= at + HOUR * (1 + chance / 20)
            feed, at = after(feed, done), done.due
        assert asked <= 15


def test_no_answer_is_one_request(home: Home, site: Site) -> None:
    home.settings["PRESSMARK_TIMEOUT"] = "1"
    site.pages["/feed"] = Answer(RSS % b"", "application/rss+xml")
    home.crawl(f"url={site.url}/feed")
    site.log.clear()
    site.delay = 3
    assert home.crawl("force=1").code == 0
    assert len([path for path in site.asked if path == "/feed"]) <= 1


def test_a_page_of_a_busy_server_waits_an_hour() -> None:
    page = Page(url="http://blog.example/1", feed_id=1, kept=False)
    assert page_visit(page, at=T0, plan=(), status=503, error="answered 503").due == T0 + HOUR
    assert page_visit(page, at=T0, plan=(), status=500, error="answered 500").due == T0 + timedelta(minutes=10)


def test_what_one_run_was_told_another_that_is_under_way_heeds(database: str) -> None:
    now = [T0]
    one, other = (RetryAfter(Frontier.open(database), "host", lambda: now[0]) for _ in range(2))
    one.answered(URL, 503, "3600")
    now[0] = T0 + timedelta(seconds=20)
    assert other.stale
    other.look()
    with pytest.raises(RetryAfterError):
        other.check(URL)
    now[0] = T0 + 2 * HOUR
    other.check(URL)


# -- one feed, one subscription


def test_a_feed_that_moved_to_another_subscription_joins_it(database: str) -> None:
    frontier = Frontier.open(database)
    old = frontier.subscribe(URL, seed="http://blog.example/", now=T0)
    new = frontier.subscribe("http://new.example/feed", seed=None, now=T0)
    frontier.commit([replace(visit(FEED, T0, body=RSS % ITEM), feed_id=old.id, url=new.url)], [])
    assert [feed.url for feed in frontier.feeds()] == [new.url]
    for name in (URL, "http://blog.example/", new.url):
        assert [feed.id for feed in frontier.find(name)] == [new.id]


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_changes_no_address(home: Home, site: Site, status: int) -> None:
    site.pages["/real"] = Answer(RSS % b"", "application/rss+xml")
    site.pages["/feed"] = Answer(b"", status=status, headers={"Location": "/real"}, validators=False)
    home.crawl(f"url={site.url}/feed")
    for _ in range(3):
        assert home.crawl("force=1").code == 0
    with sqlite3.connect(home.path / "pressmark.db") as database:
        assert database.execute("SELECT url, moved_to FROM feeds").fetchall() == [(f"{site.url}/feed", None)]


def test_a_mixed_chain_is_subscribed_up_to_its_first_temporary_hop(home: Home, site: Site) -> None:
    site.pages["/real"] = Answer(RSS % b"", "application/rss+xml")
    site.pages["/half"] = Answer(b"", status=302, headers={"Location": "/real"}, validators=False)
    site.pages["/feed"] = Answer(b"", status=301, headers={"Location": "/half"}, validators=False)
    home.crawl(f"url={site.url}/feed")
    with sqlite3.connect(home.path / "pressmark.db") as database:
        assert database.execute("SELECT url FROM feeds").fetchall() == [(f"{site.url}/half",)]


def test_what_a_feed_calls_itself_changes_no_address(home: Home, site: Site) -> None:
    own = b"<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='http://elsewhere.example/feed'/>"
    site.pages["/feed"] = Answer(RSS % own, "application/rss+xml")
    home.crawl(f"url={site.url}/feed")
    assert home.crawl("force=1").code == 0
    assert site.asked.count("/feed") == 2
    with sqlite3.connect(home.path / "pressmark.db") as database:
        assert database.execute("SELECT url FROM feeds").fetchall() == [(f"{site.url}/feed",)]


# -- redirects


def test_redirects_that_lead_back_end_at_once(home: Home, site: Site) -> None:
    site.pages["/feed"] = Answer(b"", status=302, headers={"Location": "/feed"}, validators=False)
    site.pages["/a"] = Answer(b"", status=302, headers={"Location": "/b"}, validators=False)
    site.pages["/b"] = Answer(b"", status=302, headers={"Location": "/a"}, validators=False)
    home.crawl(f"url={site.url}/feed {site.url}/a")
    assert sorted(path for path in site.asked if path != "/robots.txt") == ["/a", "/b", "/feed"]


def test_no_more_than_eight_redirects_are_followed(home: Home, site: Site) -> None:
    for n in range(20):
        site.pages[f"/{n}"] = Answer(b"", status=302, headers={"Location": f"/{n + 1}"}, validators=False)
    home.crawl(f"url={site.url}/0")
    assert [path for path in site.asked if path != "/robots.txt"] == [f"/{n}" for n in range(9)]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/html,x"])
def test_no_redirect_leads_off_the_web(home: Home, site: Site, target: str) -> None:
    site.pages["/feed"] = Answer(b"", status=302, headers={"Location": target}, validators=False)
    done = home.crawl(f"url={site.url}/feed")
    assert done.code == 1
    assert "root:" not in done.out + done.err


# -- what is asked for


def test_who_looks_for_a_feed_says_so(home: Home, site: Site) -> None:
    site.pages["/"] = Answer(b"<link rel='alternate' type='application/rss+xml' href='/feed'><h1>B</h1>")
    site.pages["/feed"] = Answer(RSS % b"", "application/rss+xml", headers={"Set-Cookie": "a=b"})
    home.crawl(f"url={site.url}/")
    home.crawl("force=1")
    asked = [entry for entry in site.log if entry.path != "/robots.txt"]
    assert [entry.path for entry in asked] == ["/", "/feed", "/feed"]
    for entry in asked:
        assert "application/rss+xml" in entry.headers["accept"]
        assert "cookie" not in entry.headers
        assert "referer" not in entry.headers
        assert "+http" in entry.headers["user-agent"]


# -- entries


def test_posts_that_share_an_id_and_have_no_link_are_told_apart_by_their_titles() -> None:
    entries = tuple(FeedEntry(id="same", title=f"Post {n}") for n in range(10))
    seen = seen_entries(entries, {}, {})
    assert len({one.key for one in seen}) == 10
    again = seen_entries(entries, {one.key: one.digest for one in seen}, {})
    assert again == ()


def test_entries_that_leave_the_window_are_no_deletions(database: str) -> None:
    frontier = Frontier.open(database)
    feed = frontier.subscribe(URL, seed=None, now=T0)
    for start in range(5):
        shown = tuple(
            FeedEntry(id=str(n), link=f"http://blog.example/{n}", title=str(n)) for n in range(start, start + 3)
        )
        known = frontier.known(feed.id, [key for one in shown if (key := one.key)], {})[0]
        document = ParsedFeed(feed=FeedInfo(), entries=shown)
        seen = seen_entries(shown, known, {})
        done = feed_visit(
            frontier.find(URL)[0], at=T0 + start * DAY, pace=Pace(least=HOUR), status=200, headers={}, parsed=document,
            seen=seen, shared=[one.key in known for one in shown],
        )  # fmt: skip
        frontier.commit([done], [])
    assert frontier.deletions() == []
    assert len(frontier.pages([f"http://blog.example/{n}" for n in range(7)])) == 7
    assert shard(URL) == shard("http://blog.example/1")

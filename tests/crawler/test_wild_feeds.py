"""Feeds as the web has them: huge, swelling, behind a login, hard to find; and who waits for whom."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from conftest import Home
from sample.blogs import BLOGS, TIDE
from sample.server import Answer, Site

from crawler import feeds
from crawler.feeds import json_feed, layout, xml_feed
from crawler.frontier.frontier import Frontier
from crawler.session.retry_after import RetryAfter, RetryAfterError

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
RSS = "application/rss+xml"


def health(home: Home) -> dict[str, object]:
    return json.loads(home.pressmark("feeds", "--json").out.splitlines()[0])


def rss(items: str) -> bytes:
    return f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode()


def item(site: Site, n: int, words: str = "") -> str:
    return f"<item><guid>{n}</guid><title>Post {n}</title><link>{site.url}/post-{n}</link><description>{words}</description></item>"


# -- who asked to be left alone


@pytest.mark.parametrize(
    ("status", "said", "minutes"), [(429, None, 15), (429, "60", 1), (429, "nonsense", 15), (503, "60", 1), (503, None, 0)]
)  # fmt: skip
def test_too_many_requests_hold_the_host_even_without_a_word_on_how_long(
    database: str, status: int, said: str | None, minutes: int
) -> None:
    now = [T0]
    holds = RetryAfter(Frontier.open(database), "host", lambda: now[0])
    holds.answered("http://a.example/feed", status, said)
    if minutes:
        now[0] = T0 + timedelta(minutes=minutes) - timedelta(seconds=1)
        with pytest.raises(RetryAfterError):
            holds.check("http://a.example/another")
    holds.check("http://b.example/")
    now[0] = T0 + timedelta(minutes=minutes)
    holds.check("http://a.example/another")


# -- size


def test_a_feed_that_swells_is_cut_off_and_the_others_are_read(home: Home, site: Site) -> None:
    swollen = gzip.compress(b"<rss><channel>" + b"<item>" * 20_000_000, 9, mtime=0)
    site.pages.update(TIDE.pages(site.url))
    site.pages["/bomb"] = Answer(swollen, RSS, headers={"Content-Encoding": "gzip"})
    done = home.pressmark("crawl", f"{site.url}/bomb", f"{site.url}/feed/")
    assert "kept 4 new posts" in done.out
    assert f"{site.url}/bomb" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("rising", [False, True])
def test_a_feed_is_read_as_far_as_it_may_be_long(monkeypatch: pytest.MonkeyPatch, rising: bool) -> None:
    """Whichever way it is ordered, the newest entries are taken."""
    for module in (json_feed, layout, xml_feed):
        monkeypatch.setattr(module, "FEED_ENTRIES", 20)
    newest = datetime(2026, 1, 1, tzinfo=UTC)
    days = [(n, newest - timedelta(days=n)) for n in range(25)]
    days = days[::-1] if rising else days
    listed = "".join(f"<item><guid>{n}</guid><pubDate>{format_datetime(day)}</pubDate></item>" for n, day in days)
    parsed = feeds.parse(rss(listed), url="http://a.example/feed", content_type=RSS)
    assert sorted(int(entry.id or -1) for entry in parsed.entries) == list(range(20))
    assert (parsed.left_out, parsed.complete, parsed.feed.title) == (5, True, "T")
    items = [{"id": str(n), "date_published": day.isoformat()} for n, day in days]
    document = {"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": items}
    parsed = feeds.parse(json.dumps(document).encode(), url="http://a.example/feed", content_type=None)
    assert sorted(int(entry.id or -1) for entry in parsed.entries) == list(range(20))
    assert parsed.left_out == 5


def test_a_relative_id_is_an_address_only_where_the_feed_says_so() -> None:
    items = "<item><guid isPermaLink='true'>p2</guid></item><item><guid>p3</guid></item>"
    first, second = feeds.parse(rss(items), url="http://a.example/blog/feed", content_type=RSS).entries
    assert (first.id, first.link) == ("p2", "http://a.example/blog/p2")
    assert (second.id, second.link) == ("p3", None)


@pytest.mark.parametrize("depth", [600, 100_000])
def test_a_feed_that_is_nested_without_end_ends_no_crawl(depth: int) -> None:
    inside = "<item><guid>1</guid><title>One</title><link>http://a.example/1</link></item>"
    parsed = feeds.parse(rss(inside + "<x>" * depth + "</x>" * depth), url="http://a.example/feed", content_type=RSS)
    assert [entry.id for entry in parsed.entries] == ["1"]


def test_feeds_are_read_in_a_process_of_their_own(home: Home, site: Site) -> None:
    """So that nothing waits for one: here with so little time that none can be read, and the crawl ends in order."""
    site.pages["/feed"] = Answer(rss("".join(item(site, n, "words " * 2_000) for n in range(1_500))), RSS)
    home.settings["PRESSMARK_FEED_SECONDS"] = "0.001"
    done = home.pressmark("crawl", f"{site.url}/feed")
    assert done.code == 1
    assert "passed 0.001 s" in done.err


# -- what is not a feed


@pytest.mark.parametrize("status", [200, 302])
def test_a_login_or_consent_page_takes_no_entry_away(home: Home, site: Site, status: int) -> None:
    site.pages.update(TIDE.pages(site.url))
    home.crawl(f"url={site.url}/feed/")
    login = (
        b"<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'x'>"
        b"<html xmlns='http://www.w3.org/1999/xhtml'><head><title>Privacy</title></head>"
        b"<body><form action='/accept'><p>Do you agree?</p></form></body></html>"
    )
    page = Answer(login, "application/xhtml+xml", validators=False)
    site.pages["/feed/"] = (
        page if status == 200 else Answer(b"", status=302, headers={"Location": "/privacy/consent?redirect=feed"})
    )
    site.pages["/privacy/consent?redirect=feed"] = page
    done = home.crawl(f"url={site.url}/feed/", "force=1")
    assert done.code == 1
    assert "is not a feed" in done.err
    state = health(home)
    assert (state["state"], state["failures"], state["posts_kept"]) == ("failing", 1, 4)
    assert home.pressmark("deletions").out == "no archived post is known to be deleted\n"
    site.pages.update(TIDE.pages(site.url))
    assert home.crawl(f"url={site.url}/feed/", "force=1").code == 0
    assert health(home)["posts_kept"] == 4


def test_candidates_that_are_dead_do_not_hide_the_one_that_lives(home: Home, site: Site) -> None:
    links = "".join(
        f"<link rel='alternate' type='application/rss+xml' href='{path}'>"
        for path in ("/gone.xml", "/comments/feed/", "/page-instead", "/feed/")
    )
    site.pages.update(TIDE.pages(site.url))
    site.pages["/"] = Answer(f"<html><head>{links}</head><body>Home</body></html>".encode())
    site.pages["/page-instead"] = Answer(b"<html><body>No feed here</body></html>")
    site.pages.pop("/gone.xml", None)
    done = home.pressmark("add", f"{site.url}/")
    assert done.code == 0, done.err
    assert health(home)["url"] == f"{site.url}/feed/"


# -- who waits for whom


def test_feeds_are_visited_while_a_backfill_is_under_way(home: Home, site: Site) -> None:
    """And what both find is one post."""
    numbers = range(1, 13)
    for n in numbers:
        site.pages[f"/post-{n}"] = Answer(
            f"<html><body><article><p>{'Words of a post. ' * 20}{n}</p></article>".encode()
        )
    site.pages["/feed"] = Answer(rss("".join(item(site, n) for n in (11, 12))), RSS)
    urls = "".join(f"<url><loc>{site.url}/post-{n}</loc></url>" for n in numbers)
    site.pages["/sitemap.xml"] = Answer(
        f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>".encode(), "application/xml"
    )
    assert home.pressmark("crawl", f"{site.url}/feed").code == 0
    home.settings.update(PRESSMARK_BACKFILL_GAP="0", PRESSMARK_HOST_CONCURRENCY="1")
    site.delay = 8  # until the other feed was read
    process = home.start("pressmark", "backfill", f"{site.url}/feed")
    try:
        with Site(BLOGS[1].pages(""), host="127.0.0.2") as another:  # a host that the backfill does not hold
            another.pages.update(BLOGS[1].pages(another.url))
            done = home.pressmark("crawl", f"{another.url}/")
            assert done.code == 0, done.err
            assert process.poll() is None, "it ended before the other feed was read"
        site.delay = 0
        out, err = process.communicate(timeout=100)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert b"archived 12, missing 0" in out, err
    fetched = [path for path in site.asked if path.startswith("/post-")]
    assert len(fetched) == len(set(fetched)) == 12

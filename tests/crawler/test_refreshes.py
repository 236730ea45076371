"""Pages that send their readers on by themselves: which are redirects, and what is recorded of the way."""

from __future__ import annotations

import io
import sqlite3

import pytest
from conftest import Home
from sample.server import Answer, Site

from archive.warc import record as warc
from crawler.limits import REDIRECTS, REFRESH_BYTES
from crawler.model.answer import Hop
from crawler.net.refresh import is_html, may_refresh, refresh_target
from crawler.spiders.answers import lasting_url

URL = "https://www.blog.co.uk/2026/old/"
NEW = "https://www.blog.co.uk/new/"
WORDS = "The heron stood on one leg in the reeds all morning, and when the mist rose it was still standing there. "


def target(markup: str, header: str | None = None) -> str | None:
    return refresh_target(markup.encode(), url=URL, content_type="text/html", header=header)


def refresh(content: str) -> str:
    return f'<meta http-equiv="refresh" content="{content}">'


@pytest.mark.parametrize(
    ("markup", "wanted"),
    [
        (refresh("0; url=/new/"), NEW),
        (refresh("0;URL=/new/"), NEW),
        (refresh("0;/new/"), NEW),
        (refresh("0,url=/new/"), NEW),
        (refresh("0 url=/new/"), NEW),
        (refresh("0 ; url = '/new/'"), NEW),
        (refresh("0;url=&quot;/new/&quot; and more"), NEW),
        (refresh("0.5;url=/new/"), NEW),
        (refresh("5;url=/new/"), NEW),
        (refresh("0;\n url=/new/?a=1&amp;b=2"), f"{NEW}?a=1&b=2"),
        ("<META CONTENT='0;url=/new/' HTTP-EQUIV=Refresh>", NEW),
        ("<base href='/sub/'>" + refresh("0;url=a"), "https://www.blog.co.uk/sub/a"),
        (refresh("0;url=https://blog.co.uk/new/"), "https://blog.co.uk/new/"),
        (refresh("0;url=https://ann:secret@blog.co.uk/new/"), "https://blog.co.uk/new/"),
        (refresh("0"), URL),
        (refresh("0;url="), URL),
        (refresh("300") + refresh("1;url=/new/"), NEW),
        # not within seconds, not there, or nothing that can be requested
        (refresh("6;url=/new/"), None),
        (refresh("300;url=/new/"), None),
        (refresh("9" * 5_000 + ";url=/new/"), None),
        (refresh("soon;url=/new/"), None),
        (refresh(";url=/new/"), None),
        (refresh(""), None),
        (refresh("0;url=javascript:history.back()"), None),
        (refresh("0;url=http://[bad/"), None),
        (refresh("0;url=mailto:ann@blog.co.uk"), None),
        ('<meta name="refresh" content="0;url=/new/">', None),
        # another site
        (refresh("0;url=https://other.co.uk/new/"), None),
        # not part of the page
        (f"<!-- {refresh('0;url=/new/')} -->", None),
        (f"<template>{refresh('0;url=/new/')}</template>", None),
        (f"<textarea>{refresh('0;url=/new/')}</textarea>", None),
        ("<pre>" + refresh("0;url=/new/").replace("<", "&lt;") + "</pre>", None),
        # for browsers without scripts: only where the others are sent to the same address
        (f"<noscript>{refresh('0;url=/new/')}</noscript>", None),
        (f"<noscript>{refresh('0;url=/?nojs=1')}</noscript><script>location='/new/'</script>", None),
        (f"<link rel=canonical href='{NEW}'><noscript>{refresh('1;url=../../new/')}</noscript>", NEW),
        (f"<script>location.replace('\\/new\\/')</script><noscript>{refresh('0;url=/new/')}</noscript>", NEW),
        ("<p>words</p>", None),
        ("", None),
    ],
)
def test_a_refresh_within_seconds_to_the_same_site_is_a_redirect(markup: str, wanted: str | None) -> None:
    assert target(markup) == wanted


def test_a_refresh_header_is_one_too() -> None:
    assert target("<p>words</p>", header="0; url=/new/") == NEW
    assert target("<p>words</p>", header="120; url=/new/") is None
    assert target(refresh("0;url=/new/"), header="120; url=/other/") == NEW


def test_only_the_beginning_of_a_page_is_searched() -> None:
    late = b"<p>" + b"x" * REFRESH_BYTES + refresh("0;url=/new/").encode()
    assert not may_refresh(late)
    assert may_refresh(b"<META HTTP-EQUIV=REFRESH content='0;/new/'>")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"<!DOCTYPE html><meta>", True),
        (b"\xef\xbb\xbf\n<!-- by hand --> <html>", True),
        (b"<?xml version='1.0'?><rss>", False),
        (b"<htmlish>", False),
        (b"{}", False),
        (b"<!-- a -->" * 5_000, False),
    ],
)
def test_what_begins_like_a_page_is_one_whatever_its_type(body: bytes, wanted: bool) -> None:
    assert is_html(body) is wanted


@pytest.mark.parametrize(
    ("hops", "url", "wanted"),
    [
        ([], "/a", "/a"),
        ([("/a", "301")], "/b", "/b"),
        ([("/a", "302")], "/b", "/a"),
        ([("/a", "308"), ("/b", "302")], "/c", "/b"),
        ([("/a", "refresh")], "/b", "/a"),
        ([("/a", "301"), ("/b", "refresh")], "/c", "/b"),
        ([("/a", "cookie")], "/a", "/a"),
        ([("/a", "301"), ("/check", "cookie")], "/a", "/a"),
        ([("/a", "302"), ("/check", "cookie"), ("/a", "301")], "/b", "/b"),
        ([("/a", "301"), ("/b", "302"), ("/check", "cookie")], "/b", "/b"),
    ],
)
def test_a_feed_is_subscribed_where_permanent_redirects_led(hops: list[tuple[str, str]], url: str, wanted: str) -> None:
    assert lasting_url([Hop(url=left, how=how) for left, how in hops], url) == wanted


# -- in a crawl


def rss(*links: str, more: str = "") -> Answer:
    items = "".join(f"<item><guid>{link}</guid><link>{link}</link>{more}</item>" for link in links)
    return Answer(
        f"<?xml version='1.0'?><rss version='2.0'><channel><title>Reeds</title>{items}</channel></rss>".encode(),
        content_type="application/rss+xml",
    )


def page(words: str, head: str = "") -> Answer:
    paragraphs = f"<p>{words}</p><p>{WORDS * 3}</p>"
    return Answer(
        f"<!DOCTYPE html><html><head><title>Reeds</title>{head}</head><body><article><h1>Reeds</h1>{paragraphs}</article></body></html>".encode()
    )


def stub(to: str) -> Answer:
    """As static site generators make them for pages that have moved."""
    return Answer(
        f'<!DOCTYPE html><html><title>Redirecting</title><link rel="canonical" href="{to}">{refresh(f"0; url={to}")}<a href="{to}">Click here if you are not redirected.</a></html>'.encode()
    )


def ask(home: Home, statement: str) -> list[tuple]:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        return database.execute(statement).fetchall()


def ways(home: Home) -> list[tuple[str | None, ...]]:
    """How each capture was reached: `via` and `hopsFromSeed` of its metadata record."""
    found = (record for path in home.objects("warc") for record in warc.read(io.BytesIO(path.read_bytes())))
    blocks = [record.block.decode() for record in found if record.kind == "metadata"]
    lines = [dict(line.split(": ", 1) for line in block.splitlines() if ": " in line) for block in blocks]
    return [(said.get("via"), said.get("hopsFromSeed")) for said in lines]


def test_a_post_is_what_its_page_leads_to_and_both_are_captured(home: Home, site: Site) -> None:
    site.pages = {"/feed": rss(f"{site.url}/old/"), "/old/": stub("/new/"), "/new/": page("Herons wait.")}
    done = home.crawl(f"url={site.url}/feed")
    assert done.out.startswith("kept 1 new post;"), (done.out, done.err)
    assert "Herons wait." in home.pressmark("get", f"{site.url}/new/").out
    captured = ask(home, "SELECT url, status FROM captures WHERE url LIKE '%/old/' OR url LIKE '%/new/'")
    assert sorted(captured) == [(f"{site.url}/new/", 200), (f"{site.url}/old/", 200)]
    assert (f"{site.url}/old/", "LR") in ways(home)
    assert ask(home, "SELECT count(*) FROM texts WHERE url LIKE '%/old/'") == [(0,)], "the stub has no text"


def test_validators_of_a_page_that_a_refresh_led_to_are_not_sent_to_the_stub(home: Home, site: Site) -> None:
    site.pages = {"/feed": rss(f"{site.url}/old/"), "/old/": stub("/new/"), "/new/": page("Herons wait.")}
    home.crawl(f"url={site.url}/feed")
    ask(home, "UPDATE pages SET due = 0")
    site.log.clear()
    assert home.crawl("only=rechecks", "force=1").code == 0
    assert [(one.path, one.headers.get("if-none-match")) for one in site.log] == [("/old/", None), ("/new/", None)]


def test_a_feed_is_found_behind_a_front_page_that_leads_on(home: Home, site: Site) -> None:
    site.pages = {
        "/": stub("/en/"),
        "/en/": Answer(b'<html><link rel="alternate" type="application/rss+xml" href="/en/posts"><p>Reeds</p></html>'),
        "/en/posts": rss(f"{site.url}/new/"),
        "/new/": page("Herons wait."),
    }
    assert home.crawl(f"url={site.url}/").out.startswith("kept 1 new post;")


@pytest.mark.parametrize("content_type", ["text/html", "application/xml"])
def test_a_feed_that_has_become_a_stub_is_read_and_keeps_its_address(home: Home, site: Site, content_type: str) -> None:
    site.pages = {"/feed.xml": rss(f"{site.url}/1"), "/1": page("One."), "/2": page("Two.")}
    assert home.crawl(f"url={site.url}/feed.xml").code == 0
    site.pages["/feed.xml"] = Answer(stub("/atom.xml").body, content_type=content_type)
    site.pages["/atom.xml"] = rss(f"{site.url}/1", f"{site.url}/2")
    for _ in range(2):
        assert home.crawl("force=1").code == 0
    assert ask(home, "SELECT url, error, moved_to FROM feeds") == [(f"{site.url}/feed.xml", None, None)]
    assert len(ask(home, "SELECT url FROM texts")) == 2


def test_a_feed_with_a_refresh_in_a_post_is_a_feed(home: Home, site: Site) -> None:
    quoted = f"<description><![CDATA[<html>{refresh('0;url=/new/')}</html>]]></description>"
    body = rss(f"{site.url}/1", more=quoted).body
    site.pages = {"/feed": Answer(body, content_type="text/html"), "/1": page("One.")}
    assert home.crawl(f"url={site.url}/feed").code == 0
    assert "/new/" not in site.asked


@pytest.mark.parametrize("to", ["{url}/1", "", "{url}/1#top"])
def test_a_refresh_to_the_page_itself_is_none(home: Home, site: Site, to: str) -> None:
    own = refresh(f"5;url={to.format(url=site.url)}" if to else "5")
    site.pages = {"/feed": rss(f"{site.url}/1"), "/1": page("One.", own)}
    assert home.crawl(f"url={site.url}/feed").out.startswith("kept 1 new post;")
    assert site.asked.count("/1") == 1


def test_a_page_that_is_reloaded_every_few_minutes_is_a_page(home: Home, site: Site) -> None:
    site.pages = {"/feed": rss(f"{site.url}/1"), "/1": page("One.", refresh("300;url=/2"))}
    assert home.crawl(f"url={site.url}/feed").out.startswith("kept 1 new post;")
    assert "/2" not in site.asked


def test_refreshes_that_lead_in_a_circle_end_with_a_reason(home: Home, site: Site) -> None:
    site.pages = {"/feed": rss(f"{site.url}/1"), "/1": stub("/2"), "/2": stub("/1")}
    done = home.crawl(f"url={site.url}/feed")
    assert "1 failed" in done.out
    assert ask(home, "SELECT error, kept FROM pages") == [(f"redirects lead back to {site.url}/1", 0)]
    assert [site.asked.count(path) for path in ("/1", "/2")] == [1, 1]


def test_refreshes_count_as_redirects(home: Home, site: Site) -> None:
    site.pages = {"/feed": rss(f"{site.url}/0"), **{f"/{n}": stub(f"/{n + 1}") for n in range(30)}}
    home.crawl(f"url={site.url}/feed")
    assert ask(home, "SELECT error FROM pages") == [("max redirections reached",)]
    assert f"/{REDIRECTS}" in site.asked
    assert f"/{REDIRECTS + 1}" not in site.asked


def test_robots_txt_holds_for_what_a_refresh_leads_to(home: Home, site: Site) -> None:
    site.pages = {
        "/robots.txt": Answer(b"User-agent: *\nDisallow: /private/\n", content_type="text/plain"),
        "/feed": rss(f"{site.url}/old/"),
        "/old/": stub("/private/"),
        "/private/": page("Nothing to see."),
    }
    home.crawl(f"url={site.url}/feed")
    assert "/private/" not in site.asked
    assert ask(home, "SELECT error FROM pages") == [("forbidden by robots.txt",)]

"""Rules without I/O: feeds, discovery, addresses, what follows from a visit, robots.txt."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from sample.visits import feed_visit, page_visit

from archive.extract.text import Entry
from crawler import discover
from crawler.decide.entries import as_entry, pages_to_fetch, seen_entries
from crawler.decide.freshness import Pace
from crawler.downloader.robots import rules_for
from crawler.errors import FeedError, UsageError
from crawler.feeds import parse, parse_date
from crawler.feeds.fields import plain
from crawler.feeds.model import FeedEntry
from crawler.model.url_identity import shard
from crawler.model.visits import Feed, Page, Shard
from crawler.net.address_guard import Guard
from crawler.net.tls_names import iana_name
from crawler.spiders.blog import arguments

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
URL = "http://blog.example/feed"

RSS = b"""<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>A &amp; B</title><link>http://blog.example/</link>
<item><title>One &lt;em&gt;two&lt;/em&gt;</title><link>/post</link><guid isPermaLink="false"> id-1 </guid><dc:creator>Ann</dc:creator>
<pubDate>Fri, 01 May 2026 12:00:00 GMT</pubDate><category>x</category><description>short</description>
<content:encoded><![CDATA[<p onclick="x()">long <iframe src="/v"></iframe></p>]]></content:encoded>
<enclosure url="http://blog.example/a.mp3" type="audio/mpeg" length="12"/></item></channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>A &amp;amp; B</title><link href="http://blog.example/"/>
<entry><id>id-1</id><title type="html">One &amp;lt;em&amp;gt;</title><link rel="alternate" href="/post"/><author><name>Ann</name></author>
<published>2026-05-01T12:00:00Z</published><updated>2026-05-02T12:00:00+02:00</updated><category term="x"/>
<content type="html">&lt;p&gt;long&lt;/p&gt;</content></entry></feed>"""
RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="http://blog.example/"><title>A &amp; B</title>
<link>http://blog.example/</link></channel><item rdf:about="http://blog.example/post"><title>One</title>
<link>http://blog.example/post</link><dc:date>2026-05-01T12:00:00Z</dc:date><dc:creator>Ann</dc:creator></item></rdf:RDF>"""
JSON = b"""\xef\xbb\xbf{"version": "https://jsonfeed.org/version/1.1", "title": "A & B", "home_page_url": "http://blog.example/",
"items": [{"id": 7, "url": "/post", "title": "One", "content_html": "<p>long</p>", "date_published": "2026-05-01T14:00:00+02:00",
"authors": [{"name": "Ann"}], "tags": ["x"], "attachments": [{"url": "a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 12}]},
{"id": null, "title": null}, "no item"]}"""


@pytest.mark.parametrize("body", [RSS, ATOM, RDF, JSON], ids=["rss", "atom", "rdf", "json"])
def test_every_format_comes_to_one_form(body: bytes) -> None:
    found = parse(body, url=URL, content_type="text/html")
    entry = found.entries[0]
    assert plain(found.feed.title) == "A & B"
    assert found.feed.link == "http://blog.example/"
    assert entry.link == "http://blog.example/post"
    assert (entry.published or entry.updated) == T0
    assert entry.author == "Ann"


def test_content_is_not_sanitised_and_enclosures_are_kept() -> None:
    entry = parse(RSS, url=URL, content_type=None).entries[0]
    assert entry.content == '<p onclick="x()">long <iframe src="http://blog.example/v"></iframe></p>'
    assert entry.summary == "short"
    assert (entry.enclosures[0].url, entry.enclosures[0].length) == ("http://blog.example/a.mp3", "12")
    assert (entry.id, entry.tags) == ("id-1", ("x",))


def test_json_feeds_with_odd_values_are_read() -> None:
    found = parse(JSON, url=URL, content_type=None)
    assert [entry.id for entry in found.entries] == ["7", None]
    assert found.entries[0].enclosures[0].url == "http://blog.example/a.mp3"
    assert found.entries[1].key is None


def test_characters_that_nothing_can_hold_are_left_out() -> None:
    body = b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": "a\\u0000b\\ud800", "title": "t\\udfff", "tags": ["\\ud800"]}]}'
    entry = parse(body, url=URL, content_type=None).entries[0]
    assert (entry.id, entry.title, entry.tags) == ("ab?", "t?", ("?",))


def test_what_the_feed_parser_stumbles_over_is_an_error_of_ours() -> None:
    with pytest.raises(FeedError, match="cannot be read"):
        parse(
            b"<rss version='2.0'><channel><item><guid>1</guid><textinput></author></item></channel></rss>",
            url=URL,
            content_type=None,
        )


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"no feed", b"<html><body><p>A page</p></body></html>", b"{broken", b'{"a": 1}', b"[1]", b"\x00\x01", b"<svg/>"],
)  # fmt: skip
def test_what_is_no_feed_is_an_error_that_names_it(body: bytes) -> None:
    with pytest.raises(FeedError, match=URL):
        parse(body, url=URL, content_type="application/rss+xml")


def test_dates_are_utc_or_none() -> None:
    assert parse_date("Fri, 01 May 2026 14:00:00 +0200") == T0
    assert parse_date("2026-05-01T12:00:00Z") == T0
    assert parse_date("the day before yesterday") is None
    assert parse_date("") is None


def test_an_entry_is_another_when_what_it_says_is() -> None:
    one = FeedEntry(id="1", title="a", content="x")
    assert one.digest == FeedEntry(id="1", title="a", content="x").digest
    assert one.digest != FeedEntry(id="1", title="a", content="y").digest
    assert one.key == FeedEntry(id="1", title="b").key != FeedEntry(id="2").key


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Fri, 1 May 2026 8:05 pm EDT", "2026-05-02T00:05:00"),
        ("ven., 1 mai 2026 14:00:00 +0200", "2026-05-01T12:00:00"),
        ("Fr, 01 Mai 2026 14:00:00 MESZ", "2026-05-01T12:00:00"),
        ("\u043f\u0442, 01 \u043c\u0430\u044f 2026 15:00:00 +0300", "2026-05-01T12:00:00"),
        ("viernes, 1 de mayo de 2026 12:00", "2026-05-01T12:00:00"),
        ("May 1st, 2026", "2026-05-01T00:00:00"),
        ("01-May-2026 12:00:00 GMT", "2026-05-01T12:00:00"),
        ("1 May 26 12:00 UT", "2026-05-01T12:00:00"),
        ("1 May 99", "1999-05-01T00:00:00"),
        ("Fri, 01 May 2026 24:00:00 GMT", "2026-05-01T00:00:00"),
        ("Fri, 01 May 2026 12:00:60 GMT", "2026-05-01T12:00:59"),
        ("2026-05-01T12:00Z", "2026-05-01T12:00:00"),
        ("2026-05-01 12:00:00.123456 UTC", "2026-05-01T12:00:00"),
        ("20260501", "2026-05-01T00:00:00"),
        ("2026-121", "2026-05-01T00:00:00"),
    ],
)
def test_dates_of_many_kinds_are_read(text: str, wanted: str) -> None:
    found = parse_date(text)
    assert found is not None
    assert (found.isoformat(), found.utcoffset()) == (f"{wanted}+00:00", timedelta(0))


@pytest.mark.parametrize(
    "text",
    ["1 May", "May 2026 12:00", "14:00", "31 Apr 2026", "2026-02-30", "2026-13-01", "2026-366", "May May 2026",
     "1 2 2026", "version 1 May 2026 of it", "3 May 2026 and 4 May 2026", "http://a.example/2026/05/01", "x" * 500],
)  # fmt: skip
def test_what_names_no_day_is_no_date(text: str) -> None:
    assert parse_date(text) is None


def test_ids_do_not_change_with_the_place_of_the_feed() -> None:
    for place in (URL, "http://moved.example/feed"):
        atom = parse(
            b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>post-1</id></entry></feed>',
            url=place,
            content_type=None,
        )
        rss = parse(
            b"<rss version='2.0'><channel><item><guid>p/1</guid></item></channel></rss>", url=place, content_type=None
        )
        assert (atom.entries[0].id, rss.entries[0].id) == ("post-1", "p/1")


def test_brackets_in_a_text_of_atom_are_brackets() -> None:
    body = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title type="text">The &lt;canvas&gt; element</title></entry></feed>'
    assert plain(parse(body, url=URL, content_type=None).entries[0].title) == "The <canvas> element"


def test_a_description_is_not_a_podcasts_short_line() -> None:
    body = (
        b"<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><title>T</title>"
        b"<description>What it is.</description><itunes:subtitle>Short.</itunes:subtitle></channel></rss>"
    )
    assert parse(body, url=URL, content_type=None).feed.subtitle == "What it is."


def test_elements_under_a_prefix_that_is_not_declared_are_read() -> None:
    body = b"<rss rss:version=2.0><rss:channel><rss:title>T</rss:title><rss:item><rss:link>http://a.example/1</rss:link></rss:item></rss:channel></rss>"
    found = parse(body, url=URL, content_type=None)
    assert (found.feed.title, found.entries[0].link) == ("T", "http://a.example/1")


# -- discovery


def found(body: str, url: str = "http://blog.example/about/", **headers: str) -> list[str]:
    return discover.feeds(body.encode(), url=url, headers=headers)


def test_feeds_that_a_page_names_are_found_best_first() -> None:
    page = """<html><head><base href="http://cdn.example/x/"><LINK REL="Alternate nofollow" TYPE="Application/RSS+xml; charset=utf-8" href="comments/feed" title="Comments">
    <link rel=alternate type=application/atom+xml href="feed.atom"><link rel="alternate" hreflang="de" href="/de/"><link rel=stylesheet type=text/css href=a.css>
    <link rel=alternate type=application/json+oembed href=/oembed><link rel=alternate type=application/json href=/wp-json/wp/v2/posts/1></head></html>"""
    assert found(page) == ["http://cdn.example/x/feed.atom", "http://cdn.example/x/comments/feed"]


def test_headers_name_feeds_too() -> None:
    link = '<https://hub.example/>; rel="hub", </feed>; rel="alternate"; type="application/rss+xml"'
    assert found("<p>", Link=link) == ["http://blog.example/feed"]


def test_links_of_the_same_site_are_the_last_resort() -> None:
    page = (
        '<a href="/feed.xml">RSS</a> <a href="http://other.example/feed.xml">theirs</a> <a href="/feedback">write</a>'
    )
    assert found(page) == ["http://blog.example/feed.xml"]


@pytest.mark.parametrize(
    "body", ["", "<", "plain text", "<link rel=alternate type=application/rss+xml>", "<a href='http://[bad'>rss</a>"]
)
def test_pages_without_feeds_have_none(body: str) -> None:
    assert found(body) == []


# -- addresses


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255",
     "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "no address", ""],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(host: str) -> None:
    assert not Guard().permits(host)


@pytest.mark.parametrize("host", ["93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_permitted(host: str) -> None:
    assert Guard().permits(host)


def test_the_operator_may_allow_networks() -> None:
    guard = Guard([ip_network("127.0.0.0/8"), ip_network("fd00::/8")])
    assert [guard.permits(host) for host in ("127.1.2.3", "::ffff:127.0.0.1", "fd00::5", "10.0.0.1", "::1")] == [
        True, True, True, False, False,
    ]  # fmt: skip


# -- what follows from a visit


def feed(**changes: object) -> Feed:
    values = {
        "id": 1, "url": URL, "title": None, "site": None, "paused": False, "added": T0, "visited": None, "due": T0,
        "etag": '"old"', "last_modified": "old", "status": None, "error": None, "failures": 0,
    }  # fmt: skip
    return Feed(**{**values, **changes})


HOUR = timedelta(hours=1)


def test_a_good_visit_replaces_each_validator_and_resets_failures() -> None:
    visit = feed_visit(feed(failures=3), at=T0, pace=Pace(least=HOUR), status=200, headers={"etag": '"new"'})
    assert (visit.etag, visit.last_modified, visit.failures, visit.due) == ('"new"', None, 0, T0 + HOUR)


def test_not_modified_keeps_validators_that_it_does_not_bring() -> None:
    visit = feed_visit(feed(), at=T0, pace=Pace(least=HOUR), status=304, headers={"etag": '"newer"'})
    assert (visit.etag, visit.last_modified, visit.error) == ('"newer"', "old", None)


def test_a_bad_visit_keeps_validators_and_backs_off_to_a_day() -> None:
    visit = feed_visit(
        feed(failures=2), at=T0, pace=Pace(least=HOUR), status=500, headers={"etag": '"bad"'}, error="answered 500"
    )
    assert (visit.etag, visit.failures, visit.due) == ('"old"', 3, T0 + 4 * HOUR)
    late = feed_visit(feed(failures=40), at=T0, pace=Pace(least=HOUR), status=None, error="host not found")
    assert late.due == T0 + timedelta(days=1)


def page(**changes: object) -> Page:
    return Page(**{"url": "http://blog.example/post", "feed_id": 1, "kept": False, **changes})


PLAN = (HOUR, 6 * HOUR, 24 * HOUR)


def test_a_page_that_is_held_comes_up_again_ever_more_seldom() -> None:
    found, waits = page(), []
    for _ in range(5):
        visit = page_visit(found, at=T0, plan=PLAN, status=200, etag='"x"')
        assert (visit.kept, visit.etag) == (True, '"x"')
        waits.append((visit.due - T0) / HOUR)
        found = page(kept=True, checks=visit.checks)
    assert waits == [1, 6, 24, 24, 24]


def test_without_a_plan_a_page_that_is_held_is_not_due_again() -> None:
    assert page_visit(page(), at=T0, plan=(), status=200).due is None


def test_a_page_without_text_is_held_all_the_same() -> None:
    visit = page_visit(page(), at=T0, plan=PLAN, status=200, error="no text: is not an HTML page")
    assert (visit.kept, visit.error) == (True, "no text: is not an HTML page")


@pytest.mark.parametrize(
    ("status", "again"), [(None, True), (500, True), (403, True), (429, True), (404, False), (410, False)]
)
def test_a_page_that_failed_is_tried_again_unless_it_is_gone(status: int | None, again: bool) -> None:
    visit = page_visit(page(), at=T0, plan=PLAN, status=status, error="x")
    assert (visit.kept, visit.due is not None) == (False, again)


def test_a_page_is_given_up_after_eight_failures() -> None:
    visit = page()
    for _ in range(8):
        outcome = page_visit(visit, at=T0, plan=PLAN, status=500, error="answered 500")
        visit = page(failures=outcome.failures)
    assert (outcome.due, outcome.failures) == (None, 8)


def entries(*given: FeedEntry, known: dict[str, str] | None = None, pages: dict[str, Page] | None = None):
    return seen_entries(given, known or {}, pages or {})


ONE = FeedEntry(id="1", link="http://blog.example/1", title="one")


def test_new_entries_are_fetched_known_ones_are_not() -> None:
    assert [(seen.key, seen.fetch) for seen in entries(ONE)] == [(ONE.key, True)]
    assert entries(ONE, known={ONE.key: ONE.digest}) == ()


def test_an_edited_entry_is_fetched_although_its_page_is_held() -> None:
    held = {ONE.link: page(url=ONE.link, kept=True)}
    assert entries(ONE, known={ONE.key: "other"}, pages=held)[0].fetch


def test_a_post_that_another_feed_has_brought_is_not_fetched_again() -> None:
    assert not entries(ONE, pages={ONE.link: page(url=ONE.link, kept=True)})[0].fetch
    assert entries(ONE, pages={ONE.link: page(url=ONE.link, kept=False)})[0].fetch


@pytest.mark.parametrize("link", [None, "mailto:x@y", "ftp://x/y", "javascript:alert(1)", "http://x/" + "y" * 9000])
def test_entries_without_a_page_are_remembered_not_fetched(link: str | None) -> None:
    seen = entries(FeedEntry(id="1", link=link))[0]
    assert (seen.url, seen.fetch) == (None, False)


def test_what_the_feed_said_goes_with_the_page() -> None:
    said = as_entry(FeedEntry(id="1", title="t", updated=T0, summary="s"))
    assert said == Entry(title="t", published=T0, modified=T0, html="s", named_by="id")
    assert pages_to_fetch(entries(ONE), feed(), {}, record=None, at=T0)[0].entry.title == "one"


# -- shards


def test_a_domain_is_in_one_shard() -> None:
    assert shard("http://a.blog.example.org/x") == shard("https://b.example.org:8080/y")
    assert shard("http://one.blogspot.com/") != shard("http://two.blogspot.com/")
    assert len({shard(f"http://host{n}.example{n}.org/") % 16 for n in range(400)}) == 16


def test_shards_cover_everything_once() -> None:
    assert [Shard.parse(f"{n}/4").index for n in (1, 2, 3, 4, 0)] == [1, 2, 3, 0, 0]
    for text in ("5/4", "1/0", "a/b", "3", "-1/4", "1/4/2"):
        with pytest.raises(ValueError, match="shard"):
            Shard.parse(text)


# -- robots.txt


def test_robots_rules_by_status() -> None:
    allowed = rules_for(200, b"User-agent: *\nDisallow: /no\n", "pressmark")
    assert not isinstance(allowed, str)
    assert [allowed.can_fetch(f"http://x/{path}", "Pressmark") for path in ("no", "yes")] == [False, True]
    missing = rules_for(404, b"User-agent: *\nDisallow: /\n", "pressmark")
    assert not isinstance(missing, str)
    assert missing.can_fetch("http://x/", "Pressmark")
    for status in (500, 503, 429, 0):
        assert rules_for(status, b"", "pressmark") == f"it answered {status}"


# -- the command line


@pytest.mark.parametrize(
    ("given", "name"),
    [({"url": "blog.example"}, "blog.example"), ({"url": "file:///etc/passwd"}, "file:///etc/passwd"), ({"shard": "9/4"}, "9/4"),
     ({"only": "x"}, "only=x"), ({"unknown": ["ulr"]}, "ulr")],
)  # fmt: skip
def test_wrong_arguments_are_named(given: dict, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        arguments(**{"url": "", "shard": "", "only": "", **given})


def test_cipher_suites_have_the_names_of_the_registry() -> None:
    """As OpenSSL itself tells them."""
    done = subprocess.run(
        ["openssl", "ciphers", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        capture_output=True,
        text=True,
        check=True,
    )
    told = [(line.split()[2], line.split()[0]) for line in done.stdout.splitlines()]
    usable = [(ours, name) for ours, name in told if not re.search("PSK|SRP|NULL", ours)]
    assert len(usable) > 50
    for ours, name in usable:
        assert iana_name(ours) == name
    assert iana_name("SOMETHING-NEW") == "SOMETHING-NEW"


@pytest.mark.parametrize(
    ("agents", "allowed"),
    [
        (("pressmark",), False),
        (("PressMark",), False),
        (("Pressmark/1.0",), False),
        (("p",), True),
        (("press",), True),
        (("pressmarker",), True),
        (("googlebot", "Pressmark"), False),
        (("*",), False),
        (("googlebot",), True),
    ],
)
def test_a_group_of_robots_txt_is_ours_by_its_whole_product_token(agents: tuple[str, ...], allowed: bool) -> None:
    body = "".join(f"User-agent: {agent}\r\n" for agent in agents) + "Disallow: /\r\n"
    rules = rules_for(200, body.encode(), "Pressmark")
    assert not isinstance(rules, str)
    assert rules.can_fetch("http://a.example/x", "Pressmark") is allowed


def test_a_byte_order_mark_hides_no_rule() -> None:
    rules = rules_for(200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /", "Pressmark")
    assert not isinstance(rules, str)
    assert not rules.can_fetch("http://a.example/x", "Pressmark")

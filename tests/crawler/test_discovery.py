"""Discovery: what a page declares is found, however it says so; what cannot be had is named with the reason."""

from __future__ import annotations

import gzip

import pytest
from conftest import Home
from sample.server import Answer, Site

from crawler import discover
from crawler.errors import FeedError
from crawler.feeds import is_meant_as_feed, parse
from crawler.feeds.gzip_file import unpacked
from crawler.model.url_identity import as_http

BASE = "https://blog.example"
FEED = b'<rss version="2.0"><channel><title>B</title><item><title>P</title><link>%s/p</link></item></channel></rss>'
RSS, JSON = "application/rss+xml", "application/feed+json"


def found(body: str, **headers: str) -> list[str]:
    return [url.removeprefix(BASE) for url in discover.feeds(body.encode(), url=f"{BASE}/", headers=headers)]


def links(body: str) -> dict[str, discover.FeedLink]:
    return {link.url: link for link in discover.links(body.encode(), url=f"{BASE}/", headers={})}


# -- what a page declares


@pytest.mark.parametrize(
    ("body", "feed"),
    [
        (f"<link rel=alternate type={RSS} href=/api/feed>", "/api/feed"),
        (f"<link rel=alternate type={JSON} href=/wp-json/feed/v1>", "/wp-json/feed/v1"),
        (f"<link type={RSS} href='/syndication.php?kind=2'>", "/syndication.php?kind=2"),
        (f"<link rel=alternative type={RSS} href=/all>", "/all"),
        (f"<link rel=alternate type={RSS} href=feed://blog.example/news>", "http://blog.example/news"),
        (f"<link rel=alternate type={RSS} href=feed:https://blog.example/news>", "/news"),
        (f"<link rel=alternate type={RSS} href=https://bridge.example/x9>", "https://bridge.example/x9"),
        ("<a href=feed://blog.example/news>Follow</a>", "http://blog.example/news"),
        (f"<a type={RSS} href=/news.php>Follow</a>", "/news.php"),
        ("<a href=/out.php?x=2><img src=i.png alt=RSS></a>", "/out.php?x=2"),
        ("<a href=https://www.blog.example/feed.xml>x</a>", "https://www.blog.example/feed.xml"),
    ],
)
def test_a_feed_that_a_page_names_is_found(body: str, feed: str) -> None:
    assert found(body) == [feed]


@pytest.mark.parametrize(
    "body",
    [
        "<link rel=alternate type=application/json href=/wp-json/wp/v2/posts/1>",
        "<link rel=alternate type=application/json+oembed href=/oembed>",
        f"<link rel='alternate stylesheet' type={RSS} href=/style>",
        "<link rel=service.post type=application/atom+xml href=/post>",
        "<link rel=EditURI type=application/rsd+xml href=/xmlrpc.php?rsd>",
        "<a href=/why>Why I still believe that every site should have an RSS feed</a>",
        "<a href=https://friend.example/feed.xml>RSS of a friend</a>",
    ],
)
def test_what_has_another_role_is_no_feed_of_the_page(body: str) -> None:
    assert found(body) == []


def test_a_link_header_names_feeds_of_both_formats() -> None:
    header = f'</rss>; rel="alternate"; type="{RSS}", </feed.json>; rel=alternate; type={JSON}'
    assert found("", Link=header) == ["/rss", "/feed.json"]


def test_links_are_declared_or_only_look_like_feeds() -> None:
    page = f"<link rel=alternate type={RSS} href=/a><a href=/feed.xml>x</a><a href=https://feeds.example/b>RSS</a>"
    assert {url: (link.declared, link.elsewhere) for url, link in links(page).items()} == {
        f"{BASE}/a": (True, False), f"{BASE}/feed.xml": (False, False), "https://feeds.example/b": (False, True),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("feed://b.example/rss", "http://b.example/rss"),
        ("feed:https://b.example/rss", "https://b.example/rss"),
        ("FEED://https://b.example/rss", "https://b.example/rss"),
        ("feed:b.example/rss", "http://b.example/rss"),
        (" https://b.example/feed:x ", "https://b.example/feed:x"),
        ("feeds/all", "feeds/all"),
    ],
)
def test_an_address_with_the_scheme_of_feeds_is_one_of_http(given: str, meant: str) -> None:
    assert as_http(given) == meant


# -- gzip files


def test_a_gzip_file_is_read_as_what_it_contains() -> None:
    body = gzip.compress(FEED % BASE.encode())
    assert parse(body, url=BASE, content_type=RSS).entries[0].link == f"{BASE}/p"
    assert is_meant_as_feed(body)
    assert not is_meant_as_feed(gzip.compress(b"<html>"))


def test_a_gzip_file_that_is_damaged_or_a_bomb_is_refused() -> None:
    with pytest.raises(FeedError, match="damaged gzip file"):
        unpacked(b"\x1f\x8b\x08 not so", url=BASE)
    with pytest.raises(FeedError, match="larger than 1000 bytes"):
        unpacked(gzip.compress(bytes(1_000_000)), url=BASE, limit=1_000)


# -- a whole search


def rss(site: Site) -> Answer:
    return Answer(FEED % site.url.encode(), content_type=RSS)


def declaring(*urls: str) -> Answer:
    found = "".join(f"<link rel=alternate type={RSS} href='{url}'>" for url in urls)
    return Answer(f"<html><head>{found}</head><body>Welcome</body></html>".encode())


def add(home: Home, url: str) -> tuple[int, str]:
    done = home.pressmark("add", url)
    return done.code, done.err


def test_each_declared_feed_is_named_with_the_reason_why_it_could_not_be_had(home: Home, site: Site) -> None:
    site.pages["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /closed\n", content_type="text/plain")
    site.pages["/"] = declaring("/closed", "/refused", "/page", "/broken")
    site.pages["/refused"] = Answer(b"no", status=403)
    site.pages["/page"] = Answer(b"<html>Not a feed")
    site.pages["/broken"] = Answer(b"\x1f\x8b damaged", content_type="application/gzip")
    code, err = add(home, f"{site.url}/")
    assert code == 1
    assert err.splitlines()[0] == (
        f"pressmark: {site.url}/: its feed cannot be had: {site.url}/closed: forbidden by robots.txt; "
        f"{site.url}/refused: answered 403; {site.url}/page: is an HTML page, not a feed; "
        f"{site.url}/broken: is not a feed"
    )


def test_a_feed_that_fails_for_now_is_not_replaced(home: Home, site: Site) -> None:
    """Neither by the feed of comments nor by a sitemap: the next attempt may find it."""
    site.pages["/"] = declaring("/feed", "/comments/feed")
    site.pages["/feed"] = Answer(b"busy", status=503)
    site.pages["/comments/feed"] = rss(site)
    site.pages["/sitemap.xml"] = Answer(f"<urlset><url><loc>{site.url}/2026/01/a/</loc></url></urlset>".encode())
    code, err = add(home, f"{site.url}/")
    assert code == 1
    assert f"its feed cannot be had now: {site.url}/feed: answered 503" in err
    assert site.asked == ["/robots.txt", "/", "/feed"]
    assert home.pressmark("feeds", "--json").out == ""


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (Answer(bytes(5_000), content_type=RSS), "is not a feed"),
        (Answer(b"\x1f\x8b damaged", content_type="application/gzip"), "is not a feed"),
        (Answer(b"no", status=403), "answered 403"),
        (Answer(b"no", status=451), "answered 451"),
    ],
)
def test_a_feed_that_is_there_and_cannot_be_had_is_not_guessed_at(
    home: Home, site: Site, there: Answer, said: str
) -> None:
    site.pages["/"] = declaring("/mine")
    site.pages["/mine"] = there
    site.pages["/feed/"] = rss(site)
    code, err = add(home, f"{site.url}/")
    assert (code, f"its feed cannot be had: {site.url}/mine: " in err) == (1, True), err
    assert said in err
    assert len(site.asked) <= 3 + 3, site.asked
    assert "/feed/" not in site.asked


def test_a_dead_link_to_a_feed_is_replaced_by_few_guesses(home: Home, site: Site) -> None:
    site.pages["/"] = declaring("/old", "/page")
    site.pages["/page"] = Answer(b"<html>Not a feed")
    add(home, f"{site.url}/")
    usual = {path.lstrip("/") for path in site.asked} & set(discover.GUESSES)
    assert len(usual) == 2, site.asked
    site.pages["/feed/"] = rss(site)
    assert add(home, f"{site.url}/")[0] == 0


def test_a_feed_that_is_too_large_or_too_slow_is_named(home: Home, site: Site) -> None:
    home.settings |= {"PRESSMARK_MAX_BYTES": "2000"}
    site.pages["/"] = declaring("/large")
    site.pages["/large"] = Answer(b"<rss>" + bytes(50_000), headers={"Content-Encoding": "identity"})
    code, err = add(home, f"{site.url}/")
    assert (code, "/large: larger than PRESSMARK_MAX_BYTES" in err) == (1, True), err


def test_a_feed_that_robots_closes_does_not_hide_the_sitemap(home: Home, site: Site) -> None:
    site.pages["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /feed\n", content_type="text/plain")
    site.pages["/"] = declaring("/feed")
    site.pages["/sitemap.xml"] = Answer(f"<urlset><url><loc>{site.url}/2026/01/a/</loc></url></urlset>".encode())
    code, err = add(home, f"{site.url}/")
    assert code == 0
    assert f"its feed cannot be had ({site.url}/feed: forbidden by robots.txt); subscribed to" in err


def test_a_link_to_another_host_is_followed_only_to_the_feed_of_this_site(home: Home, site: Site) -> None:
    with Site(host="127.0.0.2") as bridge:
        bridge.pages["/feeds/mine.xml"] = rss(site)
        bridge.pages["/feeds/theirs.xml"] = Answer(FEED % b"https://friend.example", content_type=RSS)
        names = "".join(f"<a href='{bridge.url}/feeds/{name}.xml'>RSS</a>" for name in ("theirs", "mine"))
        site.pages["/"] = Answer(f"<html><body>{names}</body></html>".encode())
        done = home.pressmark("add", f"{site.url}/")
        assert done.out.startswith(f"subscribed: {bridge.url}/feeds/mine.xml")


def test_the_scheme_of_feeds_may_be_given_on_the_command_line(home: Home, site: Site) -> None:
    site.pages["/rss"] = rss(site)
    done = home.pressmark("add", site.url.replace("http:", "feed:") + "/rss")
    assert (done.code, done.out.startswith(f"subscribed: {site.url}/rss")) == (0, True), done.err

"""Blogs without a feed: the listing that stands for one is found, subscribed to and visited like a feed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from conftest import Home
from sample.server import Answer, Site

from crawler.backfill.as_feed import INDEX, LINKS, SITEMAP, WORDPRESS, continuing, parse_listing, read_listing
from crawler.backfill.likely_posts import likely_posts
from crawler.errors import FeedError
from crawler.feeds import opml, parse
from crawler.frontier.feed_json import feed_as_json
from crawler.frontier.frontier import Frontier
from crawler.limits import FEED_ENTRIES

T0 = datetime(2026, 3, 1, tzinfo=UTC)
BASE = "https://b.example"
WORDS = "The harbour wall was mended in spring, and the boats came back one after another, as they always had. "


def page(title: str, *, links: str = "", head: str = "") -> Answer:
    text = f"<h1>{title}</h1><p>{WORDS * 3}{title} was written down that evening.</p>"
    return Answer(
        f"<html><head><title>{title}</title>{head}</head><body><nav><a href='/'>Home</a></nav>"
        f"<main><article>{text}</article>{links}</main></body></html>".encode()
    )


def sitemap(site: str, paths: dict[str, str | None], *, kind: str = "urlset") -> Answer:
    inner = "url" if kind == "urlset" else "sitemap"
    rows = "".join(
        f"<{inner}><loc>{site}{path}</loc>{f'<lastmod>{date}</lastmod>' if date else ''}</{inner}>"
        for path, date in paths.items()
    )
    body = f'<?xml version="1.0"?><{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</{kind}>'
    return Answer(body.encode(), content_type="application/xml")


def robots(*lines: str) -> Answer:
    return Answer("\n".join(("User-agent: *", "Disallow:", *lines)).encode(), content_type="text/plain")


POSTS = {"/2026/01/boats/": "2026-01-02", "/2026/01/ropes/": "2026-01-05", "/2026/02/tar/": "2026-02-01"}
PAGES = {"/": None, "/about/": None, "/tags/": None, "/tags/sea/": None, "/tags/wood/": None}


def harbour(site: Site) -> None:
    """A blog without a feed and without any listing; tests add one."""
    site.pages.update({path: page(path.strip("/")) for path in POSTS})
    site.pages["/"] = page("Harbour notes")


def feeds(home: Home) -> dict[str, dict[str, object]]:
    rows = [json.loads(line) for line in home.pressmark("feeds", "--json").out.splitlines()]
    return {str(row["url"]): row for row in rows}


# -- which addresses are posts


@pytest.mark.parametrize(
    ("posts", "others"),
    [
        (["/2026/01/boats/", "/2026/01/ropes", "/2026/02/tar.html"], ["/", "/about/", "/tags/", "/tags/sea/", "/2026/01/", "/now/", "/logo.png"]),
        (["/boats/", "/the-rope-and-the-tar/"], ["/", "/about-us/", "/privacy-policy/", "/category/a/", "/category/b/", "/page/2/"]),
        (["/notes/a", "/notes/b", "/notes/c", "/a-longer-title"], ["/", "/notes/", "/now", "/projects"]),
        (["/archives/1.html", "/archives/2.html", "/archives/3.html"], ["/", "/tags/sea/"]),
        (["/?p=1", "/?p=2"], ["/", "/?paged=2", "/?cat=3", "/?s=boat"]),
        (["/12/", "/13/", "/14/"], ["/", "/impressum/"]),
        (["/en/posts/boat", "/en/posts/rope", "/de/posts/boot"], ["/", "/en/", "/de/", "/en/about", "/de/impressum", "/en/posts/", "/de/posts/"]),
        (["/港の話をしよう/", "/春の船/"], ["/", "/about/"]),
        (["/2026/01/boats/", "/2026/01/boats/mast/", "/2026/01/boats/sail/"], ["/"]),  # below a post are its attachments
    ],
    ids=["dated", "top", "folder", "archives", "query", "numbers", "languages", "no spaces", "attachments"],
)  # fmt: skip
def test_posts_are_told_from_other_pages_by_their_addresses(posts: list[str], others: list[str]) -> None:
    found = likely_posts([BASE + path for path in (*others, *posts)], f"{BASE}/sitemap.xml")
    assert [url.removeprefix(BASE) for url in found.posts] == posts
    assert [url.removeprefix(BASE) for url in found.others] == others


def test_what_another_site_has_is_no_post_of_the_blog() -> None:
    found = likely_posts([f"{BASE}/2026/01/boats/", "https://other.example/2026/01/boats/"], f"{BASE}/sitemap.xml")
    assert (len(found.posts), found.others) == (1, ("https://other.example/2026/01/boats/",))


# -- documents


def listing(kind: str, body: bytes, *, site: str | None = None) -> list[tuple[str | None, datetime | None]]:
    found = parse_listing(kind, body, url=f"{BASE}/list", content_type=None, site=site)
    return [(entry.link, entry.updated) for entry in found.entries]


def test_a_sitemap_becomes_entries_newest_first() -> None:
    body = sitemap(BASE, {**PAGES, **POSTS, "/2026/03/no-date-here/": None}).body
    assert listing(SITEMAP, body) == [
        (f"{BASE}/2026/02/tar/", datetime(2026, 2, 1, tzinfo=UTC)),
        (f"{BASE}/2026/01/ropes/", datetime(2026, 1, 5, tzinfo=UTC)),
        (f"{BASE}/2026/01/boats/", datetime(2026, 1, 2, tzinfo=UTC)),
        (f"{BASE}/2026/03/no-date-here/", None),
    ]


def test_the_date_of_the_last_build_is_no_date_of_change() -> None:
    dates = {f"/2026/01/post-{n}/": "2026-03-01T10:00:00Z" for n in range(6)}
    body = sitemap(BASE, {**dates, "/2026/01/post-0/": "2026-01-01", "/2026/01/post-1/": "2026-01-02"}).body
    assert [date for _, date in listing(SITEMAP, body)] == [
        datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), None, None, None, None,
    ]  # fmt: skip


def test_of_a_long_sitemap_the_newest_count() -> None:
    paths = {f"/2026/01/post-{n}/": f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(10_003)}
    found = parse_listing(SITEMAP, sitemap(BASE, paths).body, url=f"{BASE}/s.xml", content_type=None, site=None)
    assert (len(found.entries), found.left_out) == (FEED_ENTRIES, 3)
    assert found.entries[0].link == f"{BASE}/2026/01/post-10002/"


def test_a_blog_in_a_folder_has_only_what_is_below_it() -> None:
    paths = {"/shop/a-very-fine-rope": None, **{f"/~ann/{name}": None for name in ("boats", "ropes", "tar")}}
    body = sitemap(BASE, paths).body
    assert {url for url, _ in listing(SITEMAP, body, site=f"{BASE}/~ann/")} == {
        f"{BASE}/~ann/{name}" for name in ("boats", "ropes", "tar")
    }
    assert len(listing(SITEMAP, body, site=f"{BASE}/")) == len(paths)


def test_the_posts_of_wordpress_have_ids_titles_and_dates() -> None:
    post = {
        "link": f"{BASE}/boats/", "guid": {"rendered": f"{BASE}/?p=1"}, "title": {"rendered": "Boats"},
        "date_gmt": "2026-01-02T03:04:05", "modified_gmt": "2026-02-02T03:04:05",
    }  # fmt: skip
    found = parse_listing(WORDPRESS, json.dumps([post]).encode(), url=BASE, content_type=None, site=None).entries[0]
    assert (found.id, found.title, found.link) == (f"{BASE}/?p=1", "Boats", f"{BASE}/boats/")
    assert (found.published, found.updated) == (
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2026, 2, 2, 3, 4, 5, tzinfo=UTC),
    )


def test_a_page_lists_what_its_content_links_to() -> None:
    body = page(
        "Archive",
        links="<ul><li><a href='boats.html'>Boats</a> <li><a href='/ropes.html#top'>Ropes</a>"
        "<li><a href='/ropes.html'>again</a></ul><footer><a href='/legalese.html'>Terms</a></footer>"
        f"<p>{WORDS * 3}<a href='/somewhere.html'>a reference in a text</a></p>",
    ).body
    assert [url for url, _ in listing(LINKS, body)] == [f"{BASE}/boats.html", f"{BASE}/ropes.html"]


def test_the_sitemaps_of_an_index_come_in_families_newest_first() -> None:
    names = {
        "/page-sitemap.xml": None,
        "/post-sitemap.xml": None,
        "/post-sitemap2.xml": None,
        "/post-sitemap10.xml": None,
    }
    body = sitemap(BASE, names, kind="sitemapindex").body
    found = read_listing(INDEX, body, url=f"{BASE}/s.xml", content_type=None, site=None)
    assert [[one.url.removeprefix(BASE) for one in members] for members in found.families] == [
        ["/post-sitemap10.xml", "/post-sitemap2.xml", "/post-sitemap.xml"],
        ["/page-sitemap.xml"],
    ]
    assert found.parsed.entries == ()


@pytest.mark.parametrize(
    ("index", "ours", "fresh"),
    [
        ({"/m-2026-01.xml": None, "/m-2026-02.xml": None}, {"/m-2026-01.xml"}, ["/m-2026-02.xml"]),
        ({"/m-1.xml": "2026-03-01", "/m-2.xml": "2026-02-01"}, {"/m-2.xml"}, []),  # an old post was edited
        ({"/s.xml?page=1": "2026-03-01", "/s.xml?page=2": "2026-01-01"}, {"/s.xml?page=1"}, []),  # newest first
        ({"/m-1.xml": "2026-02-01", "/m-2.xml": "2026-03-01"}, {"/other.xml"}, []),
    ],
)
def test_what_continues_a_sitemap_is_newer_by_number_and_date(
    index: dict[str, str | None], ours: set[str], fresh: list[str]
) -> None:
    found = read_listing(
        INDEX, sitemap(BASE, index, kind="sitemapindex").body, url=f"{BASE}/s.xml", content_type=None, site=None
    )
    assert len(found.families) == 1
    assert continuing(found.families[0], {BASE + one for one in ours}) == tuple(BASE + one for one in fresh)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (SITEMAP, b"<html><body>Not found</body></html>"),
        (SITEMAP, sitemap(BASE, POSTS, kind="sitemapindex").body),
        (INDEX, sitemap(BASE, POSTS).body),
        (WORDPRESS, b'{"code": "rest_no_route"}'),
        (SITEMAP, b"\x1f\x8b damaged"),
    ],
)
def test_what_is_another_kind_of_document_is_not_read(kind: str, body: bytes) -> None:
    with pytest.raises(FeedError):
        parse_listing(kind, body, url=BASE, content_type=None, site=None)


@pytest.mark.parametrize("body", [sitemap(BASE, POSTS).body, b"[]", page("x").body])
def test_a_listing_is_not_a_feed(body: bytes) -> None:
    with pytest.raises(FeedError):
        parse(body, url=BASE, content_type=None)


def test_the_kind_of_a_listing_goes_around_through_opml(tmp_path) -> None:  # type: ignore[no-untyped-def]
    frontier = Frontier.open(f"sqlite:///{tmp_path / 'a.db'}")
    feed = frontier.subscribe(f"{BASE}/sitemap.xml", seed=BASE, now=T0, listing=SITEMAP)
    assert feed_as_json(feed)["listing"] == SITEMAP
    found, wrong = opml.read(opml.write(frontier.subscriptions()), name="x", now=T0)
    other = Frontier.open(f"sqlite:///{tmp_path / 'b.db'}")
    assert other.restore(found[:1])[0].listing == SITEMAP
    assert wrong == ()
    forged = opml.write(frontier.subscriptions()).replace(b'"sitemap"', b'"anything"')
    assert opml.read(forged, name="x", now=T0)[0][0].listing is None


# -- whole blogs


def test_a_blog_with_only_a_sitemap_is_subscribed_to_and_polled(home: Home, site: Site) -> None:
    """New addresses are posts, a later date of change makes a page due, and an unchanged sitemap costs one request."""
    harbour(site)
    site.pages["/robots.txt"] = robots(f"Sitemap: {site.url}/map.xml")
    site.pages["/map.xml"] = sitemap(site.url, {**PAGES, **POSTS})
    done = home.crawl(f"url={site.url}/")
    assert done.code == 0, done.err
    assert done.out.startswith("kept 3 new posts; 1 feed visited;")
    assert "no feed; subscribed to" in done.err
    assert "/map.xml (sitemap): 3 addresses look like posts, 5 do not: /, /about/, /tags/" in done.err
    row = feeds(home)[f"{site.url}/map.xml"]
    assert (row["listing"], row["title"], row["posts_kept"]) == ("sitemap", "Harbour notes", 3)

    site.log.clear()
    assert home.crawl(f"url={site.url}/").out.startswith("kept 0 new posts; 1 feed visited (1 not modified);")
    assert site.asked == ["/map.xml"]

    site.pages["/2026/03/oars/"] = page("oars")
    site.pages["/map.xml"] = sitemap(
        site.url, {**PAGES, **POSTS, "/2026/01/boats/": "2026-03-01", "/2026/03/oars/": None}
    )
    site.log.clear()
    assert home.crawl("force=1").out.startswith("kept 1 new post, 1 unchanged;")
    assert sorted(site.asked) == ["/2026/01/boats/", "/2026/03/oars/", "/map.xml"]
    assert json.loads(home.pressmark("get", f"{site.url}/2026/03/oars/", "--as", "json").out)["published"] is None


def test_of_an_index_only_the_sitemaps_of_posts_are_subscribed_to(home: Home, site: Site) -> None:
    """The names are one sign, the addresses the other; a new part of the index is subscribed to by itself."""
    harbour(site)
    site.pages["/robots.txt"] = robots(f"Sitemap: {site.url}/sitemap_index.xml")
    names = dict.fromkeys(("/post-sitemap.xml", "/page-sitemap.xml", "/post_tag-sitemap.xml", "/misc-sitemap.xml"))
    site.pages["/sitemap_index.xml"] = sitemap(site.url, names, kind="sitemapindex")
    site.pages["/post-sitemap.xml"] = sitemap(site.url, {"/": None, **POSTS})
    site.pages["/page-sitemap.xml"] = sitemap(site.url, {"/about/": None, "/services/": None})
    site.pages["/post_tag-sitemap.xml"] = sitemap(site.url, {"/tag/sea/": None, "/tag/wood/": None})
    site.pages["/misc-sitemap.xml"] = sitemap(site.url, {"/category/a/": None, "/category/b/": None})
    done = home.crawl(f"url={site.url}/")
    assert (done.code, done.out[:16]) == (0, "kept 3 new posts"), done.err
    assert {url.removeprefix(site.url): row["listing"] for url, row in feeds(home).items()} == {
        "/post-sitemap.xml": "sitemap", "/sitemap_index.xml": "index",
    }  # fmt: skip

    site.pages["/sitemap_index.xml"] = sitemap(site.url, {**names, "/post-sitemap2.xml": None}, kind="sitemapindex")
    site.pages["/post-sitemap2.xml"] = sitemap(site.url, {"/2026/03/oars/": None})
    site.pages["/2026/03/oars/"] = page("oars")
    home.crawl("force=1")
    home.crawl()
    states = {url.removeprefix(site.url): row["state"] for url, row in feeds(home).items()}
    assert states == {"/post-sitemap.xml": "paused", "/sitemap_index.xml": "ok", "/post-sitemap2.xml": "ok"}
    assert home.pressmark("get", f"{site.url}/2026/03/oars/").code == 0


def wordpress_posts(site: Site, *paths: str) -> Answer:
    rows = [
        {
            "id": number, "link": f"{site.url}{path}", "guid": {"rendered": f"{site.url}/?p={number}"},
            "title": {"rendered": path.strip("/")}, "date_gmt": f"2026-01-{number:02}T00:00:00",
            "modified_gmt": f"2026-01-{number:02}T00:00:00",
        }
        for number, path in enumerate(paths, 1)
    ]  # fmt: skip
    return Answer(json.dumps(rows[::-1]).encode(), content_type="application/json")


@pytest.mark.parametrize("declared", [True, False])
def test_a_blog_with_only_the_api_of_wordpress_is_subscribed_to(home: Home, site: Site, declared: bool) -> None:
    harbour(site)
    api = "/api" if declared else "/wp-json"
    path = f"{api}/wp/v2/posts?per_page=100&orderby=date&order=desc&_fields=id,link,guid,date_gmt,modified_gmt,title"
    if declared:
        site.pages["/"] = page("Notes", head=f"<link rel='https://api.w.org/' href='{api}/'>")
    site.pages[path] = wordpress_posts(site, *POSTS)
    done = home.crawl(f"url={site.url}/")
    assert (done.code, done.out[:16]) == (0, "kept 3 new posts"), done.err
    assert [row["listing"] for row in feeds(home).values()] == ["wordpress"]
    site.pages["/oars/"] = page("oars")
    site.pages[path] = wordpress_posts(site, *POSTS, "/oars/")
    assert home.crawl("force=1").out.startswith("kept 1 new post;")


@pytest.mark.parametrize("at", ["/", "/archive"])
def test_a_page_written_by_hand_that_links_to_its_posts_is_subscribed_to(home: Home, site: Site, at: str) -> None:
    harbour(site)
    rows = "".join(f"<li><a href='{path}'>{path}</a></li>" for path in POSTS)
    site.pages[at] = page("Notes", links=f"<ul>{rows}</ul>")
    done = home.pressmark("add", f"{site.url}/")
    assert done.code == 0, done.err
    assert "page of links): 3 addresses look like posts" in done.err
    assert {url: row["listing"] for url, row in feeds(home).items()} == {site.url + at: "links"}
    assert home.crawl().out.startswith("kept 3 new posts;")
    site.pages["/2026/03/oars/"] = page("oars")
    site.pages[at] = page("Notes", links=f"<ul><li><a href='/2026/03/oars/'>oars</a>{rows}</ul>")
    assert home.crawl("force=1").out.startswith("kept 1 new post;")


def test_a_site_with_neither_feed_nor_listing_is_refused_in_one_clear_line(home: Home, site: Site) -> None:
    site.pages["/"] = page("Only this", links="<a href='/about'>About</a> <a href='/contact'>Contact</a>")
    done = home.pressmark("add", f"{site.url}/")
    assert done.code == 1
    assert done.err.splitlines()[0] == (
        f"pressmark: {site.url}/: no feed was found there, and no sitemap or archive page that lists posts"
    )
    assert feeds(home) == {}
    assert len(site.asked) <= 40


def test_after_the_loss_of_the_database_a_listing_is_read_as_before(home: Home, site: Site) -> None:
    harbour(site)
    site.pages["/sitemap.xml"] = sitemap(site.url, {**PAGES, **POSTS})
    home.crawl(f"url={site.url}/")
    for path in home.path.glob("pressmark.db*"):
        path.unlink()
    assert home.pressmark("reindex").code == 0
    row = feeds(home)[f"{site.url}/sitemap.xml"]
    assert (row["listing"], row["posts_kept"], row["entries_shown"]) == ("sitemap", 3, 3)
    site.log.clear()
    assert home.crawl("force=1").out.startswith("kept 0 new posts; 1 feed visited (1 not modified);")
    assert site.asked == ["/sitemap.xml"]


def test_a_listing_that_becomes_a_page_of_errors_fails_like_a_feed(home: Home, site: Site) -> None:
    harbour(site)
    site.pages["/sitemap.xml"] = sitemap(site.url, POSTS)
    home.crawl(f"url={site.url}/")
    site.pages["/sitemap.xml"] = page("We are sorry")
    home.crawl("force=1")
    row = feeds(home)[f"{site.url}/sitemap.xml"]
    assert (row["state"], row["error"]) == ("failing", "is not a sitemap")


def test_a_first_subscription_respects_the_budget_of_a_host(home: Home, site: Site) -> None:
    home.settings["PRESSMARK_HOST_BUDGET"] = "5"
    paths = {f"/2026/01/post-number-{n}/": None for n in range(40)}
    site.pages.update({path: page(path) for path in paths})
    site.pages["/"] = page("Many")
    site.pages["/sitemap.xml"] = sitemap(site.url, paths)
    assert home.crawl(f"url={site.url}/").out.startswith("kept 5 new posts, more from 1 site left for the next crawl;")


def test_a_feed_that_robots_names_as_a_sitemap_is_a_feed(home: Home, site: Site) -> None:
    """sitemaps.org allows it."""
    harbour(site)
    site.pages["/robots.txt"] = robots(f"Sitemap: {site.url}/news.xml")
    site.pages["/news.xml"] = Answer(
        f'<rss version="2.0"><channel><title>N</title><item><link>{site.url}/2026/01/boats/</link></item></channel></rss>'.encode()
    )
    assert home.pressmark("add", f"{site.url}/").out == f"subscribed: {site.url}/news.xml  N\n"


def test_a_backfill_of_a_listing_begins_with_the_listing_itself(home: Home, site: Site) -> None:
    """Older parts of an index are a matter of backfill; the index itself is walked once."""
    harbour(site)
    months = {f"/posts-2025-{n:02}.xml": f"2025-{n:02}-28" for n in range(1, 5)}
    site.pages["/sitemap.xml"] = sitemap(site.url, months, kind="sitemapindex")
    for number, path in enumerate(months, 1):
        urls = {f"/2025/{number:02}/tale-{n}/": f"2025-{number:02}-{n + 10}" for n in range(12)}
        site.pages[path] = sitemap(site.url, urls)
        site.pages.update({url: page(url) for url in urls})
    home.settings["PRESSMARK_BACKFILL_GAP"] = "0"
    assert home.crawl(f"url={site.url}/").out.startswith("kept 12 new posts;")
    done = home.pressmark("backfill", f"{site.url}/", "--json")
    assert done.code == 0, done.err
    assert [(row["found"], row["kept"]) for row in map(json.loads, done.out.splitlines())] == [(48, 48)]

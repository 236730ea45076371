"""Posts older than a feed shows: how they are found, that each is asked for once, and what is told of them."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import signal
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from conftest import Home, Ran
from sample.server import Answer, Site
from sample.services import wait_for
from sample.visits import feed_visit, page_visit
from warcio.archiveiterator import ArchiveIterator

from archive.extract.text import Entry
from crawler.backfill import listings, page_links, sitemap
from crawler.backfill import wordpress as wordpress_api
from crawler.backfill.model import FEED, PAGED, PAGES, SITEMAP, WORDPRESS
from crawler.backfill.url_shapes import shape_of, shapes
from crawler.cli import crawl
from crawler.decide.entries import seen_entries
from crawler.decide.freshness import Pace
from crawler.errors import FeedError
from crawler.feeds import parse
from crawler.frontier import alarms
from crawler.frontier import backfills as backlog
from crawler.frontier.backfills import Backlog
from crawler.frontier.frontier import Frontier
from crawler.limits import SITEMAP_URLS
from crawler.model.visits import Due, Listing, ListingVisit, SeenEntry
from crawler.spiders.backfill import BackfillSpider, _Work

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
RSS, ATOM, JSON, XML = "application/rss+xml", "application/atom+xml", "application/feed+json", "text/xml"
WP = "<generator>https://wordpress.org/?v=6.5</generator>"
SHOWN = 5
"""Posts in a feed."""


class Pages(dict[str, Answer]):
    """Answers, of which some are made when they are asked for."""

    def __init__(self) -> None:
        self.made: dict[str, Callable[[dict[str, str]], Answer | None]] = {}
        """By path without query; called with the parameters."""

    def get(self, path: str, default: Any = None) -> Any:
        bare, _, query = path.partition("?")
        if make := self.made.get(bare):
            return make({name: values[0] for name, values in parse_qs(query).items()}) or default
        return super().get(path, default)


class Blog:
    """A blog of `count` posts, numbered from 1, of which the feed shows the last few."""

    def __init__(self, site: Site, count: int = 0, *, path: str = "/{year}/{month:02}/post-{n}/") -> None:
        self.site, self.url, self.path, self.count = site, site.url, path, 0
        self.pages = site.pages = Pages()
        for _ in range(count):
            self.publish()

    @property
    def newest(self) -> list[int]:
        return list(range(self.count, 0, -1))

    def publish(self) -> None:
        """One more post; most are plain text, from which nothing needs to be extracted."""
        self.count += 1
        words = f"These are the words of post number {self.count}. {'More of them follow. ' * 5}"
        page = f"<!DOCTYPE html><html><title>Post</title><article><h1>Post</h1><p>{words}</p></article>"
        plain = Answer(words.encode(), "text/plain; charset=utf-8")
        self.pages[self.at(self.count)] = plain if self.count % 10 else Answer(page.encode())

    def at(self, n: int) -> str:
        """Path of a post."""
        return self.path.format(n=n, year=2020 + n % 5, month=n % 12 + 1)

    def link(self, n: int) -> str:
        return self.url + self.at(n)

    def rss(self, numbers: Iterable[int], inside: str = "") -> Answer:
        ns = (
            "xmlns:atom='http://www.w3.org/2005/Atom' xmlns:fh='http://purl.org/syndication/history/1.0' "
            "xmlns:openSearch='http://a9.com/-/spec/opensearchrss/1.0/'"
        )
        items = "".join(
            f"<item><title>Post {n}</title><link>{self.link(n)}</link><guid>{self.url}/?p={n}</guid></item>"
            for n in numbers
        )
        body = (
            f"<rss version='2.0' {ns}><channel><title>B</title><link>{self.url}/</link>{inside}{items}</channel></rss>"
        )
        return Answer(body.encode(), RSS)

    def atom(self, numbers: Iterable[int], inside: str = "", title: str = "Post {}") -> Answer:
        ns = "xmlns='http://www.w3.org/2005/Atom' xmlns:fh='http://purl.org/syndication/history/1.0'"
        entries = "".join(
            f"<entry><id>{self.url}/?p={n}</id><title>{title.format(n)}</title><link href='{self.link(n)}'/></entry>"
            for n in numbers
        )
        return Answer(f"<feed {ns}><title>B</title><id>urn:b</id>{inside}{entries}</feed>".encode(), ATOM)

    def urlset(self, numbers: Iterable[int], *others: str) -> Answer:
        located = [self.link(n) for n in numbers] + [f"{self.url}{other}" for other in others]
        return Answer(f"<urlset>{''.join(f'<url><loc>{one}</loc></url>' for one in located)}</urlset>".encode(), XML)

    def index(self, *urls: str) -> Answer:
        inside = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
        return Answer(f"<sitemapindex>{inside}</sitemapindex>".encode(), XML)

    def feed(self, inside: str = "") -> None:
        self.pages["/feed"] = self.rss(self.newest[:SHOWN], inside)

    def robots(self, *lines: str) -> None:
        self.pages["/robots.txt"] = Answer("\n".join(("User-agent: *", *lines, "")).encode(), "text/plain")

    # -- what was asked

    @property
    def posts(self) -> list[str]:
        """Paths of posts that were asked for."""
        return [path for path in self.site.asked if re.search(r"post-\d+", path)]

    @property
    def listed(self) -> list[str]:
        """Other paths that were asked for beyond the feed and robots.txt."""
        return [path for path in self.site.asked if path not in {*self.posts, "/feed", "/robots.txt"}]


# -- one blog of each kind


def link(rel: str, url: str) -> str:
    return f"<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='{rel}' href='{url}'/>"


def chain(blog: Blog, make: Callable[..., Answer]) -> None:
    """Five archives behind the feed, of which the oldest leads to the newest again."""
    blog.pages["/feed"] = make(blog.newest[:SHOWN], link("prev-archive", f"{blog.url}/archive/5"))
    for n in range(1, 6):
        older = f"/archive/{n - 1 or 5}"
        blog.pages[f"/archive/{n}"] = make(
            range(n * 4, n * 4 - 4, -1), "<fh:archive/>" + link("prev-archive", blog.url + older)
        )


def rss_archives(site: Site) -> Blog:
    blog = Blog(site, 25)
    chain(blog, blog.rss)
    return blog


def atom_archives(site: Site) -> Blog:
    """The third archive tells of posts that the second tells of in other words."""
    blog = Blog(site, 25)
    chain(blog, blog.atom)
    back = "<fh:archive/>" + link("prev-archive", f"{blog.url}/archive/1")
    blog.pages["/archive/2"] = blog.atom(range(12, 4, -1), back, title="Old name of {}")
    return blog


def complete(site: Site) -> Blog:
    blog = Blog(site, SHOWN)
    blog.feed(f"<fh:complete/>{WP}")
    return blog


def json_feed(site: Site) -> Blog:
    blog = Blog(site, 15)
    for page in range(3):
        numbers = blog.newest[page * 5 : page * 5 + 5]
        said: dict[str, Any] = {
            "version": "https://jsonfeed.org/version/1.1",
            "home_page_url": f"{blog.url}/",
            "items": [{"id": str(n), "url": blog.link(n), "title": f"Post {n}"} for n in numbers],
        }
        if page < 2:
            said["next_url"] = f"{blog.url}/page/{page + 2}.json"
        blog.pages[f"/page/{page + 1}.json" if page else "/feed"] = Answer(json.dumps(said).encode(), JSON)
    return blog


def wordpress(site: Site) -> Blog:
    """253 posts, and one more that appears while the list is read."""
    blog = Blog(site, 253, path="/{year}/{month:02}/post-{n}.html")

    def posts(asked: dict[str, str]) -> Answer:
        size, page = int(asked.get("per_page", 10)), int(asked.get("page", 1))
        numbers = blog.newest if asked.get("order", "desc") == "desc" else blog.newest[::-1]
        shown, total = numbers[(page - 1) * size : page * size], blog.count
        if page == 2 and total == 253:
            blog.publish()
        if not shown or size > 100:
            return Answer(b'{"code":"rest_post_invalid_page_number"}', JSON, status=400)
        said = [{"id": n, "link": blog.link(n), "guid": {"rendered": f"{blog.url}/?p={n}"}} for n in shown]
        told = {"X-WP-Total": str(total), "X-WP-TotalPages": str(-(-total // size))}
        return Answer(json.dumps(said).encode(), "application/json", headers=told)

    blog.feed(WP)
    blog.pages.made["/wp-json/wp/v2/posts"] = posts
    return blog


def paged(site: Site, refusal: Answer | None = None, *, size: int = 5, past_end: bool = False) -> Blog:
    """A WordPress without its interface for programs: `?paged=` of the feed."""
    blog = Blog(site, 23)

    def feed(asked: dict[str, str]) -> Answer | None:
        page = int(asked.get("paged", 1))
        if past_end:
            page = min(page, -(-blog.count // size))
        shown = blog.newest[(page - 1) * size : page * size]
        return blog.rss(shown, WP) if shown else None

    blog.pages.made["/feed"] = feed
    if refusal:
        blog.pages.made["/wp-json/wp/v2/posts"] = lambda _: refusal
    return blog


def shifting(site: Site) -> Blog:
    """A new post appears before each page, so that each repeats the last post of the page before."""
    blog = paged(site)
    feed = blog.pages.made["/feed"]

    def moving(asked: dict[str, str]) -> Answer | None:
        if "paged" in asked and blog.count < 27:
            blog.publish()
        return feed(asked)

    blog.pages.made["/feed"] = moving
    return blog


def known_for_long(site: Site) -> Blog:
    """Posts of the second and third page are known already."""
    return paged(site)


def blogger(site: Site) -> Blog:
    blog = Blog(site, 400, path="/{year}/{month:02}/post-{n}.html")

    def feed(asked: dict[str, str]) -> Answer:
        start, size = int(asked.get("start-index", 1)), min(int(asked.get("max-results", 25)), 150)
        shown = blog.newest[start - 1 : start - 1 + size]
        more = f"/feeds/posts/default?start-index={start + size}&amp;max-results={size}"
        inside = "<generator>Blogger</generator><openSearch:totalResults>400</openSearch:totalResults>"
        return blog.rss(shown, inside + (link("next", blog.url + more) if start + size <= blog.count else ""))

    blog.pages.made["/feeds/posts/default"] = feed
    return blog


def sitemaps(site: Site) -> Blog:
    blog = Blog(site, 25)
    blog.feed()
    top, other = f"{blog.url}/sitemaps.xml", "http://elsewhere.invalid/post-sitemap.xml"
    blog.robots(f"Sitemap: {top}", f"Sitemap: {other}")
    blog.pages["/sitemaps.xml"] = blog.index(*(f"{blog.url}/post-sitemap{n}" for n in (1, 2, 3)), other)
    packed = blog.urlset(range(1, 11), "/about/", "/category/x/", "/2024/", "/2024/05/").body
    blog.pages["/post-sitemap1"] = Answer(gzip.compress(packed, mtime=0), "application/x-gzip")
    blog.pages["/post-sitemap3"] = blog.index(top, f"{blog.url}/post-sitemap4")
    twins = [blog.link(n).replace("http:", "https:") for n in blog.newest[:SHOWN]]
    foreign = "http://elsewhere.invalid" + blog.at(1)
    rest = "\n".join([*(blog.link(n) for n in range(11, 21)), *twins, foreign, "http://[", ""])
    blog.pages["/post-sitemap4"] = Answer(rest.encode(), "text/plain")
    return blog


def bomb(site: Site) -> Blog:
    blog = Blog(site, 12)
    blog.feed()
    blog.robots(f"Sitemap: {blog.url}/bomb.xml.gz", f"Sitemap: {blog.url}/sitemap.xml")
    packer = gzip.compress(bytes(1_000_000), mtime=0)
    blog.pages["/bomb.xml.gz"] = Answer(packer * 200, "application/x-gzip")
    blog.pages["/sitemap.xml"] = blog.urlset(range(1, 13))
    return blog


def archive_pages(site: Site, path: str = "/blog/post-{n}") -> Blog:
    """Three pages by `rel=next` and by words; the rest in lists of a month."""
    blog = Blog(site, 25, path=path)
    blog.feed()

    def page(numbers: Iterable[int], *more: str) -> Answer:
        posts = "".join(f"<a href='{blog.at(n)}#top'>Post {n}</a>" for n in numbers)
        return Answer(f"<nav><a href=/about/>About</a></nav>{posts}{''.join(more)}".encode())

    feed = f"<link rel=alternate type={RSS} href=/feed>"
    blog.pages["/"] = page(blog.newest[:5], feed, "<a rel=next href='/?at=20'>...</a>")
    blog.pages["/?at=20"] = page(blog.newest[5:10], "<a href='/older-15/'>&larr; Older posts</a>")
    blog.pages["/older-15/"] = page(blog.newest[10:15], "<a href=/2024/05/>May</a><a href=/page/9>9</a>")
    blog.pages["/2024/05/"] = page(blog.newest[15:22], "<a href='https://elsewhere.invalid/page/2/'>Older</a>")
    blog.pages["/page/9"] = page(blog.newest[22:], "<a href=/page/9>9</a>")
    return blog


def same_whatever_is_asked(site: Site) -> Blog:
    """The server pays no heed to queries: `?paged=` brings nothing, so that pages are looked at."""
    blog = archive_pages(site)
    blog.pages.made["/feed"] = lambda _: blog.rss(blog.newest[:SHOWN])
    return blog


def forbidden(site: Site) -> Blog:
    """robots.txt keeps listings and posts from us."""
    blog = paged(site, Answer(b"[]", JSON))
    blog.robots("Disallow: /wp-json/", f"Disallow: {blog.at(2)}")
    return blog


def broken(site: Site) -> Blog:
    """Some posts are not there, one fails."""
    blog = Blog(site, 25)
    blog.feed()
    blog.pages["/sitemap.xml"] = blog.urlset(range(1, 26))
    del blog.pages[blog.at(3)]
    blog.pages[blog.at(4)] = Answer(b"gone", status=410)
    blog.pages[blog.at(7)] = Answer(b"oops", status=500)
    return blog


KINDS: dict[str, Callable[[Site], Blog]] = {
    "rss archives": rss_archives,
    "atom archives": atom_archives,
    "complete": complete,
    "json": json_feed,
    "wordpress": wordpress,
    "paged after 404": paged,
    "paged after 403": lambda site: paged(site, Answer(b"no", status=403)),
    "paged after html": lambda site: paged(site, Answer(b"<p>no")),
    "paged, last for ever": lambda site: paged(site, past_end=True),
    "paged, shifting": shifting,
    "paged, known for long": known_for_long,
    "blogger": blogger,
    "sitemaps": sitemaps,
    "bomb": bomb,
    "pages": archive_pages,
    "same whatever is asked": same_whatever_is_asked,
    "forbidden": forbidden,
    "broken": broken,
}
LIST_OF_POSTS = (
    "/wp-json/wp/v2/posts?per_page=100&page=1&orderby=date&order=asc&_fields=id,link,guid,date_gmt,modified_gmt,title"
)
LISTED_FROM = {"blogger": "/feeds/posts/default"}
AGAIN = ("rss archives", "atom archives", "complete", "wordpress", "paged, shifting", "sitemaps", "broken")
"""Of which there is a second backfill."""


def waiting(frontier: Frontier, blog: Blog, shown: Answer | None = None) -> None:
    """Subscribe to a blog whose backfill a gap has called for, and whose posts in a document of its feed are known."""
    entries = parse(shown.body, url=blog.url, content_type=None).entries if shown else ()
    known = seen_entries(entries, {}, {})
    feed = frontier.subscribe(f"{blog.url}/feed", seed=None, now=T0)
    visit = feed_visit(feed, at=T0, pace=Pace(least=timedelta(days=9999)), status=200, seen=known)
    frontier.commit([replace(visit, gap=True, shown=7)], [])


@dataclass(frozen=True)
class Town:
    """All kinds of blogs after a backfill of them all and a second one of some."""

    home: Home
    blogs: dict[str, Blog]
    first: Ran
    asked: dict[str, list[str]]
    """What was asked for by the first."""
    second: Ran

    def told(self, kind: str) -> str:
        """What the first told of a blog, beyond its address."""
        lines = self.first.out.splitlines()
        at = next(n for n, line in enumerate(lines) if line.startswith(self.blogs[kind].url + "/"))
        more = itertools.takewhile(lambda line: line.startswith("  "), lines[at + 1 :])
        return "\n".join([lines[at].partition(": ")[2], *more])

    def report(self, kind: str) -> backlog.Report:
        """What is known of a blog in the end."""
        frontier = Frontier.open(f"sqlite:///{self.home.path / 'pressmark.db'}")
        [feed_id] = frontier.feed_ids([self.blogs[kind].url + LISTED_FROM.get(kind, "/feed")])
        report = Backlog(frontier.engine).report(feed_id)
        assert report is not None
        return report

    def rows(self, query: str, *values: object) -> list[Any]:
        return rows(self.home, query, *values)


def rows(home: Home, query: str, *values: object) -> list[Any]:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        return database.execute(query, values).fetchall()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = Home(tmp_path_factory.mktemp("town") / "home", PRESSMARK_BACKFILL_GAP="0")
    with ExitStack() as stack:
        blogs = {kind: make(stack.enter_context(Site())) for kind, make in KINDS.items()}
        known = blogs["paged, known for long"]
        frontier = Frontier.open(f"sqlite:///{home.path / 'pressmark.db'}")
        waiting(frontier, known, known.rss(known.newest[:15]))
        urls = {kind: blog.url + LISTED_FROM.get(kind, "/feed") for kind, blog in blogs.items()}
        first = home.pressmark("backfill", *urls.values())
        asked = {kind: list(blog.site.asked) for kind, blog in blogs.items()}
        second = home.pressmark("backfill", "--json", *(urls[kind] for kind in AGAIN))
        yield Town(home, blogs, first, asked, second)


@pytest.mark.parametrize("kind", KINDS)
def test_all_posts_of_a_blog_are_found(town: Town, kind: str) -> None:
    assert (town.first.code, town.second.code) == (0, 0), town.first.err + town.second.err
    blog = town.blogs[kind]
    wanted = {n: blog.at(n) for n in range(1, blog.count + 1)}
    if kind == "forbidden":
        del wanted[2]
    assert set(blog.posts) == set(wanted.values())
    old = 23 if kind == "paged, shifting" else blog.count
    assert set(town.asked[kind]) >= {path for n, path in wanted.items() if n <= old}


@pytest.mark.parametrize("kind", KINDS)
def test_each_post_is_asked_for_once_however_often_it_is_listed(town: Town, kind: str) -> None:
    blog = town.blogs[kind]
    assert sorted(blog.posts) == sorted(set(blog.posts))
    count = town.rows("SELECT count(*) FROM pages WHERE url LIKE ?", f"{blog.url}/%")
    assert count == [(blog.count,)], "a post in feed and listings is one page"


LEFT_OUT = {
    "paged after 403": [f"wordpress {LIST_OF_POSTS} could not be read: answered 403"],
    "paged after html": [f"wordpress {LIST_OF_POSTS} could not be read: is not a list of posts"],
    "sitemaps": [
        "robots /robots.txt has 2, 1 listings are of another kind by their names, or of other sites: not read",
        "sitemap /sitemaps.xml has 4, 1 listings are of another kind by their names, or of other sites: not read",
        "sitemap /post-sitemap1 has 14, 4 have another shape than the posts shown: not taken; --all takes them",
        "sitemap /post-sitemap4 has 16, 1 belong to other sites: not taken",
    ],
    "bomb": ["sitemap /bomb.xml.gz could not be read: is larger than 52428800 bytes when unpacked"],
}
"""What the report tells of listings that left something out or could not be read."""


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"broken", "forbidden"}))
def test_a_backfill_that_found_all_is_done(town: Town, kind: str) -> None:
    blog = town.blogs[kind]
    shown = {"blogger": 25}.get(kind, SHOWN)
    report = town.report(kind)
    assert (report.found, report.kept, report.missing, report.waiting) == (blog.count, blog.count, (), 0)
    assert report.ended
    if kind == "paged, known for long":
        assert town.told(kind) == "feed shows 7, site has 23, archived 23, missing 0"
    elif kind != "paged, shifting":
        first, *more = town.told(kind).splitlines()
        left = LEFT_OUT.get(kind, [])
        count = ", not taken 4" if kind == "sitemaps" else "" if left else ", missing 0"
        assert first == f"feed shows {shown}, site has {blog.count}, archived {blog.count}{count}"
        assert [line.replace(blog.url, "") for line in more] == [f"  {line}" for line in left]


# -- documents that the feed leads to


@pytest.mark.parametrize("kind", ["rss archives", "atom archives"])
def test_archive_documents_are_asked_for_once_for_ever(town: Town, kind: str) -> None:
    """RFC 5005 §4: they do not change; also a ring of them comes to an end."""
    archives = [path for path in town.blogs[kind].listed if path.startswith("/archive/")]
    assert archives == [f"/archive/{n}" for n in (5, 4, 3, 2, 1)]


def test_what_the_newer_document_says_of_an_entry_stands(town: Town) -> None:
    """RFC 5005 §3."""
    url = town.blogs["atom archives"].url
    titles = dict(town.rows("SELECT id, facts FROM entries WHERE id LIKE ?", f"{url}/%"))
    assert json.loads(titles[f"{url}/?p=12"])["title"] == "Post 12"
    assert json.loads(titles[f"{url}/?p=8"])["title"] == "Old name of 8"


def test_a_feed_that_is_complete_leads_nowhere(town: Town) -> None:
    """RFC 5005 §2."""
    assert town.blogs["complete"].listed == []
    assert set(town.blogs["complete"].site.asked) == {"/feed", "/robots.txt", *town.blogs["complete"].posts}
    assert town.blogs["complete"].site.asked.count("/robots.txt") == 1


# -- WordPress and Blogger


def test_wordpress_is_read_in_pages_of_a_hundred_and_that_is_all(town: Town) -> None:
    pages = [parse_qs(urlsplit(path).query)["page"] for path in town.asked["wordpress"] if path.startswith("/wp-json")]
    assert pages == [["1"], ["2"], ["3"]]
    assert {urlsplit(path).path for path in town.blogs["wordpress"].listed} == {"/wp-json/wp/v2/posts"}
    assert town.report("wordpress").total == 254


@pytest.mark.parametrize(
    ("kind", "last"),
    [
        ("paged after 404", 6),
        ("paged after 403", 6),
        ("paged after html", 6),
        ("paged, last for ever", 6),
        ("paged, known for long", 6),
        ("forbidden", 6),
    ],
)
def test_pages_of_a_feed_are_read_until_there_is_none_or_nothing_new(town: Town, kind: str, last: int) -> None:
    found = [path for path in town.asked[kind] if "paged=" in path]
    assert found == [f"/feed?paged={n}" for n in range(2, last + 1)]


def test_blogger_is_read_in_pages_of_150(town: Town) -> None:
    queries = [parse_qs(urlsplit(path).query) for path in town.asked["blogger"] if "start-index" in path]
    assert [(query["start-index"], query["max-results"]) for query in queries] == [
        (["1"], ["150"]), (["151"], ["150"]), (["301"], ["150"])
    ]  # fmt: skip
    assert town.report("blogger").total == 400


# -- sitemaps and pages


def test_sitemaps_are_those_that_robots_txt_names_and_those_within(town: Town) -> None:
    wanted = ["/sitemaps.xml", *(f"/post-sitemap{n}" for n in (1, 2, 3, 4))]
    found = [path for path in town.asked["sitemaps"] if "sitemap" in path]
    assert sorted(found) == sorted(wanted)
    errors = dict(
        town.rows("SELECT url, error FROM listings WHERE url LIKE ?", f"{town.blogs['sitemaps'].url}/%sitemap%")
    )
    assert {urlsplit(url).path: error for url, error in errors.items() if error} == {"/post-sitemap2": "answered 404"}


def test_other_hosts_are_left_alone(town: Town) -> None:
    assert town.rows("SELECT url FROM listings WHERE url LIKE '%elsewhere%'") == []
    assert town.rows("SELECT url FROM pages WHERE url LIKE '%elsewhere%'") == []


def test_a_sitemap_that_swells_is_cut_off_and_told(town: Town) -> None:
    url = town.blogs["bomb"].url
    [(error, visited)] = town.rows("SELECT error, visited FROM listings WHERE url = ?", f"{url}/bomb.xml.gz")
    assert error == "is larger than 52428800 bytes when unpacked"
    assert visited


def test_pages_of_the_blog_are_looked_at_only_where_nothing_else_led_to_posts(town: Town) -> None:
    with_pages = {kind for kind, blog in town.blogs.items() if {"/", "/archives"} & set(blog.listed)}
    assert with_pages == {"pages", "same whatever is asked"}
    assert "/about/" not in town.blogs["pages"].site.asked


# -- what is told


def test_posts_that_could_not_be_had_are_told_with_the_reason(town: Town) -> None:
    blog = town.blogs["broken"]
    first, *missing = town.told("broken").splitlines()
    assert first == "feed shows 5, site has 25, archived 22, missing 3; not done yet, 0 listings left to read"
    assert sorted(missing) == sorted(
        [
            f"  missing: {blog.link(3)}  answered 404",
            f"  missing: {blog.link(4)}  answered 410",
            f"  missing: {blog.link(7)}  answered 500",
        ]
    )
    report = next(said for line in town.second.out.splitlines() if blog.url in (said := json.loads(line))["feed"])
    assert {(one["url"], one["status"]) for one in report["missing"]} == {
        (blog.link(3), 404), (blog.link(4), 410), (blog.link(7), 500)
    }  # fmt: skip
    assert (report["shown"], report["site_has"], report["kept"], report["ended"]) == (5, 25, 22, None)


def test_robots_txt_is_obeyed_for_listings_and_posts(town: Town) -> None:
    blog = town.blogs["forbidden"]
    assert not {path for path in blog.site.asked if path.startswith("/wp-json")}
    assert "missing 1" in town.told("forbidden")
    assert town.told("forbidden").endswith(f"{blog.link(2)}  forbidden by robots.txt")


def test_many_missing_posts_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    lost = tuple(backlog.Missing(url=f"http://a.example/{n}", status=None, error=None) for n in range(35))
    report = backlog.Report(
        feed="http://a.example/feed", why="person", asked=T0, ended=T0, shown=10, total=412, found=400, kept=365,
        listings=4, waiting=0, missing=lost,
    )  # fmt: skip
    crawl._show_report(report, as_json=False)
    first, *more = capsys.readouterr().out.splitlines()
    assert first == "http://a.example/feed: feed shows 10, site has 412, archived 365, missing 47"
    assert more[0] == "  missing: http://a.example/0  not fetched yet"
    assert more[20:] == ["  and 15 more; --json lists them"]


def test_what_was_left_aside_is_taken_on_request(swift: Home, site: Site) -> None:
    """Without it nobody claims that nothing is missing."""
    blog = Blog(site, 4)
    blog.feed()
    for name in ("essay-on-rivers", "essay-on-boats"):
        blog.pages[f"/{name}"] = Answer(f"The words of {name}. {'More follow. ' * 9}".encode(), "text/plain")
    blog.pages["/sitemap.xml"] = blog.urlset(range(1, 5), "/", "/essay-on-rivers", "/essay-on-boats")
    first = swift.pressmark("backfill", f"{blog.url}/feed")
    assert first.out.splitlines() == [
        f"{blog.url}/feed: feed shows 4, site has 4, archived 4, not taken 2",
        f"  sitemap {blog.url}/sitemap.xml has 6, 2 have another shape than the posts shown: not taken; --all takes them",
    ]
    second = swift.pressmark("backfill", "--all", "--json", f"{blog.url}/feed")
    report = json.loads(second.out)
    assert (report["site_has"], report["kept"], report["aside"], report["everything"]) == (6, 6, 0, True)
    assert site.asked.count("/essay-on-boats") == 1


# -- what was stopped, and what waits


@pytest.fixture
def one(site: Site) -> Blog:
    """A blog that is listed by `?paged=`."""
    return paged(site)


def asked_by(home: Home, blog: Blog, *arguments: str) -> tuple[Ran, list[str]]:
    """A backfill and the paths that it asked for."""
    blog.site.log.clear()
    done = home.pressmark("backfill", *arguments)
    return done, list(blog.site.asked)


@pytest.fixture
def swift(home: Home) -> Home:
    home.settings["PRESSMARK_BACKFILL_GAP"] = "0"
    return home


def kill_when(condition: Callable[[], bool], home: Home, blog: Blog) -> set[str]:
    """Begin a backfill and kill it; gives the paths whose response had been written by then."""
    process = home.start("pressmark", "backfill", f"{blog.url}/feed", start_new_session=True)
    wait_for(condition, 60, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    blog.site.log.clear()
    return {path for path in written(home, blog) if path not in {"/feed", "/robots.txt"}}


def written(home: Home, blog: Blog) -> set[str]:
    """Paths of the responses that lie whole in the spool or in the store."""
    paths = set()
    for file in home.path.rglob("*.warc.gz*"):
        with file.open("rb") as warc, suppress(EOFError):
            for record in ArchiveIterator(warc):
                if record.rec_type == "response":
                    record.raw_stream.read()
                    paths.add(record.rec_headers.get_header("WARC-Target-URI").removeprefix(blog.url))
    return paths


def test_a_backfill_that_was_killed_goes_on_where_it_was(swift: Home, one: Blog) -> None:
    """Once while listings are read, once more while posts are fetched."""
    swift.settings["PRESSMARK_HOST_CONCURRENCY"] = "1"
    one.site.delay = 0.05
    first = kill_when(lambda: "/feed?paged=4" in one.site.asked, swift, one)
    second = kill_when(lambda: len(one.posts) >= 5, swift, one)
    one.site.delay = 0
    done, asked = asked_by(swift, one, f"{one.url}/feed")
    assert done.out == f"{one.url}/feed: feed shows 5, site has 23, archived 23, missing 0\n", done.err
    assert "/feed?paged=2" in first
    assert len(one.posts) < 23 - 5
    assert first < second
    assert not second & set(asked), "nothing that was written is asked for again"
    assert {one.at(n) for n in range(1, 24)} | {f"/feed?paged={n}" for n in range(2, 7)} <= second | set(asked)


def test_what_waits_is_done_until_nothing_does(swift: Home, site: Site) -> None:
    """The alarm that called for it ends then; a listing that fails is asked again, and those after it with it."""
    blog = Blog(site, 25)
    blog.feed()
    blog.pages["/sitemap.xml"] = Answer(b"", status=503)
    frontier = Frontier.open(f"sqlite:///{swift.path / 'pressmark.db'}")
    with Site() as another:
        whole = complete(another)
        waiting(frontier, blog)
        waiting(frontier, whole, whole.pages["/feed"])
        first, asked = asked_by(swift, blog, "--due")
    assert first.out == (
        f"{blog.url}/feed: feed shows 7, site has 5, archived 5; not done yet, 1 listings left to read\n"
        f"  sitemap {blog.url}/sitemap.xml could not be read: answered 503; tried again later\n"
        f"{whole.url}/feed: feed shows 7, site has 5, archived 5, missing 0\n"
    ), "posts that the feed itself has shown wait no longer either"
    assert [(one.kind, one.subject) for one in alarms.standing(frontier.engine)] == [("gap", f"{blog.url}/feed")]
    assert "/" not in asked, "what comes after it is not tried yet"
    blog.pages["/sitemap.xml"] = blog.urlset(range(1, 26))
    second, asked = asked_by(swift, blog, "--due", "--json")
    assert (json.loads(second.out)["kept"], json.loads(second.out)["why"]) == (25, "gap")
    assert [path for path in asked if "post-" not in path] == ["/sitemap.xml"]
    assert len(asked) == 21, "posts that are held are not asked for again"
    assert alarms.standing(frontier.engine) == []
    third, asked = asked_by(swift, blog, "--due")
    assert (third.code, third.out, asked) == (0, "no backfill is waiting\n", [])


@pytest.mark.parametrize("arguments", [(), ("--due", "http://a.example/")])
def test_a_backfill_is_of_urls_or_of_what_is_due(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(crawl.backfill, arguments)
    assert done.exit_code == 2
    assert "name URLs, or --due" in done.output


def test_a_backfill_keeps_its_own_greater_gap(home: Home, site: Site) -> None:
    home.settings.update(PRESSMARK_HOST_GAP="0.2", PRESSMARK_BACKFILL_GAP="0.5")
    blog = Blog(site, 3)
    blog.pages["/feed"] = blog.rss([3], link("prev-archive", f"{blog.url}/archive"))
    blog.pages["/archive"] = blog.rss([2, 1], "<fh:complete/>")
    done = home.pressmark("backfill", f"{blog.url}/feed")
    assert done.out == f"{blog.url}/feed: feed shows 1, site has 3, archived 3, missing 0\n"
    times = sorted(entry.at for entry in site.log)
    assert len(times) >= 6
    # The clock here is that of answers, which may be a little late.
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.45
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) < 0.9


# -- what is remembered


def subscribed(database: str) -> tuple[Frontier, Backlog, int]:
    frontier = Frontier.open(database)
    feed = frontier.subscribe("http://a.example/feed", seed=None, now=T0)
    return frontier, Backlog(frontier.engine), feed.id


def listing_visit(feed_id: int, url: str, kind: str = PAGES, **more: Any) -> ListingVisit:
    values = {"number": 0, "at": T0, "status": 200, "error": None, "failures": 0, "done": True, **more}
    return ListingVisit(feed_id=feed_id, url=url, kind=kind, **values)


def seen(n: int) -> SeenEntry:
    return SeenEntry(key=str(n), id=str(n), digest="", url=f"http://a.example/{n}", entry=Entry(), fetch=True)


def test_a_new_backfill_reads_everything_but_archives_again(database: str) -> None:
    """Archive documents that could not be read are no exception."""
    frontier, backlog, feed_id = subscribed(database)
    backlog.ask(feed_id, (), at=T0, why="person", shown=None)
    visits = [
        listing_visit(feed_id, "http://a.example/feed", FEED),
        listing_visit(feed_id, "http://a.example/archive/2", "archive"),
        listing_visit(feed_id, "http://a.example/archive/1", "archive", error="answered 503", failures=4),
    ]
    frontier.commit([], [], visits)
    backlog.ask(feed_id, (), at=T0, why="person", shown=None)
    assert len(backlog.known(feed_id)) == 3, "it is still the same"
    assert backlog.listings(feed_id) == []
    backlog.end(feed_id, at=T0)
    backlog.ask(feed_id, (), at=T0, why="person", shown=None)
    assert {url for url, _, _ in backlog.known(feed_id)} == {f"http://a.example/archive/{n}" for n in (1, 2)}
    again = [(found.url, found.failures) for found in backlog.listings(feed_id)]
    assert again == [("http://a.example/archive/1", 0)]


def test_a_backfill_is_not_done_while_a_listing_or_a_post_waits(database: str) -> None:
    frontier, backlog, feed_id = subscribed(database)
    url = "http://a.example/sitemap.xml"
    backlog.ask(feed_id, [Listing(feed_id=feed_id, url=url, kind=SITEMAP, number=0)], at=T0, why="gap", shown=None)
    assert not backlog.done(feed_id)
    frontier.commit([], [], [listing_visit(feed_id, url, SITEMAP, entries=(seen(1),))])
    assert not backlog.done(feed_id)
    [page], _, _ = frontier.claim_pages(Due(now=T0, holder="a", lasts=timedelta(hours=1)))
    assert page.backfill
    visit = page_visit(page, at=T0, plan=(), status=404, error="answered 404")
    frontier.commit([], [visit])
    assert backlog.done(feed_id)
    report = backlog.report(feed_id)
    assert report is not None
    assert (report.found, report.kept, [(one.url, one.error) for one in report.missing]) == (
        1, 0, [("http://a.example/1", "answered 404")]
    )  # fmt: skip


def test_paused_feeds_have_no_backfill_that_waits(database: str) -> None:
    frontier, backlog, feed_id = subscribed(database)
    backlog.ask(feed_id, (), at=T0, why="gap", shown=None)
    assert backlog.waiting() == [feed_id]
    frontier.pause("http://a.example/feed", paused=True)
    assert backlog.waiting() == []


def test_posts_that_another_feed_has_shown_are_told_of_too(database: str) -> None:
    frontier, backlog, first = subscribed(database)
    second = frontier.subscribe("http://a.example/tag/feed", seed=None, now=T0).id
    for feed_id, numbers in ((first, (1, 2)), (second, (2, 3))):
        backlog.ask(feed_id, (), at=T0, why="person", shown=None)
        entries = tuple(map(seen, numbers))
        frontier.commit([], [], [listing_visit(feed_id, f"http://a.example/{feed_id}", entries=entries)])
    for feed_id, numbers in ((first, (1, 2)), (second, (2, 3))):
        report = backlog.report(feed_id)
        assert report is not None
        assert [one.url for one in report.missing] == [f"http://a.example/{n}" for n in numbers]
        assert report.found == 2
        assert set(backlog.links(feed_id)) == {f"http://a.example/{n}" for n in numbers}


def test_a_backfill_knows_no_more_listings_than_its_limit(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A calendar leads on for ever."""
    limit = 20
    monkeypatch.setattr("crawler.frontier.backfills.BACKFILL_LISTINGS", limit)
    monkeypatch.setattr("crawler.spiders.backfill.BACKFILL_LISTINGS", limit)
    frontier, backlog, feed_id = subscribed(database)
    backlog.ask(feed_id, (), at=T0, why="person", shown=None)
    urls = [f"http://a.example/{n}" for n in range(limit + 10)]
    work = _Work(feed=next(iter(frontier.feeds())), site="http://a.example/", shapes=frozenset())
    spider = BackfillSpider()
    more = tuple(spider._more(work, [(url, PAGES) for url in urls], number=1))
    assert len(more) == limit
    assert spider._more(work, [("http://a.example/next", PAGES)], number=2) == []
    too_many = tuple(Listing(feed_id=feed_id, url=url, kind=PAGES, number=1) for url in urls)
    frontier.commit([], [], [listing_visit(feed_id, "http://a.example/", more=too_many)])
    assert len(backlog.known(feed_id)) == limit


# -- how listings are read


BASE = "http://a.example/"
DATED = frozenset({"{4}/{n}/*"})


def read(body: bytes, kind: str, *, url: str = BASE, known: frozenset[str] = DATED, **headers: str) -> listings.Found:
    return listings.read(body, url=url, kind=kind, headers=headers, shapes=known, site=BASE)


def links(found: listings.Found) -> list[str | None]:
    return [entry.link for entry in found.entries]


@pytest.mark.parametrize(
    ("urls", "wanted"),
    [
        (["/2024/05/a/", "/2023/12/b/"], {"{4}/{n}/*"}),
        (["/2024/5/3/a", "/2023/12/31/b"], {"{4}/{n}/{n}/*"}),
        (["/2024/05/a.html"], {"{4}/{n}/*.html"}),
        (["/blog/a", "/blog/b", "/blog/c"], {"blog/*"}),
        (["/blog/a", "/blog/b"], {"*/*"}),
        (["/life/a", "/work/b", "/life/c"], {"*/*"}),
        (["/a", "/b-c"], {"*"}),
        (["/?p=1", "/?p=22"], {"?p=*"}),
        (["/a?utm_source=rss&utm_medium=rss", "/b?fbclid=1"], {"*"}),
        (["/post/1987", "/post/42", "/post/7"], {"post/{n}"}),
        (["/a", "/2024/05/b"], {"*", "{4}/{n}/*"}),
        (["/", "http://["], set()),
    ],
)
def test_addresses_of_posts_have_shapes(urls: list[str], wanted: set[str]) -> None:
    found = shapes([url if url.startswith("http") else f"http://a.example{url}" for url in urls])
    assert found == wanted


@pytest.mark.parametrize(
    ("path", "known", "is_post"),
    [
        ("/2019/11/old-post/", "{4}/{n}/*", True),
        ("/2019/11/", "{4}/{n}/*", False),
        ("/2019/11/old-post/feed/", "{4}/{n}/*", False),
        ("/about/", "{4}/{n}/*", False),
        ("/category/x/", "{4}/{n}/*", False),
        ("/2019/11/old-post/?replytocom=3", "{4}/{n}/*", False),
        ("/2019/11/old-post/?utm_source=x", "{4}/{n}/*", True),
        ("/2019/11/old.html", "{4}/{n}/*.html", True),
        ("/2019/11/old.png", "{4}/{n}/*.html", False),
        ("/blog/old", "blog/*", True),
        ("/news/old", "blog/*", False),
        ("/?p=7", "?p=*", True),
        ("/?page_id=7", "?p=*", False),
        ("/post/7", "*/{n}", True),
        ("/post/1987", "post/{n}", True),
        ("/about.html", "*.html", False),
        ("/old", "*", True),
        ("/about", "*", False),
        ("/life/old", "*/*", True),
        ("/Category/x/", "*/*", False),
        ("/tag/x", "tag/*", True),
    ],
)
def test_pages_that_are_shaped_like_posts_are_posts(path: str, known: str, is_post: bool) -> None:
    assert bool(links(read(f"http://a.example{path}".encode(), SITEMAP, known=frozenset({known})))) is is_post
    assert (shape_of(f"http://a.example{path}", frozenset({known})) == known) >= is_post


def test_a_sitemap_is_read_as_far_as_it_may_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SITEMAP_URLS == 50_000
    for module in (sitemap, page_links):
        monkeypatch.setattr(module, "SITEMAP_URLS", 50)
    lines = "\n".join(f"http://a.example/2024/05/{n}-x" for n in range(60))
    assert len(links(read(lines.encode(), SITEMAP))) == 50
    located = "".join(f"<url><loc>{line}</loc></url>" for line in lines.split())
    assert len(links(read(f"<urlset>{located}</urlset>".encode(), SITEMAP))) == 50
    page = "".join(f"<a href={line}>x</a>" for line in lines.split())
    assert len(links(read(page.encode(), PAGES))) == 50


@pytest.mark.parametrize("body", [b"\x1f\x8b\x08 broken", b"<", b"<!-- nothing -->"])
def test_a_sitemap_that_cannot_be_read_is_told(body: bytes) -> None:
    with pytest.raises(FeedError):
        read(body, SITEMAP)


def test_a_page_in_place_of_a_sitemap_is_told() -> None:
    with pytest.raises(FeedError, match="is not a sitemap"):
        read(b"<!DOCTYPE html><html><p>not found<a href=/2024/05/x>", SITEMAP)


def test_one_broken_address_does_not_cost_the_others() -> None:
    good = "http://a.example/2024/05/x"
    assert links(read(f"http://[\n{good}".encode(), SITEMAP)) == [good]
    located = "".join(f"<url><loc>{one}</loc></url>" for one in ("http://[", "", good))
    assert links(read(f"<urlset>{located}</urlset>".encode(), SITEMAP)) == [good]
    assert read(b"Sitemap: http://[\nSitemap: /s.xml", "robots").more == ((f"{BASE}s.xml", SITEMAP),)


@pytest.mark.parametrize(
    ("named", "wanted"),
    [
        (["post-sitemap.xml", "page-sitemap.xml", "category-sitemap.xml"], ["post-sitemap.xml"]),
        (["news.xml", "sitemap-1.xml", "sitemap-2.xml"], ["news.xml", "sitemap-1.xml", "sitemap-2.xml"]),
        (["pages-1.xml", "pages-2.xml"], ["pages-1.xml", "pages-2.xml"]),
        (["wp-sitemap-posts-post-1.xml", "wp-sitemap-users-1.xml"], ["wp-sitemap-posts-post-1.xml"]),
    ],
)
def test_sitemaps_that_list_no_posts_by_their_names_are_left_out(named: list[str], wanted: list[str]) -> None:
    located = "".join(f"<sitemap><loc>{BASE}{name}</loc></sitemap>" for name in named)
    found = read(f"<sitemapindex>{located}</sitemapindex>".encode(), SITEMAP)
    assert [url.removeprefix(BASE) for url, _ in found.more] == wanted


def test_without_sitemaps_in_robots_txt_the_usual_places_are_tried() -> None:
    wanted = [f"{BASE}{name}" for name in ("sitemap.xml", "sitemap_index.xml", "wp-sitemap.xml")]
    assert [url for url, _ in read(b"User-agent: *", "robots").more] == wanted
    assert [url for url, _ in read(b"Sitemap: http://b.example/sitemap.xml", "robots").more] == wanted


@pytest.mark.parametrize(
    ("size", "headers", "goes_on"),
    [
        (100, {"x-wp-totalpages": "2"}, True),
        (100, {"x-wp-totalpages": "1"}, False),
        (100, {}, True),
        (99, {}, False),
        (100, {"x-wp-totalpages": "many"}, True),
    ],
)
def test_wordpress_tells_whether_there_is_more(size: int, headers: dict[str, str], goes_on: bool) -> None:
    posts = [{"link": f"http://a.example/{n}", "date_gmt": "2024-05-01T10:00:00"} for n in range(size)]
    found = read(json.dumps(posts).encode(), WORDPRESS, url=wordpress_api.posts_url(BASE), **headers)
    assert bool(found.more) is goes_on
    assert len(found.entries) == size
    assert found.entries[0].published == datetime(2024, 5, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"<p>no", b'{"code": "rest_forbidden"}', b"[" * 100_000])
def test_what_is_no_list_of_posts_is_told(body: bytes) -> None:
    with pytest.raises(FeedError, match="is not a list of posts"):
        read(body, WORDPRESS)


def test_what_is_odd_in_a_list_of_posts_is_left_out() -> None:
    odd: list[Any] = [1, None, {}, {"link": 3}, {"link": "http://a.example/x", "guid": 7, "date_gmt": "soon"}]
    assert links(read(json.dumps(odd).encode(), WORDPRESS)) == ["http://a.example/x"]


@pytest.mark.parametrize(
    ("status", "kind", "final"),
    [
        (200, PAGED, True),
        (404, PAGED, True),
        (403, WORDPRESS, True),
        (403, SITEMAP, True),
        (403, PAGED, False),
        (403, "archive", False),
        (429, SITEMAP, False),
        (503, WORDPRESS, False),
    ],
)
def test_some_answers_to_a_request_for_a_listing_are_final(status: int, kind: str, final: bool) -> None:
    assert listings.answers(status, kind) is final

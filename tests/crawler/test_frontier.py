"""The frontier, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from archive.extract.text import Entry
from crawler.frontier.frontier import Frontier
from crawler.model.url_identity import as_http, shard
from crawler.model.visits import SHARDS, Due, Feed, FeedVisit, Page, PageVisit, SeenEntry, Shard

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "http://blog.example/feed"


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


def visit(feed_id: int, *entries: SeenEntry, at: datetime = T0, **changes: object) -> FeedVisit:
    values = {"status": 200, "error": None, "failures": 0, "etag": None, "last_modified": None, "due": at + HOUR}
    return FeedVisit(feed_id=feed_id, at=at, entries=entries, **{**values, **changes})


def seen(name: str, *, fetch: bool = True, digest: str = "d") -> SeenEntry:
    said = Entry(title=f"title {name}", author="Ann", published=T0, tags=("a", "b"), html="<p>words")
    return SeenEntry(key=name[:64], id=name, digest=digest, url=f"http://blog.example/{name}", entry=said, fetch=fetch)


def fetched(name: str, **changes: object) -> PageVisit:
    values = {
        "feed_id": 1, "at": T0, "due": None, "kept": True, "status": 200, "error": None, "failures": 0,
        "etag": '"e"', "last_modified": None,
    }  # fmt: skip
    return PageVisit(url=f"http://blog.example/{name}", **{**values, **changes})


def due_feeds(frontier: Frontier, now: datetime | None, part: Shard | None = None) -> list[Feed]:
    """Due feeds as one run claims them; all that are not paused where `now` is None."""
    due = Due(now=now or T0, holder="a", part=part, force=now is None)
    return frontier.claim_feeds(due)[0]


def due_pages(frontier: Frontier, now: datetime) -> list[Page]:
    return frontier.claim_pages(Due(now=now, holder="a"), limit=5_000)[0]


def test_a_subscription_is_found_by_its_url_and_by_what_a_person_gave(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed="http://blog.example/", now=T0)
    assert frontier.subscribe(URL, seed="http://blog.example/", now=T0 + HOUR) == feed
    assert frontier.find(URL) == frontier.find("http://blog.example/") == [feed]
    assert frontier.find("http://other.example/") == []
    assert feed.due == T0


def test_what_is_due_comes_longest_due_first(frontier: Frontier) -> None:
    feeds = [frontier.subscribe(f"http://blog{n}.example/feed", seed=None, now=T0) for n in range(3)]
    frontier.commit([visit(feeds[0].id, due=T0 + 3 * HOUR), visit(feeds[1].id, due=T0 + HOUR)], [])
    assert [feed.id for feed in due_feeds(frontier, T0)] == [feeds[2].id]
    assert [feed.id for feed in due_feeds(frontier, T0 + 2 * HOUR)] == [feeds[2].id, feeds[1].id]
    assert len(due_feeds(frontier, None)) == 3


def test_a_paused_feed_is_not_due_nor_are_its_pages(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    frontier.commit([visit(feed.id, seen("one"))], [])
    assert frontier.pause(URL, paused=True) == 1
    assert due_feeds(frontier, None) == []
    assert due_pages(frontier, T0) == []
    frontier.pause(URL, paused=False)
    assert len(due_pages(frontier, T0)) == 1


def test_a_visit_is_remembered(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    tag = 'W/"odd \\" tag\xe9"'
    frontier.commit(
        [visit(feed.id, etag=tag, last_modified="Tue, 1 Jan 2019 1:02:03 UTC", title="T", site="http://s/")], []
    )
    found = frontier.feeds()[0]
    assert (found.etag, found.last_modified, found.title, found.site) == (
        tag,
        "Tue, 1 Jan 2019 1:02:03 UTC",
        "T",
        "http://s/",
    )
    frontier.commit([visit(feed.id, title=None)], [])
    assert frontier.feeds()[0].title == "T"


def test_entries_wait_until_their_page_is_kept(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    frontier.commit([visit(feed.id, seen("one"), seen("two"), seen("three", fetch=False))], [])
    assert [page.url[-3:] for page in due_pages(frontier, T0)] == ["one", "two"]
    frontier.commit([], [fetched("one"), fetched("two", kept=False, due=T0 + HOUR, status=500, error="x", failures=1)])
    assert due_pages(frontier, T0) == []
    waiting = due_pages(frontier, T0 + HOUR)
    assert [(page.url[-3:], page.failures) for page in waiting] == [("two", 1)]
    assert frontier.feeds()[0].kept == 1
    assert frontier.pages(["http://blog.example/one"])["http://blog.example/one"].etag == '"e"'


def test_a_page_comes_with_what_the_feed_said(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    frontier.commit([visit(feed.id, seen("one"))], [])
    said = due_pages(frontier, T0)[0].entry
    assert said == Entry(title="title one", author="Ann", published=T0, tags=("a", "b"), html="<p>words")


def test_what_an_entry_says_as_markup_is_forgotten_once_its_page_is_kept(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    frontier.commit([visit(feed.id, seen("one"))], [fetched("one", kept=False, due=T0, failures=1)])
    assert due_pages(frontier, T0)[0].entry.html == "<p>words"
    frontier.commit([], [fetched("one", due=T0)])
    assert due_pages(frontier, T0)[0].entry == Entry(title="title one", author="Ann", published=T0, tags=("a", "b"))


def test_an_edited_entry_makes_its_page_due_again(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    frontier.commit([visit(feed.id, seen("one"))], [fetched("one")])
    assert frontier.known(feed.id, ["one", "none"], {})[0] == {"one": "d"}
    frontier.commit([visit(feed.id, seen("one", digest="other"), at=T0 + HOUR)], [])
    page = due_pages(frontier, T0 + HOUR)[0]
    assert (page.kept, page.etag) == (True, '"e"')
    assert frontier.known(feed.id, ["one"], {})[0] == {"one": "other"}


def test_a_commit_may_be_repeated(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    for _ in range(2):
        frontier.commit([visit(feed.id, seen("one"))], [fetched("one")])
    assert due_pages(frontier, T0) == []
    assert frontier.feeds()[0].kept == 1


def test_a_post_of_two_feeds_is_one_page(frontier: Frontier) -> None:
    feeds = [frontier.subscribe(f"{URL}{n}", seed=None, now=T0) for n in range(2)]
    frontier.commit([visit(feed.id, seen("one")) for feed in feeds], [])
    assert len(due_pages(frontier, T0)) == 1


def test_a_removed_feed_is_gone_and_what_it_waited_for_too(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed="http://blog.example/", now=T0)
    frontier.commit([visit(feed.id, seen("one"), seen("two"))], [fetched("one")])
    assert frontier.remove("http://blog.example/") == 1
    assert frontier.feeds() == []
    assert due_pages(frontier, T0) == []
    assert frontier.pages(["http://blog.example/one"])["http://blog.example/one"].kept
    frontier.commit([visit(feed.id, seen("three"))], [])  # a crawl that was under way


def test_a_feed_is_found_under_every_spelling_of_its_url(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed="https://www.blog.example", now=T0)
    for other in ("https://blog.example/feed/", "feed://BLOG.example:80/feed#top", f"{URL}?utm_source=x"):
        assert frontier.find(other) == [feed], other
        assert frontier.subscribe(other.replace("feed://", "http://"), seed=None, now=T0).id == feed.id
    assert frontier.find("http://blog.example/") == [feed]
    assert frontier.subscribe(f"{URL}?tag=x", seed=None, now=T0).id != feed.id
    assert frontier.subscribe("http://blog.example/Feed", seed=None, now=T0).id != feed.id


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("feed://a.example/f", "http://a.example/f"),
        ("FEED:https://a.example/f", "https://a.example/f"),
        ("feed://https://a.example/f", "https://a.example/f"),
        ("http://a.example/feed:x", "http://a.example/feed:x"),
        ("feed", "feed"),
    ],
)
def test_addresses_of_feed_readers_are_those_of_the_web(given: str, wanted: str) -> None:
    assert as_http(given) == wanted


def test_a_feed_that_moves_to_another_spelling_stays_the_same(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    frontier.commit([visit(feed.id, url="https://www.blog.example/feed")], [])
    assert [(one.id, one.url) for one in frontier.find(URL)] == [(feed.id, "https://www.blog.example/feed")]


def test_removing_a_feed_ends_the_visits_of_what_no_other_feed_shows(frontier: Frontier) -> None:
    one = frontier.subscribe(URL, seed=None, now=T0)
    other = frontier.subscribe("http://planet.example/feed", seed=None, now=T0)
    frontier.commit([visit(one.id, seen("alone"), seen("both"), seen("waits"))], [])
    frontier.commit([visit(other.id, seen("both"))], [])
    again = {"due": T0 + HOUR}
    frontier.commit([], [fetched("alone", **again), fetched("both", **again)])
    frontier.remove(URL)
    assert [(page.url, page.feed_id) for page in due_pages(frontier, T0 + HOUR)] == [
        ("http://blog.example/both", other.id)
    ]
    frontier.commit([], [fetched("alone", due=T0 + HOUR)])  # a crawl that was under way
    assert len(due_pages(frontier, T0 + HOUR)) == 1
    back = frontier.subscribe(URL, seed=None, now=T0)
    frontier.commit([visit(back.id, seen("alone", fetch=False), at=T0 + HOUR)], [])
    assert {page.url.rpartition("/")[2] for page in due_pages(frontier, T0 + HOUR)} == {"alone", "both"}


def test_shards_divide_what_is_due(frontier: Frontier) -> None:
    for n in range(40):
        frontier.subscribe(f"http://blog{n}.example{n}.org/feed", seed=None, now=T0)
    parts = [due_feeds(frontier, T0, Shard(n, 4)) for n in range(4)]
    assert sum(map(len, parts)) == 40
    assert all(shard(feed.url) % 4 == n for n, part in enumerate(parts) for feed in part)
    assert all(0 <= shard(feed.url) < SHARDS for part in parts for feed in part)


def test_many_entries_and_long_urls_fit(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL + "?" + "x" * 4000, seed=None, now=T0)
    frontier.commit(
        [visit(feed.id, *(seen(f"{n}-{'y' * 4000}") for n in range(3)), *(seen(str(n)) for n in range(1200)))], []
    )
    assert len(frontier.known(feed.id, [str(n) for n in range(1200)], {})[0]) == 1200
    assert len(due_pages(frontier, T0)) == 1203


def test_characters_that_a_database_cannot_hold_do_no_harm(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    said = Entry(title="nul \0 and \ud800", author="x")
    odd = SeenEntry(key="k", id="a\0b\udfff", digest="d", url="http://blog.example/odd", entry=said, fetch=True)
    frontier.commit([visit(feed.id, odd, title="\0T\ud800", etag="e\0")], [fetched("odd", error="\0")])
    assert (frontier.feeds()[0].title, frontier.feeds()[0].etag) == ("T?", "e")

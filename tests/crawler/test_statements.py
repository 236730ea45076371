"""However many entries a document has, the frontier asks and writes with the same number of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from archive.extract.text import Entry
from archive.runtime.database import transaction
from crawler.frontier.backfills import Backlog
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Due, FeedVisit, Listing, ListingVisit, SeenEntry

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "http://blog.example/feed"
FEW, MANY = 10, 500


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements of the block; one that is executed for each of many rows counts as many."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        found.extend([statement] * (len(parameters) if many else 1))

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def entry(n: int, *, path: str = "post", known: bool = False, **changes: Any) -> SeenEntry:
    found = SeenEntry(
        key=f"{n:064}",
        id=f"id-{n}",
        digest="d",
        url=f"http://blog.example/{path}-{n}",
        entry=Entry(title=f"title {n}", html="<p>words"),
        fetch=True,
        known=known,
    )
    return replace(found, **changes)


def visit(feed_id: int, entries: list[SeenEntry], *, at: datetime = T0, **changes: Any) -> FeedVisit:
    values = {"status": 200, "error": None, "failures": 0, "etag": None, "last_modified": None, "due": at + HOUR}
    return FeedVisit(feed_id=feed_id, at=at, entries=tuple(entries), record="urn:feed", **{**values, **changes})


def _new(number: int) -> list[SeenEntry]:
    return [entry(n) for n in range(number)]


def _changed(number: int) -> list[SeenEntry]:
    return [entry(n, known=True, digest="other") for n in range(number)]


def _moved(number: int) -> list[SeenEntry]:
    return [entry(n, known=True, path="moved") for n in range(number)]


def _on_shared_pages(number: int) -> list[SeenEntry]:
    return [entry(n, url="http://blog.example/log", address=f"http://blog.example/log#{n}") for n in range(number)]


Entries = Callable[[int], list[SeenEntry]]


def _statements(frontier: Frontier, entries: Entries, number: int, host: str) -> int:
    """Statements of a second visit of a feed with some entries, which brings `entries`."""

    def here(found: list[SeenEntry]) -> list[SeenEntry]:
        def moved(url: str | None) -> str | None:
            return url.replace("blog.example", host) if url else None

        return [replace(one, url=moved(one.url), address=moved(one.address)) for one in found]

    feed = frontier.subscribe(f"http://{host}/feed", seed=None, now=T0)
    frontier.commit([visit(feed.id, here(_new(number)))], [])
    brought = here(entries(number))
    texts = tuple((one.address, "feed") for one in brought if one.address)
    with counted(frontier.engine) as found:
        frontier.commit([visit(feed.id, brought, at=T0 + HOUR, texts=texts)], [])
    return len(found)


@pytest.mark.parametrize(
    ("entries", "number"), [(_new, MANY), (_changed, MANY), (_moved, MANY // 2), (_on_shared_pages, MANY)]
)
def test_a_visit_of_a_feed_takes_the_same_statements_for_10_and_500_entries(
    frontier: Frontier, entries: Entries, number: int
) -> None:
    """A statement takes up to 500 rows; an entry that has moved has two addresses."""
    few = _statements(frontier, entries, FEW, "few.example")
    many = _statements(frontier, entries, number, "many.example")
    assert few == many
    due, _, _ = frontier.claim_pages(Due(now=T0 + HOUR, holder="a"), limit=5_000)
    expected = {one.url for one in entries(number)}
    assert {page.url.replace("many.example", "blog.example") for page in due if "many" in page.url} >= expected


def test_a_listing_takes_the_same_statements_for_10_and_500_pages(frontier: Frontier) -> None:
    counts = []
    for number in (FEW, MANY):
        host = f"blog{number}.example"
        feed = frontier.subscribe(f"http://{host}/feed", seed=None, now=T0)
        first = Listing(feed_id=feed.id, url=f"http://{host}/sitemap.xml", kind="sitemap", number=0)
        Backlog(frontier.engine).ask(feed.id, [first], at=T0, why="asked", shown=None)
        more = tuple(replace(first, url=f"http://{host}/map-{n}.xml", number=n) for n in range(number + 1))
        found = tuple(replace(one, url=f"http://{host}/{one.key[-4:]}") for one in _new(number))
        listed = ListingVisit(
            feed_id=feed.id, url=first.url, kind="sitemap", number=0, at=T0, status=200, error=None, failures=0, done=True,
            entries=found, more=more[1:],
        )  # fmt: skip
        with counted(frontier.engine) as statements:
            frontier.commit([], [], [listed])
        counts.append(len(statements))
        assert len(Backlog(frontier.engine).known(feed.id)) == number + 1
    assert counts[0] == counts[1]


def test_visits_use_up_no_numbers(postgres_database: str) -> None:
    frontier = Frontier.open(postgres_database)
    feed = frontier.subscribe(URL, seed=None, now=T0)
    brought = [*_new(20), *(replace(one, key=f"{one.key[:-2]}x{n}") for n, one in enumerate(_on_shared_pages(5)))]
    texts = tuple((one.address, "feed") for one in brought if one.address)
    for hour in range(4):
        again = [replace(one, known=hour > 0, digest=str(hour)) for one in brought]
        frontier.commit([visit(feed.id, again, at=T0 + hour * HOUR, texts=texts)], [])
        frontier.subscribe(URL, seed=None, now=T0)
    with transaction(frontier.engine, reads=True) as connection:
        pages = connection.execute(text("SELECT count(*) FROM pages")).scalar_one()
        assert connection.execute(text("SELECT last_value FROM pages_id_seq")).scalar_one() == pages == 26
        assert connection.execute(text("SELECT last_value FROM feeds_id_seq")).scalar_one() == 1


def test_an_entry_whose_page_was_entered_by_the_one_before_changes_that_page(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    first, second = entry(1, url="http://blog.example/log"), _on_shared_pages(3)[2]
    later = replace(second, key="k", url="https://www.blog.example/log", later=T0 + HOUR)
    frontier.commit([visit(feed.id, [first, second, later])], [])
    [page] = frontier.claim_pages(Due(now=T0 + HOUR, holder="a"))[0]
    assert (page.url, page.shared) == ("https://www.blog.example/log", True)
    assert frontier.claim_pages(Due(now=T0, holder="a"))[0] == [], "the last entry says when"


def test_pages_that_entries_move_one_after_another_keep_their_evidence(frontier: Frontier) -> None:
    feed = frontier.subscribe(URL, seed=None, now=T0)
    frontier.commit([visit(feed.id, _new(3))], [])
    # The second entry moves to where the first one's page is now, so its page stays, and the two are joined.
    moved = [entry(0, known=True, path="moved"), entry(1, known=True, url="http://blog.example/moved-0")]
    frontier.commit([visit(feed.id, moved, at=T0 + HOUR)], [])
    assert {(one.url, one.target) for one in frontier.aliases()} == {
        ("http://blog.example/post-0", "http://blog.example/moved-0"),
        ("http://blog.example/post-1", "http://blog.example/moved-0"),
    }
    found = frontier.pages([f"http://blog.example/{path}" for path in ("post-1", "moved-0", "post-2")])
    assert {url[20:]: page.url[20:] for url, page in found.items()} == {
        "post-1": "post-1", "moved-0": "moved-0", "post-2": "post-2"
    }  # fmt: skip

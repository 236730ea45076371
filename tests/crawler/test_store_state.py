"""State in the store: what has changed is written, ordered by number, and nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.index.aliases import Alias
from archive.stores.memory import MemoryStore
from archive.warc.page_identity import page_key
from crawler.feeds import opml
from crawler.frontier import unsaved
from crawler.frontier.frontier import Frontier
from crawler.limits import STATE_CHANGES
from crawler.model.visits import FeedVisit, PageVisit
from crawler.restore import store_state
from crawler.restore.store_state import DELETIONS, SUBSCRIPTIONS

T0 = datetime(2026, 11, 1, tzinfo=UTC)
FEED, POST = "http://b.example/feed", "http://b.example/post"


@pytest.fixture
def frontier(tmp_path: Path) -> Iterator[Frontier]:
    found = Frontier.open(f"sqlite:///{tmp_path / 'test.db'}")
    yield found
    found.engine.dispose()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def known(store: MemoryStore) -> dict[str, tuple[str | None, bool]]:
    """Title and state of the subscriptions in the store, by URL, in their order."""
    found = store_state.subscriptions(store, now=T0) or []
    return {one.url: (one.title, one.paused) for one in found}


def visit(feed_id: int, at: datetime, **values: object) -> FeedVisit:
    told = {"status": 200, "error": None, "failures": 0, "etag": None, "last_modified": None, **values}
    return FeedVisit(feed_id=feed_id, at=at, due=at, **told)  # type: ignore[arg-type]


def page(at: datetime, **values: object) -> PageVisit:
    told = {"status": 200, "error": None, "failures": 0, "etag": None, "last_modified": None, **values}
    return PageVisit(url=POST, feed_id=None, at=at, due=None, **told)  # type: ignore[arg-type]


def objects(store: MemoryStore, prefix: str = "state/") -> list[str]:
    return sorted(store.keys(prefix))


def test_the_whole_list_once_then_what_changes(store: MemoryStore, frontier: Frontier) -> None:
    one = frontier.subscribe(FEED, seed=None, now=T0)
    for number in range(50):
        frontier.subscribe(f"http://other{number}.example/feed", seed=None, now=T0 + timedelta(hours=1))
    store_state.save(store, frontier)
    (whole,) = objects(store)
    assert whole.endswith(".opml")
    store_state.save(store, frontier)
    frontier.commit([visit(one.id, T0)], [])
    store_state.save(store, frontier)
    assert objects(store) == [whole], "nothing has changed"

    frontier.commit([visit(one.id, T0, title="A blog")], [])
    frontier.pause("http://other1.example/feed", paused=True)
    frontier.remove("http://other2.example/feed")
    store_state.save(store, frontier)
    _, changes = objects(store)
    assert len(store.read(changes).splitlines()) == 3
    found = known(store)
    assert found[FEED] == ("A blog", False)
    assert found["http://other1.example/feed"] == (None, True)
    assert "http://other2.example/feed" not in found
    assert found == {one.url: (one.title, one.paused) for one in frontier.subscriptions()}


def test_a_feed_that_moves_or_is_merged_is_one_subscription(store: MemoryStore, frontier: Frontier) -> None:
    one = frontier.subscribe(FEED, seed="http://b.example/", now=T0)
    frontier.subscribe("http://b.example/other", seed=None, now=T0)
    store_state.save(store, frontier)
    frontier.commit([visit(one.id, T0, url="http://new.example/feed")], [])
    store_state.save(store, frontier)
    assert set(known(store)) == {"http://new.example/feed", "http://b.example/other"}
    frontier.commit([visit(one.id, T0, url="http://b.example/other")], [])
    store_state.save(store, frontier)
    assert store_state.subscriptions(store, now=T0) == frontier.subscriptions()


def test_an_object_of_a_wrong_hour_stands_where_its_number_says(store: MemoryStore, frontier: Frontier) -> None:
    """Earlier versions named objects after the time: one written by a clock that was ahead hid all later ones."""
    frontier.subscribe(FEED, seed=None, now=T0)
    store.put(f"{SUBSCRIPTIONS}20380101t000000000000z.opml", opml.write(frontier.subscriptions()))
    frontier.subscribe("http://later.example/feed", seed=None, now=T0)
    store_state.save(store, frontier)
    assert list(known(store)) == [FEED, "http://later.example/feed"]

    frontier.commit([], [page(T0, kept=True)])
    store.put(f"{DELETIONS}20380101t000000000000z.jsonl", b"")
    frontier.commit([], [page(T0 + timedelta(days=1), kept=False, gone="gone", status=404)])
    store_state.save(store, frontier)
    frontier.commit([], [page(T0 + timedelta(days=2), kept=True)])
    store_state.save(store, frontier)
    numbers = [key.removeprefix(DELETIONS).partition("-")[0] for key in objects(store, DELETIONS)]
    assert numbers == ["0000000001", "0000000002", "20380101t000000000000z.jsonl"]
    assert list(store_state.deletions(store))[-1].restored == T0 + timedelta(days=2)


def test_what_came_late_is_not_left_out(store: MemoryStore, frontier: Frontier) -> None:
    """A batch that another machine commits weeks later, from before the newest object was written."""
    frontier.commit([], [page(T0, kept=True), page(T0 + timedelta(days=1), kept=False, gone="gone", status=404)])
    store_state.save(store, frontier)
    late = PageVisit(
        url="http://b.example/late", feed_id=None, at=T0 - timedelta(days=30), due=None, kept=False, gone="gone",
        status=410, error=None, failures=0, etag=None, last_modified=None,
        aliases=(Alias(url=POST, target="http://b.example/new", kind="redirect", proof="r", since=T0 - timedelta(days=30)),),
    )  # fmt: skip
    frontier.commit([], [late])
    store_state.save(store, frontier)
    assert {one.url for one in store_state.deletions(store)} == {POST, late.url}
    assert [one.target for one in store_state.aliases(store)] == ["http://b.example/new"]


def test_what_changes_while_it_is_written_is_written_again(store: MemoryStore, frontier: Frontier) -> None:
    frontier.subscribe(FEED, seed=None, now=T0)
    before = unsaved.marks(frontier.engine, "subscription")
    frontier.pause(FEED, paused=True)
    unsaved.settle(frontier.engine, "subscription", before)
    assert unsaved.marks(frontier.engine, "subscription").keys() == {page_key(FEED)}


class Meanwhile(MemoryStore):
    """A store into which another machine puts an object with the same number, once, just before ours."""

    other = b""

    def put(self, key: str, source: bytes | Path) -> None:
        if self.other:
            theirs, self.other = self.other, b""
            number = key.removeprefix(SUBSCRIPTIONS).partition("-")[0]
            super().put(f"{SUBSCRIPTIONS}{number}-ffffffff.opml", theirs)
        super().put(key, source)


def test_two_machines_that_take_one_number_write_again(frontier: Frontier) -> None:
    store = Meanwhile()
    frontier.subscribe(FEED, seed=None, now=T0)
    store.other = opml.write(())
    store_state.save(store, frontier)
    assert list(known(store)) == [FEED], "the other one's list was older, and comes later in the order of keys"
    assert len(objects(store)) == 3


def test_after_many_changes_the_whole_list_is_stored_again(store: MemoryStore, frontier: Frontier) -> None:
    frontier.subscribe(FEED, seed=None, now=T0)
    for number in range(STATE_CHANGES + 2):
        frontier.pause(FEED, paused=number % 2 == 0)
        store_state.save(store, frontier)
    wholes = [key for key in objects(store) if key.endswith(".opml")]
    assert len(wholes) == 2
    assert known(store) == {FEED: (None, False)}


def test_another_store_gets_the_whole_list_although_nothing_changed(frontier: Frontier) -> None:
    frontier.subscribe(FEED, seed=None, now=T0)
    for store in (MemoryStore(), MemoryStore()):
        store_state.save(store, frontier)
        assert list(known(store)) == [FEED]


def test_a_line_that_cannot_be_read_costs_only_itself(store: MemoryStore, frontier: Frontier) -> None:
    frontier.subscribe(FEED, seed=None, now=T0)
    store_state.save(store, frontier)
    lines = b'{"url": 7}\n[]\nnot json\n{"removed": "nobody"}\n'
    store.put(f"{SUBSCRIPTIONS}0000000002-00000000.jsonl", lines)
    assert list(known(store)) == [FEED]

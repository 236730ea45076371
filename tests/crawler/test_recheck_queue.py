"""Re-checks wait by host: new posts first, many hosts side by side, and no call reads all that is due."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text, update

from archive.runtime.database import transaction
from crawler.decide.page import after_page
from crawler.frontier.due import PagePlace
from crawler.frontier.frontier import Frontier
from crawler.frontier.tables import pages, rechecks
from crawler.model.answer import Answer
from crawler.model.visits import Due, Page

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLAN = (HOUR, DAY, 7 * DAY)


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


def add(frontier: Frontier, host: str, number: int, **changes: Any) -> None:
    """Archived pages of a host, the first of them due first."""
    first = changes.pop("first", 0)
    due = changes.pop("due", T0)
    feed = frontier.subscribe(f"http://{host}/feed", seed=None, now=T0)
    rows = [
        {
            "url": f"http://{host}/{n}", "key": f"{host}/{n}", "feed_id": feed.id, "shard": sum(host.encode()),
            "host": host, "kept": True, "first_seen": T0, "due": due + timedelta(milliseconds=n), **changes,
        }
        for n in range(first, first + number)
    ]  # fmt: skip
    with transaction(frontier.engine) as connection:
        connection.execute(insert(pages), rows)


def come(frontier: Frontier, *, now: datetime, budget: int | None = None, limit: int = 1_000) -> list[Page]:
    """All re-checks of one run."""
    found: list[Page] = []
    place: PagePlace | None = None
    while True:
        part, place, _ = frontier.claim_pages(Due(now=now, holder="a", held=True, budget=budget), place, limit=limit)
        if place is None:
            return found
        found += part


def names(found: list[Page]) -> list[str]:
    return [page.url.removeprefix("http://") for page in found]


def check(frontier: Frontier, found: list[Page], at: datetime) -> None:
    """Visit pages, which have not changed."""
    visits = [after_page(page, Answer(at=at, status=304), plan=PLAN) for page in found]
    keys = [visit.url.removeprefix("http://") for visit in visits]
    with transaction(frontier.engine) as connection:
        for key, visit in zip(keys, visits, strict=True):
            change = {"visited": at, "due": visit.due, "checks": visit.checks}
            connection.execute(update(pages).where(pages.c.key == key).values(change))


def test_a_new_post_does_not_wait_for_those_that_a_backfill_has_found(frontier: Frontier) -> None:
    add(frontier, "big.example", 300, backfill=True)
    for day in range(5):
        born = T0 + day * DAY
        add(frontier, "big.example", 1, first=1_000 + day, due=born + HOUR)
        found = come(frontier, now=born + 2 * HOUR, budget=20)
        assert len(found) == 20
        assert names(found)[0] == f"big.example/{1_000 + day}", "its first re-check"
        check(frontier, found, born + 2 * HOUR)


def test_the_newest_of_many_new_posts_comes_first(frontier: Frontier) -> None:
    add(frontier, "a.example", 30)
    assert names(come(frontier, now=T0 + HOUR, budget=10)) == [f"a.example/{n}" for n in range(29, 19, -1)]


def test_each_page_comes_once_and_hosts_come_side_by_side(frontier: Frontier) -> None:
    for host in ("a.example", "b.example", "c.example"):
        add(frontier, host, 40, checks=1)
        add(frontier, host, 40, first=40)
    found = come(frontier, now=T0 + HOUR, limit=30)
    assert len(found) == len(set(names(found))) == 240
    first = Counter(name.partition("/")[0] for name in names(found)[:30])
    assert set(first.values()) == {10}


def test_a_budget_holds_for_one_run_and_for_a_day(frontier: Frontier) -> None:
    add(frontier, "a.example", 200, checks=1)
    found = come(frontier, now=T0 + HOUR, budget=120, limit=30)
    assert len(found) == len(set(names(found))) == 120
    check(frontier, found[:100], T0 + HOUR)
    assert len(come(frontier, now=T0 + 2 * HOUR, budget=120)) == 20
    check(frontier, come(frontier, now=T0 + 2 * HOUR, budget=120), T0 + 2 * HOUR)
    assert come(frontier, now=T0 + 3 * HOUR, budget=120) == []
    assert come(frontier, now=T0 + 3 * HOUR, budget=120) == []
    assert len(come(frontier, now=T0 + DAY + HOUR, budget=120)) == 80, "another day"


def test_a_host_without_due_pages_is_looked_at_when_the_next_one_is_due(frontier: Frontier) -> None:
    add(frontier, "a.example", 2, checks=1)
    check(frontier, come(frontier, now=T0 + HOUR), T0 + HOUR)
    assert come(frontier, now=T0 + 2 * HOUR) == []
    with transaction(frontier.engine, reads=True) as connection:
        [waits] = connection.execute(select(rechecks)).all()
    assert waits.due == T0 + HOUR + 7 * DAY
    add(frontier, "a.example", 1, first=9, due=T0 + DAY)
    assert names(come(frontier, now=T0 + 2 * DAY)) == ["a.example/9"], "it was due before"
    with transaction(frontier.engine) as connection:
        connection.execute(update(pages).values(due=None))
    assert come(frontier, now=T0 + 30 * DAY) == []
    with transaction(frontier.engine, reads=True) as connection:
        assert connection.execute(select(rechecks)).all() == [], "nothing there is visited any more"


def test_pages_of_a_paused_feed_come_when_it_is_resumed(frontier: Frontier) -> None:
    add(frontier, "a.example", 3)
    frontier.pause("http://a.example/feed", paused=True)
    assert come(frontier, now=T0 + HOUR) == []
    frontier.pause("http://a.example/feed", paused=False)
    assert len(come(frontier, now=T0 + HOUR)) == 3


def test_hosts_of_another_run_are_left_to_it(frontier: Frontier) -> None:
    add(frontier, "a.example", 60)
    add(frontier, "b.example", 60)
    shard = sum(b"a.example")
    with transaction(frontier.engine) as connection:
        later = datetime.now(UTC) + timedelta(minutes=10)
        given = {"shard": shard, "holder": "other", "until": int(later.timestamp() * 1e6), "epoch": 1}
        connection.execute(text("INSERT INTO claims VALUES (:shard, :holder, :until, :epoch)"), given)
    found = come(frontier, now=T0 + HOUR, limit=40)
    assert {name.partition("/")[0] for name in names(found)} == {"b.example"}
    assert len(found) == 60


def test_no_call_reads_all_that_is_due(tmp_path: Any) -> None:
    """By SQLite's plans: each table is searched by an index, and what is due is nowhere sorted."""
    frontier = Frontier.open(f"sqlite:///{tmp_path / 'test.db'}")
    for number in range(3):
        add(frontier, f"{number}.example", 300, checks=number)
        add(frontier, f"{number}.example", 100, first=300, kept=False, backfill=number == 0)
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "WITH")) and not many:
            said.append((statement, parameters))

    with transaction(frontier.engine) as connection:
        connection.execute(text("ANALYZE"))
    event.listen(frontier.engine, "before_cursor_execute", note)
    for wanted in ({"held": True, "budget": 30}, {"held": False, "backfill": False}, {"budget": 30}):
        place: PagePlace | None = None
        for _ in range(4):
            _, place, _ = frontier.claim_pages(Due(now=T0 + HOUR, holder="a", **wanted), place, limit=50)
    event.remove(frontier.engine, "before_cursor_execute", note)
    steps = [
        row[3]
        for statement, parameters in said
        if " pages" in statement or " rechecks" in statement
        for row in _plan(frontier, statement, parameters)
    ]
    assert any("pages_host_turn" in step for step in steps)
    assert any("pages_turn" in step for step in steps)
    tables = ("pages", "rechecks", "feeds", "entries", "claims")
    whole = [f"SCAN {table}" for table in tables]
    assert [step for step in steps if step in whole or step.startswith("SCAN pages ")] == []
    assert [step for step in steps if "TEMP B-TREE" in step] == []


def _plan(frontier: Frontier, statement: str, parameters: Any) -> list[Any]:
    with transaction(frontier.engine, reads=True) as connection:
        return list(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())

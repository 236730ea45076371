"""Time and memory to select and claim all feeds or pages that are due, among a million."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, String, Table, case, cast, insert, literal, select, true
from sqlalchemy import text as sql

from archive.runtime.database import connect, optimize, transaction
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier
from crawler.frontier.tables import entries, feeds, pages
from crawler.model.visits import SHARDS, Due

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY, YEAR = 86_400 * 10**6, 365 * 86_400 * 10**6
MICROS = int(NOW.timestamp()) * 10**6
BUDGET = 500
BLOGS = 10_000
"""Blogs with archived pages; the first one has a tenth of all pages, so that a budget takes effect."""
GOALS = {"feeds": {100_000: 0.1, 1_000_000: 1.0}}
FACTS = (
    '{"title": "On the keeping of bees in towns", "author": "A. Writer", "published": "2026-01-01T08:00:00+00:00", '
    '"modified": null, "tags": ["bees", "towns"], "language": "en"}'
)
ROW = "{:<11}{:<7}{:>10}{:>9}{:>8}{:>10}{:>7}{:>10}{:>9}{:>8}{:>9}"


@dataclass(frozen=True, slots=True)
class Took:
    """Cost of a selection: medians, and peak memory."""

    selected: int
    calls: int
    seconds: float
    least_seconds: float
    cpu_seconds: float
    """CPU time of this process, independent of other load; a PostgreSQL server's is not included."""
    peak_megabytes: float


# -- rows, generated in the database itself


def numbered(connection: Connection, table: Table, count: int, values: Any) -> None:
    """Insert `count` rows; `values` returns the columns of row n, counted from 0."""
    first = select(cast(0, BigInteger).label("n")).cte("numbers", recursive=True)
    numbers = first.union_all(select(first.c.n + 1).where(first.c.n < count - 1))
    columns: dict[str, Any] = values(numbers.c.n)
    rows = select(*(literal(v) if not isinstance(v, ColumnElement) else v for v in columns.values()))
    connection.execute(insert(table).from_select(list(columns), rows.select_from(numbers)))


def name(prefix: str, n: Any) -> Any:
    """A text that is unique to row n."""
    return literal(prefix, String) + cast(n + 10**9, String)


def spread(n: Any, below: int, step: int = 7_919) -> Any:
    """A number from 0 up to `below` that looks random."""
    return (n * step * 104_729) % below


def feed_rows(count: int, due: int) -> Any:
    """Feeds, each on its own domain: `due` of them are due now, the others within the next day."""

    def values(n: Any) -> dict[str, Any]:
        return {
            "url": name("https://blog-", n) + literal(".example/feed.xml", String),
            "key": name("f" * 54, n),
            "shard": spread(n, SHARDS),
            "title": name("A blog of bees, number ", n),
            "added": literal(MICROS - YEAR, BigInteger),
            "visited": MICROS - DAY + spread(n, DAY),
            "due": case((n % (count // due) == 0, MICROS - spread(n, DAY // 24)), else_=MICROS + 1 + spread(n, DAY)),
            "etag": name('W/"', n),
            "status": literal(304),
        }

    return values


def page_rows(count: int, due: int) -> Any:
    """Archived pages: `due` of them are due now, the others later; one in 365 was visited within the last day."""

    def values(n: Any) -> dict[str, Any]:
        blog = case((n % 10 == 0, 0), else_=n % BLOGS)
        return {
            "id": n + 1,
            "url": name("https://blog-", blog) + name(".example/2026/a-post-about-bees-", n),
            "key": name("p" * 54, n),
            "feed_id": blog + 1,
            "shard": spread(blog, SHARDS),
            "host": name("blog-", blog) + literal(".example", String),
            "kept": true(),
            "first_seen": literal(MICROS - YEAR, BigInteger),
            "visited": MICROS - spread(n, YEAR),
            "due": case(
                ((n * 7_919 + n // 10 + n // BLOGS * 37) % (count // due) == 0, MICROS - spread(n, DAY // 24)),
                else_=MICROS + 1 + spread(n, YEAR),
            ),
            "etag": name('W/"', n),
            "status": literal(200),
            "checks": literal(3),
            "alive": MICROS - spread(n, YEAR),
            "alive_record": name("urn:uuid:00000000-0000-4000-8000-00", n),
        }

    return values


def entry_rows(n: Any) -> dict[str, Any]:
    """The entry of each page."""
    return {
        "feed_id": case((n % 10 == 0, 0), else_=n % BLOGS) + 1,
        "key": name("e" * 54, n),
        "page_id": n + 1,
        "digest": literal("d" * 64),
        "facts": literal(FACTS),
        "first_seen": literal(MICROS - YEAR, BigInteger),
    }


def fill(database: str, what: str, count: int, due: int) -> None:
    """Fill a frontier with `count` feeds or pages of which `due` are due."""
    engine = Frontier.open(database).engine
    with transaction(engine) as connection:
        if what == "feeds":
            numbered(connection, feeds, count, feed_rows(count, due))
        else:
            numbered(connection, feeds, BLOGS, feed_rows(BLOGS, BLOGS))
            numbered(connection, pages, count, page_rows(count, due))
            numbered(connection, entries, count, entry_rows)
    optimize(engine)
    engine.dispose()


# -- the measurement, in a separate process


def select_all(database: str, what: str, budget: int | None, rounds: int) -> Took:
    """Select and claim everything that is due, like a run; repeated under other names."""
    frontier = Frontier.open(database)
    call: Any = frontier.claim_feeds if what == "feeds" else frontier.claim_pages
    call(Due(now=NOW - timedelta(days=400), holder="none"))  # warm-up; nothing was due then
    whole, cpu = [], []
    selected = calls = peak = 0
    for number in range(rounds):
        due = Due(now=NOW, holder=f"run-{number}", budget=budget)
        before = forget_peak()
        began, used = time.perf_counter(), time.process_time()
        selected, calls = 0, 1
        found, place = call(due, None)
        while place is not None:
            selected += len(found)
            calls += 1
            found, place = call(due, place)
        whole.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
        peak = max(peak, memory("VmHWM") - before)
        Claims(frontier.engine, due.holder).release()
    return Took(selected, calls, statistics.median(whole), min(whole), statistics.median(cpu), peak / 1000)


def forget_peak() -> int:
    """Reset the peak memory of this process (Linux); returns its current memory in kilobytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def memory(which: str) -> int:
    """Memory of this process, in kilobytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which))


@contextmanager
def fresh(postgres: str | None, folder: Path) -> Iterator[str]:
    """URL of an empty database, which is removed afterwards."""
    if postgres is None:
        yield f"sqlite:///{folder / 'frontier.db'}"
        for one in folder.glob("frontier.db*"):
            one.unlink()
        return
    _administer(postgres, "DROP DATABASE IF EXISTS pressmark_bench_due", "CREATE DATABASE pressmark_bench_due")
    try:
        yield postgres.rsplit("/", 1)[0] + "/pressmark_bench_due"
    finally:
        _administer(postgres, "DROP DATABASE pressmark_bench_due WITH (FORCE)")


def _administer(postgres: str, *commands: str) -> None:
    server = connect(postgres)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for command in commands:
            connection.execute(sql(command))
    server.dispose()


def main() -> None:
    """Fill, measure, print; exit 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", metavar="URL", help="a server to measure, postgresql://USER@HOST:PORT/DATABASE")
    parser.add_argument("--rounds", type=int, default=5, help="selections, whose median counts")
    parser.add_argument("--only", choices=("feeds", "pages"))
    parser.add_argument("--rows", type=int, help="instead of 100,000 and 1,000,000 feeds, 1,000,000 pages")
    given = parser.parse_args()
    cases = [("feeds", count, 1_000, (None,)) for count in (100_000, 1_000_000)]
    cases += [("pages", 1_000_000, due, (BUDGET, None)) for due in (1_000, 100_000)]
    missed = False
    print(
        ROW.format(
            "database", "what", "rows", "due", "budget", "selected", "calls", "median s", "least s", "CPU s", "peak MB"
        )
    )
    with tempfile.TemporaryDirectory(prefix="pressmark-due-") as folder:
        for what, count, due, budgets in cases:
            if given.only not in {None, what}:
                continue
            rows = given.rows or count
            with (
                fresh(given.postgres, Path(folder)) as database,
                ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as children,
            ):
                children.submit(fill, database, what, rows, due).result()
                for budget in budgets:
                    took = children.submit(select_all, database, what, budget, given.rounds).result()
                    goal = GOALS.get(what, {}).get(rows)
                    missed |= goal is not None and took.seconds > goal
                    line = ROW.format(
                        "postgresql" if given.postgres else "sqlite",
                        what,
                        f"{rows:,}",
                        f"{due:,}",
                        budget or "none",
                        f"{took.selected:,}",
                        took.calls,
                        f"{took.seconds:.3f}",
                        f"{took.least_seconds:.3f}",
                        f"{took.cpu_seconds:.3f}",
                        f"{took.peak_megabytes:.1f}",
                    )
                    print(line + (f"  goal {goal} s" if goal else ""), flush=True)
    sys.exit(missed)


if __name__ == "__main__":
    main()

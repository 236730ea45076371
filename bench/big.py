"""A large archive: seconds of looking for what is due, of look-ups and of pages, with rows generated in the database."""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.testclient import TestClient

from archive.archive import Archive
from archive.runtime.times import iso
from archive.settings import ArchiveSettings
from archive.warc.page_identity import page_key
from archive.web.settings import WebSettings
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Due
from schedules.runs import Runs
from schedules.web.app import Web

GOAL = 0.2
"""Seconds of processor for a page, or for a call."""
CALL_GOAL = 1.0
"""Seconds of processor for handing out 1,000 re-checks."""
PAGES = (
    "/", "/blogs", "/search", "/feeds", "/feeds/77", "/blog/blog77.example", "/changes.atom", "/metrics", "/jobs",
    "/health", "/api/feeds?limit=100",
)  # fmt: skip
HOSTS = 10_000
ROW = "{:52} {:>12} {:>12}"

_ROWS = """
PRAGMA synchronous=OFF;
PRAGMA foreign_keys=OFF;
CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < {rows}) SELECT i FROM c;
INSERT INTO objects (id, key, length, sha256, begun)
 SELECT i + 1, 'warc/2026/11/01/pressmark-' || printf('%020d', i) || '-0badcafe.warc.gz', 300000, '', printf('%020d', i)
 FROM n WHERE i < {captures} / 10;
CREATE TEMP VIEW c AS SELECT i, i % 10 AS d, 'https://blog' || (i / 10 % {hosts}) || '.example/' ||
 CASE WHEN i % 10 < 3 THEN 'post-' || (i / 10 / {hosts} * 3 + i % 10) WHEN i % 10 < 5 THEN 'robots.txt' ELSE 'feed' END
 AS u FROM n WHERE i < {captures};
INSERT INTO captures (record, urlkey, date, url, status, mime, digest, kind, object_id, "offset", length, page)
 SELECT printf('<urn:uuid:%036d>', i), 'example,blog' || (i / 10 % {hosts}) || ')' || substr(u, instr(u, '.example/') + 8),
 {now} - {year} / {captures} * ({captures} - i), u, CASE WHEN d < 5 THEN 200 ELSE 304 END, 'text/html',
 CASE WHEN d < 3 THEN printf('sha1:POST%028d', i) WHEN d < 5 THEN 'sha1:ROBOTS' ELSE 'sha1:FEED' || (i / 10 % {hosts}) END,
 CASE WHEN d < 3 OR i < 10 THEN 'response' ELSE 'revisit' END, 1 + i / 10, i % 10 * 3000, 3000, page_key(u) FROM c;
INSERT INTO searchable (page, digest, url, host, title, language, tags, dated, seen)
 SELECT page, digest, url, substr(url, 9, instr(url, '.example/') - 1), 'A title', 'en', '[]', date, date
 FROM captures WHERE digest LIKE 'sha1:POST%' AND rowid <= 1000000;
INSERT INTO feeds (id, url, key, shard, title, paused, added, visited, due, failures, status)
 SELECT i + 1, u, page_key(u), i * 7919 % 65536, 'Blog ' || i, 0, {now} - {year} + i, {now}, {now} + i % 3600 * 1000000,
 0, 304 FROM (SELECT i, 'https://blog' || i || '.example/feed' AS u FROM n WHERE i < {feeds});
INSERT INTO pages (id, url, key, feed_id, shard, host, kept, backfill, first_seen, visited, due, status, failures, checks)
 SELECT i + 1, u, page_key(u), 1 + i % {hosts}, i % {hosts} * 7919 % 65536, 'blog' || (i % {hosts}) || '.example', 1, 0,
 {now} - {year}, {now} - {year} + i, {now} + CASE WHEN i % 10 < 4 THEN - i ELSE i * 1000000 END, 200, 0, 3
 FROM (SELECT i, 'https://blog' || (i % {hosts}) || '.example/post-' || (i / {hosts}) AS u FROM n WHERE i < {pages});
INSERT INTO deletions (key, since, url, kind, status)
 SELECT printf('%064d', i), {now} - i, 'https://blog.example/' || i, 'gone', 404 FROM n WHERE i < 50000;
ANALYZE;
"""


def fill(home: Path, captures: int, feeds: int, pages: int) -> None:
    """Make the tables and their rows; the database's own triggers count."""
    settings = ArchiveSettings(home=home)
    Archive.open(settings)
    Frontier.open(settings.database)
    Runs.open(settings.database)
    now, year = int(time.time() * 1e6), 365 * 86_400 * 1_000_000
    with sqlite3.connect(home / "pressmark.db") as database:
        database.create_function("page_key", 1, page_key, deterministic=True)
        rows = max(captures, feeds, pages, 50_000)
        database.executescript(
            _ROWS.format(rows=rows, captures=captures, feeds=feeds, pages=pages, hosts=HOSTS, now=now, year=year)
        )


def timed(name: str, goal: float, call: Callable[[], object]) -> bool:
    """Print the seconds of a call, the second of two; returns whether they are too many."""
    call()
    began, used = time.perf_counter(), time.process_time()
    call()
    whole, cpu = time.perf_counter() - began, time.process_time() - used
    print(
        ROW.format(name, f"{whole * 1000:.1f} ms", f"{cpu * 1000:.1f} ms") + ("  *" if cpu > goal else ""), flush=True
    )
    return cpu > goal


def calls(home: Path) -> list[bool]:
    """What crawls ask."""
    settings = ArchiveSettings(home=home)
    index, frontier = Archive.open(settings).index, Frontier.open(settings.database)
    due = Due(now=datetime.now(UTC) + timedelta(minutes=10), holder="bench")
    checks = Due(now=datetime.now(UTC), holder="bench", held=True, budget=500)
    print(f"re-checks due at {iso(checks.now)}: four in ten")
    found = [
        timed("a payload held by every fifth capture", GOAL, lambda: index.original("sha1:ROBOTS")),
        timed("captures, texts, objects", GOAL, index.counts),
        timed("feeds, pages, deletions", GOAL, frontier.counts),
        timed("credentials of a run", GOAL, frontier.origins),
        timed("1,000 due feeds", CALL_GOAL, lambda: frontier.claim_feeds(due)),
        timed("1,000 due re-checks", CALL_GOAL, lambda: frontier.claim_pages(checks)),
    ]
    Claims(frontier.engine, "bench").release()
    return found


def web(home: Path) -> list[bool]:
    """What people ask."""
    settings = ArchiveSettings(home=home)
    archive, runs = Archive.open(settings), Runs.open(settings.database)
    frontier = Frontier.open(settings.database)
    made = Web(archive, frontier, runs, health=dict, nudge=lambda: None)
    client = TestClient(made.application(WebSettings(), local=True), base_url="http://127.0.0.1")
    return [timed(path, GOAL, lambda path=path: client.get(path).raise_for_status()) for path in PAGES]  # type: ignore[misc]


def main() -> None:
    """Fill, measure, print; exit 1 if anything takes longer than its goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captures", type=int, default=1_000_000)
    parser.add_argument("--feeds", type=int, default=100_000)
    parser.add_argument("--pages", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, help="where the database is, or is to be; by default it is removed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-big-") as folder:
        home = given.home or Path(folder)
        if not (home / "pressmark.db").exists():
            began = time.monotonic()
            fill(home, given.captures, given.feeds, given.pages)
            size = (home / "pressmark.db").stat().st_size / 1e6
            print(f"made in {time.monotonic() - began:.0f} s: {size:,.0f} MB", flush=True)
        print(ROW.format("", "whole", "processor"))
        missed = [*calls(home), *web(home)]
    sys.exit(any(missed))


if __name__ == "__main__":
    main()

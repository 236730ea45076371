"""Database outages during a crawl: PostgreSQL is restarted ten times, SQLite locked for twenty seconds.

The crawl lasts long because pages are served slowly; afterwards everything stored is checked.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from kill import Tally, check, kept

from archive.archive import Archive
from archive.settings import ArchiveSettings

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from crawl import sample_urls
from sample.services import Postgres

PRESSMARK = Path(sys.executable).with_name("pressmark")
COPIES = 40


def crawl(home: Path, urls: list[str], database: str) -> subprocess.Popen[bytes]:
    """Start a crawl that commits continually."""
    settings = {
        "PRESSMARK_HOME": str(home),
        "PRESSMARK_DATABASE": database,
        "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
        "PRESSMARK_HOST_GAP": "0",
        "PRESSMARK_HOST_CONCURRENCY": "2",
        "PRESSMARK_BATCH_MEGABYTES": "0.05",
    }
    return subprocess.Popen([str(PRESSMARK), "crawl", *urls], env={**os.environ, **settings})


def restarted(server: Postgres, crawling: subprocess.Popen[bytes], times: int) -> int:
    """Restart a server while a crawl runs; returns how many times."""
    for number in range(times):
        time.sleep(2.5)  # the first time, the crawl has begun by then; earlier it would fail to start
        if crawling.poll() is not None:
            return number
        server.stop()
        time.sleep(0.5 + number % 3)
        server.start()
    return times


def locked(database: Path, crawling: subprocess.Popen[bytes], seconds: float) -> int:
    """Hold a write lock for that long while a crawl runs."""
    time.sleep(3.0)
    with sqlite3.connect(database, isolation_level=None, timeout=60) as holder:
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        holder.execute("ROLLBACK")
    return int(crawling.poll() is None)


def tried(name: str, home: Path, database: str, disturb: object, delay: float) -> bool:
    """Run one crawl with an outage; returns whether nothing was lost."""
    with ExitStack() as stack:
        sites, urls = sample_urls(stack, COPIES)
        for site in sites:
            site.delay = delay
        began = time.monotonic()
        crawling = crawl(home, urls, database)
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(disturb(crawling)))  # type: ignore[operator]
        thread.start()
        code = crawling.wait(900)
        took = time.monotonic() - began
        thread.join()
        tally = Tally()
        archive = Archive.open(ArchiveSettings(home=home, database=database))
        check(archive, sites, kept(database), tally)
        again = sum(len(site.asked) - len(set(site.asked)) for site in sites)
    print(
        f"{name}: disturbed {found[0]} times in a crawl of {took:.0f} s, exit {code}; of {tally.posts} posts missing {tally.missing}, "
        f"lost {tally.lost}, doubled {tally.doubled}, damaged {tally.damaged}, asked for again {again}",
        flush=True,
    )
    for problem in tally.problems[:10]:
        print(f"  {problem}")
    return not (code or tally.missing or tally.lost or tally.doubled or tally.damaged)


def main() -> None:
    """Run, print; exit 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("--locked-seconds", type=float, default=20.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-databases-") as name:
        home = Path(name) / "sqlite"
        database = home / "pressmark.db"
        well = tried(
            f"SQLite write-locked for {given.locked_seconds:g} s", home, f"sqlite:///{database}",
            lambda crawling: locked(database, crawling, given.locked_seconds), 0.1,
        )  # fmt: skip
        with Postgres(durable=True) as server:
            home = Path(name) / "postgresql"
            well &= tried(
                "PostgreSQL restarted", home, server.url,
                lambda crawling: restarted(server, crawling, given.restarts), 0.6,
            )  # fmt: skip
    sys.exit(not well)


if __name__ == "__main__":
    main()

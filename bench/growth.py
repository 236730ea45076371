"""What visits of unchanged feeds cost for good: bytes in the store and in the database, a month of hourly visits."""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sample.archives import unmodified

from archive.archive import Archive
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture

ALLOWED_BYTES = 100
"""Bytes of one visit on average, with the first ones, which are captures."""
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
REQUEST = b"GET /feed HTTP/1.1\r\nHost: blog.example\r\nUser-Agent: Pressmark\r\nAccept: */*\r\n\r\n"
HEAD = b"HTTP/1.1 %s\r\nServer: nginx\r\nCache-Control: max-age=3600\r\nETag: %s\r\nDate: %s\r\n\r\n"


def answered(number: int, at: datetime, status: bytes, body: bytes = b"") -> Capture:
    """The answer of a feed's server."""
    head = HEAD % (status, b'"%d"' % number, f"{at:%a, %d %b %Y %H:%M:%S GMT}".encode())
    return Capture(url=f"https://blog{number}.example/feed", date=at, request=REQUEST, head=head, body=body)


def sizes(home: Path) -> tuple[int, int, int]:
    """Objects in the store, their bytes, and those of the database."""
    with sqlite3.connect(home / "pressmark.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    files = [path.stat().st_size for path in (home / "store").rglob("*") if path.is_file()]
    return len(files), sum(files), (home / "pressmark.db").stat().st_size


def main() -> None:
    """Visit, print; exit 1 if a visit costs more than is allowed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=100)
    parser.add_argument("--hours", type=int, default=720)
    given = parser.parse_args()
    chance = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="pressmark-growth-") as folder:
        archive = Archive.open(ArchiveSettings(home=Path(folder)))
        batch = archive.writer.batch(now=BEGAN)
        feeds = [batch.add(answered(n, BEGAN, b"200 OK", b"<rss/>%d" % n)).record for n in range(given.feeds)]
        archive.writer.commit_and_release(batch.seal())
        before = sizes(Path(folder))
        for hour in range(1, given.hours + 1):
            batch = archive.writer.batch(now=BEGAN + timedelta(hours=hour))
            for number, record in enumerate(feeds):
                at = BEGAN + timedelta(hours=hour, microseconds=chance.randrange(3_600_000_000))
                batch.add(unmodified(answered(number, at, b"304 Not Modified"), record, f'"{number}"'))
            archive.writer.commit_and_release(batch.seal())
            if hour in {1, 24, 168, given.hours}:
                after, visits = sizes(Path(folder)), hour * given.feeds
                grown = [(now - then) / visits for now, then in zip(after, before, strict=True)]
                print(
                    f"{hour:4} hours, {visits:9,} visits: {grown[1]:6.1f} bytes in the store and {grown[2]:6.1f} in the"
                )
                print(f"     database for each; {after[0] - before[0]} objects", flush=True)
    sys.exit(grown[1] + grown[2] > ALLOWED_BYTES)


if __name__ == "__main__":
    main()

"""The database made anew from a synthetic store: how long for how many captures, and what grows faster than they do.

Exit code 1 if a capture takes more than twice as long in the whole store as in a tenth of it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.archive import Archive
from archive.extract.text import Text
from archive.index.cdxj import cdxj
from archive.index.schema import CaptureRow
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from archive.writer.batch import Sealed
from archive.writer.committer import index_key
from crawler.frontier.frontier import Frontier
from crawler.restore import store_state

PRESSMARK = Path(sys.executable).with_name("pressmark")
RATIO = 2.0
VISITS_OF_FEED = 100
"""Visits of one feed: every tenth brings another document, the others a 304."""
CHECKS_OF_POST = 9
"""Captures of one post: the page, then re-checks that are answered with 304."""
POSTS_SHOWN = 20
IN_BATCH = 2_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = b'GET / HTTP/1.1\r\nHost: blog.example\r\nIf-None-Match: "e"\r\n\r\n'
UNMODIFIED = b'HTTP/1.1 304 Not Modified\r\nETag: "e"\r\n\r\n'
WORDS = [hashlib.sha256(str(n).encode()).hexdigest()[: 3 + n % 8] for n in range(5_000)]


def prose(seed: str) -> str:
    """Two hundred words."""
    return " ".join(random.Random(seed).choices(WORDS, k=200))


def document(feed: int, newest: int) -> bytes:
    """A feed that shows the newest posts up to that number."""
    items = "".join(
        f"<item><guid>{n}</guid><link>{url(feed, n)}</link><title>Post {n}</title><description>{n}</description></item>"
        for n in range(newest, max(newest - POSTS_SHOWN, -1), -1)
    )
    return f"<rss version='2.0'><channel><title>Blog {feed}</title>{items}</channel></rss>".encode()


def url(feed: int, post: int) -> str:
    return f"http://blog{feed}.example/post/{post}"


def head(kind: str, etag: str = "e") -> bytes:
    return f'HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nETag: "{etag}"\r\n\r\n'.encode()


def captures(count: int, visits: int) -> Iterator[tuple[Capture, str | None]]:
    """Captures in the order of time; pages with their text. `validated_by` is left to the caller: the URL's last 200."""
    feeds = max(visits // VISITS_OF_FEED, 1)
    posts = max((count - visits) // CHECKS_OF_POST, 1)
    of_feed = -(-posts // feeds)
    for number in range(VISITS_OF_FEED):
        newest = of_feed * (number // 10 + 1) // 10
        for feed in range(feeds):
            at = BEGAN + timedelta(hours=number, seconds=feed)
            where = f"http://blog{feed}.example/feed"
            if number % 10 == 0:
                body = document(feed, newest)
                yield Capture(url=where, date=at, request=REQUEST, head=head("application/rss+xml"), body=body), None
                before = of_feed * (number // 10) // 10 if number else 0
                for post in range(before, newest):
                    text = prose(f"{feed}/{post}")
                    page = f"<html><title>Post {post}</title><article><p>{text}</p></article></html>".encode()
                    yield (
                        Capture(url=url(feed, post), date=at, request=REQUEST, head=head("text/html"), body=page),
                        text,
                    )
            else:
                yield Capture(url=where, date=at, request=REQUEST, head=UNMODIFIED, body=b""), None
    for check in range(1, CHECKS_OF_POST):
        for feed in range(feeds):
            for post in range(of_feed):
                at = BEGAN + timedelta(days=30 * check, seconds=feed)
                yield Capture(url=url(feed, post), date=at, request=REQUEST, head=UNMODIFIED, body=b""), None


def make(home: Path, count: int, visits: int) -> int:
    """Write a store of so many captures; returns how many there are."""
    settings = ArchiveSettings(home=home)
    archive, frontier = Archive.open(settings), Frontier.open(settings.database)
    for feed in range(max(visits // VISITS_OF_FEED, 1)):
        frontier.subscribe(f"http://blog{feed}.example/feed", seed=None, now=BEGAN)
    store_state.save(archive.store, frontier)
    last: dict[str, CaptureRow] = {}
    batch, made, inside = archive.writer.batch(now=BEGAN), 0, 0
    for capture, text in captures(count, visits):
        if inside == 0:
            batch = archive.writer.batch(now=BEGAN + timedelta(seconds=made))
        known = last.get(capture.url)
        if capture.body:
            row = last[capture.url] = batch.add(capture)
        elif known is not None:
            row = batch.add(replace(capture, validated_by=known.record))
        else:
            continue
        if text is not None:
            batch.add_text(row, Text(url=capture.url, text=text, markdown=text, title="Post"))
        made, inside = made + 1, inside + 1
        if inside == IN_BATCH:
            put(archive, batch.seal())
            inside = 0
    if inside:
        put(archive, batch.seal())
    archive.index.engine.dispose()
    frontier.engine.dispose()
    return made


def put(archive: Archive, sealed: Sealed) -> None:
    """Store a batch without entering it in the database, which would only be deleted again."""
    for row, path in sealed.files:
        archive.store.put(row.key, path)
    for key in {row.object for row in sealed.captures}:
        archive.store.put(index_key(key), cdxj(row for row in sealed.captures if row.object == key))
    archive.writer.release(sealed)


def measured(folder: Path, count: int, visits: int) -> tuple[int, float]:
    """Number of captures, and seconds that `pressmark reindex` takes on an empty database."""
    began = time.monotonic()
    made = make(folder, count, visits)
    written = time.monotonic() - began
    for file in folder.glob("pressmark.db*"):
        file.unlink()
    began = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PRESSMARK_HOME": str(folder)}
    done = subprocess.run([str(PRESSMARK), "reindex"], env=environment, check=True, capture_output=True, text=True)
    took = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{made} captures, {visits} of them of feeds: written in {written:.1f} s, reindexed in {took:.1f} s "
        f"({cpu:.1f} s of processors), "
        f"{took / made * 1e3:.2f} ms a capture; {done.stdout.splitlines()[-1]}",
        flush=True,
    )
    return made, took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captures", type=int, default=20_000)
    parser.add_argument("--visits", type=int, default=2_000, help="captures that are visits of feeds")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-reindex-") as folder:
        small = measured(Path(folder) / "small", given.captures // 10, given.visits // 10)
        large = measured(Path(folder) / "large", given.captures, given.visits)
    ratio = (large[1] / large[0]) / (small[1] / small[0])
    print(f"a capture takes {ratio:.2f} times as long in the larger store; at most {RATIO:g} is right")
    return int(ratio > RATIO)


if __name__ == "__main__":
    sys.exit(main())

"""Five years with 1,000 feeds, on a clock that is moved: what store, database and memory hold after each.

Frontier, rules, batches, commits, compaction and housekeeping are the real ones, with SQLite and a folder. Servers are a
model: each feed shows its ten newest posts, all posts are short, and nothing changes once it is published. Nothing
crosses a network, and texts are not extracted but given. Reduced are the visits (a round every few days in place of one
an hour to one a day) and the posts; feeds and years are not. What a visit adds is measured by itself (`bench/growth.py`),
so that the table can be scaled.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from archive.archive import Archive
from archive.extract.text import Text
from archive.maintenance.compact import Compaction
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from archive.writer.batch import Batch
from crawler.decide.entries import pages_to_fetch
from crawler.decide.feed import after_feed
from crawler.decide.freshness import Pace
from crawler.decide.page import after_page
from crawler.feeds import parse
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier
from crawler.model.answer import Answer
from crawler.model.visits import Due, Feed, FeedVisit, Page, PageVisit
from crawler.options import CrawlSettings
from crawler.spiders.feed_visits import compared

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
SHOWN = 10
"""Posts that a feed shows."""
WORDS = [
    "harbour",
    "tide",
    "lantern",
    "gull",
    "rope",
    "signal",
    "winter",
    "bread",
    "granite",
    "ferry",
    "morning",
    "letter",
    "quiet",
    "slate",
    "salt",
    "window",
]
TABLES = ("feeds", "pages", "entries", "captures", "texts", "searchable", "confirmations", "objects", "claims")
ALLOWED_GROWTH = 1.25
"""How much more the last year may add to store and database than the second one."""
ALLOWED_OBJECTS = 2_000
ALLOWED_MEGABYTES = 50
"""How much the process may grow after the first year."""
MB = 1_000_000
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Blog:
    """A blog whose posts are published at known times."""

    number: int
    posts: tuple[datetime, ...]

    @cached_property
    def root(self) -> str:
        """Its address, without a slash at the end."""
        return f"https://blog{self.number}.example"

    def shown(self, at: datetime) -> range:
        """Numbers of the posts in its feed."""
        published = sum(date <= at for date in self.posts)
        return range(max(0, published - SHOWN), published)

    def feed(self, at: datetime) -> bytes:
        """Its feed, newest post first."""
        items = "".join(
            f"<item><guid>{self.root}/{n}</guid><link>{self.root}/{n}</link><title>Post {n}</title>"
            f"<pubDate>{self.posts[n]:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
            for n in reversed(self.shown(at))
        )
        return f"<rss version='2.0'><channel><title>Blog {self.number}</title>{items}</channel></rss>".encode()

    def words(self, post: int) -> str:
        """What a post says: 150 words."""
        chance = random.Random(self.number * 1_000 + post)
        return " ".join(chance.choice(WORDS) for _ in range(150))


@dataclass
class Tally:
    """What was done so far."""

    rounds: int = 0
    feed_visits: int = 0
    not_modified: int = 0
    page_visits: int = 0
    posts: int = 0


@dataclass(frozen=True)
class State:
    """What is there after a year."""

    year: int
    tally: Tally
    objects: int
    store: int
    database: int
    memory: int
    rows: dict[str, int]


@dataclass
class Simulation:
    """An archive and its frontier under a moved clock."""

    home: Path
    blogs: Sequence[Blog]
    options: CrawlSettings = field(default_factory=CrawlSettings)
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.archive = Archive.open(ArchiveSettings(home=self.home))
        self.frontier = Frontier.open(self.archive.settings.database)
        self.claims = Claims(self.frontier.engine, "years")
        self.chance = random.Random(5)
        self.pace: Pace = self.options.pace
        for blog in self.blogs:
            self.frontier.subscribe(f"{blog.root}/feed", seed=None, now=BEGAN)
        self.by_root = {blog.root: blog for blog in self.blogs}

    def round(self, now: datetime) -> None:
        """Visit what is due, commit it, compact, tidy."""
        batch = self.archive.writer.batch(now=now)
        feeds: list[FeedVisit] = []
        pages: list[PageVisit] = []
        for feed in self.due(self.frontier.claim_feeds, now):
            visit, fresh = self.feed(batch, feed, now)
            feeds.append(visit)
            pages += [self.page(batch, page, now) for page in fresh]
        asked = {visit.url for visit in pages}
        pages += [self.page(batch, p, now) for p in self.due(self.frontier.claim_pages, now) if p.url not in asked]
        self.archive.writer.commit_and_release(batch.seal())
        self.frontier.commit(feeds, pages)
        self.claims.release()
        self.tally.rounds += 1
        self.tally.feed_visits += len(feeds)
        self.tally.page_visits += len(pages)
        Compaction(self.archive, now=lambda: now).run()
        self.frontier.tidy(now)

    def due(self, claim: Callable[..., tuple[list, object, object]], now: datetime) -> Iterator:
        """Everything that is due; pages that are not archived come with their feed."""
        place = None
        held = True if claim == self.frontier.claim_pages else None
        while True:
            found, place, _ = claim(Due(now=now, holder=self.claims.holder, held=held), place)
            yield from found
            if place is None:
                return

    def feed(self, batch: Batch, feed: Feed, now: datetime) -> tuple[FeedVisit, list[Page]]:
        """Visit a feed: 304 unless it has a post that it did not have."""
        blog = self.by_root[feed.url.removesuffix("/feed")]
        etag = f'"{blog.shown(now).stop}"'
        if feed.etag == etag:
            self.tally.not_modified += 1
            answer = exchange(batch, feed.url, now, etag, b"", validated=feed.validated)
            return after_feed(feed, answer, pace=self.pace, chance=self.chance.random()), []
        body = blog.feed(now)
        answer = exchange(batch, feed.url, now, etag, body)
        assert answer.row is not None
        parsed = parse(body, url=feed.url, content_type="application/rss+xml")
        reading, known = compared(self.frontier, feed, parsed, now)
        visit = after_feed(feed, answer, reading, pace=self.pace, chance=self.chance.random())
        visit = replace(visit, record=answer.row.record)
        return visit, pages_to_fetch(reading.seen, feed, known, record=answer.row.record, at=now)

    def page(self, batch: Batch, page: Page, now: datetime) -> PageVisit:
        """Visit a post's page: 304 if it is archived."""
        root, _, number = page.url.rpartition("/")
        blog = self.by_root[root]
        if page.kept:
            answer = exchange(batch, page.url, now, f'"p{number}"', b"", validated=page.validated)
            return after_page(page, answer, plan=self.options.recheck_plan)
        said = blog.words(int(number))
        html = f"<html><head><title>Post {number}</title></head><body><article><h1>Post {number}</h1><p>{said}</p></article>"
        answer = exchange(batch, page.url, now, f'"p{number}"', html.encode())
        assert answer.row is not None
        batch.add_text(answer.row, Text(url=page.url, text=said, markdown=said, title=f"Post {number}"))
        self.tally.posts += 1
        return replace(after_page(page, answer, plan=self.options.recheck_plan), source="page")

    def state(self, year: int) -> State:
        """What is there now."""
        with sqlite3.connect(self.home / "pressmark.db") as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            rows = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}
        files = [path.stat().st_size for path in (self.home / "store").rglob("*") if path.is_file()]
        memory = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_SIZE
        size = (self.home / "pressmark.db").stat().st_size
        return State(year, replace(self.tally), len(files), sum(files), size, memory, rows)


def exchange(batch: Batch, url: str, at: datetime, etag: str, body: bytes, validated: str | None = None) -> Answer:
    """A server's answer and its capture; `validated` is the record that a 304 confirms."""
    status = 304 if validated else 200
    kind = "application/rss+xml" if url.endswith("/feed") else "text/html"
    host = url.split("/")[2]
    asked = f"If-None-Match: {etag}\r\n" if validated else ""
    capture = Capture(
        url=url, date=at, validated_by=validated, body=body,
        request=f"GET /{url.rpartition('/')[2]} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Pressmark\r\n{asked}\r\n".encode(),
        head=(
            f"HTTP/1.1 {status} OK\r\nServer: nginx\r\nContent-Type: {kind}\r\nETag: {etag}\r\n"
            f"Date: {at:%a, %d %b %Y %H:%M:%S} GMT\r\n\r\n"
        ).encode(),
    )  # fmt: skip
    row = batch.add(capture)
    return Answer(
        at=at, status=status, headers={"etag": etag, "content-type": kind}, body=body, asked=url, url=url,
        lasting_url=url, row=row, validated=validated or row.record,
    )  # fmt: skip


def blogs(count: int, years: int, posts: float) -> list[Blog]:
    """Blogs that post evenly, each from a day of its own on."""
    chance = random.Random(11)
    every = YEAR / posts
    found = []
    for number in range(count):
        first = BEGAN + chance.random() * every
        found.append(Blog(number, tuple(first + n * every for n in range(round(years * posts)))))
    return found


def table(states: Sequence[State]) -> Iterator[str]:
    """The figures, a row a year, in Markdown."""
    yield "| year | posts | feed visits | page visits | objects | store MB | database MB | memory MB |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for one in states:
        done = one.tally
        yield (
            f"| {one.year} | {done.posts:,} | {done.feed_visits:,} | {done.page_visits:,} | {one.objects:,} | "
            f"{one.store / MB:.1f} | {one.database / MB:.1f} | {one.memory / MB:.0f} |"
        )
    yield ""
    yield f"| rows after year | {' | '.join(TABLES)} |"
    yield "| --- |" + " --- |" * len(TABLES)
    for one in states:
        yield f"| {one.year} | {' | '.join(f'{one.rows[name]:,}' for name in TABLES)} |"


def chart(states: Sequence[State]) -> str:
    """Bytes of store and database over the years, as an SVG of lines."""
    width, height, left, bottom = 640, 320, 60, 40
    highest = max(max(one.store, one.database) for one in states) / MB
    years = len(states)

    def at(year: float, megabytes: float) -> str:
        x = left + year / years * (width - left - 90)
        return f"{x:.1f},{height - bottom - megabytes / highest * (height - bottom - 20):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<path d="M{at(0, highest)} L{at(0, 0)} L{at(years, 0)}" fill="none" stroke="#888"/>',
        f'<text x="4" y="24">{highest:.0f} MB</text>',
        f'<text x="40" y="{height - bottom + 4}">0</text>',
    ]
    for one in states:
        x = at(one.year, 0).split(",")[0]
        parts.append(f'<text x="{x}" y="{height - bottom + 18}" text-anchor="middle">year {one.year}</text>')
    lines = {
        "store": ("#1f6feb", [0.0, *(one.store / MB for one in states)]),
        "database": ("#b35900", [0.0, *(one.database / MB for one in states)]),
    }
    for name, (colour, values) in lines.items():
        points = " ".join(at(year, value) for year, value in enumerate(values))
        x, y = at(years, values[-1]).split(",")
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{float(x) + 6:.1f}" y="{float(y) + 4:.1f}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def faults(states: Sequence[State]) -> Iterator[str]:
    """What grows faster than it should."""
    second, last = states[1], states[-1]
    for name in ("store", "database"):
        first = getattr(second, name) - getattr(states[0], name)
        now = getattr(last, name) - getattr(states[-2], name)
        if now > ALLOWED_GROWTH * first:
            yield f"{name} grew by {now / MB:.1f} MB in the last year, by {first / MB:.1f} MB in the second"
    if last.objects > ALLOWED_OBJECTS:
        yield f"{last.objects} objects are left"
    if last.memory - states[0].memory > ALLOWED_MEGABYTES * MB:
        yield f"memory grew from {states[0].memory / MB:.0f} to {last.memory / MB:.0f} MB"
    if last.rows["pages"] != last.tally.posts or last.rows["texts"] != last.tally.posts:
        yield f"{last.tally.posts} posts have {last.rows['pages']} pages and {last.rows['texts']} texts"


def main() -> None:
    """Run, print, draw; exit 1 if something grows faster than what is archived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=1_000)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--days", type=float, default=5, help="between two rounds of visits")
    parser.add_argument("--posts", type=float, default=2, help="of each feed in a year")
    parser.add_argument("--chart", type=Path, help="write an SVG there")
    given = parser.parse_args()
    memory = Path("/dev/shm")  # syncing thousands of files to a disk would take most of the time
    began = time.monotonic()
    states: list[State] = []
    with tempfile.TemporaryDirectory(prefix="pressmark-years-", dir=memory if memory.is_dir() else None) as name:
        simulation = Simulation(Path(name), blogs(given.feeds, given.years, given.posts))
        step, now = timedelta(days=given.days), BEGAN
        for year in range(1, given.years + 1):
            while now < BEGAN + year * YEAR:
                simulation.round(now)
                now += step
            states.append(simulation.state(year))
            print(f"year {year} after {time.monotonic() - began:.0f} s: {states[-1]}", flush=True)
    print("\n".join(table(states)))
    if given.chart:
        given.chart.write_text(chart(states))
    found = list(faults(states))
    for one in found:
        print(one)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()

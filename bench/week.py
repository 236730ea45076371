"""A week of polling 1,000 feeds without news: requests and bytes, with Pressmark's rules and with others'.

The rules are the real ones (`crawler.decide.feed`, `crawler.feeds.parse`); servers and clock are a model, which
`--assumptions` prints. Then the daemon is restarted ten times within an hour, with a real frontier.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeVar

from crawler.decide.answers import NOT_MODIFIED
from crawler.decide.feed import Reading, after_feed, validators
from crawler.model.answer import Answer as FeedAnswer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sample.server import Answer, Site

from archive.archive import Archive
from archive.settings import ArchiveSettings
from crawler.decide.freshness import Pace
from crawler.downloader.robots import FRESH as ROBOTS_FRESH
from crawler.feeds import parse
from crawler.feeds.model import ParsedFeed
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Due, Feed, FeedVisit

T = TypeVar("T")
Kind = Literal["304", "deaf", "stamped", "bare"]

START = datetime(2026, 11, 2, tzinfo=UTC)
WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
TICK = timedelta(minutes=5)
PACE = Pace(least=HOUR)
KINDS: Mapping[Kind, float] = {"304": 0.60, "deaf": 0.20, "stamped": 0.05, "bare": 0.15}
NEWS = {timedelta(hours=2): 0.1, timedelta(days=1): 0.2, timedelta(days=7): 0.4, timedelta(days=30): 0.3}
MAX_AGE = {None: 0.70, 300: 0.10, 3_600: 0.15, 86_400: 0.05}
HOURLY = "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>1</sy:updateFrequency>"
TTL_HOUR, TTL_DAY = "<ttl>60</ttl>", "<ttl>1440</ttl>"
HINTS = {"": 0.50, HOURLY: 0.35, TTL_HOUR: 0.10, TTL_DAY: 0.05}
GZIP = 0.85
BODY = (20_000, 100_000)
ENTRIES = (10, 20)
ROBOTS = (
    b"User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n\nSitemap: https://blog.example/s.xml\n"
)
PAGE, PAGE_GZIP = 55_000, 13_000
KEPT = ("title", "site", "rhythm", "whole", "shown", "media", "news")
ROW = "{:<44}{:>10}{:>9}{:>9}{:>9}{:>10}{:>11}{:>10}"

ASSUMPTIONS = f"""\
All: one feed a host, no news in any of them, no errors, no redirects, no lost connections. Bytes are those of
responses: bodies as sent, and heads as one exchange of each kind with a server on loopback had them.

Servers: {KINDS["304"]:.0%} answer conditional requests with 304; {KINDS["deaf"]:.0%} send validators and never 304;
{KINDS["stamped"]:.0%} send a new ETag and lastBuildDate with each answer; {KINDS["bare"]:.0%} send no validators.
{GZIP:.0%} compress. Cache-Control max-age: {", ".join(f"{k or 'none'} {v:.0%}" for k, v in MAX_AGE.items())}.
Feeds: RSS 2.0, {BODY[0]:,} to {BODY[1]:,} bytes, {ENTRIES[0]} to {ENTRIES[1]} entries that came every
{", ".join(f"{k // HOUR} h {v:.0%}" for k, v in NEWS.items())}; half have none of ttl and sy:updatePeriod, else
sy:updatePeriod hourly {HINTS[HOURLY]:.0%}, ttl 60 {HINTS[TTL_HOUR]:.0%}, ttl 1440 {HINTS[TTL_DAY]:.0%}.
Each of these is drawn by itself. robots.txt has {len(ROBOTS)} bytes, no validators.

pressmark: default settings; due feeds are visited at the daemon's next look, every {TICK.seconds // 60} minutes. The
first week begins with the first visit; a later week is the mean of those after it, in which each document comes whole
once in 30 days. "Undated" has the same feeds with entries that bear no dates, so that no rhythm is known. robots.txt is
asked for once in 24 hours at most.

naive: GET of every feed every hour, no conditions, no gzip, no robots.txt.

news-please 1.6.16, RssCrawler as a daemon once an hour for each site ("additional_rss_daemon": 3600 in
config/sitelist.hjson). Each run is a process without memory of the one before: __main__.py DaemonList and
start_crawler, single_crawler.py remove_jobdir_if_not_resume (removes JOBDIR where daemonized). Scrapy's settings are
those of [Scrapy] in config/config.cfg: ROBOTSTXT_OBEY=True; no HTTPCACHE_ENABLED, and no code sends If-None-Match or
If-Modified-Since, so that every GET is unconditional; Scrapy's own COMPRESSION_ENABLED stays, so gzip is taken. A run
asks for: the front page twice with urllib, without gzip (RssCrawler.supports_site: UrlExtractor.follow_redirects, whose
body is not read and not counted here, and request_url().read()); robots.txt, the front page (RssCrawler.parse), the
feed (rss_parse), then the page of every <item> whether known or not (rss_parse yields a Request for each; nothing is
compared before the download; check_crawler_has_urls_to_scan=False saves two more). A page has {PAGE:,} bytes,
{PAGE_GZIP:,} after gzip. That it asks again for
http: addresses that redirect to https: is left out, in its favour; so is that it finds no feed in Atom or RSS 1.0.
It runs 10 daemons at a time (number_of_parallel_daemons), and is taken to keep up."""


# -- the model


@dataclass(frozen=True)
class Server:
    """A host and its feed."""

    kind: Kind
    gzip: bool
    headers: Mapping[str, str]
    """Caching headers of the feed, without validators."""
    length: int
    packed: int
    """Size after gzip."""
    parsed: ParsedFeed

    @property
    def sent(self) -> int:
        """Bytes of the feed for a client that accepts gzip."""
        return self.packed if self.gzip else self.length


@dataclass(frozen=True)
class Heads:
    """Bytes of response heads."""

    whole: int
    not_modified: int
    robots: int


@dataclass
class Tally:
    """Requests and bytes."""

    requests: int = 0
    feeds: int = 0
    not_modified: int = 0
    robots: int = 0
    bytes: int = 0
    visits: Counter[str] = field(default_factory=Counter)
    """By kind of server."""
    sizes: Counter[str] = field(default_factory=Counter)
    """Bytes, by kind of server."""

    def add(self, other: Tally, share: float = 1.0) -> None:
        """Add another tally, or a share of it."""
        for name in ("requests", "feeds", "not_modified", "robots", "bytes"):
            setattr(self, name, getattr(self, name) + round(getattr(other, name) * share))
        self.visits.update({kind: round(count * share) for kind, count in other.visits.items()})
        self.sizes.update({kind: round(count * share) for kind, count in other.sizes.items()})


def pick(chance: random.Random, shares: Mapping[T, float]) -> T:
    return chance.choices(list(shares), list(shares.values()))[0]


def document(chance: random.Random, words: list[str], *, gap: timedelta, hint: str, dated: bool) -> bytes:
    """A feed of a realistic length."""
    count = chance.randint(*ENTRIES)
    length = chance.randint(*BODY) // count
    date = START - gap * chance.random()
    items = []
    for number in range(count):
        text = ""
        while len(text) < length - 300:
            text += f"<p>{' '.join(chance.choices(words, k=60))}.</p>\n"
        told = f"<pubDate>{format_datetime(date)}</pubDate>" if dated else ""
        url = f"https://blog.example/{chance.randbytes(6).hex()}-{number}"
        title = " ".join(chance.choices(words, k=6))
        start = f"<item><title>{title}</title><link>{url}</link><guid>{url}</guid>{told}"
        items.append(f"{start}<description><![CDATA[{text[: length - 300]}]]></description></item>")
        date -= gap * chance.uniform(0.5, 1.5)
    head = f"<channel><title>A blog</title><link>https://blog.example/</link>{hint}"
    syndication = "xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'"
    return f"<rss version='2.0' {syndication}>{head}{''.join(items)}</channel></rss>".encode()


def population(count: int, seed: int, *, dated: bool) -> Iterator[Server]:
    """Servers; with the same seed, they differ only in whether feeds are dated."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(1_500)]
    for number in range(count):
        own = random.Random(f"{seed} {number}")
        kind, packs, age, hint = pick(own, KINDS), own.random() < GZIP, pick(own, MAX_AGE), pick(own, HINTS)
        body = document(own, words, gap=pick(own, NEWS), hint=hint, dated=dated)
        headers = {"content-type": "application/rss+xml", **({"cache-control": f"max-age={age}"} if age else {})}
        parsed = parse(body, url="https://blog.example/feed", content_type=headers["content-type"])
        yield Server(kind, packs, headers, len(body), len(gzip.compress(body, 6)), parsed)


# -- clients


def weeks(server: Server, heads: Heads, count: int, chance: random.Random) -> list[Tally]:
    """Pressmark's requests to a server in each of `count` weeks."""
    feed = Feed(
        **dict.fromkeys(Feed.__slots__, None)
        | {"id": 1, "url": "https://blog.example/feed", "paused": False, "added": START, "due": START}
        | {"failures": 0, "moved_times": 0, "kept": 0}
    )
    tallies = [Tally() for _ in range(count)]
    robots_read = START - ROBOTS_FRESH * 2
    at = START + TICK * chance.random()
    while at < START + WEEK * count:
        tally = tallies[(at - START) // WEEK]
        if at - robots_read > ROBOTS_FRESH:
            robots_read = at
            tally.robots += 1
            tally.requests += 1
            tally.bytes += heads.robots + len(ROBOTS)
        visit = visited(feed, server, at, chance, known=feed.visited is not None)
        tally.requests += 1
        tally.feeds += 1
        tally.not_modified += visit.status == NOT_MODIFIED
        size = heads.not_modified if visit.status == NOT_MODIFIED else heads.whole + server.sent
        tally.bytes += size
        tally.visits[server.kind] += 1
        tally.sizes[server.kind] += size
        feed = applied(feed, visit)
        at = START + -((START - feed.due) // TICK) * TICK  # the daemon's next check
    return tallies


def visited(feed: Feed, server: Server, at: datetime, chance: random.Random, *, known: bool) -> FeedVisit:
    """One visit, as made by the spider."""
    told = dict(server.headers)
    if server.kind != "bare":
        told["etag"] = f'"{at.timestamp()}"' if server.kind == "stamped" else '"as-ever"'
    conditional = any(validators(feed))
    if server.kind == "304" and conditional:
        unchanged = FeedAnswer(at=at, status=304, headers=told)
        return after_feed(feed, unchanged, pace=PACE, chance=chance.random())
    same = known and server.kind != "stamped"  # its captures repeat the previous one
    reading = Reading(parsed=None if same else server.parsed, shared=[known] * len(server.parsed.entries), same=same)
    return after_feed(feed, FeedAnswer(at=at, status=200, headers=told), reading, pace=PACE, chance=chance.random())


def applied(feed: Feed, visit: FeedVisit) -> Feed:
    """The feed after a visit, as stored by the frontier."""
    kept = {name: value for name in KEPT if (value := getattr(visit, name)) is not None}
    return replace(
        feed,
        visited=visit.at,
        due=visit.due,
        status=visit.status,
        error=visit.error,
        failures=visit.failures,
        etag=visit.etag,
        last_modified=visit.last_modified,
        **kept,
    )


def naive(server: Server, heads: Heads) -> Tally:
    """A plain GET every hour."""
    hours = WEEK // HOUR
    return Tally(requests=hours, feeds=hours, bytes=hours * (heads.whole + server.length))


def news_please(server: Server, heads: Heads, *, whole: bool) -> Tally:
    """A run every hour: the feed, and everything else that it requests; see ASSUMPTIONS."""
    hours = WEEK // HOUR
    requests, size = 1, heads.whole + server.sent
    if whole:
        page = PAGE_GZIP if server.gzip else PAGE
        pages = len(server.parsed.entries) + 1  # the front page
        requests += 2 + 1 + pages
        size += heads.whole + heads.whole + PAGE + heads.robots + len(ROBOTS) + pages * (heads.whole + page)
    return Tally(requests=hours * requests, feeds=hours, robots=hours * whole, bytes=hours * size)


# -- heads of real exchanges


def measured() -> Heads:
    """Sizes of heads for a feed, an unchanged feed (304) and a robots.txt, from two crawls on loopback."""
    headers = {
        "Cache-Control": "max-age=3600",
        "Last-Modified": "Sun, 01 Nov 2026 08:00:00 GMT",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    feed = b"<rss version='2.0'><channel><title>A</title><link>/</link></channel></rss>"
    with Site() as site, tempfile.TemporaryDirectory(prefix="pressmark-week-") as home:
        site.pages["/feed"] = Answer(feed, "application/rss+xml; charset=utf-8", headers=headers)
        site.pages["/robots.txt"] = Answer(ROBOTS, "text/plain", headers=headers, validators=False)
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PRESSMARK_")},
            "PRESSMARK_HOME": home,
            "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
            "SCRAPY_SETTINGS_MODULE": "crawler.settings",
        }
        argv = [sys.executable, "-m", "scrapy", "crawl", "blog", "-a", f"url={site.url}/feed", "-s", "LOG_LEVEL=ERROR"]
        for _ in range(2):
            subprocess.run(argv, env=environment, check=True, stdout=subprocess.DEVNULL)
            time.sleep(0.1)
        archive = Archive.open(ArchiveSettings(home=Path(home), store="", database=""))

        def head(path: str, at: datetime | None = None) -> int:
            return len(archive.read(archive.find(site.url + path, at)).head)

        return Heads(head("/feed", START - WEEK * 500), head("/feed"), head("/robots.txt"))


# -- restarts


def restarts(count: int, feeds: int, every: timedelta) -> list[tuple[timedelta, int]]:
    """Requests at each of `count` starts of a daemon with a real frontier; clock and server are modelled."""
    asked = []
    plain = (one for one in population(100, 1, dated=False) if one.kind == "304" and len(one.headers) == 1)
    server = next(one for one in plain if one.parsed.feed.every is None)  # it does not ask for more than an hour
    with tempfile.TemporaryDirectory(prefix="pressmark-week-") as name:
        database = f"sqlite:///{name}/pressmark.db"
        frontier = Frontier.open(database)
        for number in range(feeds):
            frontier.subscribe(f"https://blog-{number}.example/feed", seed=None, now=START)
        frontier.engine.dispose()
        for start in range(count):
            now = START + every * start
            frontier = Frontier.open(database)
            claims = Claims(frontier.engine, "daemon")
            claims.release()
            due = Due(now=now, holder=claims.holder)
            requests, (found, place, _) = 0, frontier.claim_feeds(due)
            while place is not None:
                requests += len(found)
                visits = [visited(f, server, now, random.Random(f.id), known=f.visited is not None) for f in found]
                frontier.commit(visits, [])
                found, place, _ = frontier.claim_feeds(due, place)
            asked.append((now - START, requests))
            frontier.engine.dispose()
    return asked


def main() -> None:
    """Simulate, print; exit 1 if a restart requested anything before its interval was over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--feeds", type=int, default=1_000)
    parser.add_argument("--weeks", type=int, default=9, help="in all; the mean of all but the first is a later week")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--restarts", type=int, default=10, help="within an hour")
    parser.add_argument("--assumptions", action="store_true", help="print what the model assumes, and end")
    given = parser.parse_args()
    if given.assumptions:
        print(ASSUMPTIONS)
        return
    heads = measured()
    print(
        f"heads on loopback: {heads.whole} bytes with a document, {heads.not_modified} with 304, {heads.robots} robots"
    )
    print(ROW.format("1,000 feeds, one week" if given.feeds == 1_000 else "one week", *COLUMNS))
    rows: dict[str, Tally] = {}
    kinds: Counter[Kind] = Counter()
    for dated in (True, False):
        for number, server in enumerate(population(given.feeds, given.seed, dated=dated)):
            asked = weeks(server, heads, given.weeks, random.Random(number))
            name = "pressmark" if dated else "pressmark, undated"
            rows.setdefault(f"{name}, first week", Tally()).add(asked[0])
            later = rows.setdefault(f"{name}, a later week", Tally())
            for one in asked[1:]:
                later.add(one)
            if dated:
                kinds[server.kind] += 1
                rows.setdefault("naive", Tally()).add(naive(server, heads))
                rows.setdefault("news-please, feeds alone", Tally()).add(news_please(server, heads, whole=False))
                rows.setdefault("news-please, all it asks for", Tally()).add(news_please(server, heads, whole=True))
    for name, tally in rows.items():
        if name.endswith("a later week"):
            shares = Tally()
            shares.add(tally, 1 / (given.weeks - 1))
            rows[name] = shares
    for name in sorted(rows, key=lambda name: rows[name].bytes):
        print(line(name, rows[name], rows["naive"].bytes))
    for name in ("pressmark, a later week", "pressmark, undated, a later week"):
        tally = rows[name]
        told = (
            f"{kind} {tally.visits[kind] / count / 7:.1f} visits, {tally.sizes[kind] / count / 7_000:.1f} kB"
            for kind, count in kinds.items()
        )
        print(f"{name}, a feed a day: {'; '.join(told)}")
    again = restarts(given.restarts + 2, given.feeds, HOUR / given.restarts)
    print(
        "starts of the daemon: " + ", ".join(f"{at.seconds // 60} min {asked:,}" for at, asked in again) + " requests"
    )
    early = sum(asked for (at, asked), _ in pairwise(again) if timedelta(0) < at < HOUR)
    print(f"asked again by restarts within the interval: {early}")
    sys.exit(bool(early))


COLUMNS = ("requests", "feeds", "304", "robots", "304 %", "MB", "naive /")


def line(name: str, tally: Tally, naive_bytes: int) -> str:
    counts = (f"{count:,}" for count in (tally.requests, tally.feeds, tally.not_modified, tally.robots))
    share = f"{100 * tally.not_modified / tally.feeds:.1f}"
    return ROW.format(name, *counts, share, f"{tally.bytes / 1e6:,.1f}", f"{naive_bytes / tally.bytes:.1f}")


if __name__ == "__main__":
    main()

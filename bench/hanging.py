"""180 feeds crawled alone, and beside 20 hanging hosts that accept connections and never respond: the delay.

Every feed has its own loopback address, 127.0.0.2 and up (Linux), and is due when the crawl begins. The time is
measured from the crawl's start to the last response of a good host.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crawler.frontier.frontier import Frontier

ALLOWED = 1.2
ROW = "{:<14}{:>5}{:>9}{:>9}{:>12}{:>13}{:>14}{:>7}{:>7}"
WORDS = ["bees", "hives", "towns", "roofs", "honey", "winter", "summer", "keepers", "flowers", "wax", "queens", "smoke"]


@dataclass
class World:
    """Hosts on one port, and the requests they received."""

    posts: int
    hanging: frozenset[str] = frozenset()
    port: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """Number of requests to each host."""
    last_good: float = 0.0
    """When the last response of a good host was sent."""
    unanswered: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        host = writer.get_extra_info("sockname")[0]
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                self.asked[host] += 1
                if host in self.hanging:
                    self.unanswered += 1
                    await reader.read()  # until the client disconnects
                    break
                writer.write(self.answer(host, request.split(b" ", 2)[1].decode()))
                await writer.drain()
                self.last_good = time.monotonic()
        writer.close()

    def answer(self, host: str, path: str) -> bytes:
        """The response for a path: a feed, its posts, 404 for robots.txt."""
        root = f"http://{host}:{self.port}"
        status, kind, body = "404 Not Found", "text/html", "<h1>Not found</h1>"
        if path == "/feed.xml":
            links = (f"{root}/post-{n}" for n in range(self.posts))
            items = "".join(f"<item><title>{u}</title><link>{u}</link><guid>{u}</guid></item>" for u in links)
            kind = "application/rss+xml"
            body = f"<rss version='2.0'><channel><title>{host}</title><link>{root}/</link>{items}</channel></rss>"
            status = "200 OK"
        elif path.startswith("/post-"):
            chance = random.Random(host + path)
            text = "".join(f"<p>{' '.join(chance.choices(WORDS, k=60))}.</p>" for _ in range(8))
            status, body = "200 OK", f"<html><title>{path}</title><body><article>{text}</article></body></html>"
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        return (head + body).encode()

    def start(self) -> None:
        """Serve in a thread until this process ends."""
        ready = threading.Event()

        async def run() -> None:
            server = await asyncio.start_server(self.serve, "0.0.0.0", self.port, backlog=1_000)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await server.serve_forever()

        threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
        ready.wait()


@dataclass(frozen=True)
class Ran:
    """Results of one crawl."""

    answers: int
    whole: int
    """Good hosts from which everything was fetched."""
    unanswered: int
    seconds: float
    """Time until the last good response."""
    crawl_seconds: float
    cpu_seconds: float
    """If it is not far below `seconds` times cores, the measurement shows the machine's limits."""
    exit: int


def crawl(world: World, good: list[str], order: str, settings: dict[str, str]) -> Ran:
    """Subscribe to all feeds, then crawl what is due, like the daemon."""
    hanging = sorted(world.hanging)
    hosts = [*hanging, *good]
    if order == "mixed":
        random.Random(1).shuffle(hosts)
    with tempfile.TemporaryDirectory(prefix="pressmark-hanging-") as name:
        frontier = Frontier.open(f"sqlite:///{name}/pressmark.db")
        first = datetime.now(UTC) - timedelta(hours=1)
        for number, host in enumerate(hosts):
            url = f"http://{host}:{world.port}/feed.xml"
            frontier.subscribe(url, seed=None, now=first + timedelta(seconds=number))
        frontier.engine.dispose()
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PRESSMARK_")},
            "PRESSMARK_HOME": name,
            "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
            **settings,
            "SCRAPY_SETTINGS_MODULE": "crawler.settings",
        }
        argv = [sys.executable, "-m", "scrapy", "crawl", "blog", "-a", "only=feeds", "-s", "LOG_LEVEL=ERROR"]
        used, began = _used(), time.monotonic()
        done = subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, check=False)
        ended = time.monotonic()
    wanted = world.posts + 2  # robots.txt, the feed
    return Ran(
        answers=sum(world.asked[host] for host in good),
        whole=sum(world.asked[host] == wanted for host in good),
        unanswered=world.unanswered,
        seconds=world.last_good - began,
        crawl_seconds=ended - began,
        cpu_seconds=_used() - used,
        exit=done.returncode,
    )


def _used() -> float:
    """CPU seconds of all child processes that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def main() -> None:
    """Crawl both ways, print; exit 1 if the good feeds came too late or incomplete."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--good", type=int, default=180)
    parser.add_argument("--hanging", type=int, default=20)
    parser.add_argument("--posts", type=int, default=5, help="of each feed")
    parser.add_argument("--timeout", type=float, default=20, help="PRESSMARK_TIMEOUT")
    parser.add_argument("--rounds", type=int, default=1, help="of both crawls, whose median counts")
    parser.add_argument("--concurrency", type=int, help="PRESSMARK_CONCURRENCY")
    parser.add_argument("--order", choices=("first", "mixed"), default="first", help="when the hanging ones are due")
    given = parser.parse_args()
    addresses = [f"127.0.{number // 250}.{number % 250 + 2}" for number in range(given.good + given.hanging)]
    hanging, good = addresses[: given.hanging], addresses[given.hanging :]
    settings = {"PRESSMARK_TIMEOUT": str(given.timeout)}
    if given.concurrency:
        settings["PRESSMARK_CONCURRENCY"] = str(given.concurrency)
    print(ROW.format("", "good", "hanging", "answers", "unanswered", "last good s", "crawl ends s", "CPU s", "ratio"))
    seconds: dict[str, list[float]] = {"alone": [], "with hanging": []}
    missed = False
    for title, silent in (("alone", []), ("with hanging", hanging)) * given.rounds:  # alternating, as machines are busy
        world = World(given.posts, frozenset(silent))
        world.start()
        ran = crawl(world, good, given.order, settings)
        seconds[title].append(ran.seconds)
        missed |= ran.whole < len(good) or ran.exit != 0
        counts = (len(good), len(silent), f"{ran.answers:,}", ran.unanswered)
        times = (f"{ran.seconds:.1f}", f"{ran.crawl_seconds:.1f}", f"{ran.cpu_seconds:.1f}")
        print(ROW.format(title, *counts, *times, f"{ran.seconds / seconds['alone'][-1]:.2f}"), flush=True)
        if ran.whole < len(good) or ran.exit:
            print(f"  {len(good) - ran.whole} hosts not whole, exit code {ran.exit}")
    ratio = statistics.median(seconds["with hanging"]) / statistics.median(seconds["alone"])
    print(f"ratio of medians {ratio:.2f}, goal {ALLOWED} at most")
    sys.exit(missed or ratio > ALLOWED)


if __name__ == "__main__":
    main()

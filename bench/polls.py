"""What a crawl costs that finds nothing new: a poll of unchanged feeds beside Scrapy's, and a crawl with nothing due.

    python bench/polls.py [--feeds 1000] [--rounds 3]

Figures are medians of rounds in turn. Feeds a second are those between the first response of a poll and its last.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import blog_world
import servers
from blog_world import World
from contender import PROJECT, Task, contenders, script
from measured import Used, measured
from sample.services import free_port

POLL_GOAL = 400
"""Feeds a second."""
IDLE_GOAL = 1.5
"""CPU time of a crawl with nothing due, in times of `scrapy version` in this project."""
ROW = "{:44} {:>10} {:>10} {:>10}"


def checked(name: str, used: Used) -> Used:
    """What a command used, if it did what it should."""
    if used.code:
        raise SystemExit(f"{name} failed: {used.errors[-2_000:]}")
    return used


class Polls:
    """Commands on one world of feeds that do not change."""

    def __init__(self, world: World, server: servers.Nginx, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._home = folder / "home"
        self._home.mkdir()
        self._feeds = folder / "feeds.txt"
        self._feeds.write_text("\n".join(world.feeds))
        self._count = len(world.feeds)
        one = contenders(["pressmark_folder"])["pressmark_folder"]
        task = Task(world=world, folder=self._home)
        self._environment = dict(one.environment(task))
        self._run("the first crawl", one.argv(task))

    def _run(self, name: str, argv: list[str]) -> Used:
        return checked(name, measured(argv, self._environment, PROJECT))

    def poll(self) -> tuple[float, float]:
        """Feeds a second, and CPU milliseconds a feed, of a poll of all."""
        self._server.requests()
        crawl = [sys.executable, "-m", "scrapy", "crawl", "blog", "-a", "force=1", "-s", "LOG_LEVEL=WARNING"]
        return self._speed(self._run("the poll", crawl))

    def scrapy(self) -> tuple[float, float]:
        """The same of Scrapy, which asks each feed twice, as it has no memory: half of it counts."""
        self._server.requests()
        speed, cost = self._speed(self._run("Scrapy's poll", [*script("scrapy_poll"), str(self._feeds)]))
        return speed, cost / 2

    def _speed(self, used: Used) -> tuple[float, float]:
        asked = self._server.requests()
        return asked.count / (asked.last - asked.first), 1000 * used.cpu_seconds / self._count

    def command(self, *argv: str) -> float:
        """CPU seconds of Scrapy's command in this project."""
        return self._run(" ".join(argv), [sys.executable, "-m", "scrapy", *argv]).cpu_seconds


def main() -> None:
    """Measure, print; exit 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    found: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="pressmark-polls-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        folder.chmod(0o755)  # nginx reads as another user
        world = blog_world.make(folder / "world", blogs=given.feeds, posts=given.feeds, port=free_port())
        try:
            server = stack.enter_context(servers.web(folder / "web", world))
        except servers.MissingError as e:
            raise SystemExit(str(e)) from None
        polls = Polls(world, server, folder)
        for _ in range(given.rounds):
            for name, poll in (("Pressmark", polls.poll), ("Scrapy", polls.scrapy)):
                speed, cost = poll()
                found[f"{name}: unchanged feeds a second"].append(speed)
                found[f"{name}: CPU ms a feed"].append(cost)
            found["scrapy version: CPU s"].append(polls.command("version"))
            found["a crawl with nothing due: CPU s"].append(polls.command("crawl", "blog", "-s", "LOG_LEVEL=WARNING"))
    print(ROW.format(f"{given.feeds} feeds, {given.rounds} rounds", "median", "least", "most"))
    for name, figures in found.items():
        print(ROW.format(name, *(f"{value:.2f}" for value in (median(figures), min(figures), max(figures)))))
    middle = {name: median(figures) for name, figures in found.items()}
    times = middle["a crawl with nothing due: CPU s"] / middle["scrapy version: CPU s"]
    print(f"a crawl with nothing due is {times:.2f} times scrapy version")
    sys.exit(middle["Pressmark: unchanged feeds a second"] < POLL_GOAL or times > IDLE_GOAL)


if __name__ == "__main__":
    main()

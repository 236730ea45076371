"""This project beside other ways of keeping the same blogs: speed, processor, memory, bytes and requests, as a table and a chart.

    python bench/contest.py [--posts 400] [--rounds 3] [--only NAME …] [--world DIR] [--chart FILE]

Contenders run in turn, round after round; figures are medians. Nobody is polite: the servers are on loopback.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import blog_world
import servers
from bars import chart
from blog_world import World
from contender import PROJECT, Contender, Task, contenders, stored_bytes
from measured import measured
from sample.services import S3, free_port

_CLOSING = re.compile(r"^(\d+\.\d+) scrapy\.core\.engine Closing spider", re.MULTILINE)
NAIVE = "naive"
"""The contender that the others are compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run of a contender."""

    posts: int
    seconds: float
    cpu_seconds: float
    own_cpu_seconds: float
    peak_megabytes: float
    stored: int
    requests: int
    store_requests: int
    start: float
    """Seconds until the first response was complete."""
    end: float | None
    """Seconds from the spider's close to the end of the process, if it said so."""


class FailedError(Exception):
    """A contender failed or kept nothing; with the end of what it said about that."""


class Contest:
    """Runs contenders on one world."""

    def __init__(
        self, world: World, server: servers.Nginx, store: tuple[S3, servers.Nginx] | None, folder: Path
    ) -> None:
        self._world = world
        self._server = server
        self._store = store
        self._folder = folder

    def run(self, one: Contender) -> Result:
        """One run into an empty folder, which is removed.

        Raises:
            FailedError: It failed, or kept nothing.
        """
        folder = Path(tempfile.mkdtemp(dir=self._folder, prefix="kept-"))
        s3, before = self._store if one.on_s3 and self._store else (None, None)
        task = Task(world=self._world, folder=folder, s3=s3)
        self._server.requests()
        if before is not None:
            before.requests()
        try:
            used = measured(one.argv(task), {**one.environment(task)}, self._folder)
            if used.code:
                raise FailedError(used.errors[-2_000:])
            if not (posts := one.posts(task, used.out)):
                raise FailedError("it kept nothing")
            asked = self._server.requests()
            closing = _CLOSING.search(used.errors)
            return Result(
                posts=posts,
                seconds=used.seconds,
                cpu_seconds=used.cpu_seconds,
                own_cpu_seconds=used.own_cpu_seconds,
                peak_megabytes=used.peak_megabytes,
                stored=stored_bytes(folder) + (_in_bucket(s3, folder.name) if s3 else 0),
                requests=asked.count,
                store_requests=before.requests().count if before else 0,
                start=asked.first - used.began,
                end=used.ended - float(closing[1]) if closing else None,
            )
        finally:
            shutil.rmtree(folder)


def _in_bucket(s3: S3, prefix: str) -> int:
    pages = s3.client().get_paginator("list_objects_v2").paginate(Bucket=s3.bucket, Prefix=f"{prefix}/")
    return sum(found["Size"] for page in pages for found in page.get("Contents", ()))


COLUMNS = (
    "posts", "posts/s", "times", "CPU ms a post", "times", "without workers", "peak MB", "bytes a post", "requests", "to S3", "start s",
    "end s",
)  # fmt: skip


def rows(found: dict[str, list[Result]], all_of_them: dict[str, Contender]) -> Iterator[list[str]]:
    """The cells of each contender's row; what was left out is said in its place."""

    def of(name: str, value: str) -> float:
        results = found[name]
        figures = {
            "posts/s": [one.posts / one.seconds for one in results],
            "cpu": [1000 * one.cpu_seconds / one.posts for one in results],
            "own": [1000 * one.own_cpu_seconds / one.posts for one in results],
            "bytes": [one.stored / one.posts for one in results],
            "end": [one.end or 0.0 for one in results],
        }
        return median(figures[value] if value in figures else [getattr(one, value) for one in results])

    for name, one in all_of_them.items():
        if name not in found:
            yield [one.name, f"left out: {one.missing()}", *[""] * (len(COLUMNS) - 1)]
            continue
        compared = NAIVE in found
        yield [
            one.name,
            f"{of(name, 'posts'):.0f}",
            f"{of(name, 'posts/s'):.1f}",
            f"{of(name, 'posts/s') / of(NAIVE, 'posts/s'):.2f}" if compared else "",
            f"{of(name, 'cpu'):.1f}",
            f"{of(name, 'cpu') / of(NAIVE, 'cpu'):.2f}" if compared else "",
            f"{of(name, 'own'):.1f}",
            f"{of(name, 'peak_megabytes'):.0f}",
            f"{of(name, 'bytes'):,.0f}",
            f"{of(name, 'requests'):.0f}",
            f"{of(name, 'store_requests'):.0f}" if one.on_s3 else "",
            f"{of(name, 'start'):.1f}",
            f"{of(name, 'end'):.1f}" if of(name, "end") else "",
        ]


def table(found: dict[str, list[Result]], all_of_them: dict[str, Contender]) -> str:
    """The medians in Markdown."""
    lines = [f"| | {' | '.join(COLUMNS)} |", f"| --- |{' ---: |' * len(COLUMNS)}"]
    return "\n".join([*lines, *(f"| {' | '.join(cells)} |" for cells in rows(found, all_of_them)), ""])


def main() -> None:
    """Make the world, start the servers, run the contenders, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=400, help="of all blogs together")
    parser.add_argument("--blogs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="names of modules in bench/contenders")
    parser.add_argument("--world", type=Path, help="folder of a world made before or by others, in place of a new one")
    parser.add_argument("--feed", default="feed-all.xml", help="path of each blog's feed in a world")
    parser.add_argument("--chart", type=Path, default=PROJECT / "docs" / "contest.svg")
    given = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    asked = contenders(given.only)
    able = {name: one for name, one in asked.items() if one.missing() is None}
    with tempfile.TemporaryDirectory(prefix="pressmark-contest-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        folder.chmod(0o755)  # nginx reads as another user
        if given.world:
            world = World(folder=given.world.resolve(), feed=given.feed)
        else:
            world = blog_world.make(folder / "world", blogs=given.blogs, posts=given.posts, port=free_port())
        try:
            server = stack.enter_context(servers.web(folder / "web", world))
            on_s3 = any(one.on_s3 for one in able.values())
            store = stack.enter_context(servers.store(folder)) if on_s3 else None
        except servers.MissingError as e:
            raise SystemExit(str(e)) from None
        contest = Contest(world, server, store, folder)
        found: dict[str, list[Result]] = {name: [] for name in able}
        for number in range(given.rounds):
            for name, one in [(name, asked[name]) for name in found]:
                try:
                    result = contest.run(one)
                except FailedError as e:
                    print(f"{one.name} failed: {e}", file=sys.stderr, flush=True)
                    del found[name]
                    asked[name] = replace(one, missing=lambda: "it failed")
                    continue
                found[name].append(result)
                print(f"round {number + 1}: {one.name}: {result}", file=sys.stderr, flush=True)
    print(table(found, asked))
    given.chart.write_text(
        chart(
            {
                asked[name].name: (
                    median(one.posts / one.seconds for one in results),
                    median(1000 * one.cpu_seconds / one.posts for one in results),
                )
                for name, results in found.items()
            }
        )
    )


if __name__ == "__main__":
    main()

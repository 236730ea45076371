"""CPU time and memory of extracting text and metadata, compared with trafilatura's default on the same pages."""

from __future__ import annotations

import argparse
import gc
import gzip
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import trafilatura

from archive.errors import ExtractError
from archive.extract.method import DEFAULT, Method
from archive.extract.page_reading import read_page
from archive.extract.pipeline import extract
from archive.extract.text import Entry, Text
from archive.runtime.worker_pool import Limits, WorkerPool
from archive.settings import ArchiveSettings

URL = "https://blog.example/2024/05/06/a-post/"
REFERENCE = "trafilatura"
GOAL = 0.75
"""CPU time, as a share of trafilatura's."""
FLAT = 0.05
"""Relative growth of memory that still counts as flat."""
WARM = 30
"""Warm-up pages, not measured: rules are compiled, memory is allocated."""
WORDS = [
    "the",
    "harbour",
    "wall",
    "was",
    "cold",
    "and",
    "every",
    "boat",
    "had",
    "gone",
    "out",
    "before",
    "light",
    "with",
    "nets",
    "that",
    "nobody",
    "had",
    "mended",
    "since",
]


def made(number: int) -> bytes:
    """A generated page of a blog, always the same for the same number, between 5 kB and 300 kB."""
    chance = random.Random(number)

    def words(least: int, most: int) -> str:
        return " ".join(chance.choice(WORDS) for _ in range(chance.randint(least, most)))

    def links(count: int, kind: str) -> str:
        items = "".join(f"<li class='item-{n}'><a href='/{n}/'>{words(2, 6)}</a></li>" for n in range(count))
        return f"<div class='{kind}'><h3>{words(1, 3)}</h3><ul>{items}</ul></div>"

    blocks = "".join(
        f"<h2>{words(3, 8)}</h2>"
        if chance.random() < 0.1
        else f"<p>{words(20, 120)} <a href='/x'>{words(1, 4)}</a></p>"
        for _ in range(int(min(250, max(3, chance.lognormvariate(2.7, 0.9)))))
    )
    comments = "".join(
        f"<li class='comment'><cite>{words(1, 2)}</cite><p>{words(5, 60)}</p></li>"
        for _ in range(chance.randint(0, 40))
    )
    return (
        f"<html lang='en'><head><title>{words(3, 8)}</title><meta property='og:site_name' content='Harbour'>"
        f"<meta property='article:published_time' content='2024-05-06T07:08:09+00:00'><script>{'x=1;' * 2000}</script>"
        f"</head><body class='single'><nav>{links(20, 'menu')}</nav><main><article class='post'><h1>{words(3, 8)}</h1>"
        f"<div class='entry-content'>{blocks}<div class='sharedaddy'>{links(6, 'share')}</div></div></article>"
        f"<div id='comments'><h3>Comments</h3><ol>{comments}</ol></div></main>"
        f"<aside class='sidebar'>{links(40, 'widget')}{links(30, 'widget')}</aside>"
        f"<footer>{links(10, 'x')}</footer></body></html>"
    ).encode()


def pages(folder: Path | None, count: int) -> Iterator[bytes]:
    """Pages of a folder, or generated ones."""
    if folder is None:
        yield from map(made, range(count))
        return
    for path in sorted(path for kind in ("*.html", "*.html.gz") for path in folder.rglob(kind)):
        yield gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def ours(page: bytes, entry: Entry | None = None, method: Method = DEFAULT) -> Text | None:
    """Text and metadata as the crawl extracts them; None if the page has no text, which takes time too."""
    try:
        return extract(page, url=URL, entry=entry, method=method)
    except ExtractError:
        return None


def theirs(page: bytes, _: Entry | None) -> None:
    """Text and metadata by trafilatura's default."""
    trafilatura.bare_extraction(page, url=URL, with_metadata=True)


def entry_of(page: bytes) -> Entry | None:
    """The entry of a feed that has the whole post."""
    text = ours(page)
    if text is None:
        return None
    return Entry(title=text.title, html="".join(f"<p>{escape(line)}</p>" for line in text.text.split("\n")))


WAYS: dict[str, Callable[[bytes, Entry | None], object]] = {
    "pressmark": lambda page, _: ours(page, method=Method(extractor="pressmark")),
    "judged": lambda page, _: ours(page),
    "with an entry": ours,
    "read as a crawl does": lambda page, entry: read_page(page, url=URL, content_type="text/html", entry=entry),
    REFERENCE: theirs,
}
"""Our extractor alone; with the second witness; with the entry of a feed that has the post; with the verdict as well."""
HELD = ("judged", "with an entry")
"""Those that the goal is for."""


def measure(folder: Path | None, count: int) -> bool:
    """Run all on each page in turn; returns whether the goal is met."""
    took: dict[str, list[float]] = {name: [] for name in WAYS}
    gc.disable()
    for number, page in enumerate(pages(folder, count)):
        entry = entry_of(page)
        order = list(WAYS) if number % 2 else list(WAYS)[::-1]
        for name in order:
            began = time.process_time()
            WAYS[name](page, entry)
            if number >= WARM:
                took[name].append((time.process_time() - began) * 1000)
        gc.collect(0 if number % 50 else 2)
    print(f"{'':21}{'pages':>7}{'median ms':>11}{'ratio':>7}{'mean ms':>9}{'ratio':>7}{'p99 ms':>8}{'total s':>9}")
    reference = took[REFERENCE]
    ratios: dict[str, float] = {}
    for name, times in took.items():
        ordered = sorted(times)
        median = statistics.median(times) / statistics.median(reference)
        mean = sum(times) / sum(reference)
        ratios[name] = max(median, mean)
        print(
            f"{name:21}{len(times):>7}{statistics.median(times):>11.1f}{median:>7.2f}{statistics.mean(times):>9.1f}"
            f"{mean:>7.2f}{ordered[int(len(ordered) * 0.99)]:>8.0f}{sum(times) / 1000:>9.1f}"
        )
    print(f"goal: {' and '.join(HELD)} at most {GOAL}")
    return all(ratios[name] <= GOAL for name in HELD)


def worked(page: bytes) -> int:
    """In a worker process: extract one page; returns the resident memory in kB."""
    ours(page)
    with Path("/proc/self/statm").open() as stream:
        return int(stream.read().split()[1]) * resource.getpagesize() // 1024


def memory(count: int) -> bool:
    """Extract many pages in one worker that is not replaced; returns whether its memory stays flat."""
    from archive.runtime import worker_pool

    worker_pool._TASKS_PER_PROCESS = count + 1  # noqa: SLF001
    settings = ArchiveSettings()
    limits = Limits(seconds=settings.extract_seconds, megabytes=settings.extract_megabytes)
    workers = WorkerPool(workers=1, limits=limits, preload=["archive.extract.pipeline"])
    try:
        seen = []
        for number in range(1, count + 1):
            found = workers.submit(worked, page=made(number % 2_000)).result()
            if number % max(1, count // 20) == 0:
                seen.append(found)
                print(f"{number:>7} pages {found / 1024:>7.1f} MB", flush=True)
    finally:
        workers.close()
    early, late = max(seen[:2]), max(seen[-2:])
    print(f"growth from {count // 10:,} to {count:,} pages: {(late / early - 1) * 100:.1f} % (goal {FLAT * 100:.0f} %)")
    return late / early - 1 <= FLAT


def main() -> int:
    """Run the measurement in the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, help="folder of *.html and *.html.gz; without it pages are made")
    parser.add_argument("--count", type=int, default=600, help="pages that are made")
    parser.add_argument("--memory", type=int, metavar="N", help="N pages through one worker process instead")
    given = parser.parse_args()
    return 0 if (memory(given.memory) if given.memory else measure(given.pages, given.count)) else 1


if __name__ == "__main__":
    sys.exit(main())

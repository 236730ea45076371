"""Unchanged pages crawled ten times: how much larger is the store than after one crawl?"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from crawl import sample_urls
from sample.server import Answer

ALLOWED = 1.7


def weighted(page: bytes, seed: str) -> bytes:
    """A page of realistic size: about 55 kB, 13 kB after gzip."""
    chance = random.Random(seed)
    names = [chance.randbytes(8).hex() for _ in range(600)]
    items = "".join(f'<li class="widget-item"><a href="/archive/{name}/">Entry {name[::-1]}</a></li>' for name in names)
    return page.replace(b"</body>", f'<ul class="blog-archive-widget">{items}</ul></body>'.encode())


def crawl(home: Path, urls: list[str]) -> None:
    """Run one crawl to its end."""
    environment = {
        **os.environ,
        "PRESSMARK_HOME": str(home),
        "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
        "PRESSMARK_HOST_GAP": "0",
        "PRESSMARK_HOST_CONCURRENCY": "8",
        "SCRAPY_SETTINGS_MODULE": "crawler.settings",
    }
    argv = [sys.executable, "-m", "scrapy", "crawl", "blog", "-a", "url=" + " ".join(urls), "-s", "LOG_LEVEL=WARNING"]
    subprocess.run(argv, env=environment, check=True)


def come_due(home: Path) -> None:
    """Make every page due; half of them keep their validators and get a 304 (conditional GET), the others do not."""
    with sqlite3.connect(home / "pressmark.db") as database:
        database.execute("UPDATE pages SET due = 0")
        database.execute("UPDATE pages SET etag = NULL, last_modified = NULL WHERE id % 2")


def stored(home: Path) -> int:
    """Total bytes of all objects: captures, texts, index lines, state."""
    return sum(path.stat().st_size for path in (home / "store").rglob("*") if path.is_file())


def main() -> None:
    """Run, print; exit 1 if the store grew too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=100, help="of the ten sample posts")
    parser.add_argument("--crawls", type=int, default=10)
    parser.add_argument("--world", type=Path, help="folder of a served world of blogs, instead of the sample posts")
    parser.add_argument("--feed", default="feed-all.xml", help="path of each host's feed in a world")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-unchanged-") as name, ExitStack() as stack:
        home = Path(name)
        if given.world:
            urls = [f"{host}/{given.feed}" for host in (given.world / "hosts.txt").read_text().split()]
        else:
            sites, urls = sample_urls(stack, given.copies)
            for site in sites:
                for path in site.pages:
                    if path.startswith("/20"):
                        site.pages[path] = Answer(weighted(site.pages[path].body, path))
        sizes = []
        for number in range(given.crawls):
            if number:
                come_due(home)
            crawl(home, urls)
            sizes.append(stored(home))
            print(f"crawl {number + 1}: {sizes[-1]:,} bytes, {sizes[-1] / sizes[0]:.2f} times the first", flush=True)
        with sqlite3.connect(home / "pressmark.db") as database:
            kinds = database.execute("SELECT kind, status, count(*) FROM captures GROUP BY kind, status").fetchall()
    print(", ".join(f"{count} {kind} {status}" for kind, status, count in kinds))
    sys.exit(sizes[-1] > ALLOWED * sizes[0])


if __name__ == "__main__":
    main()

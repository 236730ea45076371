"""Speed and resources of a crawl: a first run that fetches everything, and a second one that fetches nothing new."""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sample.blogs import BLOGS
from sample.server import Site

COPIES = 40
PROJECT = Path(__file__).resolve().parents[1]


def sample_urls(stack: ExitStack, copies: int = COPIES) -> tuple[list[Site], list[str]]:
    """Blogs with copies of the sample posts, each with its own title and URL."""
    sites = []
    for blog in BLOGS:
        posts = tuple(
            replace(
                post, slug=f"{post.slug}-{n}", title=f"{post.title} {n}", body=f"{post.body}<p>Copy number {n}.</p>"
            )
            for n in range(copies)
            for post in blog.posts
        )
        site = stack.enter_context(Site())
        site.pages.update(replace(blog, posts=posts).pages(site.url))
        sites.append(site)
    return sites, [f"{site.url}/" for site in sites]


def crawl(home: Path, urls: list[str], tree: Path = PROJECT) -> dict[str, object]:
    """One crawl by the code in a tree, with the CPU time of every process it starts; without URLs, of what is due."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPATH": str(tree),
        "PRESSMARK_HOME": str(home),
        "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
        "PRESSMARK_HOST_GAP": "0",
        "PRESSMARK_HOST_CONCURRENCY": "8",
        "SCRAPY_SETTINGS_MODULE": "crawler.settings",
    }
    given = ["-a", "url=" + " ".join(urls)] if urls else []
    argv = [sys.executable, "-m", "scrapy", "crawl", "blog", *given, "-s", "LOG_LEVEL=WARNING"]
    began = time.monotonic()
    process = subprocess.Popen(argv, env=environment, cwd=tree, stdout=subprocess.PIPE, text=True)
    cpu: dict[int, float] = {}
    peak = 0.0
    while process.poll() is None:
        total = 0.0
        for one in _family(process.pid):
            try:
                times, memory = one.cpu_times(), one.memory_full_info()
            except psutil.Error:
                continue  # it ended between two samples
            cpu[one.pid] = times.user + times.system
            total += memory.pss
        peak = max(peak, total)
        time.sleep(0.2)
    out = process.stdout.read() if process.stdout else ""
    return {
        "said": out.strip().splitlines()[-1],
        "seconds": time.monotonic() - began,
        "cpu_seconds": sum(cpu.values()),
        "peak_megabytes": peak / 1e6,
        "exit": process.returncode,
    }


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=Path, help="folder of a served world of blogs")
    parser.add_argument("--feed", default="feed-all.xml", help="path of each host's feed in a world")
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="pressmark-bench-"))
    try:
        with ExitStack() as stack:
            if arguments.world:
                hosts = (arguments.world / "hosts.txt").read_text().split()
                urls = [f"{host}/{arguments.feed}" for host in hosts]
            else:
                _, urls = sample_urls(stack)
            first, second = crawl(home, urls), crawl(home, urls)
        stored = sum(path.stat().st_size for path in (home / "store").rglob("*") if path.is_file())
        posts = int(str(first["said"]).split()[1])
        print(
            json.dumps(
                {
                    "posts": posts,
                    "posts_a_second": round(posts / float(str(first["seconds"])), 1),
                    "cpu_ms_a_post": round(1000 * float(str(first["cpu_seconds"])) / posts, 1),
                    "stored_bytes_a_post": round(stored / posts),
                    "peak_megabytes_pss": round(float(str(first["peak_megabytes"]))),
                    "first": first,
                    "second": second,
                    "peak_megabytes_of_this": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000,
                },
                indent=2,
            )
        )
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()

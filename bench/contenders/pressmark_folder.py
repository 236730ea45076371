"""This project, with a folder as its store."""

from __future__ import annotations

import sys

from contender import PROJECT, Contender, Task, count_after

LOG_FORMAT = "%(created).3f %(name)s %(message)s"
"""So that the log says when the spider closed."""


def argv(task: Task) -> list[str]:
    urls = " ".join(task.world.feeds)
    scrapy = [sys.executable, "-m", "scrapy", "crawl", "blog", "-a", f"url={urls}"]
    return [*scrapy, "-s", f"LOG_FORMAT={LOG_FORMAT}", "-s", "LOG_LEVEL=INFO"]


def environment(task: Task) -> dict[str, str]:
    return {
        "PYTHONPATH": str(PROJECT),
        "SCRAPY_SETTINGS_MODULE": "crawler.settings",
        "PRESSMARK_HOME": str(task.folder),
        "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
        "PRESSMARK_HOST_GAP": "0",
        "PRESSMARK_HOST_CONCURRENCY": "8",
    }


CONTENDER = Contender(
    name="Pressmark, folder",
    keeps="WARC, texts, metadata, index, search",
    argv=argv,
    environment=environment,
    posts=count_after("kept"),
)

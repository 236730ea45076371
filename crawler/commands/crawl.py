"""`scrapy crawl blog`, `save`, `recheck`: Scrapy's own command, with a one-line error message and an exit code."""

from __future__ import annotations

import argparse

from scrapy.commands.crawl import Command as ScrapyCrawl

from crawler.job import crawl
from crawler.spiders.blog import BlogSpider
from crawler.spiders.named import RecheckSpider, SaveSpider

_SPIDERS: dict[str, type[BlogSpider]] = {spider.name: spider for spider in (BlogSpider, SaveSpider, RecheckSpider)}


class Command(ScrapyCrawl):
    """Crawls as Scrapy does; for our spiders it first checks that the archive is writable."""

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the spider; sets `exitcode`."""
        spider = _SPIDERS.get(args[0]) if len(args) == 1 else None
        if spider is None:
            super().run(args, opts)
            return
        assert self.crawler_process is not None  # Scrapy sets it before it runs a command
        self.exitcode = crawl(self.crawler_process, dict(opts.spargs), spider=spider)

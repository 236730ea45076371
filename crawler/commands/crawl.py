"""`scrapy crawl blog`: Scrapy's own command, with a one-line error message and an exit code."""

from __future__ import annotations

import argparse

from scrapy.commands.crawl import Command as ScrapyCrawl

from crawler.job import crawl
from crawler.spiders.blog import BlogSpider


class Command(ScrapyCrawl):
    """Crawls as Scrapy does; for `blog` it first checks that the archive is writable."""

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the spider; sets `exitcode`."""
        if args[:1] != [BlogSpider.name]:
            super().run(args, opts)
            return
        assert self.crawler_process is not None  # Scrapy sets it before it runs a command
        self.exitcode = crawl(self.crawler_process, dict(opts.spargs))

"""Fetching alone, with Scrapy.

python bench/contenders/scrapy_fetch.py URLS
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if __name__ != "__main__":
    from contender import Contender, count_after, script

    CONTENDER = Contender(
        name="fetch only: Scrapy",
        keeps="nothing",
        argv=lambda task: [*script("scrapy_fetch"), str(task.urls)],
        posts=count_after("posts"),
    )
else:
    from scrapy import Request, Spider
    from scrapy.crawler import CrawlerProcess
    from scrapy.http import Response

    URLS = Path(sys.argv[1]).read_text().split()

    class Fetch(Spider):
        name = "fetch"
        count = 0

        async def start(self) -> Any:
            for url in URLS:
                yield Request(url)

        def parse(self, _: Response) -> None:
            self.count += 1

        def closed(self, _: str) -> None:
            print("posts", self.count)

    process = CrawlerProcess(
        {"LOG_LEVEL": "WARNING", "CONCURRENT_REQUESTS": 64, "CONCURRENT_REQUESTS_PER_DOMAIN": 8, "DOWNLOAD_DELAY": 0}
    )
    process.crawl(Fetch)
    process.start()

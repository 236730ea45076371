"""Polling alone, with Scrapy: each feed with the validators that it sent before.

python bench/contenders/scrapy_poll.py URLS
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

URLS = Path(sys.argv[1]).read_text().split()


class Poll(Spider):
    name = "poll"
    custom_settings = {"HTTPERROR_ALLOW_ALL": True}  # noqa: RUF012  as Scrapy's documentation has it
    same = 0

    async def start(self) -> Any:
        for url in URLS:
            yield Request(url, callback=self.again)

    def again(self, response: Response) -> Request:
        headers = {"If-None-Match": response.headers["ETag"]}
        return Request(response.url, headers=headers, callback=self.count, dont_filter=True, priority=-1)

    def count(self, response: Response) -> None:
        self.same += response.status == 304

    def closed(self, _: str) -> None:
        print("unchanged", self.same)


process = CrawlerProcess(
    {"LOG_LEVEL": "WARNING", "CONCURRENT_REQUESTS": 64, "CONCURRENT_REQUESTS_PER_DOMAIN": 8, "DOWNLOAD_DELAY": 0}
)
process.crawl(Poll)
process.start()

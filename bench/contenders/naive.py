"""The naive pipeline: a Scrapy spider in one file that extracts with trafilatura where the response comes in, and writes
with warcio, text and metadata into SQLite.

    python bench/contenders/naive.py FOLDER FEED …
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

if __name__ != "__main__":
    from contender import Contender, count_after, script

    CONTENDER = Contender(
        name="Scrapy + trafilatura + warcio",
        keeps="WARC, texts, metadata",
        argv=lambda task: [*script("naive"), str(task.folder), *task.world.feeds],
        posts=count_after("posts"),
    )
else:
    from scrapy import Request, Spider
    from scrapy.crawler import CrawlerProcess
    from scrapy.http import Response
    from trafilatura import bare_extraction
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    class Naive(Spider):
        name = "naive"

        def __init__(self, *args: Any, folder: Path, feeds: list[str], **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.feeds, self.count = feeds, 0
            self.file = (folder / "posts.warc.gz").open("wb")
            self.warc = WARCWriter(self.file, gzip=True)
            self.database = sqlite3.connect(folder / "posts.db")
            self.database.execute("CREATE TABLE posts (url TEXT PRIMARY KEY, title TEXT, text TEXT, metadata TEXT)")

        async def start(self) -> Any:
            for url in self.feeds:
                yield Request(url, callback=self.parse_feed)

        def write(self, response: Response) -> None:
            headers = [
                (name.decode(), value.decode("latin-1"))
                for name, values in response.headers.items()
                for value in values
            ]
            head = StatusAndHeaders(f"{response.status} OK", headers, protocol="HTTP/1.1")
            record = self.warc.create_warc_record(
                response.url, "response", payload=BytesIO(response.body), http_headers=head
            )
            self.warc.write_record(record)

        def parse_feed(self, response: Response) -> Iterator[Request]:
            self.write(response)
            for url in response.xpath("//item/link/text()").getall():
                yield Request(url, callback=self.parse_post)

        def parse_post(self, response: Response) -> None:
            self.write(response)
            found = bare_extraction(response.text, url=response.url, with_metadata=True)
            said = found.as_dict() if found else {}
            metadata = json.dumps(
                {name: said[name] for name in ("author", "date", "sitename", "description") if name in said}
            )
            self.database.execute(
                "INSERT INTO posts VALUES (?, ?, ?, ?)", (response.url, said.get("title"), said.get("text"), metadata)
            )
            self.database.commit()
            self.count += 1

        def closed(self, _: str) -> None:
            self.file.close()
            self.database.close()
            print("posts", self.count)

    process = CrawlerProcess(
        {"LOG_LEVEL": "WARNING", "CONCURRENT_REQUESTS": 64, "CONCURRENT_REQUESTS_PER_DOMAIN": 8, "DOWNLOAD_DELAY": 0}
    )
    process.crawl(Naive, folder=Path(sys.argv[1]), feeds=sys.argv[2:])
    process.start()

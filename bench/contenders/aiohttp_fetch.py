"""Fetching alone, with aiohttp.

python bench/contenders/aiohttp_fetch.py URLS
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

if __name__ != "__main__":
    from contender import Contender, count_after, script

    CONTENDER = Contender(
        name="fetch only: aiohttp",
        keeps="nothing",
        argv=lambda task: [*script("aiohttp_fetch"), str(task.urls)],
        posts=count_after("posts"),
    )
else:
    from aiohttp import ClientSession, TCPConnector

    async def fetch(urls: list[str]) -> int:
        waiting, count = iter(urls), 0

        async def some(session: ClientSession) -> None:
            nonlocal count
            for url in waiting:
                async with session.get(url) as response:
                    await response.text()
                    count += response.ok

        async with ClientSession(connector=TCPConnector(limit=64, limit_per_host=8)) as session:
            await asyncio.gather(*(some(session) for _ in range(64)))
        return count

    print("posts", asyncio.run(fetch(Path(sys.argv[1]).read_text().split())))

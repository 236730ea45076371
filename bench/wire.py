"""Three ways to capture HTTP exchanges in Scrapy: how many are byte for byte identical, and the cost of a page.

- stock: Scrapy's HTTP/1.1 handler; heads are reconstructed from its Request and Response.
- ours: `crawler.downloader.handler.WireHandler`, which copies what passes the transport; captures stay in memory.
- aiohttp: Scrapy's handler over aiohttp; heads are reconstructed from aiohttp's raw headers.

Each crawl is a separate process; the server is in this one. A response is identical if its final head, and its body
without chunks but still compressed, are what the server sent. CPU time is the crawl's alone, after the first pages.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import platform
import random
import resource
import statistics
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from importlib.metadata import version
from importlib.util import find_spec
from ipaddress import ip_network
from multiprocessing import get_context
from typing import Any, NamedTuple

from scrapy import Request, Spider
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.http import Response

from archive.warc.capture import Capture
from crawler.downloader.handler import WireHandler
from crawler.net.address_guard import Guard
from crawler.net.crawl_delay import Gaps
from crawler.net.credentials import Origins
from crawler.options import CrawlSettings
from crawler.session.run import Run

PAGES, WARM, CONCURRENT = 1_500, 100, 32  # the first ones import and connect, and do not count
OFF = ["LOG", "TELNETCONSOLE", "REMOTE_CONTROL", "REDIRECT", "RETRY", "COOKIES"]
ROW = "{:<8}{:>20}{:>20}{:>13}{:>16}"


# -- what the server sends


class Answer(NamedTuple):
    """What is sent over the wire, and what must be stored of it; `closes` ends the connection afterwards."""

    sent: bytes
    head: bytes
    body: bytes
    closes: bool = False


def answer(*lines: bytes, body: bytes = b"<p>hello</p>") -> Answer:
    head = b"\r\n".join((*lines, b"Content-Length: %d" % len(body), b"", b""))
    return Answer(head + body, head, body)


def html() -> bytes:
    """About 36 kB that compress as well as prose."""
    chance = random.Random(1)
    words = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(1_500)]
    text = "".join(f"<p>{' '.join(chance.choices(words, k=60))}</p>\n" for _ in range(93))
    return f"<!doctype html><title>Page</title><body>\n{text}</body>\n".encode()


OK, HTML = b"HTTP/1.1 200 OK", b"Content-Type: text/html; charset=utf-8"
PACKED = gzip.compress(html(), mtime=0)
PAGE = answer(OK, HTML, b"Content-Encoding: gzip", body=PACKED)
CHUNKS = b"7;name=value\r\n%b\r\n%X\r\n%b\r\n0\r\nX-Sum: 9\r\n\r\n" % (PACKED[:7], len(PACKED) - 7, PACKED[7:])
CHUNKED = b"\r\n".join((OK, HTML, b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"", b""))
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n"
OLD = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n"
NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'
PLAIN = answer(OK, HTML)
LONGER = PLAIN.head.replace(b"12", b"500")

CASES = {
    "odd case, order, duplicates": answer(OK, b"x-zeta: 1", b"SERVER: x", b"Set-Cookie: a=1", HTML, b"set-cookie: b=2"),
    "no space after colon": answer(OK, HTML, b"X-Tight:value"),
    "Latin-1 value": answer(OK, HTML, b"X-Latin: caf\xe9"),
    "folded header": answer(OK, HTML, b"X-Fold: one\r\n two"),
    "103 first": PLAIN._replace(sent=EARLY + PLAIN.sent),
    "no reason": answer(b"HTTP/1.1 200", HTML),
    "404, own non-ASCII reason": answer(b"HTTP/1.1 404 Nope, d\xc3\xa9sol\xe9", HTML),
    "gzip": PAGE,
    "gzip, chunked, extension, trailer": Answer(CHUNKED + CHUNKS, CHUNKED, PACKED),
    "HTTP/1.0, ended by closing": Answer(OLD + PLAIN.body, OLD, PLAIN.body, closes=True),
    "302": answer(b"HTTP/1.1 302 Found", HTML, b"Location: /elsewhere"),
    "304": Answer(NOT_MODIFIED, NOT_MODIFIED, b""),
    "short body": Answer(LONGER + PLAIN.body, LONGER, PLAIN.body, closes=True),
}
ANSWERS = {f"/case/{n}": case for n, case in enumerate(CASES.values())}
CONDITIONS = {"If-None-Match": '"a"', "If-Modified-Since": "Sun, 22 Nov 2026 00:00:00 GMT"}

received: dict[str, bytes] = {}
"""The last request for each path."""


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        closes = False
        while not closes:
            request = await reader.readuntil(b"\r\n\r\n")
            path = request.split(b" ", 2)[1].decode()
            received[path] = request
            sent, _, _, closes = ANSWERS.get(path, PAGE)
            writer.write(sent)
            await writer.drain()
    writer.close()


# -- three ways to capture

kept: dict[str, tuple[bytes, bytes, bytes]] = {}
"""Request, head and body of the response, by URL."""


def message(first: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    lines = [first.encode("utf-8", "surrogateescape"), *(b"%b: %b" % header for header in headers)]
    return b"\r\n".join((*lines, b"", b""))


class StockHandler(HTTP11DownloadHandler):
    async def download_request(self, request: Request) -> Response:
        response = await super().download_request(request)
        _, _, host, path = request.url.split("/", 3)
        # Twisted puts Host last, which is known but not visible here.
        sent = message(f"GET /{path} HTTP/1.1", [*pairs(request), (b"Host", host.encode())])
        status = f"{response.protocol} {response.status} {HTTPStatus(response.status).phrase}"
        kept[request.url] = sent, message(status, pairs(response)), response.body
        return response


def pairs(of: Request | Response) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, values in of.headers.items() for value in values]


class Memory(Run):
    """What `WireHandler` needs of a run, without archive and database."""

    def __init__(self) -> None:
        self.guard = Guard((ip_network("127.0.0.0/8"),))
        self.options = CrawlSettings(allow_networks=(ip_network("127.0.0.0/8"),), host_gap=0)
        self.credentials = Origins((), ())
        self.crawl_delays = Gaps()
        self.retry_after = self.committer = self

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Memory:  # noqa: ARG003  Scrapy's signature
        return cls()

    def check(self, url: str) -> None:
        """Retry-After is not used here."""

    def answered(self, url: str, status: int, value: str | None) -> None:
        """Retry-After is not used here."""

    async def record(self, capture: Capture) -> None:
        kept[capture.url] = capture.request, capture.head, capture.body


def aiohttp_handler() -> type:
    """The handler's class, defined here because aiohttp may not be installed."""
    from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler

    class RawHeadersHandler(AiohttpDownloadHandler):
        async def download_request(self, request: Request) -> Response:
            response = await super().download_request(request)
            kept[request.url] = *request.meta["heads"], response.body
            return response

        @asynccontextmanager
        async def _make_request(self, request: Request, timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109  Scrapy's
            async with super()._make_request(request, timeout) as response:
                asked = response.request_info
                sent = [(name.encode(), value.encode()) for name, value in asked.headers.items()]
                came = f"HTTP/{response.version.major}.{response.version.minor} {response.status} {response.reason}"
                request.meta["heads"] = (
                    message(f"{asked.method} {asked.url.raw_path_qs} HTTP/1.1", sent),
                    message(came.rstrip(" "), response.raw_headers),
                )
                yield response

    return RawHeadersHandler


def route(name: str) -> dict[str, Any]:
    """Scrapy's settings for one way."""
    if name == "ours":
        return {"DOWNLOAD_HANDLERS": {"http": WireHandler}, "EXTENSIONS": {Memory: 0}}
    return {"DOWNLOAD_HANDLERS": {"http": StockHandler if name == "stock" else aiohttp_handler()}}


# -- one crawl


class Fetch(Spider):
    """Requests every URL; records the CPU seconds used so far with each response."""

    name = "fetch"
    urls: list[str]
    clock: list[float]

    async def start(self) -> AsyncIterator[Request]:
        for url in self.urls:
            yield Request(url, headers=CONDITIONS if "/case/" in url else None, dont_filter=True)

    def parse(self, response: Response) -> None:  # noqa: ARG002  Scrapy's signature
        used = resource.getrusage(resource.RUSAGE_SELF)
        self.clock.append(used.ru_utime + used.ru_stime)


def crawl(name: str, urls: list[str]) -> tuple[dict[str, tuple[bytes, bytes, bytes]], list[float]]:
    """What one way stores of the URLs, and the CPU seconds used so far with each response."""
    settings = {
        **{f"{part}_ENABLED": False for part in OFF},
        "DOWNLOAD_FAIL_ON_DATALOSS": False,  # ours stores a truncated body either way, the others only with this
        "CONCURRENT_REQUESTS": CONCURRENT,
        "CONCURRENT_REQUESTS_PER_DOMAIN": CONCURRENT,
        "DOWNLOAD_TIMEOUT": 30,
        "HTTPERROR_ALLOW_ALL": True,
    }
    clock: list[float] = []
    process = AsyncCrawlerProcess(settings | route(name))
    process.crawl(Fetch, urls=urls, clock=clock)
    process.start()
    return kept, clock


async def measure(names: list[str], *, rounds: int, cases: bool) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    root = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    pages = [f"{root}/page/{n}" for n in range(WARM + PAGES)]
    same: dict[str, list[tuple[bool, bool]]] = {name: [] for name in names}
    cpu_ms: dict[str, list[float]] = {name: [] for name in names}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as children:
        run = asyncio.get_running_loop().run_in_executor
        for name in names:
            found, _ = await run(children, crawl, name, [root + path for path in ANSWERS])
            for path, case in ANSWERS.items():
                request, head, body = found.get(root + path, (b"", b"", b""))
                same[name].append(((head, body) == (case.head, case.body), request == received.get(path)))
        for name in names * rounds:  # alternating, so that a busy moment of the machine affects all
            found, clock = await run(children, crawl, name, pages)
            if len(clock) != len(pages) or {body for _, _, body in found.values()} != {PACKED}:
                raise SystemExit(f"{name}: not every page came whole")
            cpu_ms[name].append(1000 * (clock[-1] - clock[WARM - 1]) / PAGES)
    for name in names:
        responses, requests = (f"{sum(column)}/{len(column)}" for column in zip(*same[name], strict=True))
        middle = statistics.median(cpu_ms[name])
        ratio = middle / statistics.median(cpu_ms["stock"])
        print(ROW.format(name, responses, requests, f"{middle:.2f}", f"{ratio:.2f}"))
        for title, (response, request) in zip(CASES, same[name], strict=True):
            if cases and not (response and request):
                print(f"  {title}: differs in" + " response" * (not response) + " request" * (not request))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--rounds", type=int, default=3, help="crawls of each way, whose median counts; more on a busy machine"
    )
    parser.add_argument("--cases", action="store_true", help="name the cases in which each way differs")
    arguments = parser.parse_args()
    there = find_spec("aiohttp") is not None
    libraries = ["scrapy", "twisted", *["aiohttp"] * there]
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in libraries))
    print(ROW.format("handler", "responses identical", "requests identical", "CPU ms/page", "ratio to stock"))
    names = ["stock", "ours", *["aiohttp"] * there]
    asyncio.run(measure(names, rounds=arguments.rounds, cases=arguments.cases))
    if not there:
        print("aiohttp  not installed: pip install aiohttp")


if __name__ == "__main__":
    main()

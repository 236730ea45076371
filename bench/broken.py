"""Broken responses, each from its own host: which of them the handler stores whole, truncates or loses.

A response is stored if its head and body arrive in `record`, and whole if not marked as truncated. Then two requests
follow one another on a connection whose first response has extra bytes behind it, or that ends: the second must get
its own response.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response
from wire import CASES, CONDITIONS, OFF, PAGE, Memory

from archive.warc.capture import Capture
from crawler.downloader.handler import WireHandler

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "crawler"))

from test_wire import CASES as ODD

BODY = b"<p>hello</p>"
OK, HTML, LENGTH = b"HTTP/1.1 200 OK", b"Content-Type: text/html", b"Content-Length: 12"


def answer(*lines: bytes, body: bytes = BODY, end: bytes = b"\r\n") -> bytes:
    return end.join((*lines, b"", b"")) + body


def chunks(*lines: bytes, head: tuple[bytes, ...] = ()) -> bytes:
    return answer(OK, HTML, b"Transfer-Encoding: chunked", *head, body=b"".join(lines))


BROKEN: dict[str, tuple[bytes, bool]] = {
    # -- lines
    "bare LF": (answer(OK, HTML, LENGTH, end=b"\n"), False),
    "CRLF, then LF LF": (answer(OK, HTML, LENGTH).replace(b"\r\n\r\n", b"\r\n\n"), False),
    "LF, then CRLF": (b"HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 12\n\r\n" + BODY, False),
    "CR alone within a value": (answer(OK, HTML, b"X-Cr: a\rb", LENGTH), False),
    "empty line before the status line": (b"\r\n" + answer(OK, HTML, LENGTH), False),
    "fold, space": (answer(OK, HTML, b"X-Fold: a\r\n b", LENGTH), False),
    "fold, tab, thrice": (answer(OK, HTML, b"X-Fold: a\r\n\tb\r\n   c\r\n\td", LENGTH), False),
    "fold of an empty value": (answer(OK, HTML, b"X-Fold:\r\n b", LENGTH), False),
    "fold before any header": (answer(OK, b" lost", HTML, LENGTH), False),
    # -- names and values
    "space before colon": (answer(OK, b"Content-Type : text/html", LENGTH), False),
    "tab before colon": (answer(OK, b"X-Tab\t: a", HTML, LENGTH), False),
    "space within a name": (answer(OK, b"X Bad Name: a", HTML, LENGTH), False),
    "no name": (answer(OK, b": a", HTML, LENGTH), False),
    "no colon": (answer(OK, b"This is no header", HTML, LENGTH), False),
    "HTML comment as header": (answer(OK, b"<!-- debug: off -->", HTML, LENGTH), False),
    "name with brackets": (answer(OK, b"X[0]: a", b"X(y): b", b"X@z: c", HTML, LENGTH), False),
    "name not ASCII": (answer(OK, b"X-Na\xc3\xafve: a", HTML, LENGTH), False),
    "byte order mark before a name": (answer(OK, b"\xef\xbb\xbfX-Bom: a", HTML, LENGTH), False),
    "NUL in a value": (answer(OK, b"X-Nul: a\x00b", HTML, LENGTH), False),
    "control characters in a value": (answer(OK, b"X-Ctl: a\x01\x08\x0b\x1b\x7fb", HTML, LENGTH), False),
    "Latin-1 and UTF-8 values": (answer(OK, b"X-L: caf\xe9", b"X-U: caf\xc3\xa9", HTML, LENGTH), False),
    "empty values": (answer(OK, b"X-A:", b"X-B:   ", HTML, LENGTH), False),
    # -- status line
    "no reason": (answer(b"HTTP/1.1 200", HTML, LENGTH), False),
    "reason not ASCII": (answer(b"HTTP/1.1 200 D'accord\xc3\xa9 \xe9", HTML, LENGTH), False),
    "reason with control characters": (answer(b"HTTP/1.1 200 O\x01K", HTML, LENGTH), False),
    "three spaces before the status": (answer(b"HTTP/1.1   200 OK", HTML, LENGTH), False),
    "three spaces after the status": (answer(b"HTTP/1.1 200   OK  then ", HTML, LENGTH), False),
    "tab in the status line": (answer(b"HTTP/1.1\t200\tOK", HTML, LENGTH), False),
    "status of two digits": (answer(b"HTTP/1.1 99 Odd", HTML, LENGTH), False),
    "status of four digits": (answer(b"HTTP/1.1 2000 OK", HTML, LENGTH), False),
    "status of twenty digits": (answer(b"HTTP/1.1 99999999999999999999 OK", HTML, LENGTH), False),
    "status 999": (answer(b"HTTP/1.1 999 Request denied", HTML, LENGTH), False),
    "status 0": (answer(b"HTTP/1.1 000 Odd", HTML, LENGTH), False),
    "no status": (answer(b"HTTP/1.1", HTML, LENGTH), False),
    "status is a word": (answer(b"HTTP/1.1 OK", HTML, LENGTH), False),
    "lower-case protocol": (answer(b"http/1.1 200 OK", HTML, LENGTH), False),
    "HTTP/1.2": (answer(b"HTTP/1.2 200 OK", HTML, LENGTH), False),
    "HTTP/2.0": (answer(b"HTTP/2.0 200 OK", HTML, LENGTH), False),
    "HTTP/2": (answer(b"HTTP/2 200 OK", HTML, LENGTH), False),
    "HTTP/1.10": (answer(b"HTTP/1.10 200 OK", HTML, LENGTH), False),
    "ICY": (answer(b"ICY 200 OK", HTML, LENGTH), False),
    "HTTP/0.9": (BODY, True),
    # -- length
    "HTTP/1.0 without length": (answer(b"HTTP/1.0 200 OK", HTML), True),
    "HTTP/1.1 without length": (answer(OK, HTML), True),
    "Connection: close without length or body": (answer(OK, HTML, b"Connection: close", body=b""), True),
    "same length twice": (answer(OK, HTML, LENGTH, LENGTH), False),
    "length: 12, 12": (answer(OK, HTML, b"Content-Length: 12, 12"), False),
    "length: 12 and 012": (answer(OK, HTML, LENGTH, b"Content-Length: 012"), False),
    "lengths 12 and 13": (answer(OK, HTML, LENGTH, b"Content-Length: 13"), False),
    "length +12": (answer(OK, HTML, b"Content-Length: +12"), False),
    "length is a word": (answer(OK, HTML, b"Content-Length: none"), True),
    "length empty": (answer(OK, HTML, b"Content-Length:"), True),
    "length negative": (answer(OK, HTML, b"Content-Length: -1"), True),
    "body shorter than its length": (answer(OK, HTML, b"Content-Length: 500"), True),
    "body longer than its length": (answer(OK, HTML, LENGTH, body=BODY + b"extra"), False),
    "204 with body": (answer(b"HTTP/1.1 204 None", HTML, LENGTH), False),
    "304 with length and no body": (answer(b"HTTP/1.1 304 Same", LENGTH, body=b""), False),
    "304 with chunked and no body": (answer(b"HTTP/1.1 304 Same", b"Transfer-Encoding: chunked", body=b""), False),
    # -- chunks
    "chunks, plain": (chunks(b"c\r\n", BODY, b"\r\n0\r\n\r\n"), False),
    "chunks, lines end in LF": (chunks(b"c\n", BODY, b"\n0\n\n"), False),
    "chunks, size lines end in LF": (chunks(b"c\n", BODY, b"\r\n0\r\n\r\n"), False),
    "chunks, space after size": (chunks(b"c  \r\n", BODY, b"\r\n0\r\n\r\n"), False),
    "chunks, space before size": (chunks(b" c\r\n", BODY, b"\r\n0\r\n\r\n"), False),
    "chunks, size 0000000c": (chunks(b"0000000c\r\n", BODY, b"\r\n0\r\n\r\n"), False),
    "chunks, size of twenty digits": (chunks(b"0" * 19 + b"c\r\n", BODY, b"\r\n0\r\n\r\n"), False),
    "chunks, size 0x0c": (chunks(b"0x0c\r\n", BODY, b"\r\n0\r\n\r\n"), False),
    "chunks, extensions": (chunks(b'c;a=1;b="x;y";c\r\n', BODY, b"\r\n0;z\r\n\r\n"), False),
    "chunks, broken extension": (chunks(b"c; =\x01;;\r\n", BODY, b"\r\n0\r\n\r\n"), False),
    "chunks, extension not ASCII": (chunks(b"c;caf\xe9\r\n", BODY, b"\r\n0\r\n\r\n"), False),
    "chunks, trailers": (chunks(b"c\r\n", BODY, b"\r\n0\r\nX-Sum: 1\r\n\r\n"), False),
    "chunks, broken trailer": (chunks(b"c\r\n", BODY, b"\r\n0\r\nno colon\r\n\r\n"), False),
    "chunks, no empty line at the end": (chunks(b"c\r\n", BODY, b"\r\n0\r\n"), True),
    "chunks, no last chunk": (chunks(b"c\r\n", BODY, b"\r\n"), True),
    "chunks, no line end behind data": (chunks(b"c\r\n", BODY, b"0\r\n\r\n"), True),
    "chunks with a length": (chunks(b"c\r\n", BODY, b"\r\n0\r\n\r\n", head=(b"Content-Length: 22",)), False),
    "chunks with a wrong length": (chunks(b"c\r\n", BODY, b"\r\n0\r\n\r\n", head=(b"Content-Length: 5",)), False),
    "chunked promised, none sent": (chunks(BODY), True),
    "Transfer-Encoding: Chunked": (chunks(b"c\r\n", BODY, b"\r\n0\r\n\r\n").replace(b": chunked", b": Chunked"), False),
    "Transfer-Encoding: identity": (answer(OK, HTML, b"Transfer-Encoding: identity", LENGTH), False),
    "Transfer-Encoding twice": (
        chunks(b"c\r\n", BODY, b"\r\n0\r\n\r\n", head=(b"Transfer-Encoding: chunked",)),
        False,
    ),
    "Transfer-Encoding: chunked, chunked": (
        answer(OK, HTML, b"Transfer-Encoding: chunked, chunked", body=b"c\r\n" + BODY + b"\r\n0\r\n\r\n"),
        False,
    ),
    "Transfer-Encoding: gzip, chunked": (
        answer(OK, HTML, b"Transfer-Encoding: gzip, chunked", body=b"c\r\n" + BODY + b"\r\n0\r\n\r\n"),
        False,
    ),
    "chunks in HTTP/1.0": (chunks(b"c\r\n", BODY, b"\r\n0\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"), True),
    # -- size of heads
    "header of 8 kB": (answer(OK, b"X-Long: " + b"y" * 8_000, HTML, LENGTH), False),
    "header of 60 kB": (answer(OK, b"X-Long: " + b"y" * 60_000, HTML, LENGTH), False),
    "header of 120 kB": (answer(OK, b"X-Long: " + b"y" * 120_000, HTML, LENGTH), False),
    "head of 200 headers": (answer(OK, *(b"X-%d: %d" % (n, n) for n in range(200)), HTML, LENGTH), False),
    "head of 120 kB": (answer(OK, *(b"X-%d: %s" % (n, b"y" * 1_000) for n in range(120)), HTML, LENGTH), False),
    "head of 1 MB": (answer(OK, *(b"Set-Cookie: %d=%s" % (n, b"y" * 4_000) for n in range(250)), HTML, LENGTH), False),
    # -- interim responses, upgrades
    "100 first": (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(OK, HTML, LENGTH), False),
    "102 and 103 first": (
        b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + answer(OK, HTML, LENGTH),
        False,
    ),
    "ten times 103": (b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" * 10 + answer(OK, HTML, LENGTH), False),
    "200 that offers an upgrade": (answer(OK, b"Upgrade: h2,h2c", b"Connection: Upgrade", HTML, LENGTH), False),
}
"""The bytes sent, and whether the connection is closed afterwards."""


# -- one crawl

Kept = tuple[bytes, bytes, bytes, str | None]
"""Request, head, body, and why the body was truncated."""
kept: dict[str, Kept] = {}
failed: dict[str, str] = {}


class Keeping(Memory):
    async def record(self, capture: Capture) -> None:
        kept[capture.url] = capture.request, capture.head, capture.body, capture.truncated


class Fetch(Spider):
    """Requests every URL."""

    name = "fetch"
    urls: list[str]

    async def start(self) -> AsyncIterator[Request]:
        for url in self.urls:
            conditions = CONDITIONS if "/case/" in url else None
            yield Request(url, headers=conditions, dont_filter=True, errback=self.failed)

    def parse(self, response: Response) -> None:
        """Ignore the response: only what was recorded counts."""

    def failed(self, failure: Any) -> None:
        failed[failure.request.url] = f"{failure.type.__name__}: {failure.value}"[:90]


def crawl(handler: type[WireHandler], urls: list[str]) -> tuple[dict[str, Kept], dict[str, str]]:
    """What a handler stores of the URLs, and its errors for others; one request to a host at a time."""
    settings = {
        **{f"{part}_ENABLED": False for part in OFF},
        "DOWNLOAD_HANDLERS": {"http": handler},
        "EXTENSIONS": {Keeping: 0},
        "CONCURRENT_REQUESTS": 64,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_TIMEOUT": 3,
        "HTTPERROR_ALLOW_ALL": True,
    }
    process = AsyncCrawlerProcess(settings)
    process.crawl(Fetch, urls=urls)
    process.start()
    return kept, failed


# -- the server


class Server(asyncio.Protocol):
    """Sends the scripted response for each path, or a page for others."""

    scripted: ClassVar[dict[str, tuple[bytes, bool]]] = {}

    def connection_made(self, transport: Any) -> None:
        self.transport, self.data, self.answered = transport, b"", 0

    def data_received(self, data: bytes) -> None:
        self.data += data
        while b"\r\n\r\n" in self.data:
            head, _, self.data = self.data.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            self.answered += 1
            if path.endswith("/again") and self.answered > 1:
                self.transport.close()  # like a server whose idle timeout has just expired
                return
            sent, closes = self.scripted.get(path, (PAGE.sent, False))
            self.transport.write(sent)
            if closes:
                self.transport.close()
                return


SHORT = answer(OK, HTML, LENGTH)
WRONG = answer(OK, HTML, LENGTH, body=b"<p>wrong</p>")
ONE_AFTER_ANOTHER: dict[str, tuple[bytes, bytes]] = {
    "/extra, length": (SHORT + WRONG, SHORT),
    "/extra, chunks": (chunks(b"c\r\n", BODY, b"\r\n0\r\n\r\n") + WRONG, SHORT),
    "/extra, 304": (answer(b"HTTP/1.1 304 Same", body=b"") + WRONG, SHORT),
    "/closed at the second request": (SHORT, SHORT),
}
"""The first response on a connection, and what a second request must get."""


async def connections(ways: dict[str, type[WireHandler]]) -> None:
    """Check that the second request on a connection gets its own response."""
    titles, paths = list(ONE_AFTER_ANOTHER), [*[("first", "second")] * 3, ("first", "again")]
    Server.scripted = {}
    for n, (pair, sent) in enumerate(zip(paths, ONE_AFTER_ANOTHER.values(), strict=True)):
        Server.scripted |= {f"/broken/{n}/{path}": (data, False) for path, data in zip(pair, sent, strict=True)}
    server = await asyncio.get_running_loop().create_server(Server, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    urls = [f"http://127.0.3.{path.split('/')[2]}:{port}{path}" for path in Server.scripted]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as children:
        for name, handler in ways.items():
            got, why = await asyncio.get_running_loop().run_in_executor(children, crawl, handler, urls)
            for title, url in zip(titles, urls[1::2], strict=True):
                verdict = got[url][2].decode() if url in got else f"LOST {why.get(url)}"
                print(f"{name:<18}{title:<34}{verdict}")


async def broken(ways: dict[str, type[WireHandler]], *, every: bool) -> None:
    """Which of the broken responses each handler stores, each from its own host."""
    closing = {"/close", "/short", "/close-empty"}
    scripted = {f"/broken/{n}": case for n, case in enumerate(BROKEN.values())}
    scripted |= {f"/odd{path}": (sent, path in closing) for path, (sent, _) in ODD.items()}
    scripted |= {f"/case/{n}": (case.sent, case.closes) for n, case in enumerate(CASES.values())}
    titles = dict(zip(scripted, [*BROKEN, *ODD, *(f"13: {title}" for title in CASES)], strict=True))
    Server.scripted = scripted
    server = await asyncio.get_running_loop().create_server(Server, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    urls = {path: f"http://127.0.1.{n + 1}:{port}{path}" for n, path in enumerate(scripted)}
    results: dict[str, tuple[dict[str, Kept], dict[str, str]]] = {}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as children:
        for name, handler in ways.items():
            results[name] = await asyncio.get_running_loop().run_in_executor(
                children, crawl, handler, list(urls.values())
            )
    state: dict[str, dict[str, str]] = {}
    reference = results["ours"][0]
    for path, url in urls.items():
        for name in ways:
            got, why = results[name]
            if url not in got:
                verdict = "LOST " + why.get(url, "")
            elif got[url][3]:
                verdict = f"cut ({got[url][3]})"
            else:
                verdict = "whole"
            if url in got and url in reference and got[url][1:3] != reference[url][1:3]:
                verdict += f" DIFFERS {got[url][2][:40]!r}"
            state.setdefault(path, {})[name] = verdict
    for path, row in state.items():
        if every or set(row.values()) != {"whole"}:
            print(f"{titles[path]}")
            for name, verdict in row.items():
                print(f"    {name:<18}{verdict}")
    for name in ways:
        whole = sum(row[name] == "whole" for row in state.values())
        lost = sum(row["ours"] == "whole" and row[name] != "whole" for row in state.values())
        print(f"{name:<18} whole {whole}/{len(state)}; whole with ours and not here: {lost}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--every", action="store_true", help="name the responses that are kept whole too")
    arguments = parser.parse_args()
    asyncio.run(broken({"ours": WireHandler}, every=arguments.every))
    asyncio.run(connections({"ours": WireHandler}))


if __name__ == "__main__":
    main()

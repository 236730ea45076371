"""Wire capture with httpcore compared with Twisted: which broken responses each stores, and the cost of a page.

- ours: `crawler.downloader.handler.WireHandler`, on Twisted.
- h11: httpcore's pool, a network backend over anyio that copies the bytes, and httpcore's own connection, using h11.
- framed: the same over asyncio's streams; instead of the received head, h11 gets one that only states the framing.

The cost is measured in one process: slices of pages, each fetched in one way, in shuffled order; medians of the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import socket
import ssl
import statistics
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from contextvars import ContextVar
from multiprocessing import get_context
from types import SimpleNamespace
from typing import Any

import httpcore
from broken import Server, broken, connections
from scrapy import Request, Spider
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    CloseSpider,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes
from scrapy.utils.httpobj import urlparse_cached
from wire import OFF, PACKED, Memory

from archive.warc.capture import Capture
from archive.warc.http_message import headers
from crawler.downloader.exchange import Exchange
from crawler.downloader.handler import WireHandler
from crawler.downloader.protocol import SLOT_HEADER
from crawler.net.address_guard import Guard

current: ContextVar[Exchange] = ContextVar("current")


class Copied(httpcore.AsyncNetworkStream):
    """A stream that copies the bytes that pass into the current exchange."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self.aborted = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  httpcore's
        data = await self._stream.read(max_bytes, timeout)
        if data and (wire := current.get(None)):
            wire.receive(self, data)
            if self.aborted:
                raise httpcore.ReadError("given up")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  httpcore's
        wire = current.get()
        if wire.transport is not self:
            wire.start(self)
        wire.sent += buffer
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
    ) -> httpcore.AsyncNetworkStream:
        return Copied(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    # what `Exchange` needs of Twisted's transport

    def getPeer(self) -> Any:  # noqa: N802
        return SimpleNamespace(host=self.get_extra_info("server_addr")[0])

    def abortConnection(self) -> None:  # noqa: N802
        self.aborted = True


class Plain(httpcore.AsyncNetworkStream):
    """asyncio's own transport with httpcore's interface, without anyio in between."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        try:
            return await self._reader.read(max_bytes)
        except OSError as e:
            raise httpcore.ReadError(str(e)) from e

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        self._writer.write(buffer)

    async def aclose(self) -> None:
        self._writer.close()

    def get_extra_info(self, info: str) -> Any:
        if info == "server_addr":
            return self._writer.get_extra_info("peername")
        if info == "is_readable":
            return self._reader.at_eof() or self._writer.is_closing()
        return self._writer.get_extra_info(info)


FRAMING = re.compile(rb"(?im)^(content-length|transfer-encoding|connection)[ \t]*:([^\r\n]*)")


def framing(head: bytes) -> tuple[bytes, int | None, bool]:
    """A minimal head that states the framing of the body, its length if known, and whether it is chunked."""
    fields: dict[str, list[str]] = {}
    for name, value in FRAMING.findall(head):
        fields.setdefault(name.decode().lower(), []).append(value.decode("latin-1"))
    first = head.split(b"\n", 1)[0].split()
    status = first[1] if len(first) > 1 and first[1] in {b"204", b"304"} else b"200"
    lengths = {
        int(one) for value in fields.get("content-length", ()) for one in value.split(",") if one.strip().isdecimal()
    }
    chunked = "chunked" in ",".join(fields.get("transfer-encoding", ())).lower()
    asked = ",".join(fields.get("connection", ())).lower()
    closes = "close" in asked or (first[0].upper() == b"HTTP/1.0" and "keep-alive" not in asked)
    out, length = b"HTTP/1.1 " + status + b"\r\n", None
    if chunked:
        out += b"Transfer-Encoding: chunked\r\n"
    elif len(lengths) == 1:
        [length] = lengths
        out += b"Content-Length: %d\r\n" % length
    return out + b"Connection: close\r\n" * closes + b"\r\n", 0 if status != b"200" else length, chunked


class Framed(Copied):
    """Gives its reader, instead of the received head, one that states only the framing of the body."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        super().__init__(stream)
        self._of: Exchange | None = None
        self._left: int | None = None
        self._dirty = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  httpcore's
        wire = current.get()
        while data := await super().read(max_bytes, timeout):
            if not wire.headed:
                continue
            begin = b""
            if self._of is not wire:
                self._of = wire
                head, end = wire.head()
                begin, self._left, _ = framing(head)
                data = bytes(wire.received[end:])
            if self._left is not None:
                self._dirty = self._dirty or len(data) > self._left
                data = data[: self._left]
                self._left -= len(data)
            return begin + data
        return b""

    def get_extra_info(self, info: str) -> Any:
        return True if info == "is_readable" and self._dirty else super().get_extra_info(info)


class Backend(httpcore.AsyncNetworkBackend):
    """Checks the address of every connection."""

    def __init__(self, guard: Guard, *, framed: bool) -> None:
        self._guard, self._framed, self._network = guard, framed, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        address = next(str(place[0]) for *_, place in found if self._guard.permits(str(place[0])))
        if self._framed:
            try:
                return Framed(Plain(*await asyncio.open_connection(address, port)))
            except OSError as e:
                raise httpcore.ConnectError(str(e)) from e
        return Copied(await self._network.connect_tcp(address, port, timeout))


class HttpcoreHandler(WireHandler):
    """`WireHandler` with another client."""

    framed = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._backend = Backend(self._guard, framed=self.framed)
        self._pools: dict[bytes, httpcore.AsyncConnectionPool] = {}

    def _pool_of(self, url: httpcore.URL) -> httpcore.AsyncConnectionPool:
        key = b"%b:%d" % (url.host, url.port or 0)
        if key not in self._pools:  # a pool for each host: in a single pool each request scans every connection
            self._pools[key] = httpcore.AsyncConnectionPool(
                max_connections=None, keepalive_expiry=2.0, network_backend=self._backend
            )
        return self._pools[key]

    async def _downloaded(self, request: Request, *, unverified: bool) -> Response:  # noqa: ARG002
        wire = self._wires[request.headers.pop(SLOT_HEADER)[0]]
        parts = urlparse_cached(request)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        url = httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target=target)
        fields = [(b"Host", parts.netloc.encode())]
        fields += [(name, value) for name, values in request.headers.items() for value in values]
        token = current.set(wire)
        seconds = request.meta["download_timeout"]
        try:
            async with asyncio.timeout(seconds), self._pool_of(url).stream("GET", url, headers=fields) as got:
                return await self._read(request, got, wire)
        except TimeoutError as e:
            raise DownloadTimeoutError(f"took longer than {seconds} s") from e
        except socket.gaierror as e:
            raise CannotResolveHostError(str(e)) from e
        except httpcore.ConnectError as e:
            raise DownloadConnectionRefusedError(str(e)) from e
        except (httpcore.NetworkError, httpcore.ProtocolError) as e:
            if wire.head()[0]:
                raise ResponseDataLossError(str(e)) from e
            raise DownloadFailedError(str(e)) from e
        finally:
            current.reset(token)

    async def _read(self, request: Request, got: httpcore.Response, wire: Exchange) -> Response:
        came, status = Headers(), got.status
        if self.framed:
            head, _ = wire.head()
            for key, text in headers(head):
                came.appendlist(key, text.encode("latin-1"))
            status = int(head.split(b"\n", 1)[0].split()[1])
        else:
            for name, value in got.headers:
                came.appendlist(name, value)
        body = bytearray()
        async for part in got.aiter_stream():
            body += part
            if wire.most and len(body) > wire.most:
                raise DownloadCancelledError("too long")
        kind = responsetypes.from_args(headers=came, url=request.url, body=bytes(body))
        return kind(request.url, status=status, headers=came, body=bytes(body), request=request)

    async def close(self) -> None:
        await super().close()
        for pool in self._pools.values():
            await pool.aclose()


class FramedHandler(HttpcoreHandler):
    """Its parser gets our own heads, and asyncio's streams are used without anyio."""

    framed = True


WAYS: dict[str, type[WireHandler]] = {"ours": WireHandler, "h11": HttpcoreHandler, "framed": FramedHandler}


# -- the cost of a page


def serve(port: socket.socket) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, sock=port)
        await server.serve_forever()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


class Turns(BaseDownloadHandler):
    """All ways in one process; each request states its own."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._ways = {name: WAYS[name](crawler) for name in crawler.settings["WAYS"]}

    async def download_request(self, request: Request) -> Response:
        return await self._ways[request.meta["way"]].download_request(request)

    async def close(self) -> None:
        for way in self._ways.values():
            await way.close()


class Slices(Spider):
    """Fetches slices of pages, each in one way, one after another, in shuffled order."""

    name = "slices"
    plan: list[tuple[str, list[str]]]
    spent: list[tuple[str, float, float]]

    async def start(self) -> AsyncIterator[Request]:
        for way, urls in self.plan:
            self.left, self.done = len(urls), asyncio.Event()
            cpu, wall = time.process_time(), time.perf_counter()
            for url in urls:
                yield Request(url, dont_filter=True, meta={"way": way}, errback=self.broken)
            await self.done.wait()
            self.spent.append((way, time.process_time() - cpu, time.perf_counter() - wall))

    def parse(self, response: Response) -> None:  # noqa: ARG002  Scrapy's signature
        self.left -= 1
        if not self.left:
            self.done.set()

    def broken(self, failure: Any) -> None:
        raise CloseSpider(str(failure))


class Nothing(Memory):
    async def record(self, capture: Capture) -> None:
        if capture.body != PACKED:
            raise ValueError(f"did not come whole: {capture.url}")


def cost(slices: int, pages: int, hosts: int, of_host: int) -> None:
    names = list(WAYS)
    port = socket.create_server(("0.0.0.0", 0), backlog=1024)
    process = get_context("fork").Process(target=serve, args=(port,))
    process.start()
    number = port.getsockname()[1]
    plan = [
        (name, [f"http://127.0.2.{n % hosts + 1}:{number}/page/{turn}/{n}" for n in range(pages)])
        for turn in range(slices + 1)  # the first warms up
        for name in random.sample(names, len(names))
    ]
    spent: list[tuple[str, float, float]] = []
    settings = {
        **{f"{part}_ENABLED": False for part in OFF},
        "DOWNLOAD_HANDLERS": {"http": Turns},
        "WAYS": names,
        "EXTENSIONS": {Nothing: 0},
        "CONCURRENT_REQUESTS": hosts * of_host,
        "CONCURRENT_REQUESTS_PER_DOMAIN": of_host,
        "DOWNLOAD_TIMEOUT": 30,
    }
    try:
        crawler = AsyncCrawlerProcess(settings)
        crawler.crawl(Slices, plan=plan, spent=spent)
        crawler.start()
    finally:
        process.terminate()
        process.join()
    spent = spent[len(names) : len(spent) // len(names) * len(names)]  # only complete rounds, if it was stopped
    base = [(cpu, wall) for way, cpu, wall in spent if way == "ours"]
    for name in names:
        own = [(cpu, wall) for way, cpu, wall in spent if way == name]
        ratio = statistics.median(a[0] / b[0] for a, b in zip(own, base, strict=True))
        faster = statistics.median(b[1] / a[1] for a, b in zip(own, base, strict=True))
        cpu, wall = (statistics.median(column) for column in zip(*own, strict=True))
        print(f"{name:<8}{1000 * cpu / pages:6.2f} ms {ratio:5.2f}  {pages / wall:6.0f}/s {faster:5.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--slices", type=int, default=12, help="of each way")
    parser.add_argument("--pages", type=int, default=384, help="of a slice")
    parser.add_argument("--hosts", type=int, default=24)
    parser.add_argument("--of-host", type=int, default=8, help="requests at a time to each host")
    arguments = parser.parse_args()
    asyncio.run(broken(WAYS, every=False))
    asyncio.run(connections(WAYS))
    cost(arguments.slices, arguments.pages, arguments.hosts, arguments.of_host)


if __name__ == "__main__":
    main()

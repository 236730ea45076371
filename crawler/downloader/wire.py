"""The download handler that sees what really crosses the wire, and the resolver that keeps to allowed addresses.

Scrapy's own HTTP/1.1 handler gives headers re-cased and regrouped, without the reason phrase, and never the request as
sent. This one stands below it: it lets Scrapy do all the work and copies the bytes that pass the transport. Scrapy's
connection pool builds the protocol; ours is a subclass of the one that this Scrapy's pool would build.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Headers
from scrapy.resolver import CachingHostnameResolver
from scrapy.responsetypes import responsetypes
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import fail
from twisted.internet.interfaces import IResolutionReceiver
from zope.interface import implementer

from archive.warc.capture import Capture, Truncation
from archive.warc.codings import beginning, dechunked, ends_early
from archive.warc.http_message import head_length, header, redacted
from crawler.errors import PrivateAddressError
from crawler.limits import DOMAIN_CONCURRENCY, FLIGHT_BYTES, HEAD_BYTES, INTERIM_HEADS
from crawler.model.url_identity import registrable_domain
from crawler.net.address_guard import Guard, is_address, is_name
from crawler.net.credentials import origin
from crawler.net.tls_names import iana_name

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.base import ReactorBase
    from twisted.internet.defer import Deferred

log = logging.getLogger(__name__)

CAPTURE = "capture"
"""Key in a request's meta: the CaptureRow of the exchange, once it is recorded."""
VIA = "via"
"""Key in a request's meta: URL that led here."""
HOPS = "hops"
"""Key in a request's meta: how it was reached from a seed."""

_UNREAD_BYTES = 512 * 1024
"""What the system may have received and we have not read: enough for 40 Mbit/s over a tenth of a second."""
_IDLE_SECONDS = 2.0
"""A connection is kept so long for the host's next request, or for the gap between two."""
ENOUGH = "enough"
"""Key in a request's meta: bytes of the payload, content coding removed, that are all that is wanted of it. A longer
answer is no error; the capture of one is marked as cut."""

_SLOT_HEADER = b"X-Pressmark-Slot"
"""Names the exchange on its way from handler to protocol; never sent."""
ON_BEHALF = "on behalf"
"""Key in a request's meta: origin of the feed that it is made for; only its own credentials go with it."""


class Flight:
    """What all exchanges under way hold in memory."""

    def __init__(self, limit: int) -> None:
        """`limit` is in bytes."""
        self._limit = limit
        self._total = 0
        self._wires: dict[int, Wire] = {}

    def grew(self, wire: Wire, size: int) -> None:
        """Bytes came in; where all together are too many, the largest exchange is given up."""
        self._wires[id(wire)] = wire
        self._total += size
        while self._total > self._limit and self._wires:
            largest = max(self._wires.values(), key=lambda one: len(one.received))
            log.warning("answers under way are too large together, the largest is given up bytes=%d", self._total)
            self.gone(largest)
            largest.abort()

    def gone(self, wire: Wire) -> None:
        """An exchange came to its end."""
        if self._wires.pop(id(wire), None) is not None:
            self._total -= len(wire.received)


@dataclass(slots=True)
class Wire:
    """The bytes of one exchange while it goes on."""

    began: datetime | None = None
    """When the request was written; None before that."""
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    ip: str | None = None
    protocols: tuple[str, ...] = ("http/1.1",)
    cipher: str | None = None
    unverified: bool = False
    """The server's certificate is not verified."""
    clock: float = 0.0
    most: int = 0
    """Bytes of the payload that are wanted; framing may take as much again."""
    flight: Flight | None = None
    headed: bool = False
    """The head of the final response is whole."""
    begin: int = 0
    """Where the head at hand begins: that of the final response, or of an interim one."""
    end: int = 0
    """Where the head of the final response ends."""
    looked: int = 0
    """Up to there no end of the head at hand was found."""
    interims: int = 0
    transport: Any = None

    def start(self, transport: Any) -> None:  # noqa: ANN401  Twisted's
        """A request is about to be written to this connection; a retry on a new connection starts again."""
        if self.flight:
            self.flight.gone(self)
        self.sent.clear()
        self.received.clear()
        self.headed, self.begin, self.end, self.looked, self.interims = False, 0, 0, 0, 0
        self.began = datetime.now(UTC)
        self.clock = monotonic()
        self.transport = transport
        self.ip = transport.getPeer().host

    def receive(self, transport: Any, data: bytes) -> None:  # noqa: ANN401  Twisted's
        """Bytes came in. Only now a TLS handshake is sure to be over."""
        if not self.received:
            self._note_tls(transport)
        self.received += data
        if not self.headed:
            self._look()
            if not self.headed and (len(self.received) > HEAD_BYTES or self.interims > INTERIM_HEADS):
                log.warning("response head is too long, connection ends bytes=%d", len(self.received))
                transport.abortConnection()
                return
        if self.most and len(self.received) > HEAD_BYTES + 2 * self.most:
            log.warning("response is mostly framing, connection ends bytes=%d", len(self.received))
            transport.abortConnection()
        elif self.flight:
            self.flight.grew(self, len(data))

    def abort(self) -> None:
        """End the exchange."""
        if self.transport is not None:
            self.transport.abortConnection()

    def _note_tls(self, transport: Any) -> None:  # noqa: ANN401  Twisted's
        tls: Any = getattr(transport, "getHandle", lambda: None)()
        if hasattr(tls, "get_protocol_version_name"):
            self.protocols = ("http/1.1", tls.get_protocol_version_name().lower().replace("v", "/"))
            self.cipher = iana_name(tls.get_cipher_name())

    def _look(self) -> None:
        """Find the head of the final response in what came since the last look."""
        while (end := head_length(self.received, max(self.begin, self.looked - len(b"\n\r\n")))) is not None:
            status = bytes(self.received[self.begin : self.begin + 64]).split(b"\n", 1)[0].split(None, 2)[1:2]
            # Interim responses are no part of the final one (RFC 9110 §15.2).
            if not status or not status[0].startswith(b"1") or status[0] == b"101":
                self.headed, self.end = True, end
                return
            self.begin = self.looked = end
            self.interims += 1
        self.looked = len(self.received)

    def head(self) -> tuple[bytes, int]:
        """Head of the final response, and where what follows it begins; empty and 0 before the head is whole."""
        return (bytes(self.received[self.begin : self.end]), self.end) if self.headed else (b"", 0)

    def take(self, begin: int) -> bytes:
        """What was received from there on; nothing is held of it any more, for it may be large."""
        with memoryview(self.received) as view:
            body = bytes(view[begin:])
        self.received = bytearray()
        return body


class _TrustingHandler(HTTP11DownloadHandler):
    """Takes certificates as they are; its connections are its own, and nobody else's requests go over them."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._contextFactory._verify_certificates = False  # noqa: SLF001  it is set from settings


class WireHandler(HTTP11DownloadHandler):
    """Downloads as Scrapy does, and hands each exchange that got a response head to the run's `record`."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        from crawler.session.run import Run

        run = Run.of(crawler)
        self._record = run.record
        self._guard = run.guard
        self._holds = run.holds
        self._origins = run.origins
        self._gaps = run.gaps
        self._wires: dict[bytes, Wire] = {}
        self._numbers = itertools.count()
        self._at_a_time = crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._domains: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._all = asyncio.Semaphore(run.options.concurrency)
        self._most = run.options.max_bytes
        self._flight = Flight(FLIGHT_BYTES)
        idle_seconds = max(_IDLE_SECONDS, run.options.host_gap + 1)
        factory = self._pool._factory = _factory(self._wires, run.guard)  # noqa: SLF001  Scrapy sets it the same way
        self._trusting = _TrustingHandler(crawler)
        self._trusting._pool._factory = factory  # noqa: SLF001  Scrapy sets it the same way
        # Twisted keeps them for four minutes: a thousand hosts would take every file descriptor.
        self._pool.cachedConnectionTimeout = self._trusting._pool.cachedConnectionTimeout = idle_seconds  # noqa: SLF001

    async def download_request(self, request: Request) -> Response:
        """Download, record, return.

        No more requests go to one host at a time than the operator wants: without a gap between two, Scrapy's own count
        begins when a download does, and lets all that wait for the host begin together.
        """
        parts = urlparse_cached(request)
        turns = self._turns.setdefault(parts.netloc, asyncio.Semaphore(self._at_a_time))
        domain = registrable_domain(parts.hostname or "")
        together = self._domains.setdefault(domain, asyncio.Semaphore(DOMAIN_CONCURRENCY))
        async with turns:
            await asyncio.sleep(self._gaps.wait(parts.netloc, monotonic()))
            async with together, self._all:
                return await self._download(request, parts.hostname or "")

    async def _download(self, request: Request, host: str) -> Response:
        if is_address(host) and not self._guard.permits(host.strip("[]")):
            raise PrivateAddressError("is a private address", url=request.url)
        if not is_address(host) and not is_name(host):
            raise CannotResolveHostError(f"no host can have this name: {host[:100]}")
        self._holds.check(request.url)  # it may have waited while another answer came
        slot = b"%d" % next(self._numbers)
        most = request.meta.get("download_maxsize", self._most)
        wire = self._wires[slot] = Wire(most=most, flight=self._flight)
        request.headers[_SLOT_HEADER] = slot
        wire.unverified = self._origins.unverified(host)
        try:
            response = await self._downloaded(request, unverified=wire.unverified)
        except (ResponseDataLossError, DownloadTimeoutError, DownloadCancelledError) as e:
            cut = await self._record_truncated(request, wire, e)
            if cut is not None and ENOUGH in request.meta and isinstance(e, DownloadCancelledError):
                return _beginning(request, cut)
            raise
        except CannotResolveHostError as e:
            from twisted.internet import reactor

            if host in getattr(reactor.nameResolver, "refused", ()):
                raise PrivateAddressError("leads to a private address", url=request.url) from e
            raise
        finally:
            del self._wires[slot]
            self._flight.gone(wire)
            request.headers.pop(_SLOT_HEADER, None)
            request.headers.pop("Authorization", None)  # a redirect is asked for with the headers of this request
        value = response.headers.get("Retry-After")
        # Here, not in a middleware: the next request to the host is sent as soon as this returns.
        self._holds.answered(request.url, response.status, value.decode("latin-1") if value else None)
        head, _ = wire.head()
        early = ends_early(response.body, header(head, "content-encoding"), limit=most)
        capture = _capture(request, wire, head, response.body, truncated="unspecified" if early else None)
        request.meta[CAPTURE] = await self._record(capture)
        return _beginning(request, capture) if ENOUGH in request.meta else response

    async def _downloaded(self, request: Request, *, unverified: bool) -> Response:
        own = request.meta.get(ON_BEHALF) == origin(request.url)
        if own and (authorization := self._origins.authorization(request.url)):
            request.headers["Authorization"] = authorization
        if unverified:
            return await self._trusting.download_request(request)
        return await super().download_request(request)

    async def close(self) -> None:
        """End what connections there are."""
        await super().close()
        await self._trusting.close()

    async def _record_truncated(self, request: Request, wire: Wire, error: Exception) -> Capture | None:
        head, begin = wire.head()
        if not head:
            return None
        reason: Truncation = "length"
        if isinstance(error, ResponseDataLossError):
            reason = "disconnect"
        elif isinstance(error, DownloadTimeoutError):
            reason = "time"
        coding = (header(head, "transfer-encoding") or "").lower()
        body = wire.take(begin)
        if "chunked" in coding:
            body = dechunked(body)
        capture = _capture(request, wire, head, body, truncated=reason)
        await self._record(capture)
        return capture


def _beginning(request: Request, capture: Capture) -> Response:
    """An answer with as much of its payload as is wanted."""
    body = beginning(capture.body, capture.header("content-encoding"), limit=request.meta[ENOUGH])
    headers = Headers()
    for name, value in capture.headers:
        if name.lower() != "content-encoding":
            headers.appendlist(name, value.encode("latin-1"))
    kind = responsetypes.from_args(headers=headers, url=request.url, body=body)
    return kind(request.url, status=capture.status, headers=headers, body=body, request=request)


def _capture(request: Request, wire: Wire, head: bytes, body: bytes, *, truncated: Truncation | None = None) -> Capture:
    return Capture(
        url=request.url,
        date=wire.began or datetime.now(UTC),
        request=redacted(bytes(wire.sent)),
        head=head,
        body=body,
        seconds=monotonic() - wire.clock,
        ip=wire.ip,
        protocols=wire.protocols,
        cipher=wire.cipher,
        unverified=wire.unverified and wire.cipher is not None,
        truncated=truncated,
        via=request.meta.get(VIA),
        hops=request.meta.get(HOPS, ""),
    )


class _Tee:
    """A transport that copies what is written to it."""

    def __init__(self, transport: Any, sent: bytearray) -> None:  # noqa: ANN401  Twisted's
        self._transport = transport
        self._sent = sent

    def write(self, data: bytes) -> None:
        self._sent += data
        self._transport.write(data)

    def writeSequence(self, parts: Iterable[bytes]) -> None:  # noqa: N802  Twisted's name
        self.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the transport has
        return getattr(self._transport, name)


def _factory(wires: dict[bytes, Wire], guard: Guard) -> type[_LenientHTTP11ClientFactory]:  # noqa: C901  two classes
    """The class that Scrapy's pool builds connections with, knowing the exchanges that go on."""

    class WireProtocol(_LenientHTTP11ClientProtocol):
        _wire: Wire | None = None
        transport: Any

        def request(self, request: Any) -> Deferred[Any]:  # noqa: ANN401  Twisted's
            transport = self.transport
            peer = transport.getPeer().host
            if not guard.permits(peer):
                transport.abortConnection()
                return fail(PrivateAddressError(f"leads to the private address {peer}", url=str(request.uri)))
            # Twisted sends a request anew when a pooled connection turns out dead: by then the header is gone.
            slot = getattr(request, "_pressmark_slot", None)
            if slot is None:
                slot = (request.headers.getRawHeaders(_SLOT_HEADER) or [b""])[0]
                request.headers.removeHeader(_SLOT_HEADER)
                request._pressmark_slot = slot  # noqa: SLF001  our own mark on Twisted's object
            self._wire = wires.get(slot)
            if self._wire is None:
                return super().request(request)
            self._wire.start(transport)
            self.transport = _Tee(transport, self._wire.sent)
            try:
                return super().request(request)
            finally:
                self.transport = transport

        def connectionMade(self) -> None:  # noqa: N802  Twisted's name
            super().connectionMade()
            _narrow(self.transport)

        def dataReceived(self, data: bytes) -> None:  # noqa: N802  Twisted's name
            if self._wire is not None:
                self._wire.receive(self.transport, data)
            super().dataReceived(data)

        def _finishResponse(self, rest: bytes) -> None:  # noqa: N802  Twisted's name
            if self._wire is not None and rest:
                del self._wire.received[-len(rest) :]
            self._wire = None
            super()._finishResponse(rest)

    class WireFactory(_LenientHTTP11ClientFactory):
        noisy = False

        def buildProtocol(self, addr: Any) -> WireProtocol:  # noqa: N802, ARG002, ANN401  Twisted's
            return WireProtocol(self._quiescentCallback)

    return WireFactory


def _narrow(transport: Any) -> None:  # noqa: ANN401  Twisted's
    """Let the system hold little that is not read yet: what lies there when an answer is cut came for nothing."""
    while transport is not None:
        if (connection := getattr(transport, "socket", None)) is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UNREAD_BYTES)
            return
        transport = getattr(transport, "transport", None)  # TLS lies over TCP


@implementer(IResolutionReceiver)
class _Filter:
    """Lets allowed addresses through to whoever asked for a name."""

    def __init__(self, receiver: Any, guard: Guard, refused: Callable[[], None]) -> None:  # noqa: ANN401
        self._receiver = receiver
        self._guard = guard
        self._refused = refused

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802, ANN401  Twisted's name
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802, ANN401  Twisted's name
        if self._guard.permits(address.host):
            self._receiver.addressResolved(address)
        else:
            self._refused()

    def resolutionComplete(self) -> None:  # noqa: N802  Twisted's name
        self._receiver.resolutionComplete()


class GuardedResolver(CachingHostnameResolver):
    """Scrapy's caching resolver for IPv4 and IPv6, without the addresses that may not be connected to."""

    def __init__(self, reactor: ReactorBase, cache_size: int, guard: Guard) -> None:
        super().__init__(reactor, cache_size)
        self._guard = guard
        self.refused: set[str] = set()
        """Names that led to a private address."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: ReactorBase) -> GuardedResolver:
        """As Scrapy's, with the operator's allowed networks."""
        from crawler.session.run import options

        guard = Guard(options(crawler).allow_networks)
        return cls(reactor, crawler.settings.getint("DNSCACHE_SIZE"), guard)

    def resolveHostName(  # noqa: N802  Twisted's name
        self,
        resolutionReceiver: Any,  # noqa: N803, ANN401  Twisted's name
        hostName: str,  # noqa: N803  Twisted's name
        portNumber: int = 0,  # noqa: N803  Twisted's name
        addressTypes: Sequence[Any] | None = None,  # noqa: N803  Twisted's name
        transportSemantics: str = "TCP",  # noqa: N803  Twisted's name
    ) -> Any:  # noqa: ANN401  Twisted's
        """Resolve, leaving refused addresses out."""
        receiver = _Filter(resolutionReceiver, self._guard, lambda: self._refuse(hostName))
        return super().resolveHostName(receiver, hostName, portNumber, addressTypes, transportSemantics)

    def _refuse(self, name: str) -> None:
        if name not in self.refused:
            self.refused.add(name)
            log.warning("refused private address host=%s", name)

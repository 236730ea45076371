"""Adapter for Scrapy's and Twisted's internals: the one place that relies on private names and their order of calls.

Scrapy's connection pool creates the protocol; ours is a subclass of the one that this version's pool would create, and
copies the bytes that pass the transport. `tests/crawler/test_private_names.py` fails with a message for each name that
no longer exists; pyproject.toml bounds the versions.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.http import Response
from twisted.internet.defer import Deferred, fail

from crawler.downloader.exchange import Exchange
from crawler.errors import PrivateAddressError
from crawler.net.address_guard import Guard
from crawler.session.host_claims import ClaimLostError

_UNREAD_BYTES = 512 * 1024
"""Socket receive buffer: enough for 40 Mbit/s over a tenth of a second."""


SLOT_HEADER = b"X-Pressmark-Slot"
"""Identifies the exchange on its way from handler to protocol; never sent."""


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


def verify_no_certificates(handler: HTTP11DownloadHandler) -> None:
    """Turn off a handler's verification of certificates."""
    handler._contextFactory._verify_certificates = False  # noqa: SLF001  otherwise only set from settings


def capture_on_the_wire(
    handlers: Iterable[HTTP11DownloadHandler],
    exchanges: dict[bytes, Exchange],
    guard: Guard,
    *,
    idle_seconds: float,
) -> None:
    """Make handlers copy the bytes of the exchanges in flight.

    Args:
        handlers: Scrapy's own, or a subclass.
        exchanges: By the slot that a request names in `SLOT_HEADER`.
        guard: Checks the address once more when the connection is established (SSRF).
        idle_seconds: How long a connection is kept for the next request. Twisted keeps them for four minutes: a
            thousand hosts would take every file descriptor.
    """
    factory = _wire_factory(exchanges, guard)
    for handler in handlers:
        handler._pool._factory = factory  # noqa: SLF001  Scrapy sets it the same way
        handler._pool.cachedConnectionTimeout = idle_seconds  # noqa: SLF001  Twisted's public attribute, of Scrapy's pool


class RedirectHook(RedirectMiddleware):
    """Scrapy's redirects with two hooks: `target` before Scrapy creates the request, `following` after."""

    def target(self, redirected: Request, request: Request, reason: Any) -> tuple[Request, Any]:  # noqa: ANN401  Scrapy's
        """The request for the server's Location, and why it is made; may raise IgnoreRequest."""
        raise NotImplementedError

    def following(self, redirected: Request, request: Request) -> Request:
        """The request that is sent, created by Scrapy."""
        raise NotImplementedError

    def _engine_started(self) -> None:
        """Suppress Scrapy's warning that no middleware for the Referer header is enabled: that is intended."""

    def follow(self, request: Request, response: Response, url: str, reason: str) -> Request:
        """The request for another URL to which a response leads without a redirect status."""
        return self._redirect(self._build_redirect_request(request, response, url=url), request, reason)

    def _redirect(self, redirected: Request, request: Request, reason: Any) -> Request:  # noqa: ANN401  Scrapy's
        target, why = self.target(redirected, request, reason)
        made: Request = super()._redirect(target, request, why)
        return self.following(made, request)


def _wire_factory(wires: dict[bytes, Exchange], guard: Guard) -> type[_LenientHTTP11ClientFactory]:  # noqa: C901  two classes
    """The class with which Scrapy's pool creates connections, with access to the exchanges in flight."""

    class WireProtocol(_LenientHTTP11ClientProtocol):
        _wire: Exchange | None = None
        transport: Any

        def request(self, request: Any) -> Deferred[Any]:  # noqa: ANN401  Twisted's
            transport = self.transport
            peer = transport.getPeer().host
            if not guard.permits(peer):
                transport.abortConnection()
                return fail(PrivateAddressError(f"leads to the private address {peer}", url=str(request.uri)))
            # Twisted retries a request when a pooled connection turns out to be dead: by then the header is gone.
            slot = getattr(request, "_pressmark_slot", None)
            if slot is None:
                slot = (request.headers.getRawHeaders(SLOT_HEADER) or [b""])[0]
                request.headers.removeHeader(SLOT_HEADER)
                request._pressmark_slot = slot  # noqa: SLF001  our own mark on Twisted's object
            self._wire = wires.get(slot)
            if self._wire is None:
                return super().request(request)
            if self._wire.permitted is not None and not self._wire.permitted():
                transport.abortConnection()
                return fail(ClaimLostError("the claim on its host may have expired while the connection was made"))
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
    """Shrink the socket's receive buffer: bytes still in it when a response is cut off were transferred for nothing."""
    while transport is not None:
        if (connection := getattr(transport, "socket", None)) is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UNREAD_BYTES)
            return
        transport = getattr(transport, "transport", None)  # TLS is layered over TCP

"""The bytes of the exchanges in flight, as they cross the wire."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from archive.warc.http_message import head_length
from crawler.downloader.progress import Progress
from crawler.limits import HEAD_BYTES, IDLE_BYTES, INTERIM_HEADS
from crawler.net.tls_names import iana_name

log = logging.getLogger(__name__)


class Flight:
    """Memory used by all exchanges in flight."""

    def __init__(self, limit: int) -> None:
        """`limit` is in bytes."""
        self._limit = limit
        self._total = 0
        self._wires: dict[int, Exchange] = {}

    def grew(self, wire: Exchange, size: int) -> None:
        """Bytes were received; if all exchanges together have too many, the largest one is aborted."""
        self._wires[id(wire)] = wire
        self._total += size
        while self._total > self._limit and self._wires:
            largest = max(self._wires.values(), key=lambda one: len(one.received))
            log.warning("answers under way are too large together, the largest is given up bytes=%d", self._total)
            self.gone(largest)
            largest.abort()

    def gone(self, wire: Exchange) -> None:
        """An exchange has ended."""
        if self._wires.pop(id(wire), None) is not None:
            self._total -= len(wire.received)


@dataclass(slots=True)
class Exchange:
    """The bytes of one exchange in flight."""

    began: datetime | None = None
    """When the request was written; None before that."""
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    ip: str | None = None
    protocols: tuple[str, ...] = ("http/1.1",)
    cipher: str | None = None
    unverified: bool = False
    """Whether the server's certificate is exempt from verification."""
    clock: float = 0.0
    most: int = 0
    """Maximum number of payload bytes; framing may take as many again."""
    flight: Flight | None = None
    permitted: Callable[[], bool] | None = None
    """Asked just before the request is written; None: it may be."""
    headed: bool = False
    """Whether the head of the final response is complete."""
    begin: int = 0
    """Where the current head begins: that of the final response, or of an interim one."""
    end: int = 0
    """Where the head of the final response ends."""
    looked: int = 0
    """Up to where the end of the current head has been searched for."""
    interims: int = 0
    progress: Progress | None = None
    """What the payload has brought, once it is long."""
    given_up: str | None = None
    """Why the connection was ended although the response was not complete."""
    transport: Any = None

    def start(self, transport: Any) -> None:  # noqa: ANN401  Twisted's
        """A request is about to be written to this connection; a retry on a new connection starts again."""
        if self.flight:
            self.flight.gone(self)
        self.sent.clear()
        self.received.clear()
        self.headed, self.begin, self.end, self.looked, self.interims = False, 0, 0, 0, 0
        self.progress, self.given_up = None, None
        self.began = datetime.now(UTC)
        self.clock = monotonic()
        self.transport = transport
        self.ip = transport.getPeer().host

    def receive(self, transport: Any, data: bytes) -> None:  # noqa: ANN401  Twisted's
        """Bytes were received. Only now is the TLS handshake certain to be over."""
        if not self.received:
            self._note_tls(transport)
        self.received += data
        if not self.headed:
            self._look()
            if not self.headed and (len(self.received) > HEAD_BYTES or self.interims > INTERIM_HEADS):
                log.warning("response head is too long, connection ends bytes=%d", len(self.received))
                transport.abortConnection()
                return
        self.given_up = self._fault()
        if self.given_up is not None:
            log.warning("rest of a response is not waited for reason=%s bytes=%d", self.given_up, len(self.received))
            transport.abortConnection()
        elif self.flight:
            self.flight.grew(self, len(data))

    def _fault(self) -> str | None:
        """Why the rest of the response is not worth waiting for."""
        if self.most and len(self.received) > HEAD_BYTES + 2 * self.most:
            return "mostly framing"
        if not self.headed or len(self.received) - self.end < IDLE_BYTES:
            return None
        if self.progress is None:
            self.progress = Progress(bytes(self.received[self.begin : self.end]), self.most)
        return self.progress.fault(self.received, self.end)

    def abort(self) -> None:
        """Abort the connection."""
        if self.transport is not None:
            self.transport.abortConnection()

    def _note_tls(self, transport: Any) -> None:  # noqa: ANN401  Twisted's
        tls: Any = getattr(transport, "getHandle", lambda: None)()
        if hasattr(tls, "get_protocol_version_name"):
            self.protocols = ("http/1.1", tls.get_protocol_version_name().lower().replace("v", "/"))
            self.cipher = iana_name(tls.get_cipher_name())

    def _look(self) -> None:
        """Search the bytes received since the last call for the head of the final response."""
        while (end := head_length(self.received, max(self.begin, self.looked - len(b"\n\r\n")))) is not None:
            status = bytes(self.received[self.begin : self.begin + 64]).split(b"\n", 1)[0].split(None, 2)[1:2]
            # Interim responses are not part of the final one (RFC 9110 §15.2).
            if not status or not status[0].startswith(b"1") or status[0] == b"101":
                self.headed, self.end = True, end
                return
            self.begin = self.looked = end
            self.interims += 1
        self.looked = len(self.received)

    def head(self) -> tuple[bytes, int]:
        """Head of the final response, and the position after it; empty and 0 until the head is complete."""
        return (bytes(self.received[self.begin : self.end]), self.end) if self.headed else (b"", 0)

    def take(self, begin: int) -> bytes:
        """What was received from that position on; the buffer is then cleared, for it may be large."""
        with memoryview(self.received) as view:
            body = bytes(view[begin:])
        self.received = bytearray()
        return body

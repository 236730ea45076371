"""The bytes of the exchanges under way, as they cross the wire."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from archive.warc.http_message import head_length
from crawler.limits import HEAD_BYTES, INTERIM_HEADS
from crawler.net.tls_names import iana_name

log = logging.getLogger(__name__)


class Flight:
    """What all exchanges under way hold in memory."""

    def __init__(self, limit: int) -> None:
        """`limit` is in bytes."""
        self._limit = limit
        self._total = 0
        self._wires: dict[int, Exchange] = {}

    def grew(self, wire: Exchange, size: int) -> None:
        """Bytes came in; where all together are too many, the largest exchange is given up."""
        self._wires[id(wire)] = wire
        self._total += size
        while self._total > self._limit and self._wires:
            largest = max(self._wires.values(), key=lambda one: len(one.received))
            log.warning("answers under way are too large together, the largest is given up bytes=%d", self._total)
            self.gone(largest)
            largest.abort()

    def gone(self, wire: Exchange) -> None:
        """An exchange came to its end."""
        if self._wires.pop(id(wire), None) is not None:
            self._total -= len(wire.received)


@dataclass(slots=True)
class Exchange:
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

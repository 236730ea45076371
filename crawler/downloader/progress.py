"""Whether a response that is still arriving brings anything: its payload is decoded as it comes. No I/O.

A server can send for ever what decodes to nothing: empty blocks, empty members, chunks of one byte with long lines
around them, white space. Only long responses are looked at, each byte once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archive.warc.codings import decoders
from archive.warc.http_message import header
from crawler.limits import BLANK_BYTES, IDLE_BYTES, LEAST_SHARE

_CHUNK_LINE = re.compile(rb"(?:\r?\n)?[ \t]*([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r?\n")


class Progress:
    """What the payload of one response has brought so far.

    Args:
        head: Of the response.
        most: Maximum number of payload bytes, decoded.
    """

    def __init__(self, head: bytes, most: int) -> None:
        self._chunked = "chunked" in (header(head, "transfer-encoding") or "").lower()
        self._decode = decoders(header(head, "content-encoding"))
        self._most = most
        self._at = 0
        self._left = 0  # bytes of the current chunk that have not been read
        self._decoded = 0
        self._blank = 0  # white space at the end of what is decoded
        self._looked = 0
        self._brought = 0  # decoded bytes since then

    def fault(self, received: bytearray, begin: int) -> str | None:
        """Why the rest is not worth waiting for; None if it may be.

        Args:
            received: All bytes of the response so far.
            begin: Where its payload begins; neither moves between two calls.
        """
        self._at = self._at or begin
        for part in self._payload(received):
            for piece in self._decode(part):
                self._decoded += len(piece)
                self._brought += len(piece)
                said = piece.rstrip(b" \t\r\n\f\0")
                self._blank = len(piece) - len(said) + (0 if said else self._blank)
                if self._decoded > self._most:
                    return "larger than PRESSMARK_MAX_BYTES"
        if self._blank > BLANK_BYTES:
            return f"{BLANK_BYTES >> 20} MB of white space, and nothing else"
        if len(received) - max(self._looked, begin) < IDLE_BYTES:
            return None
        brought, self._looked, self._brought = self._brought, len(received), 0
        return None if brought * LEAST_SHARE >= IDLE_BYTES else "its bytes decode to next to nothing"

    def _payload(self, received: bytearray) -> Iterator[bytes]:
        """What has come since the last call, without chunked transfer coding."""
        if not self._chunked:
            part = bytes(memoryview(received)[self._at :])
            self._at += len(part)
            yield part
            return
        while self._at < len(received):
            if not self._left:
                line = _CHUNK_LINE.match(received, self._at)
                if line is None:
                    return
                self._left, self._at = int(line[1], 16), line.end()
                if not self._left:
                    return
            part = bytes(memoryview(received)[self._at : self._at + self._left])
            self._at += len(part)
            self._left -= len(part)
            yield part

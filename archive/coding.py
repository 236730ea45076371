"""Codings of payloads undone: content codings (gzip, deflate, br) under a limit, chunked transfer coding. No I/O."""

from __future__ import annotations

import io
from http.client import HTTPException, IncompleteRead
from http.client import HTTPResponse as ChunkReader
from typing import TYPE_CHECKING, cast

from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    import socket

MAX_DECODED = 100 * 1024 * 1024
"""Bytes that a payload may grow to; more is a bomb or no page."""
_CHUNK = 1 << 16


def decoded(body: bytes, coding: str | None, *, limit: int = MAX_DECODED) -> bytes:
    """A payload without its content coding.

    Args:
        body: The payload as received.
        coding: Value of Content-Encoding, such as `gzip`; None or one that is not known leaves the body as it is.
        limit: Most bytes that are given.

    Raises:
        ValueError: The body is not in that coding, or grows past the limit.
    """
    if not coding or not body:
        return body
    response = HTTPResponse(io.BytesIO(body), headers={"content-encoding": coding}, preload_content=False)
    out = bytearray()
    try:
        while part := response.read(_CHUNK, decode_content=True):
            out += part
            if len(out) > limit:
                raise ValueError(f"grows past {limit} bytes")
    except HTTPError as e:
        raise ValueError(f"is not in coding {coding}") from e
    return bytes(out)


class _Connection:
    """What http.client takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def dechunked(body: bytes) -> bytes:
    """A body without chunked transfer coding (RFC 9112 §7.1), as far as it came; as it is where it has no chunks."""
    reader = ChunkReader(
        cast("socket.socket", _Connection(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body))
    )
    try:
        reader.begin()
        return reader.read()
    except IncompleteRead as e:
        return e.partial or body
    except HTTPException:
        return body

"""Content codings (gzip, deflate, br) of stored payloads, undone under a limit. No I/O."""

from __future__ import annotations

import io

from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

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

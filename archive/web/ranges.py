"""Byte ranges, entity tags (RFC 9110 §13, §14) and streaming, in pieces of bounded size."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from itertools import islice
from threading import Lock

from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse

from archive.stores import ReadableStore
from archive.web.limits import PAYLOADS_BYTES

_PIECE = 1 << 20
_LINES = 1_000
"""Lines in one part of a stream."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def matches(headers: Headers, etag: str) -> bool:
    """Whether the client already has this version (If-None-Match): the response is then 304."""
    stated = headers.get("if-none-match", "")
    return stated.strip() == "*" or etag in (part.strip().removeprefix("W/") for part in stated.split(","))


def asked(headers: Headers, size: int, etag: str) -> tuple[int, int] | None:
    """First byte of the requested part and the one after its last; None if all of it is requested.

    Requests for several ranges get the whole, as RFC 9110 §14.2 allows.

    Raises:
        ValueError: There is no such part.
    """
    found = _RANGE.fullmatch(headers.get("range", "").strip().replace(" ", ""))
    if not found or (not found[1] and not found[2]):
        return None
    if headers.get("if-range", etag) != etag:
        return None
    if not found[1]:
        if int(found[2]) == 0 or size == 0:
            raise ValueError("empty range")
        return max(0, size - int(found[2])), size
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return None
    if first >= size:
        raise ValueError("beyond the end")
    return first, last + 1


def part_of(body: bytes, request_headers: Headers, headers: dict[str, str], status: int) -> Response:
    """A body that is in memory, or the requested part of it; only a 200 has parts."""
    if status != HTTPStatus.OK:
        return _sent(body, status, headers)
    headers["Accept-Ranges"] = "bytes"
    try:
        part = asked(request_headers, len(body), headers["ETag"])
    except ValueError:
        return _beyond(headers, len(body))
    if part is None:
        return _sent(body, status, headers)
    headers["Content-Range"] = f"bytes {part[0]}-{part[1] - 1}/{len(body)}"
    return _sent(body[part[0] : part[1]], HTTPStatus.PARTIAL_CONTENT, headers)


class _Sending:
    """Bytes of large responses in memory: a slow client keeps its response there."""

    def __init__(self) -> None:
        self.size = 0
        self.lock = Lock()

    def take(self, size: int) -> bool:
        """Reserve memory for another response; returns whether there was room."""
        with self.lock:
            if self.size and self.size + size > PAYLOADS_BYTES:
                return False
            self.size += size
            return True

    def give_back(self, size: int) -> None:
        """Free the memory of a response that was sent, or whose client is gone."""
        with self.lock:
            self.size -= size


_SENDING = _Sending()


def _sent(body: bytes, status: int, headers: dict[str, str]) -> Response:
    """A response with a body; a large one is sent in pieces, and only a few of these at a time."""
    if len(body) <= _PIECE:
        return Response(body, status, headers)
    if not _SENDING.take(len(body)):
        retry = {"Retry-After": "10", "Cache-Control": "no-store"}
        return Response(
            "too many large responses are being sent; try again later\n",
            HTTPStatus.SERVICE_UNAVAILABLE,
            retry,
            media_type="text/plain",
        )

    async def pieces() -> AsyncIterator[bytes]:
        try:
            view = memoryview(body)
            for at in range(0, len(body), _PIECE):
                yield bytes(view[at : at + _PIECE])
        finally:
            _SENDING.give_back(len(body))

    return StreamingResponse(pieces(), status, {**headers, "Content-Length": str(len(body))})


def _beyond(headers: dict[str, str], size: int) -> Response:
    """416; caches must not store it."""
    unsatisfied = {**headers, "Content-Range": f"bytes */{size}", "Cache-Control": "no-store"}
    return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=unsatisfied)


def stored(store: ReadableStore, key: str, size: int, request_headers: Headers, headers: dict[str, str]) -> Response:
    """An object, or the requested part of it, read piece by piece."""
    headers["Accept-Ranges"] = "bytes"
    try:
        part = asked(request_headers, size, headers["ETag"])
    except ValueError:
        return _beyond(headers, size)
    first, end = part or (0, size)
    headers["Content-Length"] = str(end - first)
    if part:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"

    def pieces() -> Iterator[bytes]:
        at = first
        while at < end:
            piece = store.read(key, at, min(_PIECE, end - at))
            if not piece:  # the response then ends early, which its length reveals
                return
            yield piece
            at += len(piece)

    return StreamingResponse(
        iterate_in_threadpool(pieces()), HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK, headers
    )


def in_parts(lines: Iterator[str]) -> AsyncIterator[bytes]:
    """Stream lines, many in one part; they are made in a thread, beside the event loop."""

    def parts() -> Iterator[bytes]:
        while part := list(islice(lines, _LINES)):
            yield "".join(part).encode()

    return iterate_in_threadpool(parts())

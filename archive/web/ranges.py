"""Byte ranges, entity tags (RFC 9110 §13, §14) and streaming, in pieces of bounded size."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import islice
from threading import Lock

from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from archive.errors import ArchiveError
from archive.reader.reader import SMALL_BYTES, STORED_PIECE, StoredBody
from archive.stores import ReadableStore
from archive.web.errors import BadRequestError
from archive.web.limits import PAYLOADS_BYTES

log = logging.getLogger(__name__)

_PIECE = 1 << 20
_STREAM_BYTES = 6 * STORED_PIECE
"""Memory of a response that is read from the store while it is sent."""
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


def part_of(body: bytes | StoredBody, request: Request, headers: dict[str, str], status: int) -> Response:
    """A body, or the requested part of it; only a 200 has parts. One that is in the store is read while it is sent."""
    size = body.size if isinstance(body, StoredBody) else len(body)
    if status != HTTPStatus.OK:
        return _sent(body, 0, size, request, headers, status)
    headers["Accept-Ranges"] = "bytes"
    try:
        part = asked(request.headers, size, headers["ETag"])
    except ValueError:
        return _beyond(headers, size)
    if part is None:
        return _sent(body, 0, size, request, headers, status)
    headers["Content-Range"] = f"bytes {part[0]}-{part[1] - 1}/{size}"
    return _sent(body, *part, request, headers, HTTPStatus.PARTIAL_CONTENT)


class Memory:
    """What large payloads occupy while they are worked on or sent: a slow client keeps its response there."""

    def __init__(self) -> None:
        self.size = 0
        self._lock = Lock()

    def take(self, size: int) -> None:
        """Reserve memory.

        Raises:
            BadRequestError: There is no room at the moment.
        """
        with self._lock:
            if self.size and self.size + size > PAYLOADS_BYTES:
                raise BadRequestError(
                    "too many large responses are being sent; try again later",
                    status=HTTPStatus.SERVICE_UNAVAILABLE,
                    headers={"Retry-After": "10"},
                )
            self.size += size

    def give_back(self, size: int) -> None:
        """Free the memory of a response that was sent, or whose client is gone."""
        with self._lock:
            self.size -= size

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Reserve memory during some work, as `take`; little does not count."""
        if size <= SMALL_BYTES:
            yield
            return
        self.take(size)
        try:
            yield
        finally:
            self.give_back(size)


MEMORY = Memory()


class _LargeResponse(StreamingResponse):
    """A response in pieces, and the memory that it takes until it was sent."""

    def __init__(self, pieces: Iterator[bytes], status: int, headers: dict[str, str], *, memory: int) -> None:
        super().__init__(iterate_in_threadpool(_until_damage(pieces)), status, headers)
        self._memory = memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        MEMORY.take(self._memory)
        try:
            await super().__call__(scope, receive, send)
        finally:
            MEMORY.give_back(self._memory)


def _until_damage(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, as far as they can be read: the response then ends early, which its length reveals."""
    try:
        yield from pieces
    except ArchiveError as e:
        log.warning("response cut off error=%s", e)


def _sent(
    body: bytes | StoredBody, first: int, end: int, request: Request, headers: dict[str, str], status: int
) -> Response:
    """A response with a part of a body; a large one is sent in pieces, and only a few of these at a time."""
    headers["Content-Length"] = str(end - first)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    if isinstance(body, StoredBody) and body.small is None:
        return _LargeResponse(body.pieces(first, end), status, headers, memory=_STREAM_BYTES)
    whole = body.small if isinstance(body, StoredBody) else body
    assert whole is not None
    if end - first <= _PIECE:
        return Response(whole[first:end], status, headers)
    view = memoryview(whole)
    pieces = (bytes(view[at : min(at + _PIECE, end)]) for at in range(first, end, _PIECE))
    return _LargeResponse(pieces, status, headers, memory=len(whole))


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

"""Decoding payloads: content codings up to a limit, chunked transfer coding, charsets. No I/O."""

from __future__ import annotations

import io
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from archive.limits import DECODED_BYTES, MEMBERS
from archive.warc.charset import page_charset

_HTML = frozenset({"text/html", "application/xhtml+xml"})
GZIP = b"\x1f\x8b"
"""What a gzip member begins with (RFC 1952 §2.3.1)."""
_MARKS = {"gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd", "deflate": b"\x78\x9c"}
"""What compressed payloads begin with, by their coding; Brotli has no mark."""
_CHUNK = 1 << 16
_SLICE = 1 << 14
"""What a member leaves of the input is copied: of more the time would grow with the square."""
_CHUNK_LINE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r?\n")


def decoded(body: bytes, coding: str | None, *, limit: int = DECODED_BYTES) -> bytes:
    """A payload without its content coding.

    Args:
        body: The payload as received.
        coding: Value of Content-Encoding, such as `gzip`; None or an unknown one leaves the body as it is.
        limit: Maximum number of bytes returned.

    Raises:
        ValueError: The body is not in that coding.
        OverflowError: The decoded payload exceeds the limit.
    """
    if not coding or not body:
        return body
    out = bytearray()
    for part in _decoding(body, coding):
        out += part
        if len(out) > limit:
            raise OverflowError(f"grows past {limit} bytes")
    return bytes(out)


def content(body: bytes, coding: str | None, content_type: str | None, *, limit: int = DECODED_BYTES) -> bytes:
    """A payload without its content coding, also where its header is wrong.

    Of a damaged payload it is what can be decoded. Servers also name codings that they did not apply, others than they
    applied, none, or one of two: there the first bytes tell.

    Args:
        body: The payload as received.
        coding: As for `decoded`.
        content_type: Its Content-Type header. HTML is never meant to be compressed; other types may be files.
        limit: As for `decoded`.

    Raises:
        OverflowError: The decoded payload exceeds the limit.
    """
    found = _as_far_as_it_goes(body, coding, limit) if coding else body
    is_html = (content_type or "").partition(";")[0].strip().lower() in _HTML
    if not is_html and (not coding or found != body):
        return found
    told = next((name for name, mark in _MARKS.items() if found.startswith(mark)), None)
    return _as_far_as_it_goes(found, told, limit) if told else found


def _as_far_as_it_goes(body: bytes, coding: str, limit: int) -> bytes:
    """A payload decoded up to its first fault; as it is if it begins with one."""
    try:
        return decoded(body, coding, limit=limit)
    except ValueError:
        return beginning(body, coding, limit=limit) or body


def beginning(body: bytes, coding: str | None, *, limit: int) -> bytes:
    """The first bytes of a payload without its content coding, as far as it can be decoded.

    Args:
        body: The payload as received, perhaps truncated.
        coding: As for `decoded`.
        limit: Maximum number of bytes returned.
    """
    if not coding:
        return body[:limit]
    out = bytearray()
    try:
        for part in _decoding(body, coding):
            out += part
            if len(out) >= limit:
                break
    except ValueError:
        return bytes(out[:limit])  # what was decoded before the fault counts
    return bytes(out[:limit])


def ends_early(body: bytes, coding: str | None, *, limit: int) -> bool:
    """Whether a compressed payload lacks its end, although the message was complete.

    Args:
        body: The payload as received.
        coding: As for `decoded`; of several codings the outermost is checked, of unknown ones nothing.
        limit: Decoded bytes after which checking stops.
    """
    name = (coding or "").rpartition(",")[2].strip().lower()
    stream = _STREAMS.get(name)
    if not body or stream is None:
        return False
    try:
        return not stream(body, limit)
    except (zlib.error, brotli.error, zstd.ZstdError, EOFError):
        return False  # not in such a coding, or broken in another way


def _inflated(body: bytes, limit: int) -> bool:
    """Whether a gzip or zlib stream has its end, as far as checked."""
    inflate, left, size = zlib.decompressobj(zlib.MAX_WBITS | 32), body, 0
    while left and not inflate.eof and size < limit:
        size += len(inflate.decompress(left, _CHUNK))
        left = inflate.unconsumed_tail
    return inflate.eof or size >= limit


def _unbrotlied(body: bytes, limit: int) -> bool:
    """As `_inflated`, for Brotli (RFC 7932)."""
    stream = brotli.Decompressor()
    size = len(stream.process(body, output_buffer_limit=_CHUNK))
    while not stream.is_finished() and size < limit and (part := stream.process(b"", output_buffer_limit=_CHUNK)):
        size += len(part)
    return stream.is_finished() or size >= limit


def _unzstded(body: bytes, limit: int) -> bool:
    """As `_inflated`, for Zstandard (RFC 8878), whose frames may follow one another."""
    stream, left, size = zstd.ZstdDecompressor(), body, 0
    while size < limit:
        size += len(stream.decompress(left, max_length=_CHUNK))
        left = b""
        if stream.eof and not stream.unused_data:
            return True
        if stream.eof:
            left, stream = stream.unused_data, zstd.ZstdDecompressor()
        elif stream.needs_input:
            return False
    return True


_STREAMS = {"gzip": _inflated, "x-gzip": _inflated, "deflate": _inflated, "br": _unbrotlied, "zstd": _unzstded}


Decode = Callable[[bytes], Iterator[bytes]]
"""Takes the next bytes of a payload; gives what they decode to in small pieces, none if that is nothing."""


def decoders(coding: str | None) -> Decode:
    """What decodes a payload while it arrives.

    A payload that is not in the coding from its first byte on is given as it is; after a later fault nothing is.

    Args:
        coding: As for `decoded`; what follows an unknown coding stays encoded.
    """
    steps: list[Decode] = []
    for name in reversed([one.strip().lower() for one in (coding or "").split(",")]):
        if name in {"", "identity"}:
            continue
        if name not in _STREAMS:
            break
        steps.append(_Step(name))
    return _through(steps)


def _through(steps: list[Decode]) -> Decode:
    def decode(data: bytes) -> Iterator[bytes]:
        if not steps:
            yield data
            return
        for piece in steps[0](data):
            yield from rest(piece)

    rest = _through(steps[1:]) if steps else decode
    return decode


class _Step:
    """One content coding, decoded piece by piece."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stream: Any = None
        self._given = False
        self._over = False
        self._plain = False
        self._members = 0

    def __call__(self, data: bytes) -> Iterator[bytes]:
        if self._plain:
            yield data
            return
        if self._over:
            return
        try:
            for start in range(0, len(data), _SLICE):
                for piece in self._pieces(data[start : start + _SLICE]):
                    self._given = True
                    yield piece
        except (zlib.error, brotli.error, zstd.ZstdError, EOFError):
            self._over = True
            if not self._given:
                self._plain = True
                yield data

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        if self._over:
            return
        if self._name == "br":
            yield from self._brotli(data)
        elif self._name == "zstd":
            yield from self._zstd(data)
        else:
            yield from self._deflate(data)

    def _deflate(self, data: bytes) -> Iterator[bytes]:
        """Members of gzip may follow one another; `deflate` is also sent without the header of zlib."""
        if self._stream is None:
            self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)
            try:
                self._stream.copy().decompress(data[:_CHUNK], 1)
            except zlib.error:
                if self._name == "deflate":
                    self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        while data:
            if piece := self._stream.decompress(data, _CHUNK):
                yield piece
            data = self._stream.unconsumed_tail
            if self._stream.eof and (data := self._stream.unused_data):
                if not data.startswith(GZIP) or not self._is_next():
                    self._over = True
                    return
                self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def _is_next(self) -> bool:
        """Whether one more member or frame is read: each takes as much time as many bytes."""
        self._members += 1
        return self._members < MEMBERS

    def _brotli(self, data: bytes) -> Iterator[bytes]:
        self._stream = self._stream or brotli.Decompressor()
        while not self._stream.is_finished():
            if not (piece := self._stream.process(data, output_buffer_limit=_CHUNK)):
                return
            data = b""
            yield piece
        self._over = True

    def _zstd(self, data: bytes) -> Iterator[bytes]:
        self._stream = self._stream or zstd.ZstdDecompressor()
        while True:
            if piece := self._stream.decompress(data, max_length=_CHUNK):
                yield piece
            data = b""
            if self._stream.eof:
                data, self._stream = self._stream.unused_data, zstd.ZstdDecompressor()
                self._over = not self._is_next()
                if not data or self._over:
                    return
            elif self._stream.needs_input:
                return


def _decoding(body: bytes, coding: str) -> Iterator[bytes]:
    from urllib3 import HTTPResponse
    from urllib3.exceptions import HTTPError

    response = HTTPResponse(io.BytesIO(body), headers={"content-encoding": coding}, preload_content=False)
    try:
        while part := response.read(_CHUNK, decode_content=True):
            yield part
    except HTTPError as e:
        raise ValueError(f"is not in coding {coding}") from e


def unicode_html(body: bytes, content_type: str | None) -> str:
    """A page's characters: every page is decoded here.

    A charset that the page declares counts if the bytes are text in it; else it is recognized.
    """
    from w3lib.encoding import to_unicode

    codec, mark = page_charset(body, content_type)
    return to_unicode(body[mark:], codec)


def dechunked(body: bytes) -> bytes:
    """A body without chunked transfer coding (RFC 9112 §7.1), as far as it goes; unchanged if it is not chunked."""
    out = bytearray()
    at = 0
    while found := _CHUNK_LINE.match(body, at):
        size = int(found[1], 16)
        out += body[found.end() : found.end() + size]
        at = found.end() + size + len(b"\r\n")
        if size == 0 or at > len(body):
            return bytes(out)
    return bytes(out) if at else body


def dechunking(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """As `dechunked`, for a body in pieces."""
    buffer = bytearray()

    def has(count: int) -> bool:
        while len(buffer) < count and (piece := next(pieces, None)) is not None:
            buffer.extend(piece)
        return len(buffer) >= count

    began = False
    while True:
        while b"\n" not in buffer and len(buffer) < _CHUNK and has(len(buffer) + 1):
            pass
        found = _CHUNK_LINE.match(buffer)
        if found is None:
            if not began:
                yield bytes(buffer)
                yield from pieces
            return
        size, began = int(found[1], 16), True
        del buffer[: found.end()]
        left = size
        while left and has(1):
            part = bytes(buffer[:left])
            del buffer[: len(part)]
            left -= len(part)
            yield part
        if size == 0 or not has(len(b"\r\n")):
            return
        del buffer[: len(b"\r\n")]

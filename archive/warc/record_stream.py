"""One WARC record in pieces of bounded size, for payloads that are too large to be held in memory. No I/O."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

from archive.limits import RECORD_HEAD_BYTES, STREAMED_HEAD_BYTES
from archive.warc.capture import written_sha1
from archive.warc.codings import GZIP, dechunking
from archive.warc.http_message import head_length, header
from archive.warc.record import Record, named_fields

_PIECE = 1 << 18
_SLICE = 1 << 16
_EMPTY_LINE = b"\r\n\r\n"


class RecordStream:
    """The first record in some stored bytes: its head now, its payload in pieces."""

    def __init__(self, stored: Iterable[bytes]) -> None:
        """Read as far as the payload.

        Args:
            stored: The bytes of its gzip member, in pieces; what follows it is not read.

        Raises:
            ValueError: The bytes are not a record, or end within its head.
            OverflowError: The HTTP head is too long for this.
        """
        self._plain = _inflated(iter(stored))
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        fields, rest = self._split(_EMPTY_LINE, RECORD_HEAD_BYTES)
        self.record = Record(headers=named_fields(fields), block=b"")
        """The record without its block."""
        length = self.record.get("Content-Length") or ""
        if not (length.isascii() and length.isdecimal()):
            raise ValueError("no length of the record")
        self._left = int(length)
        self._block = self._hashed(chain([rest], self._plain))
        self.head, self._begin = (b"", b"") if self.record.kind == "resource" else self._http_head()
        """The HTTP head, through its empty line."""

    def payload(self) -> Iterator[bytes]:
        """The entity body, without chunked transfer coding; it can be had once.

        Raises:
            ValueError: The bytes end early, are not what was compressed, or have another digest than the record states.
                The last piece comes after this was checked.
        """
        body: Iterator[bytes] = chain([self._begin], self._block)
        if self.head and "chunked" in (header(self.head, "transfer-encoding") or "").lower():
            body = chain(dechunking(body), (b"" for _ in body))  # chunks may end before the block does
        held: bytes | None = None
        for piece in filter(None, body):
            if held:
                yield held
            held = piece
        if self.record.get("WARC-Block-Digest") != written_sha1(self._sha1.digest()):
            raise ValueError(f"{self.record.id}: block digest differs")
        if held:
            yield held

    def _split(self, end: bytes, most: int) -> tuple[bytes, bytes]:
        """What comes before a mark, and what was read after it."""
        read = bytearray()
        while (at := read.find(end)) < 0:
            piece = next(self._plain, b"")
            if not piece or len(read) > most:
                raise ValueError("no record")
            read += piece
        return bytes(read[:at]), bytes(read[at + len(end) :])

    def _http_head(self) -> tuple[bytes, bytes]:
        read = bytearray()
        for piece in self._block:
            begin = max(0, len(read) - 3)
            read += piece
            if (length := head_length(read, begin)) is not None:
                return bytes(read[:length]), bytes(read[length:])
            if len(read) > STREAMED_HEAD_BYTES:
                raise OverflowError(f"a head of more than {STREAMED_HEAD_BYTES} bytes")
        return bytes(read), b""

    def _hashed(self, plain: Iterable[bytes]) -> Iterator[bytes]:
        """The block, while its digest is computed; then the rest of the member, whose end has a checksum."""
        for piece in plain:
            block = piece[: self._left]
            self._left -= len(block)
            self._sha1.update(block)
            if block:
                yield block
        if self._left:
            raise ValueError("ends within a record")


def _slices(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Smaller pieces: what inflating leaves of one is copied."""
    for piece in pieces:
        for at in range(0, len(piece), _SLICE):
            yield piece[at : at + _SLICE]


def _inflated(stored: Iterator[bytes]) -> Iterator[bytes]:
    """The content of the first gzip member, or bytes that are not compressed as they are."""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    first = next(stored, b"")
    if not first.startswith(GZIP):
        yield first
        yield from stored
        return
    try:
        for piece in _slices(chain([first], stored)):
            left, plain = piece, b""
            while left or len(plain) == _PIECE:  # more of it may wait to be written
                plain = inflate.decompress(left, _PIECE)
                left = inflate.unconsumed_tail
                if plain:
                    yield plain
                if inflate.eof:
                    return
    except zlib.error as e:
        raise ValueError(str(e)) from e
    raise ValueError("ends within a record")

"""The gzip members of a WARC file, and the record in each."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from archive.warc import record as warc

log = logging.getLogger(__name__)

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One gzip member of a WARC file and the record in it."""

    offset: int
    length: int
    record: warc.Record


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; empty at the end."""


def split_members(stream: Readable) -> Iterator[bytes]:
    """The gzip members of a file as they are stored, whatever is in them.

    Raises:
        ValueError: Something in it is no whole member.
    """
    rest = b""
    while rest or (rest := stream.read(_CHUNK)):
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        stored = bytearray()
        while not inflate.eof:
            data = rest or stream.read(_CHUNK)
            if not data:
                raise ValueError("ends within a gzip member")
            try:
                inflate.decompress(data)
            except zlib.error as e:
                raise ValueError(f"is no gzip member: {e}") from e
            rest = inflate.unused_data
            stored += data[: len(data) - len(rest)]
        yield bytes(stored)


def members(stream: Readable, offset: int = 0) -> Iterator[Member]:
    """The complete members of a WARC file; ends before one that is truncated or not a record.

    Args:
        stream: The file, from its beginning or from that of a member.
        offset: Where in the file the stream begins.
    """
    rest = b""
    while True:
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        plain = bytearray()
        taken = 0
        try:
            while not inflate.eof:
                data = rest or stream.read(_CHUNK)
                if not data:
                    return
                plain += inflate.decompress(data)
                taken += len(data) - len(inflate.unused_data)
                rest = inflate.unused_data
            record = warc.read_one(bytes(plain))
        except (zlib.error, ValueError) as e:
            log.debug("no whole record offset=%d reason=%s", offset, e)
            return
        yield Member(offset=offset, length=taken, record=record)
        offset += taken

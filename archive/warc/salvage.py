"""What is whole in a damaged file of ours: its records before, between and behind the damage."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from archive.warc.capture import digest
from archive.warc.members import Member, members

_MAGIC = b"\x1f\x8b\x08\x00"
"""How each gzip member of ours begins (RFC 1952 §2.3): deflate, no optional fields."""
_CHUNK = 1 << 20
_HEAD_BYTES = 1 << 16
"""Beginning of a member, packed and unpacked, that is looked at before all of it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Bytes of a file that are no whole record."""

    offset: int
    length: int
    torn: bool
    """They are the beginning of one record, and the file ends within it: what a killed process leaves."""

    @property
    def end(self) -> int:
        """Offset of the first byte after it."""
        return self.offset + self.length


def survey(file: BinaryIO) -> Iterator[Member | Gap]:
    """Every whole record of a file that we wrote, in order, and the gaps between them.

    A record is whole if its gzip member is, and its block has the digest that it states. Behind damage, only records
    that name the file's own warcinfo count: a captured page may contain a WARC file, and anybody may have written it.
    """
    size = file.seek(0, os.SEEK_END)
    info: str | None = None
    offset = 0
    while offset < size:
        file.seek(offset)
        for member in members(file, offset):
            offset += member.length
            if not _sound(member):
                yield Gap(offset=member.offset, length=member.length, torn=False)
                continue
            info = info or _info(member)
            yield member
        if offset < size:
            found = _next(file, offset + 1, info)
            end = size if found is None else found
            yield Gap(offset=offset, length=end - offset, torn=found is None and _torn(file, offset))
            offset = end


def _sound(member: Member) -> bool:
    return member.record.get("WARC-Block-Digest") in {None, digest(member.record.block)}


def _info(member: Member) -> str | None:
    """WARC-Record-ID of the file's warcinfo record, which each record names."""
    return member.record.id if member.record.kind == "warcinfo" else member.record.get("WARC-Warcinfo-ID")


def _torn(file: BinaryIO, offset: int) -> bool:
    """Whether a member is in order as far as it goes, and the file ends before it does."""
    file.seek(offset)
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        while data := file.read(_CHUNK):
            while data and not inflate.eof:
                inflate.decompress(data, _CHUNK)
                data = inflate.unconsumed_tail
            if inflate.eof:
                return False
    except zlib.error:
        return False
    return True


def _next(file: BinaryIO, begin: int, info: str | None) -> int | None:
    """Where the next whole record begins."""
    for offset in _candidates(file, begin):
        if _promising(file, offset, info):
            file.seek(offset)
            found = next(members(file, offset), None)
            if found is not None and _sound(found) and info in {None, _info(found)}:
                return offset
    return None


def _candidates(file: BinaryIO, begin: int) -> Iterator[int]:
    """Where a member might begin, from an offset on."""
    while True:
        file.seek(begin)
        part = file.read(_CHUNK)
        at = part.find(_MAGIC)
        while at >= 0:
            yield begin + at
            at = part.find(_MAGIC, at + 1)
        if len(part) < _CHUNK:
            return
        begin += _CHUNK - len(_MAGIC) + 1


def _promising(file: BinaryIO, offset: int, info: str | None) -> bool:
    """Whether a member begins like a record of this file; keeps what only looks like one from being unpacked."""
    file.seek(offset)
    try:
        head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(file.read(_HEAD_BYTES), _HEAD_BYTES)
    except zlib.error:
        return False
    return head.startswith(b"WARC/1.") and (info or "").encode() in head

"""Records of WARC, ARC and WACZ files that other tools made: whole ones are given, broken ones named.

Whatever is wrong with a file costs the records that it touches and no other: reading goes on at the next header.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from archive import warc
from archive.capture import digest

MAX_BLOCK = 1 << 30
"""Bytes of one record's block; a larger one is named and left out."""
MAX_HEAD = 1 << 17
"""Bytes of one record's header."""
MAX_MEMBERS = 10_000
"""Files looked at in one WACZ."""
MAX_JSON = 16 << 20
"""Bytes of a WACZ's datapackage.json."""

_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b\x08"
_START = re.compile(rb"^WARC/\d", re.MULTILINE | re.IGNORECASE)
_ARC = b"filedesc://"
_ARC_LINE = re.compile(rb"[a-z][a-z0-9+.-]*:\S.* \S+ \d{14,} \S+ \d+\s*", re.IGNORECASE)
_OTHER = {b"\x28\xb5\x2f\xfd": "Zstandard", b"\x04\x22\x4d\x18": "LZ4", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_MANDATORY = ("WARC-Record-ID", "WARC-Date", "WARC-Type")
_ARCHIVE = re.compile(r"archive/[^/]+\.w?arc(\.gz)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Something in a file that is no whole record."""

    place: str
    """File, and member of a WACZ."""
    offset: int | None
    """Byte at which it begins, counted without compression and from the last break; None for the whole of it."""
    reason: str

    def line(self) -> str:
        """As people see it."""
        where = "" if self.offset is None else f" at byte {self.offset}"
        return f"{self.place}{where}: {self.reason}"


def records(path: Path) -> Iterator[warc.Record | Broken]:
    """What a file holds, in its order.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            yield from _wacz(path, file)
        else:
            file.seek(0)
            yield from _records(file, str(path))


def _wacz(path: Path, file: BinaryIO) -> Iterator[warc.Record | Broken]:
    try:
        with zipfile.ZipFile(file) as package:
            names = [info.filename for info in package.infolist()[:MAX_MEMBERS]]
            stated, wrong = _stated(package, str(path))
            yield from wrong
            archives = [name for name in names if _ARCHIVE.fullmatch(name)]
            if not archives:
                yield Broken(place=str(path), offset=None, reason="holds no WARC: is it a WACZ?")
            for name in archives:
                place = f"{path}: {name}"
                with package.open(name) as member:
                    if name in stated and stated[name] != _hash(member):
                        yield Broken(place=place, offset=None, reason="is not what datapackage.json says")
                with package.open(name) as member:
                    yield from _records(cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", member))), place)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as e:
        yield Broken(place=str(path), offset=None, reason=f"broken ZIP: {e}")


def _stated(package: zipfile.ZipFile, place: str) -> tuple[dict[str, str], list[Broken]]:
    """Hash of each file by its path, as the package tells."""
    try:
        with package.open("datapackage.json") as file:
            told = json.loads(file.read(MAX_JSON))
        hashes = {str(found["path"]): str(found.get("hash", "")) for found in told["resources"]}
        # Earlier versions had none there.
        return {path: value.removeprefix("sha256:") for path, value in hashes.items() if value}, []
    except (KeyError, TypeError, ValueError, RecursionError) as e:
        reason = f"datapackage.json cannot be read ({type(e).__name__}), so that its hashes are not checked"
        return {}, [Broken(place=place, offset=None, reason=reason)]


def _hash(file: object) -> str:
    sha256 = hashlib.sha256()
    while part := file.read(_CHUNK):  # type: ignore[attr-defined]
        sha256.update(part)
    return sha256.hexdigest()


def _records(file: BinaryIO, place: str) -> Iterator[warc.Record | Broken]:
    start = file.peek(16)[:16] if isinstance(file, io.BufferedReader) else b""
    for magic, name in _OTHER.items():
        if start.startswith(magic):
            yield Broken(place=place, offset=None, reason=f"is compressed with {name}: decompress it first")
            return
    if not start.startswith(_GZIP):
        yield from _Plain(file, place).records()
        return
    members = _Gzip(file)
    while not members.ended:
        last: warc.Record | Broken | None = None
        for last in _Plain(members, place).records():
            yield last
        if members.broken:
            if not isinstance(last, Broken):  # else it is told already
                yield Broken(place=place, offset=members.begun, reason=members.broken)
            members.resume()


class _Gzip:
    """The bytes of a gzip file's members, up to the first that is broken; `resume` goes on behind it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._raw = b""
        self._at = 0  # of the first byte of _raw in the file
        self.begun = 0
        """Where the member at hand begins in the file."""
        self.broken = ""
        self.ended = False

    def read(self, _size: int) -> bytes:
        """Some bytes; none at the end of a run of good members."""
        while not self.ended and not self.broken:
            if not self._raw:
                self._raw = self._file.read(_CHUNK)
                if not self._raw:
                    self.ended = True
                    if self.begun < self._at:
                        self.broken = "ends within a gzip member"
                    break
            try:
                out = self._inflate.decompress(self._raw, _CHUNK * 16)
            except zlib.error as e:
                self.broken = f"broken gzip: {e}"
                break
            rest = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            self._at += len(self._raw) - len(rest)
            self._raw = rest
            if self._inflate.eof:
                self._next()
            if out:
                return out
        return b""

    def _next(self) -> None:
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while not self._raw.strip(b"\0"):  # padding after the last member
            self._at += len(self._raw)
            self._raw = self._file.read(_CHUNK)
            if not self._raw:
                break
        self.begun = self._at
        if self._raw and not _GZIP.startswith(self._raw[:3]):
            self.broken = "no gzip member follows"

    def resume(self) -> None:
        """Go on at the next place that looks like a gzip member with a record in it."""
        self.broken = ""
        start = self.begun + 1
        while True:
            self._file.seek(start)
            window = self._file.read(_CHUNK)
            found = window.find(_GZIP)
            if found < 0:
                if len(window) < _CHUNK:
                    self.ended = True
                    return
                start += len(window) - len(_GZIP) + 1
                continue
            start += found
            self._file.seek(start)
            try:
                begin = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(self._file.read(_CHUNK), 64)
            except zlib.error:
                begin = b""
            if begin.startswith(b"WARC/"):
                break
            start += 1
        self._file.seek(start)
        self.begun = self._at = start
        self._raw = b""
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)


class _Plain:
    """Records of a run of bytes without compression."""

    def __init__(self, source: BinaryIO | _Gzip, place: str) -> None:
        self._source = source
        self._place = place
        self._waiting = b""
        self._at = 0

    def records(self) -> Iterator[warc.Record | Broken]:
        """Whole records; what lies between them is named."""
        self._skip_blank()
        first = self._peek(MAX_HEAD).split(b"\n", 1)[0]
        if first.startswith(_ARC) or _ARC_LINE.fullmatch(first):
            yield from self._arc()
            return
        while True:
            self._skip_blank()
            begin = self._at
            if not self._peek(1):
                return
            if not _START.match(self._peek(6)):
                self._resync()
                yield self._broken(begin, f"no record: {self._at - begin} bytes are left out")
                continue
            found = self._record(begin)
            yield found
            if isinstance(found, Broken):
                self._resync()

    def _record(self, begin: int) -> warc.Record | Broken:
        head = self._head()
        if head is None:
            return self._broken(begin, "a record's header does not end")
        try:
            headers = warc.read_head(head)
        except ValueError as e:
            return self._broken(begin, str(e))
        stated = warc.Record(headers=headers, block=b"").get("Content-Length") or ""
        if not stated.isdigit() or len(stated) > 15:  # noqa: PLR2004  a petabyte
            return self._broken(begin, f"Content-Length {stated[:40]!r} is no length")
        if int(stated) > MAX_BLOCK:
            self._skip(int(stated))
            return self._broken(begin, f"a block of {stated} bytes is larger than {MAX_BLOCK}")
        return self._whole(begin, headers, int(stated))

    def _whole(self, begin: int, headers: tuple[tuple[str, str], ...], length: int) -> warc.Record | Broken:
        block = self._read(length)
        if len(block) < length or not self._ends_here():
            self._unread(block)  # whole records may lie in it
            where = "ends within a record" if len(block) < length else "no record ends at the end of one"
            return self._broken(begin, f"{where} of {length} bytes")
        record = warc.Record(headers=headers, block=block)
        wrong = _wrong(record)
        return self._broken(begin, f"{record.id or 'record'}: {wrong}") if wrong else record

    def _arc(self) -> Iterator[warc.Record | Broken]:
        """ARC 1.0: a line, then so many bytes as its last word says."""
        while True:
            self._skip_blank()
            begin = self._at
            line = self._line()
            if not line:
                return
            words = line.decode("latin-1").rsplit(None, 4)
            if not line.startswith(_ARC) and not _ARC_LINE.fullmatch(line):
                while (line := self._peek(MAX_HEAD).split(b"\n", 1)[0]) and not _ARC_LINE.fullmatch(line):
                    self._line()
                    self._skip_blank()
                yield self._broken(begin, f"no ARC header: {self._at - begin} bytes are left out")
            elif not words[-1].isdigit() or int(words[-1]) > MAX_BLOCK:
                yield self._broken(begin, f"{words[-1][:40]!r} is no length of an ARC record")
            elif len(block := self._read(int(words[-1]))) < int(words[-1]):
                yield self._broken(begin, f"ends within a record of {words[-1]} bytes")
            elif not line.startswith(_ARC):
                yield self._from_arc(begin, words, block)

    def _from_arc(self, begin: int, words: list[str], block: bytes) -> warc.Record | Broken:
        """An ARC record as a WARC one; its id follows from what it holds, so that it is the same at each reading."""
        url, ip, date, mime, _ = words
        try:
            moment = datetime.strptime(date[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return self._broken(begin, f"{date[:40]!r} is no date")
        http = block.startswith(b"HTTP/")
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{moment:%Y%m%d%H%M%S} {digest(block)} {url}")
        return warc.Record(
            headers=(
                ("WARC-Type", "response" if http else "resource"),
                ("WARC-Record-ID", warc.record_id(str(name))),
                ("WARC-Date", warc.write_date(moment)),
                ("WARC-Target-URI", url),
                *((("WARC-IP-Address", ip),) if ip != "0.0.0.0" else ()),  # noqa: S104  means that it is not known
                ("Content-Type", "application/http; msgtype=response" if http else mime),
            ),
            block=block,
        )

    # -- bytes

    def _fill(self, size: int) -> None:
        parts = [self._waiting]
        have = len(self._waiting)
        while have < size and (part := self._source.read(_CHUNK)):
            parts.append(part)
            have += len(part)
        self._waiting = b"".join(parts)

    def _peek(self, size: int) -> bytes:
        self._fill(size)
        return self._waiting[:size]

    def _read(self, size: int) -> bytes:
        self._fill(size)
        data, self._waiting = self._waiting[:size], self._waiting[size:]
        self._at += len(data)
        return data

    def _unread(self, data: bytes) -> None:
        self._waiting = data + self._waiting
        self._at -= len(data)

    def _skip(self, size: int) -> None:
        while size > 0 and (part := self._read(min(size, _CHUNK))):
            size -= len(part)

    def _line(self) -> bytes:
        data = self._peek(MAX_HEAD)
        return self._read(data.find(b"\n") + 1 or len(data))

    def _head(self) -> bytes | None:
        """A record's header through its empty line."""
        size = 1 << 12
        while True:
            data = self._peek(size)
            ends = [at + len(blank) for blank in (b"\r\n\r\n", b"\n\n") if (at := data.find(blank)) >= 0]
            if ends:
                return self._read(min(ends))
            if len(data) < size or size >= MAX_HEAD:
                return None
            size *= 2

    def _skip_blank(self) -> None:
        while (data := self._peek(1)) and data in b"\r\n":
            self._read(1)

    def _ends_here(self) -> bool:
        """Whether a block ended at a place where one may: at the end, or before line ends and another header."""
        following = self._peek(16).lstrip(b"\r\n")
        return not following or _START.match(following) is not None or self._peek(4) == b"\r\n\r\n"

    def _resync(self) -> None:
        """Go to the next record's header."""
        if _START.match(self._peek(6)):
            self._read(1)
        while data := self._peek(_CHUNK):
            found = _START.search(data, 0) if self._at == 0 else _START.search(b"x" + data)
            if found is not None:
                self._read(found.start() - (self._at != 0))
                return
            if len(data) < _CHUNK:
                self._read(len(data))
                return
            self._read(len(data) - 8)

    def _broken(self, offset: int, reason: str) -> Broken:
        return Broken(place=self._place, offset=offset, reason=reason)


def _wrong(record: warc.Record) -> str | None:
    """What is wrong with a record by its own words."""
    missing = [name for name in _MANDATORY if not record.get(name)]
    if missing:
        return f"has no {missing[0]}"
    try:
        _ = record.date
    except ValueError:
        return f"WARC-Date {(record.get('WARC-Date') or '')[:40]!r} is no date"
    # Of revisits some tools state the digest of what they stand for.
    if record.kind != "revisit" and warc.digest_agrees(record.get("WARC-Block-Digest"), record.block) is False:
        return "block digest differs"
    return None

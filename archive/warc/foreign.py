"""Records of WARC, ARC and WACZ files made by other tools: complete ones are returned, broken ones reported.

A fault in a file costs only the records that it affects: reading continues at the next header.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO, cast

from archive.limits import ARC_LINE_BYTES, RECORD_BYTES, RECORD_HEAD_BYTES, WACZ_GROWTH, WACZ_JSON_BYTES, WACZ_MEMBERS
from archive.warc import record as warc
from archive.warc.capture import digest
from archive.warc.http_message import head_length

_CHUNK = 1 << 16
_BEGINNING = 512
"""Bytes of a gzip member that show whether it contains a record."""
_GZIP = b"\x1f\x8b\x08"
_START = re.compile(rb"WARC/\d", re.IGNORECASE)
_NEXT = re.compile(rb"\nWARC/\d", re.IGNORECASE)
_ARC = b"filedesc://"
_ARC_LINE = re.compile(rb"[a-z][a-z0-9+.-]*:\S.* \S+ \d{14,} \S+ \d+\s*", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,15}")
_OTHER = {b"\x28\xb5\x2f\xfd": "Zstandard", b"\x04\x22\x4d\x18": "LZ4", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_MANDATORY = ("WARC-Record-ID", "WARC-Date", "WARC-Type")
_ARCHIVE = re.compile(r"archive/[^/]+\.w?arc(\.gz)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Something in a file that is not a complete record."""

    place: str
    """File, and member of a WACZ."""
    offset: int | None
    """Byte at which it begins, or at which its member begins in a gzip file with many; None for the whole file."""
    reason: str

    def line(self) -> str:
        """The fault as people see it."""
        where = "" if self.offset is None else f" at byte {self.offset}"
        return f"{self.place}{where}: {self.reason}"


def records(path: Path) -> Iterator[warc.Record | Broken]:
    """The contents of a file, in its order.

    Raises:
        OSError: The file cannot be read.
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
            names = [info.filename for info in package.infolist()[:WACZ_MEMBERS]]
            stated, wrong = _stated(package, str(path))
            yield from wrong
            archives = [name for name in names if _ARCHIVE.fullmatch(name)]
            if not archives:
                yield Broken(place=str(path), offset=None, reason="holds no WARC: is it a WACZ?")
            for name in archives:
                place = f"{path}: {name}"
                # Copied to disk: finding broken records means seeking back and forth, slow in a compressed file.
                with tempfile.TemporaryFile() as copy:
                    digest = _copied(package, name, copy)
                    if digest is None:
                        yield Broken(place=place, offset=None, reason=f"grows more than {WACZ_GROWTH} times")
                        continue
                    if name in stated and stated[name] != digest:
                        yield Broken(place=place, offset=None, reason="is not what datapackage.json says")
                    copy.seek(0)
                    yield from _records(cast("BinaryIO", copy), place)
    # zipfile raises the last two for an unknown compression method and for an encrypted member.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as e:
        yield Broken(place=str(path), offset=None, reason=f"broken ZIP: {e}")


def _copied(package: zipfile.ZipFile, name: str, copy: IO[bytes]) -> str | None:
    """Copy a file out of a package; returns its SHA-256, or None if it is a decompression bomb."""
    left = package.getinfo(name).compress_size * WACZ_GROWTH + (_CHUNK << 8)
    digest = hashlib.sha256()
    with package.open(name) as member:
        while part := member.read(_CHUNK * 16):
            left -= len(part)
            if left < 0:
                return None
            digest.update(part)
            copy.write(part)
    return digest.hexdigest()


def _stated(package: zipfile.ZipFile, place: str) -> tuple[dict[str, str], list[Broken]]:
    """Hash of each file by its path, as the package states it."""
    try:
        with package.open("datapackage.json") as file:
            told = json.loads(file.read(WACZ_JSON_BYTES))
        hashes = {str(found["path"]): str(found.get("hash", "")) for found in told["resources"]}
        # Earlier versions of WACZ have none there.
        return {path: value.removeprefix("sha256:") for path, value in hashes.items() if value}, []
    except (KeyError, TypeError, ValueError, RecursionError) as e:
        reason = f"datapackage.json cannot be read ({type(e).__name__}), so that its hashes are not checked"
        return {}, [Broken(place=place, offset=None, reason=reason)]


def _records(file: BinaryIO, place: str) -> Iterator[warc.Record | Broken]:
    start = file.peek(16)[:16] if isinstance(file, io.BufferedReader | io.BufferedRandom) else b""
    for magic, name in _OTHER.items():
        if start.startswith(magic):
            yield Broken(place=place, offset=None, reason=f"is compressed with {name}: decompress it first")
            return
    if not start.startswith(_GZIP):
        yield from _Plain(file, place).records()
        return
    members = _Gzip(file)
    while members.next():
        # A record lies within one member: what follows a truncated one in its member is its own content.
        last: warc.Record | Broken | None = None
        for last in _Plain(members, place, base=members.begun).records():
            yield last
        if members.broken and not isinstance(last, Broken):  # otherwise it is reported already
            yield Broken(place=place, offset=members.begun, reason=members.broken)


class _Gzip:
    """The members of a gzip file, one after the other; broken ones as far as they can be decompressed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._raw = b""
        self._at = 0  # offset in the file of the first byte of _raw
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.begun = 0
        """Offset in the file of the current member."""
        self.broken = ""
        """Why the current member ends early."""

    def next(self) -> bool:
        """Go to the next member; returns whether there is one."""
        if self.broken:
            if not self._search(self.begun + 1):
                return False
        else:
            while not self._raw.strip(b"\0"):  # padding after the last member
                self._at += len(self._raw)
                self._raw = self._file.read(_CHUNK)
                if not self._raw:
                    return False
        self.begun = self._at
        self.broken = ""
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return True

    def read(self, _size: int) -> bytes:
        """Some bytes of the current member; none at its end."""
        while not self.broken and not self._inflate.eof:
            if not self._raw:
                self._raw = self._file.read(_CHUNK)
                if not self._raw:
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
            if out:
                return out
        return b""

    def _search(self, start: int) -> bool:
        """Go to the next place that looks like a gzip member with a record in it."""
        while True:
            self._file.seek(start)
            window = self._file.read(_CHUNK)
            last = len(window) < _CHUNK
            at = window.find(_GZIP)
            while at >= 0 and (last or at + _BEGINNING <= len(window)):
                try:
                    begin = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(window[at : at + _BEGINNING], 64)
                except zlib.error:
                    begin = b""
                if begin.startswith(b"WARC/"):
                    self._at = start + at
                    self._file.seek(self._at)
                    self._raw = self._file.read(_CHUNK)
                    return True
                at = window.find(_GZIP, at + 1)
            if last:
                return False
            # What is too close to the end of the window to be recognised is carried into the next one.
            start += at if at >= 0 else len(window) - len(_GZIP) + 1


class _Plain:
    """Records of a run of uncompressed bytes."""

    def __init__(self, source: BinaryIO | _Gzip, place: str, *, base: int = 0) -> None:
        self._source = source
        self._place = place
        self._base = base
        self._buffer = bytearray()
        self._start = 0  # offset of the buffered bytes
        self._at = 0

    def records(self) -> Iterator[warc.Record | Broken]:
        """Complete records; what lies between them is reported."""
        self._skip_blank()
        first = self._peek(ARC_LINE_BYTES).split(b"\n", 1)[0]
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
        if not _LENGTH.fullmatch(stated):
            return self._broken(begin, f"Content-Length {stated[:40]!r} is not a length")
        if int(stated) > RECORD_BYTES:
            self._skip(int(stated))
            return self._broken(begin, f"a block of {stated} bytes is larger than {RECORD_BYTES}")
        return self._whole(begin, headers, int(stated))

    def _whole(self, begin: int, headers: tuple[tuple[str, str], ...], length: int) -> warc.Record | Broken:
        block = self._read(length)
        if len(block) < length:
            # What lies within it is the record's own: a page may contain what looks like a record.
            return self._broken(begin, f"ends within a record of {length} bytes")
        if not self._ends_here():
            return self._broken(begin, f"a record of {length} bytes does not end there")
        record = warc.Record(headers=headers, block=block)
        wrong = _wrong(record)
        return self._broken(begin, f"{record.id or 'record'}: {wrong}") if wrong else record

    def _arc(self) -> Iterator[warc.Record | Broken]:
        """ARC 1.0: a line, then as many bytes as its last word states."""
        while True:
            self._skip_blank()
            begin = self._at
            line = self._line()
            if not line:
                return
            words = line.decode("latin-1").rsplit(None, 4)
            if not line.startswith(_ARC) and not _ARC_LINE.fullmatch(line):
                while (line := self._peek(ARC_LINE_BYTES).split(b"\n", 1)[0]) and not _ARC_LINE.fullmatch(line):
                    self._line()
                    self._skip_blank()
                yield self._broken(begin, f"no ARC header: {self._at - begin} bytes are left out")
            elif not _LENGTH.fullmatch(words[-1]) or int(words[-1]) > RECORD_BYTES:
                yield self._broken(begin, f"{words[-1][:40]!r} is not a length of an ARC record")
            elif len(block := self._read(int(words[-1]))) < int(words[-1]):
                yield self._broken(begin, f"ends within a record of {words[-1]} bytes")
            elif not line.startswith(_ARC):
                yield self._from_arc(begin, words, block)

    def _from_arc(self, begin: int, words: list[str], block: bytes) -> warc.Record | Broken:
        """An ARC record as a WARC one; its id is derived from its content, so that it is the same at each reading."""
        url, ip, date, mime, _ = words
        try:
            moment = datetime.strptime(date[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return self._broken(begin, f"{date[:40]!r} is not a date")
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
        if self._start > _CHUNK:
            del self._buffer[: self._start]
            self._start = 0
        while len(self._buffer) - self._start < size and (part := self._source.read(_CHUNK)):
            self._buffer += part

    def _peek(self, size: int) -> bytes:
        self._fill(size)
        return bytes(self._buffer[self._start : self._start + size])

    def _read(self, size: int) -> bytes:
        data = self._peek(size)
        self._start += len(data)
        self._at += len(data)
        return data

    def _skip(self, size: int) -> None:
        while size > 0 and (part := self._read(min(size, _CHUNK))):
            size -= len(part)

    def _line(self) -> bytes:
        data = self._peek(ARC_LINE_BYTES)
        return self._read(data.find(b"\n") + 1 or len(data))

    def _head(self) -> bytes | None:
        """A record's header through its empty line; None if there is none before the next record begins."""
        size = 1 << 12
        while True:
            data = self._peek(size)
            length = head_length(data)
            other = _NEXT.search(data)
            if other is not None and (length is None or other.start() < length):
                return None
            if length is not None:
                return self._read(length)
            if len(data) < size or size >= RECORD_HEAD_BYTES:
                return None
            size *= 2

    def _skip_blank(self) -> None:
        while data := self._peek(_CHUNK):
            blank = len(data) - len(data.lstrip(b"\r\n"))
            self._read(blank)
            if blank < len(data):
                return

    def _ends_here(self) -> bool:
        """Whether a block ends where one may: at the end of the data, or before line ends and another header."""
        following = self._peek(16).lstrip(b"\r\n")
        return not following or _START.match(following) is not None or self._peek(4) == b"\r\n\r\n"

    def _resync(self) -> None:
        """Go to the next line that begins a record header."""
        if _START.match(self._peek(6)):
            self._read(1)
        while data := self._peek(_CHUNK):
            found = _NEXT.search(data)
            if found is not None:
                self._read(found.start() + 1)
                return
            self._read(max(len(data) - 8, 1) if len(data) == _CHUNK else len(data))

    def _broken(self, offset: int, reason: str) -> Broken:
        return Broken(place=self._place, offset=self._base + offset, reason=reason)


def _wrong(record: warc.Record) -> str | None:
    """What is wrong with a record according to its own header."""
    missing = [name for name in _MANDATORY if not record.get(name)]
    if missing:
        return f"has no {missing[0]}"
    try:
        _ = record.date
    except (ValueError, OverflowError):
        return f"WARC-Date {(record.get('WARC-Date') or '')[:40]!r} is not a date"
    # On revisits, some tools state the digest of the response that they refer to.
    if record.kind != "revisit" and warc.digest_agrees(record.get("WARC-Block-Digest"), record.block) is False:
        return "block digest differs"
    return None

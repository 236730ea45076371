"""What a crash left in the spool: cut to whole records, read back, ready to be committed.

Rows of the index are made from the records alone, so that the same code rebuilds the index from the store.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from archive import warc
from archive.batch import NOTES, Sealed, object_key
from archive.capture import Capture, digest
from archive.durable import sync_folder
from archive.index import CaptureRow, ObjectRow, TextRow
from archive.spool import OPEN

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


def members(stream: Readable) -> Iterator[Member]:
    """The whole members of a WARC file from its beginning; ends before the first that is torn or no record."""
    offset = 0
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
            record = next(warc.read(io.BytesIO(plain)))
        except (zlib.error, ValueError, StopIteration) as e:
            log.debug("no whole record offset=%d reason=%s", offset, e)
            return
        yield Member(offset=offset, length=taken, record=record)
        offset += taken


def capture_rows(found: Iterable[Member], key: str, known: Callable[[str], CaptureRow | None]) -> Iterator[CaptureRow]:
    """Index rows of the captures among members; only of those whose request and metadata follow.

    Args:
        found: Members in the file's order.
        key: Of the object that the file is or will be.
        known: Gives a capture by its WARC-Record-ID, for revisits that state no digest.
    """
    by_record: dict[str, CaptureRow] = {}
    for first, request, metadata in _groups(found, {"response", "revisit"}, ("request", "metadata")):
        record = first.record
        head, body = warc.split_http(record.block)
        refers_to = record.get("WARC-Refers-To") if record.kind == "revisit" else None
        original = (by_record.get(refers_to) or known(refers_to)) if refers_to else None
        capture = Capture(url=record.url, date=record.date, request=b"", head=head, body=body)
        row = CaptureRow(
            record=record.id,
            url=record.url,
            date=record.date,
            status=capture.status,
            mime=original.mime if original and capture.mime == "unk" else capture.mime,
            digest=record.get("WARC-Payload-Digest") or (original.digest if original else capture.payload_digest),
            kind=record.kind,
            refers_to=refers_to,
            truncated=record.get("WARC-Truncated") if record.kind == "response" else None,
            object=key,
            offset=first.offset,
            length=first.length + request.length + metadata.length,
        )
        by_record[row.record] = row
        yield row


def text_rows(found: Iterable[Member], key: str) -> Iterator[TextRow]:
    """Index rows of the texts among members; only of those whose metadata follow."""
    for first, metadata in _groups(found, {"conversion"}, ("metadata",)):
        record = first.record
        title = json.loads(metadata.record.block).get("title")
        yield TextRow(
            record=record.id,
            capture=record.get("WARC-Refers-To") or "",
            url=record.url,
            date=record.date,
            digest=digest(record.block),
            title=title if isinstance(title, str) else None,
            object=key,
            offset=first.offset,
            length=first.length + metadata.length,
        )


def _groups(found: Iterable[Member], firsts: set[str], rest: tuple[str, ...]) -> Iterator[list[Member]]:
    """Runs of adjacent members: one of the kinds `firsts`, then one of each kind in `rest`."""
    group: list[Member] = []
    for member in found:
        kind = member.record.kind
        if kind in firsts:
            group = [member]
        elif group and kind == rest[len(group) - 1]:
            group.append(member)
        else:
            group = []
        if len(group) == len(rest) + 1:
            yield group
            group = []


def recover(spool: Path, known: Callable[[str], CaptureRow | None]) -> Iterator[Sealed]:
    """The batches that an earlier run left, oldest first, each sealed as far as its records are whole.

    Each must be committed before the next is taken. No other process may use the spool meanwhile.

    Raises:
        OSError: The spool cannot be read or written.
    """
    names = sorted({_batch_name(path) for path in spool.glob("*-pressmark-*") if path.is_file()})
    for name in names:
        yield _recovered(spool, name, known)


def _recovered(spool: Path, name: str, known: Callable[[str], CaptureRow | None]) -> Sealed:
    files: list[tuple[ObjectRow, Path]] = []
    captures: list[CaptureRow] = []
    texts: list[TextRow] = []
    for kind in ("warc", "text"):
        path = _sealed(spool / f"{kind}-{name}.warc.gz")
        if path is None:
            continue
        key = object_key(kind, name)
        with path.open("rb") as stream:
            if kind == "warc":
                captures = list(capture_rows(members(stream), key, known))
            else:
                held = {row.record for row in captures}
                texts = [row for row in text_rows(members(stream), key) if row.capture in held or known(row.capture)]
        rows: list[CaptureRow] | list[TextRow] = captures if kind == "warc" else texts
        if not rows:
            path.unlink()
            continue
        end = max(row.offset + row.length for row in rows)
        _cut(path, end)
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        files.append((ObjectRow(key=key, length=end, sha256=sha256), path))
    notes, journal = _notes(spool, name)
    log.warning("recovered batch=%s captures=%d texts=%d notes=%d", name, len(captures), len(texts), len(notes))
    return Sealed(files=tuple(files), captures=tuple(captures), texts=tuple(texts), notes=notes, journal=journal)


def _batch_name(path: Path) -> str:
    return path.name.partition("-")[2].partition(".")[0]


def _sealed(final: Path) -> Path | None:
    """The file under its final name, taking it out of an `.open` one; None if there is neither."""
    growing = final.with_name(final.name + OPEN)
    if growing.exists():
        growing.rename(final)
        sync_folder(final.parent)
    return final if final.exists() else None


def _cut(path: Path, end: int) -> None:
    """Cut what follows the last whole record, and make the file durable."""
    with path.open("r+b") as out:
        size = out.seek(0, os.SEEK_END)
        if size > end:
            log.warning("cut torn records file=%s bytes=%d", path.name, size - end)
            out.truncate(end)
        out.flush()
        os.fsync(out.fileno())


def _notes(spool: Path, name: str) -> tuple[tuple[str, ...], Path | None]:
    path = _sealed(spool / f"{NOTES}-{name}.jsonl")
    if path is None:
        return (), None
    lines = path.read_bytes().split(b"\n")[:-1]  # a line that was torn has no end
    return tuple(line.decode("utf-8", "replace") for line in lines), path

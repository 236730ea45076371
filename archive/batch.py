"""A batch: captures and texts that grow in the local spool until they are committed together.

A batch is two WARC files of one name: captures and texts. Sealing makes them durable on this machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from io import BufferedWriter
from pathlib import Path

from archive import warc
from archive.capture import Capture, digest
from archive.durable import NO_ROOM, sync_folder
from archive.errors import SpoolError
from archive.index import CaptureRow, Index, ObjectRow, TextRow
from archive.text import Text

OK = 200
NOT_MODIFIED = 304
OPEN = ".open"
NOTES = "notes"
"""Begins the name of the spool file with a batch's notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A batch that will not change any more."""

    files: tuple[tuple[ObjectRow, Path], ...]
    """Objects to be and the spool files that hold them; captures before texts."""
    captures: tuple[CaptureRow, ...]
    texts: tuple[TextRow, ...]
    notes: tuple[str, ...] = ()
    """What the crawler wants to remember once the rest is durable; lines that mean nothing to the archive."""
    journal: Path | None = None
    """Spool file that holds the notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who makes these files; goes into each file's warcinfo record."""

    user_agent: str = ""
    robots: str = ""
    """How robots.txt was treated."""
    description: str = ""


class Batch:
    """One growing batch. Not thread-safe: one thread adds, then seals."""

    def __init__(
        self, spool: Path, name: str, index: Index, *, now: datetime, new_uuid: Callable[[], str], origin: Origin
    ) -> None:
        """Start a batch; files appear with their first record.

        Args:
            spool: Folder on this machine.
            name: Stem of both files, unlike any other's; lower-case letters, digits and hyphens.
            index: Tells which payloads are held already.
            now: When the batch begins; aware, UTC.
            new_uuid: Gives a fresh UUID for each record.
            origin: Who makes the files.
        """
        self.name = name
        self.began = now
        self._new_uuid = new_uuid
        self._index = index
        self._captured = _Spooled(spool, "warc", name, self._warcinfo(origin, now))
        self._extracted = _Spooled(spool, "text", name, self._warcinfo(origin, now))
        self._journal = _Journal(spool / f"{NOTES}-{name}.jsonl")
        self._captures: list[CaptureRow] = []
        self._texts: list[TextRow] = []
        self._payloads: dict[str, CaptureRow] = {}
        self._newest: dict[str, CaptureRow] = {}  # by URL: the response that holds its newest payload

    @property
    def bytes(self) -> int:
        """Bytes on disk so far."""
        return self._captured.length + self._extracted.length

    @property
    def empty(self) -> bool:
        """Nothing was added."""
        return not self._captures and not self._texts

    def add(self, capture: Capture) -> CaptureRow:
        """Write the records of a capture, adjacent and in this order: response or revisit, request, metadata.

        Raises:
            SpoolError: The spool cannot be written; the batch must not be used any more.
        """
        uuid = self._new_uuid()
        info = self._captured.info
        original = self._held(capture)
        if original is None:
            first = warc.response(capture, uuid=uuid, info=info)
        else:
            first = warc.revisit(
                capture,
                uuid=uuid,
                info=info,
                profile="server-not-modified" if capture.status == NOT_MODIFIED else "identical-payload-digest",
                refers_to=warc.Reference(record=original.record, url=original.url, date=original.date),
            )
        members = [
            warc.pack(first),
            warc.pack(warc.request(capture, uuid=self._new_uuid(), info=info, concurrent_to=first.id)),
            warc.pack(warc.metadata(capture, uuid=self._new_uuid(), info=info, concurrent_to=first.id)),
        ]
        offset = self._captured.append(b"".join(members))
        row = CaptureRow(
            record=first.id,
            url=capture.url,
            date=capture.date,
            status=capture.status,
            mime=capture.mime if original is None or capture.mime != "unk" else original.mime,
            digest=capture.payload_digest if original is None else original.digest,
            kind=first.kind,
            refers_to=original.record if original else None,
            truncated=capture.truncated,
            object=self._captured.row_key,
            offset=offset,
            length=sum(map(len, members)),
        )
        self._captures.append(row)
        if row.kind == "response" and not capture.truncated:
            self._payloads.setdefault(row.digest, row)
        if capture.status == OK and not capture.truncated:
            self._newest[capture.url] = original or row
        return row

    def add_text(self, capture: CaptureRow, text: Text) -> TextRow:
        """Write the records of a text, adjacent: conversion, metadata.

        `capture` must be in this batch or committed: a conversion refers to nothing else.

        Raises:
            SpoolError: The spool cannot be written; the batch must not be used any more.
        """
        info = self._extracted.info
        first = warc.conversion(
            uuid=self._new_uuid(),
            info=info,
            url=capture.url,
            date=capture.date,
            refers_to=capture.record,
            text=text.text,
            language=text.language,
        )
        rest = warc.attachment(
            uuid=self._new_uuid(),
            info=info,
            url=capture.url,
            date=capture.date,
            refers_to=first.id,
            json=json.dumps(text.fields(), ensure_ascii=False, sort_keys=True).encode("utf-8", "replace"),
        )
        data = warc.pack(first) + warc.pack(rest)
        row = TextRow(
            record=first.id,
            capture=capture.record,
            url=capture.url,
            date=capture.date,
            digest=digest(first.block),
            title=text.title,
            object=self._extracted.row_key,
            offset=self._extracted.append(data),
            length=len(data),
        )
        self._texts.append(row)
        return row

    def note(self, line: str) -> None:
        """Remember a line with this batch; it comes back when the batch is recovered after a crash.

        Raises:
            SpoolError: The spool cannot be written; the batch must not be used any more.
        """
        self._journal.append(line)

    def seal(self) -> Sealed:
        """Sync both files to disk under their final names.

        Raises:
            SpoolError: That failed; nothing of this batch may be acknowledged.
        """
        files = [spooled.seal() for spooled in (self._captured, self._extracted)]
        return Sealed(
            files=tuple(found for found in files if found),
            captures=tuple(self._captures),
            texts=tuple(self._texts),
            notes=tuple(self._journal.lines),
            journal=self._journal.seal(),
        )

    def abandon(self) -> None:
        """Close the files and leave them in the spool as they are."""
        self._captured.close()
        self._extracted.close()
        self._journal.close()

    def _held(self, capture: Capture) -> CaptureRow | None:
        """The response that holds this capture's payload already, durable or in this batch."""
        if capture.status == NOT_MODIFIED:
            if newest := self._newest.get(capture.url):
                return newest
            row = self._index.latest_payload(capture.url)
            return self._index.capture(row.refers_to) if row and row.refers_to else row
        if not capture.body or capture.truncated:
            return None
        return self._payloads.get(capture.payload_digest) or self._index.original(capture.payload_digest)

    def _warcinfo(self, origin: Origin, now: datetime) -> Callable[[str], warc.Record]:
        info = {
            "software": f"Pressmark/{version('pressmark')} warcio/{version('warcio')}",
            "format": "WARC File Format 1.1",
            "conformsTo": warc.CONFORMS_TO,
            "hostname": platform.node(),
            "isPartOf": self.name,
            "http-header-user-agent": origin.user_agent,
            "robots": origin.robots,
            "description": origin.description,
        }
        return lambda filename: warc.warcinfo(
            uuid=self._new_uuid(), date=now, filename=filename, info={k: v for k, v in info.items() if v}
        )


class _Spooled:
    """One spool file: made with its first record, renamed when it is sealed."""

    def __init__(self, spool: Path, kind: str, name: str, warcinfo: Callable[[str], warc.Record]) -> None:
        self.row_key = object_key(kind, name)
        # One flat folder: the kind goes into the name.
        self._final = spool / f"{kind}-{name}.warc.gz"
        self._open = self._final.with_name(self._final.name + OPEN)
        self._warcinfo = warcinfo(f"{name}.warc.gz")
        self._out: BufferedWriter | None = None
        self._sha256 = hashlib.sha256()
        self.length = 0

    @property
    def info(self) -> str:
        """WARC-Record-ID of the warcinfo record."""
        return self._warcinfo.id

    def append(self, data: bytes) -> int:
        """Write whole members and tell where they begin."""
        with spool_errors(self._open.parent):
            if self._out is None:
                self._open.parent.mkdir(parents=True, exist_ok=True)
                self._out = self._open.open("xb")
                self._write(warc.pack(self._warcinfo))
            offset = self.length
            self._write(data)
            self._out.flush()  # to the system: a crash of this process tears nothing that was added before
        return offset

    def seal(self) -> tuple[ObjectRow, Path] | None:
        """Sync, rename, sync the folder; None where nothing was written."""
        if self._out is None:
            return None
        with spool_errors(self._open.parent):
            _finish(self._out, self._open, self._final)
        row = ObjectRow(key=self.row_key, length=self.length, sha256=self._sha256.hexdigest())
        return row, self._final

    def close(self) -> None:
        """Close without sealing."""
        if self._out is not None:
            with spool_errors(self._open.parent):
                self._out.close()

    def _write(self, data: bytes) -> None:
        assert self._out is not None
        self._out.write(data)
        self._sha256.update(data)
        self.length += len(data)


class _Journal:
    """The spool file of a batch's notes: one line each, made with the first."""

    def __init__(self, final: Path) -> None:
        self._final = final
        self._open = final.with_name(final.name + OPEN)
        self._out: BufferedWriter | None = None
        self.lines: list[str] = []

    def append(self, line: str) -> None:
        """Write a line."""
        with spool_errors(self._open.parent):
            if self._out is None:
                self._open.parent.mkdir(parents=True, exist_ok=True)
                self._out = self._open.open("xb")
            self._out.write(line.encode() + b"\n")
            self._out.flush()
        self.lines.append(line)

    def seal(self) -> Path | None:
        """Sync, rename, sync the folder; None where nothing was written."""
        if self._out is None:
            return None
        with spool_errors(self._open.parent):
            _finish(self._out, self._open, self._final)
        return self._final

    def close(self) -> None:
        """Close without sealing."""
        if self._out is not None:
            with spool_errors(self._open.parent):
                self._out.close()


def object_key(kind: str, name: str) -> str:
    """Key of a batch's object: the day in its name keeps folders small."""
    day = name.split("-")[1]
    return f"{kind}/{day[:4]}/{day[4:6]}/{day[6:8]}/{name}.warc.gz"


def _finish(out: BufferedWriter, growing: Path, final: Path) -> None:
    out.flush()
    os.fsync(out.fileno())
    out.close()
    growing.rename(final)
    sync_folder(final.parent)


@contextmanager
def spool_errors(folder: Path) -> Iterator[None]:
    """Turn what the file system says of the spool into SpoolError."""
    try:
        yield
    except OSError as e:
        raise SpoolError(
            e.strerror or str(e),
            path=str(folder),
            hint="Free some space there and start again." if e.errno in NO_ROOM else "Make the folder writable.",
        ) from e

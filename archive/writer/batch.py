"""A batch: captures and texts that grow in the local spool until they are committed together.

A batch is two WARC files with the same name: captures and texts. Sealing makes them durable on this machine.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

from archive.errors import DatabaseError
from archive.evidence.log_object import hashes_of
from archive.extract.text import Text, made_by
from archive.index.edits import plain_digest, stated, text_marks
from archive.index.from_records import HeldText, capture_row, entered
from archive.index.fulltext import Entered
from archive.index.index import Index
from archive.index.schema import VISITS, CaptureRow, ObjectRow, TextRow
from archive.limits import CARRIED_CHARACTERS
from archive.warc import record as warc
from archive.warc.capture import Capture, digest
from archive.warc.confirmation import Confirmation, confirmations
from archive.warc.validators import confirms
from archive.writer.damage import Damage
from archive.writer.spool import SpoolFile

log = logging.getLogger(__name__)

OK = 200
NOT_MODIFIED = 304
NOTES = "notes"
"""Prefix of the spool file with a batch's notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A batch that will not change any more."""

    files: tuple[tuple[ObjectRow, Path], ...]
    """Future objects and the spool files that contain them; captures before texts."""
    captures: tuple[CaptureRow, ...]
    texts: tuple[TextRow, ...]
    words: tuple[Entered, ...] | None = None
    """Rows of the full-text index for the texts, made as these were added; None: they must be read from the files."""
    confirmations: tuple[Confirmation, ...] = ()
    """Those in its file of confirmations."""
    notes: tuple[str, ...] = ()
    """What the crawler needs to remember once the rest is durable; lines that the archive does not interpret."""
    journal: Path | None = None
    """Spool file that contains the notes."""
    members: Mapping[str, bytes] = field(default_factory=dict)
    """By key of the future object: leaf hashes of its gzip members, one after the other, made as these were written;
    those of other objects must be made of the files."""
    damage: tuple[Damage, ...] = ()
    """What was lost of it on this machine's disk after it was written."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """All its spool files."""
        return (*(path for _, path in self.files), *((self.journal,) if self.journal else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource:
    """The capture that a text was made from, where its row is not at hand."""

    record: str
    """WARC-Record-ID."""
    date: datetime
    """When it was made; aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who makes these files; written into each file's warcinfo record."""

    user_agent: str = ""
    robots: str = ""
    """How robots.txt was treated."""
    description: str = ""
    operator: str = ""
    """Who runs the crawl: a name, an address."""


@dataclass(slots=True)
class Recent:
    """Payloads in batches of this process that the index does not know yet."""

    payloads: dict[str, CaptureRow] = field(default_factory=dict)
    """By digest: the response that contains it."""
    records: dict[str, tuple[CaptureRow, CaptureRow]] = field(default_factory=dict)
    """By WARC-Record-ID: a complete capture with status 200, and the response that contains its payload."""

    newest: dict[str, CaptureRow] = field(default_factory=dict)
    """By URL: its newest capture."""

    def remember(self, row: CaptureRow, original: CaptureRow | None) -> None:
        """Remember a capture that was written; `original` is what it refers to, if it is a revisit."""
        self.newest[row.url] = row
        if row.truncated:
            return
        if row.kind == "response":
            self.payloads.setdefault(row.digest, row)
        if row.status == OK:
            self.records[row.record] = (row, original or row)

    def forget(self, rows: tuple[CaptureRow, ...]) -> None:
        """Forget captures that are in the index now."""
        for row in rows:
            if (held := self.payloads.get(row.digest)) and held.record == row.record:
                del self.payloads[row.digest]
            self.records.pop(row.record, None)
            if (latest := self.newest.get(row.url)) and latest.record == row.record:
                del self.newest[row.url]


class Batch:
    """One growing batch. Not thread-safe: one thread adds, then seals."""

    def __init__(
        self,
        spool: Path,
        name: str,
        index: Index,
        recent: Recent,
        *,
        now: datetime,
        new_uuid: Callable[[], str],
        origin: Origin,
    ) -> None:
        """Start a batch; files appear with their first record.

        Args:
            spool: Folder on this machine.
            name: Stem of both files, different from any other's; lower-case letters, digits and hyphens.
            index: Knows which payloads are archived already.
            recent: Knows the same of batches that are not in the index yet; shared by those of one process, which
                must be committed in the order in which they were begun.
            now: When the batch begins; aware, UTC.
            new_uuid: Returns a fresh UUID for each record.
            origin: Who makes the files.
        """
        self.name = name
        self.began = now
        self._new_uuid = new_uuid
        self._index = index
        self._recent = recent
        self._captured = _Spooled(spool, "warc", name, self._warcinfo(origin, now))
        self._extracted = _Spooled(spool, "text", name, self._warcinfo(origin, now))
        self._visited = _Spooled(spool, VISITS, name, self._warcinfo(origin, now))
        self._journal = SpoolFile(spool / f"{NOTES}-{name}.jsonl")
        self._notes: list[str] = []
        self._confirmations: list[Confirmation] = []
        self._captures: list[CaptureRow] = []
        self._texts: list[TextRow] = []
        self._words: list[Entered] | None = []
        self._words_characters = 0
        self._adopted: dict[str, CaptureRow] = {}
        self._repeats: set[str] = set()

    @property
    def bytes(self) -> int:
        """Bytes on disk so far."""
        return self._captured.length + self._extracted.length + self._journal.length

    def add(self, capture: Capture) -> CaptureRow:
        """Write the records of a capture, adjacent and in this order: response or revisit, request, metadata.

        Returns its row. A 304 that says what the newest capture of its URL says has no records of its own: it confirms
        that one, whose row is returned with the date of this visit.

        Raises:
            SpoolFullError: There is no room; nothing was added, and the call may be repeated.
            SpoolError: The spool cannot be written; the batch must not be used any more.
        """
        original = self._held(capture)
        if original is not None and (same := self._said_before(capture, original)) is not None:
            return self._confirm(same, capture)
        uuid = self._new_uuid()
        info = self._captured.info
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
        offset = self._captured.append(*members)
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
        self._recent.remember(row, original)
        if original is not None and original.url == capture.url:
            self._repeats.add(row.record)
        return row

    def repeats(self, row: CaptureRow) -> bool:
        """Whether a capture of this batch has the payload of an earlier capture of exactly the same URL."""
        return row.record in self._repeats

    def _said_before(self, capture: Capture, original: CaptureRow) -> CaptureRow | None:
        """The newest capture of the URL, if it is a 304 that confirms the same response as this one."""
        if capture.status != NOT_MODIFIED:
            return None
        try:
            newest = self._recent.newest.get(capture.url) or self._index.newest_of_url(capture.url)
        except DatabaseError as e:
            if not e.temporary:
                raise
            log.warning("captured in full, the index is out of reach url=%s error=%s", capture.url, e)
            return None
        if newest is None or newest.status != NOT_MODIFIED or newest.refers_to != original.record:
            return None
        return newest if newest.date <= capture.date else None  # dated by a clock that was ahead

    def _confirm(self, same: CaptureRow, capture: Capture) -> CaptureRow:
        """Count a visit as a confirmation of a capture; the journal has it before it is sealed."""
        again = Confirmation(record=same.record, date=capture.date)
        self._journal.append(again.line().encode() + b"\n")
        self._confirmations.append(again)
        self._repeats.add(same.record)
        return replace(same, date=capture.date, last=None, confirmed=0)

    def add_foreign(self, first: warc.Record, *rest: warc.Record) -> CaptureRow | None:
        """Write adjacent records made by another tool; returns the capture's row, if they are a capture.

        Args:
            first: The record that begins the capture, or any record that is not part of one.
            rest: The records that name it in WARC-Concurrent-To.

        Raises:
            SpoolError: The spool cannot be written; the batch must not be used any more.
        """
        members = [warc.pack(record) for record in (first, *rest)]
        offset = self._captured.append(*members)
        row = capture_row(
            first,
            lambda record: self._adopted.get(record) or self._index.capture(record),
            object_key=self._captured.row_key,
            offset=offset,
            length=sum(map(len, members)),
            beside=rest,
        )
        if row is not None:
            self._captures.append(row)
            self._adopted[row.record] = row
        return row

    def add_text(self, capture: CaptureRow | TextSource, text: Text) -> TextRow:
        """Write the records of a text, adjacent: conversion, metadata.

        The text's URL is the post's: that of the capture, or the own address of a post that the capture contains.
        `capture` must be in this batch or an earlier one: a conversion may not refer to a later one.

        Raises:
            SpoolFullError: There is no room; nothing was added, and the call may be repeated.
            SpoolError: The spool cannot be written; the batch must not be used any more.
        """
        info = self._extracted.info
        first = warc.conversion(
            uuid=self._new_uuid(),
            info=info,
            url=text.url,
            date=capture.date,
            refers_to=capture.record,
            text=text.text,
            language=text.language,
        )
        rest = warc.attachment(
            uuid=self._new_uuid(),
            info=info,
            url=text.url,
            date=capture.date,
            refers_to=first.id,
            json=json.dumps(text.fields(), ensure_ascii=False, sort_keys=True).encode("utf-8", "replace"),
        )
        members = (warc.pack(first), warc.pack(rest))
        words = first.block.decode("utf-8", "replace")
        row = TextRow(
            record=first.id,
            capture=capture.record,
            url=text.url,
            date=capture.date,
            digest=digest(first.block),
            title=text.title,
            made_by=made_by(text.extractor),
            own=text.own,
            source=text.source,
            stated=stated(text.fields()),
            plain=plain_digest(words),
            marks=text_marks(words),
            object=self._extracted.row_key,
            offset=self._extracted.append(*members),
            length=sum(map(len, members)),
        )
        self._texts.append(row)
        self._enter(row, first, rest)
        return row

    def note(self, line: str) -> None:
        """Store a line with this batch; it is returned when the batch is recovered after a crash.

        Raises:
            SpoolFullError: There is no room; nothing was added, and the call may be repeated.
            SpoolError: The spool cannot be written; the batch must not be used any more.
        """
        self._journal.append(line.encode() + b"\n")
        self._notes.append(line)

    def seal(self) -> Sealed:
        """Sync both files to disk under their final names.

        Raises:
            SpoolError: Sealing failed; nothing of this batch may be acknowledged.
        """
        if self._confirmations:
            self._visited.append(visits(self._confirmations, self._visited.info, self.began, self._new_uuid()))
        spools = (self._captured, self._extracted, self._visited)
        files = [spooled.seal() for spooled in spools]
        return Sealed(
            files=tuple(found for found in files if found),
            captures=tuple(self._captures),
            texts=tuple(self._texts),
            words=None if self._words is None else tuple(self._words),
            confirmations=tuple(self._confirmations),
            notes=tuple(self._notes),
            journal=None if self._journal.empty else self._journal.seal(),
            members={spooled.row_key: spooled.members for spooled in spools if spooled.length},
        )

    def abandon(self) -> None:
        """Close the files and leave them in the spool as they are."""
        self._captured.close()
        self._extracted.close()
        self._visited.close()
        self._journal.close()

    def _enter(self, row: TextRow, conversion: warc.Record, metadata: warc.Record) -> None:
        """Make the full-text row of a text from its records, exactly as reindexing would."""
        if self._words is None:
            return
        held = HeldText(row=row, text=conversion.block.decode("utf-8", "replace"), fields=json.loads(metadata.block))
        self._words_characters += len(held.text)
        if self._words_characters > CARRIED_CHARACTERS:
            self._words = None
        else:
            self._words.append(entered(held))

    def _held(self, capture: Capture) -> CaptureRow | None:
        """The response that has this capture's payload already, durable or in a batch that is committed no later."""
        try:
            if capture.status == NOT_MODIFIED:
                return self._confirmed(capture)
            if not capture.body or capture.truncated:
                return None
            return self._recent.payloads.get(capture.payload_digest) or self._index.original(capture.payload_digest)
        except DatabaseError as e:
            if not e.temporary:
                raise
            # Storing a payload twice costs space; not storing it would lose it.
            log.warning("stored whole, the index is out of reach url=%s error=%s", capture.url, e)
            return None

    def _confirmed(self, capture: Capture) -> CaptureRow | None:
        """The response that a 304 confirms: that of the validators sent. None if it does not confirm a known one."""
        if capture.validated_by is None or not confirms(capture.request, capture.head):
            return None
        row, original = self._recent.records.get(capture.validated_by, (None, None))
        if row is None:
            row = self._index.capture(capture.validated_by)
        if row is None or row.url != capture.url or row.status != OK or row.truncated or row.fault:
            return None
        if original is None:
            original = self._index.capture(row.refers_to) if row.refers_to else row
        return original if original is not None and not (original.truncated or original.fault) else None

    def _warcinfo(self, origin: Origin, now: datetime) -> Callable[[str], warc.Record]:
        info = {
            "software": software(),
            "format": "WARC File Format 1.1",
            "conformsTo": warc.CONFORMS_TO,
            "hostname": platform.node(),
            "isPartOf": self.name,
            "http-header-user-agent": origin.user_agent,
            "robots": origin.robots,
            "description": origin.description,
            "operator": origin.operator,
        }
        return lambda filename: warc.warcinfo(
            uuid=self._new_uuid(), date=now, filename=filename, info={k: v for k, v in info.items() if v}
        )


def visits(found: Sequence[Confirmation], info: str, date: datetime, uuid: str) -> bytes:
    """The record with the confirmations of a batch, as it is stored."""
    return warc.pack(confirmations(found, uuid=uuid, info=info, date=date))


class _Spooled:
    """The spool file of a future object: begins with its warcinfo record, knows its SHA-256."""

    def __init__(self, spool: Path, kind: str, name: str, warcinfo: Callable[[str], warc.Record]) -> None:
        self.row_key = object_key(kind, name)
        # One flat folder: the kind is part of the name.
        self._file = SpoolFile(spool / f"{kind}-{name}.warc.gz")
        self._warcinfo = warcinfo(f"{name}.warc.gz")
        self._sha256 = hashlib.sha256()
        self._members = bytearray()

    @property
    def members(self) -> bytes:
        """Leaf hashes of the members so far, one after the other."""
        return bytes(self._members)

    @property
    def info(self) -> str:
        """WARC-Record-ID of the warcinfo record."""
        return self._warcinfo.id

    @property
    def length(self) -> int:
        """Bytes so far."""
        return self._file.length

    def append(self, *members: bytes) -> int:
        """Write complete members and return where they begin."""
        first = () if self.length else (warc.pack(self._warcinfo),)
        offset = self.length + sum(map(len, first))
        data = b"".join((*first, *members))
        self._file.append(data)
        self._sha256.update(data)
        self._members += hashes_of((*first, *members))
        return offset

    def seal(self) -> tuple[ObjectRow, Path] | None:
        """Make it durable on this machine; None if nothing was written."""
        if self._file.empty:
            return None
        path = self._file.seal()
        return ObjectRow(key=self.row_key, length=self.length, sha256=self._sha256.hexdigest()), path

    def close(self) -> None:
        """Close without sealing."""
        self._file.close()


@cache
def software() -> str:
    """What writes these files, with versions; looked up once, because that takes longer than a small batch."""
    return f"Pressmark/{version('pressmark')} warcio/{version('warcio')}"


def object_key(kind: str, name: str) -> str:
    """Key of a batch's object: the day in its name keeps folders small."""
    day = name.split("-")[1]
    return f"{kind}/{day[:4]}/{day[4:6]}/{day[6:8]}/{name}.warc.gz"

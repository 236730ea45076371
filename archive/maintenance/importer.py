"""Imports captures made by other tools: blocks stay as they are, header fields are adapted."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from archive.archive import Archive
from archive.index.from_records import CAPTURES, is_page
from archive.index.schema import IMPORT
from archive.limits import BROKEN_TOLD, EVENT_RECORDS, OTHER_RECORDS, URL_CHARACTERS, WAITING_BYTES, WAITING_RECORDS
from archive.warc import record as warc
from archive.warc.capture import digest
from archive.warc.foreign import Broken, records
from archive.writer.batch import Origin
from archive.writer.committer import Leftovers
from archive.writer.rolling import RollingBatch

log = logging.getLogger(__name__)


_ID = re.compile(r"<[!-~]{1,62}>")


@dataclass(slots=True)
class Tally:
    """The result of importing one file, or all of them."""

    captures: int = 0
    others: int = 0
    """Records that are stored although they are not captures, nor part of one."""
    held: int = 0
    """Captures that the archive already had."""
    broken: list[Broken] = field(default_factory=list)
    """The first BROKEN_TOLD faults."""
    untold: int = 0
    """Number of further faults."""

    def found(self, broken: Broken) -> None:
        """Record a fault."""
        if len(self.broken) < BROKEN_TOLD:
            self.broken.append(broken)
        else:
            self.untold += 1

    def as_json(self) -> dict[str, object]:
        """The result as programs see it."""
        broken = [{"place": one.place, "offset": one.offset, "reason": one.reason} for one in self.broken]
        return {
            "captures": self.captures,
            "held": self.held,
            "other_records": self.others,
            "broken": broken,
            "more_broken": self.untold,
        }


class Importer:
    """Imports files one after the other; everything is committed once `close` has returned."""

    def __init__(self, archive: Archive, *, now: Callable[[], datetime]) -> None:
        """Nothing is written yet."""
        self._archive = archive
        self._batches = _batches(archive, now)
        self._stated: dict[str, str] = {}  # payload digest as stated by a file: record of the response
        self._by_visit: dict[tuple[str, datetime], str] = {}  # URL and date: record of the response
        self._taken: dict[str, tuple[str, datetime]] = {}
        self._waiting: list[tuple[list[warc.Record], Tally]] = []
        self._waiting_bytes = 0

    def file(self, path: Path, tally: Tally) -> None:
        """Import the complete records of a file.

        Raises:
            OSError: The file cannot be read.
            ArchiveError: Spool, store or database failed.
        """
        others: list[list[warc.Record]] = []
        size = 0
        for event in _events(self._whole(path, tally)):
            if is_page(event[0], event[1:]):
                self._take(event, tally)
            else:
                others.append(event)
                size += _size(event)
            if tally.captures or (not tally.held and (len(others) >= OTHER_RECORDS or size > WAITING_BYTES)):
                others, size = self._write_all(others, tally), 0
        if not tally.held:  # otherwise the file was imported before, and these with it
            self._write_all(others, tally)

    def close(self) -> None:
        """Write the revisits that waited, and commit.

        Raises:
            ArchiveError: Spool, store or database failed.
        """
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for event, tally in waiting:
            self._write(event, tally)
        self._batches.commit()

    def _write_all(self, events: list[list[warc.Record]], tally: Tally) -> list[list[warc.Record]]:
        for event in events:
            self._write(event, tally)
        return []

    def _whole(self, path: Path, tally: Tally) -> Iterator[warc.Record]:
        for found in records(path):
            if isinstance(found, Broken):
                tally.found(found)
            elif len(found.url) > URL_CHARACTERS:
                tally.found(Broken(place=str(path), offset=None, reason=f"{found.id[:80]}: its URL is too long"))
            else:
                yield _named(found)

    def _take(self, event: list[warc.Record], tally: Tally) -> None:
        first = event[0]
        room = len(self._waiting) < WAITING_RECORDS and self._waiting_bytes < WAITING_BYTES
        if first.kind == "revisit" and self._original(first) is None and room:
            self._waiting.append((event, tally))  # its response may come later, or in another file
            self._waiting_bytes += _size(event)
            return
        self._write(event, tally)

    def _held(self, record: warc.Record) -> tuple[str, datetime] | None:
        """URL and date of what is archived under that record's id."""
        if record.id in self._taken:
            return self._taken[record.id]
        row = self._archive.index.capture(record.id) if warc.is_capture(record) else None
        return (row.url, row.date) if row else None

    def _write(self, event: list[warc.Record], tally: Tally) -> None:
        first = event[0]
        if held := self._held(first):
            if held == (first.url, first.date):
                tally.held += warc.is_capture(first)
                return
            first = first.having(("WARC-Record-ID", _new_id(first)))  # two records with the same id
            if self._held(first):
                tally.held += warc.is_capture(first)
                return
        first = self._sound(first, is_page=is_page(first, event[1:]))
        self._taken[first.id] = (first.url, first.date)
        batch = self._batches.growing()
        rest = [_concurrent(record, first) for record in event[1:]]
        if batch.add_foreign(first, *rest) is None:
            tally.others += len(event)
        else:
            tally.captures += 1
        self._batches.commit_if_due()

    def _sound(self, record: warc.Record, *, is_page: bool) -> warc.Record:
        """The record with digests in our form and, if it is a revisit, with the response that it refers to."""
        changed = [("WARC-Block-Digest", digest(record.block))]
        if record.kind == "revisit" and (original := self._original(record)):
            changed.append(("WARC-Refers-To", original))
        if warc.is_capture(record) and record.kind != "revisit":
            payload = digest(warc.split_payload(record)[1])
            if is_page:  # no revisit refers to what is not in the index
                if stated := record.get("WARC-Payload-Digest"):
                    self._stated[stated] = record.id
                self._by_visit[record.url, record.date] = record.id
                self._stated.setdefault(payload, record.id)
            changed.append(("WARC-Payload-Digest", payload))
        return record.having(*changed)

    def _original(self, revisit: warc.Record) -> str | None:
        """WARC-Record-ID of the response that a revisit refers to, if it is archived: by id, by visit, by payload."""
        stated = revisit.get("WARC-Refers-To") or ""
        if stated in self._taken or self._archive.index.capture(stated):
            return stated
        url = revisit.get("WARC-Refers-To-Target-URI") or revisit.url
        try:
            date = warc.read_date(revisit.get("WARC-Refers-To-Date") or "")
        except ValueError:
            date = None
        if date is not None:
            if named := self._by_visit.get((url, date)):
                return named
            row = self._archive.index.nearest_as_spelt(url, date)
            if row is not None and row.kind != "revisit" and row.timestamp == f"{date:%Y%m%d%H%M%S}":
                return row.record
        payload = revisit.get("WARC-Payload-Digest") or ""
        if named := self._stated.get(payload):
            return named
        held = self._archive.index.original(payload) if payload else None
        return held.record if held else None


def _batches(archive: Archive, now: Callable[[], datetime]) -> RollingBatch:
    return RollingBatch(
        archive.writer,
        maker=IMPORT,
        origin=Origin(description="Records that other tools made."),
        now=now,
        most_bytes=archive.settings.batch_megabytes * 1_000_000,
    )


def finish(archive: Archive) -> Leftovers:
    """Commit what an interrupted import had sealed; the rest is dropped, and imported anew.

    Raises:
        ArchiveError: Spool, store or database failed.
    """
    return archive.writer.commit_leftovers(IMPORT)


def _events(found: Iterable[warc.Record]) -> Iterator[list[warc.Record]]:
    """Adjacent records of one exchange, the one that begins the capture first; other records alone."""
    event: list[warc.Record] = []
    for record in found:
        small = len(event) < EVENT_RECORDS and _size(event[1:]) + len(record.block) < WAITING_BYTES
        if event and small and _belongs(record, event):
            event.append(record)
            continue
        yield from _sorted(event)
        event = [record]
    yield from _sorted(event)


def _size(event: list[warc.Record]) -> int:
    """Size of its blocks in memory."""
    return sum(len(record.block) for record in event)


def _belongs(record: warc.Record, event: list[warc.Record]) -> bool:
    kinds = CAPTURES | {"request", "metadata"}
    if record.kind not in kinds or (record.kind in CAPTURES and any(one.kind in CAPTURES for one in event)):
        return False
    ids = {one.id for one in event}
    named = {name for one in event for name in one.all("WARC-Concurrent-To")}
    if record.id in named or ids & {*record.all("WARC-Concurrent-To"), record.get("WARC-Refers-To") or ""}:
        return True
    # Some tools name nothing; then the records of one exchange share URL and instant.
    same = (record.url, record.date) == (event[0].url, event[0].date)
    return same and record.kind == "request" and all(one.kind in CAPTURES for one in event)


def _sorted(event: list[warc.Record]) -> Iterator[list[warc.Record]]:
    if any(record.kind in CAPTURES for record in event):
        yield sorted(event, key=lambda record: (record.kind not in CAPTURES, record.kind != "request"))
    else:
        yield from ([record] for record in event)


def _named(record: warc.Record) -> warc.Record:
    """The record with an id that every reader can store, and its URL without brackets and spaces."""
    name = record.id
    if not _ID.fullmatch(name):
        name = _new_id(record)
    # No URI contains a space; readers disagree on what to do with one.
    url = (("WARC-Target-URI", record.url.replace(" ", "%20")),) if record.url else ()
    return record.having(("WARC-Type", record.kind), ("WARC-Record-ID", name), *url)


def _new_id(record: warc.Record) -> str:
    """An id derived from the record's content, so that it is the same at each import."""
    return warc.record_id(str(uuid.uuid5(uuid.NAMESPACE_URL, f"{record.id} {record.url} {digest(record.block)}")))


def _concurrent(record: warc.Record, first: warc.Record) -> warc.Record:
    """A subordinate record that names the one it belongs to."""
    record = record.having(("WARC-Block-Digest", digest(record.block)))
    named = record.all("WARC-Concurrent-To")
    if first.id in named:
        return record
    return warc.Record(headers=(*record.headers, ("WARC-Concurrent-To", first.id)), block=record.block)

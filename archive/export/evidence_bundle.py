"""An evidence bundle: what the archive has of a page at an instant, with all that it takes to check it elsewhere."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO, TypeVar

from archive.errors import ArchiveError, DamagedError, NotArchivedError, NotLoggedError, TooLargeError
from archive.evidence import verify_bundle
from archive.evidence.verify_bundle import DESCRIPTION, FORMAT, RECORDS, Failure
from archive.export.evidence_readme import Contents, readme
from archive.index.from_records import HeldText
from archive.index.schema import CaptureRow, TextRow
from archive.limits import COMPARED_CHARACTERS, EVIDENCE_BYTES
from archive.reader.page_history import changes_between, versions_of
from archive.reader.proofs import Proofs, Proved, ProvedObject
from archive.reader.reader import Reader
from archive.runtime.times import iso
from archive.warc.record import read_one, write_date

log = logging.getLogger(__name__)

_SIDE = ("title", "author", "published", "image")
SCRIPT = "verify_bundle.py"
R = TypeVar("R", CaptureRow, TextRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a bundle is about."""

    captures: tuple[CaptureRow, ...]
    """Those of the page, its redirects and further pages, and what these and the texts refer to."""
    text: HeldText | None
    before: HeldText | None
    """The text of the version before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A bundle that was written and checked."""

    url: str
    date: datetime
    records: int
    checkpoint_size: int
    """Leaves of the log in its newest checkpoint."""
    stamped: bool
    """Whether it has a time stamp."""
    left_out: tuple[str, ...]
    """What is in no log, and therefore not in the bundle."""

    def as_json(self) -> dict[str, object]:
        """What was written as programs see it."""
        return {
            "url": self.url,
            "date": iso(self.date),
            "records": self.records,
            "checkpoint": self.checkpoint_size,
            "stamped": self.stamped,
            "left_out": list(self.left_out),
        }

    def line(self) -> str:
        """What was written as people see it."""
        stamped = "with a time stamp" if self.stamped else "no time stamp"
        log = f"signed with {self.checkpoint_size} leaves, {stamped}"
        return f"{self.url} of {self.date:%Y-%m-%d %H:%M:%S}Z, {self.records} records, {log}"


class OutputError(ArchiveError):
    """The file of a bundle cannot be written."""


def write_bundle(reader: Reader, url: str, at: datetime | None, out: Path, *, now: datetime) -> Made:
    """Write a bundle, check it with the script that it contains, and only then give it its name.

    Args:
        reader: Reads the page.
        url: URL of the page; archived redirects are followed.
        at: The nearest capture is used; None: the newest.
        out: The file; one that exists is replaced.
        now: The present time; aware, UTC.

    Raises:
        NotArchivedError: The page has neither a capture nor a text.
        NotLoggedError: Its capture is in no log.
        DamagedError: What is stored does not agree with the log.
        TooLargeError: Its records are too large for a bundle.
        OutputError: The file cannot be written.
        ArchiveError: The page cannot be read.
    """
    bundle = _Bundle(reader, url, at)
    aside = out.with_name(f".{out.name}-{secrets.token_hex(4)}")
    try:
        with aside.open("xb") as file:
            bundle.write(file, now)
            file.flush()
            os.fsync(file.fileno())
        try:
            verify_bundle.check(str(aside), None, log.debug)
        except Failure as e:
            first = bundle.wanted.captures[0] if bundle.wanted.captures else None
            raise DamagedError(str(e), key=first.object if first else url, offset=first.offset if first else 0) from e
        aside.replace(out)
    except OSError as e:
        raise OutputError(f"{out}: {e.strerror or e}", hint="Name a file in a folder that can be written.") from e
    finally:
        aside.unlink(missing_ok=True)
    return bundle.made()


def wanted(reader: Reader, url: str, at: datetime | None) -> Wanted:
    """What the bundle of a page is about.

    Raises:
        NotArchivedError: The page has neither a capture nor a text.
    """
    try:
        found = reader.followed(url, at)
    except NotArchivedError:  # a post without a page of its own
        found = []
    try:
        text = reader.text(url, at)
    except NotArchivedError:
        if not found:
            raise
        text = None
    before = _before(reader, url, text) if text is not None else None
    for one in filter(None, (text, before)):
        found += reader.index.captures_of((one.row.capture, *one.as_text().pages))
    captures: dict[str, CaptureRow] = {}
    for row in found:
        captures.update((one.record, one) for one in (row, *reader.confirmed(row)))
    return Wanted(captures=tuple(captures.values()), text=text, before=before)


def _before(reader: Reader, url: str, text: HeldText) -> HeldText | None:
    try:
        versions = versions_of(reader, url)
    except NotArchivedError:  # the text is that of another address
        return None
    shown = (one for one in versions if text.row.capture in {capture.record for capture in one.captures})
    current = next(shown, None)
    if current is None or current.number == 1:
        return None
    return reader.read_text(versions[current.number - 2].text)


class _Bundle:
    """Collects the parts of a bundle, then writes them."""

    def __init__(self, reader: Reader, url: str, at: datetime | None) -> None:
        self._reader = reader
        self._proofs = Proofs(reader)
        self._objects: dict[str, ProvedObject] = {}
        self._records: list[dict[str, object]] = []
        self._stored: list[bytes] = []
        self._bytes = 0
        self._left_out: list[str] = []
        self.wanted = wanted(reader, url, at)
        captures = self.wanted.captures
        texts = [one.row for one in (self.wanted.text, self.wanted.before) if one is not None]
        if sum(row.length for row in captures) + sum(row.length for row in texts) > EVIDENCE_BYTES:
            raise TooLargeError(url, "an evidence bundle")
        self._url, self._date = (captures or texts)[0].url, (captures or texts)[0].date
        self._held: set[str] = set()
        for capture in captures:
            self._try(capture)
        for text in texts:
            self._try(text)

    def _try(self, row: R) -> None:
        """Add the records of a row, if they are in a log; those of the first one must be."""
        try:
            self._add(self._proofs.of(row))
            self._held.add(row.record)
        except NotLoggedError as e:
            if not self._held:
                raise
            self._left_out.append(f"{row.url} of {iso(row.date)}: {e}")

    def _add(self, proved: Proved) -> None:
        leaf = proved.source.leaf
        self._objects.setdefault(leaf, proved.source)
        number = list(self._objects).index(leaf)
        for member in proved.members:
            record = read_one(gzip.decompress(member.stored)).id
            self._records.append(
                {
                    "record": record,
                    "object": number,
                    "member": member.number,
                    "path": _written(member.path),
                    "offset": self._bytes,
                    "length": len(member.stored),
                }
            )
            self._stored.append(member.stored)
            self._bytes += len(member.stored)

    def write(self, file: BinaryIO, now: datetime) -> None:
        """Write the ZIP file."""
        text, before = (self._if_held(one) for one in (self.wanted.text, self.wanted.before))
        stamps: dict[str, bytes] = {}
        said = {
            "format": FORMAT,
            "url": self._url,
            "made": iso(now),
            "objects": [_object(one, stamps) for one in self._objects.values()],
            "records": self._records,
            "text": self._names(text),
            "before": self._names(before) if text else None,
            "left_out": self._left_out,
        }
        parts: dict[str, bytes] = {
            "README.txt": readme(self._contents(now)).encode(),
            SCRIPT: files("archive.evidence").joinpath(SCRIPT).read_bytes(),
            DESCRIPTION: _json(said),
            **stamps,
        }
        if text is not None:
            parts.update(_text_files(text))
        if text is not None and before is not None:
            parts["diff.json"] = _json(self._diff(before, text))
        when = now.timetuple()[:6]
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
            for name, data in parts.items():
                out.writestr(zipfile.ZipInfo(name, when), data, zipfile.ZIP_DEFLATED)
            with out.open(zipfile.ZipInfo(RECORDS, when), "w") as records:
                for stored in self._stored:
                    records.write(stored)

    def made(self) -> Made:
        """What was written."""
        steps = [one.steps for one in self._objects.values()]
        return Made(
            url=self._url,
            date=self._date,
            records=len(self._records),
            checkpoint_size=max(int(one[-1].note.split("\n")[1]) for one in steps),
            stamped=any(step.stamp for one in steps for step in one),
            left_out=tuple(self._left_out),
        )

    def _if_held(self, text: HeldText | None) -> HeldText | None:
        """A text whose records are in the bundle, with those of its capture."""
        return text if text and {text.row.record, text.row.capture} <= self._held else None

    def _names(self, text: HeldText | None) -> dict[str, str] | None:
        if text is None:
            return None
        place = next(n for n, one in enumerate(self._records) if one["record"] == text.row.record)
        return {
            "capture": text.row.capture,
            "conversion": text.row.record,
            "metadata": str(self._records[place + 1]["record"]),
        }

    def _diff(self, before: HeldText, text: HeldText) -> dict[str, object]:
        sides = {"before": before.text[:COMPARED_CHARACTERS], "after": text.text[:COMPARED_CHARACTERS]}
        changes, _, _ = self._reader.work(changes_between, classed=False, **sides)
        return {
            "from": _side(before),
            "to": _side(text),
            "changes": [
                {"kind": change.kind, "runs": [{"kind": run.kind, "text": run.text} for run in change.runs]}
                for change in changes
            ],
        }

    def _contents(self, now: datetime) -> Contents:
        return Contents(
            url=self._url,
            date=self._date,
            made=now,
            keys=tuple(dict.fromkeys(one.key for one in self._objects.values())),
            stamped=any(step.stamp for one in self._objects.values() for step in one.steps),
            left_out=tuple(self._left_out),
        )


def _object(proved: ProvedObject, stamps: dict[str, bytes]) -> dict[str, object]:
    checkpoints = []
    for step in proved.steps:
        name = None
        if step.stamp is not None:
            known = (one for one, data in stamps.items() if data == step.stamp)
            name = next(known, f"stamps/{len(stamps) // 2 + 1}.tsr")
            stamps.update({name: step.stamp, f"{name}.checkpoint": step.note.encode()})
        checkpoints.append({"note": step.note, "stamp": name})
    return {
        "key": proved.key,
        "number": proved.number,
        "leaf": proved.leaf,
        "path": _written(proved.path),
        "checkpoints": checkpoints,
        "consistency": [_written(one) for one in proved.consistency],
    }


def _text_files(text: HeldText) -> Iterator[tuple[str, bytes]]:
    markdown = text.fields.get("markdown")
    shown = markdown if isinstance(markdown, str) and markdown else text.text
    yield "text.md", f"{shown}\n".encode("utf-8", "replace")
    said = {**text.fields, "url": text.row.url, "date": write_date(text.row.date), "text": text.text}
    yield "text.json", _json(said)


def _side(text: HeldText) -> dict[str, object]:
    return {"record": text.row.record, **{name: text.fields.get(name) for name in _SIDE}}


def _written(hashes: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]


def _json(said: object) -> bytes:
    return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")

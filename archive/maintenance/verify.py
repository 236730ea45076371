"""Fixity check: re-reads the objects, hashes them and compares them with the index."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeVar

from archive.errors import ObjectMissingError
from archive.evidence import log_object, time_stamps
from archive.index.edits import states_the_same
from archive.index.faults import MISSING
from archive.index.from_records import referring
from archive.index.index import Index
from archive.index.schema import VISITS, CaptureRow, ObjectRow, TextRow
from archive.maintenance import learn_sites
from archive.maintenance.contents import TEXTS, Contents, read_contents
from archive.stores import ObjectStore, ReadableStore
from archive.warc import record as warc
from archive.warc.capture import digest
from archive.warc.confirmation import Confirmation
from archive.warc.members import Member
from archive.writer.committer import index_keys, index_objects

Kind = Literal["missing", "damaged", "index", "unknown"]
Check = Callable[[bytes], str | None]
"""Reads one object; returns what is wrong with it, None if nothing is."""
OWN: Mapping[str, Check] = {
    learn_sites.PREFIX: learn_sites.fault,
    log_object.PREFIX: log_object.fault,
    time_stamps.STAMPS: time_stamps.fault,
}
"""What the archive itself stores beside captures and texts, by prefix; the crawler has more."""
_NO_LINES = "its index lines are missing; `pressmark verify --repair` writes them again"
_NEVER = datetime.min.replace(tzinfo=UTC)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem that was found."""

    kind: Kind
    """`missing`: no such object. `damaged`: its bytes are not those that were written. `index`: a row of the index does
    not match the object, or a record has no row. `unknown`: an object that the index does not know; harmless."""
    key: str
    """The object."""
    offset: int | None
    """Offset in the object; None for the whole object."""
    reason: str

    def as_json(self) -> dict[str, object]:
        """The finding as programs see it."""
        return {"kind": self.kind, "object": self.key, "offset": self.offset, "reason": self.reason}

    def line(self) -> str:
        """The finding as people see it."""
        place = "" if self.offset is None else f" at byte {self.offset}"
        return f"{self.kind}: {self.key}{place}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The result of reading one object to its end."""

    findings: tuple[Finding, ...]
    fault: str | None = None
    """What is wrong with its bytes; None: nothing, whatever the index says."""
    lost: Mapping[str, str] | None = field(default_factory=dict)
    """Captures and texts of the index that cannot be read, by WARC-Record-ID, with the reason; None: all."""
    lines: Mapping[str, bytes] = field(default_factory=dict)
    """Its index objects that the store does not have, by key."""


def longest_unread(found: Iterable[T], read: Callable[[T], datetime | None], *, share: float) -> list[T]:
    """A share of some objects, those first that were never read, then those that were not for the longest time.

    Each is read within 1/share runs, whatever is added meanwhile.
    """
    ordered = sorted(found, key=lambda one: read(one) or _NEVER)
    return ordered[: math.ceil(len(ordered) * share)]


def check(store: ReadableStore, index: Index, row: ObjectRow) -> Checked:
    """Read an object that the index knows, and compare it with the rows of the index and with its index lines.

    Raises:
        StoreError: The store cannot be read at the moment; this does not mean that the object is damaged.
    """
    wrong: list[Finding] = []
    differing: dict[str, str] = {}

    def seen(member: Member) -> None:
        for finding in _digests(row.key, member):
            wrong.append(finding)
            differing[member.record.id] = finding.reason

    try:
        contents = read_contents(store, row.key, seen)
    except ObjectMissingError:
        if not _is_there(store, row.key):
            missing = Finding(kind="missing", key=row.key, offset=None, reason="no such object")
            return Checked(findings=(missing,), fault=MISSING, lost=None)
        raise
    damage = _damage(row, contents)
    faults = ([damage] if damage else []) or wrong
    made: dict[str, CaptureRow | TextRow] = {held.row.record: held.row for held in contents.texts}
    made.update((one.record, one) for one in _referring(index, contents.captures))
    captures, texts = index.of_object(row.key)
    ends = {*contents.gaps, contents.length}
    for capture in captures:  # one whose request or metadata is damaged
        torn = made.get(capture.record)
        if damage and torn and torn.offset + torn.length in ends and torn.length < capture.length:
            differing[capture.record] = damage.reason
    whole = {record: one for record, one in made.items() if record not in differing}
    stated: dict[str, CaptureRow | TextRow] = {text.record: text for text in texts}
    stated.update((capture.record, capture) for capture in captures)
    lost = {}
    if faults:
        lost = {record: differing.get(record, faults[0].reason) for record in stated if record not in whole}
    rows = [*_rows(row.key, whole, {record: one for record, one in stated.items() if record not in lost})]
    lines, written = _lines(store, row.key, [one for one in whole.values() if isinstance(one, CaptureRow)])
    return Checked(
        findings=(*faults, *rows, *lines, *_confirmed(index, row.key, contents.confirmations)),
        fault=faults[0].reason if faults else None,
        lost=lost,
        lines={} if faults else written,
    )


def verify(store: ReadableStore, index: Index, row: ObjectRow) -> Iterator[Finding]:
    """The problems of one object that the index knows; none if it was joined with others meanwhile.

    Raises:
        StoreError: The store cannot be read at the moment; this does not mean that the object is damaged.
    """
    found = check(store, index, row).findings
    if found and index.has_object(row.key):
        yield from found


def check_other(store: ReadableStore, key: str, checks: Mapping[str, Check]) -> Iterator[Finding]:
    """The problem of an object without captures and texts.

    Args:
        store: Has the object.
        key: Of the object.
        checks: What to do with the objects of each prefix.

    Raises:
        StoreError: The store cannot be read at the moment.
    """
    of_prefix = next((of_prefix for prefix, of_prefix in checks.items() if key.startswith(prefix)), None)
    if of_prefix is None:
        return
    try:
        fault = of_prefix(store.read(key))
    except ObjectMissingError:  # the listing was old: nothing refers to such an object
        return
    if fault is not None:
        yield _damaged(key, None, fault)


def repair(store: ObjectStore, checked: Checked) -> bool:
    """Write the index lines of an object again, if the store does not have them; returns whether it did not.

    Raises:
        StoreError: The store failed.
    """
    for key, lines in checked.lines.items():
        store.put(key, lines)
    return bool(checked.lines)


def unknown(store: ReadableStore, known: Iterable[str]) -> Iterator[Finding]:
    """Objects with captures, texts or index lines that no row refers to: left by a commit that was interrupted."""
    keys = set(known)
    lines = {one for key in keys for one in index_keys(key)}
    for prefix, of_rows in (("warc/", keys), (TEXTS, keys), (f"{VISITS}/", keys), ("index/", lines)):
        for key in store.keys(prefix):
            if key not in of_rows:
                yield Finding(kind="unknown", key=key, offset=None, reason="the index does not know this object")


def _is_there(store: ReadableStore, key: str) -> bool:
    """Whether the store has an object, asked again."""
    try:
        store.size(key)
    except ObjectMissingError:
        return False
    return True


def _damage(row: ObjectRow, contents: Contents) -> Finding | None:
    """How the bytes of an object differ from those that were written."""
    gap = contents.gaps[0] if contents.gaps else None
    if contents.length != row.length:
        at = contents.length if gap is None else gap
        return _damaged(row.key, at, f"{contents.length} bytes, {row.length} were written")
    if contents.sha256 != row.sha256:
        return _damaged(row.key, gap, "SHA-256 differs from what was written")
    return None if gap is None else _damaged(row.key, gap, "no whole record")


def _referring(index: Index, rows: Sequence[CaptureRow]) -> Iterator[CaptureRow]:
    """The rows, with what revisits take from the responses that they refer to."""
    here = {row.record: row for row in rows}
    wanted = {row.refers_to for row in rows if row.refers_to and row.refers_to not in here}
    known = {row.record: row for row in index.captures_of(wanted)} if wanted else {}
    for row in rows:
        original = (here.get(row.refers_to) or known.get(row.refers_to)) if row.refers_to else None
        yield referring(row, original)


def _digests(key: str, member: Member) -> Iterator[Finding]:
    record = member.record
    if record.get("WARC-Block-Digest") != digest(record.block):
        yield _damaged(key, member.offset, f"{record.id}: block digest differs")
    stated = record.get("WARC-Payload-Digest")
    if (
        stated
        and record.kind == "response"
        and warc.is_capture(record)
        and stated != digest(warc.split_payload(record)[1])
    ):
        yield _damaged(key, member.offset, f"{record.id}: payload digest differs")


def _rows(
    key: str, wanted: Mapping[str, CaptureRow | TextRow], stated: Mapping[str, CaptureRow | TextRow]
) -> Iterator[Finding]:
    """Compare rows of the index with those made from the whole records."""
    for record, row in wanted.items():
        if record not in stated:
            yield Finding(kind="index", key=key, offset=row.offset, reason=f"{record}: has no row in the index")
        elif names := _otherwise(stated[record], row):
            reason = f"{record}: the index says otherwise: {', '.join(names)}"
            yield Finding(kind="index", key=key, offset=row.offset, reason=reason)
    for record in stated.keys() - wanted.keys():
        reason = f"{record}: the index points here, the object holds no such record"
        yield Finding(kind="index", key=key, offset=stated[record].offset, reason=reason)


def _confirmed(index: Index, key: str, again: Sequence[Confirmation]) -> Iterator[Finding]:
    """Confirmations that the index does not count, or of captures that it does not know."""
    rows = {row.record: row for row in index.captures_of(dict.fromkeys(one.record for one in again))} if again else {}
    for one in again:
        row = rows.get(one.record)
        if row is None or row.last is None or row.last < one.date:
            reason = f"{one.record}: the index does not say that it was confirmed at {one.date:%Y-%m-%dT%H:%M:%SZ}"
            yield Finding(kind="index", key=key, offset=None, reason=reason)


def _otherwise(stated: CaptureRow | TextRow, wanted: CaptureRow | TextRow) -> list[str]:
    """Names of fields in which the index differs; rows written by an earlier version do not know all of a text."""
    names = [name for name in wanted.__slots__ if getattr(wanted, name) != getattr(stated, name)]
    later = ("made_by", "stated", "plain", "marks")
    unknown = {name for name in later if isinstance(stated, TextRow) and getattr(stated, name) is None}
    if isinstance(stated, TextRow) and isinstance(wanted, TextRow) and states_the_same(stated.stated, wanted.stated):
        unknown.add("stated")
    only_made = {"fault", "own", "last", "confirmed"}  # no part of what the object and the index both say
    return [name for name in names if name not in only_made | unknown]


_COMPARED = ("url", "status", "digest", "length", "offset", "filename")
"""What an index line says that leads a reader to the right bytes; spelling and media types follow the version."""


def _lines(store: ReadableStore, key: str, rows: Sequence[CaptureRow]) -> tuple[list[Finding], Mapping[str, bytes]]:
    """The problems of an object's index lines; and its index objects that the store does not have."""
    wanted = index_objects(key, rows)
    found: list[Finding] = []
    absent: dict[str, bytes] = {}
    for place, lines in wanted.items():
        try:
            stored = store.read(place)
        except ObjectMissingError:
            if _is_there(store, place):
                raise
            found.append(Finding(kind="missing", key=place, offset=None, reason=_NO_LINES))
            absent[place] = lines
            continue
        if stored == lines or place.endswith(".idx"):  # a summary is of the blocks beside it, however these were made
            continue
        try:
            said, should = _said(_unpacked(place, stored)), _said(_unpacked(place, lines))
        except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zlib.error) as e:
            found.append(_damaged(place, None, f"no index lines: {e}"))
            continue
        if missing := should - said:
            found.append(_damaged(place, None, f"{len(missing)} captures of {key} are not in it as they are"))
    return found, absent


def _unpacked(place: str, lines: bytes) -> bytes:
    return gzip.decompress(lines) if place.endswith(".gz") else lines


def _said(lines: bytes) -> set[tuple[str, ...]]:
    """What CDXJ lines say, apart from their order."""
    found = set()
    for line in filter(None, lines.decode().split("\n")):
        _, stamp, fields = line.split(" ", 2)
        said = json.loads(fields)
        found.add((stamp, *(str(said[name]) for name in _COMPARED)))
    return found


def _damaged(key: str, offset: int | None, reason: str) -> Finding:
    return Finding(kind="damaged", key=key, offset=offset, reason=reason)

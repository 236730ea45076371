"""Crash recovery: batches left in the spool, as far as their records are whole, ready to be committed.

What a killed process leaves is cut off: the last record of a file that was growing, begun and not ended. Anything else
that cannot be read is damage: whatever is whole before and behind it is kept, and so is the file as it was found.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import uuid4

from archive.index.from_records import capture_rows, text_rows
from archive.index.schema import IMPORT, VISITS, CaptureRow, ObjectRow, TextRow
from archive.runtime.durable import sync_folder
from archive.warc import record as warc
from archive.warc.confirmation import Confirmation, is_line, read_line
from archive.warc.members import Member, members
from archive.warc.salvage import Gap, survey
from archive.writer.batch import NOTES, Sealed, object_key, visits
from archive.writer.damage import Damage, Span, joined, keep, rewrite, without
from archive.writer.spool import OPEN, SpoolFile

log = logging.getLogger(__name__)

R = TypeVar("R", CaptureRow, TextRow)


class _Make(Protocol[R]):
    """Makes rows of records."""

    def __call__(self, found: Iterable[Member], *, whole: bool) -> list[R]:
        """`whole`: only of complete captures."""


def recover(spool: Path, known: Callable[[str], CaptureRow | None], *, maker: str) -> Iterator[Sealed]:
    """The batches that an earlier run left, oldest first, each sealed as far as its records are whole.

    Each must be committed before the next is taken. No other process may add to that maker's batches at the same time.

    Args:
        spool: Folder on this machine.
        known: Returns a capture by its WARC-Record-ID.
        maker: First word of the batches' names. An interrupted or damaged import is dropped: it can be repeated from
            its source.

    Raises:
        OSError: The spool cannot be read or written.
    """
    if maker == IMPORT:
        for path in spool.glob(f"*-{maker}-*{OPEN}"):
            path.unlink()
    for name in batch_names(spool, maker):
        yield _imported(spool, name, known) if maker == IMPORT else _recovered(spool, name, known)


def batch_names(spool: Path, maker: str) -> list[str]:
    """Names of a maker's batches in the spool, oldest first."""
    return sorted({batch_name(path) for path in spool.glob(f"*-{maker}-*") if path.is_file()})


def batch_name(path: Path) -> str:
    """Name of the batch that a spool file belongs to."""
    return path.name.partition("-")[2].partition(".")[0]


def _recovered(spool: Path, name: str, known: Callable[[str], CaptureRow | None]) -> Sealed:
    damage: list[Damage] = []

    def made_captures(found: Iterable[Member], *, whole: bool) -> list[CaptureRow]:
        return list(capture_rows(found, object_key("warc", name), known, whole=whole))

    def made_texts(found: Iterable[Member], *, whole: bool) -> list[TextRow]:  # noqa: ARG001  texts are always whole
        return list(text_rows(found, object_key("text", name)))

    captured, extracted = (spool / f"{kind}-{name}.warc.gz" for kind in ("warc", "text"))
    captures = _taken(captured, made_captures, lambda row: True, damage)  # noqa: ARG005
    held = {row.record for row in captures}
    texts = _taken(extracted, made_texts, lambda row: row.capture in held or known(row.capture) is not None, damage)
    files = [
        (_object(object_key(kind, name), path), path)
        for kind, path in (("warc", captured), ("text", extracted))
        if path.exists()
    ]
    lines, journal = _notes(spool, name)
    notes = tuple(line for line in lines if not is_line(line))
    again = tuple(one for line in lines if is_line(line) and (one := read_line(line)) is not None)
    if again:
        visited = _visits(spool, name, again)
        files.append((_object(object_key(VISITS, name), visited), visited))
    log.warning("recovered batch=%s captures=%d texts=%d notes=%d", name, len(captures), len(texts), len(notes))
    return Sealed(
        files=tuple(files),
        captures=tuple(captures),
        texts=tuple(texts),
        confirmations=again,
        notes=notes,
        journal=journal,
        damage=tuple(damage),
    )


def _imported(spool: Path, name: str, known: Callable[[str], CaptureRow | None]) -> Sealed:
    """A batch with records of other tools, which state no digests that could be relied on: whole, or not at all."""
    path, key = spool / f"warc-{name}.warc.gz", object_key("warc", name)
    end = 0

    def watched() -> Iterator[Member]:
        nonlocal end
        for member in members(stream):
            end = member.offset + member.length
            yield member

    with path.open("rb") as stream:
        captures = tuple(capture_rows(watched(), key, known))
    if end < (size := path.stat().st_size):
        damage = Damage(kept=keep(path), lost=((end, size),), records=0)
        log.error("%s", damage.line())
        path.unlink()
        return Sealed(files=(), captures=(), texts=(), damage=(damage,))
    return Sealed(files=((_object(key, path), path),), captures=captures, texts=())


def _taken(
    final: Path,
    make: _Make[R],
    wanted: Callable[[R], bool],
    damage: list[Damage],
) -> list[R]:
    """The rows of a spool file, which has its final name and nothing but whole records afterwards; or it is gone.

    Args:
        final: Its name once it is sealed.
        make: Makes rows of its records; only of complete captures, or of whatever there is.
        wanted: Whether a row may be in the index.
        damage: Gets what was lost.
    """
    growing = final.with_name(final.name + OPEN)
    path = growing if growing.exists() else final
    if not path.exists():
        return []
    gaps: list[Gap] = []
    with path.open("rb") as file:
        found = make(_whole(survey(file), gaps), whole=True)
    rows = [row for row in found if wanted(row)]
    size, end = path.stat().st_size, _end(rows)
    lost: list[Span] = _lost(gaps, found, rows, size, sealed=path == final)
    if not lost:
        if path == growing:
            _cut(path, end)
            path.rename(final)
            sync_folder(final.parent)
    else:
        gone = joined([*lost, *((gap.offset, gap.end) for gap in gaps)])
        kept = keep(path)
        rewrite(path, final, without(size, gone))
        with final.open("rb") as file:
            records = sum(1 for _ in members(file))
        with final.open("rb") as file:
            rows = [row for row in make(members(file), whole=False) if wanted(row)]
        damage.append(Damage(kept=kept, lost=tuple(joined(lost)), records=records))
        log.error("%s", damage[-1].line())
    if not rows:
        final.unlink()
    return rows


def _lost(gaps: list[Gap], found: list[R], rows: list[R], size: int, *, sealed: bool) -> list[Span]:
    """What of a file is lost by damage; not what a killed process left at the end of a file that was growing."""
    lost = [(gap.offset, gap.end) for gap in gaps if sealed or not gap.torn]
    if sealed and not lost and _end(found) < size:
        lost.append((size, size))  # the rest of its last capture
    # Texts whose captures are lost; at the end of a growing file they are cut off with the rest.
    last = size if sealed or lost else _end(rows)
    kept = {row.record for row in rows}
    return lost + [
        (row.offset, row.offset + row.length) for row in found if row.record not in kept and row.offset < last
    ]


def _whole(found: Iterable[Member | Gap], gaps: list[Gap]) -> Iterator[Member]:
    """The records of a file; gaps are put into the list."""
    for one in found:
        if isinstance(one, Gap):
            gaps.append(one)
        else:
            yield one


def _end(rows: list[R]) -> int:
    """Offset behind the last of the rows' records."""
    return max((row.offset + row.length for row in rows), default=0)


def _cut(path: Path, end: int) -> None:
    """Cut off what follows the last complete record, and make the file durable."""
    with path.open("r+b") as out:
        size = out.seek(0, os.SEEK_END)
        if size > end:
            log.warning("cut torn records file=%s bytes=%d", path.name, size - end)
            out.truncate(end)
        out.flush()
        os.fsync(out.fileno())


def _object(key: str, path: Path) -> ObjectRow:
    """The row of the object that a spool file is going to be."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return ObjectRow(key=key, length=path.stat().st_size, sha256=sha256)


def _visits(spool: Path, name: str, again: tuple[Confirmation, ...]) -> Path:
    """The file with the confirmations in a batch's journal: as it was sealed, or else made of these lines."""
    final = spool / f"{VISITS}-{name}.warc.gz"
    final.with_name(final.name + OPEN).unlink(missing_ok=True)
    if not (final.exists() and _is_whole(final)):
        final.unlink(missing_ok=True)
        warcinfo = warc.warcinfo(
            uuid=str(uuid4()),
            date=_began(name),
            filename=final.name,
            info={"isPartOf": name, "description": "recovered"},
        )
        file = SpoolFile(final)
        file.append(warc.pack(warcinfo) + visits(again, warcinfo.id, _began(name), str(uuid4())))
        file.seal()
    return final


def _is_whole(path: Path) -> bool:
    """Whether a file has nothing but records that agree with their digests."""
    with path.open("rb") as file:
        return not any(isinstance(one, Gap) for one in survey(file))


def _began(name: str) -> datetime:
    """When a batch was begun, which is the second word of its name."""
    return datetime.strptime(name.split("-")[1], "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)


def _notes(spool: Path, name: str) -> tuple[tuple[str, ...], Path | None]:
    """Lines of the notes, also of damaged ones: each is read for itself."""
    final = spool / f"{NOTES}-{name}.jsonl"
    growing = final.with_name(final.name + OPEN)
    if growing.exists():
        growing.rename(final)
        sync_folder(spool)
    if not final.exists():
        return (), None
    lines = final.read_bytes().split(b"\n")[:-1]  # an incomplete line has no end
    return tuple(line.decode("utf-8", "replace") for line in lines), final

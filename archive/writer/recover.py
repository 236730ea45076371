"""Crash recovery: batches left in the spool, cut to complete records, ready to be committed."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from archive.index.from_records import capture_rows, text_rows
from archive.index.schema import IMPORT, CaptureRow, ObjectRow, TextRow
from archive.runtime.durable import sync_folder
from archive.warc.members import members
from archive.writer.batch import NOTES, Sealed, object_key
from archive.writer.spool import OPEN

log = logging.getLogger(__name__)


def recover(spool: Path, known: Callable[[str], CaptureRow | None], *, maker: str) -> Iterator[Sealed]:
    """The batches that an earlier run left, oldest first, each sealed as far as its records are complete.

    Each must be committed before the next is taken. No other process may add to that maker's batches at the same time.

    Args:
        spool: Folder on this machine.
        known: Returns a capture by its WARC-Record-ID.
        maker: First word of the batches' names. An interrupted import is discarded: it can be repeated from its source.

    Raises:
        OSError: The spool cannot be read or written.
    """
    if maker == IMPORT:
        for path in spool.glob(f"*-{maker}-*{OPEN}"):
            path.unlink()
    names = sorted({_batch_name(path) for path in spool.glob(f"*-{maker}-*") if path.is_file()})
    for name in names:
        yield _recovered(spool, name, known)


def _recovered(spool: Path, name: str, known: Callable[[str], CaptureRow | None]) -> Sealed:
    files: list[tuple[ObjectRow, Path]] = []
    captures: list[CaptureRow] = []
    texts: list[TextRow] = []
    ours = not name.startswith(IMPORT)
    for kind in ("warc", "text"):
        path = _sealed(spool / f"{kind}-{name}.warc.gz")
        if path is None:
            continue
        key = object_key(kind, name)
        with path.open("rb") as stream:
            if kind == "warc":
                captures = list(capture_rows(members(stream), key, known, whole=ours))
            else:
                held = {row.record for row in captures}
                texts = [row for row in text_rows(members(stream), key) if row.capture in held or known(row.capture)]
        rows: list[CaptureRow] | list[TextRow] = captures if kind == "warc" else texts
        if not rows and ours:
            path.unlink()
            continue
        end = max(row.offset + row.length for row in rows) if ours else path.stat().st_size
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
    """The file under its final name, renamed from an `.open` one if need be; None if there is neither."""
    growing = final.with_name(final.name + OPEN)
    if growing.exists():
        growing.rename(final)
        sync_folder(final.parent)
    return final if final.exists() else None


def _cut(path: Path, end: int) -> None:
    """Cut off what follows the last complete record, and make the file durable."""
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
    lines = path.read_bytes().split(b"\n")[:-1]  # an incomplete line has no end
    return tuple(line.decode("utf-8", "replace") for line in lines), path

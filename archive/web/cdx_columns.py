"""Columns of a CDX line. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Callable

from archive.index.lookup import Line
from archive.index.schema import CaptureRow

COLUMNS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
"""Columns of the Wayback CDX server."""
CDX11 = (
    "urlkey",
    "timestamp",
    "original",
    "mimetype",
    "statuscode",
    "digest",
    "redirect",
    "robotflags",
    "length",
    "offset",
    "filename",
)
"""The eleven columns that replay tools need (CDX-11)."""

_ALIASES = {"url": "original", "mime": "mimetype", "status": "statuscode", "key": "urlkey", "file": "filename"}
_VALUES: dict[str, Callable[[str, CaptureRow], str]] = {
    "urlkey": lambda key, _row: key,
    "timestamp": lambda _key, row: row.timestamp,
    "original": lambda _key, row: row.url.replace(" ", "%20"),
    "mimetype": lambda _key, row: "warc/revisit" if row.kind == "revisit" else (row.mime.replace(" ", "") or "unk"),
    "statuscode": lambda _key, row: str(row.status) if row.status else "-",
    "digest": lambda _key, row: row.digest.rpartition(":")[2] or "-",
    "redirect": lambda _key, _row: "-",
    "robotflags": lambda _key, _row: "-",
    "length": lambda _key, row: str(row.length),
    "offset": lambda _key, row: str(row.offset),
    "filename": lambda _key, row: row.object,
    "record": lambda _key, row: row.record,
}


def column_of(name: str) -> str:
    """The column of that name or alias.

    Raises:
        ValueError: There is no such column.
    """
    known = _ALIASES.get(name, name)
    if known not in _VALUES:
        raise ValueError(f"{name[:40]!r}: not a column: use {', '.join(_VALUES)}")
    return known


def value_of(column: str, line: Line) -> str:
    """The value of a line in a column; `-` if there is none."""
    return _VALUES[column](*line)

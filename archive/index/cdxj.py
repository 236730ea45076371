"""CDXJ: one index line per capture, in the form that pywb and similar tools read. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable

from archive.index.schema import CaptureRow
from archive.warc.urlkey import urlkey


def cdxj_line(row: CaptureRow) -> str:
    """`urlkey timestamp {json}`, without a line end; `filename` is the key of the WARC object."""
    fields = {
        "url": row.url,
        "mime": "warc/revisit" if row.kind == "revisit" else row.mime,
        "status": str(row.status),
        "digest": row.digest,
        "length": str(row.length),
        "offset": str(row.offset),
        "filename": row.object,
    }
    told = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return f"{urlkey(row.url)} {row.timestamp} {told}"


def cdxj(rows: Iterable[CaptureRow]) -> bytes:
    """The lines of captures, sorted as bytes, so that binary search works and files can be merged."""
    lines = sorted(cdxj_line(row).encode() for row in rows)
    return b"".join(line + b"\n" for line in lines)

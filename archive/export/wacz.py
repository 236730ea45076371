"""WACZ 1.1.1: captures of one page as one file that replay tools open."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime

from archive.index.cdxj import cdxj
from archive.index.from_records import CAPTURES
from archive.index.schema import CaptureRow
from archive.limits import WACZ_BYTES
from archive.reader.reader import Reader
from archive.warc import record as warc
from archive.warc.capture import digest
from archive.warc.http_message import split_head

_ACTING = re.compile(
    rb"^(refresh|link|set-cookie2?|clear-site-data|strict-transport-security|content-disposition|service-worker-allowed"
    rb"|report-to|reporting-endpoints|nel|content-security-policy(?:-report-only)?|x-frame-options)(?=[ \t]*:)",
    re.IGNORECASE | re.MULTILINE,
)
_NAME = "data.warc.gz"


def wacz(
    reader: Reader, rows: Sequence[CaptureRow], *, title: str, now: datetime, software: str, still: bool = False
) -> bytes:
    """A file with some captures; those that revisits among them refer to are put in as well.

    Args:
        reader: Where they are.
        rows: Which; the first is the page that is shown first.
        title: Of that page.
        now: When it is made; aware, UTC.
        software: What makes it.
        still: It is for a replay engine: headers that act on whoever loads a page, such as Refresh, have other names.

    Raises:
        OverflowError: They are more than fits into one file.
    """
    wanted: dict[str, CaptureRow] = {}
    for row in rows:
        wanted.setdefault(row.record, row)
        original = reader.index.capture(row.refers_to) if row.refers_to else None
        if original is not None:
            wanted.setdefault(original.record, original)
    data, placed = bytearray(), []
    for row in wanted.values():
        if len(data) + row.length > WACZ_BYTES:
            raise OverflowError(f"the captures have more than {WACZ_BYTES} bytes")
        stored = _stilled(reader.stored_members(row)) if still else reader.stored_members(row)
        placed.append(_moved(row, len(data), len(stored)))
        data += stored
    first = rows[0]
    stamp = f"{first.date:%Y-%m-%dT%H:%M:%SZ}"
    page = {"id": first.record.strip("<>").rpartition(":")[2], "url": first.url, "ts": stamp, "title": title}
    pages = (
        json.dumps({"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}) + "\n" + json.dumps(page) + "\n"
    )
    files = {
        f"archive/{_NAME}": bytes(data),
        "indexes/index.cdx": cdxj(placed),
        "pages/pages.jsonl": pages.encode(),
    }
    package = {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "title": title,
        "created": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "software": software,
        "mainPageUrl": first.url,
        "mainPageDate": stamp,
        "resources": [
            {"name": name.rpartition("/")[2], "path": name, "hash": _sha256(content), "bytes": len(content)}
            for name, content in files.items()
        ],
    }
    described = json.dumps(package, indent=2).encode()
    signed = json.dumps({"path": "datapackage.json", "hash": _sha256(described)}).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in {**files, "datapackage.json": described, "datapackage-digest.json": signed}.items():
            # What is compressed already is not compressed again: replay tools read its members by their place.
            how = zipfile.ZIP_STORED if name.startswith("archive/") else zipfile.ZIP_DEFLATED
            entry = zipfile.ZipInfo(name, date_time=max(now.timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
            made.writestr(entry, content, compress_type=how)
    return out.getvalue()


def _stilled(stored: bytes) -> bytes:
    """The records of a capture, without headers that would act on the page that replays it."""
    found = list(warc.read(io.BytesIO(stored)))
    if not any(one.kind in CAPTURES and _ACTING.search(split_head(one.block)[0]) for one in found):
        return stored
    out = bytearray()
    for record in found:
        if record.kind in CAPTURES:
            head, body = split_head(record.block)
            block = _ACTING.sub(rb"X-Archive-Orig-\1", head) + body
            record = warc.Record(headers=record.headers, block=block).having(("WARC-Block-Digest", digest(block)))  # noqa: PLW2901  a new one
        out += warc.pack(record)
    return bytes(out)


def _moved(row: CaptureRow, offset: int, length: int) -> CaptureRow:
    """The row as it is in the file."""
    values = {name: getattr(row, name) for name in CaptureRow.__slots__}
    return CaptureRow(**{**values, "object": _NAME, "offset": offset, "length": length})


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"

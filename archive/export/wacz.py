"""WACZ 1.1.1: captures of one page as one file that replay tools open, and which captures belong in it."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from threading import Lock

from archive.errors import ArchiveError, TooLargeError
from archive.extract.requisites import of_style, page_links, requisites
from archive.index.cdxj import cdxj
from archive.index.from_records import CAPTURES
from archive.index.lookup import Lookup
from archive.index.schema import CaptureRow
from archive.limits import PACKED_LINKS, PACKED_RESOURCES, WACZ_BYTES
from archive.reader.reader import Reader
from archive.warc import record as warc
from archive.warc.capture import digest
from archive.warc.http_message import split_head

log = logging.getLogger(__name__)

_MAX_LOOKED_UP = 300
"""Links of a page that are looked up."""
_ERRORS_FROM = 400
"""Statuses of failed requests start here (RFC 9110 §15.5)."""
_ACTIVE_HEADERS = re.compile(
    rb"^(refresh|link|set-cookie2?|clear-site-data|strict-transport-security|content-disposition|service-worker-allowed"
    rb"|report-to|reporting-endpoints|nel|content-security-policy(?:-report-only)?|x-frame-options)(?=[ \t]*:)",
    re.IGNORECASE | re.MULTILINE,
)
_NAME = "data.warc.gz"


class WaczCache:
    """WACZ files of pages, each made once for all who request it at the same time; the newest are cached."""

    def __init__(self, reader: Reader, *, max_bytes: int) -> None:
        """`max_bytes`: size of all files together; the last one is cached however large it is."""
        self._reader = reader
        self._max_bytes = max_bytes
        self._files: OrderedDict[tuple[str, bool], bytes] = OrderedDict()
        self._lock = Lock()

    def page(self, capture: CaptureRow, *, for_replay: bool) -> bytes:
        """As `pack_page`."""
        key = (capture.record, for_replay)
        with self._lock:
            made = self._files.pop(key, None) or pack_page(self._reader, capture, for_replay=for_replay)
            self._files[key] = made
            while len(self._files) > 1 and sum(map(len, self._files.values())) > self._max_bytes:
                self._files.popitem(last=False)
        return made


def pack_page(reader: Reader, capture: CaptureRow, *, for_replay: bool = False) -> bytes:
    """A page with its images, styles and fonts, and the pages it links to, as they were at that time.

    If all of this is too large, the linked pages are left out, then the resources.

    Args:
        reader: Reads the captures.
        capture: The capture of the page.
        for_replay: As in `wacz`.

    Raises:
        TooLargeError: The page alone is too large.
        ArchiveError: The page cannot be read.
    """
    lookup = Lookup(reader.index)
    rows = [capture, *_resources(reader, lookup, capture)]
    linked = _linked_pages(reader, lookup, capture)
    title = next((text.title for text in reader.index.texts_of(capture.record) if text.title), None) or capture.url
    software = f"Pressmark {version('pressmark')}"
    for chosen in ([*rows, *linked], rows, rows[:1]):
        try:
            return wacz(reader, chosen, title=title, now=capture.date, software=software, for_replay=for_replay)
        except OverflowError as e:
            log.info("wacz too large url=%s captures=%d reason=%s", capture.url, len(chosen), e)
    raise TooLargeError(capture.url, "a WACZ file")


def _resources(reader: Reader, lookup: Lookup, page: CaptureRow) -> list[CaptureRow]:
    """The archived images, styles and fonts of a page."""
    found: list[CaptureRow] = []
    for one in requisites(_payload(reader, page), url=page.url, content_type=page.mime):
        capture = _nearest(lookup, one.url, page.date)
        if capture is None:
            continue
        found.append(capture)
        if one.kind == "style":
            inner = of_style(_payload(reader, capture), url=capture.url)
            found += [row for two in inner if (row := _nearest(lookup, two.url, page.date)) is not None]
    return found[:PACKED_RESOURCES]


def _linked_pages(reader: Reader, lookup: Lookup, page: CaptureRow) -> list[CaptureRow]:
    """The archived pages that a page links to, each with its resources."""
    links = page_links(_payload(reader, page), url=page.url, content_type=page.mime)[:_MAX_LOOKED_UP]
    archived = lookup.held(links)
    found: list[CaptureRow] = []
    for url in [link for link in links if link in archived][:PACKED_LINKS]:
        capture = _nearest(lookup, url, page.date)
        if capture is not None:
            found += [capture, *_resources(reader, lookup, capture)]
    return found[:PACKED_RESOURCES]


def _nearest(lookup: Lookup, url: str, at: datetime) -> CaptureRow | None:
    near = lookup.memento(url, at)
    return near[0] if near is not None and near[0].status < _ERRORS_FROM else None


def _payload(reader: Reader, capture: CaptureRow) -> bytes:
    """The payload; empty if it cannot be read: the file then contains the rest."""
    try:
        return reader.payload(capture)
    except ArchiveError as e:
        log.warning("payload cannot be read url=%s error=%s", capture.url, e)
        return b""


def wacz(
    reader: Reader, rows: Sequence[CaptureRow], *, title: str, now: datetime, software: str, for_replay: bool = False
) -> bytes:
    """A file with some captures, and with the captures that revisits among them refer to.

    Args:
        reader: Reads the captures.
        rows: The captures; the first is the page that replay tools open with.
        title: Title of that page.
        now: Date of the file; aware, UTC.
        software: Name of the software that makes it.
        for_replay: Rename response headers that act on whoever loads a page, such as Refresh.

    Raises:
        OverflowError: They do not fit into one file.
    """
    wanted: dict[str, CaptureRow] = {}
    for row in rows:
        wanted.setdefault(row.record, row)
        original = reader.index.capture(row.refers_to) if row.refers_to else None
        if original is not None:
            wanted.setdefault(original.record, original)
    data, relocated = bytearray(), []
    for row in wanted.values():
        if len(data) + row.length > WACZ_BYTES:
            raise OverflowError(f"more than {WACZ_BYTES} bytes")
        stored = _without_active_headers(reader.stored_members(row)) if for_replay else reader.stored_members(row)
        relocated.append(_relocated(row, len(data), len(stored)))
        data += stored
    first = rows[0]
    stamp = f"{first.date:%Y-%m-%dT%H:%M:%SZ}"
    page = {"id": first.record.strip("<>").rpartition(":")[2], "url": first.url, "ts": stamp, "title": title}
    pages = (
        json.dumps({"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}) + "\n" + json.dumps(page) + "\n"
    )
    files = {
        f"archive/{_NAME}": bytes(data),
        "indexes/index.cdx": cdxj(relocated),
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
            # WARC data is stored, not deflated: it is compressed already, and replay tools seek to its members.
            how = zipfile.ZIP_STORED if name.startswith("archive/") else zipfile.ZIP_DEFLATED
            entry = zipfile.ZipInfo(name, date_time=max(now.timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
            made.writestr(entry, content, compress_type=how)
    return out.getvalue()


def _without_active_headers(stored: bytes) -> bytes:
    """The records of a capture with the headers renamed that would act on the page that replays it."""
    found = list(warc.read(io.BytesIO(stored)))
    if not any(one.kind in CAPTURES and _ACTIVE_HEADERS.search(split_head(one.block)[0]) for one in found):
        return stored
    out = bytearray()
    for record in found:
        if record.kind in CAPTURES:
            head, body = split_head(record.block)
            block = _ACTIVE_HEADERS.sub(rb"X-Archive-Orig-\1", head) + body
            record = warc.Record(headers=record.headers, block=block).having(("WARC-Block-Digest", digest(block)))  # noqa: PLW2901  a new one
        out += warc.pack(record)
    return bytes(out)


def _relocated(row: CaptureRow, offset: int, length: int) -> CaptureRow:
    """The row with its position in the file."""
    values = {name: getattr(row, name) for name in CaptureRow.__slots__}
    return CaptureRow(**{**values, "object": _NAME, "offset": offset, "length": length})


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"

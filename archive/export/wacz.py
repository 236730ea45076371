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
from concurrent.futures import Future
from datetime import datetime
from http import HTTPStatus
from importlib.metadata import version
from threading import Lock
from typing import TypeVar

from archive.errors import ArchiveError, TaskError, TooLargeError, WorkersBusyError
from archive.extract.requisites import Requisite, of_style, page_links, requisites
from archive.index.cdxj import cdxj
from archive.index.from_records import CAPTURES
from archive.index.lookup import Lookup
from archive.index.schema import CaptureRow
from archive.limits import PACKED_LINKS, PACKED_RESOURCES, WACZ_BYTES, WACZ_MAKING, WACZ_WAITING
from archive.reader.named_in import named_in
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
T = TypeVar("T")


class WaczCache:
    """WACZ files of pages, each made once for all who request it at the same time; the newest are cached."""

    def __init__(self, reader: Reader, *, max_bytes: int) -> None:
        """`max_bytes`: size of all files together; the last one is cached however large it is."""
        self._reader = reader
        self._max_bytes = max_bytes
        self._files: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._making: dict[tuple[str, ...], Future[bytes]] = {}
        self._waiting = 0
        self._lock = Lock()

    def page(self, captures: Sequence[CaptureRow], *, for_replay: bool) -> bytes:
        """As `pack_page`; `captures` are redirects and the page that they lead to, the last one.

        Raises:
            WorkersBusyError: Too many files are being made, or too many requests wait for this one.
        """
        key = (*(one.record for one in captures), "replay" if for_replay else "")
        with self._lock:
            if (made := self._files.get(key)) is not None:
                self._files.move_to_end(key)
                return made
            others = self._making.get(key)
            if self._waiting >= WACZ_WAITING if others else len(self._making) >= WACZ_MAKING:
                raise WorkersBusyError("too many WACZ files are being made")
            if others is None:
                own = self._making[key] = Future[bytes]()
            else:
                self._waiting += 1
        return self._made(key, own, captures, for_replay=for_replay) if others is None else self._awaited(others)

    def _awaited(self, others: Future[bytes]) -> bytes:
        """The file that another request makes."""
        try:
            return others.result()
        finally:
            with self._lock:
                self._waiting -= 1

    def _made(
        self, key: tuple[str, ...], own: Future[bytes], captures: Sequence[CaptureRow], *, for_replay: bool
    ) -> bytes:
        try:
            made = pack_page(self._reader, captures[-1], via=captures[:-1], for_replay=for_replay)
        except BaseException as e:
            with self._lock:
                del self._making[key]
            own.set_exception(e)
            raise
        with self._lock:
            del self._making[key]
            self._files[key] = made
            while len(self._files) > 1 and sum(map(len, self._files.values())) > self._max_bytes:
                self._files.popitem(last=False)
        own.set_result(made)
        return made


def pack_page(
    reader: Reader, capture: CaptureRow, *, via: Sequence[CaptureRow] = (), for_replay: bool = False
) -> bytes:
    """A page with its images, styles and fonts, and the pages it links to, as they were at that time.

    If all of this is too large, the linked pages are left out, then the resources.

    Args:
        reader: Reads the captures.
        capture: The capture of the page.
        via: Captures of redirects that led to it.
        for_replay: As in `wacz`.

    Raises:
        TooLargeError: The page alone is too large.
        ArchiveError: The page cannot be read.
    """
    rows = [capture, *via, *_resources(reader, capture)]
    linked = _linked_pages(reader, capture)
    text = reader.index.text_for(capture)
    title = (text.title if text else None) or capture.url
    software = f"Pressmark {version('pressmark')}"
    for chosen in ([*rows, *linked], rows, rows[:1]):
        try:
            return wacz(reader, chosen, title=title, now=capture.date, software=software, for_replay=for_replay)
        except OverflowError as e:
            log.info("wacz too large url=%s captures=%d reason=%s", capture.url, len(chosen), e)
    raise TooLargeError(capture.url, "a WACZ file")


def _resources(reader: Reader, page: CaptureRow) -> list[CaptureRow]:
    """The archived images, styles and fonts of a page.

    Raises:
        TaskError: The page passed a limit.
    """
    found: list[CaptureRow] = []
    for one in named_in(reader, page, requisites):
        rows = _nearest(reader, one.url, page.date)
        found += rows
        if rows and one.kind == "style":
            found += [row for two in _of_style(reader, rows[-1]) for row in _nearest(reader, two.url, page.date)]
    return found[:PACKED_RESOURCES]


def _of_style(reader: Reader, style: CaptureRow) -> list[Requisite]:
    """The resources of a stylesheet; none if it passes a limit: the file then contains the rest."""
    try:
        return named_in(reader, style, of_style)
    except TaskError as e:
        log.warning("resources of a style are not packed url=%s error=%s", style.url, e)
        return []


def _linked_pages(reader: Reader, page: CaptureRow) -> list[CaptureRow]:
    """The archived pages that a page links to, each with its resources; none after one that passes a limit.

    Raises:
        TaskError: The page itself passed a limit.
    """
    links = named_in(reader, page, page_links)[:_MAX_LOOKED_UP]
    archived = Lookup(reader.index).held(links)
    found: list[CaptureRow] = []
    for url in [link for link in links if link in archived][:PACKED_LINKS]:
        rows = _nearest(reader, url, page.date)
        found += rows
        try:
            found += _resources(reader, rows[-1]) if rows else []
        except TaskError as e:
            log.warning("further pages are not packed url=%s error=%s", url, e)
            break
    return found[:PACKED_RESOURCES]


def _nearest(reader: Reader, url: str, at: datetime) -> list[CaptureRow]:
    """The capture of a URL nearest to `at`, with those that its redirects lead to; none if it was an error."""
    try:
        rows = reader.followed(url, at)
    except ArchiveError as e:
        log.info("not packed url=%s reason=%s", url, e)
        return []
    return rows if rows[0].status < _ERRORS_FROM else []


def wacz(
    reader: Reader, rows: Sequence[CaptureRow], *, title: str, now: datetime, software: str, for_replay: bool = False
) -> bytes:
    """A file with some captures, and with the captures that revisits among them refer to.

    Replay tools show a 304 as what it was, an empty page. Its records are in the file, but the index leads to the
    capture that it confirms.

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
    packed, confirmed = _packed(reader, rows)
    data, relocated = bytearray(), []
    for row in packed:
        if len(data) + row.length > WACZ_BYTES:
            raise OverflowError(f"more than {WACZ_BYTES} bytes")
        stored = reader.stored_members(row)
        if for_replay:
            stored = reader.work(without_active_headers, stored=stored)
        if row.record not in confirmed:
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


def _packed(reader: Reader, rows: Sequence[CaptureRow]) -> tuple[list[CaptureRow], set[str]]:
    """Captures for a file, and the records of those among them that only confirm others.

    Replay tools find what a revisit refers to by URL and approximate date. So of each URL there is at most one capture
    with a payload; those that would bring a second one are left out.
    """
    packed: dict[str, CaptureRow] = {}
    payloads: dict[str, str] = {}
    confirmed: set[str] = set()
    for row in rows:
        needed = [row, *reader.confirmed(row)]
        if any(payloads.get(one.url, one.record) != one.record for one in needed if one.kind != "revisit"):
            continue
        payloads |= {one.url: one.record for one in needed if one.kind != "revisit"}
        packed |= {one.record: one for one in needed if one.record not in packed}
        if row.status == HTTPStatus.NOT_MODIFIED and needed[1:]:
            confirmed.add(row.record)
    return list(packed.values()), confirmed


def without_active_headers(stored: bytes) -> bytes:
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

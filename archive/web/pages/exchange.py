"""The page that shows the HTTP exchange of a capture: request and response headers, WARC fields."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from archive.errors import NotArchivedError
from archive.warc.http_message import headers
from archive.warc.record import Record
from archive.web.memento_path import moment_of, stamp_of
from archive.web.pages.layout import Site, requested_page
from archive.web.ranges import MEMORY

_RECORDS = 10
_WARC_FIELDS = 100
_HTTP_FIELDS = 200
_VALUE_CHARACTERS = 8_000
_METADATA_BYTES = 20_000


def exchange(site: Site, request: Request) -> Response:
    """`/exchange/TS/URL`."""
    url, stamp = requested_page(site.reader, request, "/exchange/")
    found = site.lookup.memento(url, moment_of(stamp or "9"))
    if found is None:
        raise NotArchivedError(url)
    row = found[0]
    with MEMORY.held(row.length):
        records = site.reader.described(row, outlined)
    return site.page(request, "exchange", url=row.url, row=row, stamp=stamp_of(row.date), records=records)


def outlined(records: Sequence[Record]) -> list[dict[str, object]]:
    """What the page shows of each record. No I/O."""
    return [
        {
            "kind": record.kind,
            "fields": [(name, _printable(value)) for name, value in record.headers[:_WARC_FIELDS]],
            "message": _head(record.block) if record.kind in {"response", "request", "revisit"} else (),
            "metadata": _printable(record.block[:_METADATA_BYTES].decode("utf-8", "replace"), keep="\n")
            if record.kind == "metadata"
            else "",
        }
        for record in records[:_RECORDS]
    ]


def _head(block: bytes) -> list[tuple[str, str]]:
    """Start line, without a name, and headers of a message."""
    head = block.partition(b"\r\n\r\n")[0]
    start = head.partition(b"\r\n")[0].decode("latin-1")
    fields = headers(head + b"\r\n\r\n")[:_HTTP_FIELDS]
    return [("", _printable(start)), *((_printable(name), _printable(value)) for name, value in fields)]


def _printable(text: str, keep: str = "") -> str:
    return "".join(c if c.isprintable() or c in keep else " " for c in text)[:_VALUE_CHARACTERS]

"""Downloads of a page in each export format."""

from __future__ import annotations

import hashlib
from datetime import datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from archive.export import formats
from archive.export.formats import CaptureFormat, Format, TextFormat
from archive.index.schema import CaptureRow
from archive.reader.reader import Reader, StoredBody
from archive.web.errors import BadRequestError
from archive.web.memento_path import moment_of, stamp_of
from archive.web.pages.layout import Site, requested_page
from archive.web.ranges import MEMORY, matches, part_of

_HEADERS = {"Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "no-cache"}
_FOR_REPLAY = "replay"
"""Used instead of a format's name: a WACZ file for the replay engine."""


def download(site: Site, request: Request) -> Response:
    """`/download/FORMAT/TS/URL`."""
    name: str = request.path_params["form"]
    try:
        form = formats.by_name("wacz" if name == _FOR_REPLAY else name)
    except ValueError as e:
        raise BadRequestError(str(e), status=HTTPStatus.NOT_FOUND) from e
    url, stamp = requested_page(site.reader, request, f"/download/{name}/")
    at = moment_of(stamp) if stamp else None
    if form.name == "wacz":
        return _wacz(site, request, form, url, at, for_replay=name == _FOR_REPLAY)
    if isinstance(form, TextFormat):
        made = formats.export(site.reader, form, url, at)
        return Response(made.body, headers=_as_file(form, made.date))
    capture = site.reader.find(url, at)
    headers = {**_as_file(form, capture.date), "ETag": f'"{capture.record.strip("<>").rpartition(":")[2]}-{form.name}"'}
    if matches(request.headers, headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return part_of(_of_capture(site.reader, form, capture), request, headers, HTTPStatus.OK)


def _of_capture(reader: Reader, form: CaptureFormat, capture: CaptureRow) -> bytes | StoredBody:
    """A capture in a format; a payload without a content coding stays in the store until it is sent."""
    if form.name == "html":
        visit = reader.open_payload(capture)
        if not visit.coding:
            return visit.body
        with MEMORY.held(visit.body.size):
            return form.make(reader, capture)
    with MEMORY.held(capture.length):
        return form.make(reader, capture)


def _wacz(site: Site, request: Request, form: Format, url: str, at: datetime | None, *, for_replay: bool) -> Response:
    """Served from the cache, and in parts: the replay engine requests ranges of it."""
    captures = site.reader.followed(url, at)
    body = site.wacz.page(captures, for_replay=for_replay)
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    headers = {**_as_file(form, captures[-1].date), "ETag": tag}
    if matches(request.headers, tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return part_of(body, request, headers, HTTPStatus.OK)


def _as_file(form: Format, date: datetime) -> dict[str, str]:
    name = f"pressmark-{stamp_of(date)}.{form.suffix}"
    kind = form.content_type if isinstance(form, TextFormat) else form.media_type
    return {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"', **_HEADERS}

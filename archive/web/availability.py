"""The Wayback Machine's availability API: the capture of a URL nearest to a timestamp."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from archive.reader.reader import Reader
from archive.warc.pasted_url import readings
from archive.web.errors import BadRequestError
from archive.web.link_headers import memento_url
from archive.web.memento_path import STAMP_DIGITS, moment_of, stamp_of


class AvailabilityApi:
    """Availability over HTTP."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def available(self, request: Request) -> Response:
        """`/wayback/available?url=…&timestamp=…`."""
        url, stamp = request.query_params.get("url", "").strip(), request.query_params.get("timestamp", "").strip()
        if not url:
            raise BadRequestError("url is missing", hint="Ask for /wayback/available?url=URL&timestamp=20240531.")
        if stamp and not (stamp.isdigit() and stamp.isascii() and len(stamp) <= STAMP_DIGITS):
            raise BadRequestError(f"timestamp={stamp[:20]}: use up to {STAMP_DIGITS} digits, such as 20240531")
        try:
            meant = readings(url)
        except ValueError as e:
            raise BadRequestError(str(e)) from e
        at = moment_of(stamp) if stamp else None
        row = await run_in_threadpool(lambda: self._reader.index.nearest(self._reader.meant(meant).url, at))
        snapshots = {}
        if row:
            snapshots["closest"] = {
                "available": True,
                "url": memento_url(request.scope["pressmark.base"], row.date, row.url),
                "timestamp": stamp_of(row.date),
                "status": str(row.status),
            }
        answer = {"url": url, "archived_snapshots": snapshots, **({"timestamp": stamp} if stamp else {})}
        return JSONResponse(answer, headers={"Cache-Control": "no-cache"})

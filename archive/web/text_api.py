"""`/text/`: the text of a page at an instant, in the format that content negotiation chooses."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.export import formats
from archive.export.formats import TextFormat
from archive.index.from_records import HeldText
from archive.reader.reader import Reader
from archive.reader.vanished import Vanished
from archive.web.errors import BadRequestError
from archive.web.link_headers import memento_url
from archive.web.memento_path import dated, http_date, moment_of, quoted, readings_in_path, stamp_of
from archive.web.ranges import matches
from archive.web.request import rest_of

_ACCEPTED = 50
"""Media ranges of an Accept header that are read."""


class TextApi:
    """Texts over HTTP."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def text(self, request: Request) -> Response:
        """`/text/TS/URL` and `/text/URL`."""
        rest = rest_of(request, "/text/")
        try:
            asked = dated(rest)
            meant = asked.readings if asked else readings_in_path(rest)
        except ValueError as e:
            raise BadRequestError(str(e)) from e
        offered = formats.text_formats()
        form = negotiated(request.headers.get("accept", ""), offered)
        if form is None:
            types = formats.listed([one.media_type for one in offered])
            raise BadRequestError(f"Accept: use {types}", status=HTTPStatus.NOT_ACCEPTABLE)
        at = moment_of(asked.stamp) if asked else None
        text = await run_in_threadpool(lambda: self._reader.text(self._reader.meant(meant).url, at))
        return await run_in_threadpool(self._response, request, text, form)

    def _response(self, request: Request, text: HeldText, form: TextFormat) -> Response:
        base, row = request.scope["pressmark.base"], text.row
        date = http_date(row.date)
        headers = {
            "Memento-Datetime": date,
            "Content-Location": f"{base}/text/{stamp_of(row.date)}/{quoted(row.url)}",
            "Link": f'<{quoted(row.url)}>; rel="original", '
            f'<{memento_url(base, row.date, row.url)}>; rel="memento"; datetime="{date}"',
            "Vary": "Accept",
            "Cache-Control": "no-cache",
            "ETag": f'"{row.record.strip("<>").rpartition(":")[2]}-{form.name}{_told(self._reader.vanished(row.url))}"',
        }
        if matches(request.headers, headers["ETag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(form.make(self._reader, text), media_type=form.media_type, headers=headers)


def _told(one: Vanished | None) -> str:
    """What distinguishes representations of a post that was online, that vanished, that came back."""
    return "" if one is None else f"-gone{stamp_of(one.since)}" + (f"-back{stamp_of(one.back)}" if one.back else "")


def negotiated(accept: str, offered: Sequence[TextFormat]) -> TextFormat | None:
    """Content negotiation: the format that an Accept header prefers (RFC 9110 §12.5.1).

    Args:
        accept: Value of the header; empty: the first format will do.
        offered: The available formats; of two with the same quality, the first is chosen.

    Returns:
        None if none is acceptable.
    """
    if not accept.strip():
        return offered[0]
    quality = _qualities(accept)
    best: tuple[float, TextFormat | None] = (0.0, None)
    for form in offered:
        for media_range in (form.media_type, form.media_type.partition("/")[0] + "/*", "*/*"):
            if media_range in quality:
                if quality[media_range] > best[0]:
                    best = (quality[media_range], form)
                break
    return best[1]


def _qualities(accept: str) -> dict[str, float]:
    """The quality of each media range; 0 if it is not a number."""
    found: dict[str, float] = {}
    for part in accept.split(",")[:_ACCEPTED]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            found[name] = float(quality)
        except ValueError:
            found[name] = 0.0
    return found

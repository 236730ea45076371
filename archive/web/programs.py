"""What other people's tools ask: CDX queries, availability, the text of a page at an instant."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from archive.index.from_records import HeldText
from archive.index.lookup import Line, Lookup
from archive.reader.reader import Reader
from archive.web import cdx_query as cdx
from archive.web import link_headers
from archive.web.cdx_query import Query
from archive.web.errors import WrongError
from archive.web.limits import CLOSEST_CAPTURES
from archive.web.memento_path import asked_url, dated, http_date, moment_of, quoted, stamp_of
from archive.web.mementos import in_parts, rest_of
from archive.web.ranges import matches

_FORMS = ("text/plain", "text/markdown", "application/json")


class Machines:
    """`/cdx`, `/wayback/available`, `/text/`."""

    def __init__(self, archive: Reader, lookup: Lookup) -> None:
        self._archive = archive
        self._lookup = lookup

    async def cdx(self, request: Request) -> Response:
        """As the Wayback CDX server."""
        return await self._query(request, cdx.COLUMNS)

    async def outback(self, request: Request) -> Response:
        """As OutbackCDX: with what replay tools need to find the record."""
        return await self._query(request, cdx.CDX11)

    async def _query(self, request: Request, columns: Sequence[str]) -> Response:
        try:
            pairs = parse_qsl(
                request.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=100
            )
            query = cdx.parse(pairs, columns=columns)
        except ValueError as e:
            raise WrongError(str(e)) from e
        if query.count_pages:
            count = await run_in_threadpool(self._lookup.count, query.keys, since=query.since, until=query.until)
            return PlainTextResponse(f"{-(-count // query.page_size)}\n", headers={"Cache-Control": "no-cache"})
        parts = in_parts(self._written(query))
        media_type = cdx.MEDIA_TYPES[query.output]
        # What is wrong with a filter's expression or the database shows with the first line.
        return await _begun(parts, media_type)

    def _written(self, query: Query) -> Iterator[str]:
        further: list[str] = []
        yield from cdx.written(query, self._lines(query, further), resume=lambda: further[0] if further else None)

    def _lines(self, query: Query, further: list[str]) -> Iterator[Line | None]:
        """The lines of an answer; the key with which to go on is put into `further`."""
        backwards = query.backwards or (query.limit or 0) < 0
        skip = query.page * query.page_size if query.page is not None else 0
        scanned = self._lookup.scan(
            query.keys,
            since=query.since,
            until=query.until,
            backwards=backwards,
            after=query.after,
            skip=skip,
            limit=_most(query),
        )
        if query.sort == "closest":
            scanned = iter(cdx.nearest_first(query, scanned))
        found = cdx.chosen(query, scanned)
        if query.limit is None:
            yield from _skipping(found, query.offset)
            return
        wanted = abs(query.limit)
        if query.limit < 0 and not query.backwards:
            last = list(islice((line for line in found if line), query.offset, query.offset + wanted))
            yield from reversed(last)
            return
        last_line: Line | None = None
        for line in _skipping(found, query.offset):
            if line is None:
                yield None
                continue
            if wanted == 0:
                if last_line and query.show_resume:
                    further.append(cdx.resume_key(last_line))
                return
            wanted -= 1
            last_line = line
            yield line

    async def available(self, request: Request) -> Response:
        """As the Wayback Machine's availability API."""
        url, stamp = request.query_params.get("url", "").strip(), request.query_params.get("timestamp", "").strip()
        if not url:
            raise WrongError("url is missing", hint="Ask for /wayback/available?url=URL&timestamp=20240531.")
        if stamp and not (stamp.isdigit() and stamp.isascii() and len(stamp) <= 14):  # noqa: PLR2004  YYYYMMDDhhmmss
            raise WrongError(f"timestamp={stamp[:20]}: use up to 14 digits, such as 20240531")
        try:
            target = asked_url(url)
        except ValueError as e:
            raise WrongError(str(e)) from e
        row = await run_in_threadpool(self._archive.index.nearest, target, moment_of(stamp) if stamp else None)
        closest = {}
        if row:
            closest["closest"] = {
                "available": True,
                "url": link_headers.memento_url(request.scope["pressmark.base"], row.date, row.url),
                "timestamp": stamp_of(row.date),
                "status": str(row.status),
            }
        told = {"url": url, "archived_snapshots": closest, **({"timestamp": stamp} if stamp else {})}
        return JSONResponse(told, headers={"Cache-Control": "no-cache"})

    async def text(self, request: Request) -> Response:
        """The words of a page at an instant, in the form that is asked for."""
        rest = rest_of(request, "/text/")
        try:
            asked = dated(rest)
            url = asked.url if asked else asked_url(rest)
        except ValueError as e:
            raise WrongError(str(e)) from e
        form = wanted_form(request.headers.get("accept", ""))
        if form is None:
            raise WrongError("Accept: use text/plain, text/markdown or application/json", status=406)
        at = moment_of(asked.stamp) if asked else None
        held = await run_in_threadpool(self._archive.text, url, at)
        return await run_in_threadpool(self._text, request, held, form)

    def _text(self, request: Request, held: HeldText, form: str) -> Response:
        base, stamp = request.scope["pressmark.base"], stamp_of(held.row.date)
        mark = {"text/plain": "t", "text/markdown": "m", "application/json": "j"}[form]
        headers = {
            "Memento-Datetime": http_date(held.row.date),
            "Content-Location": f"{base}/text/{stamp}/{quoted(held.row.url)}",
            "Link": f'<{quoted(held.row.url)}>; rel="original", '
            f'<{link_headers.memento_url(base, held.row.date, held.row.url)}>; rel="memento"; '
            f'datetime="{http_date(held.row.date)}"',
            "Vary": "Accept",
            "Cache-Control": "no-cache",
            "ETag": f'"{held.row.record.strip("<>").rpartition(":")[2]}-{mark}"',
        }
        if matches(request.headers, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if form == "application/json":
            told = json.dumps(held.as_json(self._archive.index.capture(held.row.capture)), ensure_ascii=False, indent=2)
            return Response(told + "\n", media_type=form, headers=headers)
        said = held.text if form == "text/plain" else str(held.fields.get("markdown") or held.text)
        return Response((said + "\n").encode("utf-8", "replace"), media_type=form, headers=headers)


def _most(query: Query) -> int | None:
    """How many lines need to be looked at; None where that cannot be told."""
    if query.page is not None:
        return query.page_size
    if query.sort == "closest":
        return CLOSEST_CAPTURES
    if query.limit is None or query.filters or query.collapse:
        return None
    return abs(query.limit) + query.offset + 1


def _skipping(lines: Iterator[Line | None], count: int) -> Iterator[Line | None]:
    for line in lines:
        if line is not None and count > 0:
            count -= 1
            continue
        yield line


async def _begun(parts: AsyncIterator[bytes], media_type: str) -> Response:
    """A stream whose first part is there already, so that what is wrong at once is told with the right status."""
    try:
        first = await anext(parts, b"")
    except ValueError as e:
        raise WrongError(str(e)) from e

    async def all_of_it() -> AsyncIterator[bytes]:
        yield first
        async for part in parts:
            yield part

    return StreamingResponse(all_of_it(), media_type=media_type, headers={"Cache-Control": "no-cache"})


def wanted_form(accept: str) -> str | None:
    """The media type that an Accept header likes best of those that there are (RFC 9110 §12.5.1)."""
    if not accept.strip():
        return _FORMS[0]
    best: tuple[float, str | None] = (0.0, None)
    stated: dict[str, float] = {}
    for part in accept.split(",")[:50]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            stated[name] = float(quality)
        except ValueError:
            stated[name] = 0.0
    for form in _FORMS:
        for name in (form, form.partition("/")[0] + "/*", "*/*"):
            if name in stated:
                if stated[name] > best[0]:
                    best = (stated[name], form)
                break
    return best[1]

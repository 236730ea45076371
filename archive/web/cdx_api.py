"""CDX servers over HTTP: as the Wayback Machine's, and as OutbackCDX for replay tools."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from archive.index.lookup import Line, Lookup
from archive.runtime.work import Work
from archive.web import cdx_query
from archive.web.cdx_columns import CDX11, COLUMNS
from archive.web.cdx_filters import Filters
from archive.web.cdx_output import MEDIA_TYPES, written
from archive.web.cdx_query import Query
from archive.web.errors import BadRequestError
from archive.web.limits import CLOSEST_CAPTURES
from archive.web.ranges import in_parts


class CdxApi:
    """CDX queries over HTTP."""

    def __init__(self, lookup: Lookup, work: Work) -> None:
        self._lookup = lookup
        self._work = work

    async def cdx(self, request: Request) -> Response:
        """`/cdx` and `/cdx/search/cdx`: as the Wayback CDX server."""
        return await self._query(request, COLUMNS)

    async def outbackcdx(self, request: Request) -> Response:
        """`/outback`: as OutbackCDX, with the columns that replay tools need to find a record."""
        return await self._query(request, CDX11)

    async def _query(self, request: Request, columns: Sequence[str]) -> Response:
        try:
            pairs = parse_qsl(
                request.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=100
            )
            query = cdx_query.parse(pairs, columns=columns)
            filters = await run_in_threadpool(Filters, query.filters, self._work)
        except ValueError as e:
            raise BadRequestError(str(e)) from e
        if query.count_pages:
            count = await run_in_threadpool(self._lookup.count, query.keys, since=query.since, until=query.until)
            return PlainTextResponse(f"{-(-count // query.page_size)}\n", headers={"Cache-Control": "no-cache"})
        parts = in_parts(self._output(query, filters))
        media_type = MEDIA_TYPES[query.output]
        return await _started(parts, media_type)

    def _output(self, query: Query, filters: Filters) -> Iterator[str]:
        resume: list[str] = []
        yield from written(query, self._lines(query, filters, resume), resume=lambda: resume[0] if resume else None)

    def _lines(self, query: Query, filters: Filters, resume: list[str]) -> Iterator[Line | None]:
        """The lines of an answer; if there are more, the resume key is put in `resume`."""
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
            scanned = iter(cdx_query.nearest_first(query, scanned))
        found = cdx_query.selected(query, filters, scanned)
        if query.limit is None:
            yield from _from_offset(found, query.offset)
            return
        wanted = abs(query.limit)
        if query.limit < 0 and not query.backwards:
            last = list(islice((line for line in found if line), query.offset, query.offset + wanted))
            yield from reversed(last)
            return
        last_line: Line | None = None
        for line in _from_offset(found, query.offset):
            if line is None:
                yield None
                continue
            if wanted == 0:
                if last_line and query.show_resume:
                    resume.append(cdx_query.resume_key(last_line))
                return
            wanted -= 1
            last_line = line
            yield line


def _most(query: Query) -> int | None:
    """Maximum number of lines to read from the index; None if it is unknown."""
    if query.page is not None:
        return query.page_size
    if query.sort == "closest":
        return CLOSEST_CAPTURES
    if query.limit is None or query.filters or query.collapse:
        return None
    return abs(query.limit) + query.offset + 1


def _from_offset(lines: Iterator[Line | None], count: int) -> Iterator[Line | None]:
    for line in lines:
        if line is not None and count > 0:
            count -= 1
            continue
        yield line


async def _started(parts: AsyncIterator[bytes], media_type: str) -> Response:
    """A stream whose first part is made already: it shows an invalid filter while the status can still be 400."""
    try:
        first = await anext(parts, b"")
    except ValueError as e:
        raise BadRequestError(str(e)) from e

    async def stream() -> AsyncIterator[bytes]:
        yield first
        async for part in parts:
            yield part

    return StreamingResponse(stream(), media_type=media_type, headers={"Cache-Control": "no-cache"})

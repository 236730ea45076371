"""The JSON API for searching, versions and diffs, and its OpenAPI document at `/openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query
from fastapi.openapi.utils import get_openapi

from archive.errors import NotArchivedError
from archive.export import formats
from archive.limits import QUERY_CHARACTERS, URL_CHARACTERS
from archive.reader.page_history import changed, compared, versions_of
from archive.reader.reader import Reader
from archive.reader.vanished import KINDS, Place, told, wanted_from
from archive.runtime.times import parse_moment
from archive.search import query as queries
from archive.search.search import Search
from archive.warc.pasted_url import readings
from archive.web.errors import BadRequestError
from archive.web.limits import API_ITEMS

_Url = Annotated[str, Query(min_length=1, max_length=URL_CHARACTERS, description="URL of a page")]
_Time = Annotated[str | None, Query(max_length=40, description="ISO 8601, a date, or 4 to 14 digits")]


def router(reader: Reader) -> APIRouter:
    """`/api/search`, `/api/versions`, `/api/diff`, `/api/deletions`."""
    made = APIRouter(prefix="/api", tags=["texts"], responses=_FAILURES)
    search = Search(reader)

    @made.get("/search", summary="Search the texts of all versions of all posts")
    def find(
        q: Annotated[
            str,
            Query(
                max_length=QUERY_CHARACTERS,
                description='Words, "phrases", pre*, -not, OR; title: author: tag: lang: site: before: after:',
            ),
        ],
        limit: Annotated[int, Query(ge=1, le=API_ITEMS)] = 10,
        offset: Annotated[int, Query(ge=0, le=5_000)] = 0,
        sort: Annotated[str, Query(pattern="^(best|new)$")] = "best",
    ) -> dict[str, Any]:
        try:
            wanted = queries.parse(q)
        except ValueError as e:
            raise BadRequestError(f"q: {e}") from e
        found = (None if offset else search.page(q)) or search.find(
            wanted, limit=limit, offset=offset, newest=sort == "new"
        )
        return {"total": found.total, "more": found.more, "hits": [hit.as_json() for hit in found.hits]}

    @made.get("/versions", summary="The versions of a page's text, oldest first")
    def versions(url: _Url) -> dict[str, Any]:
        found = _versions(reader, url)
        return {"url": url, "versions": changed(reader, found), **told(reader.vanished(found[-1].text.url))}

    @made.get("/diff", summary="The words that changed between two versions of a page")
    def diff(
        url: _Url,
        since: Annotated[_Time, Query(alias="from")] = None,
        until: Annotated[_Time, Query(alias="to")] = None,
        changes_only: Annotated[
            bool, Query(description="`changes` are the edits, each with its class, instead of all paragraphs")
        ] = False,
    ) -> dict[str, Any]:
        found = compared(reader, _versions(reader, url), _moment("from", since), _moment("to", until))
        return found.as_json(changes_only=changes_only)

    @made.get("/deletions", summary="Posts that were found gone, and those that came back, the last ones first")
    def deletions(
        kind: Annotated[str, Query(max_length=40, description=f"One of {', '.join(KINDS)}")] = "",
        host: Annotated[str, Query(max_length=300, description="Host of the post, with or without www.")] = "",
        since: Annotated[str, Query(max_length=40, description="Found gone, or back, at or after this time")] = "",
        after: Annotated[str, Query(max_length=100, description="`next` of the part before")] = "",
        limit: Annotated[int, Query(ge=1, le=API_ITEMS)] = API_ITEMS,
    ) -> dict[str, Any]:
        try:
            wanted = wanted_from(kind=kind, host=host, since=since)
            place = Place.parse(after) if after else None
        except ValueError as e:
            raise BadRequestError(str(e)) from e
        found = reader.ledger.listed(wanted, limit=limit + 1, after=place)
        shown = found[:limit]
        return {
            "deletions": [{"url": one.url, **one.as_json()} for one in shown],
            "next": str(Place.of(shown[-1])) if len(found) > limit else None,
        }

    return made


def _versions(reader: Reader, url: str) -> list[Any]:
    if any(0xD800 <= ord(c) < 0xE000 for c in url):  # noqa: PLR2004
        raise NotArchivedError(ascii(url)[:200])
    try:
        return versions_of(reader, reader.meant(readings(url)).url)
    except ValueError as e:
        raise BadRequestError(f"url: {e}") from e


def _moment(name: str, text: str | None) -> datetime | None:
    try:
        return parse_moment(text) if text else None
    except ValueError as e:
        raise BadRequestError(f"{name}: {e}") from e


_FAILURES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
    }
    for status, description in (
        (400, "Invalid request; the error names the parameter"),
        (404, "Not archived"),
        (422, "A parameter is out of range"),
        (502, "The stored data is damaged"),
        (503, "The store or the database is unavailable; try again later"),
    )
}


def describe(app: FastAPI, more: Mapping[str, Any]) -> dict[str, Any]:
    """The OpenAPI document: FastAPI's routes and our other ones."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            routes=app.routes,
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        schemas["Failure"] = {
            "type": "object",
            "properties": {"error": {"type": "string"}, "hint": {"type": "string"}},
            "required": ["error"],
        }
        made["paths"] |= {path: {"get": description} for path, description in {**_PATHS, **more}.items()}
        app.openapi_schema = made
    return app.openapi_schema


def _operation(
    summary: str, parameters: Sequence[dict[str, Any]], answers: Mapping[str, tuple[str, str | None]]
) -> dict[str, Any]:
    return {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            status: {
                "description": description,
                **({"content": {kind: {"schema": {"type": "string"}}}} if kind else {}),
            }
            for status, (description, kind) in answers.items()
        },
    }


def _in_path(name: str, description: str, pattern: str | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", **({"pattern": pattern} if pattern else {})}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _asked(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": description, "schema": {"type": "string"}}


_URL = _in_path("url", "The URL, with its query, not encoded")
_TS = _in_path("timestamp", "1 to 14 digits, YYYYMMDDhhmmss", r"^\d{1,14}$")
_NONE = ("Not archived", None)
_CDX = _operation(
    "CDX server",
    [
        _asked("url", "URL; *.HOST matches a domain, a trailing * a prefix", required=True),
        *(
            _asked(name, description)
            for name, description in (
                ("matchType", "exact, prefix, host or domain"),
                ("from", "4 to 14 digits"),
                ("to", "4 to 14 digits"),
                ("filter", "[!]column:expression, [!]=column:value; may be given more than once"),
                ("collapse", "column or column:N; may be given more than once"),
                ("fl", "Columns, separated by commas"),
                ("limit", "Maximum number of lines; if negative, the last ones"),
                ("offset", "Number of lines to skip"),
                ("sort", "reverse or closest"),
                ("closest", "4 to 14 digits"),
                ("output", "text, json, cdxj or ndjson"),
                ("showResumeKey", "true: end with a resume key if there are more lines"),
                ("resumeKey", "Continue where the previous answer ended"),
                ("showNumPages", "true: the number of pages"),
                ("page", "Page number, from 0"),
                ("pageSize", "Lines of a page, in units of 3,000"),
            )
        ),
    ],
    {"200": ("Lines, ordered by urlkey and time", "text/plain"), "400": ("Names the invalid parameter", None)},
)
_PATHS: dict[str, dict[str, Any]] = {
    "/web/{url}": _operation(
        "TimeGate (RFC 7089)",
        [_URL, {**_asked("Accept-Datetime", "HTTP date"), "in": "header"}],
        {
            "302": ("Redirect to the memento nearest to that time", None),
            "400": ("Not an HTTP date", None),
            "404": _NONE,
        },
    ),
    "/web/{timestamp}/{url}": _operation(
        "Memento, shown in a sandbox",
        [_TS, _URL],
        {
            "200": ("The page; other statuses as archived", "text/html"),
            "302": ("Redirect to the exact timestamp", None),
            "404": _NONE,
        },
    ),
    "/web/{timestamp}id_/{url}": _operation(
        "Memento: the payload as it was received",
        [_TS, _URL],
        {
            "200": ("The payload; other statuses as archived", "*/*"),
            "302": ("Redirect to the exact timestamp", None),
            "404": _NONE,
        },
    ),
    "/web/timemap/link/{url}": _operation(
        "TimeMap", [_URL], {"200": ("All mementos", "application/link-format"), "404": _NONE}
    ),
    "/web/timemap/json/{url}": _operation(
        "TimeMap as JSON", [_URL], {"200": ("All mementos", "application/json"), "404": _NONE}
    ),
    "/web/timemap/cdx/{url}": _operation(
        "TimeMap as CDX", [_URL], {"200": ("All captures", "text/plain"), "404": _NONE}
    ),
    "/text/{timestamp}/{url}": _operation(
        "The text of a page at a point in time, in the media type chosen by content negotiation",
        [_TS, _URL],
        {
            "200": (formats.listed([one.media_type for one in formats.text_formats()]), "text/plain"),
            "404": _NONE,
            "406": ("No acceptable media type", None),
        },
    ),
    "/cdx": _CDX,
    "/cdx/search/cdx": _CDX,
    "/outback": _CDX,
    "/wayback/available": _operation(
        "The nearest capture, as the Wayback Machine's availability API",
        [_asked("url", "URL", required=True), _asked("timestamp", "1 to 14 digits")],
        {"200": ("The capture, if there is one", "application/json"), "400": ("Names the invalid parameter", None)},
    ),
    "/warcs/{key}": _operation(
        "A WARC object or a range of its bytes",
        [_in_path("key", "As in CDX lines")],
        {
            "200": ("The object", "application/warc"),
            "206": ("The range", "application/warc"),
            "404": ("Not an object of this archive", None),
            "416": ("Range not satisfiable", None),
        },
    ),
}

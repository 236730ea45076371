"""The JSON interface about captures and texts; `/openapi.json` describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query
from fastapi.openapi.utils import get_openapi

from archive.errors import NotArchivedError
from archive.limits import QUERY_CHARACTERS, URL_CHARACTERS
from archive.reader.page_history import changed, compared, versions_of
from archive.reader.reader import Reader
from archive.runtime.times import parse_moment
from archive.search import query as queries
from archive.search.search import Search
from archive.web.errors import WrongError
from archive.web.limits import API_ITEMS

_Url = Annotated[str, Query(min_length=1, max_length=URL_CHARACTERS, description="URL of a page")]
_Time = Annotated[str | None, Query(max_length=40, description="ISO 8601, a date, or 4 to 14 digits")]


def router(archive: Reader) -> APIRouter:
    """`/api/search`, `/api/versions`, `/api/diff`."""
    made = APIRouter(prefix="/api", tags=["texts"], responses=_FAILURES)
    search = Search(archive)

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
            raise WrongError(f"q: {e}") from e
        found = search.find(wanted, limit=limit, offset=offset, newest=sort == "new")
        return {"total": found.total, "more": found.more, "hits": [hit.as_json() for hit in found.hits]}

    @made.get("/versions", summary="The texts of a page that differ, oldest first")
    def versions(url: _Url) -> dict[str, Any]:
        found = _versions(archive, url)
        return {"url": url, "versions": changed(archive, found)}

    @made.get("/diff", summary="What changed between two versions of a page, by word")
    def diff(
        url: _Url,
        since: Annotated[_Time, Query(alias="from")] = None,
        until: Annotated[_Time, Query(alias="to")] = None,
    ) -> dict[str, Any]:
        found = _versions(archive, url)
        return compared(archive, found, _moment("from", since), _moment("to", until)).as_json()

    return made


def _versions(archive: Reader, url: str) -> list[Any]:
    if any(ord(c) < 0x20 or 0xD800 <= ord(c) < 0xE000 for c in url):  # noqa: PLR2004
        raise NotArchivedError(ascii(url)[:200])
    return versions_of(archive, url)


def _moment(name: str, text: str | None) -> datetime | None:
    try:
        return parse_moment(text) if text else None
    except ValueError as e:
        raise WrongError(f"{name}: {e}") from e


_FAILURES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": said,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
    }
    for status, said in (
        (400, "What was asked cannot be used; says what"),
        (404, "Nothing is held of it"),
        (422, "A parameter is out of its bounds"),
        (502, "What is stored is damaged"),
        (503, "Store or database are away; try again"),
    )
}


def describe(app: FastAPI, more: Mapping[str, Any]) -> dict[str, Any]:
    """The OpenAPI document: what FastAPI knows, and the paths that it does not serve itself."""
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
        made["paths"] |= {path: {"get": said} for path, said in {**_PATHS, **more}.items()}
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
                "description": said,
                **({"content": {kind: {"schema": {"type": "string"}}}} if kind else {}),
            }
            for status, (said, kind) in answers.items()
        },
    }


def _in_path(name: str, said: str, pattern: str | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", **({"pattern": pattern} if pattern else {})}
    return {"name": name, "in": "path", "required": True, "description": said, "schema": schema}


def _asked(name: str, said: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": said, "schema": {"type": "string"}}


_URL = _in_path("url", "The URL as it is, with its query, not encoded")
_TS = _in_path("timestamp", "1 to 14 digits, YYYYMMDDhhmmss", r"^\d{1,14}$")
_NONE = ("Nothing is held of it", None)
_CDX = _operation(
    "CDX server",
    [
        _asked("url", "URL; with * at its beginning or end a domain or a prefix", required=True),
        *(
            _asked(name, said)
            for name, said in (
                ("matchType", "exact, prefix, host or domain"),
                ("from", "4 to 14 digits"),
                ("to", "4 to 14 digits"),
                ("filter", "[!]column:expression, [!]=column:value; may be given more than once"),
                ("collapse", "column or column:N; may be given more than once"),
                ("fl", "Columns, with commas between"),
                ("limit", "Most lines; the last ones if negative"),
                ("offset", "Lines to leave out"),
                ("sort", "reverse or closest"),
                ("closest", "4 to 14 digits"),
                ("output", "text, json, cdxj or ndjson"),
                ("showResumeKey", "true: the key with which to go on comes last"),
                ("resumeKey", "Go on where an answer ended"),
                ("showNumPages", "true: how many pages there are"),
                ("page", "Number of a page, from 0"),
                ("pageSize", "Size of pages, in thousands of lines"),
            )
        ),
    ],
    {"200": ("Lines, in the order of urlkey and time", "text/plain"), "400": ("Says which parameter", None)},
)
_PATHS: dict[str, dict[str, Any]] = {
    "/web/{url}": _operation(
        "TimeGate (RFC 7089)",
        [_URL, {**_asked("Accept-Datetime", "HTTP date"), "in": "header"}],
        {"302": ("To the memento nearest to that instant", None), "400": ("No date", None), "404": _NONE},
    ),
    "/web/{timestamp}/{url}": _operation(
        "Memento, shown in a sandbox",
        [_TS, _URL],
        {
            "200": ("The page; other statuses as archived", "text/html"),
            "302": ("To the exact time", None),
            "404": _NONE,
        },
    ),
    "/web/{timestamp}id_/{url}": _operation(
        "Memento as it was received",
        [_TS, _URL],
        {"200": ("The payload; other statuses as archived", "*/*"), "302": ("To the exact time", None), "404": _NONE},
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
        "The words of a page at an instant, in the form that Accept asks for",
        [_TS, _URL],
        {
            "200": ("text/plain, text/markdown or application/json", "text/plain"),
            "404": _NONE,
            "406": ("No such form", None),
        },
    ),
    "/cdx": _CDX,
    "/cdx/search/cdx": _CDX,
    "/outback": _CDX,
    "/wayback/available": _operation(
        "The nearest capture, as the Wayback Machine's availability API",
        [_asked("url", "URL", required=True), _asked("timestamp", "1 to 14 digits")],
        {"200": ("The capture, if there is one", "application/json"), "400": ("Says which parameter", None)},
    ),
    "/warcs/{key}": _operation(
        "A WARC object or a range of its bytes",
        [_in_path("key", "As CDX lines name it")],
        {
            "200": ("All of it", "application/warc"),
            "206": ("A part", "application/warc"),
            "404": ("No such object", None),
            "416": ("No such part", None),
        },
    ),
}

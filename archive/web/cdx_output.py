"""Output formats of CDX queries: text, JSON, CDXJ, NDJSON. Pure, no I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from archive.index.lookup import Line
from archive.web.cdx_columns import CDX11, COLUMNS, value_of
from archive.web.cdx_query import Query


def written(query: Query, lines: Iterable[Line | None], *, resume: Callable[[], str | None]) -> Iterator[str]:
    """Write an answer, in parts.

    Args:
        query: Has the columns and the output format.
        lines: What to write; None yields an empty part, at which a server can stop sending.
        resume: Called at the end; returns the resume key, or None if there are no more lines.
    """
    write = _WRITERS[query.output]
    first = True
    if query.output == "json":
        for line in lines:
            if line is None:
                yield ""
                continue
            yield ("[" + json.dumps(query.columns) if first else "") + ",\n" + write(query, line)
            first = False
        if first and query.page:  # clients stop at an empty page
            return
        key = resume()
        end = f",\n[],\n{json.dumps([key])}" if key else ""
        yield "[]\n" if first and not key else ("[" + json.dumps(query.columns) if first else "") + end + "]\n"
        return
    for line in lines:
        yield "" if line is None else write(query, line) + "\n"
    if key := resume():
        yield f"\n{key}\n"


def _text(query: Query, line: Line) -> str:
    return " ".join(value_of(column, line) for column in query.columns)


def _json(query: Query, line: Line) -> str:
    return json.dumps([value_of(column, line) for column in query.columns], ensure_ascii=False)


_PYWB = {"original": "url", "mimetype": "mime", "statuscode": "status"}


def _fields(line: Line, columns: Iterable[str]) -> dict[str, str]:
    return {_PYWB.get(column, column): value_of(column, line) for column in columns}


def _cdxj(query: Query, line: Line) -> str:
    columns = query.columns if query.columns != COLUMNS else CDX11
    rest = _fields(line, (name for name in columns if name not in {"urlkey", "timestamp", "redirect", "robotflags"}))
    return f"{line[0]} {line[1].timestamp} {json.dumps(rest, ensure_ascii=False)}"


def _ndjson(query: Query, line: Line) -> str:
    columns = query.columns if query.columns != COLUMNS else CDX11
    rest = _fields(line, (name for name in columns if name not in {"redirect", "robotflags"}))
    return json.dumps(rest, ensure_ascii=False)


_WRITERS: dict[str, Callable[[Query, Line], str]] = {"text": _text, "json": _json, "cdxj": _cdxj, "ndjson": _ndjson}
MEDIA_TYPES = {"text": "text/plain", "json": "application/json", "cdxj": "text/x-cdxj", "ndjson": "text/x-ndjson"}

"""CDX queries: parameters, filters, collapsing, resume keys. Pure, no I/O.

The parameters are those of the Wayback CDX server; pywb's names for them are accepted as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote_plus, unquote_plus

from archive.index.lookup import Line, Place, Range
from archive.index.schema import index_urlkey
from archive.runtime.times import within
from archive.warc.urlkey import urlkey
from archive.web import cdx_filters
from archive.web.cdx_columns import COLUMNS, column_of, value_of
from archive.web.cdx_filters import Filter, Filters
from archive.web.limits import CDX_FILTERS, CDX_LINES

Match = Literal["exact", "prefix", "host", "domain"]
Output = Literal["text", "json", "cdxj", "ndjson"]

PAGE_SIZE = 3_000
"""Lines of a page, with `page`; `pageSize` is in units of this."""

FILTERED_LINES = 1_000
"""Lines that are filtered at once."""
_COLLAPSE = re.compile(r"([a-zA-Z]+)(?::(\d{1,4}))?")
_RESUME = re.compile(r"(\S{1,600}(?: [0-9a-f]{64})?) (\d{20})!(\S{1,64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A parsed query."""

    url: str
    keys: Range
    since: datetime | None = None
    until: datetime | None = None
    """Only captures before this."""
    filters: tuple[Filter, ...] = ()
    collapse: tuple[tuple[str, int | None], ...] = ()
    columns: tuple[str, ...] = COLUMNS
    limit: int | None = None
    """Maximum number of lines; if negative, the last ones."""
    offset: int = 0
    sort: Literal["", "reverse", "closest"] = ""
    closest: datetime | None = None
    output: Output = "text"
    show_resume: bool = False
    after: Place | None = None
    page: int | None = None
    page_size: int = PAGE_SIZE
    count_pages: bool = False

    @property
    def backwards(self) -> bool:
        """Whether the last lines come first."""
        return self.sort == "reverse"


def parse(pairs: Iterable[tuple[str, str]], *, columns: Sequence[str] = COLUMNS, output: Output = "text") -> Query:
    """Parse query parameters.

    Raises:
        ValueError: One of them is invalid; the message names it.
    """
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)

    def one(name: str) -> str:
        return given.get(name, [""])[0].strip()

    url = one("url")
    if not url:
        raise ValueError("url is missing: ask for ?url=example.org/page")
    url, match = _match(url, one("matchType"))
    names = tuple(column_of(name) for name in re.split(r"[, ]+", one("fl") or one("fields")) if name)
    filters = given.get("filter", [])
    if len(filters) > CDX_FILTERS:
        raise ValueError(f"filter: at most {CDX_FILTERS}")
    limit = _number("limit", one("limit"), lowest=-CDX_LINES)
    if one("fastLatest").lower() == "true" and limit is None:
        limit = -1
    sort = one("sort").lower()
    if sort not in {"", "reverse", "closest", "default", "regular"}:
        raise ValueError(f"sort={sort}: use reverse or closest")
    if (sort == "closest" or one("closest")) and match != "exact":
        raise ValueError("sort=closest: only with matchType=exact")
    closest = stamp("closest", one("closest"), end=True) if one("closest") else None
    if sort == "closest" and closest is None:
        raise ValueError("closest is missing: 14 digits")
    wanted = one("output").lower() or output
    if wanted not in {"text", "json", "cdxj", "ndjson"}:
        raise ValueError(f"output={wanted}: use json, text, cdxj or ndjson")
    return Query(
        url=url,
        keys=keys(url, match),
        since=stamp("from", one("from"), end=False) if one("from") else None,
        until=stamp("to", one("to"), end=True) + timedelta(seconds=1) if one("to") else None,
        filters=tuple(cdx_filters.parse(text) for text in filters if text),
        collapse=tuple(_collapse(text) for text in given.get("collapse", []) if text),
        columns=names or tuple(columns),
        limit=limit,
        offset=_number("offset", one("offset")) or 0,
        sort="closest" if sort == "closest" else "reverse" if sort == "reverse" else "",
        closest=closest,
        output=wanted,  # type: ignore[arg-type]  # checked above
        show_resume=one("showResumeKey").lower() == "true",
        after=place(one("resumeKey")) if one("resumeKey") else None,
        page=_number("page", one("page")),
        page_size=max(1, min(_number("pageSize", one("pageSize")) or 1, 100)) * PAGE_SIZE,
        count_pages=one("showNumPages").lower() == "true",
    )


def _match(url: str, stated: str) -> tuple[str, Match]:
    """The URL without its wildcard, and the match type."""
    if stated and stated not in {"exact", "prefix", "host", "domain"}:
        raise ValueError(f"matchType={stated}: use exact, prefix, host or domain")
    found: Match = stated or "exact"  # type: ignore[assignment]  # checked above
    if url.startswith("*."):
        url, found = url[2:].rstrip("*"), "domain"
    elif url.endswith("*"):
        url, found = url.rstrip("*"), "prefix" if not stated or stated == "exact" else found
    if not url:
        raise ValueError("url: the host is missing")
    return url, found


def keys(url: str, match: Match) -> Range:
    """The range of urlkeys that a URL matches."""
    if "://" not in url[:20]:
        url = f"http://{url}"
    if match == "exact":
        key = index_urlkey(url)
        return Range(low=key, high=key)
    key = urlkey(url)
    if match == "prefix":
        if url.endswith(("/", "?")) and not key.endswith(url[-1]):
            key += url[-1]
        return Range(low=key, high=_after(key))
    host = key.partition(")")[0]
    if match == "host":
        return Range(low=f"{host})", high=f"{host}*")  # `*` follows `)`
    return Range(low=f"{host})", high=f"{host};", host=host)  # `;` follows the `:` before a port


def _after(key: str) -> str:
    """The first string after all that begin with this one, in code point order."""
    return key[:-1] + chr(ord(key[-1]) + 1)


def _collapse(text: str) -> tuple[str, int | None]:
    found = _COLLAPSE.fullmatch(text)
    if not found:
        raise ValueError(f"collapse={text[:60]}: use column or column:N, such as timestamp:8")
    return column_of(found[1]), int(found[2]) if found[2] else None


def _number(name: str, text: str, *, lowest: int = 0) -> int | None:
    if not text:
        return None
    try:
        number = int(text[:12])
    except ValueError:
        raise ValueError(f"{name}={text[:20]}: not a number") from None
    if number < lowest:
        raise ValueError(f"{name}={number}: must be at least {lowest}")
    return min(number, CDX_LINES)


def stamp(name: str, digits: str, *, end: bool) -> datetime:
    """The first or last second that begins with 4 to 14 digits.

    Raises:
        ValueError: They are not a time; the message names the parameter.
    """
    if not re.fullmatch(r"\d{4,14}", digits):
        raise ValueError(f"{name}={digits[:20]}: use 4 to 14 digits, such as 20240531")
    if not int(digits[:4]):
        raise ValueError(f"{name}={digits}: not a valid time")
    return within(digits, end=end)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def resume_key(line: Line) -> str:
    """The resume key after a line, encoded for a URL."""
    key, row = line
    return quote_plus(f"{key} {row.date:%Y%m%d%H%M%S%f}!{row.record}")


def place(key: str) -> Place:
    """Parse a resume key.

    Raises:
        ValueError: It is invalid.
    """
    for text in (key, unquote_plus(key)):  # some clients encode it twice
        if found := _RESUME.fullmatch(text):
            try:
                return found[1], datetime.strptime(found[2], "%Y%m%d%H%M%S%f").replace(tzinfo=UTC), found[3]
            except ValueError:
                break
    raise ValueError("resumeKey: invalid; pass it exactly as the previous answer gave it")


def selected(query: Query, filters: Filters, lines: Iterable[Line | None]) -> Iterator[Line | None]:
    """The lines left by filters and collapsing; None, a pause for the sender, is passed on.

    Raises:
        ValueError: The filters take too long.
    """
    before: tuple[str, ...] | None = None
    for some in _parts(lines):
        for line in filters.passing(some):
            if query.collapse:
                now = tuple(value_of(column, line)[:size] for column, size in query.collapse)
                if now == before:
                    continue
                before = now
            yield line
        yield None


def _parts(lines: Iterable[Line | None]) -> Iterator[list[Line]]:
    """The lines in parts: up to each pause, and no longer than what is filtered at once."""
    part: list[Line] = []
    for line in lines:
        if line is not None:
            part.append(line)
        if line is None or len(part) >= FILTERED_LINES:
            yield part
            part = []
    yield part


def nearest_first(query: Query, lines: Iterable[Line | None]) -> list[Line]:
    """Lines in order of their distance from `closest`."""
    at = query.closest or _EPOCH
    return sorted((line for line in lines if line), key=lambda line: abs(line[1].date - at))

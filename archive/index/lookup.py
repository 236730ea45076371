"""Lookups for the web app: mementos of a page, and scans in urlkey order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Label, Row, bindparam, func, literal, select, tuple_

from archive.index.aliases import conditions, of_page, page_keys
from archive.index.index import Index
from archive.index.schema import (
    CAPTURES,
    PARTIAL,
    CaptureRow,
    capture_row,
    captures,
    index_urlkey,
    objects,
    retired,
)
from archive.runtime.database import fetch, in_parts
from archive.warc.page_identity import page_key

SECOND = timedelta(seconds=1)
PART = 2_000
"""Rows per query of a scan; between two queries the database is free for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The instants of a page's mementos around one of them; None if there is none."""

    first: datetime | None = None
    last: datetime | None = None
    before: datetime | None = None
    after: datetime | None = None


class Lookup:
    """Reads of the index."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._engine = index.engine

    def memento(self, url: str, second: datetime) -> tuple[CaptureRow, Neighbours] | None:
        """The earliest capture of a page within that second, with the mementos around it; otherwise the nearest one."""
        given = self._parameters(url)
        for asked in _WITHIN:
            if rows := fetch(self._engine, asked, **given, begin=second, end=second + SECOND):
                return capture_row(rows[0]), _neighbours(rows[0])
        row = self._index.nearest(url, second)
        return (row, Neighbours()) if row else None

    def neighbours(self, url: str, second: datetime) -> Neighbours:
        """The mementos around the one of that second."""
        given = self._parameters(url)
        for asked in _AROUND:
            found = fetch(self._engine, asked, **given, begin=second, end=second + SECOND)[0]
            if found.first_date is not None:
                return _neighbours(found)
        return Neighbours()

    def _parameters(self, url: str) -> dict[str, Any]:
        bare = url.partition("#")[0]
        return {"keys": page_keys(self._engine, url), "url": bare, "key": index_urlkey(bare)}

    def newest_of_page(
        self, url: str, limit: int, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[CaptureRow]:
        """The latest captures of a page, newest first, of all or within a period."""
        for same in conditions(self._engine, captures, url):
            query = CAPTURES.where(same)
            if since is not None and until is not None:
                query = query.where(since <= _DATE, until > _DATE)
            if rows := fetch(self._engine, query.order_by(_DATE.desc(), captures.c.record.desc()).limit(limit)):
                return [capture_row(row) for row in rows]
        return []

    def moments(self, url: str) -> list[datetime]:
        """When each capture of a page was made, oldest first."""
        for same in conditions(self._engine, captures, url):
            query = select(captures.c.date).where(same, captures.c.status != PARTIAL).order_by(captures.c.date)
            if rows := fetch(self._engine, query):
                return [row.date for row in rows]
        return []

    def held(self, urls: Sequence[str]) -> set[str]:
        """Those of some URLs whose page has a capture with a payload."""
        found: set[str] = set()
        keys = {url: page_key(url) for url in urls}
        for part in in_parts(dict.fromkeys(keys.values())):
            whole = (captures.c.status < 400) & (captures.c.status != PARTIAL)  # noqa: PLR2004
            query = select(captures.c.page.distinct()).where(captures.c.page.in_(part), whole)
            found.update(row.page for row in fetch(self._engine, query))
        return {url for url, key in keys.items() if key in found}

    def scan(
        self,
        keys: Range,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        backwards: bool = False,
        after: Place | None = None,
        skip: int = 0,
        limit: int | None = None,
    ) -> Iterator[Line | None]:
        """Captures with their urlkeys, ordered by urlkey and date, ascending or descending; None after each part.

        Args:
            keys: The range of urlkeys.
            since: Only captures at or after this instant.
            until: Only captures before this instant.
            backwards: In descending order.
            after: Continue after this one.
            skip: Number of captures to leave out.
            limit: Maximum number of captures.
        """
        key, date, record = captures.c.urlkey, captures.c.date, captures.c.record
        query = CAPTURES.add_columns(key).where(*_within(keys, since, until))
        query = query.order_by(*((key.desc(), date.desc(), record.desc()) if backwards else (key, date, record)))
        left = limit
        while left is None or left > 0:
            size = PART if left is None else min(PART, left)
            part = query.limit(size)
            if skip:
                part = part.offset(skip)
            if after is not None:
                types = zip(after, (key, date, record), strict=True)
                last = tuple_(*(literal(value, column.type) for value, column in types))
                columns = tuple_(key, date, record)
                part = part.where(columns < last if backwards else columns > last)
            rows = fetch(self._engine, part)
            for row in rows:
                yield row.urlkey, capture_row(row)
            yield None
            if len(rows) < size:
                return
            after, skip = (rows[-1].urlkey, rows[-1].date, rows[-1].record), 0
            left = left - len(rows) if left is not None else None

    def count(self, keys: Range, *, since: datetime | None = None, until: datetime | None = None) -> int:
        """How many captures a scan would return."""
        query = select(func.count()).select_from(captures).where(*_within(keys, since, until))
        return int(fetch(self._engine, query)[0][0])

    def held_object(self, key: str) -> tuple[int, str] | None:
        """Length and SHA-256 of an object that the index knows, or that is in the store until its grace period ends."""
        for table in (objects, retired):
            for row in fetch(self._engine, select(table.c.length, table.c.sha256).where(table.c.key == key)):
                return int(row.length), str(row.sha256)
        return None


# A memento is requested often, so these are built once.
_SETS = tuple(
    same & (captures.c.status != PARTIAL)
    for same in (
        of_page(captures, keys=bindparam("keys", expanding=True), url=bindparam("url")),
        captures.c.urlkey == bindparam("key"),
    )
)
_DATE = captures.c.date
_BEGIN, _END = bindparam("begin", type_=_DATE.type), bindparam("end", type_=_DATE.type)


def _dates(same: ColumnElement[bool]) -> list[Label[Any]]:
    """The first and last memento, and those before and after a second."""
    looked = {
        "first_date": select(_DATE).where(same).order_by(_DATE),
        "last_date": select(_DATE).where(same).order_by(_DATE.desc()),
        "before_date": select(_DATE).where(same, _DATE < _BEGIN).order_by(_DATE.desc()),
        "after_date": select(_DATE).where(same, _DATE >= _END).order_by(_DATE),
    }
    return [query.limit(1).scalar_subquery().label(name) for name, query in looked.items()]


_AROUND = tuple(select(*_dates(same)) for same in _SETS)
_WITHIN = tuple(
    CAPTURES.add_columns(*_dates(same)).where(same, _DATE >= _BEGIN, _DATE < _END).order_by(_DATE).limit(1)
    for same in _SETS
)


def _neighbours(row: Row[Any]) -> Neighbours:
    return Neighbours(first=row.first_date, last=row.last_date, before=row.before_date, after=row.after_date)


def _within(keys: Range, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    key, date = captures.c.urlkey, captures.c.date
    found = [key == keys.low] if keys.low == keys.high else [key >= keys.low, key < keys.high]
    if keys.host is not None:  # neither `example-1` nor `example.x` is below `example`
        found.append(func.substr(key, len(keys.host) + 1, 1).in_((")", ",", ":")))
    if since is not None:
        found.append(date >= since)
    if until is not None:
        found.append(date < until)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Urlkeys from `low` up to, not including, `high`; if both are equal, only that one."""

    low: str
    high: str
    host: str | None = None
    """Only this host and its subdomains, as the beginning of a urlkey."""


Place = tuple[str, datetime, str]
"""Urlkey, date and record of a line, after which a scan continues."""
Line = tuple[str, CaptureRow]
"""A urlkey and a capture."""

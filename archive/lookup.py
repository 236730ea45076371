"""What the index gives to those who look things up: mementos of a page, and scans in the order of urlkeys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, literal, select, tuple_

from archive.database import transaction
from archive.index import CaptureRow, Index, captures, index_urlkey, objects, of_page

SECOND = timedelta(seconds=1)
_PART = 2_000
"""Rows of one query of a scan; between two the database is free for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The instants of a page's mementos around one of them; None where there is no such one."""

    first: datetime | None
    last: datetime | None
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Urlkeys from `low` up to, not including, `high`; the same twice stands for that one."""

    low: str
    high: str


Place = tuple[str, datetime, str]
"""Where a scan goes on: urlkey, date and record of the last row that was given."""


class Lookup:
    """Reads of the index."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._engine = index.engine

    def memento(self, url: str, second: datetime) -> CaptureRow | None:
        """The capture of a page within that second, the earliest; or the nearest one."""
        within = (captures.c.date >= second) & (captures.c.date < second + SECOND)
        rows = self._rows(_CAPTURES.where(of_page(captures, url), within).order_by(captures.c.date).limit(1))
        return capture_row(rows[0]) if rows else self._index.nearest(url, second)

    def neighbours(self, url: str, second: datetime) -> Neighbours:
        """The mementos around the second of one."""
        same, date = of_page(captures, url), captures.c.date
        newest, oldest = date.desc(), date
        looked = [
            select(date).where(same).order_by(oldest).limit(1),
            select(date).where(same).order_by(newest).limit(1),
            select(date).where(same, date < second).order_by(newest).limit(1),
            select(date).where(same, date >= second + SECOND).order_by(oldest).limit(1),
        ]
        found = self._rows(select(*(query.scalar_subquery().label(f"d{i}") for i, query in enumerate(looked))))[0]
        return Neighbours(first=found[0], last=found[1], before=found[2], after=found[3])

    def mementos(self, url: str) -> list[Row[Any]]:
        """Of each capture of a page its date, url, status, mime, digest and kind, oldest first."""
        columns = (captures.c[name] for name in ("date", "url", "status", "mime", "digest", "kind"))
        query = select(*columns)
        query = query.order_by(captures.c.date)
        return self._rows(query.where(of_page(captures, url))) or self._rows(
            query.where(captures.c.urlkey == index_urlkey(url))
        )

    def of_page(self, url: str) -> list[CaptureRow]:
        """Every capture of a page, oldest first."""
        query = _CAPTURES.order_by(captures.c.date, captures.c.record)
        return [capture_row(row) for row in self._rows(query.where(of_page(captures, url)))] or self._index.history(url)

    def scan(
        self,
        keys: Range,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        backwards: bool = False,
        after: Place | None = None,
    ) -> Iterator[tuple[str, CaptureRow]]:
        """Captures with their urlkeys, in the order of urlkey and date, or against it.

        Args:
            keys: Which.
            since: No earlier ones.
            until: Only those before.
            backwards: The last first.
            after: Go on after this one.
        """
        query = _CAPTURES.add_columns(captures.c.urlkey)
        key, date, record = captures.c.urlkey, captures.c.date, captures.c.record
        query = query.where(key == keys.low) if keys.low == keys.high else query.where(key >= keys.low, key < keys.high)
        if since is not None:
            query = query.where(date >= since)
        if until is not None:
            query = query.where(date < until)
        order = (key.desc(), date.desc(), record.desc()) if backwards else (key, date, record)
        query = query.order_by(*order).limit(_PART)
        while True:
            part = query
            if after is not None:
                place = tuple_(*(literal(value, column.type) for value, column in zip(after, (key, date, record), strict=True)))
                columns = tuple_(key, date, record)
                part = query.where(columns < place if backwards else columns > place)
            rows = self._rows(part)
            for row in rows:
                yield row.urlkey, capture_row(row)
            if len(rows) < _PART:
                return
            after = (rows[-1].urlkey, rows[-1].date, rows[-1].record)

    def count(self, keys: Range, *, since: datetime | None = None, until: datetime | None = None) -> int:
        """How many captures a scan would give."""
        key, date = captures.c.urlkey, captures.c.date
        query = select(func.count()).select_from(captures)
        query = query.where(key == keys.low) if keys.low == keys.high else query.where(key >= keys.low, key < keys.high)
        if since is not None:
            query = query.where(date >= since)
        if until is not None:
            query = query.where(date < until)
        return int(self._rows(query)[0][0])

    def object_sha256(self, key: str) -> str | None:
        """SHA-256 of an object that the index knows."""
        rows = self._rows(select(objects.c.sha256).where(objects.c.key == key))
        return str(rows[0].sha256) if rows else None

    def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        with transaction(self._engine, reads=True) as connection:
            return list(connection.execute(query))


_CAPTURES = select(captures, objects.c.key).join(objects, objects.c.id == captures.c.object_id)


def capture_row(row: Row[Any]) -> CaptureRow:
    """The capture that a row of the tables tells of."""
    found = row._mapping  # noqa: SLF001  SQLAlchemy's documented name
    return CaptureRow(**{name: found[name] for name in CaptureRow.__slots__ if name != "object"}, object=found["key"])

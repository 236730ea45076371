"""What is known about many pages, queried in bulk before they are requested: their newest captures, and their texts.

One bulk query replaces several for each page: does its newest capture have a text, does a repeated payload have one,
what was the post's text before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from archive.index.index import Index
from archive.index.schema import (
    CAPTURES,
    CaptureRow,
    TextRow,
    capture_row,
    captures,
    objects,
    text_row,
    texts,
    texts_select,
)
from archive.runtime.database import in_parts, transaction
from archive.warc.page_identity import page_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the archive had of one page at the time of the query."""

    capture: CaptureRow | None = None
    """The newest capture of exactly this URL, not of the future."""
    last: CaptureRow | None = None
    """The capture that last showed the page, after redirects, if the caller named it."""
    texts: Mapping[str, TextRow] = field(default_factory=dict)
    """The newest text of each capture that has one, of the URL or of the URL of `last`, by WARC-Record-ID."""

    def has_text(self, record: str | None) -> bool:
        """Whether the capture with that WARC-Record-ID has a text."""
        return record in self.texts

    @property
    def text(self) -> TextRow | None:
        """The text that the page had when it was last seen, or else the newest one."""
        for row in (self.last, self.capture):
            if row is not None:
                found = self.texts.get(row.record) or self.texts.get(row.refers_to or "")
                if found is not None:
                    return found
        return max(self.texts.values(), key=_date, default=None)


def _date(row: TextRow) -> datetime:
    return row.date


def known(index: Index, pages: Mapping[str, str | None]) -> dict[str, Known]:
    """What is known about each of these URLs, in three statements for several hundred of them.

    Args:
        index: The index to query.
        pages: URLs; for each the WARC-Record-ID of the capture that last showed the page, if the caller knows it.

    Raises:
        DatabaseError: The database failed.
    """
    found: dict[str, Known] = {}
    with transaction(index.engine, reads=True) as connection:
        for part in in_parts(pages):
            records = [record for url in part if (record := pages[url])]
            last = {row.record: row for row in _captures(connection, captures.c.record.in_(records))} if records else {}
            keys = {page_key(url) for url in part} | {page_key(row.url) for row in last.values()}
            newest = _newest(connection, keys, index.latest)
            by_key = _texts(connection, keys)
            for url in part:
                shown = last.get(pages[url] or "")
                of = [page_key(url), *([page_key(shown.url)] if shown else [])]
                found[url] = Known(
                    capture=newest.get(url),
                    last=shown,
                    texts={record: row for key in of for record, row in by_key.get(key, {}).items()},
                )
    return found


def captures_of(index: Index, records: Iterable[str]) -> dict[str, CaptureRow]:
    """The captures with these WARC-Record-IDs, as far as there are any.

    Raises:
        DatabaseError: The database failed.
    """
    found: dict[str, CaptureRow] = {}
    with transaction(index.engine, reads=True) as connection:
        for part in in_parts(dict.fromkeys(records)):
            found.update((row.record, row) for row in _captures(connection, captures.c.record.in_(part)))
    return found


def _captures(connection: Connection, where: ColumnElement[bool]) -> Iterator[CaptureRow]:
    return (capture_row(row) for row in connection.execute(CAPTURES.where(where)))


def _newest(connection: Connection, keys: Iterable[str], latest: datetime) -> dict[str, CaptureRow]:
    """The newest capture of each URL of these pages that is not dated later than `latest`."""
    newest = (
        select(captures.c.page, captures.c.url, func.max(captures.c.date).label("date"))
        .where(captures.c.page.in_(sorted(keys)), captures.c.date <= latest)
        .group_by(captures.c.page, captures.c.url)
        .subquery()
    )
    query: Any = CAPTURES.join(
        newest,
        (newest.c.page == captures.c.page) & (newest.c.url == captures.c.url) & (newest.c.date == captures.c.date),
    )
    return {row.url: row for row in (capture_row(found) for found in connection.execute(query))}


def _texts(connection: Connection, keys: Iterable[str]) -> dict[str, dict[str, TextRow]]:
    """By page, the newest text of each capture that has one."""
    found: dict[str, dict[str, TextRow]] = {}
    query = (
        texts_select()
        .where(texts.c.page.in_(sorted(keys)))
        .order_by(objects.c.begun, texts.c.object_id, texts.c.offset)
    )
    for row in connection.execute(query):
        found.setdefault(row.page, {})[row.capture] = text_row(row)
    return found

"""Captures and texts of many pages at once, for whoever rebuilds something from all of them. Read-only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from archive.index import aliases
from archive.index.index import Index
from archive.index.known import captures_of
from archive.index.schema import CAPTURES, OF_THE_PAGE, CaptureRow, capture_row, captures, texts
from archive.runtime.database import in_parts, transaction


def addresses_of(index: Index, pages: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Keys of all addresses of pages, each page's own first, by the key of the page.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(index.engine, reads=True) as connection:
        joined = aliases.keys_of(connection, pages)
    return {page: joined.get(page, (page,)) for page in pages}


def captures_by_page(index: Index, keys: Iterable[str]) -> dict[str, list[CaptureRow]]:
    """The captures of pages, oldest first, by the keys of the pages.

    Raises:
        DatabaseError: The database failed.
    """
    found: dict[str, list[CaptureRow]] = {}
    with transaction(index.engine, reads=True) as connection:
        for part in in_parts(keys):
            query = CAPTURES.where(captures.c.page.in_(part)).order_by(captures.c.date, captures.c.record)
            for row in connection.execute(query):
                found.setdefault(row.page, []).append(capture_row(row))
    return found


def originals_of(index: Index, found: Mapping[str, Sequence[CaptureRow]]) -> dict[str, CaptureRow]:
    """These captures and the responses that they refer to, by WARC-Record-ID.

    Raises:
        DatabaseError: The database failed.
    """
    here = {row.record: row for rows in found.values() for row in rows}
    wanted = {row.refers_to for rows in found.values() for row in rows if row.refers_to}
    return {**captures_of(index, wanted - here.keys()), **here}


def texts_by_page(index: Index, keys: Iterable[str]) -> tuple[set[str], set[str]]:
    """WARC-Record-IDs of the captures whose text is that of one of these pages; and which pages have the feed's words.

    Raises:
        DatabaseError: The database failed.
    """
    read: set[str] = set()
    from_feed: set[str] = set()
    with transaction(index.engine, reads=True) as connection:
        for part in in_parts(keys):
            query = select(texts.c.capture, texts.c.page, texts.c.source).where(texts.c.page.in_(part))
            for row in connection.execute(query):
                if row.source == "feed":
                    from_feed.add(row.page)
                else:
                    read.add(row.capture)
    return read, from_feed


def with_text(index: Index, records: Iterable[str]) -> set[str]:
    """Those of some captures, by WARC-Record-ID, that have a text of their page.

    Raises:
        DatabaseError: The database failed.
    """
    found: set[str] = set()
    with transaction(index.engine, reads=True) as connection:
        for part in in_parts(records):
            found.update(connection.scalars(select(texts.c.capture).where(texts.c.capture.in_(part), OF_THE_PAGE)))
    return found


def own_texts(index: Index, posts: Iterable[str]) -> dict[str, tuple[str, datetime]]:
    """Source and date of the newest text of each post with an address of its own, by the key of the post.

    Raises:
        DatabaseError: The database failed.
    """
    found: dict[str, tuple[str, datetime]] = {}
    with transaction(index.engine, reads=True) as connection:
        for part in in_parts(posts):
            query = select(texts.c.page, texts.c.source, texts.c.date).where(texts.c.page.in_(part))
            found.update((row.page, (row.source, row.date)) for row in connection.execute(query.order_by(texts.c.date)))
    return found

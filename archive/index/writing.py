"""The writing half of the index: adds rows once their objects are durable, replaces those of a reindexed object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, delete, select, update

from archive.index.fulltext import Entered, enter
from archive.index.index import Index
from archive.index.schema import (
    REVISION,
    CaptureRow,
    ObjectRow,
    TextRow,
    begun_of,
    captures,
    index_urlkey,
    objects,
    retired,
    texts,
)
from archive.runtime.database import in_parts, insert_all, migrate, transaction, upsert
from archive.warc.page_identity import page_key, post_key

R = TypeVar("R", CaptureRow, TextRow)


class IndexWriter:
    """Writes the rows that an `Index` over the same database reads."""

    def __init__(self, index: Index) -> None:
        self.reads = index
        """The same index for reading."""
        self._engine = index.engine

    def prepare(self) -> None:
        """Create or upgrade the tables."""
        migrate(self._engine, "archive", REVISION)

    def add(
        self,
        stored: list[ObjectRow],
        held: list[CaptureRow],
        made: list[TextRow],
        words: Sequence[Entered] = (),
    ) -> None:
        """Add rows for objects that are durable, all or nothing; adding the same again changes nothing.

        Args:
            stored: The objects.
            held: Captures in them.
            made: Texts in them.
            words: Full-text rows of the texts, which can be searched for from now on.
        """
        with transaction(self._engine) as connection:
            self._add(connection, stored, held, made)
            enter(connection, self._engine, words)

    def replace(
        self, stored: ObjectRow, held: list[CaptureRow], made: list[TextRow], words: Sequence[Entered] = ()
    ) -> None:
        """Make these exactly the rows of one object, all or nothing."""
        with transaction(self._engine) as connection:
            number = select(objects.c.id).where(objects.c.key == stored.key).scalar_subquery()
            for table, rows in ((captures, held), (texts, made)):
                connection.execute(delete(table).where(table.c.object_id == number))
                for part in in_parts([row.record for row in rows]):
                    connection.execute(delete(table).where(table.c.record.in_(part)))
            connection.execute(delete(retired).where(retired.c.key == stored.key))
            values = {"length": stored.length, "sha256": stored.sha256}
            connection.execute(update(objects).where(objects.c.key == stored.key).values(**values))
            self._add(connection, [stored], held, made)
            enter(connection, self._engine, words)

    def _add(
        self, connection: Connection, stored: list[ObjectRow], held: list[CaptureRow], made: list[TextRow]
    ) -> None:
        fresh: list[tuple[Table, list[CaptureRow] | list[TextRow]]] = [
            (captures, self._fresh(connection, captures, held)),
            (texts, self._fresh(connection, texts, made)),
        ]
        # A commit that is repeated late: all its captures are in another object by now, a joined one.
        every: list[CaptureRow | TextRow] = [*held, *made]
        elsewhere = {row.object for row in every} - {row.object for _, rows in fresh for row in rows}
        known = select(objects.c.key).where(objects.c.key.in_(elsewhere))
        elsewhere -= set(connection.execute(known).scalars()) if elsewhere else set()
        for row in stored:
            if row.key not in elsewhere:
                values = {"key": row.key, "length": row.length, "sha256": row.sha256, "begun": begun_of(row.key)}
                connection.execute(upsert(self._engine, objects).values(**values).on_conflict_do_nothing())
        keys = {row.object for _, rows in fresh for row in rows}
        found = connection.execute(select(objects.c.key, objects.c.id).where(objects.c.key.in_(keys)))
        ids = {row.key: row.id for row in found}
        for table, rows in fresh:
            insert_all(connection, table, [_values(row, ids) for row in rows])

    def _fresh(self, connection: Connection, table: Table, rows: Sequence[R]) -> list[R]:
        """Rows whose record is not in the index yet."""
        known: set[str] = set()
        for part in in_parts([row.record for row in rows]):
            known.update(connection.execute(select(table.c.record).where(table.c.record.in_(part))).scalars())
        return [row for row in rows if row.record not in known]


def _values(row: CaptureRow | TextRow, ids: dict[str, int]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in row.__slots__ if name not in {"object", "own"}}
    own = isinstance(row, TextRow) and row.own
    url = row.url if own else row.url.partition("#")[0]
    return {
        **values,
        "urlkey": index_urlkey(url),
        "page": post_key(url) if own else page_key(url),
        "object_id": ids[row.object],
    }

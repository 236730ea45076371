"""The writing half of the index: adds rows once their objects are durable, replaces those of a reindexed object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update

from archive.index.fulltext import Entered, enter
from archive.index.index import Index
from archive.index.schema import REVISION, CaptureRow, ObjectRow, TextRow, captures, index_urlkey, objects, texts
from archive.runtime.database import in_parts, insert_all, migrate, transaction, upsert
from archive.warc.page_identity import page_key, post_key


class IndexWriter:
    """Writes the rows that an `Index` over the same database reads."""

    def __init__(self, index: Index) -> None:
        self.reads = index
        """The same index for reading."""
        self._engine = index.engine

    def prepare(self) -> None:
        """Create or upgrade the tables."""
        migrate(self._engine, "archive", REVISION)

    def check_writable(self) -> None:
        """Make sure that the database accepts writes; changes nothing.

        Raises:
            DatabaseError: It does not.
        """
        first = select(func.min(objects.c.id)).scalar_subquery()
        with transaction(self._engine) as connection:
            connection.execute(update(objects).where(objects.c.id == first).values(length=objects.c.length))

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

    def has(self, held: Sequence[CaptureRow], made: Sequence[TextRow]) -> bool:
        """Whether every one of these records is in the index."""
        rows: list[tuple[Table, Sequence[CaptureRow] | Sequence[TextRow]]] = [(captures, held), (texts, made)]
        with transaction(self._engine, reads=True) as connection:
            return not any(
                self._fresh(connection, table, [{"record": row.record} for row in some]) for table, some in rows
            )

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
            values = {"length": stored.length, "sha256": stored.sha256}
            connection.execute(update(objects).where(objects.c.key == stored.key).values(**values))
            self._add(connection, [stored], held, made)
            enter(connection, self._engine, words)

    def _add(
        self, connection: Connection, stored: list[ObjectRow], held: list[CaptureRow], made: list[TextRow]
    ) -> None:
        for row in stored:
            connection.execute(
                upsert(self._engine, objects)
                .values(key=row.key, length=row.length, sha256=row.sha256)
                .on_conflict_do_nothing()
            )
        keys = {row.object for row in held} | {row.object for row in made} | {row.key for row in stored}
        found = connection.execute(select(objects.c.key, objects.c.id).where(objects.c.key.in_(keys)))
        ids = {row.key: row.id for row in found}
        for table, rows in ((captures, held), (texts, made)):
            fresh = self._fresh(connection, table, [_values(row, ids) for row in rows])
            insert_all(connection, table, fresh)

    def _fresh(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows whose record is not in the index yet."""
        known: set[str] = set()
        for part in in_parts([row["record"] for row in rows]):
            known.update(connection.execute(select(table.c.record).where(table.c.record.in_(part))).scalars())
        return [row for row in rows if row["record"] not in known]


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

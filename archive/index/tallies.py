"""Counts of the index: of captures, texts and objects, of the posts of each host, of the texts in each language.

Triggers of the database keep them in the transaction of whoever adds or removes rows. `recount` makes them anew.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import BigInteger, Column, Connection, Engine, MetaData, String, Table, delete, func, literal, select

from archive.index.fulltext import searchable
from archive.index.schema import captures, objects, texts
from archive.runtime.database import fetch, transaction

metadata = MetaData()

tallies = Table(
    "tallies",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("count", BigInteger, nullable=False),
)

Kind = Literal["rows", "posts", "language"]
"""What is counted: rows of a table, posts of a host, texts in a language."""


def of_tables(engine: Engine) -> dict[str, int]:
    """How many captures, texts and objects there are."""
    query = select(tallies.c.name, tallies.c.count.label("many")).where(tallies.c.kind == "rows")
    found: dict[str, int] = {row.name: row.many for row in fetch(engine, query)}
    return {table.name: found.get(table.name, 0) for table in (captures, texts, objects)}


def most(engine: Engine, kind: Kind, limit: int) -> list[str]:
    """The hosts or languages with the most posts or texts, these first."""
    query = select(tallies.c.name).where(tallies.c.kind == kind, tallies.c.name != "")
    return [row.name for row in fetch(engine, query.order_by(tallies.c.count.desc(), tallies.c.name).limit(limit))]


def recount(engine: Engine) -> None:
    """Count all rows anew.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        connection.execute(delete(tallies))
        for table in (captures, texts, objects):
            _enter(connection, "rows", literal(table.name), func.count(), table)
        _enter(connection, "posts", searchable.c.host, func.count(searchable.c.page.distinct()), searchable)
        _enter(connection, "language", searchable.c.language, func.count(), searchable)


def _enter(connection: Connection, kind: Kind, name: object, count: object, table: Table) -> None:
    query = select(literal(kind), name, count).select_from(table)  # type: ignore[call-overload]
    if kind != "rows":
        query = query.where(name.is_not(None)).group_by(name)  # type: ignore[attr-defined]
    connection.execute(tallies.insert().from_select(["kind", "name", "count"], query))

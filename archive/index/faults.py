"""Marks of what the store has lost, so that nothing refers to it any more.

The rows of captures and texts carry the mark: all rows of an object that is missing, the rows of the damaged records
of one that is not. The object says what was found, and whether the crawler was told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, Table, func, literal, select, update

from archive.errors import DatabaseError
from archive.index.schema import captures, objects, state_objects, texts
from archive.runtime.database import fetch, in_parts, transaction, upsert

log = logging.getLogger(__name__)

MISSING = "missing"
"""The fault of an object that the store does not have."""
_TABLES: tuple[Table, ...] = (captures, texts)


def checked(
    engine: Engine, key: str, *, at: datetime, fault: str | None, lost: Mapping[str, str] | None = None
) -> None:
    """Store the result of reading an object to its end; marks that do not hold any more go.

    Args:
        engine: The database of the index.
        key: The object.
        at: When it was read.
        fault: What is wrong with it; None: nothing.
        lost: Of an object with a fault: WARC-Record-IDs of its captures and texts that cannot be read, with the reason;
            None: all of them.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        row = connection.execute(select(objects.c.id, objects.c.fault).where(objects.c.key == key)).first()
        if row is None:
            return
        marked = 0
        if fault is not None and lost is None:
            marked = _mark(connection, row.id, fault)
        elif fault is not None or row.fault is not None:
            marked = _make_lost(connection, row.id, {} if fault is None else lost or {})
        since = None if fault is None else func.coalesce(objects.c.fault_since, _instant(at))
        told = {"told": None} if marked or fault is None else {}
        change = update(objects).where(objects.c.id == row.id)
        connection.execute(change.values(verified=at, fault=fault, fault_since=since, **told))


def _instant(at: datetime) -> ColumnElement[datetime]:
    return literal(at, type_=objects.c.fault_since.type)


def _mark(connection: Connection, object_id: int, fault: str) -> int:
    """Mark all rows of an object; returns how many were not marked before."""
    count = 0
    for table in _TABLES:
        change = update(table).where(table.c.object_id == object_id, table.c.fault.is_(None)).values(fault=fault)
        count += connection.execute(change).rowcount
    return count


def _make_lost(connection: Connection, object_id: int, lost: Mapping[str, str]) -> int:
    """Mark exactly these rows of an object; returns how many were not marked before."""
    count = 0
    for table in _TABLES:
        query = select(table.c.record).where(table.c.object_id == object_id, table.c.fault.is_not(None))
        before = set(connection.scalars(query))
        for part in in_parts(sorted(before - lost.keys())):
            connection.execute(update(table).where(table.c.record.in_(part)).values(fault=None))
        for record in sorted(lost.keys() - before):
            change = update(table).where(table.c.record == record, table.c.object_id == object_id)
            count += connection.execute(change.values(fault=lost[record])).rowcount
    return count


def noticed(engine: Engine, key: str, offset: int | None, reason: str, *, at: datetime) -> None:
    """Mark what a reader could not read: a place in an object, or (None) all of it.

    At best: a process that may only read, or whose database is away, goes on without a mark. `verify` finds the same.
    """
    try:
        with transaction(engine, reads=True) as connection:
            object_id = connection.execute(select(objects.c.id).where(objects.c.key == key)).scalar()
            marks = (
                []
                if object_id is None
                else [table for table in _TABLES if _has_unmarked(connection, table, object_id, offset)]
            )
        if not marks:
            return
        with transaction(engine) as connection:
            for table in marks:
                change = update(table).where(*_unmarked(table, object_id, offset))
                connection.execute(change.values(fault=reason))
            since = func.coalesce(objects.c.fault_since, _instant(at))
            fault = reason if offset is None else func.coalesce(objects.c.fault, reason)
            change = update(objects).where(objects.c.id == object_id)
            connection.execute(change.values(fault=fault, fault_since=since, told=None))
    except DatabaseError as e:
        log.warning("loss is not marked object=%s error=%s", key, e)
        return
    log.error("lost object=%s offset=%s reason=%s", key, offset, reason)


def _has_unmarked(connection: Connection, table: Table, object_id: int | None, offset: int | None) -> bool:
    query = select(table.c.record).where(*_unmarked(table, object_id, offset)).limit(1)
    return connection.execute(query).first() is not None


def _unmarked(table: Table, object_id: int | None, offset: int | None) -> tuple[ColumnElement[bool], ...]:
    place = () if offset is None else (table.c.offset == offset,)
    return (table.c.object_id == object_id, table.c.fault.is_(None), *place)


def state_read(engine: Engine, keys: Iterable[str], *, at: datetime) -> None:
    """Store that objects without captures and texts were read.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        for key in keys:
            insert = upsert(engine, state_objects).values(key=key, verified=at)
            connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_={"verified": at}))


def states_read(engine: Engine) -> dict[str, datetime]:
    """When each object without captures and texts was last read, by key.

    Raises:
        DatabaseError: The database failed.
    """
    return {row.key: row.verified for row in fetch(engine, select(state_objects))}

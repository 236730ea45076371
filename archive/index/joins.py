"""The rows of joined objects: announced before their bytes are stored, then taken over from the objects that they join.

A joined object is announced before it is put into the store. Only the transaction that takes the rows over ends the
announcement, so somebody else can give it up at any time: it is then certain that no row will refer to the object.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, bindparam, delete, exists, func, insert, literal, select, update

from archive.index.schema import PLACED, ObjectRow, begun_of, joining, objects, retired
from archive.runtime.database import fetch, in_parts, insert_all, transaction, upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An object as it is weighed for joining."""

    row: ObjectRow
    records: int
    """Captures and texts of the index in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """An object whose bytes are in a joined one."""

    row: ObjectRow
    joined_into: str
    """Key of that one."""


class JoinLostError(Exception):
    """The join was given up by somebody else, or the objects that it joins have changed; nothing was changed."""


def held(engine: Engine) -> list[Held]:
    """Every object that rows may refer to.

    Raises:
        DatabaseError: The database failed.
    """
    counts = [
        select(table.c.object_id.label("id"), func.count().label("records")).group_by(table.c.object_id).subquery()
        for table in PLACED
    ]
    columns = [objects.c.key, objects.c.length, objects.c.sha256, objects.c.fault]
    query = select(*columns, *(func.coalesce(one.c.records, 0) for one in counts))
    for one in counts:
        query = query.outerjoin(one, one.c.id == objects.c.id)
    return [
        Held(
            row=ObjectRow(key=row.key, length=row.length, sha256=row.sha256, fault=row.fault),
            records=sum(row[len(columns) :]),
        )
        for row in fetch(engine, query)
    ]


def announce(engine: Engine, key: str) -> None:
    """Record that a joined object may be in the store from now on.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        connection.execute(insert(joining).values(key=key))


def take_over(engine: Engine, joined: ObjectRow, sources: Sequence[tuple[ObjectRow, int]], *, at: datetime) -> None:
    """Let all rows of some objects refer to the one that joins them, all or nothing.

    Args:
        engine: The database of the index.
        joined: The joined object; it is durable, and announced.
        sources: What it joins, each with the place where its bytes begin.
        at: The present time.

    Raises:
        JoinLostError: The announcement is gone, or a source is not what it was.
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        announced = delete(joining).where(joining.c.key == joined.key, joining.c.given_up.is_(False))
        if connection.execute(announced).rowcount != 1:
            raise JoinLostError(joined.key)
        ids = _locked(connection, [row for row, _ in sources])
        values = {"key": joined.key, "length": joined.length, "sha256": joined.sha256}
        number = connection.execute(
            insert(objects).values(**values, begun=begun_of(joined.key)).returning(objects.c.id)
        ).scalar_one()
        moved = [{"of": ids[row.key], "by": base} for row, base in sources]
        for table in PLACED:
            change = update(table).where(table.c.object_id == bindparam("of"))
            connection.execute(change.values(object_id=number, offset=table.c.offset + bindparam("by")), moved)
        _retire(connection, [row for row, _ in sources], joined.key, at)


def _locked(connection: Connection, rows: Sequence[ObjectRow]) -> dict[str, int]:
    """Numbers of these objects, which nobody else changes before the transaction ends."""
    found: dict[str, tuple[int, str]] = {}
    for part in in_parts([row.key for row in rows]):
        query = select(objects.c.key, objects.c.id, objects.c.sha256).where(objects.c.key.in_(part)).with_for_update()
        found.update((row.key, (row.id, row.sha256)) for row in connection.execute(query))
    for row in rows:
        if row.key not in found or found[row.key][1] != row.sha256:
            raise JoinLostError(row.key)
    return {key: number for key, (number, _) in found.items()}


def _retire(connection: Connection, rows: Sequence[ObjectRow], joined_into: str, at: datetime) -> None:
    keys = [row.key for row in rows]
    for part in in_parts(keys):
        connection.execute(delete(objects).where(objects.c.key.in_(part)))
        connection.execute(delete(retired).where(retired.c.key.in_(part)))
        # What these had joined themselves is in the new one as well.
        connection.execute(update(retired).where(retired.c.joined_into.in_(part)).values(joined_into=joined_into))
    shared = {"joined_into": joined_into, "since": at}
    values = [{"key": row.key, "length": row.length, "sha256": row.sha256, **shared} for row in rows]
    insert_all(connection, retired, values)


def retire(engine: Engine, rows: Sequence[ObjectRow], joined_into: str, *, at: datetime) -> None:
    """Retire objects whose records all have rows that refer to a joined one; others, and unknown joined ones, stay.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        if connection.execute(select(objects.c.id).where(objects.c.key == joined_into)).first() is None:
            return
        empty = []
        for row in rows:
            number = select(objects.c.id).where(objects.c.key == row.key).scalar_subquery()
            used = (select(table.c.record).where(table.c.object_id == number).limit(1) for table in PLACED)
            if all(connection.execute(query).first() is None for query in used):
                empty.append(row)
        _retire(connection, empty, joined_into, at)


def unfinished(engine: Engine) -> list[str]:
    """Keys of joined objects that were announced, and whose rows were not taken over."""
    return [row.key for row in fetch(engine, select(joining.c.key).order_by(joining.c.key))]


def give_up(engine: Engine, key: str) -> bool:
    """Make sure that no row will ever refer to an announced object; False if rows do already.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        live = exists().where(objects.c.key == key)
        again = select(literal(key), literal(True)).where(~live)  # noqa: FBT003  SQLAlchemy's literal
        insertion = upsert(engine, joining).from_select(["key", "given_up"], again)
        connection.execute(insertion.on_conflict_do_update(index_elements=["key"], set_={"given_up": True}))
        if connection.execute(select(objects.c.id).where(objects.c.key == key)).first() is None:
            return True
        connection.execute(delete(joining).where(joining.c.key == key))
        return False


def forget(engine: Engine, key: str) -> None:
    """End the announcement of an object that is not in the store any more."""
    with transaction(engine) as connection:
        connection.execute(delete(joining).where(joining.c.key == key))


def expired(engine: Engine, *, before: datetime, now: datetime) -> list[Retired]:
    """Objects that were retired before an instant, those of one joined object together, the earliest first.

    What was retired in the future, by a clock that was ahead, counts as retired now.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        connection.execute(update(retired).where(retired.c.since > now).values(since=now))
        query = (
            select(retired)
            .where(retired.c.since <= before)
            .order_by(retired.c.since, retired.c.joined_into, retired.c.key)
        )
        return [
            Retired(row=ObjectRow(key=row.key, length=row.length, sha256=row.sha256), joined_into=row.joined_into)
            for row in connection.execute(query)
        ]


def known(engine: Engine, key: str) -> ObjectRow | None:
    """What was written under a key: an object that rows refer to, or a retired one."""
    for table in (objects, retired):
        for row in fetch(engine, select(table.c.key, table.c.length, table.c.sha256).where(table.c.key == key)):
            return ObjectRow(key=row.key, length=row.length, sha256=row.sha256)
    return None


def live(engine: Engine, keys: Iterable[str]) -> set[str]:
    """Those of some objects that rows may refer to."""
    found: set[str] = set()
    for part in in_parts(keys):
        found.update(row.key for row in fetch(engine, select(objects.c.key).where(objects.c.key.in_(part))))
    return found


def dropped(engine: Engine, keys: Iterable[str]) -> None:
    """Forget retired objects that are not in the store any more.

    Raises:
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        for part in in_parts(keys):
            connection.execute(delete(retired).where(retired.c.key.in_(part)))


def waiting(engine: Engine) -> int:
    """How many retired objects are in the store until their grace period ends."""
    return int(fetch(engine, select(func.count()).select_from(retired))[0][0])

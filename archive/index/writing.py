"""The writing half of the index: adds rows once their objects are durable, replaces those of reindexed objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, case, delete, func, null, select, update

from archive.index import tallies, untold
from archive.index.fulltext import Entered, enter, searchable
from archive.index.index import Index
from archive.index.schema import (
    REVISION,
    UNSTATED,
    VISITS,
    CaptureRow,
    ObjectRow,
    TextRow,
    aliases,
    begun_of,
    captures,
    confirmations,
    index_urlkey,
    objects,
    retired,
    texts,
)
from archive.runtime.database import bulk, in_parts, insert_all, migrate, transaction, upsert
from archive.warc.confirmation import Confirmation
from archive.warc.page_identity import page_key, post_key

_DAMAGED = "no whole record; what cannot be read is not in the index"
_ORIGINALS = 200_000
"""Responses that are remembered while an index is rebuilt, for the revisits that refer to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRows:
    """Everything that the index says about one object, made from it alone."""

    stored: ObjectRow
    captures: list[dict[str, Any]]
    """Columns of each capture, except for `object_id`."""
    texts: list[dict[str, Any]]
    """Columns of each text, except for `object_id`."""
    words: tuple[Entered, ...]
    confirmations: tuple[Confirmation, ...] = ()
    damage: int | None = None
    """Where its first bytes are that are no whole record; None: there are none."""

    @property
    def fault(self) -> str | None:
        """What is wrong with the object."""
        return None if self.damage is None else _DAMAGED


class IndexWriter:
    """Writes the rows that an `Index` over the same database reads."""

    def __init__(self, index: Index, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Nothing is written yet.

        Args:
            index: Over the same database.
            now: The clock, for marks of what is damaged.
        """
        self.reads = index
        """The same index for reading."""
        self.now = now
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
        again: Sequence[Confirmation] = (),
    ) -> None:
        """Add rows for objects that are durable, all or nothing; adding the same again changes nothing.

        Args:
            stored: The objects.
            held: Captures in them.
            made: Texts in them.
            words: Full-text rows of the texts, which can be searched for from now on.
            again: Confirmations in them; they count once, when their object is added.
        """
        with transaction(self._engine) as connection:
            if self._add(connection, stored, held, made):
                confirm(connection, again)
            enter(connection, self._engine, words)

    def forget_confirmations(self) -> None:
        """Delete what is known of confirmations, before all objects that contain some are added again."""
        with transaction(self._engine) as connection:
            connection.execute(delete(confirmations))
            connection.execute(delete(objects).where(objects.c.key.startswith(f"{VISITS}/")))

    def has(self, held: Sequence[CaptureRow], made: Sequence[TextRow]) -> bool:
        """Whether every one of these records is in the index."""
        rows: list[tuple[Table, Sequence[CaptureRow] | Sequence[TextRow]]] = [(captures, held), (texts, made)]
        with transaction(self._engine, reads=True) as connection:
            return not any(self._fresh(connection, table, some) for table, some in rows)

    def replace(self, found: Sequence[ObjectRows]) -> None:
        """Make these exactly the rows of some objects, all or nothing."""
        rebuild = Rebuilding(self, fresh=False)
        rebuild.replace(found)
        rebuild.resolve_late()

    @contextmanager
    def rebuilding(self, *, fresh: bool) -> Iterator[Rebuilding]:
        """Replace the rows of many objects, in the order in which they were begun.

        Args:
            fresh: The index has no rows yet.

        Raises:
            DatabaseError: The database failed.
        """
        rebuild = Rebuilding(self, fresh=fresh)
        with bulk(self._engine):
            yield rebuild
            rebuild.resolve_late()
            tallies.recount(self._engine)

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects that the store does not have, with their captures, texts, and the words of these.

        With them go the rows of records of other objects that are marked as lost.
        """
        with transaction(self._engine) as connection:
            gone: set[str] = set()
            for part in in_parts(keys):
                ids = select(objects.c.id).where(objects.c.key.in_(part))
                gone.update(connection.scalars(select(texts.c.digest).where(texts.c.object_id.in_(ids))))
                for table in (captures, texts):
                    connection.execute(delete(table).where(table.c.object_id.in_(ids)))
                connection.execute(delete(objects).where(objects.c.key.in_(part)))
            gone.update(connection.scalars(select(texts.c.digest).where(texts.c.fault.is_not(None))))
            for table in (captures, texts):
                connection.execute(delete(table).where(table.c.fault.is_not(None)))
            joined = select(aliases.c.page).where(aliases.c.root == searchable.c.page)
            same = (texts.c.page == searchable.c.page) | texts.c.page.in_(joined)
            left = select(texts.c.record).where(texts.c.digest == searchable.c.digest, same)
            for part in in_parts(sorted(gone)):
                connection.execute(delete(searchable).where(searchable.c.digest.in_(part), ~left.exists()))

    def _add(
        self, connection: Connection, stored: list[ObjectRow], held: list[CaptureRow], made: list[TextRow]
    ) -> bool:
        """Add rows; returns whether an object with confirmations is among them that was not in the index yet."""
        kinds: tuple[tuple[Table, Sequence[CaptureRow] | Sequence[TextRow]], ...] = ((captures, held), (texts, made))
        fresh = [(table, self._fresh(connection, table, rows)) for table, rows in kinds]
        joined = self._joined(connection, stored, {row.object for _, rows in fresh for row in rows}, held, made)
        fresh_visits = False
        for row in stored:
            if row.key in joined:
                continue
            inserted = connection.execute(
                upsert(self._engine, objects)
                .values(key=row.key, length=row.length, sha256=row.sha256, begun=begun_of(row.key))
                .on_conflict_do_nothing()
            )
            fresh_visits |= bool(inserted.rowcount) and row.key.startswith(f"{VISITS}/")
        ids = _ids(connection, {row.object for _, rows in fresh for row in rows})
        for table, rows in fresh:
            found = [{**values(row), "object_id": ids[row.object]} for row in rows]
            insert_all(connection, table, found)
            if table is texts:
                untold.note(connection, ((row["page"], row["url"]) for row in found))
        return fresh_visits

    def _joined(
        self,
        connection: Connection,
        stored: Iterable[ObjectRow],
        fresh: set[str],
        held: Sequence[CaptureRow],
        made: Sequence[TextRow],
    ) -> set[str]:
        """Objects of a commit that is repeated late, and whose contents are in a joined object by now."""
        keys = {row.key for row in stored}
        filled = {row.object for row in held} | {row.object for row in made}
        found = (filled - fresh) & keys
        for part in in_parts(keys):
            found.update(connection.scalars(select(retired.c.key).where(retired.c.key.in_(part))))
        return found - _ids(connection, found).keys()

    def _fresh(
        self, connection: Connection, table: Table, rows: Sequence[CaptureRow] | Sequence[TextRow]
    ) -> list[CaptureRow | TextRow]:
        """Rows whose record is not in the index yet."""
        known: set[str] = set()
        for part in in_parts([row.record for row in rows]):
            known.update(connection.execute(select(table.c.record).where(table.c.record.in_(part))).scalars())
        return [row for row in rows if row.record not in known]


_NO_COLUMNS = {"object", "own", "last", "confirmed"}


def confirm(connection: Connection, again: Sequence[Confirmation]) -> None:
    """Count confirmations of captures."""
    found: dict[str, list[datetime]] = {}
    for one in again:
        found.setdefault(one.record, []).append(one.date)
    insert = upsert(connection.engine, confirmations)
    later = case((confirmations.c.last > insert.excluded.last, confirmations.c.last), else_=insert.excluded.last)
    count = confirmations.c.confirmed + insert.excluded.confirmed
    statement = insert.on_conflict_do_update(index_elements=["record"], set_={"last": later, "confirmed": count})
    for part in in_parts(found.items()):
        rows = [{"record": record, "last": max(dates), "confirmed": len(dates)} for record, dates in part]
        connection.execute(statement, rows)


class Rebuilding:
    """Replaces the rows of objects, and completes revisits by the responses that they refer to."""

    def __init__(self, writer: IndexWriter, *, fresh: bool) -> None:
        self._engine = writer.reads.engine
        self._now = writer.now
        self._fresh = fresh
        self._originals: dict[str, tuple[str, str, int]] = {}
        self._late: set[str] = set()

    def replace(self, found: Sequence[ObjectRows]) -> None:
        """Make these exactly the rows of some objects, all or nothing.

        If a record is in several objects, the row of the last one counts. The rows of what a damaged object has lost
        are marked, so that the crawler can be told before they go.
        """
        if not found:
            return
        with transaction(self._engine) as connection:
            counted = _ids(connection, [rows.stored.key for rows in found if rows.confirmations])
            confirm(connection, [one for rows in found if rows.stored.key not in counted for one in rows.confirmations])
            self._enter_objects(connection, found)
            ids = _ids(connection, [rows.stored.key for rows in found])
            if not self._fresh:
                for rows in found:
                    self._clear(connection, ids[rows.stored.key], rows)
            for table, column in ((captures, "captures"), (texts, "texts")):
                by_record: dict[str, dict[str, Any]] = {}
                for rows in found:
                    made = getattr(rows, column)
                    by_record.update((row["record"], {**row, "object_id": ids[rows.stored.key]}) for row in made)
                if table is captures:
                    self._resolve(connection, by_record)
                if table is texts:
                    untold.note(connection, ((row["page"], row["url"]) for row in by_record.values()))
                if by_record:
                    insert = upsert(self._engine, table)
                    names = [one.name for one in table.columns if one.name != "record"]
                    change = {name: insert.excluded[name] for name in names}
                    rows_of = list(by_record.values())
                    statement = insert.on_conflict_do_update(index_elements=["record"], set_=change)
                    connection.execute(statement, rows_of)
            enter(connection, self._engine, (words for rows in found for words in rows.words))

    def resolve_late(self) -> None:
        """Complete the revisits that came before the response that they refer to."""
        original = captures.alias("original")
        for part in in_parts(sorted(self._late)):
            with transaction(self._engine) as connection:
                query = select(
                    captures.c.record, captures.c.mime, captures.c.status, *_named(original, "digest", "mime", "status")
                ).join(original, original.c.record == captures.c.refers_to)
                changes = [
                    {
                        "of": row.record,
                        "digest": row.original_digest,
                        "mime": row.original_mime if row.mime == "unk" else row.mime,
                        "status": row.original_status if row.status == UNSTATED else row.status,
                    }
                    for row in connection.execute(query.where(captures.c.record.in_(part)))
                ]
                if changes:
                    connection.execute(update(captures).where(captures.c.record == bindparam("of")), changes)
                unstated = captures.c.record.in_(part) & (captures.c.status == UNSTATED)
                connection.execute(update(captures).where(unstated).values(status=0))
        self._late.clear()

    def _enter_objects(self, connection: Connection, found: Sequence[ObjectRows]) -> None:
        insert = upsert(self._engine, objects)
        known_since = func.coalesce(objects.c.fault_since, insert.excluded.fault_since)
        change = {
            **{name: insert.excluded[name] for name in ("length", "sha256", "fault")},
            "fault_since": case((insert.excluded.fault.is_(None), null()), else_=known_since),
            "told": None,
        }
        rows = [
            {
                "key": one.stored.key,
                "length": one.stored.length,
                "sha256": one.stored.sha256,
                "begun": begun_of(one.stored.key),
                "fault": one.fault,
                "fault_since": None if one.fault is None else self._now(),
            }
            for one in found
        ]
        connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_=change), rows)
        for part in in_parts([one.stored.key for one in found]):
            connection.execute(delete(retired).where(retired.c.key.in_(part)))

    def _clear(self, connection: Connection, object_id: int, rows: ObjectRows) -> None:
        """Remove the rows of an object; mark those of records that it has lost instead."""
        if rows.fault is None:
            for table in (captures, texts):
                connection.execute(delete(table).where(table.c.object_id == object_id))
            return
        for table in (captures, texts):
            connection.execute(update(table).where(table.c.object_id == object_id).values(fault=rows.fault))

    def _resolve(self, connection: Connection, rows: dict[str, dict[str, Any]]) -> None:
        """Complete revisits by the responses that they refer to, as far as these are known by now."""
        for row in rows.values():
            if row["kind"] != "revisit":
                self._remember(row["record"], row["digest"], row["mime"], row["status"])
        wanted = {row["refers_to"] for row in rows.values() if row["refers_to"]} - self._originals.keys()
        for part in in_parts(sorted(wanted)):
            query = select(captures.c.record, captures.c.digest, captures.c.mime, captures.c.status)
            for found in connection.execute(query.where(captures.c.record.in_(part))):
                self._remember(found.record, found.digest, found.mime, found.status)
        for row in rows.values():
            if not row["refers_to"]:
                row["status"] = max(row["status"], 0)
                continue
            original = self._originals.get(row["refers_to"])
            if original is None:
                self._late.add(row["record"])
                continue
            digest, mime, status = original
            row["digest"] = digest
            row["mime"] = mime if row["mime"] == "unk" else row["mime"]
            row["status"] = status if row["status"] == UNSTATED else row["status"]

    def _remember(self, record: str, digest: str, mime: str, status: int) -> None:
        if len(self._originals) >= _ORIGINALS:  # the oldest are referred to least
            for old in list(self._originals)[: _ORIGINALS // 2]:
                del self._originals[old]
        self._originals[record] = (digest, mime, status)


def _named(table: Any, *names: str) -> list[Any]:  # noqa: ANN401  an alias of a table
    return [table.c[name].label(f"original_{name}") for name in names]


def _ids(connection: Connection, keys: Iterable[str]) -> dict[str, int]:
    """Ids of objects by key."""
    found: dict[str, int] = {}
    for part in in_parts(keys):
        query = select(objects.c.key, objects.c.id).where(objects.c.key.in_(part))
        found.update((row.key, row.id) for row in connection.execute(query))
    return found


def values(row: CaptureRow | TextRow) -> dict[str, Any]:
    """The columns of a row, except for `object_id`."""
    found = {name: getattr(row, name) for name in row.__slots__ if name not in _NO_COLUMNS}
    own = isinstance(row, TextRow) and row.own
    urlkey, page, post = _identity(row.url if own else row.url.partition("#")[0])
    return {**found, "urlkey": urlkey, "page": post if own else page}


@lru_cache(maxsize=4_096)
def _identity(url: str) -> tuple[str, str, str]:
    """Urlkey, key of the page and key of the post at a URL; a page has many captures."""
    page = page_key(url)
    return index_urlkey(url), page, post_key(url) if "#" in url else page

"""The changes that are kept: entered as they are found, and listed, the last ones first."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from sqlalchemy import Connection, Engine, Row, Select, delete, select

from archive.reader.text_edits import Edit, EditClass
from archive.runtime.database import fetch, in_parts, upsert
from schedules.changes.model import Change, Kind
from schedules.changes.query import Wanted
from schedules.changes.tables import changes
from schedules.limits import CHANGES_SCANNED, KEPT_EDIT_CHARACTERS, KEPT_EDITS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PART = 200
"""Rows that are read at once."""
_DIGITS = 17
Key = tuple[str, Kind, datetime]
"""Page, kind and instant of a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the list of changes, for the next part."""

    at: datetime
    id: int

    @classmethod
    def parse(cls, written: str) -> Place:
        """The place that `str` wrote.

        Raises:
            ValueError: It wrote no such thing.
        """
        micros, _, number = written.partition("-")
        if not all(part.isascii() and part.isdigit() and len(part) < _DIGITS for part in (micros, number)):
            raise ValueError(f"after: {written[:40]!r} is no place in this list: take it from `next`")
        return cls(at=_EPOCH + timedelta(microseconds=int(micros)), id=int(number))

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the list of changes."""

    changes: tuple[Change, ...]
    next: Place | None
    """Where the next part begins; None at the end."""


def listed(
    engine: Engine,
    wanted: Wanted,
    *,
    limit: int,
    text: Callable[[Change], str],
    since: datetime | None = None,
    after: Place | None = None,
) -> Part:
    """Changes that are wanted, the last ones first. A part may have fewer than `limit` although others follow.

    Args:
        engine: The database.
        wanted: Which ones.
        limit: Maximum number.
        text: Gives the words of a new post.
        since: Only what happened at or after this instant.
        after: Continues a list.

    Raises:
        DatabaseError: The database failed.
    """
    found: list[Change] = []
    place, scanned = after, 0
    while scanned < CHANGES_SCANNED:
        rows = fetch(engine, _part(wanted, since, place))
        for row in rows:
            change = _change(row)
            scanned, place = scanned + 1, Place(at=change.at, id=change.id)
            if wanted.matches(change, lambda: text(change)):  # noqa: B023  it is called at once
                found.append(change)
                if len(found) == limit:
                    return Part(changes=tuple(found), next=place)
        if len(rows) < _PART:
            return Part(changes=tuple(found), next=None)
    return Part(changes=tuple(found), next=place)


def in_parts_listed(
    engine: Engine, wanted: Wanted, *, limit: int, text: Callable[[Change], str], since: datetime | None
) -> Iterator[Change]:
    """Changes that are wanted, the last ones first, however many are looked at.

    Raises:
        DatabaseError: The database failed.
    """
    place = None
    while limit > 0:
        part = listed(engine, wanted, limit=limit, text=text, since=since, after=place)
        yield from part.changes
        limit, place = limit - len(part.changes), part.next
        if place is None:
            return


def _part(wanted: Wanted, since: datetime | None, after: Place | None) -> Select[Any]:
    query = select(changes).order_by(changes.c.at.desc(), changes.c.id.desc()).limit(_PART)
    if wanted.hosts:
        query = query.where(changes.c.host.in_(wanted.hosts))
    if since is not None:
        query = query.where(changes.c.at >= since)
    if after is not None:
        query = query.where(changes.c.at <= after.at, (changes.c.at < after.at) | (changes.c.id < after.id))
    return query


def known(engine: Engine, pages: Collection[str]) -> dict[Key, int]:
    """The changes of these pages that are kept, with their numbers."""
    columns = changes.c.page, changes.c.kind, changes.c.at, changes.c.id
    rows = (
        row
        for part in in_parts(sorted(pages))
        for row in fetch(engine, select(*columns).where(changes.c.page.in_(part)))
    )
    return {(row.page, row.kind, row.at): row.id for row in rows}


def by_id(engine: Engine, numbers: Iterable[int]) -> dict[int, Change]:
    """The changes with these numbers, as far as they are kept."""
    rows = (row for part in in_parts(numbers) for row in fetch(engine, select(changes).where(changes.c.id.in_(part))))
    return {row.id: _change(row) for row in rows}


def enter(connection: Connection, found: Sequence[Change]) -> list[Change]:
    """Keep changes; returns those that were not kept yet, with their numbers."""
    made = []
    for one in found:
        values = {
            **{name: getattr(one, name) for name in ("page", "at", "kind", "url", "host", "title", "size", "detail")},
            "tags": json.dumps(one.tags, ensure_ascii=False),
            "edits": json.dumps([_kept(edit) for edit in one.edits[:KEPT_EDITS]], ensure_ascii=False),
        }
        adding = upsert(connection.engine, changes).values(**values).on_conflict_do_nothing().returning(changes.c.id)
        number = connection.execute(adding).scalar()
        if number is not None:  # else somebody else has found it at the same time
            made.append(replace(one, id=number))
    return made


def forget(connection: Connection, numbers: Iterable[int]) -> None:
    """Delete changes that turned out to be none."""
    for part in in_parts(numbers):
        connection.execute(delete(changes).where(changes.c.id.in_(part)))


def _kept(edit: Edit) -> tuple[str, str | None, str | None]:
    before, after = (side[:KEPT_EDIT_CHARACTERS] if side else None for side in (edit.before, edit.after))
    return edit.name, before, after


def _change(row: Row[Any]) -> Change:
    edits = tuple(
        Edit(name=name, before=before, after=after)
        for name, before, after in json.loads(row.edits)
        if name in get_args(EditClass)
    )
    names = ("id", "page", "at", "kind", "url", "host", "title", "size", "detail")
    return Change(**{name: getattr(row, name) for name in names}, tags=tuple(json.loads(row.tags)), edits=edits)

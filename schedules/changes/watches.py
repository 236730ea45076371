"""Watches: named filters of changes, in the database and, so that they outlive it, in the object store."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, delete, select

from archive.runtime.database import fetch, transaction, upsert
from archive.runtime.times import iso
from archive.stores import ObjectStore, ReadableStore
from schedules.changes.query import Wanted, parse
from schedules.changes.tables import deliveries, watches
from schedules.limits import WATCHES

STATE = "state/watches/"
_NUMBERED = re.compile(r"(\d{10})-[0-9a-f]{8}\.jsonl")
_NAME = re.compile(r"[\w.-]{1,64}")
_MAIL = re.compile(r"[^\s@,]{1,64}@[^\s@,]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A named filter of changes, and where those that match are sent."""

    name: str
    query: str
    """As `schedules.changes.query.parse` reads it."""
    webhook: str = ""
    """URL to which each change is sent; empty: none."""
    mail: str = ""
    """Address to which a digest is sent; empty: none."""
    added: datetime
    """Only what happened after this is sent."""

    @property
    def wanted(self) -> Wanted:
        """What its query asks for."""
        return parse(self.query)

    def as_json(self) -> dict[str, object]:
        """It as programs see it."""
        return {**asdict(self), "added": iso(self.added)}


_WATCH: TypeAdapter[Watch] = TypeAdapter(Watch)


def checked(name: str, query: str, *, webhook: str, mail: str, added: datetime) -> Watch:
    """A watch of these values.

    Raises:
        ValueError: One of them cannot be used; the message names it and what would do.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"name: {name[:40]!r} is no name: use 1 to 64 letters, digits, points, hyphens")
    parse(query)
    if webhook and not _is_web_address(webhook):
        raise ValueError(f"webhook: {webhook[:60]!r} is no URL: use for example https://hooks.example/in")
    if mail and not _MAIL.fullmatch(mail):
        raise ValueError(f"mail: {mail[:60]!r} is no mail address")
    return Watch(name=name, query=query, webhook=webhook, mail=mail, added=added)


class Watches:
    """The watches of an archive."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[Watch]:
        """Every watch, by name.

        Raises:
            DatabaseError: The database failed.
        """
        return [_watch(row) for row in fetch(self._engine, select(watches).order_by(watches.c.name).limit(WATCHES))]

    def find(self, name: str) -> Watch | None:
        """The watch with that name."""
        rows = fetch(self._engine, select(watches).where(watches.c.name == name))
        return _watch(rows[0]) if rows else None

    def add(self, store: ObjectStore, watch: Watch) -> None:
        """Keep a watch, instead of the one with its name; first in the store.

        Raises:
            StoreError: The store failed.
            DatabaseError: The database failed.
            ValueError: There are too many.
        """
        if len({one.name for one in self.all()} | {watch.name}) > WATCHES:
            raise ValueError(f"name: there are {WATCHES} watches already: remove one first")
        _put(store, _WATCH.dump_json(watch))
        with transaction(self._engine) as connection:
            self._enter(connection, [watch])

    def remove(self, store: ObjectStore, name: str) -> bool:
        """Forget a watch, with what is still to be sent for it; whether there was one.

        Raises:
            StoreError: The store failed.
            DatabaseError: The database failed.
        """
        if self.find(name) is None:
            return False
        _put(store, json.dumps({"removed": name}).encode())
        with transaction(self._engine) as connection:
            connection.execute(delete(watches).where(watches.c.name == name))
            connection.execute(delete(deliveries).where(deliveries.c.watch == name))
        return True

    def restore(self, store: ReadableStore) -> int:
        """Make the watches what the store says; returns how many there are.

        Raises:
            StoreError: The store failed.
            DatabaseError: The database failed.
        """
        found: dict[str, Watch] = {}
        for key in sorted(key for key in store.keys(STATE) if _NUMBERED.fullmatch(key.removeprefix(STATE))):
            for line in store.read(key).splitlines():
                one = _read(line)
                if isinstance(one, Watch):
                    found[one.name] = one
                elif one is not None:
                    found.pop(one, None)
        with transaction(self._engine) as connection:
            connection.execute(delete(watches))
            self._enter(connection, found.values())
        return len(found)

    def _enter(self, connection: Connection, some: Iterable[Watch]) -> None:
        for one in some:
            values = asdict(one)
            change = {name: value for name, value in values.items() if name != "name"}
            adding = upsert(self._engine, watches).values(**values)
            connection.execute(adding.on_conflict_do_update(index_elements=["name"], set_=change))


def fault(data: bytes) -> str | None:
    """Why a state object with watches cannot be read; None if it can."""
    for number, line in enumerate(data.splitlines(), start=1):
        if _read(line) is None:
            return f"line {number} is no watch"
    return None


def _read(line: bytes) -> Watch | str | None:
    """A watch, the name of a removed one, or None if a line is neither."""
    try:
        said: Any = json.loads(line)
        return str(said["removed"]) if "removed" in said else _WATCH.validate_python(said)
    except (ValueError, TypeError):  # what is no JSON, and what pydantic refuses
        return None


def _put(store: ObjectStore, line: bytes) -> None:
    numbers = [int(match[1]) for key in store.keys(STATE) if (match := _NUMBERED.fullmatch(key.removeprefix(STATE)))]
    store.put(f"{STATE}{max(numbers, default=0) + 1:010}-{secrets.token_hex(4)}.jsonl", line + b"\n")


def _watch(row: Any) -> Watch:  # noqa: ANN401  a row of the table
    return Watch(name=row.name, query=row.query, webhook=row.webhook, mail=row.mail, added=row.added)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(c.isspace() for c in url)

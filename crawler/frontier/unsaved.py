"""What has changed since the state in the store was written: only that is written next, however much there is.

A change and its note are one transaction, so nothing is left out because it came late, or under another clock.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Literal

from sqlalchemy import Connection, Engine, delete, select

from archive.runtime.database import in_parts, transaction, upsert_all
from crawler.frontier.tables import unsaved

Kind = Literal["subscription", "deletion", "alias"]


def note(connection: Connection, kind: Kind, keys: Iterable[str]) -> None:
    """Note that what has these keys has changed: pages in the ledger or with aliases, or feeds."""
    mark = secrets.token_hex(8)
    rows = [{"kind": kind, "key": key, "mark": mark} for key in sorted(set(keys))]
    upsert_all(connection, unsaved, rows, keys=("kind", "key"), change=("mark",))


def marks(engine: Engine, kind: Kind) -> dict[str, str]:
    """Keys of what has changed, and the mark of each one's last change."""
    with transaction(engine, reads=True) as connection:
        query = select(unsaved.c.key, unsaved.c.mark).where(unsaved.c.kind == kind).order_by(unsaved.c.key)
        return {row.key: row.mark for row in connection.execute(query)}


def settle(engine: Engine, kind: Kind, written: Mapping[str, str]) -> None:
    """What had these marks is in the store now; what has changed again meanwhile stays noted."""
    by_mark: dict[str, list[str]] = {}
    for key, mark in written.items():
        by_mark.setdefault(mark, []).append(key)
    with transaction(engine) as connection:
        for mark, keys in by_mark.items():
            for part in in_parts(keys):
                same = (unsaved.c.kind == kind) & (unsaved.c.mark == mark)
                connection.execute(delete(unsaved).where(same, unsaved.c.key.in_(part)))

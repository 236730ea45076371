"""Posts with texts of which nobody was told yet, noted in the transaction that adds the texts: none is missed.

Whoever tells takes the newest first, and settles what it has told; what changed again meanwhile stays noted.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, delete, select

from archive.index.schema import untold
from archive.runtime.database import fetch, in_parts, transaction, upsert_all


class Untold(NamedTuple):
    """A post, and the mark of what was noted of it last."""

    page: str
    """Key of its page, or of the post if that has an address of its own."""
    url: str
    mark: str


def note(connection: Connection, posts: Iterable[tuple[str, str]]) -> None:
    """Note posts, given by key and URL."""
    mark = secrets.token_hex(8)
    rows = [{"page": page, "url": url, "mark": mark} for page, url in sorted(dict(posts).items())]
    upsert_all(connection, untold, rows, keys=("page",), change=("url", "mark"))


def newest(engine: Engine, limit: int) -> list[Untold]:
    """The posts that were noted last, those first.

    Raises:
        DatabaseError: As for `fetch`.
    """
    query = select(untold.c.page, untold.c.url, untold.c.mark).order_by(untold.c.id.desc()).limit(limit)
    return [Untold(page=row.page, url=row.url, mark=row.mark) for row in fetch(engine, query)]


def settle(engine: Engine, told: Sequence[Untold]) -> None:
    """Forget what was told."""
    with transaction(engine) as connection:
        for part in in_parts(told):
            same = untold.c.page.in_([one.page for one in part]), untold.c.mark.in_({one.mark for one in part})
            connection.execute(delete(untold).where(*same))

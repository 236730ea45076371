"""Whose hosts are whose: one run at a time has the hosts of a shard, on any number of machines.

A claim ends when what was fetched under it is committed, or, should its run die, by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, update

from archive.runtime.database import transaction, upsert
from crawler.frontier.tables import claims

_PART = 500


def claim(connection: Connection, shards: Collection[int], holder: str, *, now: datetime, until: datetime) -> set[int]:
    """Those of the shards that are the holder's from now on: free ones, its own, and those whose claim has run out."""
    if not shards:
        return set()
    insert = upsert(connection.engine, claims)
    taken = insert.on_conflict_do_update(
        index_elements=["shard"],
        set_={"holder": insert.excluded.holder, "until": insert.excluded.until},
        where=(claims.c.until <= now) | (claims.c.holder == insert.excluded.holder),
    ).returning(claims.c.shard)
    # In one order, so that two runs do not wait for each other in a ring. What another run holds is not returned.
    rows = [{"shard": number, "holder": holder, "until": until} for number in sorted(shards)]
    return set(connection.execute(taken, rows).scalars())


class Claims:
    """The claims of one run."""

    def __init__(self, engine: Engine, holder: str) -> None:
        self._engine = engine
        self.holder = holder

    def take(self, shards: Collection[int], *, now: datetime, until: datetime) -> set[int]:
        """Those of the shards that are this run's from now on.

        Raises:
            DatabaseError: The database failed.
        """
        with transaction(self._engine) as connection:
            return claim(connection, shards, self.holder, now=now, until=until)

    def renew(self, *, until: datetime) -> None:
        """Keep what is held for longer."""
        with transaction(self._engine) as connection:
            connection.execute(update(claims).where(claims.c.holder == self.holder).values(until=until))

    def release(self, shards: Collection[int] | None = None) -> None:
        """Give shards back; all of this run's where none are named, such as those of a run before it that died."""
        query = delete(claims).where(claims.c.holder == self.holder)
        with transaction(self._engine) as connection:
            if shards is None:
                connection.execute(query)
                return
            wanted = sorted(shards)
            for start in range(0, len(wanted), _PART):
                connection.execute(query.where(claims.c.shard.in_(wanted[start : start + _PART])))

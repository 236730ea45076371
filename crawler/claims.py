"""Whose hosts are whose: one run at a time has the hosts of a shard, on any number of machines.

A claim ends when what was fetched under it is committed, or, should its run die, by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, select, update

from archive.database import transaction, upsert
from crawler.tables import claims

_PART = 500


def claim(connection: Connection, shards: Collection[int], holder: str, *, now: datetime, until: datetime) -> set[int]:
    """Those of the shards that are the holder's from now on: free ones, its own, and those whose claim has run out."""
    ours: set[int] = set()
    wanted = sorted(shards)  # in one order, so that two runs do not wait for each other in a ring
    for start in range(0, len(wanted), _PART):
        part = wanted[start : start + _PART]
        insert = upsert(connection.engine, claims).values(
            [{"shard": number, "holder": holder, "until": until} for number in part]
        )
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["shard"],
                set_={"holder": insert.excluded.holder, "until": insert.excluded.until},
                where=(claims.c.until <= now) | (claims.c.holder == insert.excluded.holder),
            )
        )
        ours.update(
            connection.execute(select(claims.c.shard).where(claims.c.holder == holder, claims.c.shard.in_(part)))
            .scalars()
            .all()
        )
    return ours


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

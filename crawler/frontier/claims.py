"""Claims (leases) on hosts: one run at a time crawls the hosts of a shard, on any number of machines.

A claim ends when what was fetched under it is committed, or expires if its run dies.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, update

from archive.runtime.database import in_parts, transaction, upsert
from crawler.frontier.tables import claims

LONGEST = timedelta(hours=1)
"""No claim lasts as long: one that does was made under a clock that was ahead, and counts as expired."""


def claim(connection: Connection, shards: Collection[int], holder: str, *, now: datetime, until: datetime) -> set[int]:
    """Claim shards; returns those the holder now has: free ones, its own, and those with an expired claim."""
    if not shards:
        return set()
    insert = upsert(connection.engine, claims)
    taken = insert.on_conflict_do_update(
        index_elements=["shard"],
        set_={"holder": insert.excluded.holder, "until": insert.excluded.until},
        where=(claims.c.until <= now) | (claims.c.until > now + LONGEST) | (claims.c.holder == insert.excluded.holder),
    ).returning(claims.c.shard)
    # Sorted, so that two runs cannot deadlock. Shards that another run has claimed are not returned.
    rows = [{"shard": number, "holder": holder, "until": until} for number in sorted(shards)]
    return set(connection.execute(taken, rows).scalars())


class Claims:
    """The claims of one run."""

    def __init__(self, engine: Engine, holder: str) -> None:
        self._engine = engine
        self.holder = holder

    def take(self, shards: Collection[int], *, now: datetime, until: datetime) -> set[int]:
        """Claim shards; returns those that this run has now.

        Raises:
            DatabaseError: The database failed.
        """
        with transaction(self._engine) as connection:
            return claim(connection, shards, self.holder, now=now, until=until)

    def renew(self, *, until: datetime) -> None:
        """Extend all claims of this run."""
        with transaction(self._engine) as connection:
            connection.execute(update(claims).where(claims.c.holder == self.holder).values(until=until))

    def release(self, shards: Collection[int] | None = None) -> None:
        """Release shards; by default all of this holder's, including those of an earlier run that died."""
        query = delete(claims).where(claims.c.holder == self.holder)
        with transaction(self._engine) as connection:
            if shards is None:
                connection.execute(query)
                return
            for part in in_parts(sorted(shards)):
                connection.execute(query.where(claims.c.shard.in_(part)))

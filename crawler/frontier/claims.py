"""Claims (leases) on hosts: one run at a time crawls the hosts of a shard, on any number of machines.

A claim ends when what was fetched under it is committed, or expires if its run dies. Its time is the database's, the
one clock that all machines share.

Each claim has an epoch. It grows whenever a shard gets another holder, and never repeats: what a run fetched under a
claim that it has lost meanwhile, because its machine slept, is known by its epoch (a fencing token).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, case, select, update

from archive.runtime.database import database_time, in_parts, transaction, upsert
from crawler.frontier.tables import claims
from crawler.model.visits import Under

LONGEST = timedelta(hours=1)
"""No claim lasts as long: one that does was made while the database's clock was ahead, and counts as expired."""
_PAST = datetime(1970, 1, 1, tzinfo=UTC)
_NOBODY = ""


def claim(connection: Connection, shards: Collection[int], holder: str, *, lasts: timedelta) -> dict[int, int]:
    """Claim shards: free ones, its own, and those with an expired claim; returns the epochs of those it has now.

    A holder that was not replaced keeps its epoch, even if its claim has expired meanwhile: nobody else had the shard.
    """
    if not shards:
        return {}
    now = database_time(connection)
    others = _held_by_others(connection, shards, holder, now)
    # Sorted, so that two runs cannot deadlock. What others hold is left out, so that no commit of theirs is waited for.
    wanted = sorted(set(shards) - others)
    if not wanted:
        return {}
    insert = upsert(connection.engine, claims)
    same = claims.c.holder == insert.excluded.holder
    taken = insert.on_conflict_do_update(
        index_elements=["shard"],
        set_={
            "holder": insert.excluded.holder,
            "until": insert.excluded.until,
            "epoch": case((same, claims.c.epoch), else_=claims.c.epoch + 1),
        },
        where=same | (claims.c.until <= now) | (claims.c.until > now + LONGEST),
    ).returning(claims.c.shard, claims.c.epoch)
    # The first epoch is a time, so that a database that was made anew does not repeat those of the old one.
    first = (now - _PAST) // timedelta(microseconds=1)
    rows = [{"shard": number, "holder": holder, "until": now + lasts, "epoch": first} for number in wanted]
    return {row.shard: row.epoch for row in connection.execute(taken, rows)}


def _held_by_others(connection: Connection, shards: Collection[int], holder: str, now: datetime) -> set[int]:
    held = (claims.c.holder != holder) & (claims.c.until > now) & (claims.c.until <= now + LONGEST)
    return {
        number
        for part in in_parts(sorted(shards))
        for number in connection.execute(select(claims.c.shard).where(claims.c.shard.in_(part), held)).scalars()
    }


def lost(connection: Connection, under: Iterable[Under]) -> set[Under]:
    """Those of these claims that another holder has replaced; the others cannot be, until the transaction ends.

    A database that was made anew knows none of them: nobody has replaced them there.
    """
    wanted = {one.shard for one in under}
    epochs: dict[int, int] = {}
    for part in in_parts(sorted(wanted)):
        query = select(claims.c.shard, claims.c.epoch).where(claims.c.shard.in_(part)).order_by(claims.c.shard)
        epochs.update((row.shard, row.epoch) for row in connection.execute(query.with_for_update(read=True)))
    return {one for one in under if epochs.get(one.shard, one.epoch) != one.epoch}


def let_go(connection: Connection, before: datetime) -> None:
    """Release claims that expired before an instant; nobody will come back to them."""
    free = update(claims).where(claims.c.holder != _NOBODY, claims.c.until < before)
    connection.execute(free.values(holder=_NOBODY, until=_PAST))


class Claims:
    """The claims of one run."""

    def __init__(self, engine: Engine, holder: str) -> None:
        self._engine = engine
        self.holder = holder

    def take(self, shards: Collection[int], *, lasts: timedelta) -> dict[int, int]:
        """Claim shards; returns the epochs of those that this run has now.

        Raises:
            DatabaseError: The database failed.
        """
        with transaction(self._engine) as connection:
            return claim(connection, shards, self.holder, lasts=lasts)

    def renew(self, *, lasts: timedelta) -> Mapping[int, int]:
        """Extend all claims of this run; returns their epochs. A claim that is missing has another holder.

        Raises:
            DatabaseError: The database failed.
        """
        with transaction(self._engine) as connection:
            found = self._locked(connection)
            until = database_time(connection) + lasts
            connection.execute(update(claims).where(claims.c.holder == self.holder).values(until=until))
        return found

    def release(self, shards: Collection[int] | None = None) -> None:
        """Release shards; by default all of this holder's, including those of an earlier run that died.

        Their rows stay, since their epochs must not repeat.
        """
        free = update(claims).where(claims.c.holder == self.holder).values(holder=_NOBODY, until=_PAST)
        with transaction(self._engine) as connection:
            self._locked(connection)
            if shards is None:
                connection.execute(free)
                return
            for part in in_parts(sorted(shards)):
                connection.execute(free.where(claims.c.shard.in_(part)))

    def _locked(self, connection: Connection) -> dict[int, int]:
        """Epochs of this holder's claims, locked in the order in which everybody locks them."""
        query = select(claims.c.shard, claims.c.epoch).where(claims.c.holder == self.holder).order_by(claims.c.shard)
        return {row.shard: row.epoch for row in connection.execute(query.with_for_update())}

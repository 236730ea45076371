"""Claims as time passes: leases run by the database's clock, which no test can set, so their ends are moved."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Engine, update

from archive.runtime.database import database_time, transaction
from crawler.frontier.tables import claims


def end_in(engine: Engine, left: timedelta, shards: Collection[int] | None = None) -> None:
    """Let all claims, or those on some shards, end so long after now; before now if it is negative."""
    with transaction(engine) as connection:
        query = update(claims).values(until=database_time(connection) + left)
        connection.execute(query if shards is None else query.where(claims.c.shard.in_(list(shards))))


def lapse(engine: Engine, shards: Collection[int] | None = None) -> None:
    """Let claims run out."""
    end_in(engine, timedelta(seconds=-1), shards)

"""Machines: the names under which homes claim hosts, and whose each is.

A home that was copied with its `worker` file, or a cloned machine, has the name of the original: each would take the
other's claims for its own. What copying does not copy tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, delete, select, update

from archive.runtime.database import database_time, transaction, upsert
from crawler.errors import TwinError
from crawler.frontier import alarms
from crawler.frontier.claims import LONGEST, let_go
from crawler.frontier.tables import alarms as raised
from crawler.frontier.tables import machines

KEPT = timedelta(days=30)
"""A machine that was not heard of for as long is forgotten."""
_REMEDY = "Delete the file `worker` in the home folder of the copy; it then gets a name of its own."


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A home folder as the others see it."""

    name: str
    """Under which its runs claim hosts."""
    identity: str
    """What a copy of the home folder does not have."""
    boot: str
    """What a clone of the whole machine does not have: the same from its start to its end."""


def enter(engine: Engine, machine: Machine) -> None:
    """Begin to use a name; a name that nobody has used for longer than any claim lasts is taken over.

    Raises:
        TwinError: Another home has used it within that time.
        DatabaseError: The database failed.
    """
    with transaction(engine) as connection:
        now = database_time(connection)
        values = {"identity": machine.identity, "boot": machine.boot, "seen": now}
        mine = machines.c.identity == machine.identity
        entered = (
            upsert(engine, machines)
            .values(name=machine.name, **values)
            .on_conflict_do_update(
                index_elements=["name"],
                set_=values,
                where=mine | (machines.c.seen < now - LONGEST) | (machines.c.seen > now + LONGEST),
            )
            .returning(machines.c.name)
        )
        if connection.execute(entered).first() is not None:
            return
        seen = connection.execute(select(machines.c.seen).where(machines.c.name == machine.name)).scalar_one()
    raise TwinError(
        f"another home folder has crawled under this one's name, {machine.name}, at {seen:%Y-%m-%d %H:%M:%S}Z: "
        "one of them is a copy",
        hint=f"{_REMEDY} If this one was moved, wait an hour.",
    )


def stay(engine: Engine, machine: Machine) -> None:
    """Go on using a name.

    Raises:
        TwinError: Another machine has begun to use it.
        DatabaseError: The database failed.
    """
    same = (
        (machines.c.name == machine.name)
        & (machines.c.identity == machine.identity)
        & (machines.c.boot == machine.boot)
    )
    with transaction(engine) as connection:
        stays = connection.execute(update(machines).where(same).values(seen=database_time(connection)))
    if not stays.rowcount:
        raise TwinError(f"another machine crawls under this one's name, {machine.name}", hint=_REMEDY)


def forget(connection: Connection) -> list[str]:
    """Forget machines that are gone, their claims and the alarms about their spools; returns their names.

    Epochs of claims stay: they must not repeat.
    """
    now = database_time(connection)
    gone = (machines.c.seen < now - KEPT) | (machines.c.seen > now + KEPT)
    names: list[str] = list(connection.execute(delete(machines).where(gone).returning(machines.c.name)).scalars())
    let_go(connection, now - KEPT)
    standing = select(raised.c.subject).where(raised.c.kind == "aside", raised.c.ended.is_(None))
    for subject in connection.execute(standing).scalars().all():
        if any(subject == spool_of(f"{name}/crawl") for name in names):
            alarms.end(connection, subject, ("aside",), at=now)
    return names


def spool_of(holder: str) -> str:
    """The subject of alarms about the spool of a home folder, by its holder of claims."""
    return f"spool of {holder}"

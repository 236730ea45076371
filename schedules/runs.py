"""Job runs in the database: what ran, how it ended, and which of several daemons may run a job."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from archive.runtime.database import Instant, Words, connect, database_time, migrate, transaction, upsert

REVISION = "0003"
LEASE = timedelta(minutes=2)
"""How long a turn lasts without renewal; a daemon that was not heard of for as long does not run."""
RENEWED = LEASE / 6
"""Time between two renewals."""
DEAD = timedelta(minutes=10)
"""A daemon that was not heard of for as long is gone: what is left of it is deleted."""
_LONGEST = timedelta(hours=1)
"""No turn lasts as long: one that does was dated by a clock that was ahead, or is one of an earlier version."""
LOST = "lost"
"""Outcome of a run whose end is unknown: its daemon was killed, or is out of reach."""

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job", String(64), nullable=False),
    Column("holder", String(64), nullable=False),
    Column("argv", Words, nullable=False),
    Column("started", Instant, nullable=False),
    Column("ended", Instant),
    Column("outcome", String(16)),
    Column("exit_code", Integer),
    Column("said", Words),
)

turns = Table(
    "turns",
    metadata,
    Column("job", String(96), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("until", Instant, nullable=False),
)


daemons = Table(
    "daemons",
    metadata,
    Column("holder", String(64), primary_key=True),
    Column("seen", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """One run of a job."""

    job: str
    holder: str
    """The daemon that started it."""
    argv: str
    started: datetime
    ended: datetime | None
    """None if it is still running, or if its daemon is not heard of any more."""
    outcome: str | None
    exit_code: int | None
    said: str | None
    """The last line of its output."""


class Runs:
    """The runs of all daemons on one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, database: str) -> Runs:
        """Open the database, creating or upgrading its tables.

        Raises:
            ArchiveError: The database cannot be used.
        """
        engine = connect(database)
        migrate(engine, "schedules", REVISION)
        return cls(engine)

    @property
    def engine(self) -> Engine:
        """The database, for other tables in it."""
        return self._engine

    def begin(
        self, job: str, *, turn: str, holder: str, argv: str, now: datetime, lasts: timedelta = LEASE
    ) -> int | None:
        """Begin a run, unless another daemon holds the turn (a lease); returns its number.

        Args:
            job: Name of the job.
            turn: Name of the lease that only one run may hold at a time.
            holder: This daemon. If one of its own runs still holds the turn, the daemon was killed during that run.
            argv: The command line that is started.
            now: The current time.
            lasts: How long the turn lasts without `renew`, by the database's clock, which all daemons share.
        """
        with transaction(self._engine) as connection:
            shared = database_time(connection)
            until = shared + lasts
            over = _is_over(shared)
            wanted = upsert(self._engine, turns).values(job=turn, holder=holder, run_id=0, until=until)
            connection.execute(
                wanted.on_conflict_do_update(
                    index_elements=["job"],
                    set_={"holder": holder, "until": until},
                    where=over | (turns.c.holder == holder),
                )
            )
            mine = connection.execute(select(turns.c.run_id).where(turns.c.job == turn, turns.c.holder == holder))
            before = mine.scalar()
            if before is None:
                return None
            lost = (runs.c.id == before) & runs.c.ended.is_(None)
            connection.execute(update(runs).where(lost).values(ended=now, outcome=LOST))
            values = {"job": job, "holder": holder, "argv": argv, "started": now}
            number: int = connection.execute(insert(runs).values(**values).returning(runs.c.id)).scalar_one()
            connection.execute(update(turns).where(turns.c.job == turn).values(run_id=number))
            return number

    def renew(self, number: int, *, turn: str, holder: str, lasts: timedelta = LEASE) -> bool:
        """Extend the turn of a run that goes on; False if another daemon has taken it over meanwhile.

        While the database was out of reach, the run may have been taken for lost; it counts again then.
        """
        with transaction(self._engine) as connection:
            goes_on = (runs.c.id == number) & (runs.c.ended.is_(None) | (runs.c.outcome == LOST))
            if connection.execute(select(runs.c.id).where(goes_on).with_for_update()).first() is None:
                return True  # it has just ended, and needs no turn
            until = database_time(connection) + lasts
            kept = (
                upsert(self._engine, turns)
                .values(job=turn, holder=holder, run_id=number, until=until)
                .on_conflict_do_update(index_elements=["job"], set_={"until": until}, where=turns.c.run_id == number)
                .returning(turns.c.job)
            )
            if connection.execute(kept).first() is None:
                return False
            connection.execute(update(runs).where(goes_on).values(ended=None, outcome=None))
            return True

    def end(self, number: int, *, turn: str, now: datetime, outcome: str, exit_code: int, said: str) -> None:
        """Record the end of a run and release its turn."""
        values = {"ended": now, "outcome": outcome, "exit_code": exit_code, "said": said}
        with transaction(self._engine) as connection:
            connection.execute(update(runs).where(runs.c.id == number).values(**values))
            connection.execute(delete(turns).where(turns.c.job == turn, turns.c.run_id == number))

    def latest(self) -> dict[str, JobRun]:
        """The last run of each job; one whose turn has run out is lost."""
        last = select(func.max(runs.c.id)).group_by(runs.c.job)
        with transaction(self._engine, reads=True) as connection:
            held = turns.c.run_id == runs.c.id, ~_is_over(database_time(connection))
            query = select(runs, turns.c.run_id).outerjoin(turns, and_(*held)).where(runs.c.id.in_(last))
            rows = connection.execute(query).all()
        found = {}
        for row in rows:
            values = {field.name: getattr(row, field.name) for field in fields(JobRun)}
            if row.ended is None and row.run_id is None:
                values["outcome"] = LOST
            found[row.job] = JobRun(**values)
        return found

    # -- daemons

    def heard(self, holder: str) -> bool:
        """Note that a daemon runs; False if it was not known, or was taken for gone."""
        with transaction(self._engine) as connection:
            values = {"holder": holder, "seen": database_time(connection)}
            known = connection.execute(update(daemons).where(daemons.c.holder == holder).values(**values)).rowcount
            if not known:
                insert_new = upsert(self._engine, daemons).values(**values)
                connection.execute(insert_new.on_conflict_do_nothing(index_elements=["holder"]))
            return bool(known)

    def daemons(self, within: timedelta = LEASE) -> set[str]:
        """Daemons that were heard of within that time."""
        with transaction(self._engine, reads=True) as connection:
            shared = database_time(connection)
            heard = daemons.c.seen.between(shared - within, shared + _LONGEST)
            return set(connection.execute(select(daemons.c.holder).where(heard)).scalars())

    def bury(self, now: datetime) -> tuple[int, set[str]]:
        """Record the runs of daemons that died as lost, and release their turns; forget daemons that are gone.

        Returns:
            The number of runs, and the daemons that still count.
        """
        with transaction(self._engine) as connection:
            shared = database_time(connection)
            over = select(turns.c.run_id).where(_is_over(shared))
            lost = runs.c.id.in_(over) & runs.c.ended.is_(None)
            number = connection.execute(update(runs).where(lost).values(ended=now, outcome=LOST)).rowcount
            connection.execute(delete(turns).where(_is_over(shared)))
            gone = (daemons.c.seen < shared - DEAD) | (daemons.c.seen > shared + _LONGEST)
            connection.execute(delete(daemons).where(gone))
            return number, set(connection.execute(select(daemons.c.holder)).scalars())

    def forget(self, before: datetime) -> int:
        """Delete runs that ended before an instant, or began then and were lost; returns how many."""
        with transaction(self._engine) as connection:
            stray = runs.c.ended.is_(None) & (runs.c.started < before) & runs.c.id.not_in(select(turns.c.run_id))
            connection.execute(update(runs).where(stray).values(ended=runs.c.started, outcome=LOST))
            return connection.execute(delete(runs).where(runs.c.ended < before)).rowcount


def _is_over(shared: datetime) -> ColumnElement[bool]:
    """Condition for turns that nobody holds any more."""
    return (turns.c.until <= shared) | (turns.c.until > shared + _LONGEST)

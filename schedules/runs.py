"""Job runs in the database: what ran, how it ended, and which of several daemons may run a job."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, delete, func, insert, select, update

from archive.runtime.database import Instant, Words, connect, database_time, migrate, transaction, upsert

REVISION = "0001"
_LONGEST = timedelta(days=30)
"""No turn lasts as long: one that does was dated by a clock that was ahead."""
LOST = "lost"
"""Outcome of a run whose end is unknown: its daemon was killed."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """One run of a job."""

    job: str
    holder: str
    """The daemon that started it."""
    argv: str
    started: datetime
    ended: datetime | None
    """None if it is still running, or if its daemon was killed."""
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

    def begin(self, job: str, *, turn: str, holder: str, argv: str, now: datetime, lasts: timedelta) -> int | None:
        """Begin a run, unless another daemon holds the turn (a lease); returns its number.

        Args:
            job: Name of the job.
            turn: Name of the lease that only one run may hold at a time.
            holder: This daemon. If one of its own runs still holds the turn, the daemon was killed during that run.
            argv: The command line that is started.
            now: The current time.
            lasts: How long the turn lasts if this daemon dies, by the database's clock, which all daemons share.
        """
        with transaction(self._engine) as connection:
            shared = database_time(connection)
            until = shared + lasts
            over = (turns.c.until <= shared) | (turns.c.until > shared + _LONGEST)
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

    def end(self, number: int, *, turn: str, now: datetime, outcome: str, exit_code: int, said: str) -> None:
        """Record the end of a run and release its turn."""
        values = {"ended": now, "outcome": outcome, "exit_code": exit_code, "said": said}
        with transaction(self._engine) as connection:
            connection.execute(update(runs).where(runs.c.id == number).values(**values))
            connection.execute(delete(turns).where(turns.c.job == turn, turns.c.run_id == number))

    def latest(self) -> dict[str, JobRun]:
        """The last run of each job."""
        last = select(func.max(runs.c.id)).group_by(runs.c.job)
        with transaction(self._engine, reads=True) as connection:
            rows = connection.execute(select(runs).where(runs.c.id.in_(last))).all()
        return {row.job: JobRun(**{field.name: getattr(row, field.name) for field in fields(JobRun)}) for row in rows}

    def forget(self, before: datetime) -> int:
        """Delete runs that ended before an instant; returns how many."""
        with transaction(self._engine) as connection:
            return connection.execute(delete(runs).where(runs.c.ended < before)).rowcount

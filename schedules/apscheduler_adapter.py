"""APScheduler's job store for several daemons on one database: the one place that uses APScheduler's private names."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine, delete, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from archive.runtime.database import in_parts, transaction

log = logging.getLogger(__name__)

TABLE = "schedule"
RETRY = timedelta(seconds=10)
"""Time between two attempts while the database is down."""


class JobStore(SQLAlchemyJobStore):  # type: ignore[misc]  # APScheduler has no types
    """APScheduler's job store for one of several daemons on a database that may be down for a while."""

    def __init__(self, engine: Engine, holder: str) -> None:
        super().__init__(engine=engine, tablename=TABLE)
        self._prefix = f"{holder}:"
        self._written = True
        self._closed = False

    def close(self) -> None:
        """Stop reporting due jobs: a scheduler that stops asks once more, and would skip jobs that it cannot run."""
        self._closed = True

    def get_due_jobs(self, now: datetime) -> list[Any]:
        """The jobs that are due."""
        found: list[Any] = [] if self._closed else super().get_due_jobs(now)
        return found

    def start(self, scheduler: Any, alias: str) -> None:  # noqa: ANN401  APScheduler's
        """Create the table."""
        try:
            super().start(scheduler, alias)
        except SQLAlchemyError:  # another daemon has just created it
            super().start(scheduler, alias)

    def _get_jobs(self, *conditions: Any) -> list[Any]:  # noqa: ANN401  SQLAlchemy's and APScheduler's
        found: list[Any] = super()._get_jobs(self.jobs_t.c.id.startswith(self._prefix, autoescape=True), *conditions)
        return found

    def get_next_run_time(self) -> datetime | None:
        """When the next job is due; soon if the database cannot be read."""
        mine = self.jobs_t.c.id.startswith(self._prefix, autoescape=True)
        query = select(self.jobs_t.c.next_run_time).where(mine).order_by(self.jobs_t.c.next_run_time).limit(1)
        try:
            with self.engine.begin() as connection:
                found = connection.execute(query).scalar()
        except (SQLAlchemyError, OSError) as e:
            log.warning("schedule cannot be read error=%s", one_line(e))
            return datetime.now(UTC) + RETRY
        if not self._written:  # the job whose next run could not be written is still due
            return datetime.now(UTC) + RETRY
        return None if found is None else datetime.fromtimestamp(found, UTC)

    def update_job(self, job: Any) -> None:  # noqa: ANN401  APScheduler's
        """Store a job's next run; while that fails, the job stays due, and runs once when the database is back."""
        try:
            super().update_job(job)
            self._written = True
        except (SQLAlchemyError, OSError, JobLookupError) as e:
            self._written = False
            log.warning("schedule cannot be written job=%s error=%s", job.id, one_line(e))


def next_runs(engine: Engine, running: Collection[str] = ()) -> dict[str, datetime]:
    """When each job runs next: the earliest time of the daemons that run, or of all, if none does."""
    if not inspect(engine).has_table(TABLE):
        return {}
    table = SQLAlchemyJobStore(engine=engine, tablename=TABLE).jobs_t
    found: dict[str, datetime] = {}
    with engine.begin() as connection:
        for row in connection.execute(select(table.c.id, table.c.next_run_time)):
            holder, _, name = row.id.rpartition(":")
            if row.next_run_time is not None and (holder in running or not running):
                moment = datetime.fromtimestamp(row.next_run_time, UTC)
                found[name] = min(moment, found.get(name, moment))
    return found


def forget_others(engine: Engine, holders: Collection[str]) -> tuple[int, set[str]]:
    """Delete the schedules of all daemons but these; returns the number of jobs, and whose they were."""
    if not inspect(engine).has_table(TABLE):
        return 0, set()
    table = SQLAlchemyJobStore(engine=engine, tablename=TABLE).jobs_t
    with transaction(engine) as connection:
        ids = connection.execute(select(table.c.id)).scalars().all()
        others = [one for one in ids if one.rpartition(":")[0] not in holders]
        for part in in_parts(others):
            connection.execute(delete(table).where(table.c.id.in_(part)))
    return len(others), {one.rpartition(":")[0] for one in others}


def one_line(error: Exception) -> str:
    """The first line of an error message, for logs."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def is_alive(scheduler: BackgroundScheduler) -> bool:
    """Whether a scheduler runs, and its thread has not died."""
    thread = getattr(scheduler, "_thread", None)  # it has no public name
    return bool(scheduler.running and thread and thread.is_alive())

"""The daemon: runs jobs when they are due, until it is told to stop. The home of APScheduler.

Triggers are in UTC, where no hour is missing and none comes twice. When the machine's clock is set back, jobs keep
their distance; when it is set forward, what was passed over runs once.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import Engine, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from archive.archive import Archive
from archive.errors import ArchiveError
from crawler.alarms import about
from crawler.visit import Alarm
from schedules.jobs import Finished, Job, Outcome, Runner
from schedules.runs import Runs

log = logging.getLogger(__name__)

TABLE = "schedule"
_RETRY = timedelta(seconds=10)
"""Between two looks while the database is away."""
_TICK_SECONDS = 2.0
_CLOCK_SLACK_SECONDS = 2.0
"""A clock that goes back by more was set back."""
_JITTER = 0.1
"""Share of an interval by which a run may come later, so that many daemons do not move in step."""
_MAX_JITTER_SECONDS = 30
_STAGGER = timedelta(seconds=5)
"""Between the first runs of the jobs of a new daemon."""

_daemons: dict[str, Daemon] = {}
"""The daemon of this process, found by the job store, which can keep names of functions alone."""


class JobStore(SQLAlchemyJobStore):  # type: ignore[misc]  # APScheduler has no types
    """APScheduler's job store for one of several daemons on a database, which may be away for a while."""

    def __init__(self, engine: Engine, holder: str) -> None:
        super().__init__(engine=engine, tablename=TABLE)
        self._prefix = f"{holder}:"

    def _get_jobs(self, *conditions: Any) -> list[Any]:  # noqa: ANN401  SQLAlchemy's and APScheduler's
        found: list[Any] = super()._get_jobs(self.jobs_t.c.id.startswith(self._prefix, autoescape=True), *conditions)
        return found

    def get_next_run_time(self) -> datetime | None:
        """When the next job is due; soon, while the database cannot tell."""
        mine = self.jobs_t.c.id.startswith(self._prefix, autoescape=True)
        query = select(self.jobs_t.c.next_run_time).where(mine).order_by(self.jobs_t.c.next_run_time).limit(1)
        try:
            with self.engine.begin() as connection:
                found = connection.execute(query).scalar()
        except (SQLAlchemyError, OSError) as e:
            log.warning("schedule cannot be read error=%s", _line(e))
            return datetime.now(UTC) + _RETRY
        return None if found is None else datetime.fromtimestamp(found, UTC)

    def update_job(self, job: Any) -> None:  # noqa: ANN401  APScheduler's
        """Keep a job's next run; while that cannot be, it is due still, and runs once when the database is back."""
        try:
            super().update_job(job)
        except (SQLAlchemyError, OSError) as e:
            log.warning("schedule cannot be written job=%s error=%s", job.id, _line(e))


class Daemon:
    """Jobs on their triggers. One run of a job at a time; runs that were missed become one."""

    def __init__(self, jobs: Sequence[Job], runs: Runs, *, holder: str, stop_seconds: float) -> None:
        """`holder` is the name of this daemon among those on one database."""
        self._jobs = {job.name: job for job in jobs}
        self._runs = runs
        self._holder = holder
        self._runner = Runner()
        self._stop_seconds = stop_seconds
        self._stop = threading.Event()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": JobStore(runs.engine, holder)},
            executors={"default": ThreadPoolExecutor(max(1, len(jobs)))},
            jobstore_retry_interval=_RETRY.total_seconds(),
        )
        self._scheduler.add_listener(_told, EVENT_JOB_ERROR | EVENT_JOB_MISSED)

    def run(self, beside: Callable[[threading.Event], None] | None = None) -> None:
        """Run until SIGTERM or SIGINT; returns when all jobs have ended.

        Args:
            beside: Run in this thread meanwhile, such as a web server; it returns when the event is set.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        _daemons[self._holder] = self
        self._scheduler.start(paused=True)
        self.plan(datetime.now(UTC))
        self._scheduler.resume()
        log.info("daemon started jobs=%s", ",".join(self._jobs))
        watch = threading.Thread(target=self._watch_clock, daemon=True)
        watch.start()
        if beside is not None:
            beside(self._stop)
        self._stop.wait()
        self._scheduler.pause()
        self._runner.stop(self._stop_seconds)
        self._scheduler.shutdown(wait=True)
        del _daemons[self._holder]
        log.info("daemon stopped")

    def plan(self, now: datetime) -> None:
        """Put the jobs on the schedule; one that is there with the same trigger keeps its next run."""
        kept = {job.id: job for job in self._scheduler.get_jobs()}
        for number, job in enumerate(self._jobs.values()):
            trigger = _trigger(job)
            before = kept.pop(self._id(job.name), None)
            if before is not None and str(before.trigger) == str(trigger) and before.next_run_time is not None:
                continue
            first = now + number * _STAGGER if isinstance(trigger, IntervalTrigger) else None
            self._scheduler.add_job(
                "schedules.daemon:fire",
                trigger,
                args=[self._holder, job.name],
                id=self._id(job.name),
                name=job.name,
                replace_existing=True,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,  # late is better than never
                **({"next_run_time": first} if first else {}),
            )
        for old in kept:
            self._scheduler.remove_job(old)

    def fire(self, name: str) -> Finished | None:
        """Run a job now, if it is this daemon's turn, and remember how it ended."""
        job = self._jobs[name]
        turn = name if job.alone else f"{name} {self._holder}"
        now = datetime.now(UTC)
        try:
            number = self._runs.begin(
                name, turn=turn, holder=self._holder, argv=" ".join(job.argv), now=now, until=now + job.deadline * 1.5
            )
        except ArchiveError as e:
            log.warning("job waits for the database name=%s error=%s", name, e)
            return None
        if number is None:
            log.info("job runs elsewhere name=%s", name)
            return None
        finished = self._runner.run(job)
        if finished is None:
            return None
        try:
            self._runs.end(
                number,
                turn=turn,
                now=datetime.now(UTC),
                outcome=finished.outcome,
                exit_code=finished.exit_code,
                said=finished.said,
            )
            about(self._runs.engine, f"job {name}", _alarm(finished), kind="job", at=datetime.now(UTC))
        except ArchiveError as e:
            log.warning("end of job is not remembered name=%s error=%s", name, e)
        return finished

    def hurry(self, name: str) -> None:
        """Run a job as soon as can be."""
        if self._scheduler.get_job(self._id(name)):
            self._scheduler.modify_job(self._id(name), next_run_time=datetime.now(UTC))

    def ill(self, archive: Archive) -> dict[str, str]:
        """What is wrong with the parts that the daemon needs, by their names."""
        found = {}
        if not self._scheduler.running:
            found["scheduler"] = "does not run"
        for part, check in (("database", self._runs.latest), ("store", archive.check_writable)):
            try:
                check()
            except ArchiveError as e:
                found[part] = str(e)
        return found

    def set_back(self, by: timedelta) -> None:
        """The clock was set back: runs at intervals keep their distance, and do not wait for the hour to come again."""
        for job in self._scheduler.get_jobs():
            if isinstance(job.trigger, IntervalTrigger) and job.next_run_time:
                self._scheduler.modify_job(job.id, next_run_time=job.next_run_time - by)
        self.hurry("housekeeping")

    def _watch_clock(self) -> None:
        ahead = time.time() - time.monotonic()
        while not self._stop.wait(_TICK_SECONDS):
            now = time.time() - time.monotonic()
            if now < ahead - _CLOCK_SLACK_SECONDS:
                log.warning("clock was set back seconds=%.0f", ahead - now)
                try:
                    self.set_back(timedelta(seconds=ahead - now))
                except (SQLAlchemyError, OSError) as e:
                    log.warning("schedule cannot be mended, trying again error=%s", _line(e))
                    continue
            ahead = now

    def _id(self, name: str) -> str:
        return f"{self._holder}:{name}"

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        log.info("daemon stops signal=%s", signal.Signals(number).name)
        self._stop.set()


def fire(holder: str, name: str) -> None:
    """What the schedule calls: a job of the daemon of this process."""
    _daemons[holder].fire(name)


def next_runs(engine: Engine) -> dict[str, datetime]:
    """When each job runs next, the earliest of all daemons on a database."""
    if not inspect(engine).has_table(TABLE):
        return {}
    table = SQLAlchemyJobStore(engine=engine, tablename=TABLE).jobs_t
    found: dict[str, datetime] = {}
    with engine.begin() as connection:
        for row in connection.execute(select(table.c.id, table.c.next_run_time)):
            if row.next_run_time is not None:
                name, moment = row.id.rpartition(":")[2], datetime.fromtimestamp(row.next_run_time, UTC)
                found[name] = min(moment, found.get(name, moment))
    return found


def _trigger(job: Job) -> IntervalTrigger | CronTrigger:
    if isinstance(job.trigger, str):
        return CronTrigger.from_crontab(job.trigger, timezone=UTC)
    seconds = job.trigger.total_seconds()
    return IntervalTrigger(seconds=seconds, jitter=min(seconds * _JITTER, _MAX_JITTER_SECONDS), timezone=UTC)


def _alarm(finished: Finished) -> Alarm | None:
    if finished.outcome in {Outcome.DONE, Outcome.STOPPED}:
        return None
    ended = "passed its deadline" if finished.outcome is Outcome.DEADLINE else f"ended with exit {finished.exit_code}"
    return Alarm(kind="job", detail=f"{ended} after {finished.seconds:.0f} s: {finished.said or 'said nothing'}")


def _line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _told(event: JobExecutionEvent) -> None:
    if event.code == EVENT_JOB_MISSED:
        log.warning("job missed name=%s due=%s", event.job_id, event.scheduled_run_time)
    else:
        log.error("job could not run name=%s error=%s", event.job_id, event.exception)

"""The daemon: runs jobs when they are due, until SIGTERM or SIGINT.

Triggers are in UTC, where no hour is missing or occurs twice. When the machine's clock is set back, jobs keep their
intervals; when it is set forward, runs that were skipped become one.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import FrameType

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import SQLAlchemyError

from archive.archive import Archive
from archive.errors import ArchiveError, DatabaseError
from archive.runtime.database import shown
from archive.runtime.ending import Ending
from crawler.frontier.alarms import about
from crawler.model.visits import Alarm
from schedules.apscheduler_adapter import RETRY, JobStore, is_alive, one_line
from schedules.dead_daemons import bury
from schedules.health import Health, parts
from schedules.job_runner import Finished, Outcome, Runner
from schedules.jobs import Job
from schedules.runs import RENEWED, Runs
from schedules.triggers import cron_fields

log = logging.getLogger(__name__)

_LEAVING_SECONDS = 4.0
"""After its jobs have ended or were killed, time for recording how; then the daemon's process is left."""
_LOOK_SECONDS = 0.5
"""Between two looks whether the daemon was asked to stop."""
_TICK_SECONDS = 2.0
_CLOCK_SLACK_SECONDS = 2.0
"""A larger backward jump means that the clock was set back."""
_JITTER = 0.1
"""Jitter: share of an interval by which a run may be delayed, so that many daemons do not run in step."""
_MAX_JITTER_SECONDS = 30
_STAGGER = timedelta(seconds=5)
"""Time between the first runs of a new daemon's jobs."""
_AHEAD = timedelta(minutes=2)
"""How far beyond its interval a run may be scheduled, such as the first one."""

_daemons: dict[str, Daemon] = {}
"""The daemon of this process, by holder: the job store can store only a reference to a function."""


class Daemon:
    """Runs jobs on their triggers. Only one run of a job at a time; missed runs become one."""

    def __init__(self, jobs: Sequence[Job], runs: Runs, *, holder: str, stop_seconds: float) -> None:
        """`holder` identifies this daemon among those on one database."""
        self._jobs = {job.name: job for job in jobs}
        self._runs = runs
        self._health: Health | None = None
        self._holder = holder
        self._runner = Runner()
        self._stop_seconds = stop_seconds
        self._stop = threading.Event()
        self._ending = Ending(stop_seconds + _LEAVING_SECONDS, left="its jobs are killed", before=self._runner.kill)
        self._store = JobStore(runs.engine, holder)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": self._store},
            executors={"default": ThreadPoolExecutor(max(1, len(jobs)))},
            jobstore_retry_interval=RETRY.total_seconds(),
        )
        self._turns: dict[int, tuple[str, Callable[[], None]]] = {}
        """Turns of the runs in progress, by number, and how to give each up."""
        self._hurried: set[str] = set()
        """Jobs that should run as soon as possible but have not started since."""
        self._scheduler.add_listener(_report, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        self._scheduler.add_listener(self._ended, EVENT_JOB_EXECUTED)

    def run(self, beside: Callable[[threading.Event], None] | None = None) -> None:
        """Run until SIGTERM or SIGINT; returns when all jobs have ended.

        Args:
            beside: Runs in this thread meanwhile, such as a web server; must return when the event is set.

        Raises:
            DatabaseError: The schedule cannot be stored.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        _daemons[self._holder] = self
        try:
            self._runs.heard(self._holder)
            self._scheduler.start(paused=True)
            self.plan(datetime.now(UTC))
        except (SQLAlchemyError, OSError) as e:
            raise DatabaseError(one_line(e), url=shown(self._runs.engine.url), hint="Is the database up?") from e
        self._scheduler.resume()
        log.info("daemon started jobs=%s", ",".join(self._jobs))
        watch = threading.Thread(target=self._watch_clock, daemon=True)
        watch.start()
        threading.Thread(target=self._live, daemon=True).start()
        if beside is not None:
            beside(self._stop)
        # A signal that comes just before a wait without a time-out would be seen only after it.
        while not self._stop.wait(_LOOK_SECONDS):
            pass
        self._scheduler.pause()
        self._store.close()
        self._runner.stop(self._stop_seconds)
        self._scheduler.shutdown(wait=True)
        self._ending.cancel()
        del _daemons[self._holder]
        log.info("daemon stopped")

    def plan(self, now: datetime) -> None:
        """Schedule the jobs; one already scheduled with the same trigger keeps its next run."""
        kept = {job.id: job for job in self._scheduler.get_jobs()}
        for number, job in enumerate(self._jobs.values()):
            trigger = _trigger(job)
            before = kept.pop(self._id(job.name), None)
            same = before is not None and str(before.trigger) == str(trigger)
            if before is not None and same and before.next_run_time and before.next_run_time <= _latest(trigger, now):
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
        """Run a job now and record how it ended; None if another daemon holds its turn."""
        job = self._jobs[name]
        self._hurried.discard(name)
        turn = name if job.alone else f"{name} {self._holder}"
        now = datetime.now(UTC)
        try:
            number = self._runs.begin(name, turn=turn, holder=self._holder, argv=" ".join(job.argv), now=now)
        except ArchiveError as e:
            log.warning("job not started, database unavailable name=%s error=%s", name, e)
            return None
        if number is None:
            log.info("job runs on another daemon name=%s", name)
            return None

        def started(give_up: Callable[[], None]) -> None:
            self._turns[number] = turn, give_up

        try:
            finished = self._runner.run(job, started) or Finished(
                job=name, outcome=Outcome.STOPPED, exit_code=0, seconds=0.0, last_message=""
            )
        finally:
            self._turns.pop(number, None)
        try:
            self._runs.end(
                number,
                turn=turn,
                now=datetime.now(UTC),
                outcome=finished.outcome,
                exit_code=finished.exit_code,
                said=finished.last_message,
            )
            about(self._runs.engine, f"job {turn}", _alarm(finished), kind="job", at=datetime.now(UTC))
        except ArchiveError as e:
            log.warning("end of job not recorded name=%s error=%s", name, e)
        return finished

    def hurry(self, name: str) -> None:
        """Run a job as soon as possible; if it is running, again once it has ended."""
        self._hurried.add(name)
        try:
            if self._scheduler.get_job(self._id(name)):
                self._scheduler.modify_job(self._id(name), next_run_time=datetime.now(UTC))
        except (SQLAlchemyError, OSError, JobLookupError) as e:
            log.warning("job could not be moved forward name=%s error=%s", name, one_line(e))

    def _ended(self, event: JobExecutionEvent) -> None:
        if (name := event.job_id.rpartition(":")[2]) in self._hurried:
            self.hurry(name)

    def ill(self, archive: Archive) -> dict[str, str]:
        """Failing parts of the installation and their errors."""
        if self._health is None:
            self._health = Health(parts(archive, self._runs))
        found = {}
        if not is_alive(self._scheduler):
            found["scheduler"] = "not running"
        return found | self._health()

    def set_back(self, by: timedelta) -> None:
        """Adjust to a clock that was set back: runs at intervals keep their interval instead of waiting.

        Runs at a time of day wait, so that they do not run twice, unless they would miss more than one run.
        """
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            if not job.next_run_time:
                continue
            if isinstance(job.trigger, IntervalTrigger):
                self._scheduler.modify_job(job.id, next_run_time=job.next_run_time - by)
            elif job.next_run_time > _latest(job.trigger, now):
                self._scheduler.modify_job(job.id, next_run_time=job.trigger.get_next_fire_time(None, now))
        self.hurry("housekeeping")

    def _live(self) -> None:
        """Let the other daemons know that this one runs, and remove what is left of those that do not."""
        while not self._stop.wait(RENEWED.total_seconds()):
            try:
                self.live()
            except (ArchiveError, SQLAlchemyError, OSError) as e:
                log.warning("turns are not renewed, trying again error=%s", one_line(e))

    def live(self) -> None:
        """Renew the turns of the runs in progress, give up those that others have taken over, and bury the dead.

        Raises:
            DatabaseError: The database failed.
        """
        for number, (turn, give_up) in list(self._turns.items()):
            if not self._runs.renew(number, turn=turn, holder=self._holder) and number in self._turns:
                log.warning("another daemon has taken over, run ends turn=%s", turn)
                give_up()
        if not self._runs.heard(self._holder):
            log.warning("this daemon was taken for dead, its jobs are scheduled again")
            self.plan(datetime.now(UTC))
        bury(self._runs, datetime.now(UTC))

    def _watch_clock(self) -> None:
        ahead = time.time() - time.monotonic()
        while not self._stop.wait(_TICK_SECONDS):
            now = time.time() - time.monotonic()
            if now < ahead - _CLOCK_SLACK_SECONDS:
                log.warning("clock was set back seconds=%.0f", ahead - now)
                try:
                    self.set_back(timedelta(seconds=ahead - now))
                except (SQLAlchemyError, OSError) as e:
                    log.warning("schedule could not be adjusted, trying again error=%s", one_line(e))
                    continue
            ahead = now

    def _id(self, name: str) -> str:
        return f"{self._holder}:{name}"

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._ending.ask()
        # In a thread: the signal may have come while this one held the event's lock, or the log's stream.
        threading.Thread(target=self._request_stop, args=(signal.Signals(number).name,)).start()

    def _request_stop(self, name: str) -> None:
        log.info("daemon stopping signal=%s", name)
        self._stop.set()
        self._runner.stop(self._stop_seconds)  # here, since the web server may take its time


def fire(holder: str, name: str) -> None:
    """Run a job of this process's daemon.

    APScheduler stores a reference to this function in databases: never move or rename it.
    """
    _daemons[holder].fire(name)


def _trigger(job: Job) -> IntervalTrigger | CronTrigger:
    if isinstance(job.trigger, str):
        minute, hour, day, month, weekday = cron_fields(job.trigger)
        return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone=UTC)
    seconds = job.trigger.total_seconds()
    return IntervalTrigger(seconds=seconds, jitter=min(seconds * _JITTER, _MAX_JITTER_SECONDS), timezone=UTC)


def _latest(trigger: IntervalTrigger | CronTrigger, now: datetime) -> datetime:
    """The latest plausible next run; a later one was scheduled by a clock that was ahead."""
    if isinstance(trigger, IntervalTrigger):
        latest: datetime = now + trigger.interval + _AHEAD
        return latest
    first = trigger.get_next_fire_time(None, now)
    second = trigger.get_next_fire_time(first, first) if first else None
    return second or first or now


def _alarm(finished: Finished) -> Alarm | None:
    if finished.outcome in {Outcome.DONE, Outcome.STOPPED}:
        return None
    ended = "exceeded its deadline" if finished.outcome is Outcome.DEADLINE else f"ended with exit {finished.exit_code}"
    return Alarm(kind="job", detail=f"{ended} after {finished.seconds:.0f} s: {finished.last_message or 'no output'}")


def _report(event: JobExecutionEvent) -> None:
    if event.code == EVENT_JOB_MISSED:
        log.warning("job missed name=%s due=%s", event.job_id, event.scheduled_run_time)
    else:
        log.error("job could not run name=%s error=%s", event.job_id, event.exception)

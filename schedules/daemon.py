"""The daemon: runs jobs when they are due, until it is told to stop. The home of APScheduler."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import FrameType

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from schedules.jobs import Job, Runner

log = logging.getLogger(__name__)


class Daemon:
    """Jobs on their triggers. One run of a job at a time; runs that were missed become one."""

    def __init__(self, jobs: Sequence[Job], *, stop_seconds: float) -> None:
        self._runner = Runner()
        self._stop_seconds = stop_seconds
        self._stop = threading.Event()
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": ThreadPoolExecutor(max(1, len(jobs)))}
        )
        self._scheduler.add_listener(_told, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        for job in jobs:
            self._scheduler.add_job(
                self._runner.run,
                IntervalTrigger(seconds=job.every_seconds, jitter=job.jitter_seconds or None, timezone=UTC),
                args=[job],
                id=job.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,  # late is better than never
                next_run_time=datetime.now(UTC) + timedelta(milliseconds=100),
            )

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; returns when all jobs have ended."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        self._scheduler.start()
        log.info("daemon started jobs=%s", ",".join(job.id for job in self._scheduler.get_jobs()))
        self._stop.wait()
        self._scheduler.pause()
        self._runner.stop(self._stop_seconds)
        self._scheduler.shutdown(wait=True)
        log.info("daemon stopped")

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        log.info("daemon stops signal=%s", signal.Signals(number).name)
        self._stop.set()


def _told(event: JobExecutionEvent) -> None:
    if event.code == EVENT_JOB_MISSED:
        log.warning("job missed name=%s due=%s", event.job_id, event.scheduled_run_time)
    else:
        log.error("job could not run name=%s error=%s", event.job_id, event.exception)

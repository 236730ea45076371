"""Jobs: a name, a trigger, and the argv that a person could type. A job runs as a process of its own."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import IO

from schedules.settings import ScheduleSettings
from schedules.triggers import parse_trigger

log = logging.getLogger(__name__)

_GRACE_SECONDS = 20.0
"""Between the request to end and the kill of a job that passed its deadline."""
_MAX_LINE = 500


class Outcome(StrEnum):
    """How a run of a job ended."""

    DONE = "done"
    FAILED = "failed"
    DEADLINE = "deadline"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that is run again and again."""

    name: str
    argv: tuple[str, ...]
    trigger: timedelta | str
    """Time between two runs, or a cron expression in UTC."""
    deadline: timedelta
    alone: bool = False
    """Of all daemons on one database one runs it at a time; else each may, and they divide the work by claims."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of the daemon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One run of a job."""

    job: str
    outcome: Outcome
    exit_code: int
    """Negative: the signal that ended it."""
    seconds: float
    said: str
    """The last line that it printed."""


class Runner:
    """Starts jobs and ends them. Thread-safe: jobs run in the scheduler's threads, `stop` is called from another."""

    def __init__(self) -> None:
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def run(self, job: Job) -> Finished | None:
        """Run a job to its end or its deadline; None if the runner is stopping."""
        began = time.monotonic()
        with self._lock:
            if self._stopping.is_set():
                return None
            # A session of its own: the whole group can be ended, and Ctrl-C reaches the daemon alone.
            process = subprocess.Popen(
                job.argv,
                env={**os.environ, **job.environment},
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            )
            self._running[process.pid] = process
        log.info("job started name=%s pid=%d argv=%s", job.name, process.pid, " ".join(job.argv))
        assert process.stdout is not None  # a pipe was asked for
        last = _LastLine(process.stdout)
        seconds = job.deadline.total_seconds()
        try:
            late = not _ended(process, seconds)
            if late:
                log.error("job passed its deadline name=%s pid=%d seconds=%g", job.name, process.pid, seconds)
                end([process], _GRACE_SECONDS)
        finally:
            with self._lock:
                del self._running[process.pid]
        # What the job left behind in its group would keep its place, and the pipe.
        _signal(process, signal.SIGKILL)
        code = process.returncode
        outcome = Outcome.DEADLINE if late else Outcome.DONE if code == 0 else Outcome.FAILED
        if self._stopping.is_set() and outcome is not Outcome.DONE:
            outcome = Outcome.STOPPED
        finished = Finished(
            job=job.name, outcome=outcome, exit_code=code, seconds=time.monotonic() - began, said=last.line()
        )
        log.log(
            logging.INFO if outcome in {Outcome.DONE, Outcome.STOPPED} else logging.ERROR,
            "job ended name=%s outcome=%s exit=%d seconds=%.1f said=%s",
            job.name,
            outcome,
            code,
            finished.seconds,
            finished.said,
        )
        return finished

    def stop(self, seconds: float) -> None:
        """Start nothing more, ask what runs to end, and kill it after so many seconds."""
        with self._lock:
            self._stopping.set()
            running = list(self._running.values())
        end(running, seconds)


class _LastLine:
    """Reads what a job prints, so that it never waits for us, and keeps the last line of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._line = ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._stream:
            while raw := self._stream.readline(64 * 1024):
                if text := "".join(c if c.isprintable() else " " for c in raw.decode("utf-8", "replace")).strip():
                    self._line = text[:_MAX_LINE]

    def line(self) -> str:
        """The last line, once the job has ended."""
        self._thread.join(5.0)
        return self._line


def end(processes: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
    """Ask process groups to end; kill those that are there still after so many seconds."""
    for process in processes:
        _signal(process, signal.SIGTERM)
    until = time.monotonic() + seconds
    for process in processes:
        if not _ended(process, max(0.0, until - time.monotonic())):
            log.error("job killed pid=%d", process.pid)
            _signal(process, signal.SIGKILL)
            process.wait()
        # What the job itself left behind in its group goes with it.
        _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        log.debug("no process left group=%d", process.pid)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def jobs(settings: ScheduleSettings) -> list[Job]:
    """What the daemon runs, in the order in which it is first started."""
    found = [
        _job(settings, "crawl", *_SPIDER, "-a", "only=feeds"),
        _job(settings, "recheck", *_SPIDER, "-a", "only=rechecks"),
        _job(settings, "backfill", *_PRESSMARK, "backfill", "--due"),
        _job(settings, "seal", *_PRESSMARK, "seal"),
        _job(settings, "verify", *_PRESSMARK, "verify", "--sample", settings.verify_sample, alone=True),
        _job(settings, "websub", *_PRESSMARK, "websub", alone=True),
        _job(settings, "housekeeping", *_PRESSMARK, "housekeeping", alone=True),
        _job(settings, "tell", *_PRESSMARK, "tell", alone=True),
    ]
    return [job for job in found if job is not None]


_SPIDER = (sys.executable, "-m", "scrapy", "crawl", "blog")
_PRESSMARK = (sys.executable, "-m", "schedules")


def _job(settings: ScheduleSettings, name: str, *argv: str, alone: bool = False) -> Job | None:
    trigger = parse_trigger(getattr(settings, f"{name}_every"))
    if trigger is None:
        return None
    return Job(
        name=name,
        argv=argv,
        trigger=trigger,
        deadline=getattr(settings, f"{name}_deadline"),
        alone=alone,
        # Found from any folder, not only from that of scrapy.cfg.
        environment={"SCRAPY_SETTINGS_MODULE": "crawler.settings"},
    )

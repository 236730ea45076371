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
from enum import StrEnum

log = logging.getLogger(__name__)

_GRACE_SECONDS = 20.0
"""Between the request to end and the kill of a job that passed its deadline."""
_POLL_SECONDS = 0.1


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
    every_seconds: float
    jitter_seconds: float
    deadline_seconds: float
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
                job.argv, env={**os.environ, **job.environment}, start_new_session=True, stdin=subprocess.DEVNULL
            )
            self._running[process.pid] = process
        log.info("job started name=%s pid=%d argv=%s", job.name, process.pid, " ".join(job.argv))
        try:
            late = not _ended(process, job.deadline_seconds)
            if late:
                log.error(
                    "job passed its deadline name=%s pid=%d seconds=%g", job.name, process.pid, job.deadline_seconds
                )
                end([process], _GRACE_SECONDS)
        finally:
            with self._lock:
                del self._running[process.pid]
        code = process.returncode
        outcome = Outcome.DEADLINE if late else Outcome.DONE if code == 0 else Outcome.FAILED
        if self._stopping.is_set() and outcome is not Outcome.DONE:
            outcome = Outcome.STOPPED
        finished = Finished(job=job.name, outcome=outcome, exit_code=code, seconds=time.monotonic() - began)
        log.log(
            logging.INFO if outcome in {Outcome.DONE, Outcome.STOPPED} else logging.ERROR,
            "job ended name=%s outcome=%s exit=%d seconds=%.1f",
            job.name,
            outcome,
            code,
            finished.seconds,
        )
        return finished

    def stop(self, seconds: float) -> None:
        """Start nothing more, ask what runs to end, and kill it after so many seconds."""
        with self._lock:
            self._stopping.set()
            running = list(self._running.values())
        end(running, seconds)


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


def crawl_job(*, every: float, jitter: float, deadline: float) -> Job:
    """`scrapy crawl blog`: what is due."""
    return Job(
        name="crawl",
        argv=(sys.executable, "-m", "scrapy", "crawl", "blog"),
        every_seconds=every,
        jitter_seconds=jitter,
        deadline_seconds=deadline,
        # Found from any folder, not only from that of scrapy.cfg.
        environment={"SCRAPY_SETTINGS_MODULE": "crawler.settings"},
    )

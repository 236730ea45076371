"""Runs a job as a separate process and stops it at its deadline, or when the daemon stops."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

from schedules.jobs import Job

log = logging.getLogger(__name__)

_GRACE_SECONDS = 20.0
"""Time between SIGTERM and SIGKILL for a job that exceeded its deadline."""
_MAX_LINE = 500


class Outcome(StrEnum):
    """Outcome of a job run."""

    DONE = "done"
    FAILED = "failed"
    DEADLINE = "deadline"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A finished run of a job."""

    job: str
    outcome: Outcome
    exit_code: int
    """Negative: the signal that ended it."""
    seconds: float
    last_message: str
    """The last line of its output."""


class Runner:
    """Starts and stops jobs. Thread-safe: jobs run in the scheduler's threads; `stop` is called from another thread."""

    def __init__(self) -> None:
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._given_up: set[int] = set()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def run(self, job: Job, started: Callable[[Callable[[], None]], None] = lambda _: None) -> Finished | None:
        """Run a job to its end or its deadline; None if the runner is stopping.

        Args:
            job: The job.
            started: Called once it runs, with a function that gives the run up: asks it to end, and kills it later.
        """
        began = time.monotonic()
        with self._lock:
            if self._stopping.is_set():
                return None
            # A separate session: the whole process group can be killed, and Ctrl-C reaches only the daemon.
            process = subprocess.Popen(
                job.argv,
                env={**os.environ, **job.environment},
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            )
            self._running[process.pid] = process
        log.info("job started name=%s pid=%d argv=%s", job.name, process.pid, " ".join(job.argv))
        started(lambda: self._give_up(process))
        assert process.stdout is not None  # a pipe was requested
        last = _LastLine(process.stdout)
        seconds = job.deadline.total_seconds()
        try:
            late = not _ended(process, seconds)
            if late:
                log.error("job exceeded its deadline name=%s pid=%d seconds=%g", job.name, process.pid, seconds)
                end([process], _GRACE_SECONDS)
        finally:
            with self._lock:
                del self._running[process.pid]
        # Processes that the job left behind in its group would keep the pipe open.
        _signal(process, signal.SIGKILL)
        code = process.returncode
        outcome = Outcome.DEADLINE if late else Outcome.DONE if code == 0 else Outcome.FAILED
        if (self._stopping.is_set() or process.pid in self._given_up) and outcome is not Outcome.DONE:
            outcome = Outcome.STOPPED
        self._given_up.discard(process.pid)
        finished = Finished(
            job=job.name, outcome=outcome, exit_code=code, seconds=time.monotonic() - began, last_message=last.line()
        )
        log.log(
            logging.INFO if outcome in {Outcome.DONE, Outcome.STOPPED} else logging.ERROR,
            "job ended name=%s outcome=%s exit=%d seconds=%.1f last_message=%s",
            job.name,
            outcome,
            code,
            finished.seconds,
            finished.last_message,
        )
        return finished

    def _give_up(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            self._given_up.add(process.pid)
            threading.Thread(target=end, args=([process], _GRACE_SECONDS), daemon=True).start()

    def stop(self, seconds: float) -> None:
        """Start no more jobs, ask the running ones to end, and kill them after `seconds`. Called again, it waits."""
        with self._lock:
            first = not self._stopping.is_set()
            self._stopping.set()
            running = list(self._running.values())
        if first:
            end(running, seconds)
            self._stopped.set()
        self._stopped.wait()

    def kill(self) -> None:
        """Kill what still runs."""
        for process in list(self._running.values()):
            _signal(process, signal.SIGKILL)


class _LastLine:
    """Reads a job's output, so that the job never blocks on a full pipe, and remembers the last line."""

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
        self._thread.join(2.0)
        return self._line


def end(processes: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
    """Ask process groups to end; kill those still running after `seconds`."""
    for process in processes:
        _signal(process, signal.SIGTERM)
    until = time.monotonic() + seconds
    for process in processes:
        if not _ended(process, max(0.0, until - time.monotonic())):
            log.error("job killed pid=%d", process.pid)
            _signal(process, signal.SIGKILL)
            process.wait()
        # Processes that the job left behind in its group end with it.
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

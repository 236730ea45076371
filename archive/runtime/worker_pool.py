"""Work on untrusted input - extraction, parsing - in processes of its own, with a deadline and a memory limit.

One executor for each process, and one task at a time in it: a page that hangs, swells or crashes its parser ends that
process and no other, and the page at fault is known.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

from archive.errors import TaskError

_TASKS_PER_PROCESS = 2_000
"""Tasks after which a process is replaced, so that no leak in a parser grows for long."""
_MESSAGE_LENGTH = 300
_END_SECONDS = 2.0
"""How long the end of a process that broke down is awaited, for its exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one task may use."""

    seconds: float
    """Wall time."""
    megabytes: int
    """Address space of the process."""
    seconds_setting: str = ""
    """Name of the setting that `seconds` comes from, for messages."""
    megabytes_setting: str = ""
    """Name of the setting that `megabytes` comes from."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """The error of a task, in words: not every exception can be passed between processes."""

    message: str
    lacks_memory: bool = False


@dataclass(slots=True)
class _Task:
    function: Callable[..., Any]
    arguments: dict[str, Any]
    seconds: float
    setting: str
    future: Future[Any] = field(default_factory=Future)


def prepare(preload: Sequence[str]) -> None:
    """Let new processes begin to load modules now, beside what this process does; else they do with the first task.

    Args:
        preload: As for `WorkerPool`, of the first one in this process.

    Raises:
        OSError: No process could be started.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(preload))
    _start_server()


class WorkerPool:
    """Runs functions on values in the background. Only one thread may call `submit`; another completes the futures."""

    def __init__(self, *, workers: int, limits: Limits, preload: Sequence[str]) -> None:
        """No process starts before the first task.

        Args:
            workers: Number of processes.
            limits: Of each task.
            preload: Modules that a new process has imported already.
        """
        self._limits = limits
        self._waiting: deque[_Task] = deque()
        self._idle = [_Worker(limits, preload) for _ in range(workers)]
        self._busy: set[_Worker] = set()
        self._closed = False
        self._lock = threading.Lock()

    def submit(
        self,
        function: Callable[..., Any],
        *,
        deadline_seconds: float | None = None,
        deadline_setting: str = "",
        **arguments: Any,  # noqa: ANN401  any pure function
    ) -> Future[Any]:
        """Call a module's function in a process; the function and its arguments must be picklable.

        The future fails with TaskError if the function raises, crashes its process, or exceeds a limit.

        Args:
            function: What to call.
            deadline_seconds: Wall time of this task; None: as in the limits.
            deadline_setting: Name of the setting that it comes from.
            arguments: Keyword arguments of the function.
        """
        setting = deadline_setting if deadline_seconds else self._limits.seconds_setting
        task = _Task(function, arguments, deadline_seconds or self._limits.seconds, setting)
        with self._lock:
            if self._closed:
                _cancel(task)
                return task.future
            self._waiting.append(task)
        self._next()
        return task.future

    def close(self) -> None:
        """End all processes, even during a task; tasks that wait or run are cancelled or fail."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = list(self._waiting), deque()
            workers = [*self._idle, *self._busy]
        for task in waiting:
            _cancel(task)
        for worker in workers:
            worker.close()

    def _next(self) -> None:
        with self._lock:
            if not self._waiting or not self._idle or self._closed:
                return
            worker = self._idle.pop()
            self._busy.add(worker)
            task = self._waiting.popleft()
        worker.run(task, lambda result: self._done(worker, task, result))

    def _done(self, worker: _Worker, task: _Task, result: Future[Any]) -> None:
        ended = worker.ended
        with self._lock:
            self._busy.discard(worker)
            self._idle.append(worker)
        try:
            value = result.result()
        except CancelledError:
            value = _Failed("was cancelled")
        except BrokenProcessPool:
            if ended == -signal.SIGALRM:
                value = _Failed(_passed(f"{task.seconds:g} s", task.setting))
            else:
                value = _Failed(f"crashed its process{_how(ended)}")
        except OSError as e:
            value = _Failed(f"no process could be started: {e}")
        if isinstance(value, _Failed) and value.lacks_memory:
            value = _Failed(_passed(f"{self._limits.megabytes} MB", self._limits.megabytes_setting))
        if isinstance(value, _Failed):
            task.future.set_exception(TaskError(value.message))
        else:
            task.future.set_result(value)
        self._next()


def _passed(limit: str, setting: str) -> str:
    return f"passed {limit} ({setting})" if setting else f"passed {limit}"


def _how(code: int | None) -> str:
    """How a process ended, as far as that is known."""
    if code is None:
        return ""
    return f" (signal {-code})" if code < 0 else f" (exit code {code})"


def _cancel(task: _Task) -> None:
    task.future.cancel()
    task.future.set_running_or_notify_cancel()


def _failed(error: Exception) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


class _Worker:
    """One process at a time, replaced when it crashes or has run many tasks."""

    def __init__(self, limits: Limits, preload: Sequence[str]) -> None:
        self._limits = limits
        self._preload = list(preload)
        self._executor: ProcessPoolExecutor | None = None
        self._process: BaseProcess | None = None
        self.ended: int | None = None
        """Exit code of the process that the latest task ended, negative for a signal; None if it did not end it."""

    def run(self, task: _Task, done: Callable[[Future[Any]], None]) -> None:
        try:
            future = self._submit(task)
        except BrokenProcessPool:  # its process ended while it was idle
            self._executor = None
            future = self._submit_or_fail(task)
        except OSError as e:
            future = _failed(e)
        future.add_done_callback(lambda result: self._after(result, done))

    def _submit_or_fail(self, task: _Task) -> Future[Any]:
        try:
            return self._submit(task)
        except (BrokenProcessPool, OSError) as e:
            return _failed(e)

    def _submit(self, task: _Task) -> Future[Any]:
        if self._executor is None:
            context = multiprocessing.get_context("forkserver")
            prepare(self._preload)
            self._executor = ProcessPoolExecutor(
                1, context, initializer=_start, initargs=(self._limits,), max_tasks_per_child=_TASKS_PER_PROCESS
            )
        future = self._executor.submit(_run, task.seconds, task.function, task.arguments)
        processes = list((self._executor._processes or {}).values())  # noqa: SLF001  has no public name before 3.14
        self._process = processes[-1] if processes else None
        return future

    def close(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            for process in list((executor._processes or {}).values()):  # noqa: SLF001  has no public name before 3.14
                process.kill()
            executor.shutdown(wait=True, cancel_futures=True)

    def _after(self, result: Future[Any], done: Callable[[Future[Any]], None]) -> None:
        self.ended = None
        if not result.cancelled() and isinstance(result.exception(), BrokenProcessPool):
            self._executor = None  # it shuts itself down; the next task gets a new one
            if self._process is not None:
                self._process.join(_END_SECONDS)
                self.ended = self._process.exitcode
        done(result)


def _start_server() -> None:
    """Start the server that processes are forked from, ignoring SIGTERM.

    A supervisor sends TERM to a whole group, and a crawl that shuts down still needs new processes then. An ignored
    signal stays ignored across exec, and the server ends with its parent by itself.
    """
    if threading.current_thread() is not threading.main_thread():
        forkserver.ensure_running()  # only the main thread may change a signal's action
        return
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGTERM, before)


def _start(limits: Limits) -> None:
    """In the process: set limits, and end when the parent process ends."""
    size = limits.megabytes << 20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Ctrl-C and a supervisor's TERM are for the crawl, which shuts this process down.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _run(seconds: float, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:  # noqa: ANN401  the task's
    """In the process: run one task. The alarm's default action ends the process, even within C code."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return function(**arguments)
    except MemoryError:
        return _Failed("", lacks_memory=True)
    except Exception as e:  # noqa: BLE001  whatever a parser raises costs this task and nothing else
        said = str(e) if type(e).__module__.split(".")[0] in {"archive", "crawler"} else f"{type(e).__name__}: {e}"
        return _Failed(said[:_MESSAGE_LENGTH])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)

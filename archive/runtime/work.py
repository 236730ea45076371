"""Where work on archived bytes is done: in this process, or in worker processes under limits.

Code that works on such bytes takes a `Work` and passes it the function: a command does it here, the web app elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Protocol, TypeVar

from archive.errors import WorkersBusyError
from archive.runtime.worker_pool import Limits, WorkerPool

T = TypeVar("T")


class Work(Protocol):
    """Calls a module's function on values and returns its result; both must be picklable."""

    def __call__(self, function: Callable[..., T], **arguments: Any) -> T:  # noqa: ANN401  any pure function
        """Call it.

        Raises:
            TaskError: It failed, crashed, or passed a limit.
            WorkersBusyError: Too much work is waiting.
        """


def here(function: Callable[..., T], **arguments: Any) -> T:  # noqa: ANN401  any pure function
    """A `Work` in this process, without limits; what the function raises is raised."""
    return function(**arguments)


class Workers:
    """A `Work` in worker processes: a page that hangs, swells or crashes its parser costs one request."""

    def __init__(self, *, processes: int, limits: Limits, most: int, preload: Sequence[str]) -> None:
        """No process starts before the first task.

        Args:
            processes: Number of worker processes.
            limits: Of each task.
            most: Tasks that may run and wait at the same time; each occupies a thread of its caller.
            preload: Modules that a new process has imported already.
        """
        self._pool = WorkerPool(workers=processes, limits=limits, preload=preload)
        self._most = most
        self._given = 0
        self._lock = Lock()

    def __call__(self, function: Callable[..., T], **arguments: Any) -> T:  # noqa: ANN401  any pure function
        """See `Work`."""
        with self._lock:
            if self._given >= self._most:
                raise WorkersBusyError("all worker processes are busy")
            self._given += 1
            future = self._pool.submit(function, **arguments)
        try:
            return future.result()  # type: ignore[no-any-return]  # what the function returns
        finally:
            with self._lock:
                self._given -= 1

    def close(self) -> None:
        """End the processes; what runs or waits fails."""
        self._pool.close()

"""The end of a process: it comes in time, whatever hangs.

Whatever must be kept is durable before it counts, so a process may be left at any point: it loses no more than if it
were killed there.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from time import monotonic
from typing import NoReturn, TypeVar

from archive.errors import ArchiveError
from archive.runtime.console import Exit

_FLUSH_SECONDS = 1.0

T = TypeVar("T")


class Ending:
    """The end that a process was asked for.

    Args:
        seconds: After which the process is left, if it has not ended by itself.
        left: What that means, for whoever asked.
        before: Called just before.
    """

    def __init__(self, seconds: float, *, left: str, before: Callable[[], None] = lambda: None) -> None:
        self._seconds = seconds
        self._left = left
        self._before = before
        self._asked: float | None = None
        self._over = threading.Event()

    def ask(self) -> None:
        """Begin to count; safe in a signal handler, and without effect if that has happened before."""
        if self._asked is None:
            self._asked = monotonic()
            threading.Thread(target=self._leave, daemon=True).start()

    def cancel(self) -> None:
        """The process has nothing left that could hang."""
        self._over.set()

    @property
    def left_seconds(self) -> float:
        """Seconds until the process is left; infinity if nobody has asked for its end."""
        return float("inf") if self._asked is None else self._seconds - (monotonic() - self._asked)

    def _leave(self) -> None:
        if not self._over.wait(self._seconds):
            told = f"pressmark: did not end within {self._seconds:g} s after it was asked to: {self._left}\n"
            os.write(2, told.encode())  # the thread that hangs may hold the lock of sys.stderr
            self._before()
            leave(Exit.FAILED)


def leave_after(seconds: float, code: int) -> None:
    """Leave the process with an exit code if it has not ended by then: threads that hang would keep it for good."""

    def wait() -> None:
        threading.Event().wait(seconds)
        leave(code)

    threading.Thread(target=wait, daemon=True).start()


def leave(code: int) -> NoReturn:
    """End the process now, without waiting for its threads."""
    flushing = threading.Thread(target=_flush, daemon=True)  # a thread that hangs may hold the locks of these
    flushing.start()
    flushing.join(_FLUSH_SECONDS)
    os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the reader has gone
            continue


def within(seconds: float, function: Callable[[], T], *, what: str, hint: str) -> T:
    """Call a function in a thread, which is abandoned if it takes too long.

    Raises:
        ArchiveError: It did.
        BaseException: Whatever the function raises.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def call() -> None:
        try:
            results.append(function())
        except BaseException as e:  # noqa: BLE001  it is raised in the thread that waits
            errors.append(e)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if errors:
        raise errors[0]
    if not results:
        raise ArchiveError(f"{what} did not end within {seconds:.0f} s", hint=hint)
    return results[0]

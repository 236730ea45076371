"""How much of its time a run has used, so that it ends by itself, with what it has begun, before its deadline."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic

_TAKES_WORK = 0.75
"""Share of its time for which a run takes new work."""
_WAITS = 0.9
"""Share of its time after which it abandons what still hangs; the rest is for storing what it has."""
_START_TIME = 19
"""Field `starttime` of /proc/PID/stat, counted from the one after the command's name (proc(5))."""


class RunTime:
    """The time that a run has.

    Args:
        seconds: From the start of its process until its deadline; None: it has none.
        clock: Seconds that pass.
        used: Seconds that the process has run already.
    """

    def __init__(
        self, seconds: float | None, clock: Callable[[], float] = monotonic, used: float | None = None
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._began = clock() - (process_seconds() if used is None else used)

    @property
    def is_ending(self) -> bool:
        """Whether the run takes no new work any more; what has begun goes on."""
        return self._used() >= _TAKES_WORK

    @property
    def is_short(self) -> bool:
        """Whether the run waits no longer for what it has begun."""
        return self._used() >= _WAITS

    @property
    def left_seconds(self) -> float:
        """Seconds until the deadline; infinity if there is none."""
        return float("inf") if self._seconds is None else self._seconds - (self._clock() - self._began)

    def _used(self) -> float:
        return 0.0 if self._seconds is None else (self._clock() - self._began) / self._seconds


def process_seconds() -> float:
    """Seconds since this process was started, some of them spent on loading; 0 if the system cannot say."""
    try:
        began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_START_TIME])
        since_boot = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0
    return max(0.0, since_boot - began / os.sysconf("SC_CLK_TCK"))

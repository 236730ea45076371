"""Runs a command and prints as JSON what it and all processes that came of it have used.

    python bench/measured.py COMMAND …

A process that ends is counted by whoever waits for it, and worker processes outlive their parents. So this process
adopts what is orphaned below it (PR_SET_CHILD_SUBREAPER, Linux) and waits for all of them: the CPU time is exact. Memory
is the highest sum of the processes' proportional shares (PSS), which count what they share once, sampled.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_SUBREAPER = 36
_PARENT_DEATH_SIGNAL = 1
_SAMPLE_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a command and its processes used."""

    seconds: float
    """Until the command itself had ended."""
    cpu_seconds: float
    """User and system time of all processes."""
    own_cpu_seconds: float
    """That of the command's own process and of those that it waited for: without worker processes that a server forked."""
    peak_megabytes: float
    began: float
    """Seconds since 1970."""
    code: int
    out: str
    errors: str

    @property
    def ended(self) -> float:
        """When the command had ended; seconds since 1970."""
        return self.began + self.seconds


def measured(argv: list[str], environment: dict[str, str], folder: Path, *, seconds: float = 3_600) -> Used:
    """Run a command under this script, in a folder."""
    own = [sys.executable, str(Path(__file__).resolve()), *argv]
    done = subprocess.run(
        own, env={**os.environ, **environment}, cwd=folder, stdout=subprocess.PIPE, check=True, timeout=seconds
    )
    return Used(**json.loads(done.stdout))


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = tasks.read_text().split()
        except OSError:
            continue  # it ended meanwhile
        for child in children:
            yield from family(int(child))


def share(pid: int) -> int:
    """Bytes that a process holds; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _end(*_: object) -> None:
    for pid in list(family(os.getpid()))[1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os._exit(1)


def main() -> None:
    prctl = ctypes.CDLL(None).prctl
    prctl(_SUBREAPER, 1, 0, 0, 0)
    prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)  # nothing outlives whoever measures
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    peak, over = 0, threading.Event()

    def sample() -> None:
        nonlocal peak
        while not over.wait(_SAMPLE_SECONDS):
            peak = max(peak, sum(share(pid) for pid in family(os.getpid())) - share(os.getpid()))

    sampler = threading.Thread(target=sample)
    sampler.start()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        began, clock = time.time(), time.monotonic()
        process = subprocess.Popen(sys.argv[1:], stdout=out, stderr=errors)
        _, status, own = os.wait4(process.pid, 0)
        seconds = time.monotonic() - clock
        while True:
            try:
                os.wait()
            except ChildProcessError:
                break
        over.set()
        sampler.join()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = []
        for file in (out, errors):
            file.seek(0)
            said.append(file.read().decode("utf-8", "replace"))
    found = Used(
        seconds=seconds, cpu_seconds=used.ru_utime + used.ru_stime, peak_megabytes=peak / 1e6,
        own_cpu_seconds=own.ru_utime + own.ru_stime,
        began=began, code=os.waitstatus_to_exitcode(status), out=said[0], errors=said[1],
    )  # fmt: skip
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()

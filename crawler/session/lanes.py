"""Locks: one run of each lane at a time on a home folder; and the name under which it claims hosts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from archive.runtime.durable import spool_errors
from archive.runtime.file_lock import exclusive

CRAWL, RECHECK, BACKFILL, NAMED = "", "recheck", "backfill", "named"
LANES = (CRAWL, RECHECK, BACKFILL, NAMED)
"""Kinds of runs that may run concurrently, each with its own part of the spool; claims divide the hosts."""


def only_run(home: Path, lane: str = CRAWL, *, wait_seconds: float) -> AbstractContextManager[None]:
    """Hold the lock of a lane of a home folder; raises like `exclusive`."""
    name = lane or "crawl"
    return exclusive(home / f"{name}.lock", what=name, wait_seconds=wait_seconds)


@contextmanager
def no_run(home: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the locks of all lanes; raises like `exclusive`."""
    with ExitStack() as held:
        for lane in LANES:
            held.enter_context(only_run(home, lane, wait_seconds=wait_seconds))
        yield


def holder(home: Path, lane: str) -> str:
    """The name under which a lane of this home folder claims hosts: the same after a crash.

    Raises:
        SpoolError: The folder is not writable.
    """
    path = home / "worker"
    with spool_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x") as out:
                out.write(secrets.token_hex(8) + "\n")
        except FileExistsError:
            pass  # an earlier run has chosen it
        return f"{path.read_text().strip()}/{lane or 'crawl'}"

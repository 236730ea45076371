"""Locks: one run of each lane at a time on a home folder; and the name under which it claims hosts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from archive.runtime.file_lock import exclusive
from crawler.session.machine_name import machine_name

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
    return f"{machine_name(home)}/{lane or 'crawl'}"

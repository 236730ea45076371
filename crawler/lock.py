"""One crawl at a time on one spool: a lock file that the system frees however its holder ends."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.errors import SpoolError
from crawler.errors import UsageError

_POLL_SECONDS = 0.2


class CrawlRunningError(UsageError):
    """Another crawl holds the lock."""


@contextmanager
def only_crawl(home: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of a home folder.

    Raises:
        CrawlRunningError: Another crawl did not end in time.
        SpoolError: The folder cannot be written.
    """
    path = home / "crawl.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as e:
        raise SpoolError(
            e.strerror or str(e), path=str(home), hint="Make the folder writable, or set PRESSMARK_HOME to another."
        ) from e
    try:
        _take(handle, time.monotonic() + wait_seconds)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    except OSError as e:
        if e.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
            raise
        raise SpoolError(e.strerror or str(e), path=str(home), hint="Free some space there.") from e
    finally:
        os.close(handle)


def _take(handle: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "?"
                raise CrawlRunningError(
                    f"another crawl is running (process {holder})", hint="Wait until it has ended."
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            return

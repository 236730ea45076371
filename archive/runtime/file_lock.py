"""One process at a time for one thing: a lock file that the system releases however its holder ends."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.errors import LockedError, SpoolError
from archive.runtime.durable import OWNER_ONLY, private_folder, spool_errors

_POLL_SECONDS = 0.2


@contextmanager
def exclusive(path: Path, *, what: str, wait_seconds: float = 0) -> Iterator[None]:
    """Hold a lock.

    Args:
        path: The lock file; made if need be.
        what: What runs under the lock, for the message.
        wait_seconds: How long to wait for another holder.

    Raises:
        LockedError: Another process holds it and did not end in time.
        SpoolError: The file cannot be written.
    """
    with spool_errors(path.parent):
        private_folder(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
    try:
        _take(handle, what, time.monotonic() + wait_seconds)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    except OSError as e:
        if e.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
            raise
        raise SpoolError(e.strerror or str(e), path=str(path.parent), hint="Free some space there.") from e
    finally:
        os.close(handle)


def _take(handle: int, what: str, until: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "?"
                raise LockedError(
                    f"another {what} is running (process {holder})", hint="Wait until it has ended."
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            return

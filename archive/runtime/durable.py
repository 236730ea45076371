"""Making names durable on a POSIX file system."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.errors import SpoolError, SpoolFullError

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of the system when a disk, a quota or a file is full."""


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable; syncing a file does not do that."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def spool_errors(folder: Path) -> Iterator[None]:
    """Turn errors of the file system in the spool into SpoolError."""
    try:
        yield
    except OSError as e:
        full = e.errno in NO_ROOM
        raise (SpoolFullError if full else SpoolError)(
            e.strerror or str(e),
            path=str(folder),
            hint="Free some space there." if full else "Make the folder writable, or set PRESSMARK_HOME to another.",
        ) from e

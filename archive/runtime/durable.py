"""Making names durable on a POSIX file system."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from archive.errors import SpoolError, SpoolFullError

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of the system when a disk, a quota or a file is full."""
OWNER_ONLY = 0o600
_OWNER_ONLY_FOLDER = 0o700
_OTHERS = 0o077


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable; syncing a file does not do that."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter. One that exists stays as it is: it may have other purposes.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(mode=_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)


def clean(folder: Path, pattern: str, before: datetime) -> int:
    """Delete the files of a folder that match a pattern and were last written before an instant; returns how many.

    Raises:
        SpoolError: The folder is not writable.
    """
    removed = 0
    with spool_errors(folder):
        for path in folder.glob(pattern):
            with suppress(FileNotFoundError):  # whoever made it has removed it
                if path.is_file() and path.lstat().st_mtime < before.timestamp():
                    path.unlink()
                    removed += 1
    return removed


def opened_private(path: str, flags: int) -> int:
    """An `opener` for `open` that lets only the owner read a new file."""
    return os.open(path, flags | os.O_CLOEXEC, OWNER_ONLY)


def close_to_others(paths: Iterable[Path]) -> None:
    """Take from others what earlier versions let them read of our own files.

    Raises:
        OSError: A file cannot be changed.
    """
    for path in paths:
        with suppress(FileNotFoundError):  # committed and deleted meanwhile
            found = path.lstat()
            if stat.S_ISREG(found.st_mode) and found.st_mode & _OTHERS and found.st_uid == os.geteuid():
                path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)


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

"""A folder that gets its name only once everything in it is written."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.errors import LockedError
from archive.runtime.durable import sync_folder

_PART = ".pressmark-part"


@contextmanager
def folder_in_place(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which is moved to its name when all went well; after a failure it is removed.

    What a killed process left is removed by the next one that makes the same folder. A folder of that name stays as it
    is until then, and must be empty.

    Raises:
        LockedError: Another process is making it.
        OSError: It cannot be written, or a folder of that name is not empty.
    """
    target = folder.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as e:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target.parent)) from e
    part = target.with_name(f".{target.name}{_PART}")
    part.mkdir(exist_ok=True)
    handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _take(handle, part, folder)
        try:
            _empty(part)
            yield part
            os.sync()
            part.rename(target)
            sync_folder(target.parent)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    finally:
        os.close(handle)


def is_free(folder: Path) -> bool:
    """Whether nothing has that name, or an empty folder.

    Raises:
        OSError: It cannot be looked at.
    """
    return not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir()))


def _take(handle: int, part: Path, folder: Path) -> None:
    """Hold the folder's lock, which the system releases however this process ends."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.path.samestat(os.fstat(handle), part.stat())  # not moved by who held it before
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if not ours:
        raise LockedError(f"{folder}: another process is writing it", hint="Wait until it has ended.")


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

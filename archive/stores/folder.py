"""Objects as files in one folder tree."""

from __future__ import annotations

import errno
import filecmp
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from archive.errors import (
    ObjectMissingError,
    StoreBusyError,
    StoreError,
    StoreRefusedError,
)
from archive.runtime.durable import NO_ROOM, sync_folder
from archive.stores.protocol import checked_key, is_key, other_bytes

_UNFINISHED = ".tmp-"


class FolderStore:
    """An `ObjectStore` in a folder: files are written aside, synced, then linked, so no name is ever half a file."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.location = f"file:{self.root}"

    def put(self, key: str, source: bytes | Path) -> None:
        """See `ObjectStore`."""
        final = self.root / checked_key(key)
        with self._errors(key):
            self._make_folder(final.parent)
            handle, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=final.parent)
            aside = Path(name)
            try:
                with os.fdopen(handle, "wb") as out:
                    if isinstance(source, Path):
                        with source.open("rb") as data:
                            shutil.copyfileobj(data, out, 1 << 20)
                    else:
                        out.write(source)
                    out.flush()
                    os.fsync(out.fileno())
                try:
                    final.hardlink_to(aside)
                except FileExistsError:
                    if not filecmp.cmp(aside, final, shallow=False):
                        raise other_bytes(self.location, key, held=_sha256(final), given=_sha256(aside)) from None
            finally:
                aside.unlink(missing_ok=True)
            sync_folder(final.parent)

    def delete(self, key: str) -> None:
        """See `ObjectStore`; its folder stays, because somebody else may be putting an object there."""
        path = self.root / checked_key(key)
        with self._errors(key):
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError):
                return
            sync_folder(path.parent)

    def clean(self, before: datetime) -> int:
        """See `ObjectStore`."""
        removed = 0
        with self._errors():
            for path in self.root.rglob(f"{_UNFINISHED}*"):
                with suppress(FileNotFoundError):  # it is finished, or somebody else cleans
                    if path.lstat().st_mtime < before.timestamp():
                        path.unlink()
                        removed += 1
        return removed

    def read(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """See `ObjectStore`."""
        with self._errors(key), (self.root / checked_key(key)).open("rb") as data:
            data.seek(offset)
            return data.read() if length is None else data.read(length)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore`."""
        with self._errors():
            # The walk begins at the folder that the prefix names.
            begin = self.root / prefix.rpartition("/")[0]
            found = sorted(path.relative_to(self.root).as_posix() for path in begin.rglob("*") if path.is_file())
        # What others left there (.DS_Store, our own unfinished files) is not an object.
        return (key for key in found if key.startswith(prefix) and is_key(key))

    def size(self, key: str) -> int:
        """See `ObjectStore`."""
        with self._errors(key):
            return (self.root / checked_key(key)).stat().st_size

    def check(self) -> None:
        """See `ObjectStore`."""
        with self._errors():
            self._make_folder(self.root)
            with tempfile.TemporaryFile(prefix=_UNFINISHED, dir=self.root) as probe:
                probe.write(b"\0" * 4096)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and sync each parent that got a new name in it."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)

    @contextmanager
    def _errors(self, key: str | None = None) -> Iterator[None]:
        """Turn errors of the file system into errors of the store."""
        try:
            yield
        except FileNotFoundError:
            raise ObjectMissingError("no such object", location=self.location, key=key) from None
        except OSError as e:
            text = e.strerror or str(e)
            if e.errno in NO_ROOM:
                raise StoreBusyError(text, location=self.location, key=key, hint="Free some space there.") from e
            if e.errno == errno.EIO:
                raise StoreError(text, location=self.location, key=key, hint="Check the disk.") from e
            if e.errno in {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EBUSY}:
                raise StoreBusyError(text, location=self.location, key=key) from e
            raise StoreRefusedError(
                text,
                location=self.location,
                key=key,
                hint="Make the folder writable, or set PRESSMARK_STORE to another place.",
            ) from e


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()

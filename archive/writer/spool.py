"""Files of the local spool: written in complete pieces, then synced and given their final name."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

from archive.errors import SpoolError, SpoolFullError
from archive.runtime.durable import opened_private, private_folder, spool_errors, sync_folder

OPEN = ".open"


class SpoolFile:
    """One growing file: created with its first piece, named `….open` until it is sealed."""

    def __init__(self, final: Path) -> None:
        self.final = final
        self.length = 0
        self._open = final.with_name(final.name + OPEN)
        self._out: FileIO | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was written."""
        return not self.length

    def append(self, data: bytes) -> None:
        """Write all of `data` or nothing; the system has it once this returns, so a killed process loses none of it.

        Raises:
            SpoolFullError: There is no room; the file is unchanged.
            SpoolError: The file must not be used any more.
        """
        with spool_errors(self.final.parent):
            if self._out is None:
                private_folder(self._open.parent)
                self._out = FileIO(str(self._open), "xb", opener=opened_private)
            try:
                left = memoryview(data)
                while left:
                    left = left[self._out.write(left) :]
            except OSError:
                os.ftruncate(self._out.fileno(), self.length)
                self._out.seek(self.length)
                raise
        self.length += len(data)

    def seal(self) -> Path:
        """Sync, rename, sync the folder; returns the final name.

        Raises:
            SpoolError: The state of the disk is unknown: nothing of this file may be acknowledged, and syncing it
                again would prove nothing.
        """
        assert self._out is not None, "something was written"
        try:
            with spool_errors(self.final.parent):
                os.fsync(self._out.fileno())
                self._out.close()
                self._open.rename(self.final)
                sync_folder(self.final.parent)
        except SpoolFullError as e:
            raise SpoolError(e.message, path=e.path, hint=e.hint) from e
        return self.final

    def close(self) -> None:
        """Close without sealing; the file stays as it is."""
        if self._out is not None:
            with spool_errors(self.final.parent):
                self._out.close()

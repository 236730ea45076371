"""A batch that is replaced when it is full, for code that fills many batches one after the other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from archive.writer.batch import Batch, Origin
from archive.writer.committer import Writer


class RollingBatch:
    """Begins a batch when there is something to write, commits it when it is large or old enough."""

    def __init__(
        self,
        writer: Writer,
        *,
        maker: str,
        origin: Origin,
        now: Callable[[], datetime],
        most_bytes: float,
        longest: timedelta | None = None,
    ) -> None:
        """Nothing is written yet.

        Args:
            writer: Commits the batches.
            maker: First word of the batches' names.
            origin: Who makes them.
            now: The clock; aware, UTC.
            most_bytes: Size on disk at which a batch is committed.
            longest: Age at which a batch is committed; None: at any age.
        """
        self._writer = writer
        self._maker = maker
        self._origin = origin
        self._now = now
        self._most_bytes = most_bytes
        self._longest = longest
        self._batch: Batch | None = None

    def growing(self) -> Batch:
        """The batch to write into; do not use it after the next `commit_if_due`."""
        if self._batch is None:
            self._batch = self._writer.batch(now=self._now(), maker=self._maker, origin=self._origin)
        return self._batch

    def commit_if_due(self) -> None:
        """Commit the batch if it is large or old enough.

        Raises:
            ArchiveError: Spool, store or database failed.
        """
        batch = self._batch
        if batch is None:
            return
        # Also after the clock was set back: the batch would then never grow old.
        old = self._longest is not None and abs(self._now() - batch.began) >= self._longest
        if old or batch.bytes >= self._most_bytes:
            self.commit()

    def commit(self) -> None:
        """Commit the batch, if there is one.

        Raises:
            ArchiveError: Spool, store or database failed.
        """
        if self._batch is not None:
            self._writer.commit_and_release(self._batch.seal())
            self._batch = None

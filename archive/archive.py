"""The archive: reader and writer over one object store and one index."""

from __future__ import annotations

import platform
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from archive.index.index import Index
from archive.index.writing import IndexWriter
from archive.reader.reader import Reader
from archive.reader.vanished import Ledger
from archive.runtime.database import connect
from archive.runtime.durable import close_to_others, private_folder, spool_errors
from archive.settings import ArchiveSettings
from archive.stores import ObjectStore, open_store

if TYPE_CHECKING:
    from archive.writer.committer import Writer


_PRIVATE = ("pressmark.db*", "worker", "*.lock", "spool/**/*")
"""Files in a home folder that nobody else reads; earlier versions did not see to that."""


class Archive(Reader):
    """A `Reader` with the `Writer` that adds to the same store and index.

    Code that only reads takes a `Reader`, so that it cannot write.
    """

    store: ObjectStore

    def __init__(
        self, settings: ArchiveSettings, store: ObjectStore, index: Index, lane: str = "", ledger: Ledger | None = None
    ) -> None:
        super().__init__(store, index, ledger=ledger, restless_visits=settings.restless_visits)
        self.settings = settings
        self._lane = lane

    @cached_property
    def writer(self) -> Writer:
        """Adds to the archive; made when it is first used, because commands that only read start faster without it."""
        from archive.writer.committer import Writer
        from archive.writer.object_log import ObjectLog

        log = ObjectLog(
            self.store,
            self.index,
            self.settings.home,
            machine=platform.node(),
            now=lambda: datetime.now(UTC),
        )
        return Writer(self.store, IndexWriter(self.index), self.settings.spool / self._lane, log)

    @classmethod
    def open(
        cls, settings: ArchiveSettings, lane: str = "", ledger: Callable[[Index], Ledger] | None = None
    ) -> Archive:
        """Open store and database; creates or upgrades the database's tables.

        Args:
            settings: Where store and database are.
            lane: Subfolder of the spool for this process's batches; no other process may use it at the same time.
            ledger: Makes the ledger of vanished posts over the index's database; None: there is none.

        Raises:
            ArchiveError: One of them cannot be used; the message states which and what to do.
        """
        with spool_errors(settings.home):
            private_folder(settings.home)
            close_to_others(chain.from_iterable(settings.home.glob(pattern) for pattern in _PRIVATE))
        store = open_store(settings.store)
        index = Index(connect(settings.database))
        IndexWriter(index).prepare()
        return cls(settings, store, index, lane, ledger(index) if ledger else None)

    def check_store(self) -> None:
        """Make sure that the store is the one that the index describes, and accepts writes.

        Raises:
            StoreError: The store cannot be used, or lacks an object that the index knows.
        """
        super().check_store()
        self.store.check()

"""Health checks of the parts that daemon and web app need, with a timeout even if a part does not respond."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.writer import aside
from schedules.limits import HEALTH_SECONDS
from schedules.runs import Runs

_FRESH_SECONDS = 1.0
"""How long a result is reused, so that frequent requests do not cause extra work."""
_SILENT = f"does not answer within {HEALTH_SECONDS:g} s"


class Health:
    """Checks each part in a separate thread; calling it returns the failing parts and their errors."""

    def __init__(self, parts: Mapping[str, Callable[[], None]], *, seconds: float = HEALTH_SECONDS) -> None:
        """A part's check raises ArchiveError if the part fails."""
        self._parts = dict(parts)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._checks: dict[str, _Check] = {}

    def __call__(self) -> dict[str, str]:
        """The error of each failing part; empty if all is well."""
        with self._lock:
            for name, check in self._parts.items():
                before = self._checks.get(name)
                # A check that is still waiting is not started again.
                if before is None or (before.over.is_set() and monotonic() - before.ended > _FRESH_SECONDS):
                    self._checks[name] = _Check(check)
            checks = dict(self._checks)
        found = {}
        for name, look in checks.items():
            if not look.over.wait(max(0.0, look.began + self._seconds - monotonic())):
                found[name] = _SILENT
            elif look.wrong:
                found[name] = look.wrong
        return found


class _Check:
    """One check of a part."""

    def __init__(self, check: Callable[[], None]) -> None:
        self.began = self.ended = monotonic()
        self.over = threading.Event()
        self.wrong: str | None = None
        self._check = check
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._check()
        except ArchiveError as e:
            self.wrong = str(e)
        except Exception as e:  # noqa: BLE001  whatever it is, the part has failed
            self.wrong = f"{type(e).__name__}: {e}"
        finally:
            self.ended = monotonic()
            self.over.set()


def parts(archive: Archive, runs: Runs) -> dict[str, Callable[[], None]]:
    """Checks of database, store and disk, and whether any batch is set aside."""

    def database() -> None:
        path = archive.index.engine.url.database
        is_file = archive.index.engine.dialect.name == "sqlite" and path not in {None, "", ":memory:"}
        # SQLite keeps reading an open file even after it was deleted.
        if is_file and not Path(str(path)).exists():
            raise ArchiveError("the file is gone")
        runs.latest()

    def spool() -> None:
        if waiting := aside.found(archive.settings.spool):
            raise ArchiveError(aside.told(waiting))

    return {
        "database": database,
        "store": archive.check_store,
        "disk": archive.writer.check_spool,
        "spool": spool,
    }

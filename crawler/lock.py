"""One crawl at a time on one spool."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from archive.lock import exclusive


def only_crawl(home: Path, *, wait_seconds: float) -> AbstractContextManager[None]:
    """Hold the lock of a home folder; errors as of `exclusive`."""
    return exclusive(home / "crawl.lock", what="crawl", wait_seconds=wait_seconds)

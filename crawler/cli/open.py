"""Opens the frontier for commands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from archive.errors import ArchiveError

if TYPE_CHECKING:
    from crawler.frontier.frontier import Frontier


@contextmanager
def open_frontier() -> Iterator[Frontier]:
    """The frontier in the settings; its errors end the command with a one-line message."""
    from archive.cli import failed
    from archive.settings import ArchiveSettings, load
    from crawler.frontier.frontier import Frontier

    try:
        yield Frontier.open(load(ArchiveSettings).database)
    except ArchiveError as e:
        sys.exit(failed(e))

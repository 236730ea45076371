"""Entry point of the console script: SIGTERM is handled before anything is loaded."""

from __future__ import annotations

import os
import signal
import sys

_IN_ORDER = frozenset({"crawl", "backfill", "save", "recheck", "up", "serve"})
"""Commands that a supervisor stops; they install their own signal handlers once started."""


def main() -> None:
    """Run the command line."""
    if len(sys.argv) > 1 and sys.argv[1] in _IN_ORDER:
        # Nothing has begun yet, so there is nothing to clean up.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from schedules.cli import main as run

    run()

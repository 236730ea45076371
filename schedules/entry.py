"""Entry point of the console script: before anything is loaded, what must end in order can be told to end."""

from __future__ import annotations

import os
import signal
import sys

_IN_ORDER = frozenset({"crawl", "backfill", "up", "serve"})
"""Commands that a supervisor ends; they set their own handlers once they have begun."""


def main() -> None:
    """Run the command line."""
    if len(sys.argv) > 1 and sys.argv[1] in _IN_ORDER:
        # Nothing has begun, and what a run before left behind survives worse: there is nothing to be put in order.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from schedules.cli import main as run

    run()

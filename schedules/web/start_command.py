"""Starts commands for web requests, each as a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Lock

MAX_RUNNING = 4
"""Maximum number of commands started by requests that run at the same time."""


class CommandStarter:
    """Starts commands as if typed by a person, a few at a time."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []
        self._lock = Lock()

    def start(self, action: str, url: str) -> bool:
        """Start a command; False if too many are running."""
        with self._lock:
            self._running = [one for one in self._running if one.poll() is None]
            if len(self._running) >= MAX_RUNNING:
                return False
            argv = [sys.executable, "-m", "schedules", action, "--", url]
            self._running.append(
                subprocess.Popen(
                    argv,
                    env=dict(os.environ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
        return True

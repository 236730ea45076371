"""Console output shared by all commands: exit codes and error messages."""

from __future__ import annotations

import logging
import re
import sys
from enum import IntEnum

_SECRET = re.compile(r"(://)[^/@\s]*@")


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_ARCHIVED = 3
    DAMAGED = 4


def print_error(message: str, hint: str | None = None) -> None:
    """Print an error as one line on standard error, and a hint below it."""
    sys.stderr.write(f"pressmark: {printable(message)}\n")
    if hint:
        sys.stderr.write(f"  {printable(hint)}\n")


class OneLine(logging.LogRecord):
    """A log record whose message is one line without control characters, whatever it contains."""

    def getMessage(self) -> str:  # noqa: N802  logging's name
        """The message."""
        return printable(super().getMessage())


def masked(text: str) -> str:
    """Text with names and passwords in URLs removed."""
    return _SECRET.sub(r"\1[redacted]@", text)


def printable(text: str) -> str:
    """Text on one line without control characters, which could forge lines or drive a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)

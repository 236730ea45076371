"""Exponential back-off: the one curve that all retries follow. Pure, no I/O."""

from __future__ import annotations

from datetime import timedelta

_LONGEST_WAIT = timedelta(days=1)


def backoff(first: timedelta, failures: int) -> timedelta:
    """Exponential back-off: the wait after that many failures in a row, doubled with each, a day at most."""
    doubled: int = 2 ** min(failures - 1, 16)
    return min(first * doubled, max(first, _LONGEST_WAIT))

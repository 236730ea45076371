"""Exponential back-off: the one curve that all retries follow, and the first wait for each cause. Pure, no I/O."""

from __future__ import annotations

from datetime import timedelta

AFTER_ERROR = timedelta(minutes=10)
"""First wait after a page that could not be fetched."""
AFTER_TOO_MANY = timedelta(minutes=15)
"""How long a host is not requested after 429 Too Many Requests without Retry-After."""
AFTER_BUSY = timedelta(hours=1)
"""First wait after a page answered 429 or 503 without Retry-After."""
AFTER_SLOW = timedelta(minutes=10)
"""How long a host is not requested that has used up the time which a run waits for it."""
AFTER_HUB = timedelta(days=1)
"""Wait after a WebSub hub that did not verify a subscription; a day is the curve's longest wait, so it never grows."""
AFTER_DELIVERY = timedelta(minutes=1)
"""First wait after a change that could not be sent to a webhook or by mail."""

_LONGEST_WAIT = timedelta(days=1)


def backoff(first: timedelta, failures: int) -> timedelta:
    """Exponential back-off: the wait after that many failures in a row, doubled with each, at most a day.

    Args:
        first: Wait after the first failure; one that is longer than a day never grows.
        failures: At least 1.
    """
    doubled: int = 2 ** min(failures - 1, 16)
    return min(first * doubled, max(first, _LONGEST_WAIT))

"""What the status of an answer means for what is remembered. Pure, no I/O."""

from __future__ import annotations

from http import HTTPStatus

OK = HTTPStatus.OK
PARTIAL = HTTPStatus.IM_USED
"""A document with new entries alone (RFC 3229)."""
NOT_MODIFIED = HTTPStatus.NOT_MODIFIED
GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS})
BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def storable(status: int | None) -> int | None:
    """A status as it can be remembered; 0 where it has more than three digits."""
    return status if status is None or status < 1_000 else 0  # noqa: PLR2004  of three digits

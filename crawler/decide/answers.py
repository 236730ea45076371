"""Groups of HTTP status codes, by what they mean for a visit. Pure, no I/O."""

from __future__ import annotations

from http import HTTPStatus

OK = HTTPStatus.OK
PARTIAL = HTTPStatus.IM_USED
"""A document with only the new entries (RFC 3229 feed instance-manipulation)."""
NOT_MODIFIED = HTTPStatus.NOT_MODIFIED
GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS})
BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def storable(status: int | None) -> int | None:
    """A status as it can be stored; 0 where it has more than three digits."""
    return status if status is None or status < 1_000 else 0  # noqa: PLR2004  of three digits

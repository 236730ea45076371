"""What an error answer of an S3-compatible server means. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

Meaning = Literal["missing", "no bucket", "exists", "past the end", "busy", "clock", "token", "extension", "refused"]

KEYS_HINT = "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL."
TOKEN_HINT = "Renew the session's token; what was fetched waits in the spool."  # noqa: S105  a sentence
_CLOCK_HINT = "Set this machine's clock."
_SKEW = timedelta(minutes=5)
"""Signatures are good for fifteen minutes; a clock that is this far off is at least suspicious."""

_CODES: dict[str, Meaning] = {
    "NoSuchKey": "missing",
    "NotFound": "missing",
    "404": "missing",
    "NoSuchBucket": "no bucket",
    "PreconditionFailed": "exists",
    "412": "exists",
    "InvalidRange": "past the end",
    "416": "past the end",
    # The bytes did not arrive as sent.
    "BadDigest": "busy",
    "IncompleteBody": "busy",
    "InvalidPart": "busy",
    "RequestTimeout": "busy",
    "XAmzContentChecksumMismatch": "busy",
    "XAmzContentSHA256Mismatch": "busy",
    # A response was lost after the upload was completed or aborted: putting the object again finds out.
    "NoSuchUpload": "busy",
    "SlowDown": "busy",
    "RequestTimeTooSkewed": "clock",
    "RequestInTheFuture": "clock",
    "RequestExpired": "clock",
    "ExpiredToken": "token",
    "ExpiredTokenException": "token",
    "TokenRefreshRequired": "token",
    "InvalidToken": "token",
}
_STATUS: dict[int, Meaning] = {
    408: "busy",
    409: "busy",
    429: "busy",
    500: "busy",
    502: "busy",
    503: "busy",
    504: "busy",
}
_EXTENSION = frozenset({400, 405, 411, 501})
"""Status of servers that do not know, or do not like, a header or an element of ours."""
_DENIED = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error answer."""

    code: str
    status: int
    meaning: Meaning
    message: str
    hint: str | None

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later, once somebody has set a clock or renewed a token perhaps."""
        return self.meaning in {"busy", "clock", "token"}


def refusal(answer: Mapping[str, Any], *, now: datetime) -> Refusal:
    """What an error answer means.

    Args:
        answer: As botocore parses it.
        now: This machine's clock; aware.
    """
    said, about = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    code, status = str(said.get("Code", "")), int(about.get("HTTPStatusCode", 0))
    skew = _skew(about.get("HTTPHeaders", {}).get("date"), now)
    meaning = _CODES.get(code) or _STATUS.get(status) or ("extension" if status in _EXTENSION else "refused")
    # The answer to a HEAD request has no body that could say so.
    if meaning == "refused" and status == _DENIED and abs(skew) > _SKEW:
        meaning = "clock"
    return Refusal(
        code=code, status=status, meaning=meaning, message=str(said.get("Message") or code), hint=_hint(meaning, skew)
    )


def _hint(meaning: Meaning, skew: timedelta) -> str | None:
    if meaning == "clock":
        minutes = round(abs(skew).total_seconds() / 60)
        off = (
            f" It is {minutes} minutes {'ahead of' if skew > timedelta() else 'behind'} the store's." if minutes else ""
        )
        return _CLOCK_HINT + off
    if meaning == "token":
        return TOKEN_HINT
    return KEYS_HINT if meaning in {"refused", "extension"} else None


def _skew(date: str | None, now: datetime) -> timedelta:
    """How far this machine's clock is ahead of the server's."""
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return timedelta()
    return now - (there if there.tzinfo else there.replace(tzinfo=UTC))

"""Why a fetch failed, as a short message for people. No I/O."""

from __future__ import annotations

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from twisted.internet.error import ConnectError

from crawler.errors import CrawlError, PrivateAddressError, UselessError

FORBIDDEN = "forbidden by robots.txt"
_LENGTH = 200
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (DownloadConnectionRefusedError, "connection refused"),
    (DownloadTimeoutError, "no answer in time"),
    (ResponseDataLossError, "connection lost within the response"),
    (DownloadCancelledError, "larger than PRESSMARK_MAX_BYTES"),
    (UnsupportedURLSchemeError, "not an http or https address"),
)


def reason(error: BaseException) -> str:  # noqa: PLR0911  one line for each kind
    """One line about the exception that ended a download."""
    if isinstance(error, CrawlError):
        return error.reason
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    text = _line(error)
    if isinstance(error, CannotResolveHostError):
        return "host not found"
    if isinstance(error, DownloadFailedError):
        if "certificate" in text or "SSL" in text or "tls" in text.lower():
            return f"TLS failed: {text}"
        return f"connection lost: {text}"
    if isinstance(error, ConnectError):
        return f"cannot connect: {text}"
    if isinstance(error, IgnoreRequest):
        return text
    return f"{type(error).__name__}: {text}"


def lasts(error: BaseException) -> bool:
    """Whether a download fails in the same way each time: refused by robots.txt, too large, not a public host."""
    kinds = (
        CannotResolveHostError,
        DownloadCancelledError,
        PrivateAddressError,
        UnsupportedURLSchemeError,
        UselessError,
    )
    return isinstance(error, kinds) or reason(error) == FORBIDDEN


def _line(error: BaseException) -> str:
    """The error's text on one line, without control characters."""
    text = " ".join(str(error).split())
    return "".join(character for character in text if character.isprintable())[:_LENGTH]

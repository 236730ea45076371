"""A capture: one exchange with a server. Pure values, no I/O."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from archive.warc.http_message import header, headers, media_type

Truncation = Literal["length", "time", "disconnect", "unspecified"]

_STATUS = re.compile(rb"[0-9]{3}")


def digest(data: bytes) -> str:
    """`sha1:` and Base32, the form that CDX tools expect (WARC/1.1 §5.8)."""
    return written_sha1(hashlib.sha1(data).digest())  # noqa: S324  not for security


def written_sha1(sha1: bytes) -> str:
    """The 20 bytes of a SHA-1 in the form of `digest`."""
    number = int.from_bytes(sha1)
    return "sha1:" + "".join([_PAIRS[number >> place & 0x3FF] for place in _PLACES])


_PLACES = range(150, -1, -10)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = [one + other for one in _LETTERS for other in _LETTERS]
"""Two letters of Base32 (RFC 4648 §6) for each ten bits: ten times as fast as `base64`, and asked for every record."""


@dataclass(frozen=True, kw_only=True)
class Capture:
    """One request to a server and the response to it."""

    url: str
    """Target URI exactly as requested (URI-R); not normalised."""

    date: datetime
    """When the request was sent; aware, UTC, to the microsecond."""

    request: bytes
    """Request as sent: line, headers, empty line, body."""

    head: bytes
    """Status line and headers as received, through the empty line; interim (1xx) responses are left out."""

    body: bytes
    """Payload after transfer decoding, before content decoding."""

    seconds: float = 0.0
    """From sending the request to the last byte."""

    ip: str | None = None
    """Address of the server; None if unknown."""

    protocols: tuple[str, ...] = ("http/1.1",)
    """Protocol names as WARC-Protocol lists them."""

    cipher: str | None = None
    """Cipher suite under TLS, by its IANA name."""

    unverified: bool = False
    """Under TLS, the server's certificate was not verified, because the operator disabled that."""

    truncated: Truncation | None = None
    """Why `body` ends early; None if it is complete."""

    via: str | None = None
    """URL that led to this one; None for a seed."""

    validated_by: str | None = None
    """WARC-Record-ID of the response whose validators the request sent; None if it sent none, or of an unknown one."""

    hops: str = ""
    """How it was reached from a seed, one letter per hop: L link, R redirect, P prerequisite, E embedded."""

    @cached_property
    def status(self) -> int:
        """Status code; 0 if the status line has no three-digit code."""
        words = self.head.split(b"\n", 1)[0].split(None, 2)
        return int(words[1]) if len(words) > 1 and _STATUS.fullmatch(words[1]) else 0

    @cached_property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Response headers as `headers` reads them."""
        return headers(self.head)

    def header(self, name: str) -> str | None:
        """First value of a response header, whatever its case."""
        return header(self.head, name)

    @cached_property
    def mime(self) -> str:
        """Media type in lower case, without parameters; `unk` if the server states none."""
        return media_type(self.header("content-type"))

    @cached_property
    def payload_digest(self) -> str:
        """Digest of the entity body: transfer coding removed, content coding kept."""
        return digest(self.body)

"""The result of a request, as one frozen value. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from archive.index.schema import CaptureRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """An address that was left for another one on the way to the answer."""

    url: str
    how: str
    """Status of the redirect, such as "301"; "refresh" if a page declared one; "cookie" if it led back to an address
    that had been asked before, now with the cookies that the site had set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The final response to a request, after redirects, or a failure."""

    at: datetime
    """When the exchange began: the date of its capture. For a failed request, when it failed."""
    status: int | None = None
    """None if there was no response."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case, values of the same name joined. Without validators if the response is from another URL than
    the one requested (RFC 9110 §13.1), or was cut off."""
    body: bytes = b""
    """Payload without content coding; empty if there was no response."""
    asked: str = ""
    """URL that was requested."""
    url: str = ""
    """URL that answered, after redirects."""
    lasting_url: str = ""
    """Where permanent redirects led, up to the first temporary one; `asked` if there were none. A refresh that a page
    declares is temporary: HTML has no word for a permanent one."""
    hops: tuple[Hop, ...] = ()
    """Every address that was left on the way, in order, the one requested first; empty if that one answered."""
    row: CaptureRow | None = None
    """Its capture, if there is one."""
    repeats: bool = False
    """Whether an earlier capture of the URL that answered has the same payload."""
    validated: str | None = None
    """WARC-Record-ID of the response that its validators belong to: its own, or the one that a 304 confirms."""

    @property
    def truncated(self) -> bool:
        """Whether the response was cut off."""
        return self.row is not None and self.row.truncated is not None

    @property
    def redirected(self) -> bool:
        """Whether another URL answered."""
        return self.url != self.asked

    @property
    def moved_to(self) -> str | None:
        """Where permanent redirects led; None without any redirect."""
        return self.lasting_url if self.redirected else None

    @property
    def etag(self) -> str | None:
        """The entity tag, a validator, byte for byte as received."""
        return self.headers.get("etag")

    @property
    def last_modified(self) -> str | None:
        """The modification date, a validator, byte for byte as received."""
        return self.headers.get("last-modified")

    @property
    def content_type(self) -> str | None:
        """The Content-Type as the server states it."""
        return self.headers.get("content-type")

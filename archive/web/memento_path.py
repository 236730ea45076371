"""Paths under `/web/`: timestamps, modifiers, URLs; HTTP dates. Pure, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote, unquote

from archive.limits import URL_CHARACTERS
from archive.runtime.times import within

STAMP_DIGITS = 14
"""YYYYMMDDhhmmss."""
_DATED = re.compile(r"(\d{1,14})([a-z]{2}_)?/(.+)", re.DOTALL)
_ENCODED = re.compile(r"[a-z][a-z0-9+.-]*%3a", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):/{1,2}(?=[^/])", re.IGNORECASE)
_SAFE = "!#$%&'()*+,/:;=?@[]~"
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,255}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A URL with a timestamp."""

    stamp: str
    """As in the path: 1 to 14 digits."""
    modifier: str
    """`id_`, `if_` and so on; empty for the memento in its frame."""
    url: str

    @property
    def exact(self) -> bool:
        """Whether the timestamp is exact to the second."""
        return len(self.stamp) == STAMP_DIGITS and stamp_of(moment_of(self.stamp)) == self.stamp


def dated(rest: str) -> Dated | None:
    """Parse what follows `/web/`; None if it has no timestamp."""
    found = _DATED.fullmatch(rest)
    return Dated(stamp=found[1], modifier=found[2] or "", url=asked_url(found[3])) if found else None


def asked_url(written: str) -> str:
    """The URL in a path; merged slashes and a missing scheme are restored.

    Raises:
        ValueError: It is too long.
    """
    if len(written) > URL_CHARACTERS:
        raise ValueError(f"the URL is longer than {URL_CHARACTERS} characters")
    written = quote(written, safe=_SAFE)
    if _ENCODED.match(written):
        written = quote(unquote(written), safe=_SAFE)
    return _SCHEME.sub(r"\1://", written, count=1) if _SCHEME.match(written) else f"http://{written.lstrip('/')}"


def quoted(url: str) -> str:
    """A URL encoded for a path, or for a header between angle brackets."""
    return quote(url, safe=_SAFE)


def moment_of(stamp: str) -> datetime:
    """The last second that begins with these digits, as in the Wayback Machine.

    `2` is the end of time and so the newest memento, `1` the oldest one.
    """
    return within(stamp, end=True)


def stamp_of(moment: datetime) -> str:
    """14 digits."""
    return f"{moment.year:04}{moment:%m%d%H%M%S}"


def http_date(moment: datetime) -> str:
    """An HTTP date (RFC 9110 §5.6.7)."""
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


def read_http_date(text: str) -> datetime:
    """Parse an HTTP date, such as an Accept-Datetime.

    Raises:
        ValueError: It is not an HTTP date.
    """
    moment = parsedate_to_datetime(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def checked_host(stated: str) -> str | None:
    """A Host header if it is safe in the URLs that we write, else None."""
    return stated if _HOST.fullmatch(stated) else None

"""Paths under `/web/`: timestamps, modifiers, URLs; HTTP dates. Pure, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote

from archive.runtime.times import within
from archive.warc.pasted_url import Reading, readings

STAMP_DIGITS = 14
"""YYYYMMDDhhmmss."""
_DATED = re.compile(r"(\d{1,14})([a-z]{2}_)?/(.+)", re.DOTALL)
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
    readings: tuple[Reading, ...]
    """Everything that the URL as written may mean; `url` is the first one."""

    @property
    def exact(self) -> bool:
        """Whether the timestamp is exact to the second."""
        return len(self.stamp) == STAMP_DIGITS and stamp_of(moment_of(self.stamp)) == self.stamp


def dated(rest: str) -> Dated | None:
    """Parse what follows `/web/`; None if it has no timestamp.

    Raises:
        ValueError: What follows the timestamp is not the address of a web page.
    """
    found = _DATED.fullmatch(rest)
    if found is None:
        return None
    meant = readings_in_path(found[3])
    return Dated(stamp=found[1], modifier=found[2] or "", url=meant[0].url, readings=meant)


def readings_in_path(written: str) -> tuple[Reading, ...]:
    """The readings of a URL in a path, where `%23` is its own or stands for the `#` of a post without an own page.

    Raises:
        ValueError: It is not the address of a web page.
    """
    before, escaped, fragment = written.rpartition("%23")
    return (*readings(written), *(readings(f"{before}#{fragment}") if escaped else ()))


def in_path(url: str) -> str:
    """The URL of a page or post encoded for a path of ours; a fragment belongs to it."""
    return quoted(url).replace("#", "%23")


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

"""Conditional GET: validators are sent only of a stored response that is known, so that a 304 refers to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from archive.archive import Archive
from archive.errors import DamagedError, ObjectMissingError
from archive.index.known import captures_of
from archive.index.schema import CaptureRow
from archive.warc.http_message import headers
from crawler.decide.answers import OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Validators, and the response that they belong to."""

    url: str
    etag: str | None
    last_modified: str | None
    record: str | None
    """WARC-Record-ID of that response; None if not known."""

    @property
    def headers(self) -> dict[str, bytes]:
        """Headers of the request: validators byte for byte as received (RFC 9110 §13.1)."""
        pairs = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return {name: value.encode("latin-1") for name, value in pairs if value}


def usable(archive: Archive, wanted: Iterable[Conditions]) -> dict[str, Conditions]:
    """Those that may be sent, by URL: a complete response of exactly their URL is archived that had these validators.

    Neither it nor the response with its payload is known to be lost: a 304 would refer to nothing.

    Rows of earlier versions do not name it; it is then the newest complete one, if its head states these validators.

    Raises:
        ArchiveError: Database or store failed.
    """
    asked = [one for one in wanted if one.headers]
    named = [one.record for one in asked if one.record]
    rows = captures_of(archive.index, named) if named else {}
    senders = {one.url: rows.get(one.record) if one.record else _sender(archive, one) for one in asked}
    referred = {row.refers_to for row in senders.values() if row is not None and row.refers_to}
    originals = captures_of(archive.index, referred) if referred else {}
    found: dict[str, Conditions] = {}
    for one in asked:
        row = senders[one.url]
        if row is None or row.url != one.url or row.status != OK or row.truncated:
            continue
        payload = originals.get(row.refers_to) if row.refers_to else row
        if not row.fault and payload is not None and not payload.fault:
            found[one.url] = replace(one, record=row.record)
    return found


def _sender(archive: Archive, one: Conditions) -> CaptureRow | None:
    """The newest complete response of a URL, if it had these validators."""
    row = archive.index.latest_payload(one.url)
    if row is None:
        return None
    try:
        stated = {name.lower(): value for name, value in headers(archive.read(row).head)}  # the last one counts
    except (DamagedError, ObjectMissingError):
        return None
    own = (stated.get("etag") or None, stated.get("last-modified") or None)
    return row if own == (one.etag or None, one.last_modified or None) else None

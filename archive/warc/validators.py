"""Conditional GET: whether a 304 confirms what was asked about. Pure, no I/O."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from archive.warc.http_message import headers


def confirms(request: bytes, head: bytes) -> bool:
    """Whether a 304 says that the response whose validators were sent is still current.

    It does not if no validators were sent, or if it states others: servers behind one name may disagree about a page.
    Entity tags are compared weakly, as the server compares them (RFC 9110 §8.8.3.2, §13.1.2); only without a common tag
    do dates decide.

    Args:
        request: The request as sent.
        head: Head of the 304.
    """
    asked, stated = _fields(request), _fields(head)
    tags, dates = asked.get("if-none-match", []), asked.get("if-modified-since", [])
    if not tags and not dates:
        return False
    if tags and "etag" in stated:
        return bool({_opaque(tag) for tag in tags} & {_opaque(tag) for tag in stated["etag"]})
    if dates and "last-modified" in stated:
        return bool({_date(date) for date in dates} & {_date(date) for date in stated["last-modified"]})
    return True


def _fields(message: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers(message):
        found.setdefault(name.lower(), []).append(value)
    return found


def _opaque(tag: str) -> str:
    """The part of an entity tag that a weak comparison compares."""
    return tag.strip().removeprefix("W/")


def _date(value: str) -> datetime | str:
    """An HTTP date; the text itself if it is not one, since validators are sent as they were received."""
    try:
        found = parsedate_to_datetime(value)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return value.strip()

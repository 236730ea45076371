"""What an archived page names: a function of its payload, run where archived bytes are worked on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from archive.errors import ArchiveError
from archive.index.schema import CaptureRow
from archive.limits import REQUISITES_BYTES
from archive.reader.reader import Reader
from archive.warc.codings import beginning
from archive.warc.http_message import header

log = logging.getLogger(__name__)
T = TypeVar("T")


def named_in(reader: Reader, capture: CaptureRow, find: Callable[..., list[T]]) -> list[T]:
    """What a function finds in the beginning of a payload; nothing if that cannot be read, which is logged.

    Raises:
        TaskError: The payload passed a limit.
    """
    try:
        visit = reader.open_payload(capture)
        body = visit.body.whole() if visit.coding else visit.body.beginning(REQUISITES_BYTES)
    except ArchiveError as e:
        log.warning("payload cannot be read url=%s error=%s", capture.url, e)
        return []
    content_type = header(visit.payload_head, "content-type") or capture.mime
    return reader.work(found_by, find=find, body=body, coding=visit.coding, url=capture.url, content_type=content_type)


def found_by(
    find: Callable[..., list[T]], *, body: bytes, coding: str | None, url: str, content_type: str | None
) -> list[T]:
    """What a function finds in the beginning of a payload that may be compressed. No I/O."""
    payload = beginning(body, coding, limit=REQUISITES_BYTES) or body[:REQUISITES_BYTES]
    return find(payload, url=url, content_type=content_type)

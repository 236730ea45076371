"""The pictures of a site made of files: copies of those that are archived."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from archive.errors import ArchiveError
from archive.limits import SITE_PICTURE_BYTES
from archive.reader.reader import Reader, plain_payload

log = logging.getLogger(__name__)

_FOLDER = "pictures"
_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpg"),
    (0, b"GIF8", "gif"),
    (8, b"WEBPVP", "webp"),
    (4, b"ftypavif", "avif"),
    (4, b"ftypavis", "avif"),
)
"""Where a kind of picture has which bytes (MIME Sniffing §6.1; AV1 Image File Format §6). SVG is left out: it is a
document that can contain scripts."""


class SitePictures:
    """Copies of archived pictures in a folder of a site, each once."""

    def __init__(self, reader: Reader, folder: Path, at: datetime) -> None:
        """Nothing is copied yet.

        Args:
            reader: Reads the captures.
            folder: Folder of the site.
            at: Captures nearest to this instant are copied.
        """
        self._reader = reader
        self._folder = folder
        self._at = at
        self._files: dict[str, str | None] = {}

    @property
    def missing(self) -> int:
        """How many pictures were asked for that are not archived."""
        return sum(file is None for file in self._files.values())

    def file_of(self, url: str) -> str | None:
        """The copy of a picture, relative to the folder of the site; None if it is not archived.

        Raises:
            OSError: The copy cannot be written.
        """
        if url not in self._files:
            self._files[url] = self._copied(url)
        return self._files[url]

    def _copied(self, url: str) -> str | None:
        payload = self._payload(url)
        kind = kind_of(payload) if payload else None
        if payload is None or kind is None:
            return None
        path = self._folder / _FOLDER / f"{hashlib.sha256(payload).hexdigest()[:32]}.{kind}"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(payload)
        return f"{_FOLDER}/{path.name}"

    def _payload(self, url: str) -> bytes | None:
        if not url.startswith(("http://", "https://")):
            return None
        try:
            row = self._reader.find(url, self._at)
            if row.status >= HTTPStatus.BAD_REQUEST:
                return None
            visit = self._reader.open_payload(row, most=SITE_PICTURE_BYTES)
            body = visit.body.whole()
            if not visit.coding:
                return body
            plain: bytes | None = self._reader.work(
                plain_payload, body=body, coding=visit.coding, content_type=row.mime
            )
        except (ArchiveError, OverflowError) as e:
            log.info("picture not copied url=%s reason=%s", url, e)
            return None
        return plain


def kind_of(payload: bytes) -> str | None:
    """The kind of a picture by its first bytes, as a file name extension; None if it is none that is shown."""
    return next((kind for at, mark, kind in _SIGNATURES if payload[at : at + len(mark)] == mark), None)

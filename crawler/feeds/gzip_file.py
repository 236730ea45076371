"""Feeds and sitemaps served as gzip files, without a Content-Encoding that says so. No I/O."""

from __future__ import annotations

from archive.limits import DECODED_BYTES
from archive.warc.codings import beginning, decoded
from crawler.errors import FeedError

_MAGIC = b"\x1f\x8b"


def unpacked(body: bytes, *, url: str, limit: int = DECODED_BYTES) -> bytes:
    """The document in a gzip file; any other document unchanged.

    Raises:
        FeedError: The file is damaged, or too large when unpacked.
    """
    if not body.startswith(_MAGIC):
        return body
    try:
        return decoded(body, "gzip", limit=limit)
    except ValueError as e:
        raise FeedError("is a gzip file that cannot be read", url=url) from e
    except OverflowError as e:
        raise FeedError(f"is a gzip file that grows past {limit} bytes", url=url) from e


def start_of(body: bytes, size: int) -> bytes:
    """The first bytes of a document, unpacked if it is a gzip file."""
    return beginning(body, "gzip" if body.startswith(_MAGIC) else None, limit=size)

"""Feeds and sitemaps served as gzip files, without a Content-Encoding that says so. No I/O."""

from __future__ import annotations

from archive.warc.codings import beginning, decoded
from crawler.errors import FeedError
from crawler.limits import UNPACKED_BYTES

_MAGIC = b"\x1f\x8b"


def unpacked(body: bytes, *, url: str, limit: int = UNPACKED_BYTES) -> bytes:
    """The document in a gzip file; any other document unchanged.

    Raises:
        FeedError: The file is damaged, or too large when unpacked.
    """
    if not body.startswith(_MAGIC):
        return body
    try:
        return decoded(body, "gzip", limit=limit)
    except ValueError as e:
        raise FeedError("is a damaged gzip file", url=url) from e
    except OverflowError as e:
        raise FeedError(f"is larger than {limit} bytes when unpacked", url=url) from e


def start_of(body: bytes, size: int) -> bytes:
    """The first bytes of a document, unpacked if it is a gzip file."""
    return beginning(body, "gzip" if body.startswith(_MAGIC) else None, limit=size)

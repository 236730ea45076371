"""Rebuilds the index from the store alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from archive.index.from_records import HeldText, capture_rows, entered, held_texts
from archive.index.schema import CaptureRow, ObjectRow, begun_of
from archive.index.writing import IndexWriter
from archive.maintenance.joined import superseded
from archive.maintenance.verify import Finding, StoreReader
from archive.stores import ReadableStore
from archive.warc.members import Member, members

log = logging.getLogger(__name__)


def keys(store: ReadableStore) -> list[str]:
    """Objects with captures, then those with texts, each in the order in which they were begun.

    What is in a joined object as well is left out.
    """
    found = [key for prefix in ("warc/", "text/") for key in sorted(store.keys(prefix), key=_begun)]
    elsewhere = superseded(store, found)
    return [key for key in found if key not in elsewhere]


def _begun(key: str) -> tuple[str, str]:
    """When a batch was begun, whoever made it."""
    return (begun_of(key), key)


def reindex(store: ReadableStore, index: IndexWriter, key: str) -> Finding | None:
    """Rebuild the rows of one object, replacing the existing ones.

    Returns what is wrong with the object, if anything; the complete records before that place still get rows.

    Raises:
        StoreError: The store cannot be read at the moment.
        DatabaseError: The database failed; the rows of this object are unchanged.
    """
    reader = StoreReader(store, key)
    end = 0

    def watched() -> Iterator[Member]:
        nonlocal end
        for member in members(reader):
            end = member.offset + member.length
            yield member

    captures: list[CaptureRow] = []
    texts: list[HeldText] = []
    if key.startswith("text/"):
        texts += held_texts(watched(), key)
    else:
        captures += capture_rows(watched(), key, index.reads.capture)
    reader.drain()
    stored = ObjectRow(key=key, length=reader.length, sha256=reader.sha256.hexdigest())
    words = [entered(held) for held in texts]
    index.replace(stored, captures, [held.row for held in texts], words)
    log.info("indexed object=%s captures=%d texts=%d", key, len(captures), len(texts))
    if end == reader.length:
        return None
    return Finding(kind="damaged", key=key, offset=end, reason="no whole record; what follows is not in the index")

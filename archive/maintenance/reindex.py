"""Rebuilds the index from the store alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from archive.index.from_records import HeldText, capture_rows, entered, held_texts
from archive.index.schema import VISITS, CaptureRow, ObjectRow
from archive.index.writing import IndexWriter
from archive.maintenance.verify import Finding, StoreReader
from archive.stores import ReadableStore
from archive.warc.confirmation import Confirmation, stated
from archive.warc.members import Member, members

log = logging.getLogger(__name__)


def keys(store: ReadableStore) -> list[str]:
    """Objects with captures, those with texts, those with confirmations; each kind in the order of their beginning."""
    return [key for prefix in ("warc/", "text/", f"{VISITS}/") for key in sorted(store.keys(prefix), key=_begun)]


def _begun(key: str) -> tuple[str, str]:
    """When a batch was begun: the second word of its name, whoever made it."""
    words = key.rsplit("/", 1)[-1].split("-")
    return (words[1] if len(words) > 1 else "", key)


def reindex(store: ReadableStore, index: IndexWriter, key: str) -> Finding | None:
    """Rebuild the rows of one object, replacing the existing ones.

    Confirmations count once: `IndexWriter.forget_confirmations` comes before all objects are reindexed.

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
    again: list[Confirmation] = []
    if key.startswith(f"{VISITS}/"):
        again += stated(member.record for member in watched())
    elif key.startswith("text/"):
        texts += held_texts(watched(), key)
    else:
        captures += capture_rows(watched(), key, index.reads.capture)
    reader.drain()
    whole = ObjectRow(key=key, length=reader.length, sha256=reader.sha256.hexdigest())
    words = [entered(held) for held in texts]
    if again:
        index.add([whole], [], [], again=again)
    else:
        index.replace(whole, captures, [held.row for held in texts], words)
    log.info("indexed object=%s captures=%d texts=%d", key, len(captures), len(texts))
    if end == reader.length:
        return None
    return Finding(kind="damaged", key=key, offset=end, reason="no whole record; what follows is not in the index")

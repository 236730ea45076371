"""Reads a feed document with feedparser: as a whole, or entry by entry where it is large or damaged. No I/O.

So a fault costs the entry that it is in, and the memory of a large document is that of a few of its entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crawler.feeds.feedparser_adapter import NotWellFormedError, ill_formed, well_formed
from crawler.feeds.layout import Layout
from crawler.feeds.repair import repaired, valid_references

_WHOLE_BYTES = 1 << 20
"""Documents up to this size are parsed in one piece if they are well-formed."""
_PART_BYTES = 1 << 18
"""Size of a part of a larger document."""


def read(document: Layout, *, url: str) -> tuple[Any, Iterator[Any]]:
    """What feedparser finds in a document: about the feed, and each entry in turn.

    Args:
        document: The document.
        url: Base of relative links; empty leaves them unchanged.

    Raises:
        FeedError: feedparser failed on it.
    """
    if not document.spans or len(document.body) <= _WHOLE_BYTES:
        body = valid_references(document.whole)
        try:
            found = _mended(body, url)
        except NotWellFormedError:
            found = None if document.spans else ill_formed(repaired(body), url=url)
        if found is not None:
            return found, iter(found.entries)
    frame = _any(valid_references(document.frame), url)
    return frame, _entries(document, url)


def _entries(document: Layout, url: str) -> Iterator[Any]:
    """The entries of a document, parsed in parts."""
    for first, last in document.parts(_PART_BYTES):
        body = valid_references(document.part(first, last))
        try:
            yield from _mended(body, url).entries
        except NotWellFormedError:
            if last - first == 1:
                yield from ill_formed(repaired(body), url=url).entries
                continue
            for one in range(first, last):
                yield from _any(valid_references(document.part(one, one + 1)), url).entries


def _mended(body: bytes, url: str) -> Any:  # noqa: ANN401  feedparser's dict
    try:
        return well_formed(body, url=url)
    except NotWellFormedError:
        return well_formed(repaired(body), url=url)


def _any(body: bytes, url: str) -> Any:  # noqa: ANN401  feedparser's dict
    try:
        return _mended(body, url)
    except NotWellFormedError:
        return ill_formed(repaired(body), url=url)

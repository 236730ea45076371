"""Posts that no captured feed shows, such as those that a backfill found: which feed each of them belongs to."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import takewhile

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.index.aliases import page_keys
from archive.index.schema import CaptureRow
from archive.warc.page_identity import page_identity, page_key
from crawler.model.visits import Feed

log = logging.getLogger(__name__)

_AT_ONCE = 500
"""Posts per query of the index."""
_STEPS = 20
"""Captures that are followed from a post back to its feed."""
_UNKNOWN = "?"
"""How a page was reached if its capture cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPost:
    """A post that no captured feed shows."""

    url: str
    feed_id: int | None
    """None: a person asked for the page itself."""


def found_posts(archive: Archive, feeds: Sequence[Feed], known: AbstractSet[str]) -> Iterator[FoundPost]:
    """Posts with a text that no feed shows; those of feeds that were removed are left out.

    Args:
        archive: Its index is complete.
        feeds: The subscriptions.
        known: Keys of the pages that are known already.

    Raises:
        DatabaseError: The database failed.
    """
    homes = _Homes(feeds)
    after: str | None = ""
    while after is not None:
        rows, after = archive.index.pages_with_text(after, _AT_ONCE)
        for row in rows:
            is_known = page_key(row.url) in known or not known.isdisjoint(page_keys(archive.index.engine, row.url))
            if not is_known and (post := _found(archive, homes, row)):
                yield post


class _Homes:
    """Which feeds have their posts where."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self.by_key = {page_key(feed.url): feed for feed in feeds}
        self._places: dict[str, list[tuple[str, Feed]]] = {}
        for feed in feeds:
            for url in {feed.url, feed.site or feed.url}:
                host, _, path = page_identity(url).partition("/")
                self._places.setdefault(host, []).append((path, feed))

    def of(self, url: str) -> list[Feed]:
        """The feeds on the host of a URL, those first whose URLs are most like it."""
        host, _, path = page_identity(url).partition("/")
        near = sorted(self._places.get(host, ()), key=lambda place: -_shared(place[0], path))
        return list({feed.id: feed for _, feed in near}.values())


def _shared(one: str, other: str) -> int:
    """How many path segments two paths have in common at their beginning."""
    pairs = zip(one.split("/"), other.split("/"), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _found(archive: Archive, homes: _Homes, row: CaptureRow) -> FoundPost | None:
    """A post with its feed; None if it has none any more."""
    first = next(iter(archive.captures(row.url)), row)  # later ones were visits of what was known by then
    told = _metadata(archive, first)
    if not told.get("hopsFromSeed", "").strip("R"):  # a person asked for the page itself
        return FoundPost(url=row.url, feed_id=None)
    near = homes.of(row.url)
    if len(near) == 1:
        return FoundPost(url=row.url, feed_id=near[0].id)
    origins = list(_origins(archive, first, told))
    for origin in origins:
        if feed := homes.by_key.get(page_key(origin)):
            return FoundPost(url=row.url, feed_id=feed.id)
    for url in (row.url, *origins):
        if near := homes.of(url):
            return FoundPost(url=row.url, feed_id=near[0].id)
    return None


def _origins(archive: Archive, row: CaptureRow, told: Mapping[str, str]) -> Iterator[str]:
    """The URLs that led to a capture, the nearest first."""
    seen = {row.url}
    while (via := told.get("via", "")) and via not in seen and len(seen) <= _STEPS:
        seen.add(via)
        yield via
        before = archive.index.nearest(via, row.date)
        told = _metadata(archive, before) if before else {}


def _metadata(archive: Archive, row: CaptureRow) -> dict[str, str]:
    """What the crawler noted about a capture (WARC/1.1 §6.6)."""
    try:
        records = archive.records(row)
    except ArchiveError as e:
        log.warning("capture cannot be read url=%s error=%s", row.url, e)
        return {"hopsFromSeed": _UNKNOWN}
    block = b"".join(record.block for record in records if record.kind == "metadata").decode("utf-8", "replace")
    pairs = (line.partition(": ") for line in block.splitlines())
    return {name: value for name, colon, value in pairs if colon}

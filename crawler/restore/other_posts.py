"""Posts that no document of a feed shows: pages that a person saved, and older posts that a backfill found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from archive.archive import Archive
from archive.index.schema import CaptureRow
from archive.maintenance import re_extract
from crawler.frontier.frontier import AT_ONCE, Frontier
from crawler.model.url_identity import host_of


def other_posts(archive: Archive, frontier: Frontier) -> Iterator[tuple[str, datetime, int | None]]:
    """Pages that have a text but are not known to the frontier: URL, date of a capture, and the feed of their host.

    Raises:
        ArchiveError: The database failed.
    """
    feeds = _by_host(frontier)
    seen: set[str] = set()
    captures = re_extract.with_text(archive)
    while rows := list(islice(captures, AT_ONCE)):
        known = frontier.pages({row.url for row in rows})
        for row in rows:
            if row.url not in known and row.url not in seen and _is_page(archive, row):
                seen.add(row.url)
                yield row.url, row.date, feeds.get(_host(row.url))


def _is_page(archive: Archive, row: CaptureRow) -> bool:
    """Whether the text of a capture is that of a page; others are those of entries in a feed."""
    text = archive.index.text_of(row.record)
    return text is not None and text.source != "feed"


def _by_host(frontier: Frontier) -> dict[str, int]:
    """The feed of each host that has only one."""
    found: dict[str, set[int]] = {}
    for feed in frontier.feeds():
        for host in {_host(feed.url), _host(feed.site or feed.url)}:
            found.setdefault(host, set()).add(feed.id)
    return {host: next(iter(ids)) for host, ids in found.items() if len(ids) == 1}


def _host(url: str) -> str:
    return host_of(url).removeprefix("www.")

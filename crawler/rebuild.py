"""The frontier made anew from the archive: subscriptions from its state, what was seen from captured feeds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from archive.archive import Archive
from archive.capture import header, headers
from archive.errors import ArchiveError, NotArchivedError
from archive.index import CaptureRow
from crawler import decide, opml, state
from crawler.errors import FeedError
from crawler.feeds import ParsedFeed, parse
from crawler.freshness import Pace
from crawler.frontier import Frontier
from crawler.visit import Feed, FeedVisit, PageVisit, SeenEntry

log = logging.getLogger(__name__)


def rebuild(archive: Archive, frontier: Frontier, *, pace: Pace, now: datetime) -> int:
    """Restore subscriptions, seen entries and kept pages; tells how many subscriptions there are.

    The index must be whole. Failures are forgotten: what could not be had is tried again.

    Raises:
        ArchiveError: Store or database failed.
        FeedError: The stored subscriptions cannot be read.
    """
    key = state.newest(archive.store)
    if key is None:
        return 0
    subscriptions, _ = opml.read(archive.store.read(key), name=key, now=now)
    for subscription in subscriptions:
        feed = frontier.restore(subscription)
        for visit in _visits(archive, feed, pace):
            pages = [_page(archive, feed, seen) for seen in visit.entries if seen.url]
            frontier.commit([visit], [page for page in pages if page])
    return len(subscriptions)


def _visits(archive: Archive, feed: Feed, pace: Pace) -> Iterator[FeedVisit]:
    """What each captured answer to a request for the feed changed, oldest first."""
    known: dict[str, str] = {}
    for row in archive.index.history(feed.url):
        if row.url != feed.url:
            continue
        parsed: ParsedFeed | None = None
        seen: tuple[SeenEntry, ...] = ()
        payload = _final(archive, row)
        if payload is None:
            continue
        if payload.status == decide.OK:
            parsed = _parsed(archive, payload)
            if parsed is None:
                continue
            seen = decide.seen_entries(parsed.entries, known, {}, parsed.feed.language)
            known.update((entry.key, entry.digest) for entry in seen)
        elif payload.status != decide.NOT_MODIFIED:
            continue
        told = {name.lower(): value for name, value in headers(archive.read(payload).head)}
        if payload.url != feed.url:  # validators are those of the URL that gave them
            told = {name: value for name, value in told.items() if name not in {"etag", "last-modified"}}
        visit = decide.after_feed(
            feed,
            at=row.date,
            pace=pace,
            status=payload.status,
            headers=told,
            parsed=parsed,
            seen=seen,
        )
        yield visit
        feed = replace(feed, etag=visit.etag, last_modified=visit.last_modified)


def _final(archive: Archive, row: CaptureRow) -> CaptureRow | None:
    """The capture that a request for the feed ended with, past redirects."""
    try:
        return archive.find(row.url, row.date)
    except NotArchivedError:
        return None


def _parsed(archive: Archive, row: CaptureRow) -> ParsedFeed | None:
    try:
        head = archive.read(row).payload_head
        return parse(archive.payload(row), url=row.url, content_type=header(head, "content-type"))
    except (FeedError, ArchiveError) as e:
        log.warning("captured feed cannot be read url=%s error=%s", row.url, e)
        return None


def _page(archive: Archive, feed: Feed, seen: SeenEntry) -> PageVisit | None:
    """The visit of an entry's page, if a capture of it is held."""
    try:
        row = archive.find(seen.url or "")
    except NotArchivedError:
        return None
    if row.status not in {decide.OK, decide.NOT_MODIFIED}:
        return None
    return PageVisit(
        url=seen.url or "",
        feed_id=feed.id,
        at=row.date,
        due=None,
        kept=True,
        status=row.status,
        error=None,
        failures=0,
        etag=None,
        last_modified=None,
    )

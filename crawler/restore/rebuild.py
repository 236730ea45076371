"""Rebuilds the frontier from the archive: subscriptions from its state objects, entries from captured feeds."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from archive.archive import Archive
from archive.errors import ArchiveError, NotArchivedError
from archive.index.aliases import page_keys
from archive.index.schema import CaptureRow, TextRow
from archive.warc.http_message import header, headers
from archive.warc.page_identity import page_key
from crawler.backfill.as_feed import parse_listing
from crawler.decide.answers import GONE, NOT_MODIFIED, OK
from crawler.decide.entries import keys, seen_entries
from crawler.decide.feed import Reading, after_feed
from crawler.decide.freshness import Pace
from crawler.decide.page import after_page
from crawler.errors import FeedError
from crawler.feeds import parse
from crawler.feeds.model import ParsedFeed
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier
from crawler.model.answer import Answer
from crawler.model.visits import Feed, FeedVisit, Page, PageVisit, SeenEntry, Source
from crawler.restore import store_state
from crawler.restore.found_posts import found_posts

log = logging.getLogger(__name__)

_HELD = frozenset({OK, NOT_MODIFIED})


def rebuild(archive: Archive, frontier: Frontier, *, pace: Pace, plan: Sequence[timedelta], now: datetime) -> int:
    """Restore subscriptions, seen entries and archived pages; returns how many subscriptions there are.

    The index must be complete. Failures are not restored: whatever could not be fetched is tried again.

    Raises:
        ArchiveError: Store or database failed.
        FeedError: The stored subscriptions cannot be read.
    """
    subscriptions = store_state.subscriptions(archive.store, now=now)
    if subscriptions is None:
        return 0
    frontier.enter_aliases(store_state.aliases(archive.store))
    deletions: dict[str, dict[datetime, Deletion]] = {}
    for one in store_state.deletions(archive.store):  # the object written last shows whether a post was restored
        deletions.setdefault(one.key, {})[one.since] = one
    entered: set[str] = set()
    for subscription in subscriptions:
        feed = frontier.restore(subscription)
        urls: dict[str, None] = {}
        for visit in _visits(archive, feed, pace):
            frontier.commit([visit], [])
            urls.update((seen.url, None) for seen in visit.entries if seen.url)
        for url in urls:
            entered |= _replay(archive, frontier, url, feed.id, plan, deletions)
    # What backfills and people have found stands in no feed; only its captures show that it was a post.
    for post in found_posts(archive, frontier.feeds(), entered):
        frontier.enter(post.url, now, feed_id=post.feed_id)
        _replay(archive, frontier, post.url, post.feed_id, plan, deletions)
    for known in deletions.values():
        frontier.enter_deletions(known.values())
    return len(subscriptions)


def _replay(
    archive: Archive,
    frontier: Frontier,
    url: str,
    feed_id: int | None,
    plan: Sequence[timedelta],
    deletions: Mapping[str, Mapping[datetime, Deletion]],
) -> set[str]:
    """Repeat what each capture of a post's page changed; returns the keys of all pages that it led to."""
    gone = deletions.get(page_key(url), {}).values()
    visits = list(_page_visits(archive, feed_id, url, plan, gone))
    frontier.commit([], [visit for visit, _ in visits])
    return {page_key(url), *(page_key(final) for _, final in visits)}


def _visits(archive: Archive, feed: Feed, pace: Pace) -> Iterator[FeedVisit]:
    """What each captured response to a request for the feed changed, oldest first."""
    known: dict[str, str] = {}
    for row in archive.captures(feed.url):
        if row.url != feed.url:
            continue
        parsed: ParsedFeed | None = None
        seen: tuple[SeenEntry, ...] = ()
        shared: list[bool] = []
        payload = _final(archive, row)
        if payload is None:
            continue
        if payload.status == OK:
            parsed = _parsed(archive, payload, feed)
            if parsed is None:
                continue
            shared = [key in known for key in keys(parsed.entries)]
            site = parsed.feed.link or feed.site
            language = parsed.feed.language
            seen = seen_entries(parsed.entries, known, {}, language, at=row.date, feed=feed.url, site=site)
            known.update((entry.key, entry.digest) for entry in seen)
        elif payload.status != NOT_MODIFIED:
            continue
        stated = {name.lower(): value for name, value in headers(archive.read(payload).head)}
        # Validators apply only to the URL that sent them, and to all of what it sent; a 304 changes nothing in them.
        own = payload.url == feed.url and payload.status == OK and not payload.truncated
        if not own:
            stated = {name: value for name, value in stated.items() if name not in {"etag", "last-modified"}}
        validated = payload.record if own else None
        answer = Answer(at=row.date, status=payload.status, headers=stated, validated=validated)
        visit = after_feed(feed, answer, Reading(parsed=parsed, seen=seen, shared=shared), pace=pace)
        # Its backfill has been done, or can be started by hand.
        yield replace(visit, gap=False, record=payload.record, texts=_texts(archive, seen))
        kept = ("rhythm", "whole", "shown", "media", "news", "window")
        known_now = {name: getattr(visit, name) or getattr(feed, name) for name in kept}
        if visit.shown is not None:
            known_now.update(every=visit.every, skips=visit.skips)
        feed = replace(
            feed,
            etag=visit.etag,
            last_modified=visit.last_modified,
            validated=visit.validated,
            visited=visit.at,
            fresh=visit.fresh,
            **known_now,
        )


def _texts(archive: Archive, seen: Iterable[SeenEntry]) -> tuple[tuple[str, Source], ...]:
    """The posts with addresses of their own that have a text, and where it comes from."""
    found: dict[str, Source] = {}
    for one in seen:
        row = archive.index.own_text(one.address, None) if one.address else None
        if row is not None:
            found[row.url] = "feed" if row.source == "feed" else "page"
    return tuple(found.items())


def _final(archive: Archive, row: CaptureRow) -> CaptureRow | None:
    """The last capture of a request for the feed, after redirects."""
    try:
        return archive.find(row.url, row.date)
    except NotArchivedError:
        return None


def _parsed(archive: Archive, row: CaptureRow, feed: Feed) -> ParsedFeed | None:
    try:
        exchange = archive.read(row)
        content_type = header(exchange.payload_head, "content-type")
        if feed.listing is None:
            return parse(exchange.payload(), url=row.url, content_type=content_type)
        return parse_listing(feed.listing, exchange.payload(), url=row.url, content_type=content_type, site=feed.site)
    except (FeedError, ArchiveError) as e:
        log.warning("captured feed cannot be read url=%s error=%s", row.url, e)
        return None


def _page_visits(
    archive: Archive, feed_id: int | None, url: str, plan: Sequence[timedelta], deletions: Collection[Deletion]
) -> Iterator[tuple[PageVisit, str]]:
    """What each capture of a post's page changed, and the URL that answered, oldest first; failures are left out.

    The ledger decides whether a page was the post: the crawl had more evidence than the capture.
    """
    page = Page(url=url, feed_id=feed_id, kept=False)
    texts, addresses = archive.index.texts(url), page_keys(archive.index.engine, url)
    if words := _in_feed(page, chain.from_iterable(texts.values())):
        yield words, url
    for row in archive.captures(url):
        final = _final(archive, row) if page_key(row.url) in addresses else None
        if final is None:
            continue
        gone = next((one.kind for one in deletions if one.missing(final.date)), None)
        if final.status not in _HELD and not (page.kept and (gone or final.status in GONE)):
            continue
        if not (page.kept or final.record in texts or final.refers_to in texts or archive.index.text_for(final)):
            continue  # it was not the post, or its text is yet to be made
        visit = after_page(page, Answer(at=final.date, status=final.status, row=final), plan=plan, gone=gone)
        yield (replace(visit, source="page") if visit.kept else visit), final.url
        page = replace(page, kept=page.kept or visit.kept, checks=visit.checks)


def _in_feed(page: Page, texts: Iterable[TextRow]) -> PageVisit | None:
    """What a text in the feed's words changed; None if there is none. Its page is due, as nobody had asked for it."""
    dates = [row.date for row in texts if row.source == "feed" and "#" not in row.url]
    if not dates:
        return None
    at = min(dates)
    return PageVisit(
        url=page.url,
        feed_id=page.feed_id,
        at=at,
        due=at,
        kept=False,
        status=None,
        error=None,
        failures=0,
        etag=None,
        last_modified=None,
        source="feed",
    )

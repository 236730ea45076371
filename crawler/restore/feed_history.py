"""What the captures of a feed come to: its last state, and every entry that its documents have had.

Each document is parsed once, in a worker process, however many visits brought it; visits that brought nothing new
change only how long the feed has been quiet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from archive.archive import Archive
from archive.errors import ArchiveError, DamagedError, ObjectMissingError, TaskError
from archive.index.schema import CaptureRow
from archive.warc.http_message import header, headers
from archive.warc.page_identity import page_key
from crawler.backfill.as_feed import parse_listing
from crawler.decide.answers import NOT_MODIFIED, OK
from crawler.decide.departures import followed
from crawler.decide.entries import keys, seen_entries
from crawler.decide.feed import Reading, after_feed
from crawler.decide.freshness import Pace
from crawler.errors import FeedError
from crawler.feeds import parse
from crawler.feeds.model import ParsedFeed
from crawler.frontier.restoring import RestoredEntry, RestoredFeed
from crawler.model.answer import Answer
from crawler.model.visits import Feed, FeedVisit, SeenEntry

log = logging.getLogger(__name__)

Parse = Callable[..., Future[ParsedFeed | None]]
"""Runs a function on values, in another process or at once."""
_STATE = ("etag", "last_modified", "validated", "fresh")
_STICKY = ("rhythm", "whole", "shown", "media", "news", "window")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """A captured visit, and the document that it brought, if that is another one than at the visit before."""

    row: CaptureRow
    """The capture of the request."""
    final: CaptureRow
    """The one that answered, after redirects."""
    parsed: Future[ParsedFeed | None] | None = None
    head: Mapping[str, str] = field(default_factory=dict)


def begin(archive: Archive, feed: Feed, rows: Sequence[tuple[CaptureRow, CaptureRow]], run: Parse) -> list[_Visit]:
    """Start parsing the documents of a feed.

    Args:
        archive: Has the captures.
        feed: The subscription.
        rows: Each capture of a request for the feed, oldest first, with the one that answered.
        run: Parses.
    """
    found: list[_Visit] = []
    before: tuple[str, str] | None = None
    for row, final in rows:
        if final.status not in {OK, NOT_MODIFIED}:
            continue
        if final.confirmed:
            found.append(_Visit(row=row, final=final))
            found.append(_Visit(row=replace(row, date=final.seen), final=final))
            continue
        if final.status == NOT_MODIFIED or (final.url, final.digest) == before:
            found.append(_Visit(row=row, final=final))
            continue
        visit = _document(archive, feed, row, final, run)
        if visit is not None:
            found.append(visit)
            before = (final.url, final.digest)
    return found


def _document(archive: Archive, feed: Feed, row: CaptureRow, final: CaptureRow, run: Parse) -> _Visit | None:
    try:
        exchange = archive.read(final)
        values: dict[str, Any] = {
            "body": exchange.payload(),
            "url": final.url,
            "content_type": header(exchange.payload_head, "content-type"),
            "kind": feed.listing,
            "site": feed.site,
        }
    except (DamagedError, ObjectMissingError) as e:
        log.warning("captured feed cannot be read url=%s error=%s", final.url, e)
        return None
    return _Visit(row=row, final=final, parsed=run(parsed, **values), head=_stated(exchange.head))


def parsed(*, body: bytes, url: str, content_type: str | None, kind: str | None, site: str | None) -> ParsedFeed | None:
    """A feed document, or the listing that stands for one; None if it cannot be read."""
    try:
        if kind is None:
            return parse(body, url=url, content_type=content_type)
        return parse_listing(kind, body, url=url, content_type=content_type, site=site)
    except (FeedError, ArchiveError) as e:
        log.warning("captured feed cannot be parsed url=%s error=%s", url, e)
        return None


def end(archive: Archive, feed: Feed, visits: Sequence[_Visit], *, pace: Pace) -> RestoredFeed | None:
    """What these visits come to; None if there was none."""
    drafts = _Drafts()
    known: dict[str, str] = {}
    last: FeedVisit | None = None
    document: FeedVisit | None = None
    for number, visit in enumerate(visits):
        reading = _reading(visit, feed, known, drafts)
        if reading is None:
            continue
        matters = number == len(visits) - 1 or _is_last_answer(visits, number)
        stated = dict(visit.head) or (_head(archive, visit.final) if matters else {})
        # Validators apply only to the URL that sent them, and to all of what it sent; a 304 changes nothing in them.
        own = visit.final.url == feed.url and visit.final.status == OK and not visit.final.truncated
        if not own:
            stated = {name: value for name, value in stated.items() if name not in {"etag", "last-modified"}}
        validated = visit.final.record if own else None
        answer = Answer(at=visit.row.date, status=visit.final.status, headers=stated, validated=validated)
        last = after_feed(feed, answer, reading, pace=pace)
        document = last if last.shown is not None else document
        if last.shows is not None:
            drafts.show(last.shows, last.at)
        kept = {name: getattr(last, name) or getattr(feed, name) for name in _STICKY}
        if last.shown is not None:
            kept.update(every=last.every, skips=last.skips)
        feed = replace(feed, visited=last.at, **{name: getattr(last, name) for name in _STATE}, **kept)
    if last is None:
        return None
    return RestoredFeed(visit=_summed(last, document, feed), entries=tuple(drafts))


def _summed(last: FeedVisit, document: FeedVisit | None, feed: Feed) -> FeedVisit:
    """The last visit with what only earlier ones showed; its backfill has been done, or can be started by hand."""
    values: dict[str, Any] = {name: getattr(feed, name) for name in _STICKY}
    if document is not None:
        names = ("title", "site", "hub", "topic", "every", "skips")
        values.update((name, getattr(document, name)) for name in names)
    return replace(last, gap=False, entries=(), **values)


def _is_last_answer(visits: Sequence[_Visit], number: int) -> bool:
    """Whether a visit is the last one with an answer of status 200, whose validators are sent from then on."""
    return visits[number].final.status == OK and all(one.final.status != OK for one in visits[number + 1 :])


def _head(archive: Archive, row: CaptureRow) -> dict[str, str]:
    try:
        return _stated(archive.head(row))
    except (DamagedError, ObjectMissingError) as e:
        log.warning("head cannot be read url=%s error=%s", row.url, e)
        return {}


def _stated(head: bytes) -> dict[str, str]:
    return {name.lower(): value for name, value in headers(head)}


def _reading(visit: _Visit, feed: Feed, known: dict[str, str], drafts: _Drafts) -> Reading | None:
    """The document of a visit, compared with those before; None if it cannot be read."""
    if visit.parsed is None:
        return Reading()
    try:
        document = visit.parsed.result()
    except TaskError as e:
        log.warning("captured feed cannot be parsed url=%s error=%s", visit.final.url, e)
        return None
    if document is None:
        return None
    named = keys(document.entries)
    shared = [key in known for key in named]
    site = document.feed.link or feed.site
    language = document.feed.language
    at = visit.row.date
    seen = seen_entries(document.entries, known, {}, language, at=at, feed=feed.url, site=site)
    known.update((entry.key, entry.digest) for entry in seen)
    for one in seen:
        drafts.add(one, visit)
    shows = followed(feed, document, named)
    return Reading(parsed=document, seen=seen, shared=shared, shows=shows)


class _Drafts:
    """The entries of a feed so far, by key."""

    def __init__(self) -> None:
        self._found: dict[str, RestoredEntry] = {}

    def add(self, seen: SeenEntry, visit: _Visit) -> None:
        """Enter an entry that is new or was edited."""
        before = self._found.get(seen.key)
        urls: tuple[str, ...] = (seen.url,) if seen.url else ()
        if before is not None and urls and before.urls:
            earlier = before.urls
            if _has_moved(before.seen, seen) or page_key(earlier[-1]) == page_key(urls[0]):
                earlier = earlier[:-1]
            urls = (*earlier, *urls)
        self._found[seen.key] = RestoredEntry(
            seen=seen,
            first_seen=before.first_seen if before else visit.row.date,
            at=visit.row.date,
            record=visit.final.record,
            urls=urls or (before.urls if before else ()),
            shown=before.shown if before else None,
            departed=before.departed if before else None,
        )

    def show(self, keys: Collection[str], at: datetime) -> None:
        """Enter which of them a document shows; the others have departed, if they were shown before."""
        now = set(keys)
        left = {key for key, one in self._found.items() if one.shown} - now
        self._found |= {key: replace(self._found[key], shown=False, departed=at) for key in left}
        self._found |= {key: replace(one, shown=True, departed=None) for key, one in self._found.items() if key in now}

    def __iter__(self) -> Iterator[RestoredEntry]:
        return iter(self._found.values())


def _has_moved(before: SeenEntry, now: SeenEntry) -> bool:
    """Whether an entry has kept its id and its title, and got another link: then it is the same page."""
    same = (before.entry.title or "") == (now.entry.title or "")
    return same and before.address is None and now.address is None

"""What the captures of many posts' pages come to: a few queries for several hundred pages, then pure rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

from archive.archive import Archive
from archive.errors import NotArchivedError
from archive.index.in_bulk import addresses_of, captures_by_page, originals_of, texts_by_page, with_text
from archive.index.schema import CaptureRow
from archive.warc.page_identity import page_key
from crawler.decide.answers import GONE, NOT_MODIFIED, OK
from crawler.decide.page import after_page
from crawler.frontier.deletions import Deletion
from crawler.frontier.restoring import RestoredPage
from crawler.model.answer import Answer
from crawler.model.visits import Gone, Page, PageVisit

_HELD = frozenset({OK, NOT_MODIFIED})
_UNNAMED = "unk"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHistory:
    """The captures of one page under all its addresses, and which of them have a text."""

    url: str
    rows: tuple[tuple[CaptureRow, CaptureRow], ...]
    """Each capture, oldest first, with the one that answered, after redirects."""
    read: frozenset[str]
    """WARC-Record-IDs of captures that have a text of the page."""
    from_feed: bool
    """Whether the words of the feed are a text of the post."""


def final_captures(
    archive: Archive, rows: Sequence[CaptureRow], originals: Mapping[str, CaptureRow]
) -> list[tuple[CaptureRow, CaptureRow]]:
    """Each capture with the one that answered in the end, after redirects; those that lead nowhere are left out."""
    found = []
    for row in rows:
        confirmed = originals.get(row.refers_to) if row.refers_to else None
        shown = confirmed if confirmed is not None and row.status == NOT_MODIFIED else row
        if not _redirects(shown.status):
            found.append((row, row))
            continue
        try:
            found.append((row, archive.find(row.url, row.date)))
        except NotArchivedError:
            continue
    return found


def _redirects(status: int) -> bool:
    return 300 <= status < 400 and status != NOT_MODIFIED  # noqa: PLR2004  RFC 9110 §15.4


def histories(archive: Archive, urls: Sequence[str]) -> list[PageHistory]:
    """The history of each of some pages.

    Raises:
        ArchiveError: Store or database failed.
    """
    own = {url: page_key(url) for url in urls}
    joined = addresses_of(archive.index, set(own.values()))
    addresses = {url: joined[key] for url, key in own.items()}
    keys = {key for of_page in addresses.values() for key in of_page}
    by_page = captures_by_page(archive.index, keys)
    originals = originals_of(archive.index, by_page)
    rows: dict[str, list[tuple[CaptureRow, CaptureRow]]] = {}
    for url in urls:
        bare = url.partition("#")[0]
        theirs = [row for key in addresses[url] for row in by_page.get(key, ())]
        # Redirects between addresses of one page lead to the page itself.
        theirs = [row for row in theirs if row.url == bare or not _redirects(row.status)]
        theirs.sort(key=lambda row: (row.date, row.record))
        rows[url] = final_captures(archive, theirs, originals)
    read, from_feed = _texts(archive, keys, rows)
    return [
        PageHistory(
            url=url,
            rows=tuple(rows[url]),
            read=frozenset(
                record for _, final in rows[url] for record in (final.record, final.refers_to or "") if record in read
            ),
            from_feed=any(key in from_feed for key in addresses[url]),
        )
        for url in urls
    ]


def _texts(
    archive: Archive, keys: Collection[str], rows: Mapping[str, Sequence[tuple[CaptureRow, CaptureRow]]]
) -> tuple[set[str], set[str]]:
    """Records of captures that have a text of their page; and keys of pages whose text is the feed's."""
    read, from_feed = texts_by_page(archive.index, keys)
    others: set[str] = set()  # of captures of other pages that have the same payload, or that redirects led to
    for of_page in rows.values():
        for _, final in of_page:
            sources = {final.record, final.refers_to or final.record}
            if not sources & read:
                others |= sources
    return read | with_text(archive.index, others), from_feed


def restored(
    history: PageHistory, feed_id: int | None, *, plan: Sequence[timedelta], ledger: Collection[Deletion]
) -> tuple[RestoredPage | None, list[Deletion]]:
    """What a page's captures come to, and the deletions among them; None if they show nothing of the post.

    The ledger decides whether a page was the post: the crawl had more evidence than the capture.
    """
    page = Page(url=history.url, feed_id=feed_id, kept=False)
    values: dict[str, Any]
    last: PageVisit | None = None
    alive: PageVisit | None = None
    lost: list[Deletion] = []
    was_read = False
    for final in _answers(history):
        gone = cast("Gone | None", next((one.kind for one in ledger if one.missing(final.date)), None))
        if final.status not in _HELD and not (page.kept and (gone or final.status in GONE)):
            continue
        has_text = final.record in history.read or final.refers_to in history.read
        was_read = was_read or has_text
        media = not has_text and _is_media(final)
        if not (page.kept or has_text or media):
            continue  # it was not the post, or its text is yet to be made
        answer = Answer(at=final.date, status=final.status, row=final)
        error, verdict = ("no text: is not a web page", "media") if media else (None, None)
        visit = after_page(page, answer, plan=plan, gone=gone, error=error)
        visit = replace(visit, verdict=verdict)
        _note(lost, page, visit, alive)
        last = visit
        if visit.kept:
            alive = visit
        page = replace(page, kept=page.kept or visit.kept, checks=visit.checks)
    if last is None:
        values = _in_feed(history) if history.from_feed else {}
    else:
        names = ("due", "status", "error", "failures", "etag", "last_modified", "validated", "checks", "verdict")
        values = {"visited": last.at, **{name: getattr(last, name) for name in names}}
        if alive is not None:
            source = {"source": "page"} if was_read else {}
            values |= {"kept": True, "alive": alive.at, "alive_record": alive.record, **source}
    return (RestoredPage(url=history.url, values=values) if values else None), lost


def _answers(history: PageHistory) -> Iterator[CaptureRow]:
    """What answered each visit, once: a redirect between addresses of the page and where it leads are one visit."""
    seen: set[str] = set()
    for _, final in history.rows:
        if final.record not in seen:
            seen.add(final.record)
            yield final
            yield from [replace(final, date=final.seen)] * final.confirmed


def _in_feed(history: PageHistory) -> dict[str, Any]:
    """Columns of a page that was refused, so that the words of the feed are the text."""
    refusals = [final for final in _answers(history) if final.status not in _HELD]
    last = {"visited": refusals[-1].date, "status": refusals[-1].status} if refusals else {}
    return {"source": "feed", **last}


def _is_media(row: CaptureRow) -> bool:
    """Whether a post is not a web page, but a picture, a sound or a document: it has no text, and is archived."""
    return row.status == OK and row.mime != _UNNAMED and "html" not in row.mime


def _note(lost: list[Deletion], page: Page, visit: PageVisit, alive: PageVisit | None) -> None:
    """Enter the outcome of a visit into the page's part of the ledger, as `frontier.deletions.note` does."""
    standing = lost[-1] if lost and lost[-1].restored is None else None
    if visit.kept and standing is not None:
        lost[-1] = replace(standing, restored=visit.at, restored_record=visit.record)
    elif visit.gone and standing is None:
        lost.append(
            Deletion(
                key=page_key(page.url),
                url=page.url,
                since=visit.at,
                kind=visit.gone,
                status=visit.status,
                proof=visit.record,
                alive=alive.at if alive else None,
                alive_record=alive.record if alive else None,
            )
        )

"""Captures to extract again: those with a text, and posts whose text could not be extracted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from archive.archive import Archive
from archive.errors import NotArchivedError
from archive.extract.text import Entry
from archive.index.schema import CaptureRow
from archive.maintenance import re_extract
from archive.maintenance.re_extract import ToExtract
from archive.warc.page_identity import page_key
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier


def wanted(
    archive: Archive, frontier: Frontier, urls: Sequence[str], unknown: Callable[[NotArchivedError], None]
) -> Iterator[ToExtract]:
    """Captures to extract again: those of the given URLs, or of all posts and imported pages.

    Captures of a login wall or an error page in place of a post, as recorded in the ledger, are left out.

    Args:
        archive: It.
        frontier: Knows the posts.
        urls: Of posts; empty: all.
        unknown: Is told of each URL that is not archived; the others are done nevertheless.

    Raises:
        ArchiveError: Store or database failed.
    """
    lost: dict[str, list[Deletion]] = {}
    for deletion in frontier.deletions():
        lost.setdefault(deletion.key, []).append(deletion)
    if urls:
        found = _of_urls(archive, frontier, urls, lost, unknown)
    else:
        yield from (ToExtract(row=row) for row in re_extract.with_text(archive))
        found = chain(_without_text(archive, frontier, lost), _imported(archive, lost))
    seen: set[str] = set()
    for one in found:
        if one.row.record not in seen:  # several URLs may lead to one page
            seen.add(one.row.record)
            yield one


def _of_urls(
    archive: Archive,
    frontier: Frontier,
    urls: Sequence[str],
    lost: dict[str, list[Deletion]],
    unknown: Callable[[NotArchivedError], None],
) -> Iterator[ToExtract]:
    for url in urls:
        entry = next((page.entry for page in frontier.kept(url)), None)
        try:
            for row in re_extract.of_url(archive, url):
                if archive.index.text_of(row.record) or not _missing(url, row, lost):
                    yield ToExtract(row=row, entry=entry)
        except NotArchivedError as e:
            unknown(e)


def _imported(archive: Archive, lost: dict[str, list[Deletion]]) -> Iterator[ToExtract]:
    yield from (ToExtract(row=row) for row in re_extract.imported(archive) if not _missing(row.url, row, lost))


def _without_text(archive: Archive, frontier: Frontier, lost: dict[str, list[Deletion]]) -> Iterator[ToExtract]:
    for page in frontier.kept():
        yield from _unread(archive, page.url, page.entry, lost)


def _unread(archive: Archive, url: str, entry: Entry | None, lost: dict[str, list[Deletion]]) -> Iterator[ToExtract]:
    try:
        for row in re_extract.of_url(archive, url):
            if not archive.index.text_of(row.record) and not _missing(url, row, lost):
                yield ToExtract(row=row, entry=entry)
    except NotArchivedError:
        return  # its captures are in another archive


def _missing(url: str, row: CaptureRow, lost: dict[str, list[Deletion]]) -> bool:
    """Whether the post was not there when its page was captured."""
    return any(one.missing(row.date) for one in lost.get(page_key(url), ()))

"""The open batch of a crawl and its commit: *bytes, index, frontier*, in another thread, one after another.

Captures and texts go into a batch; visits for the frontier wait beside it. Nothing counts as archived before its batch
is committed.

Adding to a batch asks the database and writes to disk, so it happens in a thread of its own, in the order in which it
was asked for; a batch is sealed there too, after all that was added to it. The event loop only waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from archive.archive import Archive
from archive.errors import ArchiveError, SpoolFullError
from archive.extract.text import Text
from archive.index.schema import CaptureRow
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from archive.writer.batch import Batch, Origin, Sealed, TextSource
from crawler.frontier.frontier import Frontier
from crawler.model.url_identity import shard
from crawler.model.visits import FeedVisit, ListingVisit, PageVisit
from crawler.net.request_context import Recorded
from crawler.session import notes
from crawler.session.host_claims import HostClaims
from crawler.session.outage import Outage
from crawler.session.summary import PageOutcome, Summary

log = logging.getLogger(__name__)

_ROOM_SECONDS = 1.0
"""Time between two checks whether a full disk has space again."""

T = TypeVar("T")


@dataclass(slots=True)
class _Growing:
    """A batch and the visits to store in the frontier with it."""

    batch: Batch
    feeds: list[FeedVisit] = field(default_factory=list)
    pages: list[PageOutcome] = field(default_factory=list)
    listings: list[ListingVisit] = field(default_factory=list)
    shards: list[int] = field(default_factory=list)
    """Shard of each request that this batch settles."""
    failure: ArchiveError | None = None
    """Why nothing more may be added: an earlier addition failed half-way."""

    def add(self, write: Callable[[_Growing], T]) -> T:
        """Add something; called in the one thread that does.

        Raises:
            SpoolFullError: There is no room; nothing was added, and the call may be repeated.
            ArchiveError: This addition or an earlier one failed; the batch must not be used any more.
        """
        if self.failure is not None:
            raise self.failure
        try:
            return write(self)
        except SpoolFullError:
            raise
        except ArchiveError as e:
            self.failure = e
            raise

    def seal(self) -> Sealed:
        """Seal the batch; called in the same thread, after everything was added.

        Raises:
            ArchiveError: It cannot be sealed, or an addition has failed; the files stay as they are.
        """
        if self.failure is not None:
            self.batch.abandon()
            raise self.failure
        return self.batch.seal()


class Committer:
    """Collects what a crawl captures, and commits it when it is large or old enough.

    Args:
        archive: Where captures and texts are stored.
        frontier: Where visits are stored.
        hosts: Notified of settled requests.
        outage: Waits for store, database and disk.
        settings: Sizes and times.
        origin: Who crawls, for the warcinfo records.
        summary: Counts what is committed.
        now: The clock of this run.
        changed: Called when the summary has changed.
        failed: Called once, when the archive cannot store any more.
    """

    def __init__(
        self,
        archive: Archive,
        frontier: Frontier,
        hosts: HostClaims,
        outage: Outage,
        settings: ArchiveSettings,
        *,
        origin: Origin,
        summary: Summary,
        now: Callable[[], datetime],
        changed: Callable[[], None],
        failed: Callable[[ArchiveError], None],
    ) -> None:
        self._archive = archive
        self._frontier = frontier
        self._hosts = hosts
        self._outage = outage
        self._origin = origin
        self._summary = summary
        self._now = now
        self._changed = changed
        self._failed = failed
        self._batch_bytes = settings.batch_megabytes * 1_000_000
        self._batch_seconds = settings.batch_seconds
        self._spool_bytes = settings.spool_megabytes * 1_000_000
        self._growing: _Growing | None = None
        self._committing: set[asyncio.Task[None]] = set()
        self._last: asyncio.Task[None] | None = None
        self._waiting_bytes = 0
        self._adding = ThreadPoolExecutor(1, thread_name_prefix="batch")
        self.failure: ArchiveError | None = None
        """Why the archive cannot store any more; ends the run."""

    # -- called by components

    async def record(self, capture: Capture) -> Recorded | None:
        """Write a capture into the open batch; None once the archive has failed."""

        def write(growing: _Growing) -> Recorded:
            row = growing.batch.add(capture)
            return Recorded(row=row, repeats=growing.batch.repeats(row))

        return await self._write(write)

    async def add_text(self, row: CaptureRow | TextSource, text: Text) -> None:
        """Write the text of a capture that is in this batch or an earlier one."""
        await self._write(lambda growing: growing.batch.add_text(row, text))

    async def visited_feed(self, visit: FeedVisit, *, url: str, row: CaptureRow | None = None) -> None:
        """Store a visit of a feed with the next commit.

        Args:
            visit: What it changes.
            url: URL of the feed, as requested.
            row: Its capture, if there is one.
        """
        visit = replace(visit, under=self._hosts.under(url))
        note = notes.write(notes.FeedNote(record=row.record if row else None, visit=visit))

        def write(growing: _Growing) -> None:
            growing.batch.note(note)
            growing.feeds.append(visit)
            growing.shards.append(shard(url))

        await self._write(write)
        log.info(
            "feed visit id=%d status=%s new=%d error=%s",
            visit.feed_id,
            visit.status,
            sum(seen.fetch for seen in visit.entries),
            visit.error,
        )
        self._changed()

    async def visited_page(
        self,
        visit: PageVisit,
        *,
        known: bool,
        row: CaptureRow | None = None,
        text: Text | None = None,
        same_text: bool = False,
        had_text: bool = False,
    ) -> None:
        """Store a visit of a page and its text with the next commit.

        Args:
            visit: What it changes.
            known: Whether the page was archived before.
            row: Its capture, if there is one.
            text: Extracted from that capture.
            same_text: Whether the text is the same as the previous one.
            had_text: Whether the post had a text before.
        """
        visit = replace(visit, under=self._hosts.under(visit.url))
        note = notes.write(notes.PageNote(record=row.record if row else None, visit=visit))
        kind = row.kind if row else ""
        outcome = PageOutcome(visit=visit, known=known, kind=kind, same_text=same_text, had_text=had_text)

        made = [] if text is None or row is None else [(row, text)]

        def write(growing: _Growing) -> None:
            # The text first: a note without its text would hide that the text is missing. Once, though there may be no
            # room for the note.
            while made:
                growing.batch.add_text(*made[0])
                del made[0]
            growing.batch.note(note)
            growing.pages.append(outcome)
            growing.shards.append(shard(visit.url))

        await self._write(write)
        self._summary.done += 1
        self._changed()

    async def visited_listing(self, visit: ListingVisit, row: CaptureRow | None = None) -> None:
        """Store a visit of a listing with the next commit; `row` is its capture, if there is one."""
        visit = replace(visit, under=self._hosts.under(visit.url))
        note = notes.write(notes.ListingNote(record=row.record if row else None, visit=visit))

        def write(growing: _Growing) -> None:
            growing.batch.note(note)
            growing.listings.append(visit)
            growing.shards.append(shard(visit.url))

        await self._write(write)
        self._summary.listings += 1
        self._changed()

    def set_aside(self, url: str) -> None:
        """Note that a URL whose host was claimed is not requested after all; the next commit settles it."""
        self._grow().shards.append(shard(url))

    # -- the open batch

    async def _write(self, write: Callable[[_Growing], T]) -> T | None:
        """Write into the open batch, waiting while the disk is full; None once the archive has failed."""
        while self.failure is None:
            growing = self._grow()
            try:
                done: T = await self._in_order(growing.add, write)
            except SpoolFullError as e:
                await self._wait_for_room(e)
            except ArchiveError as e:
                self.fail(e)
            else:
                self._outage.resume("disk")
                if growing.batch.bytes >= self._batch_bytes:
                    self._seal(growing)
                return done
        return None

    async def _in_order(self, function: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401  the function's own
        """Call in the thread that adds to batches, after everything that was asked for before."""
        added = asyncio.get_running_loop().run_in_executor(self._adding, function, *arguments)
        return await self._outage.answer(added, of=function)

    async def _wait_for_room(self, error: SpoolFullError) -> None:
        """Pause the crawl and commit the open batch, which frees space in the spool."""
        self._outage.stall("disk", str(error))
        if self._growing is not None and self._growing.batch.bytes:
            self._seal(self._growing)
        if self._outage.deadline_passed(self._outage.stalled_since("disk")):
            self.fail(error)
        else:
            await asyncio.sleep(_ROOM_SECONDS)

    def _grow(self) -> _Growing:
        if self._growing is None:
            growing = self._growing = _Growing(self._archive.writer.batch(now=self._now(), origin=self._origin))
            asyncio.get_running_loop().call_later(self._batch_seconds, self._seal, growing)
        return self._growing

    # -- commits

    async def flush(self) -> None:
        """Commit the open batch, so that the frontier is up to date."""
        if self._growing is not None:
            self._seal(self._growing)
        while self._committing:
            waiting: list[Awaitable[None]] = list(self._committing)
            await asyncio.gather(*waiting)

    def _seal(self, growing: _Growing) -> None:
        """Commit a batch in the background; the next record begins another one."""
        if self._growing is not growing:
            return  # already committed
        self._growing = None
        task = self._last = asyncio.ensure_future(self._commit(growing, self._last))
        self._committing.add(task)
        task.add_done_callback(self._committing.discard)

    async def _commit(self, growing: _Growing, before: asyncio.Task[None] | None) -> None:
        """Seal at once, then commit after the previous batch: a later one may refer to records of an earlier one."""
        try:
            sealed: Sealed = await self._in_order(growing.seal)
            size = growing.batch.bytes  # nothing is added any more
            self._waiting_bytes += size
            if self._waiting_bytes > self._spool_bytes:
                self._outage.stall("quota", "the spool has reached PRESSMARK_SPOOL_MEGABYTES")
            if before is not None:
                await before
            if self.failure is not None:
                return  # it stays in the spool
            await self._outage.call(self._archive.writer.commit, sealed)
            visits = [page.visit for page in growing.pages]
            late = await self._outage.call(self._frontier.commit, growing.feeds, visits, growing.listings)
            await self._outage.once(self._archive.writer.release, sealed)
            await self._hosts.settle(growing.shards)
        except ArchiveError as e:
            self.fail(e)
            return
        except Exception as e:
            log.exception("commit failed")
            self.fail(ArchiveError(f"commit failed: {type(e).__name__}: {e}", hint="Please report this."))
            return
        ignored = set(map(id, late))
        self._summary.late += len(late)
        self._summary.count(
            sealed,
            [visit for visit in growing.feeds if id(visit) not in ignored],
            [page for page in growing.pages if id(page.visit) not in ignored],
        )
        self._waiting_bytes -= size
        if self._waiting_bytes <= self._spool_bytes:
            self._outage.resume("quota")
        self._changed()

    def fail(self, error: ArchiveError) -> None:
        """Accept nothing more: what is fetched from now on could not be stored, or must not be."""
        if self.failure is not None:
            return
        self.failure = error
        log.error("archive failed, crawl stops error=%s", error)
        if self._growing is not None:
            self._adding.submit(self._growing.batch.abandon)  # after what is being added
            self._growing = None
        self._failed(error)

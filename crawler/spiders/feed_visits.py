"""Visits of feeds: reads responses and records what they change. The rules are in `crawler.decide.feed`."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from archive.errors import TaskError
from archive.warc.page_identity import page_key
from crawler.decide.answers import NOT_MODIFIED, OK, PARTIAL
from crawler.decide.entries import keys, page_of, page_url, seen_entries
from crawler.decide.feed import Reading, after_feed
from crawler.feeds.model import ParsedFeed
from crawler.frontier.frontier import Frontier
from crawler.model.answer import Answer
from crawler.model.visits import Feed, Page, SeenEntry
from crawler.net.failure_reason import reason
from crawler.session.retry_after import RetryAfterError
from crawler.session.run import Run
from crawler.spiders.seeds import parsed_feed, reason_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """The result of a visit of a feed."""

    pages: tuple[Page, ...] = ()
    """Pages of posts that are new or may have changed."""
    error: str | None = None
    """Why there is no document; None if there is one, or if nothing has changed."""


class FeedVisits:
    """Visits of feeds in one run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def answered(self, feed: Feed, answer: Answer) -> Visited:
        """Record the response to a conditional GET of a feed: not modified, a document, or an error."""
        if answer.status == NOT_MODIFIED:
            return await self._visited(feed, answer)
        error = None if answer.status in {OK, PARTIAL} else f"answered {answer.status}"
        same = error is None and feed.error is None and feed.shown is not None and answer.repeats
        if same and (answer.etag, answer.last_modified) == (feed.etag, feed.last_modified):
            return await self._visited(feed, answer, Reading(same=True))  # nothing to parse
        parsed: ParsedFeed | None = None
        if error is None:
            try:
                parsed = await parsed_feed(self._run, answer, feed)
            except TaskError as e:
                error = reason_of(answer, e)
        if parsed is None:
            return await self._visited(feed, answer, error=error or "is not a feed")
        return await self.read(feed, answer, parsed, same=same and parsed.complete)

    async def read(self, feed: Feed, answer: Answer, parsed: ParsedFeed, *, same: bool = False) -> Visited:
        """Record a feed's entries; returns the pages of those that are new or changed."""
        # Feeds with thousands of entries must not delay other responses.
        reading, pages = await self._run.call(compared, self._run.frontier, feed, parsed, self._run.now())
        if parsed.left_out:
            log.warning("entries left out feed=%s read=%d left=%d", feed.url, len(parsed.entries), parsed.left_out)
        await self._visited(feed, answer, replace(reading, same=same))
        wanted = (page_of(entry, feed, pages.get(entry.url or "")) for entry in reading.seen)
        return Visited(pages=tuple(page for page in wanted if page))

    async def failed(self, feed: Feed, failure: BaseException) -> None:
        """A feed could not be fetched."""
        run = self._run
        answer = Answer(at=run.now())
        visit = after_feed(feed, answer, pace=run.options.pace, error=reason(failure), chance=run.random())
        if isinstance(failure, RetryAfterError):  # it was not requested, so it did not fail
            visit = replace(visit, failures=feed.failures, due=failure.until, judged=(), alarms=())
        await run.committer.visited_feed(visit, url=feed.url)

    async def _visited(
        self,
        feed: Feed,
        answer: Answer,
        reading: Reading = Reading(),  # noqa: B008  frozen
        *,
        error: str | None = None,
    ) -> Visited:
        run = self._run
        visit = after_feed(feed, answer, reading, pace=run.options.pace, error=error, chance=run.random())
        await run.committer.visited_feed(visit, url=feed.url, row=answer.row)
        return Visited(error=error)


def compared(frontier: Frontier, feed: Feed, parsed: ParsedFeed, at: datetime) -> tuple[Reading, dict[str, Page]]:
    """A document compared with what is known of its entries, and the known pages of these entries."""
    found = keys(parsed.entries)
    urls = {url for entry in parsed.entries if (url := page_url(entry))}
    known, pages = frontier.known(feed.id, [key for key in found if key], urls)
    seen = _each_page_once(seen_entries(parsed.entries, known, pages, parsed.feed.language, at=at))
    # An entry under a new id is not new if its page is known.
    shared = [key in known or entry.page in pages for key, entry in zip(found, parsed.entries, strict=True)]
    return Reading(parsed=parsed, seen=seen, shared=tuple(shared)), pages


def _each_page_once(seen: Iterable[SeenEntry]) -> tuple[SeenEntry, ...]:
    """Entries of one document, with each page to be fetched only once."""
    wanted: set[str] = set()
    found = []
    for one in seen:
        known = page_key(one.url) if one.url and one.fetch else None
        found.append(replace(one, fetch=False) if known in wanted else one)
        if known:
            wanted.add(known)
    return tuple(found)

"""Visits of feeds: reads responses and records what they change. The rules are in `crawler.decide.feed`."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from archive.errors import TaskError
from archive.warc.page_identity import page_key
from crawler.decide.answers import NOT_MODIFIED, OK, PARTIAL
from crawler.decide.departures import followed
from crawler.decide.entries import feed_post, keys, only_in_feed, pages_to_fetch, placed, seen_entries, title_of
from crawler.decide.feed import Reading, after_feed
from crawler.decide.restless import settled
from crawler.feeds.model import ParsedFeed
from crawler.frontier.frontier import Frontier
from crawler.model.answer import Answer
from crawler.model.visits import Feed, Page, SeenEntry, Source
from crawler.net.failure_reason import reason
from crawler.session.retry_after import RetryAfterError
from crawler.session.run import Run
from crawler.spiders.feed_texts import write_texts
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
        record = answer.row.record if answer.row else None
        texts = await self._texts(feed, answer, reading)
        await self._visited(feed, answer, replace(reading, same=same), texts=texts)
        return Visited(pages=tuple(pages_to_fetch(reading.seen, feed, pages, record=record, at=answer.at)))

    async def _texts(self, feed: Feed, answer: Answer, reading: Reading) -> tuple[tuple[str, Source], ...]:
        """Write the texts of new posts that are only in the feed; returns their addresses and `feed`."""
        record = answer.row.record if answer.row else None
        posts = [feed_post(one, feed, record=record, at=answer.at) for one in reading.seen if only_in_feed(one)]
        written = await write_texts(self._run, [post for post in posts if post])
        return tuple((address, "feed") for address in written)

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
        texts: tuple[tuple[str, Source], ...] = (),
    ) -> Visited:
        run = self._run
        visit = after_feed(feed, answer, reading, pace=run.options.pace, error=error, chance=run.random())
        visit = replace(visit, record=answer.row.record if answer.row else None, texts=texts)
        await run.committer.visited_feed(visit, url=feed.url, row=answer.row)
        return Visited(error=error)


def compared(frontier: Frontier, feed: Feed, parsed: ParsedFeed, at: datetime) -> tuple[Reading, dict[str, Page]]:
    """A document compared with what is known of its entries, and the known pages of these entries."""
    named = keys(parsed.entries)
    site = parsed.feed.link or feed.site
    found = list(zip(parsed.entries, named, placed(parsed.entries, named, feed=feed.url, site=site), strict=True))
    shown = {key: (place.page, title_of(entry)) for entry, key, place in found if key and place.page}
    known, pages = frontier.known(feed.id, [key for key in named if key], shown)
    language = parsed.feed.language
    calm = settled(parsed.entries, named, known, feed=feed, at=at)
    seen = seen_entries(parsed.entries, calm.known, pages, language, at=at, feed=feed.url, site=site)
    # An entry under a new id is not new if its page is known.
    shared = [key in known or (place.address is None and place.page in pages) for _, key, place in found]
    reading = Reading(
        parsed=parsed,
        seen=_each_page_once(seen),
        shared=tuple(shared),
        restless=calm.restless,
        shows=followed(feed, parsed, named),
    )
    return reading, pages


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

"""Visits of posts' pages: text, evidence of deletions, what is recorded. The rules are in `crawler.decide.page`."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urljoin

from archive.errors import ArchiveError, TaskError
from archive.extract.text import Entry, Text
from archive.index.from_records import HeldText
from archive.index.known import Known
from archive.maintenance.re_extract import reads_same
from crawler.decide import deleted_posts, freshness
from crawler.decide.answers import NOT_MODIFIED, OK
from crawler.decide.page import after_page
from crawler.model.answer import Answer
from crawler.model.visits import Gone, Page
from crawler.session.run import Run

log = logging.getLogger(__name__)

Probe = Callable[..., Awaitable[Answer | None]]
"""Requests another URL of a page's site: `probe(url, via=…)`; None if there is no response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What a response shows about a post."""

    text: Text | None = None
    error: str | None = None
    gone: Gone | None = None


class PageVisits:
    """Visits of posts' pages in one run.

    Args:
        run: What the components of this crawl share.
        probe: Requests a page that cannot exist, to recognise error pages with status 200 (soft 404).
    """

    def __init__(self, run: Run, probe: Probe) -> None:
        self._run = run
        self._probe = probe

    async def answered(self, page: Page, answer: Answer, known: Known) -> None:
        """Record the response to a request for a page, given what was known of it before."""
        judged = await self._judged(page, answer, known)
        same_text = False
        if judged.text is not None and page.kept:
            same_text = await self._reads_same(judged.text, known)
        visit = after_page(
            page,
            answer,
            plan=self._run.options.recheck_plan,
            error=judged.error,
            not_before=self._retry_after(answer),
            gone=judged.gone,
        )
        if judged.text is not None and answer.row is not None:
            self._run.texts.made(answer.row.url)
        await self._run.committer.visited_page(
            visit, known=page.kept, row=answer.row, text=judged.text, same_text=same_text
        )

    async def failed(self, page: Page, error: str, not_before: datetime | None = None) -> None:
        """A page could not be fetched, or must not be requested before an instant."""
        log.warning("page failed url=%s error=%s", page.url, error)
        answer = Answer(at=self._run.now())
        visit = after_page(page, answer, plan=self._run.options.recheck_plan, error=error, not_before=not_before)
        await self._run.committer.visited_page(visit, known=page.kept)

    async def _judged(self, page: Page, answer: Answer, known: Known) -> _Judged:
        """Text, error, or evidence that the post is gone."""
        error = None if answer.status in {OK, NOT_MODIFIED} else f"answered {answer.status}"
        seen = await self._seen(page, answer) if page.kept else None
        gone = deleted_posts.by_address(seen) if seen else None
        if gone is not None:
            return _gone(gone)
        if answer.truncated and answer.status == OK:
            return _Judged(error="came in part: its compressed payload has no end")
        if answer.status != OK or (answer.repeats and known.has_text(answer.row.refers_to if answer.row else None)):
            return _Judged(error=error)
        before = await self._before(known) if page.kept else None
        text: Text | None = None
        try:
            text = await self._text(answer, _merged(page.entry, before.entry if before else None))
        except TaskError as e:
            error = f"no text: {e}"
            log.warning("no text url=%s error=%s", answer.url, e)
        if seen is not None and before is not None:
            gone = await self._replaced(page, answer, seen, text.text if text else "", before.text)
        return _gone(gone) if gone is not None else _Judged(text=text, error=error)

    async def _text(self, answer: Answer, entry: Entry | None = None) -> Text:
        """The text of a page.

        Raises:
            TaskError: No text can be extracted.
        """
        return await self._run.texts.extract(
            answer.body, url=answer.url, content_type=answer.content_type, at=answer.at, entry=entry
        )

    async def _seen(self, page: Page, answer: Answer) -> deleted_posts.Seen:
        """What is now at the post's URL, before its words are examined."""
        status = answer.status or 0
        front = await self._run.call(self._run.frontier.site, page.feed_id) if answer.redirected else None
        return deleted_posts.Seen(asked=answer.asked, url=answer.url, status=status, site=front)

    async def _before(self, known: Known) -> HeldText | None:
        """The text of the page when it was last seen."""
        if known.text is None:
            return None
        try:
            return await asyncio.to_thread(self._run.archive.read_text, known.text)
        except ArchiveError as e:
            log.info("not compared with what was there url=%s reason=%s", known.text.url, e)
            return None

    async def _reads_same(self, text: Text, known: Known) -> bool:
        """Whether the previous text is the same; if another extractor made it, it is extracted again to compare."""
        before = known.text
        if before is None:
            return False
        if (same := reads_same(before, text)) is not None:
            return same
        try:
            capture = await self._run.call(self._run.archive.index.capture, before.capture)
            if capture is None:
                return False
            made = await self._run.texts.again(capture)
        except (ArchiveError, TaskError) as e:
            log.warning("not compared with the text before url=%s error=%s", before.url, e)
            return False
        await self._run.committer.add_text(capture, made)
        return made.digest == text.digest

    async def _replaced(
        self, page: Page, answer: Answer, seen: deleted_posts.Seen, words: str, before: str
    ) -> Gone | None:
        """Whether a login wall or an error page has replaced the post."""
        now = replace(
            seen,
            title=deleted_posts.title(answer.body),
            text=words,
            before=before,
            asks_password=deleted_posts.asks_password(answer.body),
        )
        if not deleted_posts.is_other(now):
            return None
        if (evident := deleted_posts.by_words(now)) is not None:
            return evident
        # Error pages that do not say so are the same for every URL without a page.
        probe = await self._probe(urljoin(page.url, f"pressmark-{secrets.token_hex(8)}"), via=page.url)
        if probe is None or probe.status != OK:
            return None
        try:
            return "soft-404" if deleted_posts.same((await self._text(probe)).text, words) else None
        except TaskError:
            return None

    def _retry_after(self, answer: Answer) -> datetime | None:
        """When the server's Retry-After ends (RFC 9110 §10.2.3)."""
        now = self._run.now()
        stated = answer.headers.get("retry-after")
        wait = freshness.retry_after(stated, at=now) if answer.status != OK else None
        return now + wait if wait else None


def _gone(gone: Gone) -> _Judged:
    return _Judged(error=f"the post is no longer there ({gone})", gone=gone)


def _merged(entry: Entry | None, before: Entry | None) -> Entry | None:
    """What a feed says about a post, with the markup used for the previous text: the frontier has deleted its own."""
    if entry is None or before is None:
        return entry or before
    return entry if entry.html else replace(entry, html=before.html)

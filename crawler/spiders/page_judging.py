"""Judges what a response shows of a post: its text, a refusal, another page in its place, or that it is gone.

A page is judged on the first visit by its own evidence and its entry (`archive.extract.page_reading`); on later visits
also by what was there before. What was never seen cannot be gone.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from archive.errors import ArchiveError, TaskError
from archive.extract.join_pages import join_pages
from archive.extract.text import Entry, Text
from archive.index.from_records import HeldText
from archive.index.known import Known
from archive.warc.page_identity import page_key
from crawler.decide import deleted_posts
from crawler.decide.answers import BUSY, NOT_MODIFIED, OK
from crawler.decide.places import own_domains
from crawler.limits import FURTHER_PAGES
from crawler.model.answer import Answer
from crawler.model.visits import Gone, Page
from crawler.session import tasks
from crawler.session.run import Run

if TYPE_CHECKING:
    from archive.extract.reading import PageReading

log = logging.getLogger(__name__)

Probe = Callable[..., Awaitable[Answer | None]]
"""Requests another URL of a page's site: `probe(url, via=…)`; None if there is no response."""

_GONE: dict[str, Gone] = {"login": "login", "front": "home", "error": "soft-404"}
"""Verdicts on an archived page that mean that the post is gone; others mean that it was not shown."""
_POSTS = frozenset({"media"})
"""Verdicts on pages that are the post although no text can be made of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a response shows about a post."""

    text: Text | None = None
    error: str | None = None
    gone: Gone | None = None
    verdict: str | None = None
    """Why the page is not the post, or has no text of it."""
    reading: PageReading | None = None

    @property
    def refused(self) -> str | None:
        """The verdict, if the page is not the post."""
        return None if self.verdict in _POSTS else self.verdict


class PageJudge:
    """Judges pages in one run.

    Args:
        run: What the components of this crawl share.
        probe: Requests a page that cannot exist, to recognise pages that answer every URL; and further pages of a post.
    """

    def __init__(self, run: Run, probe: Probe) -> None:
        self._run = run
        self._probe = probe

    async def judge(self, page: Page, answer: Answer, known: Known) -> Judged:
        """Text, error, or evidence that the page is not the post or that the post is gone."""
        error = None if answer.status in {OK, NOT_MODIFIED} else f"answered {answer.status}"
        front = await self._run.call(self._run.frontier.site, page.feed_id) if answer.redirected else None
        if page.kept and (gone := deleted_posts.by_address(_seen(answer, front))) is not None:
            return _gone(gone)
        if answer.truncated and answer.status == OK:
            return Judged(error="came in part: its compressed payload has no end")
        if answer.status != OK:
            return Judged(error=error, verdict=await self._refusal(page, answer))
        if answer.repeats and known.has_text(answer.row.refers_to if answer.row else None):
            return Judged()
        before = await self._before(known) if page.kept else None
        entry = _merged(page.entry, before.entry if before else None)
        try:
            reading = await self._run.texts.read(
                answer, entry=entry, front=front, foreign=_is_foreign(page, answer), archived=page.kept
            )
        except TaskError as e:
            log.warning("no text url=%s error=%s", answer.url, e)
            return Judged(error=f"no text: {e}")
        return await self._judged(page, answer, reading, before.text if before else None)

    async def _judged(self, page: Page, answer: Answer, reading: PageReading, before: str | None) -> Judged:
        """What a page shows, given the words of the post that were seen before, if any were."""
        other = before is None or deleted_posts.is_other(_seen(answer, None, text=reading.words, before=before))
        if not other:  # the post is there, whatever stands beside it
            return Judged(text=reading.text or await self._plain(page, answer), reading=reading)
        verdict = reading.verdict
        if verdict is not None and not verdict.certain:
            verdict = verdict if await self._is_everywhere(page, reading.words) else None
        if before is not None:
            gone = _GONE.get(verdict.kind) if verdict is not None else None
            if verdict is not None and not verdict.certain:
                gone = gone or "soft-404"
            # Error pages that do not say so are the same for every URL without a page.
            if reading.verdict is None and await self._is_everywhere(page, reading.words):
                gone = "soft-404"
            if gone is not None:
                return _gone(gone)
        text = await self._whole(answer, reading) if verdict is None else None
        if text is not None:
            return Judged(text=text, reading=reading)
        found = verdict or reading.verdict
        kind, why = (found.kind, found.reason) if found else ("empty", "has no words")
        return Judged(error=f"no text: {why}", verdict=kind, reading=reading)

    async def _refusal(self, page: Page, answer: Answer) -> str | None:
        """What refused a post that is not archived; None for an archived one, or if there is no response to judge."""
        status = answer.status or 0
        if page.kept or not answer.body or status in BUSY or not 400 <= status < 500:  # noqa: PLR2004  RFC 9110 §15.5
            return None
        try:
            reading = await self._run.texts.read(answer)
        except TaskError:
            return None
        return reading.verdict.kind if reading.verdict else None

    async def _plain(self, page: Page, answer: Answer) -> Text | None:
        """The text of a page that shows the post's earlier words, although it would not have been taken for a post."""
        try:
            return await self._run.texts.extract(
                answer.body, url=answer.url, content_type=answer.content_type, at=answer.at, entry=page.entry
            )
        except TaskError:
            return None

    async def _whole(self, answer: Answer, reading: PageReading) -> Text | None:
        """The text of a post with those of its further pages."""
        text, next_url = reading.text, reading.next_page
        if text is None or next_url is None:
            return text
        others: list[Text] = []
        records: list[str] = []
        seen = {page_key(answer.url)}
        while next_url is not None and len(others) < FURTHER_PAGES and page_key(next_url) not in seen:
            seen.add(page_key(next_url))
            further = await self._probe(next_url, via=answer.url)
            if further is None or further.status != OK or further.row is None:
                break
            try:
                found = await self._run.texts.read(further, entry=text.entry, archived=True)
            except TaskError as e:
                log.info("further page cannot be read url=%s error=%s", next_url, e)
                break
            if found.text is None:
                break
            others.append(found.text)
            records.append(further.row.record)
            next_url = found.next_page
        return replace(join_pages(text, others), pages=tuple(records)) if others else text

    async def _is_everywhere(self, page: Page, words: str) -> bool:
        """Whether the site answers with the same words for a URL that cannot exist."""
        probe = await self._probe(urljoin(page.url, f"pressmark-{secrets.token_hex(8)}"), via=page.url)
        if probe is None or probe.status != OK:
            return False
        try:
            reading = await self._run.texts.read(probe)
            same: bool = await self._run.texts.work(tasks.same_page_everywhere, one=words, other=reading.words)
        except TaskError:
            return False
        return same

    async def _before(self, known: Known) -> HeldText | None:
        """The text of the page when it was last seen."""
        if known.text is None:
            return None
        try:
            return await asyncio.to_thread(self._run.archive.read_text, known.text)
        except ArchiveError as e:
            log.info("not compared with what was there url=%s reason=%s", known.text.url, e)
            return None


def _seen(answer: Answer, front: str | None, *, text: str = "", before: str | None = None) -> deleted_posts.Seen:
    """What is now at the post's URL."""
    return deleted_posts.Seen(
        asked=answer.asked, url=answer.url, status=answer.status or 0, site=front, text=text, before=before
    )


def _is_foreign(page: Page, answer: Answer) -> bool:
    """Whether another site than the blog's answered."""
    if page.kept or page.post is None or page.post.own is None:
        return False
    own = own_domains(page.post.base, page.post.own)
    return not own_domains(answer.url) <= own


def _gone(gone: Gone) -> Judged:
    return Judged(error=f"the post is no longer there ({gone})", gone=gone)


def _merged(entry: Entry | None, before: Entry | None) -> Entry | None:
    """What a feed says about a post, with the markup used for the previous text: the frontier has deleted its own."""
    if entry is None or before is None:
        return entry or before
    return entry if entry.html else replace(entry, html=before.html)

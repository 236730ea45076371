"""Visits of posts' pages: what is recorded of a response that `page_judging` has judged."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import datetime

from archive.errors import ArchiveError, TaskError
from archive.extract.text import Text, made_by, witness_of
from archive.index.aliases import Alias
from archive.index.known import Known
from archive.maintenance.re_extract import reads_same
from archive.warc.page_identity import same_page
from crawler.decide import freshness
from crawler.decide.aliases import aliases_of, may_be_canonical
from crawler.decide.answers import BUSY, OK
from crawler.decide.page import after_page
from crawler.model.answer import Answer
from crawler.model.visits import FeedPost, Page, PageVisit, Source
from crawler.net.failure_reason import FORBIDDEN
from crawler.session.run import Run
from crawler.spiders.feed_texts import write_texts
from crawler.spiders.page_judging import Judged, PageJudge, Probe

log = logging.getLogger(__name__)

_TEMPORARY = 2
"""Failures that may be temporary after which the feed's words become the text: the feed may soon not show them."""


_FEED: Source = "feed"


class PageVisits:
    """Visits of posts' pages in one run.

    Args:
        run: What the components of this crawl share.
        probe: Requests other URLs of a page's site.
    """

    def __init__(self, run: Run, probe: Probe) -> None:
        self._run = run
        self._judge = PageJudge(run, probe)

    async def answered(self, page: Page, answer: Answer, known: Known) -> None:
        """Record the response to a request for a page, given what was known of it before."""
        judged = await self._judge.judge(page, answer, known)
        text = judged.text
        same_text = await self._reads_same(text, known) if text is not None and page.kept else False
        visit = after_page(
            page,
            answer,
            plan=self._run.options.recheck_plan,
            error=judged.error,
            not_before=self._retry_after(answer),
            gone=judged.gone,
            verdict=judged.refused,
        )
        visit = replace(visit, verdict=judged.verdict, source="page" if text is not None else None)
        if judged.verdict == "foreign":
            visit = replace(visit, due=None)
        visit = replace(visit, aliases=await self._aliases(answer, judged))
        visit = await self._posts_of_page(page, answer, visit)
        if text is None:
            visit = await self._in_feed(page, visit)
        elif answer.row is not None:
            self._run.texts.made(answer.row.url, text)
        await self._run.committer.visited_page(
            visit,
            known=page.kept,
            row=answer.row,
            text=text,
            same_text=same_text,
            had_text=page.source is not None,
        )

    async def failed(self, page: Page, error: str, not_before: datetime | None = None) -> None:
        """A page could not be fetched, or must not be requested before an instant."""
        log.warning("page failed url=%s error=%s", page.url, error)
        answer = Answer(at=self._run.now())
        visit = after_page(page, answer, plan=self._run.options.recheck_plan, error=error, not_before=not_before)
        if not_before is None:
            visit = await self._in_feed(page, visit)
        await self._run.committer.visited_page(visit, known=page.kept, had_text=page.source is not None)

    async def _in_feed(self, page: Page, visit: PageVisit) -> PageVisit:
        """Let the feed's words be the text of a post whose page does not have it, once it is clear that it has not."""
        post = page.post
        if post is None or page.source == "page" or visit.gone or not _is_settled(visit):
            return visit
        if page.source == "feed" and not page.news:
            return visit
        if visit.verdict == "foreign" and post.own is not None:
            written = await write_texts(self._run, [replace(post, address=post.own)], verdict=visit.verdict)
            return replace(visit, texts=(*visit.texts, *((address, _FEED) for address in written)))
        written = await write_texts(self._run, [post], verdict=visit.verdict or "refused")
        return replace(visit, source="feed") if written else visit

    async def _posts_of_page(self, page: Page, answer: Answer, visit: PageVisit) -> PageVisit:
        """Write the texts of posts that are places on this page, from the page or else in the feed's words."""
        if not page.shared and not page.posts:
            return visit
        found: dict[str, Source] = {}
        if answer.status == OK and visit.kept and not answer.repeats and answer.row is not None:
            posts = {post.address: post for post in await self._run.call(self._run.frontier.posts_of, page)}
            posts.update((post.address, post) for post in page.posts)
            for post in posts.values():
                text = await self._section(answer, post)
                if text is not None and not await self._is_known(text):
                    await self._run.committer.add_text(answer.row, text)
                if text is not None:
                    found[post.address] = "page"
        wanted = [post for post in page.posts if post.address not in found and same_page(post.address, page.url)]
        written = await write_texts(self._run, wanted, verdict=visit.verdict)
        found.update((address, _FEED) for address in written)
        return replace(visit, texts=tuple(found.items()))

    async def _section(self, answer: Answer, post: FeedPost) -> Text | None:
        """The text of a post that is a place on a page; None if the page has no such place, or no words there."""
        fragment = post.address.partition("#")[2]
        if not same_page(post.address, answer.asked or answer.url):
            return None
        try:
            reading = await self._run.texts.read(answer, url=f"{answer.url.partition('#')[0]}#{fragment}")
        except TaskError as e:
            log.info("section cannot be read url=%s error=%s", post.address, e)
            return None
        if reading.text is None or not reading.is_section:
            return None
        return replace(reading.text, url=post.address, own=True, entry=post.entry)

    async def _is_known(self, text: Text) -> bool:
        """Whether the newest text of a post with an address of its own is the same."""
        try:
            row = await asyncio.to_thread(self._run.archive.index.own_text, text.url, None)
        except ArchiveError as e:
            log.info("not compared with the text before url=%s reason=%s", text.url, e)
            return False
        return row is not None and row.digest == text.digest

    async def _aliases(self, answer: Answer, judged: Judged) -> tuple[Alias, ...]:
        """Evidence that the page has other addresses: only if it is the post."""
        if answer.row is None or answer.status != OK or judged.refused or judged.gone or judged.text is None:
            return ()
        found = aliases_of(answer, record=answer.row.record)
        reading = judged.reading
        if reading is None:
            return found
        for named in (reading.canonical, reading.amp):
            if named is None or not may_be_canonical(named, answer.url):
                continue
            # A canonical link of a page that has a text of its own is a mistake of the site.
            others = await asyncio.to_thread(self._run.archive.index.texts, named)
            digests = {row.digest for rows in others.values() for row in rows}
            if not digests or judged.text.digest in digests:
                alias = Alias(url=named, target=answer.url, kind="canonical", proof=answer.row.record, since=answer.at)
                found = (*found, alias)
        return found

    async def _reads_same(self, text: Text, known: Known) -> bool:
        """Whether the previous text is the same; if another extractor made it, it is extracted again to compare."""
        before = known.text
        if before is None or before.source != text.source:
            return False
        if (same := reads_same(before, text)) is not None:
            return same
        try:
            capture = await self._run.call(self._run.archive.index.capture, before.capture)
            if capture is None:
                return False
            made = await self._run.texts.again(capture)
            if made_by(made.extractor) != made_by(text.extractor):  # another witness was chosen
                made = await self._run.texts.again(capture, witness=witness_of(text))
        except (ArchiveError, TaskError) as e:
            log.warning("not compared with the text before url=%s error=%s", before.url, e)
            return False
        await self._run.committer.add_text(capture, made)
        return made.digest == text.digest

    def _retry_after(self, answer: Answer) -> datetime | None:
        """When the server's Retry-After ends (RFC 9110 §10.2.3)."""
        now = self._run.now()
        stated = answer.headers.get("retry-after")
        wait = freshness.retry_after(stated, at=now) if answer.status != OK else None
        return now + wait if wait else None


def _is_settled(visit: PageVisit) -> bool:
    """Whether a visit that brought no text shows that the page does not have it, rather than not now."""
    if visit.error is None:
        return False
    lasting = visit.verdict is not None or (visit.status is not None and 400 <= visit.status < 500)  # noqa: PLR2004
    if lasting and visit.status not in BUSY:
        return True
    return visit.failures >= _TEMPORARY or visit.due is None or visit.error == FORBIDDEN

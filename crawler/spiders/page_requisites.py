"""Page requisites: the images, stylesheets and fonts that a page loads, if the operator wants them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from archive.errors import ArchiveError, TaskError
from archive.extract.requisites import Requisite, of_style, requisites
from archive.index.known import Known, known
from archive.warc.page_identity import page_key
from crawler.decide.answers import OK
from crawler.model.answer import Answer
from crawler.net.credentials import bare
from crawler.session.run import Run

log = logging.getLogger(__name__)

_MAX_STYLES = 3
"""How deeply stylesheets that load one another are followed."""


@dataclass(slots=True)
class Allowance:
    """How many more requisites of one page may be requested; those of its stylesheets count too."""

    left: int


class PageRequisites:
    """Selects the requisites to request.

    Args:
        run: What the components of this crawl share.
        asked: Keys of what was requested in this run.
    """

    def __init__(self, run: Run, asked: set[str]) -> None:
        self._run = run
        self._asked = asked

    async def of_page(self, answer: Answer) -> tuple[list[Requisite], Allowance]:
        """The requisites of a page to request now."""
        allowance = Allowance(left=self._run.options.requisites_of_page)
        if not self._run.options.requisites or answer.status != OK:
            return [], allowance
        try:
            found: list[Requisite] = await self._run.texts.work(
                requisites, payload=answer.body, url=answer.url, content_type=answer.content_type
            )
        except TaskError as e:
            log.warning("requisites are not known url=%s error=%s", answer.url, e)
            return [], allowance
        return await self._wanted(found, allowance), allowance

    async def of_style(self, answer: Answer, asked: Requisite, allowance: Allowance, depth: int) -> list[Requisite]:
        """The requisites of a stylesheet to request now; empty if the response is not a stylesheet."""
        if asked.kind != "style" or answer.status != OK or depth >= _MAX_STYLES:
            return []
        try:
            found: list[Requisite] = await self._run.texts.work(of_style, payload=answer.body, url=answer.url)
        except TaskError as e:
            log.warning("requisites are not known url=%s error=%s", answer.url, e)
            return []
        return await self._wanted(found, allowance)

    async def _wanted(self, found: Sequence[Requisite], allowance: Allowance) -> list[Requisite]:
        """Those not requested in this run, not archived lately, and on hosts that this run can claim."""
        new = {key: one for one in _bare(found) if (key := page_key(one.url)) not in self._asked}
        fresh = await self._fresh([one.url for one in new.values()])
        wanted: list[Requisite] = []
        for key, one in new.items():
            if allowance.left <= 0:
                break
            if key not in self._asked and one.url not in fresh:
                self._asked.add(key)
                allowance.left -= 1
                wanted.append(one)
        # Another run may be crawling such a host; the page's next visit tries again.
        ours = await self._run.hosts.claim([one.url for one in wanted])
        return [one for one, mine in zip(wanted, ours, strict=True) if mine]

    async def _fresh(self, urls: Sequence[str]) -> set[str]:
        """Those that need not be requested: they were captured lately, or the archive cannot be read."""
        try:
            found: dict[str, Known] = await asyncio.to_thread(known, self._run.archive.index, dict.fromkeys(urls, None))
        except ArchiveError as e:
            log.warning("requisites are not fetched, the index is out of reach error=%s", e)
            return set(urls)
        now = self._run.now()
        oldest = now - timedelta(seconds=self._run.options.requisite_age)
        return {url for url, one in found.items() if one.capture is not None and oldest <= one.capture.seen <= now}


def _bare(found: Sequence[Requisite]) -> list[Requisite]:
    """The requisites without credentials in their URLs."""
    return [replace(one, url=bare(one.url)) for one in found]

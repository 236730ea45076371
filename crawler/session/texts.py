"""Extracts texts in worker processes under limits, with site profiles: no foreign bytes are parsed in this process."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from archive.archive import Archive
from archive.errors import ArchiveError, TaskError
from archive.extract.site_profile import Profile
from archive.extract.text import Entry, Text
from archive.index.schema import CaptureRow
from archive.maintenance import re_extract
from archive.maintenance.learn_sites import Sites, site_of
from archive.runtime.worker_pool import WorkerPool
from archive.settings import ArchiveSettings
from crawler.model.answer import Answer
from crawler.session import tasks

if TYPE_CHECKING:
    from archive.extract.reading import PageReading

log = logging.getLogger(__name__)


class Texts:
    """The worker processes of one crawl and the site profiles that guide them."""

    def __init__(self, archive: Archive, settings: ArchiveSettings) -> None:
        self._archive = archive
        self._pool = WorkerPool(
            workers=settings.extract_workers,
            limits=settings.extract_limits,
            preload=tasks.MODULES,
        )
        self._sites = Sites(archive)
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._methods = re_extract.Methods(archive.settings)

    async def work(self, function: Any, **arguments: Any) -> Any:  # noqa: ANN401  any pure function of values
        """Run a function on values in a worker process, like `WorkerPool.submit`.

        Raises:
            TaskError: It failed, crashed, or exceeded a limit.
        """
        try:
            return await asyncio.wrap_future(self._pool.submit(function, **arguments))
        except asyncio.CancelledError:
            raise TaskError("the crawl is closing") from None

    async def extract(
        self, body: bytes, *, url: str, content_type: str | None, at: datetime, entry: Entry | None = None
    ) -> Text:
        """The text of a page.

        Args:
            body: Its payload, without content coding.
            url: Its URL.
            content_type: Content-Type as the server stated it.
            at: When it was fetched.
            entry: What a feed says about the post.

        Raises:
            TaskError: No text can be extracted.
        """
        text: Text = await self.work(
            tasks.extract,
            payload=body,
            url=url,
            content_type=content_type,
            date=at,
            entry=entry,
            site=await self._site(url),
            method=self._methods.of(url),
        )
        return text

    async def read(
        self,
        answer: Answer,
        *,
        url: str = "",
        entry: Entry | None = None,
        front: str | None = None,
        foreign: bool = False,
        archived: bool = False,
    ) -> PageReading:
        """What a page says: the text of a post, or why it is not the post.

        Args:
            answer: The response.
            url: The post's URL, if that is a place on the page; empty: the URL that answered.
            entry: What a feed says about the post.
            front: The front page of the blog.
            foreign: Whether the page is on another site than the blog's.
            archived: Whether a part of the post is archived: its entry may not have the words of this page.

        Raises:
            TaskError: It cannot be read.
        """
        reading: PageReading = await self.work(
            tasks.read_page,
            payload=answer.body,
            url=url or answer.url,
            asked=answer.asked if answer.redirected else None,
            status=answer.status or 0,
            headers=dict(answer.headers),
            content_type=answer.content_type,
            date=answer.at,
            entry=entry,
            site=await self._site(answer.url),
            method=self._methods.of(answer.url),
            front=front,
            foreign=foreign,
            archived=archived,
        )
        return reading

    async def again(self, row: CaptureRow, *, witness: str | None = None) -> Text:
        """The text of an archived capture, made by the current extractor, of that witness's words if one is named.

        Raises:
            TaskError: No text can be extracted.
            ArchiveError: The capture cannot be read.
        """
        site = await self._site(row.url)
        method = replace(self._methods.of(row.url), witness=witness)
        arguments = await asyncio.to_thread(re_extract.arguments, self._archive, row, site, method)
        text: Text = await self.work(tasks.extract, **arguments)
        return text

    def made(self, url: str, text: Text) -> None:
        """Note that the post at a URL has a new text, from which its site's profile can learn."""
        self._sites.made(url, text)

    async def _site(self, url: str) -> Profile | None:
        """The profile of a URL's site, with its boilerplate; None if not known."""
        try:
            if self._sites.is_known(url):
                return self._sites.of(url)
            # Pages of a site come together: one of them asks.
            async with self._asking.setdefault(site_of(url), asyncio.Lock()):
                return await asyncio.to_thread(self._sites.of, url)
        except ArchiveError as e:
            log.warning("site profile is out of reach url=%s error=%s", url, e)
            return None

    def close(self, *, learn: bool) -> None:
        """End the worker processes; `learn`: update the site profiles from the new texts first."""
        if learn:
            self._sites.learn()
        self._pool.close()

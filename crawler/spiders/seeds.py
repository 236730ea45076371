"""Seeds: the URLs that a person gives, each a feed or a page that links to one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from archive.errors import TaskError
from archive.settings import setting
from crawler import discover
from crawler.decide import deleted_posts
from crawler.decide.answers import OK
from crawler.errors import CrawlError, FetchError, NoFeedError, PrivateAddressError
from crawler.feeds import is_meant_as_feed, parse
from crawler.feeds.model import ParsedFeed
from crawler.limits import DISCOVERY_REQUESTS
from crawler.model.answer import Answer
from crawler.model.visits import Feed
from crawler.session.run import Run

log = logging.getLogger(__name__)

Fetch = Callable[..., Awaitable[Answer | None]]
"""Requests one URL: `fetch(url, via=…, accept=…)`; None if there is no response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The feed behind a seed: the response, and the document in it."""

    answer: Answer
    parsed: ParsedFeed


class Seeds:
    """Finds the feed behind a URL and subscribes to it.

    Args:
        run: What the components of this crawl share.
        fetch: Requests one URL that may be a feed.
        accept: The Accept header for such a request.
    """

    def __init__(self, run: Run, fetch: Fetch, accept: bytes) -> None:
        self._run = run
        self._fetch = fetch
        self._accept = accept

    async def found(self, answer: Answer, seed: str) -> Found:
        """The feed in a response, or the one that its page links to.

        Raises:
            CrawlError: There is no feed, or it cannot be parsed.
        """
        try:
            parsed = await self._as_feed(answer)
        except TaskError as e:  # it is a feed, so do not search for another
            raise FetchError(f"cannot be read as a feed: {reason_of(answer, e)}", url=seed) from e
        if parsed is not None:
            return Found(answer=answer, parsed=parsed)
        if answer.status != OK:
            raise FetchError(f"answered {answer.status}", url=seed)
        behind = await self._behind(answer)
        if behind is None:
            raise NoFeedError("no feed was found there", url=seed)
        return behind

    async def subscribe(self, found: Found, seed: str, *, unverified: bool | None) -> Feed:
        """Subscribe to a feed that was found; `unverified`: stop or resume verifying the certificate of its host."""
        frontier = self._run.frontier
        feed = await self._run.call(frontier.subscribe, found.answer.lasting_url, seed=seed, now=self._run.now())
        if unverified is not None:
            await self._run.call(frontier.trust, feed.url, unverified=unverified)
        log.info("subscribed feed=%s seed=%s", feed.url, seed)
        return feed

    async def _behind(self, page: Answer) -> Found | None:
        """The first feed that a page links to, or None."""
        try:
            candidates = await self._run.texts.work(
                discover.feeds, body=page.body, url=page.url, headers=dict(page.headers)
            )
        except TaskError as e:
            log.warning("page cannot be searched for feeds url=%s error=%s", page.url, e)
            candidates = []
        # Links to feeds may be dead. Behind a login, guessing is pointless.
        guesses = [] if deleted_posts.asks_password(page.body) else discover.guesses(page.url)
        for url in list(dict.fromkeys([*candidates, *guesses]))[:DISCOVERY_REQUESTS]:
            answer = await self._fetch(url, via=page.url, accept=self._accept)
            try:
                parsed = await self._as_feed(answer) if answer is not None else None
            except TaskError as e:
                log.info("feed cannot be read url=%s error=%s", url, e)
                continue
            if parsed is not None and answer is not None:
                return Found(answer=answer, parsed=parsed)
        return None

    async def _as_feed(self, answer: Answer) -> ParsedFeed | None:
        """The feed in a response, or None.

        Raises:
            TaskError: It begins like a feed but cannot be parsed.
        """
        if answer.status != OK or not answer.body:
            return None
        try:
            return await parsed_feed(self._run, answer)
        except TaskError:
            if is_meant_as_feed(answer.body):
                raise
            return None


async def parsed_feed(run: Run, answer: Answer) -> ParsedFeed:
    """The feed document in a response, parsed in a worker process.

    Raises:
        TaskError: It cannot be parsed.
    """
    parsed: ParsedFeed = await run.texts.work(
        parse,
        body=answer.body,
        url=answer.url,
        content_type=answer.content_type,
        deadline_seconds=run.options.feed_seconds,
        deadline_setting=setting("feed_seconds"),
    )
    return parsed


def reason_of(answer: Answer, error: TaskError) -> str:
    """The error message without the URL that it begins with."""
    return str(error).removeprefix(f"{answer.url}: ")


def failed(url: str, error: BaseException, reason: str) -> CrawlError:
    """The error for a URL that a person named but that could not be fetched."""
    kind = PrivateAddressError if isinstance(error, PrivateAddressError) else FetchError
    return kind(reason, url=url)

"""Claims on hosts: two runs never crawl the same host at a time.

A run claims the shard of a registrable domain before its first request there, renews the claim while it works, and
releases it once everything that it requested there is committed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Protocol, TypeVar

from archive.errors import ArchiveError
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier, Place
from crawler.model.url_identity import shard
from crawler.model.visits import Due, Feed, Page

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=10)
"""How long a claim lasts without renewal."""
_POLL_SECONDS = 1.0
"""Time between two attempts to claim the host of a URL that a person named."""

T = TypeVar("T")


class Call(Protocol):
    """Calls a blocking function in a thread and retries it: `Outage.call`."""

    def __call__(self, function: Callable[..., T], *arguments: Any, **named: Any) -> Awaitable[T]:  # noqa: ANN401  the function's own
        """The function's result."""


class HostClaims:
    """The hosts of one run.

    Args:
        claims: The claims of all runs, in the database.
        frontier: What is due.
        call: Calls either of these in a thread.
        now: The clock of this run.
    """

    def __init__(self, claims: Claims, frontier: Frontier, call: Call, now: Callable[[], datetime]) -> None:
        self._claims = claims
        self._frontier = frontier
        self._call = call
        self._now = now
        self._open: Counter[int] = Counter()  # requests not committed yet, by shard
        self._claiming = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Release the claims of an earlier run that died, and start renewing those of this one."""
        await self._call(self._claims.release)
        self._renewing = asyncio.ensure_future(self._renew())

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(CLAIM.total_seconds() / 10)
            try:
                await asyncio.to_thread(self._claims.renew, until=self._now() + CLAIM)
            except ArchiveError as e:  # a claim lasts ten times as long
                log.warning("claims are not renewed error=%s", e)

    def due(self, **wanted: Any) -> Due:  # noqa: ANN401  fields of Due
        """What this run wants now, as an argument for the frontier."""
        now = self._now()
        return Due(now=now, holder=self._claims.holder, until=now + CLAIM, **wanted)

    async def claim_feeds(self, due: Due, after: Place) -> tuple[list[Feed], Place]:
        """Due feeds whose hosts this run has now claimed; the caller must request all of them."""
        async with self._claiming:
            found, place = await self._call(self._frontier.claim_feeds, due, after)
            self._open.update(shard(feed.url) for feed in found)
        return found, place

    async def claim_pages(self, due: Due, after: Place) -> tuple[list[Page], Place]:
        """Due pages whose hosts this run has now claimed; the caller must request all of them."""
        async with self._claiming:
            found, place = await self._call(self._frontier.claim_pages, due, after)
            self._open.update(shard(page.url) for page in found)
        return found, place

    async def claim(self, urls: Sequence[str]) -> list[bool]:
        """Whether this run may request each of these URLs; the caller must request those that it may."""
        wanted = [shard(url) for url in urls]
        async with self._claiming:
            ours = {number for number in wanted if self._open[number]}
            if new := set(wanted) - ours:
                now = self._now()
                ours |= await self._call(self._claims.take, new, now=now, until=now + CLAIM)
            self._open.update(number for number in wanted if number in ours)
        return [number in ours for number in wanted]

    async def claim_patiently(self, url: str, *, seconds: float, stop: Callable[[], bool]) -> bool:
        """Claim the host of a URL that a person named, waiting for another run to release it.

        Args:
            url: The URL.
            seconds: How long to wait.
            stop: Whether to end the wait.

        Returns:
            False if the other run did not release it in time.
        """
        until = monotonic() + seconds
        while not (await self.claim([url]))[0]:
            if monotonic() >= until or stop():
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    async def settle(self, shards: Sequence[int]) -> None:
        """Count one committed request for each of these shards; release those without uncommitted ones."""
        self._open.subtract(shards)
        async with self._claiming:
            over = {number for number in shards if self._open[number] <= 0}
            for number in over:
                del self._open[number]
            if over:
                await self._release(over)

    async def end(self, *, keep: bool) -> None:
        """Stop renewing; release all claims, unless something fetched is not committed (`keep`).

        No other run may fetch that again: the next run on this machine takes over its hosts.
        """
        if self._renewing is not None:
            self._renewing.cancel()
        if not keep:
            await self._release()

    async def _release(self, shards: Collection[int] | None = None) -> None:
        try:
            await asyncio.to_thread(self._claims.release, shards)
        except ArchiveError as e:  # claims expire by themselves
            log.warning("claims are not released error=%s", e)

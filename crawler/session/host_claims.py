"""Claims on hosts: two runs never crawl the same host at a time.

A run claims the shard of a registrable domain before its first request there, renews the claim while it works, and
releases it once everything that it requested there is committed. A machine may sleep between any two steps: before a
request is sent, a run makes sure that its claims cannot have expired, and a commit checks their epochs.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Protocol, TypeVar

from scrapy.exceptions import IgnoreRequest

from archive.errors import ArchiveError
from archive.runtime.times import seconds_since_boot
from crawler.errors import TwinError
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Epochs, Frontier, PagePlace, Place
from crawler.model.url_identity import shard
from crawler.model.visits import Due, Feed, Page, Under

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=10)
"""How long a claim lasts without renewal."""
_RENEWALS = 10
"""Renewals within that time. A claim is not relied on for its last tenth: a request takes time, too."""
_POLL_SECONDS = 1.0
"""Time between two attempts to claim the host of a URL that a person named, or to renew claims before a request."""

T = TypeVar("T")


class Call(Protocol):
    """Calls a blocking function in a thread and retries it: `Outage.call`."""

    def __call__(self, function: Callable[..., T], *arguments: Any, **named: Any) -> Awaitable[T]:  # noqa: ANN401  the function's own
        """The function's result."""


class NotSentError(IgnoreRequest):
    """A request was not sent after all; nothing is known of its URL, which stays due."""


class ClaimLostError(NotSentError):
    """Another run has taken over the host of a request."""


class HostClaims:
    """The hosts of one run.

    Args:
        claims: The claims of all runs, in the database.
        frontier: What is due.
        call: Calls either of these in a thread.
        now: The clock of this run.
        once: The same without retries; by default with them.
        stay: Called with each renewal, in a thread; raises TwinError if another machine has this one's name.
        failed: Called with that error.
        stop: Whether the run was asked to stop.
        clock: Seconds that pass also while the machine is suspended.
    """

    def __init__(
        self,
        claims: Claims,
        frontier: Frontier,
        call: Call,
        now: Callable[[], datetime],
        *,
        once: Call | None = None,
        stay: Callable[[], None] = lambda: None,
        failed: Callable[[ArchiveError], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = seconds_since_boot,
    ) -> None:
        self._claims = claims
        self._frontier = frontier
        self._call = call
        self._once = once or call
        self._now = now
        self._stay = stay
        self._failed = failed
        self._stop = stop
        self._clock = clock
        self._open: Counter[int] = Counter()  # requests not committed yet, by shard
        self._epochs: dict[int, int] = {}  # of the claims of these shards, lost ones too
        self._lost: set[int] = set()
        self._renewed = clock()  # all claims last at least CLAIM from here
        self._over = False  # another machine crawls under this one's name
        self._claiming = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Release the claims of an earlier run that died, and start renewing those of this one."""
        await self._call(self._claims.release)
        self._renewed = self._clock()
        self._renewing = asyncio.ensure_future(self._renew_regularly())

    async def _renew_regularly(self) -> None:
        while True:
            await asyncio.sleep(CLAIM.total_seconds() / _RENEWALS)
            async with self._asking:
                await self._renew()

    async def _renew(self) -> None:
        """Renew all claims, and note those that other runs have taken over."""
        began = self._clock()
        before = dict(self._epochs)
        try:
            await self._once(self._stay)
            found = await self._once(self._claims.renew, lasts=CLAIM)
        except TwinError as e:
            self._over = True
            self._failed(e)
            return
        except ArchiveError as e:  # a claim lasts several times as long
            log.warning("claims are not renewed error=%s", e)
            return
        self._renewed = began
        lost = {
            number
            for number, epoch in before.items()
            if found.get(number) != epoch and self._epochs.get(number) == epoch and number not in self._lost
        }
        if lost:
            log.warning("claims were lost, other runs have taken over hosts=%d", len(lost))
            self._lost |= lost

    # -- before a request is sent

    async def hold(self, url: str) -> None:
        """Make sure that this run still has the claim on a host, before a request is sent to it.

        A machine that slept may have lost it meanwhile: claims are then renewed first. Hosts that this run has never
        claimed, such as those that redirects lead to, are not checked.

        Raises:
            ClaimLostError: Another run has taken over the host, or this one ends before that is known.
        """
        number = shard(url)
        if number not in self._epochs:
            return
        while not self._is_sure() and not self._over:
            async with self._asking:
                if not self._is_sure():
                    await self._renew()
            if not self._is_sure():
                if self._stop():
                    raise ClaimLostError("the run ends, and its claims may have expired")
                await asyncio.sleep(_POLL_SECONDS)
        if number in self._lost or self._over:
            raise ClaimLostError("another run has taken over the host")

    def may_send(self, url: str) -> bool:
        """Whether `hold` would let a request pass at once; asked once more when its connection is there."""
        number = shard(url)
        return number not in self._epochs or (self._is_sure() and number not in self._lost and not self._over)

    def _is_sure(self) -> bool:
        """Whether the claims of this run cannot have expired, nor will before a request is answered."""
        return self._clock() - self._renewed < CLAIM.total_seconds() * (1 - 1 / _RENEWALS)

    def under(self, url: str) -> Under | None:
        """The claim under which a URL is visited; None if this run has never claimed its host."""
        number = shard(url)
        return Under(shard=number, epoch=self._epochs[number]) if number in self._epochs else None

    # -- claims

    def due(self, **wanted: Any) -> Due:  # noqa: ANN401  fields of Due
        """What this run wants now, as an argument for the frontier."""
        return Due(now=self._now(), holder=self._claims.holder, lasts=CLAIM, **wanted)

    async def claim_feeds(self, due: Due, after: Place) -> tuple[list[Feed], Place]:
        """Due feeds whose hosts this run has now claimed; the caller must request all of them."""
        async with self._claiming:
            found, place, epochs = await self._call(self._frontier.claim_feeds, due, after)
            self._take(epochs)
            self._open.update(shard(feed.url) for feed in found)
        return found, place

    async def claim_pages(self, due: Due, after: PagePlace | None) -> tuple[list[Page], PagePlace | None]:
        """Due pages whose hosts this run has now claimed; the caller must request all of them."""
        async with self._claiming:
            found, place, epochs = await self._call(self._frontier.claim_pages, due, after)
            self._take(epochs)
            self._open.update(shard(page.url) for page in found)
        return found, place

    async def claim(self, urls: Sequence[str]) -> list[bool]:
        """Whether this run may request each of these URLs; the caller must request those that it may."""
        wanted = [shard(url) for url in urls]
        async with self._claiming:
            ours = {number for number in wanted if self._open[number] and number not in self._lost}
            if new := set(wanted) - ours:
                epochs = await self._call(self._claims.take, new, lasts=CLAIM)
                self._take(epochs)
                ours |= epochs.keys()
            self._open.update(number for number in wanted if number in ours)
        return [number in ours for number in wanted]

    def _take(self, epochs: Epochs) -> None:
        """Note claims that this run has now."""
        self._epochs.update(epochs)
        self._lost -= epochs.keys()

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
                self._epochs.pop(number, None)
                self._lost.discard(number)
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
            await self._once(self._claims.release, shards)
        except ArchiveError as e:  # claims expire by themselves
            log.warning("claims are not released error=%s", e)

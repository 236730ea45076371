"""Outages of store, database or disk: calls are retried with back-off; the crawl pauses if the disk is full.

With work to do and space in the spool, a crawl continues without store or database for any length of time. It gives
up only when paused or ending. docs/retries.md describes all retries.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential

from archive.errors import ArchiveError

log = logging.getLogger(__name__)

_LONGEST_WAIT_SECONDS = 30.0
"""Longest time between two attempts of a call during an outage."""
_STOPPING_SECONDS = 5.0
"""How long a crawl that is shutting down waits for store and database."""

_LOOK_SECONDS = 1.0
"""Between two looks whether patience has ended while a call has not returned."""
_HANGS = "Make sure that store and database answer; the next run commits what is in the spool."

IF_TEMPORARY = retry_if_exception(lambda e: isinstance(e, ArchiveError) and e.temporary)
"""The only condition for a retry."""

T = TypeVar("T")


class Outage:
    """How long a crawl waits during an outage.

    Args:
        patience_seconds: How long a crawl that is paused or ending waits before it gives up.
        shutdown_requested: Whether the crawl was asked to stop.
        pause: Called when no new requests may be sent.
        resume: Called when they may again.
    """

    def __init__(
        self,
        *,
        patience_seconds: float,
        shutdown_requested: Callable[[], bool],
        pause: Callable[[], None],
        resume: Callable[[], None],
    ) -> None:
        self._patience_seconds = patience_seconds
        self._shutdown_requested = shutdown_requested
        self._pause = pause
        self._resume = resume
        self._ending: float | None = None
        self._asked: float | None = None
        self.abandoned = 0
        """Calls that hang in threads for good: nothing may wait for the end of these."""
        self._stalled: dict[str, float] = {}  # reasons for the pause, and since when

    async def call(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:  # noqa: ANN401  the function's own
        """Call in a thread; during an outage retry with exponential back-off, until patience ends.

        Raises:
            ArchiveError: The outage lasted too long, or the error is permanent.
        """
        name = getattr(function, "__name__", "call")

        def report(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            log.warning("%s failed, trying again seconds=%.0f error=%s", name, state.upcoming_sleep, error)

        retrying = AsyncRetrying(
            retry=IF_TEMPORARY,
            wait=wait_exponential(max=_LONGEST_WAIT_SECONDS),
            stop=lambda state: self.deadline_passed(state.start_time),
            sleep=self._sleep,
            before_sleep=report,
            reraise=True,
        )
        return await retrying(self.once, function, *arguments, **named)

    async def once(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:  # noqa: ANN401  the function's own
        """Call in a thread, without retries; a call that hangs is abandoned once patience ends.

        Raises:
            ArchiveError: It was, or the call's own.
        """
        return await self.answer(asyncio.to_thread(function, *arguments, **named), of=function)

    async def answer(self, waiting: Awaitable[T], *, of: Callable[..., T]) -> T:
        """What a thread answers to the call of a function; raises as `once`."""
        began = monotonic()
        call = asyncio.ensure_future(waiting)
        while not (await asyncio.wait({call}, timeout=_LOOK_SECONDS))[0]:
            if self.deadline_passed(began):
                self.abandoned += 1
                call.add_done_callback(lambda done: done.cancelled() or done.exception())
                name = getattr(of, "__name__", "call")
                raise ArchiveError(f"{name} is abandoned: no answer for {monotonic() - began:.0f} s", hint=_HANGS)
        return call.result()

    async def _sleep(self, seconds: float) -> None:
        """Sleep; at most one second once the crawl was asked to stop."""
        until = monotonic() + seconds
        await asyncio.sleep(min(1.0, seconds))
        while monotonic() < until and not self._shutdown_requested():  # noqa: ASYNC110  Scrapy sends no signal for it
            await asyncio.sleep(1.0)

    def end(self) -> None:
        """There is no more work: from now on wait out an outage only as long as patience lasts."""
        self._ending = monotonic()

    def stall(self, why: str, reason: str) -> None:
        """Send no new requests until `resume`."""
        if why not in self._stalled:
            self._stalled[why] = monotonic()
            log.warning("crawl pauses why=%s reason=%s", why, reason)
            self._pause()

    def resume(self, why: str) -> None:
        """End that reason to pause."""
        if self._stalled.pop(why, None) is not None:
            log.warning("crawl goes on why=%s", why)
            if not self._stalled:
                self._resume()

    def stalled_since(self, why: str) -> float:
        """Monotonic instant since which the crawl has been paused for that reason; now if it is not paused."""
        return self._stalled.get(why, monotonic())

    def deadline_passed(self, since: float) -> bool:
        """Whether a failure that began at that monotonic instant has lasted too long."""
        if self._asked is None and self._shutdown_requested():
            self._asked = monotonic()
        idle = [*self._stalled.values(), *(one for one in (self._ending, self._asked) if one is not None)]
        if not idle:
            return False
        patience = _STOPPING_SECONDS if self._shutdown_requested() else self._patience_seconds
        return monotonic() - max(since, min(idle)) >= patience

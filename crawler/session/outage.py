"""Store, database or disk out of reach: calls are retried with back-off, and the crawl pauses while there is no room.

While there is work and room in the spool, a crawl goes on without store or database for any length of time. Patience
ends only once it is paused or ending. docs/retries.md has the whole map of retries.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential

from archive.errors import ArchiveError

log = logging.getLogger(__name__)

_LONGEST_WAIT_SECONDS = 30.0
"""Between two attempts of a call while store or database are away."""
_STOPPING_SECONDS = 5.0
"""How long a crawl that was asked to stop waits for store and database."""

IF_TEMPORARY = retry_if_exception(lambda e: isinstance(e, ArchiveError) and e.temporary)
"""Retries look at nothing else."""

T = TypeVar("T")


class Outage:
    """How long a crawl waits for what is away.

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
        self._stalled: dict[str, float] = {}  # why nothing more is fetched, and since when

    async def call(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:  # noqa: ANN401  the function's own
        """Call in a thread; while store or database are away retry with exponential back-off, until patience ends.

        Raises:
            ArchiveError: They did not come back in time, or refuse.
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
        return await retrying(asyncio.to_thread, function, *arguments, **named)

    async def _sleep(self, seconds: float) -> None:
        """Sleep; a second only once the crawl was asked to stop."""
        until = monotonic() + seconds
        await asyncio.sleep(min(1.0, seconds))
        while monotonic() < until and not self._shutdown_requested():  # noqa: ASYNC110  Scrapy sends no signal for it
            await asyncio.sleep(1.0)

    def end(self) -> None:
        """There is no more work: from now on what is away is waited for no longer than patience lasts."""
        self._ending = monotonic()

    def stall(self, why: str, reason: str) -> None:
        """Send no new requests until `resume`."""
        if why not in self._stalled:
            self._stalled[why] = monotonic()
            log.warning("crawl pauses why=%s reason=%s", why, reason)
            self._pause()

    def resume(self, why: str) -> None:
        """That reason to pause is over."""
        if self._stalled.pop(why, None) is not None:
            log.warning("crawl goes on why=%s", why)
            if not self._stalled:
                self._resume()

    def stalled_since(self, why: str) -> float:
        """Monotonic instant since which the crawl has been paused for that reason; now, if it is not."""
        return self._stalled.get(why, monotonic())

    def deadline_passed(self, since: float) -> bool:
        """Whether a failure that began at that monotonic instant has lasted too long."""
        idle = [*self._stalled.values(), *([self._ending] if self._ending else [])]
        if not idle:
            return False
        patience = _STOPPING_SECONDS if self._shutdown_requested() else self._patience_seconds
        return monotonic() - max(since, min(idle)) >= patience

"""The end of a run: what has not begun is given back in time, and what hangs is abandoned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Any

from crawler.limits import ENDING_SECONDS
from crawler.net.request_context import context_of
from crawler.session.host_claims import NotSentError
from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.core.downloader import Slot
    from scrapy.crawler import Crawler
    from scrapy.http import Response

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
"""Between two looks whether the run ends, or what is left."""
_NO_TIME = "the run has used most of its time"
_ABANDONED = "the run ends, and abandons what has not answered"


class NoNewWork:
    """Downloader middleware: requests that the next run can make as well are given back once this one is ending."""

    def __init__(self, is_ending: Callable[[], bool]) -> None:
        self._is_ending = is_ending

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> NoNewWork:
        """Create it on the time of the run."""
        time = Run.of(crawler).time
        return cls(lambda: time.is_ending)

    def process_request(self, request: Request) -> None:
        """Raise if the request may wait for the next run, and has to."""
        if context_of(request).may_wait and self._is_ending():
            raise NotSentError(_NO_TIME)


class Downloads:
    """The downloads of a run, and how they end with it.

    Once most of the run's time is used, or it was asked to end, those that have not begun and may wait are given back.
    A little later, the rest is abandoned.

    Args:
        run: Whose downloads these are.
        slots: Scrapy's queues of requests that wait for the gap between two requests to their host.
    """

    def __init__(self, run: Run, slots: Callable[[], list[Slot]]) -> None:
        self._run = run
        self._slots = slots
        self._running: set[asyncio.Task[Response]] = set()
        self._waiting: dict[asyncio.Task[Any], Request] = {}  # those of them that have not begun
        self._given_back: dict[asyncio.Task[Any], str] = {}  # cancelled by this class, and why
        self._abandoning = False
        self._watch: asyncio.Task[None] | None = None

    async def download(self, request: Request, download: Coroutine[Any, Any, Response]) -> Response:
        """The response to a request.

        Raises:
            NotSentError: The run ends, and waits for it no longer: nothing is known of the URL.
        """
        if self._watch is None:
            self._watch = asyncio.ensure_future(self._end())
        if self._abandoning:
            download.close()
            raise NotSentError(_ABANDONED)
        task = asyncio.ensure_future(download)
        self._running.add(task)
        self._waiting[task] = request
        try:
            return await task
        except asyncio.CancelledError:
            if task in self._given_back:
                raise NotSentError(self._given_back[task]) from None
            task.cancel()
            raise
        finally:
            self._running.discard(task)
            self._waiting.pop(task, None)
            self._given_back.pop(task, None)

    def begins(self) -> None:
        """The download that calls this has waited for its turn, and begins."""
        if (task := asyncio.current_task()) is not None:
            self._waiting.pop(task, None)

    def close(self) -> None:
        """Watch no longer."""
        if self._watch is not None:
            self._watch.cancel()

    async def _end(self) -> None:
        run = self._run
        while not (run.shutdown_requested() or run.time.is_ending):
            await self._sleep()
        self._give_back()
        while not (run.shutdown_requested() or run.time.is_short):
            await self._sleep()
        if run.shutdown_requested():
            await asyncio.sleep(ENDING_SECONDS)
        self._abandon()
        while True:  # what answers have led to since
            await asyncio.sleep(_LOOK_SECONDS)
            self._drop(_ABANDONED, lambda _: True)

    async def _sleep(self) -> None:
        """Sleep a little, as Scrapy sends no signal for the end; what it takes longer is lag."""
        began = monotonic()
        await asyncio.sleep(_LOOK_SECONDS)
        self._run.lag.slept(_LOOK_SECONDS, monotonic() - began)

    def _give_back(self) -> None:
        """Give back what has not begun and may wait for the next run."""
        waiting = [task for task, request in self._waiting.items() if context_of(request).may_wait]
        self._cancel(waiting, _NO_TIME)
        self._drop(_NO_TIME, lambda request: context_of(request).may_wait)

    def _abandon(self) -> None:
        """End all that has not ended by itself."""
        self._abandoning = True
        if self._running:
            log.info("requests abandoned, the run ends count=%d", len(self._running))
        self._cancel(list(self._running), _ABANDONED)
        self._drop(_ABANDONED, lambda _: True)

    def _cancel(self, tasks: list[asyncio.Task[Any]], why: str) -> None:
        for task in tasks:
            self._given_back[task] = why
            task.cancel()

    def _drop(self, why: str, which: Callable[[Request], bool]) -> None:
        """End requests that wait in Scrapy's queues, which pass them on only one by one."""
        for slot in self._slots():
            dropped = [one for one in slot.queue if which(one[0])]
            for one in dropped:
                slot.queue.remove(one)
            for _, waiting in dropped:
                waiting.errback(NotSentError(why))

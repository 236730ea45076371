"""Crawl delay: the time between two requests to a host that asks for one (`Crawl-delay` in robots.txt). No I/O."""

from __future__ import annotations

from crawler.limits import CRAWL_DELAY_SECONDS


class Gaps:
    """When the next request to each host with a crawl delay may be sent."""

    def __init__(self) -> None:
        self._gap: dict[str, float] = {}
        self._next: dict[str, float] = {}

    def ask(self, host: str, seconds: float) -> None:
        """Set the crawl delay of a host: seconds between two requests (`Crawl-delay` in robots.txt)."""
        if seconds > 0:
            self._gap[host] = min(seconds, CRAWL_DELAY_SECONDS)

    def wait(self, host: str, now: float) -> float:
        """Seconds to wait before a request to a host may be sent; the slot is reserved by the call.

        Args:
            host: Name and port.
            now: Time of a monotonic clock.
        """
        gap = self._gap.get(host)
        if gap is None:
            return 0.0
        begin = max(now, self._next.get(host, now))
        self._next[host] = begin + gap
        return begin - now

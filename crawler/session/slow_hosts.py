"""Slow hosts: how long one run waits for the answers of a site; the rest of its requests is left to the next run.

A server can answer each request just before its time is over, or a byte at a time. How long a run takes must not be
decided by the slowest site.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scrapy.exceptions import IgnoreRequest

from crawler.limits import ANSWER_SECONDS
from crawler.model.url_identity import host_of, registrable_domain
from crawler.session.retry_after import RetryAfterError

log = logging.getLogger(__name__)

_LEAST_SECONDS = 1.0
"""Time that is given to a request in any case."""


class SlowHostError(RetryAfterError):
    """A site was waited for long enough in this run; its request was therefore not sent."""

    def __init__(self, site: str, until: datetime) -> None:
        IgnoreRequest.__init__(self, f"{site} answers too slowly; what remains waits until {until:%Y-%m-%d %H:%M:%S}Z")
        self.until = until


@dataclass(slots=True)
class _Site:
    waiting: int = 0
    """Requests on their way."""
    since: float = 0.0
    """When there was none before these."""
    waited: float = 0.0
    """Seconds in which at least one was on its way."""
    answers: int = 0
    until: datetime | None = None
    """When it may be asked again, once it was waited for long enough."""


class SlowHosts:
    """The time that a run has waited for each registrable domain.

    Args:
        seconds: How long it waits for one, besides a second for each answer.
        clock: Seconds that do not pass while this process is kept from its work.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sites: dict[str, _Site] = {}

    def wait_for_all(self) -> None:
        """Wait for every site as long as it takes: a person has named it."""
        self._seconds = float("inf")

    def check(self, url: str) -> None:
        """Raise SlowHostError if the site of a URL is not asked any more."""
        name = _name(url)
        site = self._sites.get(name)
        if site is not None and site.until is not None:
            raise SlowHostError(name, site.until)

    def begin(self, url: str) -> float:
        """A request is sent; returns how many seconds it may take. `end` ends it."""
        site = self._sites.setdefault(_name(url), _Site())
        if not site.waiting:
            site.since = self._clock()
        site.waiting += 1
        return max(self._left(site), _LEAST_SECONDS)

    def end(self, url: str, *, answered: bool) -> bool:
        """A request has ended; returns whether this used up the time of its site. The caller then calls `leave`."""
        site = self._sites[_name(url)]
        site.waiting -= 1
        site.answers += answered
        if not site.waiting:
            site.waited += self._clock() - site.since
        return site.until is None and self._left(site) <= 0

    def leave(self, url: str, until: datetime) -> str:
        """Ask a site no more in this run; returns its name."""
        name = _name(url)
        self._sites[name].until = until
        log.warning("site answers too slowly, the rest is for a later run site=%s until=%s", name, until.isoformat())
        return name

    def _left(self, site: _Site) -> float:
        waited = site.waited + (self._clock() - site.since if site.waiting else 0.0)
        return self._seconds + site.answers * ANSWER_SECONDS - waited


def _name(url: str) -> str:
    return registrable_domain(host_of(url))

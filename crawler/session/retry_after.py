"""Retry-After: which servers must not be requested, and until when, in this run and later ones."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from scrapy.exceptions import IgnoreRequest

from archive.errors import DatabaseError
from crawler.decide import freshness
from crawler.decide.answers import BUSY
from crawler.frontier.frontier import Frontier
from crawler.model.url_identity import authority, host_of, registrable_domain
from crawler.model.visits import Scope
from crawler.net.backoff import AFTER_SLOW, AFTER_TOO_MANY

log = logging.getLogger(__name__)

_LOOK = timedelta(seconds=15)
"""Time between two checks for what other runs have received."""
_MAX_SCOPE = 255


class RetryAfterError(IgnoreRequest):
    """The server's Retry-After forbids a request before an instant."""

    def __init__(self, scope: str, until: datetime) -> None:
        super().__init__(f"{scope} asked to be left alone until {until:%Y-%m-%d %H:%M:%S}Z")
        self.until = until


def scope_of(url: str, kind: Scope) -> str:
    """The scope that a Retry-After from this URL applies to."""
    if kind == "url":
        return url[:_MAX_SCOPE]
    if kind == "domain":
        return registrable_domain(host_of(url))[:_MAX_SCOPE]
    return authority(url)[:_MAX_SCOPE]


class RetryAfter:
    """The scopes that must not be requested for a while."""

    def __init__(self, frontier: Frontier, kind: Scope, now: Callable[[], datetime]) -> None:
        """Load what earlier runs have received."""
        self._frontier = frontier
        self._kind: Scope = kind
        self._now = now
        self._looked = now()
        self._until = frontier.holds(self._looked)

    def check(self, url: str) -> None:
        """Raise RetryAfterError if a URL must not be requested now."""
        scope = scope_of(url, self._kind)
        until = self._until.get(scope)
        if until is not None and until > self._now():
            raise RetryAfterError(scope, until)

    @property
    def stale(self) -> bool:
        """Whether it is time to `look` again for what other runs have received."""
        return abs(self._now() - self._looked) >= _LOOK

    def look(self) -> None:
        """Load what other runs have received meanwhile; it asks the database, so not in the event loop."""
        self._looked = now = self._now()
        try:
            self._until.update(self._frontier.holds(now))
        except DatabaseError as e:  # this run still knows what it has received itself
            log.warning("holds cannot be read again error=%s", e)

    def answered(self, url: str, status: int, value: str | None) -> None:
        """Throttle the scope of a response 429, or of a 503 with Retry-After.

        A 503 without Retry-After affects only its page, which is retried with back-off. What holds is stored in the
        database, so not in the event loop.
        """
        wait = freshness.retry_after(value, at=self._now()) if status in BUSY else None
        if status == HTTPStatus.TOO_MANY_REQUESTS and wait is None:
            wait = AFTER_TOO_MANY
        if not wait:
            return
        self._leave(url, wait)

    def too_slow(self, url: str) -> datetime:
        """Leave alone for a while what takes too long to answer; returns until when. Not for the event loop, either."""
        return self._leave(url, AFTER_SLOW)

    def _leave(self, url: str, wait: timedelta) -> datetime:
        scope, until = scope_of(url, self._kind), self._now() + wait
        self._until[scope] = max(until, self._until.get(scope, until))
        log.warning("held scope=%s until=%s", scope, until.isoformat())
        try:
            self._frontier.hold(scope, until)
        except DatabaseError as e:  # this run knows; the server will tell the next one again
            log.warning("hold is not stored scope=%s error=%s", scope, e)
        return until

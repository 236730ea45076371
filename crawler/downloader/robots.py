"""robots.txt (RFC 9309): requested once a day for each origin, read from the archive in between, redirects followed."""

from __future__ import annotations

import logging
import re
from asyncio import Future, ensure_future, get_running_loop, shield, to_thread
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http.request import NO_CALLBACK

from archive.errors import ArchiveError
from archive.runtime.times import is_recent
from crawler.errors import PrivateAddressError
from crawler.limits import ROBOTS_BYTES, ROBOTS_HELD_BYTES, ROBOTS_SECONDS
from crawler.model.url_identity import authority
from crawler.net import credentials
from crawler.net.failure_reason import FORBIDDEN, reason
from crawler.net.request_context import RequestContext, context_of, in_meta
from crawler.session.host_claims import NotSentError
from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from archive.index.schema import CaptureRow

log = logging.getLogger(__name__)

FRESH = timedelta(hours=24)
"""How long a robots.txt is used (RFC 9309 §2.4)."""
_LEAST_WEIGHT = 2_000
"""Minimum number of bytes that rules count for."""

_USER_AGENT = re.compile(r"^([ \t]*user-?agent[ \t]*:[ \t]*)(\S+)", re.IGNORECASE | re.MULTILINE)
_PRODUCT = re.compile(r"[a-z_-]+", re.IGNORECASE)
_SOMEONE = "~"
"""Stands for all other crawlers."""
_OK = range(200, 300)
_MOVED = range(300, 400)
_MOST_REDIRECTS = 5
"""Archived redirects that are followed (RFC 9309 §2.3.1.2)."""
_UNAVAILABLE = range(400, 500)


class RobotsForbiddenError(IgnoreRequest):
    """robots.txt does not allow this URL."""


def rules_for(status: int, body: bytes, token: str) -> Protego | str:
    """The rules in a response to a request for robots.txt; or, as a text, why everything is forbidden.

    A 4xx response allows everything, any other failure forbids everything (RFC 9309 §2.3.1).

    Args:
        status: Of the response.
        body: Its payload; only the first ROBOTS_BYTES are read.
        token: Our product token in robots.txt.
    """
    if status in _OK:
        return Protego.parse(_named(body[:ROBOTS_BYTES].decode("utf-8-sig", "replace"), token))
    if status in _UNAVAILABLE and status != 429:  # noqa: PLR2004  429 means "not now", not "none"
        return Protego.parse("")
    return f"it answered {status}"


def _named(text: str, token: str) -> str:
    """The text with product tokens that are not ours replaced: Protego takes any part of our name for our name.

    A group is ours if its product token is ours, in upper or lower case, whatever follows it (RFC 9309 §2.2.1).
    """

    def name(found: re.Match[str]) -> str:
        product = _PRODUCT.match(found[2])
        if found[2].startswith("*"):
            return found[0]
        return found[1] + (token if product and product[0].lower() == token.lower() else _SOMEONE)

    return _USER_AGENT.sub(name, text)


@dataclass(frozen=True, slots=True)
class _Found:
    """What robots.txt said."""

    rules: Protego | str
    url: str
    """Where it was, after redirects."""
    size: int


class Robots:
    """Downloader middleware that drops requests that robots.txt forbids."""

    def __init__(self, crawler: Crawler, run: Run, user_agent: str) -> None:
        self._crawler = crawler
        self._run = run
        self._token = user_agent.split("/", maxsplit=1)[0].split(maxsplit=1)[0] if user_agent.split() else "*"
        self._origins: OrderedDict[str, Future[Protego | str]] = OrderedDict()
        self._weights: dict[str, int] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Robots:
        """Create it from the run's settings."""
        return cls(crawler, Run.of(crawler), crawler.settings["USER_AGENT"])

    async def process_request(self, request: Request) -> None:
        """Raise if robots.txt forbids the URL."""
        if context_of(request).ignores_robots:
            return
        rules = await self._rules(request.url)
        if isinstance(rules, str):
            raise RobotsForbiddenError(f"robots.txt is out of reach ({rules}), so nothing may be fetched")
        if not rules.can_fetch(request.url, self._token):
            raise RobotsForbiddenError(FORBIDDEN)

    async def _rules(self, url: str) -> Protego | str:
        origin = _origin(url)
        if origin not in self._origins:
            self._origins[origin] = ensure_future(self._find(origin, url))
        self._origins.move_to_end(origin)
        try:
            return await shield(self._origins[origin])  # others wait for it too
        except NotSentError:  # it was not requested
            self._origins.pop(origin, None)
            raise

    def _weigh(self, origin: str, size: int) -> None:
        """Evict the least recently used rules if all together are too large; the archive still has them."""
        self._weights[origin] = size + _LEAST_WEIGHT
        while sum(self._weights.values()) > ROBOTS_HELD_BYTES and len(self._weights) > 1:
            oldest = next(one for one in self._origins if one in self._weights and one != origin)
            del self._weights[oldest]
            del self._origins[oldest]

    async def _find(self, origin: str, via: str) -> Protego | str:
        found = await to_thread(self._archived, _address(origin)) or await self._fetch(_address(origin), via)
        self._hold(origin, found)
        other = _origin(found.url)
        if found.url == _address(other) and other not in self._origins:
            self._origins[other] = get_running_loop().create_future()
            self._origins[other].set_result(found.rules)
            self._hold(other, found)
        return found.rules

    def _hold(self, origin: str, found: _Found) -> None:
        self._weigh(origin, found.size)
        if not isinstance(found.rules, str):
            delay = float(found.rules.crawl_delay(self._token) or 0)
            self._run.crawl_delays.ask(authority(origin), delay)

    def _archived(self, url: str) -> _Found | None:
        """What captures that are still fresh say, or None; failures are requested again."""
        try:
            row = self._fresh(url)
            for _ in range(_MOST_REDIRECTS):
                if row is None or row.status not in _MOVED:
                    break
                target = self._run.archive.target(row)
                row = self._fresh(target) if target else None
            if row is None:
                return None
            body = self._run.archive.payload(row) if row.status in _OK else b""
            rules = rules_for(row.status, body, self._token)
            return None if isinstance(rules, str) else _Found(rules, row.url, len(body))
        except ArchiveError as e:
            log.warning("archived robots.txt cannot be used url=%s error=%s", url, e)
            return None

    def _fresh(self, url: str) -> CaptureRow | None:
        now = self._run.now()
        row = self._run.archive.index.nearest_as_spelt(url, now)  # not the newest: a clock that was ahead dated it
        return row if row and not row.truncated and is_recent(row.seen, now, FRESH) else None

    async def _fetch(self, url: str, via: str) -> _Found:
        context = RequestContext(
            via=via,
            hops="P",
            credentials_for=credentials.origin(url),
            enough_bytes=ROBOTS_BYTES,
            ignores_robots=True,
        )
        timeout = min(ROBOTS_SECONDS, self._run.options.timeout)
        meta = in_meta(context, download_maxsize=ROBOTS_BYTES, download_timeout=timeout)
        request = Request(url, priority=1_000, callback=NO_CALLBACK, meta=meta)
        try:
            response = await self._crawler.engine.download_async(request)
        except (PrivateAddressError, NotSentError):
            raise
        except Exception as e:  # noqa: BLE001  whatever it is, the request has failed
            log.warning("robots.txt unreachable url=%s error=%s", url, reason(e))
            return _Found(reason(e), url, 0)
        rules = rules_for(response.status, response.body, self._token)
        return _Found(rules, response.url, len(response.body))


def _origin(url: str) -> str:
    parts = urlsplit(credentials.bare(url))
    return f"{parts.scheme}://{parts.netloc}"


def _address(origin: str) -> str:
    """Where the robots.txt of an origin is."""
    return f"{origin}/robots.txt"

"""robots.txt (RFC 9309): requested once a day for each origin, read from the archive in between."""

from __future__ import annotations

import logging
import re
from asyncio import Task, ensure_future, shield
from collections import OrderedDict
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
from crawler.net import credentials
from crawler.net.failure_reason import FORBIDDEN, reason
from crawler.net.request_context import RequestContext, context_of, in_meta
from crawler.session.host_claims import ClaimLostError
from crawler.session.run import Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

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


class Robots:
    """Downloader middleware that drops requests that robots.txt forbids."""

    def __init__(self, crawler: Crawler, run: Run, user_agent: str) -> None:
        self._crawler = crawler
        self._run = run
        self._token = user_agent.split("/", maxsplit=1)[0].split(maxsplit=1)[0] if user_agent.split() else "*"
        self._origins: OrderedDict[str, Task[Protego | str]] = OrderedDict()
        self._weights: dict[str, int] = {}
        self._sizes: dict[str, int] = {}

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
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._origins:
            self._origins[origin] = ensure_future(self._find(f"{origin}/robots.txt", url))
        self._origins.move_to_end(origin)
        try:
            return await shield(self._origins[origin])  # others wait for it too
        except ClaimLostError:  # it was not requested
            self._origins.pop(origin, None)
            raise

    def _weigh(self, origin: str, size: int) -> None:
        """Evict the least recently used rules if all together are too large; the archive still has them."""
        self._weights[origin] = size + _LEAST_WEIGHT
        while sum(self._weights.values()) > ROBOTS_HELD_BYTES and len(self._weights) > 1:
            oldest = next(one for one in self._origins if one in self._weights and one != origin)
            del self._weights[oldest]
            del self._origins[oldest]

    async def _find(self, url: str, via: str) -> Protego | str:
        rules = self._archived(url) or await self._fetch(url, via)
        self._weigh(url.removesuffix("/robots.txt"), self._sizes.pop(url, 0))
        if not isinstance(rules, str):
            self._run.crawl_delays.ask(urlsplit(url).netloc, float(rules.crawl_delay(self._token) or 0))
        return rules

    def _archived(self, url: str) -> Protego | None:
        """Rules from a capture that is still fresh, or None; redirects and failures are requested again."""
        try:
            now = self._run.now()
            row = self._run.archive.index.nearest(url, now)  # not the newest: a clock that was ahead dated it
            if row is None or row.url != url or row.truncated or not is_recent(row.date, now, FRESH):
                return None
            body = self._run.archive.payload(row) if row.status in _OK else b""
            rules = rules_for(row.status, body, self._token)
            self._sizes[url] = len(body)
            return None if isinstance(rules, str) else rules
        except ArchiveError as e:
            log.warning("archived robots.txt cannot be used url=%s error=%s", url, e)
            return None

    async def _fetch(self, url: str, via: str) -> Protego | str:
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
        except (PrivateAddressError, ClaimLostError):
            raise
        except Exception as e:  # noqa: BLE001  whatever it is, the request has failed
            log.warning("robots.txt unreachable url=%s error=%s", url, reason(e))
            return reason(e)
        self._sizes[url] = len(response.body)
        return rules_for(response.status, response.body, self._token)

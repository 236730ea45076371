"""The download handler: captures what really crosses the wire, and throttles requests to each host.

Scrapy's own HTTP/1.1 handler returns headers re-cased and regrouped, without the reason phrase, and never the request
as sent. This one lets Scrapy do all the work and copies the bytes that pass the transport (`protocol`). It limits the
number of concurrent requests to a host or domain to what the operator wants.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
)
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Headers
from scrapy.responsetypes import responsetypes
from scrapy.utils.httpobj import urlparse_cached

from archive.warc.capture import Capture, Truncation
from archive.warc.codings import beginning, dechunked, ends_early
from archive.warc.http_message import header, redacted
from crawler.decide.answers import BUSY
from crawler.downloader.exchange import Exchange, Flight
from crawler.downloader.protocol import SLOT_HEADER, capture_on_the_wire, verify_no_certificates
from crawler.downloader.run_time import Downloads
from crawler.errors import PrivateAddressError, UselessError
from crawler.limits import DOMAIN_CONCURRENCY, FLIGHT_BYTES
from crawler.model.url_identity import authority, registrable_domain
from crawler.net.address_guard import is_address, is_name
from crawler.net.credentials import origin
from crawler.net.request_context import change, context_of
from crawler.session.slow_hosts import SlowHostError

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.core.downloader import Slot
    from scrapy.crawler import Crawler
    from scrapy.http import Response

log = logging.getLogger(__name__)

_IDLE_SECONDS = 2.0
"""Minimum time that an idle connection is kept; longer if the gap between two requests is."""


class _TrustingHandler(HTTP11DownloadHandler):
    """Does not verify certificates; it has its own connections, which no other requests use."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        verify_no_certificates(self)


class WireHandler(HTTP11DownloadHandler):
    """Downloads as Scrapy does, and passes each exchange with a response head to the run's `record`."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        from crawler.session.run import Run

        run = Run.of(crawler)
        self._record = run.committer.record
        self._hosts = run.hosts
        self._guard = run.guard
        self._retry_after = run.retry_after
        self._credentials = run.credentials
        self._crawl_delays = run.crawl_delays
        self._slow_hosts = run.slow_hosts
        self._summary = run.summary
        self._wires: dict[bytes, Exchange] = {}
        self._numbers = itertools.count()
        self._at_a_time = crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._domains: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._all = asyncio.Semaphore(run.options.concurrency)
        self._most = run.options.max_bytes
        self._timeout = run.options.timeout
        self._flight = Flight(FLIGHT_BYTES)
        self._downloads = Downloads(run, lambda: _slots(crawler))
        idle_seconds = max(_IDLE_SECONDS, run.options.host_gap + 1)
        self._trusting = _TrustingHandler(crawler)
        capture_on_the_wire((self, self._trusting), self._wires, run.guard, idle_seconds=idle_seconds)

    async def download_request(self, request: Request) -> Response:
        """Download, record and return the response, throttled by host.

        Raises:
            NotSentError: The run ends, and waits for this host no longer: nothing is known of the URL.
        """
        return await self._downloads.download(request, self._in_turn(request))

    async def _in_turn(self, request: Request) -> Response:
        """Download in turn with other requests to the host.

        The limit on concurrent requests to a host is enforced here: without a gap between two, Scrapy counts a request
        only once its download begins, and lets all that wait for the host begin together.
        """
        host, named = authority(request.url), urlparse_cached(request).hostname or ""
        turns = self._turns.setdefault(host, asyncio.Semaphore(self._at_a_time))
        domain = registrable_domain(named)
        together = self._domains.setdefault(domain, asyncio.Semaphore(DOMAIN_CONCURRENCY))
        async with turns:
            self._check_slow(request)
            await asyncio.sleep(self._crawl_delays.wait(host, monotonic()))
            async with together, self._all:
                return await self._download(request, named)

    async def _download(self, request: Request, host: str) -> Response:
        self._downloads.begins()
        if is_address(host) and not self._guard.permits(host.strip("[]")):
            raise PrivateAddressError("is a private address", url=request.url)
        if not is_address(host) and not is_name(host):
            raise CannotResolveHostError(f"no host can have this name: {host[:100]}")
        # Last, since it may have waited: for its turn, or because the machine was suspended.
        await self._hosts.hold(request.url)
        self._retry_after.check(request.url)
        self._check_slow(request)
        slot = b"%d" % next(self._numbers)
        most = request.meta.get("download_maxsize", self._most)
        wire = self._wires[slot] = Exchange(
            most=most, flight=self._flight, permitted=partial(self._hosts.may_send, request.url)
        )
        request.headers[SLOT_HEADER] = slot
        wire.unverified = self._credentials.unverified(host)
        try:
            response = await self._in_time(request, unverified=wire.unverified)
        except (ResponseDataLossError, DownloadTimeoutError, DownloadCancelledError) as e:
            cut = await self._record_truncated(request, wire, e)
            enough = context_of(request).enough_bytes
            ended_by_us = wire.given_up is not None or isinstance(e, DownloadCancelledError)
            if cut is not None and enough is not None and ended_by_us:
                return _beginning(request, cut, enough)
            if wire.given_up is not None:
                raise UselessError(wire.given_up, url=request.url) from e
            raise
        except CannotResolveHostError as e:
            from twisted.internet import reactor

            if host in getattr(reactor.nameResolver, "refused", ()):
                raise PrivateAddressError("leads to a private address", url=request.url) from e
            raise
        finally:
            del self._wires[slot]
            self._flight.gone(wire)
            request.headers.pop(SLOT_HEADER, None)
            request.headers.pop("Authorization", None)  # redirects inherit the headers of this request
        value = response.headers.get("Retry-After")
        # Here, not in a middleware: the next request to the host is sent as soon as this returns.
        if response.status in BUSY:
            said = value.decode("latin-1") if value else None
            await asyncio.to_thread(self._retry_after.answered, request.url, response.status, said)
        head, _ = wire.head()
        early = ends_early(response.body, header(head, "content-encoding"), limit=most)
        capture = _capture(request, wire, head, response.body, truncated="unspecified" if early else None)
        change(request, recorded=await self._record(capture))
        enough = context_of(request).enough_bytes
        return response if enough is None else _beginning(request, capture, enough)

    async def _in_time(self, request: Request, *, unverified: bool) -> Response:
        """The response, if the site has not used up the time for which this run waits for it."""
        own_limit, answered = request.meta.get("download_timeout", self._timeout), False
        request.meta["download_timeout"] = min(own_limit, self._slow_hosts.begin(request.url))
        try:
            response = await self._downloaded(request, unverified=unverified)
            answered = True
        finally:
            request.meta["download_timeout"] = own_limit  # redirects inherit it
            if self._slow_hosts.end(request.url, answered=answered):
                until = await asyncio.to_thread(self._retry_after.too_slow, request.url)
                self._summary.slow.add(self._slow_hosts.leave(request.url, until))
        return response

    def _check_slow(self, request: Request) -> None:
        """Raise SlowHostError if the site is not asked any more; what waits behind the request passes without gaps."""
        try:
            self._slow_hosts.check(request.url)
        except SlowHostError:
            downloader = self._crawler.engine.downloader
            slot = downloader.slots.get(downloader.get_slot_key(request))
            if slot is not None:
                slot.delay = 0
            raise

    async def _downloaded(self, request: Request, *, unverified: bool) -> Response:
        own = context_of(request).credentials_for == origin(request.url)
        if own and (authorization := self._credentials.authorization(request.url)):
            request.headers["Authorization"] = authorization
        if unverified:
            return await self._trusting.download_request(request)
        return await super().download_request(request)

    async def close(self) -> None:
        """Close all connections."""
        self._downloads.close()
        await super().close()
        await self._trusting.close()

    async def _record_truncated(self, request: Request, wire: Exchange, error: Exception) -> Capture | None:
        head, begin = wire.head()
        if not head:
            return None
        reason: Truncation = "length"
        if isinstance(error, ResponseDataLossError) and wire.given_up is None:
            reason = "disconnect"
        elif isinstance(error, DownloadTimeoutError):
            reason = "time"
        coding = (header(head, "transfer-encoding") or "").lower()
        body = wire.take(begin)
        if "chunked" in coding:
            body = dechunked(body)
        capture = _capture(request, wire, head, body, truncated=reason)
        await self._record(capture)
        return capture


def _slots(crawler: Crawler) -> list[Slot]:
    """Scrapy's queues of requests, one for each host."""
    return [] if crawler.engine is None else list(crawler.engine.downloader.slots.values())


def _beginning(request: Request, capture: Capture, enough_bytes: int) -> Response:
    """A response with only as much of its payload as is wanted."""
    body = beginning(capture.body, capture.header("content-encoding"), limit=enough_bytes)
    headers = Headers()
    for name, value in capture.headers:
        if name.lower() != "content-encoding":
            headers.appendlist(name, value.encode("latin-1"))
    kind = responsetypes.from_args(headers=headers, url=request.url, body=body)
    return kind(request.url, status=capture.status, headers=headers, body=body, request=request)


def _capture(
    request: Request, wire: Exchange, head: bytes, body: bytes, *, truncated: Truncation | None = None
) -> Capture:
    return Capture(
        url=request.url,
        date=wire.began or datetime.now(UTC),
        request=redacted(bytes(wire.sent)),
        head=head,
        body=body,
        seconds=monotonic() - wire.clock,
        ip=wire.ip,
        protocols=wire.protocols,
        cipher=wire.cipher,
        unverified=wire.unverified and wire.cipher is not None,
        truncated=truncated,
        via=context_of(request).via,
        hops=context_of(request).hops,
        validated_by=context_of(request).validated_by,
    )

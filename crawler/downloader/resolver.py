"""Name resolution with the address guard (SSRF): forbidden addresses are left out of the results."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from scrapy.crawler import Crawler
from scrapy.resolver import CachingHostnameResolver
from twisted.internet.base import ReactorBase
from twisted.internet.interfaces import IResolutionReceiver
from zope.interface import implementer

from crawler.net.address_guard import Guard

log = logging.getLogger(__name__)


@implementer(IResolutionReceiver)
class _Filter:
    """Passes only allowed addresses to the original receiver."""

    def __init__(self, receiver: Any, guard: Guard, refused: Callable[[], None]) -> None:  # noqa: ANN401
        self._receiver = receiver
        self._guard = guard
        self._refused = refused

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802, ANN401  Twisted's name
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802, ANN401  Twisted's name
        if self._guard.permits(address.host):
            self._receiver.addressResolved(address)
        else:
            self._refused()

    def resolutionComplete(self) -> None:  # noqa: N802  Twisted's name
        self._receiver.resolutionComplete()


class GuardedResolver(CachingHostnameResolver):
    """Scrapy's caching resolver for IPv4 and IPv6, without forbidden addresses (SSRF)."""

    def __init__(self, reactor: ReactorBase, cache_size: int, guard: Guard) -> None:
        super().__init__(reactor, cache_size)
        self._guard = guard
        self.refused: set[str] = set()
        """Names that resolved to a private address."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: ReactorBase) -> GuardedResolver:
        """Create it like Scrapy's, with the operator's allowed networks."""
        from crawler.session.run import options

        guard = Guard(options(crawler).allow_networks)
        return cls(reactor, crawler.settings.getint("DNSCACHE_SIZE"), guard)

    def resolveHostName(  # noqa: N802  Twisted's name
        self,
        resolutionReceiver: Any,  # noqa: N803, ANN401  Twisted's name
        hostName: str,  # noqa: N803  Twisted's name
        portNumber: int = 0,  # noqa: N803  Twisted's name
        addressTypes: Sequence[Any] | None = None,  # noqa: N803  Twisted's name
        transportSemantics: str = "TCP",  # noqa: N803  Twisted's name
    ) -> Any:  # noqa: ANN401  Twisted's
        """Resolve, leaving refused addresses out."""
        receiver = _Filter(resolutionReceiver, self._guard, lambda: self._refuse(hostName))
        return super().resolveHostName(receiver, hostName, portNumber, addressTypes, transportSemantics)

    def _refuse(self, name: str) -> None:
        if name not in self.refused:
            self.refused.add(name)
            log.warning("refused private address host=%s", name)

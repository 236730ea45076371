"""Address guard against SSRF (server-side request forgery): which addresses may be connected to. No I/O."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})  # RFC 5214 §6.1
# Networks that Python's table classifies as global, or does not have, but that must not be connected to.
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocol assignments, Oracle Cloud's metadata service included
            "168.63.129.16/32",  # Azure's WireServer
            "192.88.99.0/24",  # 6to4 relays
            "100.64.0.0/10",  # carrier-grade NAT, Alibaba Cloud's metadata service included
            "fec0::/10",  # site-local, deprecated but still routed
            "3fff::/20",  # documentation
            "::/96",  # IPv4-compatible
            "64:ff9b:1::/48",  # NAT64 for local use
        ),
    )
)
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
_LOW_32 = 0xFFFFFFFF


class Guard:
    """Tells public addresses from private ones."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        """`allowed` are networks that count as public."""
        self._allowed = tuple(allowed)
        self.permits = lru_cache(maxsize=4096)(self._permits)

    def _permits(self, host: str) -> bool:
        """Whether an IP address, as text, is on the public internet or in an allowed network."""
        try:
            address = ipaddress.ip_address(host.split("%", maxsplit=1)[0])
        except ValueError:
            return False
        return all(self._public(form) for form in _forms(address))

    def _public(self, address: Address) -> bool:
        if any(address in network for network in self._allowed if network.version == address.version):
            return True
        if any(address in network for network in _NOT_PUBLIC if network.version == address.version):
            return False
        return address.is_global and not address.is_multicast and not address.is_reserved


def _forms(address: Address) -> list[Address]:
    """The address itself, and any IPv4 address embedded in it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    last = ipaddress.IPv4Address(int(address) & _LOW_32)
    if address.ipv4_mapped or address in _NAT64:
        return [last]
    tunnelled = [one for one in (address.sixtofour, *(address.teredo or ())) if one]
    if int(address) >> 32 & _LOW_32 in _ISATAP:
        tunnelled.append(last)
    return [address, *tunnelled]


def is_name(host: str) -> bool:
    """Whether a host can be looked up at all (RFC 1035 §2.3.4): on others, resolvers fail or hang."""
    labels = host.removesuffix(".").split(".")
    return host.isascii() and len(host) <= _LONGEST_NAME and all(0 < len(label) <= _LONGEST_LABEL for label in labels)


@lru_cache(maxsize=4096)
def is_address(host: str) -> bool:
    """Whether a URL's host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True

"""POST requests of our own, to hubs and webhooks: to public addresses alone, no redirects, bounded."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from crawler.errors import FetchError, PrivateAddressError
from crawler.guard import Guard

_MAX_ANSWER = 64 * 1024
_PORTS = {"http": 80, "https": 443}


def post(
    url: str, *, body: bytes, headers: Mapping[str, str], guard: Guard, seconds: float = 20.0
) -> tuple[int, bytes]:
    """Send a body; gives the status of the answer and the beginning of its payload.

    Args:
        url: Where to.
        body: The payload.
        headers: Beside those that follow from URL and body.
        guard: Tells which addresses may be connected to.
        seconds: For the whole exchange, each step of it no longer than that.

    Raises:
        FetchError: There was no answer.
        PrivateAddressError: The host has no address that may be connected to.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port or _PORTS[parts.scheme]
    except (KeyError, ValueError) as e:  # of these UnicodeError is one
        raise FetchError("is no http or https address", url=url) from e
    address = _address(url, host, port, guard)
    timeout = urllib3.Timeout(total=seconds)
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        # The name is checked, though it is not looked up again: it could lead elsewhere the second time.
        pool = urllib3.HTTPSConnectionPool(
            address, port, timeout=timeout, retries=False, server_hostname=host, assert_hostname=host
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout, retries=False)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with pool:
            answer = pool.urlopen(
                "POST",
                target,
                body=body,
                headers={"Host": _authority(host, parts.port), **headers},
                redirect=False,
                preload_content=False,
            )
            said = answer.read(_MAX_ANSWER)
            answer.close()
    except (HTTPError, OSError, ValueError) as e:  # ValueError: http.client will not send such a header or target
        raise FetchError(f"no answer: {type(e).__name__}", url=url) from e
    return answer.status, said


def _authority(host: str, port: int | None) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if port is None else f"{bracketed}:{port}"


def _address(url: str, host: str, port: int, guard: Guard) -> str:
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as e:
        raise FetchError("host not found", url=url) from e
    allowed = [address for address in found if guard.permits(address)]
    if not allowed:
        raise PrivateAddressError("is not on the public internet", url=url)
    return allowed[0]

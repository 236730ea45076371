"""POST requests to WebSub hubs and webhooks: only to public addresses (SSRF), without redirects, bounded."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpcore
from w3lib.url import safe_url_string

from crawler import limits
from crawler.errors import FetchError, PrivateAddressError
from crawler.net.address_guard import Guard


def post(
    url: str, *, body: bytes, headers: Mapping[str, str], guard: Guard, seconds: float = limits.POST_SECONDS
) -> tuple[int, bytes]:
    """Send a body; returns the status of the response and the beginning of its payload.

    Args:
        url: Where to.
        body: The payload.
        headers: In addition to those that follow from URL and body.
        guard: Decides which addresses may be connected to.
        seconds: For the whole exchange, from the name lookup to the last byte that is read.

    Raises:
        FetchError: There was no response.
        PrivateAddressError: The host has no allowed address.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError as e:  # includes UnicodeError
        raise FetchError("is not an http or https address", url=url) from e
    if parts.scheme not in {"http", "https"} or not host:
        raise FetchError("is not an http or https address", url=url)
    target = httpcore.URL(
        scheme=parts.scheme,
        host=host,
        port=port,
        target=safe_url_string((parts.path or "/") + (f"?{parts.query}" if parts.query else "")),
    )
    try:
        return asyncio.run(_post(target, body, headers, guard, seconds))
    except TimeoutError as e:
        raise FetchError(f"no answer within {seconds:g} s", url=url) from e
    except _RefusedError as e:
        raise PrivateAddressError("is not on the public internet", url=url) from e
    except socket.gaierror as e:
        raise FetchError("host not found", url=url) from e
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        OSError,
        ValueError,  # UnicodeError: no header can hold it
    ) as e:
        raise FetchError(f"no answer: {type(e).__name__}", url=url) from e


async def _post(
    url: httpcore.URL, body: bytes, headers: Mapping[str, str], guard: Guard, seconds: float
) -> tuple[int, bytes]:
    async with asyncio.timeout(seconds):
        # One connection for each request, so that no response can be mistaken for another's.
        async with (
            httpcore.AsyncConnectionPool(
                network_backend=_Guarded(guard), ssl_context=ssl.create_default_context(), max_keepalive_connections=0
            ) as pool,
            pool.stream("POST", url, headers=list(headers.items()), content=body) as answer,
        ):
            received = bytearray()
            async for part in answer.aiter_stream():
                received += part
                if len(received) >= limits.POST_ANSWER_BYTES:
                    break
            return answer.status, bytes(received[: limits.POST_ANSWER_BYTES])


class _RefusedError(Exception):
    """The host has no address that may be connected to."""


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects only to an address that was resolved and permitted (SSRF, DNS rebinding)."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect as httpcore does, after a check of the address."""
        found = await _looked_up(host, port)
        allowed = [address for *_, place in found if self._guard.permits(address := str(place[0]))]
        if not allowed:
            raise _RefusedError
        return await self._network.connect_tcp(allowed[0], port, timeout, local_address, socket_options)


async def _looked_up(host: str, port: int) -> list[Any]:
    """`socket.getaddrinfo` in a thread that is not joined: a resolver may take longer than the deadline."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Any]] = loop.create_future()

    def tell(found: list[Any] | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    def look() -> None:
        found, error = None, None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as e:
            error = e
        with suppress(RuntimeError):  # the loop has ended with the deadline
            loop.call_soon_threadsafe(tell, found, error)

    threading.Thread(target=look, daemon=True).start()
    return await answer

"""Security middleware for every response: CSP and other security headers, CORS, cross-site checks, DNS rebinding.

It also decides the public origin that links have, and compresses.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.web.memento_path import checked_host

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'none'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy (CSP) of our own pages: nothing from other origins, no scripts."""

_DEFAULTS = (
    (b"content-security-policy", PAGE_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_UNCOMPRESSED = ("/web/", "/warcs/", "/download/")
"""Not compressed: payloads keep their bytes, and ranges refer to these."""
_COMPRESS_FROM = 1_024
_CORS_PATHS = ("/web/", "/warcs/", "/cdx", "/text/", "/download/wacz/", "/download/replay/")
"""Paths that pages of other origins may read (CORS), such as replay tools, if they are allowed to."""


_LOOKED_AT = frozenset({b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest"})
_FRAMES = frozenset({"iframe", "frame", "embed", "object"})


class SecurityMiddleware:
    """The outermost ASGI middleware."""

    def __init__(self, app: ASGIApp, *, public_url: str, local: bool, origins: Collection[str] = ()) -> None:
        """Wrap an application.

        Args:
            app: The application.
            public_url: Its public URL; empty: as in the Host header, which must then be an address or `localhost`.
            local: It listens on loopback only.
            origins: Whose pages may read what CORS opens, beside those of this host; `*`: all.
        """
        self._app = app
        self._compressed = GZipMiddleware(app, minimum_size=_COMPRESS_FROM, compresslevel=5)
        self._public_url = public_url
        self._public_host = (urlsplit(public_url).netloc or "").lower()
        self._local = local
        self._origins = frozenset(origin.encode("latin-1", "ignore") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _LOOKED_AT}
        hosts = sum(name == b"host" for name, _ in scope["headers"])
        origin, host = seen.get(b"origin", ""), seen.get(b"host", "")
        path = scope["path"]
        open_to = self._open_to(path, origin, host)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[tuple[bytes, bytes]] = message["headers"]
                names = {name for name, _ in headers}
                headers.extend(default for default in _DEFAULTS if default[0] not in names)
                if open_to:
                    headers.append((b"access-control-allow-origin", open_to))
                    headers.append((b"access-control-expose-headers", b"*"))
                    if open_to != b"*":
                        headers.append((b"vary", b"origin"))
            await send(message)

        if hosts != 1 or not self._known(host):
            await PlainTextResponse(
                f"{host[:100]!a}: not a name of this server; set PRESSMARK_PUBLIC_URL to its public URL\n",
                status_code=HTTPStatus.BAD_REQUEST,
            )(scope, receive, sending)
            return
        if self._local and not open_to and _is_embedded_cross_site(path, seen):
            await PlainTextResponse(
                "cross-site requests are not allowed on this server\n", status_code=HTTPStatus.FORBIDDEN
            )(scope, receive, sending)
            return
        scope["pressmark.base"] = self._public_url or f"{scope['scheme']}://{host}"
        if open_to and scope["method"] == "OPTIONS":
            await PlainTextResponse(
                "",
                status_code=HTTPStatus.NO_CONTENT,
                headers={"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "Range"},
            )(scope, receive, sending)
            return
        app = self._app if path.startswith(_UNCOMPRESSED) else self._compressed
        await app(scope, receive, sending)

    def _known(self, host: str) -> bool:
        """Whether a Host header is ours: another one would go into links, or is DNS rebinding."""
        if checked_host(host) is None:
            return False
        if host.lower() == self._public_host:
            return True
        try:
            bare = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        return bare == "localhost" or bare.endswith(".localhost") or _is_address(bare)

    def _open_to(self, path: str, origin: str, host: str) -> bytes | None:
        """The origin whose pages may read the response (CORS)."""
        if not path.startswith(_CORS_PATHS):
            return None
        if b"*" in self._origins:
            return b"*"
        stated = origin.encode("latin-1", "ignore")
        if not stated or b"\n" in stated or b"\r" in stated:
            return None
        if stated in self._origins:
            return stated
        try:
            bare, ours = urlsplit(origin).hostname or "", urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return None
        if self._local:
            known = bare == "localhost" or (_is_address(bare) and ip_address(bare).is_loopback)
        else:  # the replay engine, on another port of this host
            known = bare == ours
        return stated if known else None


def _is_embedded_cross_site(path: str, seen: Mapping[bytes, str]) -> bool:
    """Whether a page of another site embeds a response from here, by its Fetch Metadata (`Sec-Fetch-…`).

    Our own sandboxed views have an opaque origin: their images and stylesheet count as cross-site and are allowed.
    """
    into = seen.get(b"sec-fetch-dest")
    if seen.get(b"sec-fetch-site") != "cross-site":
        return False
    if seen.get(b"sec-fetch-mode") == "navigate":
        return into in _FRAMES
    media = into in {"image", "audio", "video"} and path.startswith("/web/")
    return not (media or path.startswith("/static/"))


def _is_address(bare: str) -> bool:
    try:
        ip_address(bare)
    except ValueError:
        return False
    return True


def sandboxed(*allowed: str, sources: Sequence[str] = ()) -> str:
    """Content-Security-Policy of archived content: an opaque origin, no scripts, nothing from other origins."""
    return "; ".join((" ".join(("sandbox", *allowed)), "default-src 'none'", *sources, "base-uri 'none'"))

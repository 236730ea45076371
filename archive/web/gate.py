"""What every answer passes on its way out: whose links it writes, headers that keep it harmless, compression."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.web.target import checked_host

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of our own pages: nothing from elsewhere, no script but our files."""

_DEFAULTS = (
    (b"content-security-policy", PAGE_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_AS_IT_IS = ("/web/", "/warcs/", "/download/")
"""What is not compressed: payloads keep their bytes, ranges their meaning."""
_COMPRESS_FROM = 1_024
_ORIGIN_PATHS = ("/web/", "/warcs/", "/cdx", "/text/", "/download/wacz/")
"""What pages of other servers on this machine may read, such as a replay tool."""


class Gate:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, *, public_url: str, local: bool) -> None:
        """`local`: it listens on this machine alone, so that other names are of a page that tries to get in."""
        self._app = app
        self._compressed = GZipMiddleware(app, minimum_size=_COMPRESS_FROM, compresslevel=5)
        self._public_url = public_url
        self._public_host = (urlsplit(public_url).netloc or "").lower()
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: C901  one step after another
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = ""
        host = ""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
            elif name == b"origin":
                origin = value.decode("latin-1")
        path = scope["path"]
        open_to = self._open_to(path, origin) if origin or not self._local else None
        if not self._known(host):
            await PlainTextResponse(
                f"{host[:100]!a}: not a name of this server: set PRESSMARK_PUBLIC_URL to the URL that reaches it\n",
                status_code=400,
            )(scope, receive, send)
            return
        scope["pressmark.base"] = self._public_url or f"{scope['scheme']}://{host}"

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

        if open_to and scope["method"] == "OPTIONS":
            await PlainTextResponse(
                "",
                status_code=204,
                headers={"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "Range"},
            )(scope, receive, sending)
            return
        app = self._app if path.startswith(_AS_IT_IS) else self._compressed
        await app(scope, receive, sending)

    def _known(self, host: str) -> bool:
        """Whether a Host header may be ours: another one stands in links, or is of a page with a rebinding name."""
        if checked_host(host) is None:
            return False
        if not self._local or host.lower() == self._public_host:
            return True
        bare = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        return bare == "localhost" or bare.endswith(".localhost") or _is_address(bare)

    def _open_to(self, path: str, origin: str) -> bytes | None:
        """The origin whose pages may read the answer."""
        if not path.startswith(_ORIGIN_PATHS):
            return None
        if not self._local:
            return b"*"
        bare = urlsplit(origin).hostname or ""
        loopback = bare == "localhost" or (_is_address(bare) and ip_address(bare).is_loopback)
        return origin.encode("latin-1", "ignore") if loopback and "\n" not in origin and "\r" not in origin else None


def _is_address(bare: str) -> bool:
    try:
        ip_address(bare)
    except ValueError:
        return False
    return True


def sandboxed(*allowed: str, sources: Sequence[str] = ()) -> str:
    """Content-Security-Policy of what was archived: an origin of its own, no script, nothing from elsewhere."""
    return "; ".join((" ".join(("sandbox", *allowed)), "default-src 'none'", *sources, "base-uri 'none'"))

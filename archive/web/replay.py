"""Replay with scripts: a third-party replay engine on an origin of its own, with nothing else there.

The engine (ReplayWeb.page, AGPL) is not part of this project: its two files are fetched at set-up and served unchanged.
Without them there is only the plain view.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from archive.limits import URL_CHARACTERS
from archive.web.errors import escape
from archive.web.memento_path import quoted
from archive.web.security import SecurityMiddleware

ENGINE = Path(sys.prefix) / "share" / "pressmark" / "replay"
"""Folder of the engine."""
_CONFIG = json.dumps(
    {
        # The engine's own policy leaves WebSockets open, which a fresh frame or worker of a page would reach.
        "csp": "default-src 'unsafe-eval' 'unsafe-inline' 'self' data: blob:; form-action 'none'; object-src 'none'",
    }
)
_WAIT = """
const begun = Number(sessionStorage.begun), now = Date.now();
if (!(now - begun < 60000)) sessionStorage.begun = now;
if (!(now - begun > 20000 && now - begun < 60000))
  navigator.serviceWorker.ready.then(() => setTimeout(() => location.reload(), 100));
"""
"""Loads the engine's frame again until its service worker answers for it.

The engine loads it once, often before the service worker has taken over. After 20 seconds it stays blank for a while.
"""
_FILES = ("ui.js", "sw.js")


def is_there(folder: Path = ENGINE) -> bool:
    """Whether the engine is installed."""
    return all((folder / name).is_file() for name in _FILES)


def link(replay_url: str, base: str, url: str, stamp: str) -> str:
    """URL that the frame of a replayed memento loads.

    The frame is of another origin than the page around it, which archived scripts therefore cannot reach.

    Args:
        replay_url: Origin of the replay application.
        base: Our own origin.
        url: URL of the page.
        stamp: 14 digits.
    """
    source = f"{base}/download/replay/{stamp}/{quoted(url)}"
    return f"{replay_url}/?{urlencode({'source': source, 'url': url, 'ts': stamp})}"


async def _style(_request: Request) -> Response:
    """The stylesheet of the replay page."""
    css = "html,body{margin:0;height:100%}body{display:flex;flex-direction:column;font:1rem system-ui,sans-serif}"
    css += "replay-web-page{flex:1;display:block;min-height:0}"
    return Response(css, media_type="text/css")


def replay_application(
    *, sources: Callable[[Request], str], local: bool, public_url: str = "", folder: Path = ENGINE
) -> ASGIApp:
    """The ASGI application of the replay origin.

    Args:
        sources: The only origin that archived pages are loaded from.
        local: It listens on loopback only.
        public_url: Its public URL.
        folder: Folder of the engine.
    """

    def policy(request: Request) -> str:
        return (
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data: blob:; font-src 'self' data:; frame-src 'self'; worker-src 'self'; "
            f"connect-src 'self' {sources(request)}; form-action 'none'; base-uri 'none'; "
            f"frame-ancestors 'self' {sources(request)}"
        )

    async def page(request: Request) -> Response:
        source, url, stamp = (request.query_params.get(name, "") for name in ("source", "url", "ts"))
        origin = sources(request)
        if not source.startswith(f"{origin}/download/replay/") or len(source) > 2 * URL_CHARACTERS:
            return PlainTextResponse(f"source: must begin with {origin}/download/replay/\n", HTTPStatus.BAD_REQUEST)
        if not url.startswith(("http://", "https://")) or not (stamp.isascii() and stamp.isdigit()):
            return PlainTextResponse("url, ts: use the URL of a page and 14 digits\n", HTTPStatus.BAD_REQUEST)
        attributes = " ".join(
            f'{name}="{escape(value)}"' for name, value in (("source", source), ("url", url), ("ts", stamp))
        )
        return HTMLResponse(
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="robots" content="noindex"><title>Replay · Pressmark</title>'
            '<link rel="stylesheet" href="/replay.css"><script src="/ui.js"></script></head><body>'
            f'<replay-web-page {attributes} replayBase="/replay/" embed="replayonly" sandbox deepLink="false" '
            f'noWebWorker config="{escape(_CONFIG)}"></replay-web-page></body></html>',
            headers={"Content-Security-Policy": policy(request)},
        )

    async def script(request: Request) -> Response:
        name = request.url.path.rpartition("/")[2]
        headers = {"Content-Security-Policy": policy(request), "Cache-Control": "no-cache"}
        if name == "sw.js":
            headers["Service-Worker-Allowed"] = "/replay/"
        return FileResponse(folder / name, media_type="text/javascript", headers=headers)

    async def frame(request: Request) -> Response:
        headers = {"Content-Security-Policy": policy(request), "Cache-Control": "no-store"}
        if request.path_params["rest"]:
            return PlainTextResponse("", HTTPStatus.NOT_FOUND, headers=headers)
        waiting = '<!doctype html><meta charset="utf-8"><title>Replay</title><script src="/replay/wait.js"></script>'
        return HTMLResponse(waiting, HTTPStatus.NOT_FOUND, headers=headers)

    async def wait(_request: Request) -> Response:
        return Response(_WAIT, media_type="text/javascript", headers={"Cache-Control": "no-store"})

    made = Starlette(
        routes=[
            Route("/", page),
            Route("/ui.js", script),
            Route("/replay/ui.js", script),
            Route("/replay/sw.js", script),
            Route("/replay.css", _style),
            Route("/replay/wait.js", wait),
            Route("/replay/{rest:path}", frame),
        ]
    )
    return SecurityMiddleware(made, public_url=public_url, local=local)

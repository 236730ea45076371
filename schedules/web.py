"""What the daemon answers over HTTP: its health, and the callbacks of WebSub hubs."""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from asyncio import to_thread
from collections.abc import Callable
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from archive.errors import ArchiveError
from crawler import websub
from crawler.frontier import Frontier

log = logging.getLogger(__name__)

MAX_NOTIFICATION = 10 * 1024 * 1024
"""Bytes of what a hub may send along."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
Health = Callable[[], dict[str, str]]
"""Gives what is wrong, by the part that is ill; nothing if all is well."""


class Web:
    """The daemon's web application."""

    def __init__(self, frontier: Frontier, *, health: Health, nudge: Callable[[], None]) -> None:
        """`health` is asked by `/health`; `nudge` is called when a hub has told of news."""
        self._engine = frontier.engine
        self._health = health
        self._nudge = nudge

    def app(self) -> Starlette:
        """What a web server runs."""
        return Starlette(
            routes=[
                Route("/health", self._healthy),
                Route("/websub/{token}", self._verify, methods=["GET"]),
                Route("/websub/{token}", self._notify, methods=["POST"]),
            ],
            exception_handlers={ArchiveError: _away},
        )

    def _healthy(self, _request: Request) -> Response:
        ill = self._health()
        return JSONResponse({"status": "ill" if ill else "well", **ill}, status_code=503 if ill else 200)

    def _verify(self, request: Request) -> Response:
        """The hub asks whether we meant it."""
        parameters = dict(request.query_params)
        challenge = websub.verified(self._engine, _token(request), parameters, now=datetime.now(UTC))
        return PlainTextResponse(challenge) if challenge else _unknown()

    async def _notify(self, request: Request) -> Response:
        """The hub tells of news."""
        token = _token(request)
        if not await to_thread(websub.known, self._engine, token):
            return _unknown()
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_NOTIFICATION:
                return PlainTextResponse("too large\n", status_code=413)
        signature, now = request.headers.get("x-hub-signature", ""), datetime.now(UTC)
        if await to_thread(websub.notified, self._engine, token, body, signature, now=now):
            await to_thread(self._nudge)
        # A hub is not told that its signature is wrong: it could be someone who tries (WebSub §8).
        return Response(status_code=202)


def _token(request: Request) -> str:
    """The token of a callback; empty, as no token of ours is, where it could not even be one."""
    token: str = request.path_params["token"]
    return token if _TOKEN.fullmatch(token) else ""


def _unknown() -> Response:
    return PlainTextResponse("no such subscription\n", status_code=404)


def _away(_request: Request, error: Exception) -> Response:
    log.warning("not answered error=%s", error)
    return PlainTextResponse("the database is away\n", status_code=503)


def listen(host: str, port: int) -> socket.socket:
    """A socket on an address.

    Raises:
        OSError: It cannot be had, such as a port that is taken; names it.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as e:
        number = getattr(e, "errno", None) or 0
        raise OSError(number, os.strerror(number) if number > 0 else str(e), f"{host}:{port}") from e


def serve(application: Starlette, listening: socket.socket, *, stop: threading.Event) -> None:
    """Answer on a socket until the event is set."""
    config = uvicorn.Config(application, log_level="warning", access_log=False, server_header=False, lifespan="off")
    server = uvicorn.Server(config)
    # In the main thread it would take our signals.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    stop.wait()
    server.should_exit = True
    thread.join(5.0)

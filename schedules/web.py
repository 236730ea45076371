"""What the daemon answers over HTTP: its health, and the callbacks of WebSub hubs."""

from __future__ import annotations

import logging
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
        challenge = websub.verified(self._engine, request.path_params["token"], parameters, now=datetime.now(UTC))
        return PlainTextResponse(challenge) if challenge else _unknown()

    async def _notify(self, request: Request) -> Response:
        """The hub tells of news."""
        token = request.path_params["token"]
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


def _unknown() -> Response:
    return PlainTextResponse("no such subscription\n", status_code=404)


def _away(_request: Request, error: Exception) -> Response:
    log.warning("not answered error=%s", error)
    return PlainTextResponse("the database is away\n", status_code=503)


def serve(application: Starlette, *, host: str, port: int, stop: threading.Event) -> None:
    """Answer until the event is set."""
    config = uvicorn.Config(
        application, host=host, port=port, log_level="warning", access_log=False, server_header=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)  # in the main thread it would take our signals
    thread.start()
    stop.wait()
    server.should_exit = True
    thread.join(5.0)

"""What the daemon answers over HTTP: its health, and the callbacks of WebSub hubs."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import socket
import threading
import time
from asyncio import to_thread
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from types import FrameType

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from archive.archive import Archive
from archive.web import Extension, Templates, application
from archive.web.replay import replay_application
from archive.web.settings import WebSettings
from crawler.frontier import websub
from crawler.frontier.frontier import Frontier
from schedules.limits import NOTIFICATION_BYTES, REQUEST_HEAD_BYTES, REQUEST_SECONDS
from schedules.runs import Runs
from schedules.web.feed_pages import FeedPages

log = logging.getLogger(__name__)


_BODY_WITH_HEAD = 256 * 1024
"""A transport hands over so much at a time: a body may come with its head."""
_PORT = re.compile(r":\d+$")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PATHS = {
    path: {"summary": summary, "responses": {status: {"description": said} for status, said in answers.items()}}
    for path, summary, answers in (
        ("/health", "Whether all is well", {"200": "It is", "503": "Names what is ill"}),
        ("/metrics", "Figures for Prometheus", {"200": "Its text format"}),
        ("/changes.atom", "New, edited and vanished posts", {"200": "An Atom feed"}),
    )
}
Health = Callable[[], dict[str, str]]
"""Gives what is wrong, by the part that is ill; nothing if all is well."""


class Web:
    """The daemon's web application."""

    def __init__(
        self,
        archive: Archive,
        frontier: Frontier,
        runs: Runs,
        *,
        health: Health,
        nudge: Callable[[], None],
        schedules: bool = False,
    ) -> None:
        """`health` is asked by `/health`, `nudge` is called when a hub has told of news; `schedules`: jobs run here."""
        self._archive = archive
        self._frontier = frontier
        self._runs = runs
        self._engine = frontier.engine
        self._health = health
        self._schedules = schedules
        self._nudge = nudge

    def application(self, settings: WebSettings, *, local: bool, replay_port: int | None = None) -> ASGIApp:
        """What a web server runs.

        Args:
            settings: Under which name, and who may change something.
            local: It listens on this machine alone.
            replay_port: Where the replay application answers; None: nowhere.
        """
        templates = Templates(packages={"schedules": "schedules"}, entries=(("/feeds", "Feeds"), ("/jobs", "Jobs")))
        token = settings.token.get_secret_value()
        pages = FeedPages(
            self._archive,
            self._frontier,
            self._runs,
            templates,
            token=token,
            health=self._health,
            schedules=self._schedules,
        )
        addition = Extension(
            routes=[*self.routes(), *pages.routes()],
            routers=[pages.router()],
            status=pages.status(),
            openapi_paths=_PATHS,
        )
        replay = _replay_origin(settings, replay_port) if replay_port else None
        return application(self._archive, settings, templates, local=local, extension=addition, replay=replay)

    def routes(self) -> list[BaseRoute]:
        """What is added to the archive's web application."""
        return [
            Route("/health", self._healthy),
            Route("/websub/{token}", self._verify, methods=["GET"]),
            Route("/websub/{token}", self._notify, methods=["POST"]),
        ]

    def _healthy(self, _request: Request) -> Response:
        ill = self._health()
        return JSONResponse({"status": "ill" if ill else "well", **ill}, status_code=503 if ill else 200)

    def _verify(self, request: Request) -> Response:
        """The hub asks whether we meant it."""
        parameters = dict(request.query_params)
        token = _token(request)
        if not websub.known(self._engine, token):  # only reads, so that strangers take no lock
            return _unknown()
        challenge = websub.verified(self._engine, token, parameters, now=datetime.now(UTC))
        return PlainTextResponse(challenge) if challenge else _unknown()

    async def _notify(self, request: Request) -> Response:
        """The hub tells of news."""
        token = _token(request)
        if not await to_thread(websub.known, self._engine, token):
            return _unknown()
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > NOTIFICATION_BYTES:
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


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket on an address; `shared`: others of this user may listen on it too, and the system divides what comes.

    Raises:
        OSError: It cannot be had, such as a port that is taken; names it.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, reuse_port=shared)
    except (OSError, OverflowError) as e:
        number = getattr(e, "errno", None) or 0
        raise OSError(number, os.strerror(number) if number > 0 else str(e), f"{host}:{port}") from e


def _replay_origin(settings: WebSettings, port: int) -> Callable[[str], str]:
    """Gives the replay application's origin from ours."""
    return lambda base: settings.replay_url or f"{_PORT.sub('', base)}:{port}"


def replaying(settings: WebSettings, listening: socket.socket) -> ASGIApp:
    """The replay application for the archive that answers on a socket."""
    port = listening.getsockname()[1]

    def source(request: Request) -> str:
        host = request.url.hostname or ""
        return settings.public_url or f"{request.url.scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    return replay_application(sources=source, local=is_local(listening), public_url=settings.replay_url)


def address(listening: socket.socket) -> str:
    """URL at which a socket is reached."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_local(listening: socket.socket) -> bool:
    """Whether only this machine can reach a socket."""
    return ip_address(listening.getsockname()[0]).is_loopback


class _Bounded(HttpToolsProtocol):
    """Requests whose head is of bounded size, and that are whole in time."""

    _head_bytes = 0
    _in_head = True
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._whole()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > REQUEST_HEAD_BYTES + _BODY_WITH_HEAD:
                self.transport.abort()
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._whole()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._head_bytes, self._in_head = 0, True
        if not self.transport.is_closing():
            self._wait()

    def _wait(self) -> None:
        self._whole()
        self._late = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _whole(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def _server(application: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # they can be made up; PRESSMARK_PUBLIC_URL says what stands in links
        lifespan="off",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=5,
        limit_concurrency=500,
        backlog=256,
        http=_Bounded,
    )
    return uvicorn.Server(config)


def serve(
    application: ASGIApp,
    listening: socket.socket,
    *,
    stop: threading.Event,
    beside: Sequence[tuple[ASGIApp, socket.socket]] = (),
) -> None:
    """Answer on a socket, and on others beside it, until the event is set."""
    running = []
    for made, on in ((application, listening), *beside):
        server = _server(made)
        # In the main thread it would take our signals.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [on]}, daemon=True)
        thread.start()
        running.append((server, thread))
    stop.wait()
    for server, _ in running:
        server.should_exit = True
    for _, thread in running:
        thread.join(5.0)


def serve_alone(
    make: Callable[[], ASGIApp],
    listening: socket.socket,
    *,
    workers: int,
    beside: Sequence[tuple[Callable[[], ASGIApp], socket.socket]] = (),
) -> int:
    """Answer on a socket until SIGTERM or SIGINT; gives an exit code.

    Args:
        make: Makes the application, once in each process.
        listening: Where to answer; shared, where there are several processes.
        workers: Processes that answer.
        beside: Other applications and their sockets, for each a process.
    """
    for number in (signal.SIGTERM, signal.SIGINT):  # the server takes them, ends, and raises them again
        signal.signal(number, _interrupted)
    host, port = listening.getsockname()[:2]
    others = [listen(host, port, shared=True) for _ in range(workers - 1)]
    children = [_fork(make, other) for other in others]
    for other in others:
        other.close()
    children += [_fork(other, on) for other, on in beside]
    try:
        _server(make()).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)
    return 0


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fork(make: Callable[[], ASGIApp], listening: socket.socket) -> int:
    """Another process that answers; nothing was opened in this one yet."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child

    def watch() -> None:
        # However its parent ends, it does not outlive it.
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    try:
        threading.Thread(target=watch, daemon=True).start()
        _server(make()).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        os._exit(0)

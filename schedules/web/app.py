"""The daemon's web application: the archive's, with feeds, jobs, health, metrics and WebSub callbacks."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from archive.archive import Archive
from archive.web import Extension, Templates, application
from archive.web.replay import replay_application
from archive.web.settings import WebSettings
from crawler.frontier.frontier import Frontier
from crawler.frontier.told_ledger import ToldLedger
from schedules.runs import Runs
from schedules.web.change_pages import ChangePages
from schedules.web.feed_api import router
from schedules.web.feed_pages import FeedPages
from schedules.web.forms import Forms
from schedules.web.server import is_local
from schedules.web.websub import WebSubCallbacks

_PORT = re.compile(r":\d+$")
_PATHS = {
    path: {"summary": summary, "responses": {status: {"description": text} for status, text in answers.items()}}
    for path, summary, answers in (
        ("/health", "Health check", {"200": "All parts are well", "503": "Names the failing parts"}),
        ("/metrics", "Metrics for Prometheus", {"200": "Prometheus text format"}),
        ("/changes.atom", "What happened to posts; `q` filters as in /api/changes", {"200": "An Atom feed"}),
        ("/watches/{name}.atom", "What a watch wants", {"200": "An Atom feed", "404": "No such watch"}),
    )
}
Health = Callable[[], dict[str, str]]
"""Returns the error of each failing part; empty if all is well."""


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
        """`health` answers `/health`; `nudge` is called when a hub notifies us; `schedules`: whether jobs run here."""
        self._archive = archive
        self._frontier = frontier
        self._runs = runs
        self._health = health
        self._schedules = schedules
        self._nudge = nudge

    def application(self, settings: WebSettings, *, local: bool, replay_port: int | None = None) -> ASGIApp:
        """The application for a web server.

        Args:
            settings: Public URL, and the token that authorizes changes.
            local: Whether it listens on the loopback interface only.
            replay_port: Port of the replay application; None if there is none.
        """
        entries = (("/changes", "Changes"), ("/feeds", "Feeds"), ("/jobs", "Jobs"))
        templates = Templates(packages={"schedules": "schedules"}, entries=entries)
        token = settings.token.get_secret_value()
        pages = FeedPages(
            self._archive,
            self._frontier,
            self._runs,
            templates,
            writable=bool(token),
            health=self._health,
            schedules=self._schedules,
        )
        changes = ChangePages(self._archive, self._runs, templates)
        extension = Extension(
            routes=[*self.routes(), *changes.routes(), *pages.routes(), *Forms(self._frontier, token=token).routes()],
            routers=[router(self._frontier, self._runs), changes.router()],
            status=pages.status(),
            ledger=ToldLedger(self._frontier.engine),
            openapi_paths=_PATHS,
        )
        replay = _replay_origin(settings, replay_port) if replay_port else None
        return application(self._archive, settings, templates, local=local, extension=extension, replay=replay)

    def routes(self) -> list[BaseRoute]:
        """Routes added to the archive's web application."""
        return [
            Route("/health", self._healthy),
            *WebSubCallbacks(self._frontier, nudge=self._nudge).routes(),
        ]

    def _healthy(self, _request: Request) -> Response:
        ill = self._health()
        return JSONResponse(
            {"status": "ill" if ill else "well", **ill},
            status_code=HTTPStatus.SERVICE_UNAVAILABLE if ill else HTTPStatus.OK,
        )


def _replay_origin(settings: WebSettings, port: int) -> Callable[[str], str]:
    """A function that maps our origin to that of the replay application."""
    return lambda base: settings.replay_url or f"{_PORT.sub('', base)}:{port}"


def replaying(settings: WebSettings, listening: socket.socket) -> ASGIApp:
    """The replay application for the archive served on a socket."""
    port = listening.getsockname()[1]

    def source(request: Request) -> str:
        host = request.url.hostname or ""
        return settings.public_url or f"{request.url.scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    return replay_application(sources=source, local=is_local(listening), public_url=settings.replay_url)

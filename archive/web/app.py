"""The web application: what the archive holds, for people and for other people's tools."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from archive.errors import ArchiveError
from archive.index.lookup import Lookup
from archive.reader.reader import Reader
from archive.web import api
from archive.web.errors import WrongError, answered
from archive.web.mementos import Mementos
from archive.web.pages import Aside, Pages
from archive.web.programs import Machines
from archive.web.security import Gate
from archive.web.settings import WebSettings
from archive.web.templating import Templates

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What another floor adds."""

    routes: Sequence[BaseRoute] = ()
    routers: Sequence[APIRouter] = ()
    aside: Aside | None = None
    described: Mapping[str, Any] = field(default_factory=dict)
    """Paths of its routes, for the OpenAPI document."""


def static_folder() -> Path:
    """Style sheets and the one script."""
    return Path(str(files("archive.web") / "static"))


def application(
    archive: Reader,
    settings: WebSettings,
    templates: Templates,
    *,
    local: bool = True,
    addition: Addition | None = None,
    replay: Callable[[str], str] | None = None,
) -> ASGIApp:
    """What a web server runs.

    Args:
        archive: What is shown.
        settings: To whom, under which name.
        templates: Make the pages.
        local: It listens on this machine alone.
        addition: What else is answered.
        replay: Gives the origin of the replay application, from ours; None: there is none.
    """
    more = addition or Addition()
    lookup = Lookup(archive.index)
    pages = Pages(archive, lookup, templates, more.aside, replay)
    mementos = Mementos(archive, lookup, frame=pages.frame)
    machines = Machines(archive, lookup)

    async def failed(request: Request, error: Exception) -> Response:
        return answered(request, error, pages.error)

    async def misunderstood(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][1:])
        return answered(request, WrongError(f"{name}: {first['msg']}", status=422), pages.error)

    app = FastAPI(
        title="Pressmark",
        version=version("pressmark"),
        summary="What blogs published, as it was at any moment it was seen.",
        docs_url=None,  # it would load its scripts from elsewhere
        redoc_url=None,
        exception_handlers={
            ArchiveError: failed,
            WrongError: failed,
            HTTPException: failed,
            RequestValidationError: misunderstood,
            Exception: failed,
        },
        routes=[
            *pages.routes(),
            Route("/web/{rest:path}", mementos.web, methods=["GET"]),
            Route("/warcs/{rest:path}", mementos.warcs, methods=["GET"]),
            Route("/text/{rest:path}", machines.text, methods=["GET"]),
            Route("/cdx", machines.cdx, methods=["GET"]),
            Route("/cdx/search/cdx", machines.cdx, methods=["GET"]),
            Route("/outback", machines.outback, methods=["GET"]),
            Route("/wayback/available", machines.available, methods=["GET"]),
            *more.routes,
        ],
    )
    app.include_router(api.router(archive))
    for router in more.routers:
        app.include_router(router)
    app.openapi = lambda: api.describe(app, more.described)  # type: ignore[method-assign]  # as FastAPI documents
    app.router.redirect_slashes = False  # it would write the Host header into a Location
    app.mount("/static", StaticFiles(directory=static_folder()))
    return Gate(app, public_url=settings.public_url, local=local)

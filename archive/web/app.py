"""The web application: pages for people, APIs for programs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
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
from archive.reader.vanished import Ledger
from archive.web import api, pages
from archive.web.availability import AvailabilityApi
from archive.web.cdx_api import CdxApi
from archive.web.errors import BadRequestError, error_response
from archive.web.mementos import MementoApi
from archive.web.pages.layout import Site, SiteStatus
from archive.web.security import SecurityMiddleware
from archive.web.settings import WebSettings
from archive.web.templating import Templates
from archive.web.text_api import TextApi
from archive.web.workers import workers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What another package adds to the application."""

    routes: Sequence[BaseRoute] = ()
    routers: Sequence[APIRouter] = ()
    status: SiteStatus | None = None
    """For the front page."""
    ledger: Ledger | None = None
    """What is known of posts that vanished; None: what the reader itself knows."""
    openapi_paths: Mapping[str, Any] = field(default_factory=dict)
    """Descriptions of its routes for the OpenAPI document."""


def static_folder() -> Path:
    """Folder of the stylesheets and the icon."""
    return Path(str(files("archive.web") / "static"))


def application(
    reader: Reader,
    settings: WebSettings,
    templates: Templates,
    *,
    local: bool = True,
    extension: Extension | None = None,
    replay: Callable[[str], str] | None = None,
) -> ASGIApp:
    """The ASGI application.

    Args:
        reader: What it shows.
        settings: Its public URL.
        templates: Templates of the pages.
        local: It listens on loopback only.
        extension: Further routes.
        replay: Returns the origin of the replay application for ours; None: replay is not enabled.
    """
    more = extension or Extension()
    reader = reader.working(workers(), more.ledger)
    lookup = Lookup(reader.index)
    site = Site(reader, lookup, templates, more.status, replay)
    mementos = MementoApi(reader, lookup, frame=site.memento)
    cdx, texts, availability = CdxApi(lookup, reader.work), TextApi(reader), AvailabilityApi(reader)

    async def failed(request: Request, error: Exception) -> Response:
        return error_response(request, error, site.error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][1:])
        return error_response(
            request,
            BadRequestError(f"{name}: {first['msg']}", status=HTTPStatus.UNPROCESSABLE_ENTITY),
            site.error,
        )

    app = FastAPI(
        title="Pressmark",
        version=version("pressmark"),
        summary="An archive of blogs: every post as it was each time it was captured.",
        docs_url=None,  # would load scripts from another origin
        redoc_url=None,
        exception_handlers={
            ArchiveError: failed,
            BadRequestError: failed,
            HTTPException: failed,
            RequestValidationError: invalid,
            Exception: failed,
        },
        routes=[
            *pages.routes(site),
            Route("/web/{rest:path}", mementos.web, methods=["GET"]),
            Route("/warcs/{rest:path}", mementos.warcs, methods=["GET"]),
            Route("/text/{rest:path}", texts.text, methods=["GET"]),
            Route("/cdx", cdx.cdx, methods=["GET"]),
            Route("/cdx/search/cdx", cdx.cdx, methods=["GET"]),
            Route("/outback", cdx.outbackcdx, methods=["GET"]),
            Route("/wayback/available", availability.available, methods=["GET"]),
            *more.routes,
        ],
    )
    app.include_router(api.router(reader))
    for router in more.routers:
        app.include_router(router)
    app.openapi = lambda: api.describe(app, more.openapi_paths)  # type: ignore[method-assign]  # as FastAPI documents
    app.router.redirect_slashes = False  # would copy the Host header into a Location
    app.mount("/static", StaticFiles(directory=static_folder()))
    return SecurityMiddleware(app, public_url=settings.public_url, local=local, origins=settings.open_to)

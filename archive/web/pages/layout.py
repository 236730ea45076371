"""What all pages share: the archive they show, the page layout, how they read their path and parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from archive.export.wacz import WaczCache
from archive.index.lookup import Lookup
from archive.index.overview import Overview
from archive.index.schema import CaptureRow
from archive.reader.reader import Reader
from archive.search.search import Search
from archive.web.errors import BadRequestError
from archive.web.limits import PAYLOADS_BYTES
from archive.web.memento_path import dated, quoted, readings_in_path, stamp_of
from archive.web.request import rest_of
from archive.web.templating import Templates

MAX_PAGES = 500
"""Highest page number of a list."""
CAPTURES = 200
"""Captures or versions in one list."""
_PAGE_DIGITS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStatus:
    """What the front page shows that only other packages know."""

    problems: Callable[[], Mapping[str, str]] = field(default=dict)
    """What is wrong, by the component with the problem."""


class Site:
    """What pages are made from."""

    def __init__(
        self,
        reader: Reader,
        lookup: Lookup,
        templates: Templates,
        status: SiteStatus | None = None,
        replay_origin: Callable[[str], str] | None = None,
    ) -> None:
        """Prepare for making pages.

        Args:
            reader: Reads the archive that they show.
            lookup: Looks up its captures.
            templates: Templates of the pages.
            status: What other packages know.
            replay_origin: Returns the origin of the replay application for ours; None: replay is not enabled.
        """
        self.reader = reader
        self.lookup = lookup
        self.overview = Overview(reader.index)
        self.search = Search(reader)
        self.status = status or SiteStatus()
        self.replay_origin = replay_origin
        self.wacz = WaczCache(reader, max_bytes=PAYLOADS_BYTES)
        self._templates = templates

    def page(self, request: Request, name: str, *, status: int = HTTPStatus.OK, **values: object) -> Response:
        """A page from one of our templates."""
        html = self._templates.page(f"archive/{name}.html", path=request.url.path, **values)
        return HTMLResponse(html, status, headers={"Cache-Control": "no-cache"})

    def error(self, *, request: Request, status: int, message: str, hint: str) -> str:
        """The page of an error."""
        return self._templates.page(
            "archive/error.html",
            path=request.url.path,
            status=status,
            title=_error_title(request.url.path, status),
            message=message,
            hint=hint,
        )

    def memento(self, *, request: Request, row: CaptureRow, url: str, stamp: str) -> str:
        """A memento in its plain view, below a bar that says what it is."""
        offers_replay = self.replay_origin is not None and row.status < HTTPStatus.BAD_REQUEST
        replay_link = f"/replay/{stamp}/{quoted(url)}" if offers_replay else ""
        return self.framed(request, row, url, source=f"/web/{stamp}if_/{quoted(url)}", replay_link=replay_link)

    def framed(
        self, request: Request, row: CaptureRow, url: str, *, source: str, replay_link: str = "", plain_link: str = ""
    ) -> str:
        """A page whose frame shows a capture.

        Args:
            request: The request.
            row: The capture.
            url: URL as requested.
            source: What the frame loads.
            replay_link: Link to the replay engine.
            plain_link: Link to the plain view; given if the frame shows the replay engine.
        """
        return self._templates.page(
            "archive/frame.html",
            path=request.url.path,
            row=row,
            url=url,
            stamp=stamp_of(row.date),
            replay_link=replay_link,
            plain_link=plain_link,
            source=source,
        )


def page_route(path: str, page: Callable[[Request], Response]) -> Route:
    """The route of a page that is made in a thread, beside the event loop."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(page, request)

    return Route(path, endpoint, methods=["GET"])


def requested_page(reader: Reader, request: Request, prefix: str) -> tuple[str, str | None]:
    """The URL in the path after `prefix`, and its timestamp as digits, if there is one.

    What was written may have several readings: it is the one that is archived.

    Raises:
        BadRequestError: It is not a URL.
    """
    rest = rest_of(request, prefix)
    try:
        asked = dated(rest)
        meant = reader.meant(asked.readings if asked else readings_in_path(rest))
    except ValueError as e:
        raise BadRequestError(str(e)) from e
    return meant.url, asked.stamp if asked else meant.stamp or None


def page_number(request: Request) -> int:
    """The parameter `page`, from 1; 1 if it is not a number."""
    text = request.query_params.get("page", "1")
    is_number = text.isascii() and text.isdigit() and len(text) <= _PAGE_DIGITS
    return min(max(int(text), 1), MAX_PAGES) if is_number else 1


def _error_title(path: str, status: int) -> str:
    """`Not archived` for a missing memento, otherwise the status's reason phrase such as `Bad request`."""
    if status == HTTPStatus.NOT_FOUND and path.startswith(("/web/", "/post/", "/text/", "/at/")):
        return "Not archived"
    try:
        return HTTPStatus(status).phrase.capitalize()
    except ValueError:
        return f"Error {status}"

"""Pages for people about captures and texts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import BaseRoute

from archive.archive import Archive
from archive.index import CaptureRow
from archive.lookup import Lookup
from archive.web.template import Templates


class Pages:
    """Everything about captures and texts."""

    def __init__(self, archive: Archive, lookup: Lookup, templates: Templates) -> None:
        self._archive = archive
        self._lookup = lookup
        self._templates = templates

    def routes(self) -> list[BaseRoute]:
        """The pages."""
        return []

    def error(self, *, request: Request, status: int, said: str, hint: str) -> str:
        """A question that could not be answered."""
        return self._templates.page("archive/error.html", path=request.url.path, status=status, said=said, hint=hint)

    def frame(self, *, request: Request, row: CaptureRow, url: str, stamp: str) -> str:
        """A memento with a bar that tells what it is."""
        return self._templates.page("archive/frame.html", path=request.url.path, row=row, url=url, stamp=stamp)

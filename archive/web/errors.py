"""How questions that cannot be answered are: a status, a line that names the input, a remedy."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from archive.errors import ArchiveError, DamagedError, NotArchivedError, ObjectMissingError

log = logging.getLogger(__name__)

Page = Callable[..., str]
"""Makes the page for people of an error, from `status`, `said`, `hint`."""


class WrongError(Exception):
    """The question cannot be answered as it is."""

    def __init__(self, said: str, *, status: int = 400, hint: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.status = status
        self.hint = hint
        self.headers = headers or {}


def status_of(error: Exception) -> int:
    """HTTP status of an error."""
    if isinstance(error, WrongError):
        return error.status
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, NotArchivedError):
        return 404
    if isinstance(error, DamagedError | ObjectMissingError):
        return 502  # what lies behind us gave something wrong
    return 503 if isinstance(error, ArchiveError) else 500


def answered(request: Request, error: Exception, page: Page) -> Response:
    """The answer to an error, in the form that was asked for."""
    status = status_of(error)
    said, hint, headers = "something went wrong here; the log tells what", "", {}
    if isinstance(error, WrongError):
        said, hint, headers = error.said, error.hint, dict(error.headers)
    elif isinstance(error, HTTPException):
        said, headers = str(error.detail), dict(error.headers or {})
    elif isinstance(error, ArchiveError):
        said = str(error)
        hint = error.hint or ""
        if status >= 500:  # noqa: PLR2004  ours to mend
            log.warning("not answered path=%r error=%s", request.url.path[:200], error)
        if status == 503:  # noqa: PLR2004
            headers["Retry-After"] = "10"
            said = "the archive is out of reach"
    headers.setdefault("Cache-Control", "no-store")
    accept = request.headers.get("accept", "")
    if request.url.path.startswith(("/api/", "/wayback/")) or "application/json" in accept:
        return JSONResponse({"error": said, **({"hint": hint} if hint else {})}, status, headers)
    if "text/html" in accept:
        return HTMLResponse(page(request=request, status=status, said=said, hint=hint), status, headers)
    lines = "".join(f"{line}\n" for line in (said, hint) if line)
    return PlainTextResponse(lines, status, headers)


def escape(text: str) -> str:
    """Text that may stand in HTML, in attributes too."""
    return html.escape(text, quote=True)

"""Error responses: a status, one line that names the input, a hint; as HTML, JSON or plain text."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from archive.errors import ArchiveError, DamagedError, NotArchivedError, ObjectMissingError, TooLargeError

log = logging.getLogger(__name__)

ErrorPage = Callable[..., str]
"""Makes the page of an error, from `request`, `status`, `message`, `hint`."""


class BadRequestError(Exception):
    """A request that cannot be answered; its status is 400 unless another one is given."""

    def __init__(
        self,
        message: str,
        *,
        status: int = HTTPStatus.BAD_REQUEST,
        hint: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.hint = hint
        self.headers = headers or {}


def status_of(error: Exception) -> int:
    """HTTP status of an error."""
    if isinstance(error, BadRequestError):
        return error.status
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, NotArchivedError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, TooLargeError):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if isinstance(error, DamagedError | ObjectMissingError):
        return HTTPStatus.BAD_GATEWAY  # the store is behind this server, and what it returned is wrong
    return HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, ArchiveError) else HTTPStatus.INTERNAL_SERVER_ERROR


def error_response(request: Request, error: Exception, page: ErrorPage) -> Response:
    """The response to an error, in the media type that the request accepts."""
    status = status_of(error)
    message, hint, headers = "internal error; the log has the details", "", {}
    if isinstance(error, BadRequestError):
        message, hint, headers = error.message, error.hint, dict(error.headers)
    elif isinstance(error, HTTPException):
        message, headers = str(error.detail), dict(error.headers or {})
    elif isinstance(error, ArchiveError):
        message, hint = str(error), error.hint or ""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("request failed path=%r error=%s", request.url.path[:200], error)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = "10"
            message = "the archive is temporarily unavailable"
    headers.setdefault("Cache-Control", "no-store")
    accept = request.headers.get("accept", "")
    if request.url.path.startswith(("/api/", "/wayback/")) or "application/json" in accept:
        return JSONResponse({"error": message, **({"hint": hint} if hint else {})}, status, headers)
    if "text/html" in accept:
        return HTMLResponse(page(request=request, status=status, message=message, hint=hint), status, headers)
    lines = "".join(f"{line}\n" for line in (message, hint) if line)
    return PlainTextResponse(lines, status, headers)


def escape(text: str) -> str:
    """Text escaped for HTML, attributes included."""
    return html.escape(text, quote=True)

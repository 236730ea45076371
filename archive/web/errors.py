"""Error responses: a status, one line that names the input, a hint; as HTML, JSON or plain text."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from archive.errors import (
    ArchiveError,
    DamagedError,
    NotArchivedError,
    ObjectMissingError,
    TaskError,
    TooLargeError,
    WorkersBusyError,
)

log = logging.getLogger(__name__)

_OTHER_WAYS = "The payload at /web/TIMESTAMPid_/URL and the WARC records at /download/warc/URL are available."
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
    found = (status for kinds, status in _STATUS if isinstance(error, kinds))
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


_STATUS: tuple[tuple[tuple[type[Exception], ...], int], ...] = (
    ((NotArchivedError,), HTTPStatus.NOT_FOUND),
    ((TooLargeError,), HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    # The store is behind this server, and what it returned is wrong.
    ((DamagedError, ObjectMissingError), HTTPStatus.BAD_GATEWAY),
    ((TaskError,), HTTPStatus.INTERNAL_SERVER_ERROR),
    ((ArchiveError,), HTTPStatus.SERVICE_UNAVAILABLE),
)
"""Status of each kind of error; the first that fits counts."""


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
        if isinstance(error, TaskError):
            message, hint = f"this cannot be made from the archived bytes: {error}", _OTHER_WAYS
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("request failed path=%r error=%s", request.url.path[:200], error)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = "10"
            message = message if isinstance(error, WorkersBusyError) else "the archive is temporarily unavailable"
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

"""Requests that change subscriptions: forms and JSON, protected against CSRF by origin and token."""

from __future__ import annotations

import hmac
import json
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from archive.web import BadRequestError
from crawler.frontier.frontier import Frontier
from schedules.limits import FORM_BYTES
from schedules.web.start_command import CommandStarter


class Forms:
    """Adds, pauses, resumes and backfills feeds."""

    def __init__(self, frontier: Frontier, *, token: str) -> None:
        """`token` authorizes changes; if empty, none is accepted."""
        self._frontier = frontier
        self._token = token
        self._commands = CommandStarter()

    def routes(self) -> list[BaseRoute]:
        """The routes to which forms are sent."""
        return [Route("/feeds/{action}", self._change, methods=["POST"])]

    async def _change(self, request: Request) -> Response:
        """Add, pause, resume or backfill a feed; requires the token and our own origin (CSRF)."""
        action = request.path_params["action"]
        if action not in DONE:
            raise BadRequestError(f"{action[:20]}: use {', '.join(DONE)}", status=HTTPStatus.NOT_FOUND)
        if not self._token:
            raise BadRequestError(
                "changes over HTTP are disabled",
                hint="Set PRESSMARK_TOKEN to enable them.",
                status=HTTPStatus.FORBIDDEN,
            )
        _check_origin(request)
        form = await _read(request)
        token = form.get("token", "")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            token = bearer.strip()
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            raise BadRequestError(
                "the token is missing or wrong", status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"}
            )
        url = form.get("url", "").strip()
        if not _is_url(url):
            raise BadRequestError(
                f"url={url[:100]!r}: use a URL such as https://blog.example.org/", status=HTTPStatus.BAD_REQUEST
            )
        await run_in_threadpool(self._carry_out, action, url)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"done": MESSAGES[DONE[action]]}, status_code=HTTPStatus.ACCEPTED)
        return RedirectResponse(f"/feeds?done={DONE[action]}", status_code=HTTPStatus.SEE_OTHER)

    def _carry_out(self, action: str, url: str) -> None:
        if action in {"pause", "resume"}:
            if not self._frontier.pause(url, paused=action == "pause"):
                raise BadRequestError(f"{url}: not subscribed", status=HTTPStatus.NOT_FOUND)
            return
        if action == "backfill" and not self._frontier.find(url):
            raise BadRequestError(f"{url}: not subscribed", status=HTTPStatus.NOT_FOUND)
        url, _ = self._frontier.entrust(url)  # keeps the password out of the process list
        if not self._commands.start(action, url):
            raise BadRequestError(
                "too many commands are running; try again later",
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                headers={"Retry-After": "30"},
            )


DONE = {"add": "adding", "pause": "paused", "resume": "resumed", "backfill": "filling"}
MESSAGES = {
    "adding": "Looking for the feed; it will appear here once found.",
    "paused": "The feed is paused.",
    "resumed": "The feed is resumed.",
    "filling": "Looking for older posts.",
}


def _is_url(text: str) -> bool:
    """Whether a text is a plausible http or https URL."""
    if not text or len(text) > 2_000 or any(c.isspace() or not c.isprintable() for c in text):  # noqa: PLR2004
        return False
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _check_origin(request: Request) -> None:
    """CSRF protection: refuse requests from other sites' pages, by `Sec-Fetch-Site` and `Origin`."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    base = request.scope["pressmark.base"]
    # A page without a referrer sends the origin `null`; Sec-Fetch-Site then has the form's origin.
    hidden = origin == "null" and site == "same-origin"
    if (site is not None and site != "same-origin") or (origin is not None and origin != base and not hidden):
        raise BadRequestError("the request comes from another site's page", status=HTTPStatus.FORBIDDEN)


async def _read(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES:
            raise BadRequestError("the form is too large", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        if "json" in request.headers.get("content-type", ""):
            found = json.loads(body or b"{}")
            return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
        pairs = parse_qs(body.decode(), max_num_fields=20)
    except (ValueError, UnicodeDecodeError, RecursionError) as e:
        raise BadRequestError("the form is malformed") from e
    return {name: values[0] for name, values in pairs.items()}

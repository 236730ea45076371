"""Callbacks of WebSub hubs: verification of intent, and content distribution (WebSub §5.3, §7)."""

from __future__ import annotations

import re
from asyncio import to_thread
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from crawler.frontier import websub
from crawler.frontier.frontier import Frontier
from schedules.limits import NOTIFICATION_BYTES

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class WebSubCallbacks:
    """Responds to requests from hubs."""

    def __init__(self, frontier: Frontier, *, nudge: Callable[[], None]) -> None:
        """`nudge` is called when a hub has notified us of news."""
        self._engine = frontier.engine
        self._nudge = nudge

    def routes(self) -> list[BaseRoute]:
        """The routes of callback URLs."""
        return [
            Route("/websub/{token}", self._verify, methods=["GET"]),
            Route("/websub/{token}", self._notify, methods=["POST"]),
        ]

    def _verify(self, request: Request) -> Response:
        """Verification of intent: confirm that we requested the subscription."""
        parameters = dict(request.query_params)
        token = _token_of(request)
        if not websub.known(self._engine, token):  # read-only, so that strangers cannot take the write lock
            return _unknown()
        challenge = websub.verified(self._engine, token, parameters, now=datetime.now(UTC))
        return PlainTextResponse(challenge) if challenge else _unknown()

    async def _notify(self, request: Request) -> Response:
        """Content distribution: the hub notifies us of news."""
        token = _token_of(request)
        if not await to_thread(websub.known, self._engine, token):
            return _unknown()
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > NOTIFICATION_BYTES:
                return PlainTextResponse("too large\n", status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        signature, now = request.headers.get("x-hub-signature", ""), datetime.now(UTC)
        if await to_thread(websub.notified, self._engine, token, body, signature, now=now):
            await to_thread(self._nudge)
        # The same response to a wrong signature: the sender could be guessing (WebSub §8).
        return Response(status_code=HTTPStatus.ACCEPTED)


def _token_of(request: Request) -> str:
    """The token of a callback; empty, which matches no subscription, if it is malformed."""
    token: str = request.path_params["token"]
    return token if _TOKEN.fullmatch(token) else ""


def _unknown() -> Response:
    return PlainTextResponse("no such subscription\n", status_code=HTTPStatus.NOT_FOUND)

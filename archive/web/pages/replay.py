"""The page that shows a memento in the replay engine, in a frame of another origin."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from archive.web.errors import BadRequestError
from archive.web.memento_path import moment_of, quoted, stamp_of
from archive.web.pages.layout import Site, requested_page
from archive.web.replay import link
from archive.web.security import PAGE_POLICY


def replay(site: Site, request: Request) -> Response:
    """`/replay/TS/URL`."""
    url, stamp = requested_page(site.reader, request, "/replay/")
    if site.replay_origin is None:
        raise BadRequestError(
            "replay is not enabled on this server", hint="Start it with --replay-port.", status=HTTPStatus.NOT_FOUND
        )
    row = site.reader.find(url, moment_of(stamp) if stamp else None)
    base, stamp = request.scope["pressmark.base"], stamp_of(row.date)
    origin = site.replay_origin(base)
    html = site.framed(
        request, row, row.url, source=link(origin, base, row.url, stamp), plain_link=f"/web/{stamp}/{quoted(row.url)}"
    )
    policy = PAGE_POLICY.replace("frame-src 'self'", f"frame-src {origin}")
    return HTMLResponse(html, headers={"Cache-Control": "no-cache", "Content-Security-Policy": policy})

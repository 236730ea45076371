"""The front page: counts, recent posts, edits and deletions, health."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from archive.reader.vanished import Wanted
from archive.web.pages.layout import Site

POSTS = 12
"""Posts in each list."""


def home(site: Site, request: Request) -> Response:
    """`/`."""
    return site.page(
        request,
        "home",
        counts=site.overview.counts(),
        latest=site.overview.latest(POSTS),
        edited=site.overview.latest(POSTS, edited=True),
        deleted=site.reader.ledger.listed(Wanted(gone=True), limit=POSTS),
        problems=site.status.problems(),
    )

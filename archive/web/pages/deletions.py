"""The list of posts that were found gone, and of those that came back."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from archive.reader.vanished import EVERY, KINDS, Place, wanted_from
from archive.web.pages.layout import Site

SHOWN = 100
"""Deletions on one page."""
_FILTERS = ("kind", "host", "since")


def deletions(site: Site, request: Request) -> Response:
    """`/deletions?kind=KIND&host=HOST&since=TIME`; `after` continues."""
    given = request.query_params
    asked = {name: given.get(name, "").strip()[:500] for name in _FILTERS}
    wanted, place, problem = EVERY, None, ""
    try:
        wanted = wanted_from(kind=asked["kind"], host=asked["host"], since=asked["since"])
        place = Place.parse(given["after"]) if given.get("after") else None
    except ValueError as e:
        problem = str(e)
    found = () if problem else site.reader.ledger.listed(wanted, limit=SHOWN + 1, after=place)
    more = {name: value for name, value in asked.items() if value}
    following = "?" + urlencode({**more, "after": str(Place.of(found[SHOWN - 1]))}) if len(found) > SHOWN else ""
    return site.page(
        request,
        "deletions",
        status=HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK,
        asked=asked,
        kinds=KINDS,
        problem=problem,
        found=found[:SHOWN],
        following=following,
        begun=place is not None,
    )

"""The search page: full text over all versions, with filters."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from archive.errors import NotArchivedError
from archive.limits import RANKED_TEXTS
from archive.runtime.times import begin
from archive.search.query import parse
from archive.warc.pasted_url import is_address, readings
from archive.web.memento_path import in_path, quoted
from archive.web.pages.layout import Site, page_number

HITS = 10
"""Hits on one page."""
_QUOTED_FILTERS = ("site", "lang", "author", "tag")
_DATE_FILTERS = ("after", "before")


def search(site: Site, request: Request) -> Response:
    """`/search`."""
    given = request.query_params
    asked = {name: given.get(name, "").strip()[:500] for name in ("q", *_QUOTED_FILTERS, *_DATE_FILTERS)}
    newest = given.get("sort") == "new"
    page = page_number(request)
    found, problem, note = None, "", ""
    query = _query(asked)
    if is_address(query):
        if target := _page(site, query):
            return RedirectResponse(target, status_code=HTTPStatus.SEE_OTHER)
        note = f"{readings(query)[-1].url} is not archived."
    if query:
        try:
            for name in _DATE_FILTERS:
                if asked[name]:
                    begin(asked[name])
            found = site.search.find(parse(query), limit=HITS, offset=(page - 1) * HITS, newest=newest)
        except ValueError as e:
            problem = str(e)
    parameters = {name: value for name, value in asked.items() if value} | ({"sort": "new"} if newest else {})
    return site.page(
        request,
        "search",
        status=HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK,
        asked=asked,
        found=found,
        problem=problem,
        note=note,
        page=page,
        first=(page - 1) * HITS + 1,
        newest=newest,
        known=site.search.known(),
        most=RANKED_TEXTS,
        link=lambda number: "/search?" + urlencode({**parameters, "page": number}),
    )


def _page(site: Site, address: str) -> str | None:
    """Where the page with that address is shown; None if it is not archived."""
    meant = site.reader.meant(readings(address))
    if meant.stamp and site.reader.index.nearest(meant.url, None):
        return f"/web/{meant.stamp}/{quoted(meant.url)}"
    try:
        return f"/post/{in_path(site.reader.text(meant.url).row.url)}"
    except NotArchivedError:
        return f"/web/*/{quoted(meant.url)}" if site.reader.index.nearest(meant.url, None) else None


def _query(asked: dict[str, str]) -> str:
    """The form's fields as one query in the search language."""
    parts = [asked["q"]]
    parts += [f'{name}:"{asked[name]}"' for name in _QUOTED_FILTERS if asked[name]]
    parts += [f"{name}:{asked[name]}" for name in _DATE_FILTERS if asked[name]]
    return " ".join(parts).strip()

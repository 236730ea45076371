"""What happened to posts, over HTTP: the page and API of changes, the feeds of all and of watches."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from archive.archive import Archive
from archive.errors import DatabaseError
from archive.limits import QUERY_CHARACTERS
from archive.reader.text_edits import EDIT_CLASSES
from archive.runtime.times import begin
from archive.web import BadRequestError, Templates, page_route
from archive.web.workers import workers
from crawler.frontier.told_ledger import ToldLedger
from schedules.changes.kept import Part, Place, listed
from schedules.changes.model import KINDS
from schedules.changes.news import find_news, words_of
from schedules.changes.query import parse
from schedules.changes.watches import Watch, Watches
from schedules.limits import CHANGES_FOUND, CHANGES_LISTED
from schedules.runs import Runs
from schedules.web.changes_feed import LATEST, changes_feed

log = logging.getLogger(__name__)


class ChangePages:
    """Changes and watches."""

    def __init__(self, archive: Archive, runs: Runs, templates: Templates) -> None:
        self._reader = archive.working(workers(), ToldLedger(runs.engine))
        self._runs = runs
        self._templates = templates
        self._words = words_of(self._reader)
        self._watches = Watches(runs.engine)

    def routes(self) -> list[BaseRoute]:
        """The page, and the feeds."""
        return [
            page_route("/changes", self._page),
            page_route("/changes.atom", self._feed),
            page_route("/watches/{name}.atom", self._feed_of_watch),
        ]

    def router(self) -> APIRouter:
        """`/api/changes` and `/api/watches`."""
        made = APIRouter(prefix="/api", tags=["changes"])

        @made.get("/changes", summary="What happened to posts: new, edited, vanished, back, the last changes first")
        def changes(
            q: Annotated[str, Query(max_length=QUERY_CHARACTERS, description=_TERMS)] = "",
            watch: Annotated[str, Query(max_length=64, description="Name of a watch, instead of `q`")] = "",
            since: Annotated[str, Query(max_length=40, description="Only what happened at or after this time")] = "",
            after: Annotated[str, Query(max_length=100, description="`next` of the part before")] = "",
            limit: Annotated[int, Query(ge=1, le=CHANGES_LISTED)] = CHANGES_LISTED,
        ) -> dict[str, Any]:
            query = self._watch(watch).query if watch else q
            part = self._part(query, since=since, after=after, limit=limit)
            return {
                "changes": [one.as_json() for one in part.changes],
                "next": str(part.next) if part.next else None,
            }

        @made.get("/watches", summary="The watches: named filters of changes, each with a feed")
        def watches() -> dict[str, Any]:
            # Where changes are sent is nobody's business who only reads.
            found = self._watches.all()
            return {
                "watches": [
                    {"name": one.name, "query": one.query, "feed": f"/watches/{one.name}.atom"} for one in found
                ]
            }

        return made

    def _watch(self, name: str) -> Watch:
        found = self._watches.find(name)
        if found is None:
            raise BadRequestError(f"{name[:64]}: no such watch", status=HTTPStatus.NOT_FOUND)
        return found

    def _part(self, query: str, *, since: str = "", after: str = "", limit: int) -> Part:
        try:
            wanted = parse(query)
            moment = begin(since) if since else None
            place = Place.parse(after) if after else None
        except ValueError as e:
            raise BadRequestError(str(e)) from e
        if place is None:
            self._find()
        return listed(self._runs.engine, wanted, limit=limit, text=self._words, since=moment, after=place)

    def _find(self) -> None:
        """Find what no job has found yet, as where no daemon runs; a database that cannot be written is only read."""
        try:
            find_news(self._reader, self._runs.engine, now=datetime.now(UTC), enough=lambda: False, most=CHANGES_FOUND)
        except DatabaseError as e:
            log.warning("changes not looked for error=%s", e)

    def _page(self, request: Request) -> Response:
        given = request.query_params
        query, since = given.get("q", ""), given.get("since", "")
        part = self._part(query, since=since, after=given.get("after", ""), limit=CHANGES_LISTED)
        shown = self._templates.page(
            "schedules/changes.html",
            path=request.url.path,
            changes=part.changes,
            following=str(part.next) if part.next else "",
            query=query,
            since=since,
            kinds=KINDS,
            classes=EDIT_CLASSES,
            watches=self._watches.all(),
        )
        return HTMLResponse(shown, headers={"Cache-Control": "no-cache"})

    def _feed(self, request: Request) -> Response:
        """All changes, or those that `?q=` wants."""
        part = self._part(request.query_params.get("q", ""), limit=LATEST)
        return _atom(request, "Pressmark: new, edited and vanished posts", part)

    def _feed_of_watch(self, request: Request) -> Response:
        watch = self._watch(request.path_params["name"])
        return _atom(request, f"Pressmark: {watch.name}", self._part(watch.query, limit=LATEST))


def _atom(request: Request, title: str, part: Part) -> Response:
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    body = changes_feed(request.scope["pressmark.base"], path, title, part.changes)
    return Response(body, media_type="application/atom+xml", headers={"Cache-Control": "no-cache"})


_TERMS = "blog:HOST tag:TAG kind:KIND class:CLASS size:>WORDS appears:WORD goes:WORD; other words came or went"

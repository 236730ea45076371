"""Pages about feeds and jobs, the feed of changes and the metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from archive.archive import Archive
from archive.index.from_records import host_of
from archive.index.overview import Overview
from archive.web import BadRequestError, SiteStatus, Templates, page_route
from crawler.frontier import alarms, backfill_report
from crawler.frontier.alarms import Raised
from crawler.frontier.backfills import Backlog
from crawler.frontier.frontier import Frontier
from crawler.frontier.refused import newest
from crawler.model.visits import Feed
from schedules.runs import Runs
from schedules.web.feed_api import added, place_of, scheduled
from schedules.web.forms import DONE, MESSAGES
from schedules.web.metrics import MEDIA_TYPE, metrics

SHOWN = 100
"""Maximum number of feeds on a page."""
_REFUSED = 20
"""Posts that could not be had, shown on the page of a feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """A feed as shown on pages."""

    feed: Feed
    health: str
    name: str
    """As a person named it, else its own title, else its URL."""
    requests: int
    share: str
    """Share of its requests that were answered with 304 Not Modified."""


class FeedPages:
    """Feeds, jobs, metrics."""

    def __init__(
        self,
        archive: Archive,
        frontier: Frontier,
        runs: Runs,
        templates: Templates,
        *,
        writable: bool,
        health: Callable[[], dict[str, str]],
        schedules: bool = False,
    ) -> None:
        self._archive = archive
        self._frontier = frontier
        self._runs = runs
        self._templates = templates
        self._writable = writable
        self._health = health
        self._schedules = schedules
        self._overview = Overview(archive.index)

    def status(self) -> SiteStatus:
        """What the archive's pages show about health."""
        return SiteStatus(problems=self._health)

    def routes(self) -> list[BaseRoute]:
        """The pages."""
        return [
            page_route("/feeds", self._feeds),
            page_route("/feeds/{number}", self._feed),
            page_route("/jobs", self._jobs),
            page_route("/metrics", self._metrics),
        ]

    def _rows(self, feeds: Sequence[Feed], raised: Mapping[str, Sequence[Raised]]) -> list[FeedRow]:
        statuses = self._overview.statuses_of([feed.url for feed in feeds])
        return [_row(feed, raised.get(feed.url, ()), statuses.get(feed.url, {})) for feed in feeds]

    def _feeds(self, request: Request) -> Response:
        after = added(request.query_params.get("after", ""))
        found = self._frontier.feeds(after=after, limit=SHOWN + 1)
        shown = found[:SHOWN]
        raised = alarms.by_subject(self._frontier.engine, [feed.url for feed in shown])
        counts = self._frontier.counts()
        return self._page(
            request,
            "feeds",
            feeds=self._rows(shown, raised),
            count=counts.feeds,
            ill=counts.ill,
            begun=after is not None,
            following=place_of(shown[-1]) if len(found) > SHOWN else "",
            message=MESSAGES.get(request.query_params.get("done", ""), ""),
            open=self._writable,
        )

    def _feed(self, request: Request) -> Response:
        number = request.path_params["number"]
        is_number = number.isascii() and number.isdigit() and len(number) < 10  # noqa: PLR2004
        feed = self._frontier.feed(int(number)) if is_number else None
        if feed is None:
            raise BadRequestError(
                f"{number[:20]}: no such feed",
                status=HTTPStatus.METHOD_NOT_ALLOWED if number in DONE else HTTPStatus.NOT_FOUND,
            )
        raised = alarms.by_subject(self._frontier.engine, [feed.url]).get(feed.url, [])
        host = host_of(feed.site or feed.url)
        report = Backlog(self._frontier.engine).report(feed.id)
        return self._page(
            request,
            "feed",
            one=self._rows([feed], {feed.url: raised})[0],
            alarms=raised,
            host=host,
            refused=newest(self._frontier.engine, feed.id, limit=_REFUSED) if feed.refused else [],
            backfill=backfill_report.summary(report) if report else "",
            left_out=list(backfill_report.details(report)) if report else [],
            open=self._writable,
        )

    def _jobs(self, request: Request) -> Response:
        return self._page(request, "jobs", jobs=scheduled(self._runs), alarms=alarms.standing(self._frontier.engine))

    def _page(self, request: Request, name: str, **values: object) -> Response:
        shown = self._templates.page(f"schedules/{name}.html", path=request.url.path, **values)
        return HTMLResponse(shown, headers={"Cache-Control": "no-cache"})

    def _metrics(self, _request: Request) -> Response:
        """Prometheus' text format."""
        body = metrics(self._overview, self._frontier, self._runs, failing=self._health(), schedules=self._schedules)
        return Response(body, media_type=MEDIA_TYPE)


def _row(feed: Feed, raised: Sequence[Raised], statuses: Mapping[int, int]) -> FeedRow:
    requests = sum(statuses.values())
    wrong = feed.error or ", ".join(alarm.kind for alarm in raised) or ("refused" if feed.barred else "")
    health = "paused" if feed.paused else wrong or ("well" if feed.visited else "not visited yet")
    share = f"{100 * statuses.get(HTTPStatus.NOT_MODIFIED, 0) / requests:.0f} %" if requests else "–"  # noqa: RUF001  a dash
    name = feed.name or feed.title or feed.url
    return FeedRow(feed=feed, health=health, name=name, requests=requests, share=share)

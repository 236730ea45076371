"""The JSON API of feeds and jobs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response, StreamingResponse

from crawler.frontier import alarms
from crawler.frontier.feed_json import feed_as_json
from crawler.frontier.frontier import Frontier
from crawler.frontier.refused import newest
from crawler.frontier.subscriptions import Added
from crawler.model.visits import Feed
from schedules.apscheduler_adapter import next_runs
from schedules.job_report import job_rows
from schedules.jobs import jobs
from schedules.limits import FEEDS_LISTED
from schedules.runs import Runs
from schedules.settings import ScheduleSettings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = 17
"""Fewer digits than this have the instants and numbers in links."""
_PART = 200
"""Feeds that are read at once."""


def router(frontier: Frontier, runs: Runs) -> APIRouter:
    """`/api/feeds` and `/api/jobs`."""
    made = APIRouter(prefix="/api", tags=["feeds"])

    @made.get("/feeds", summary="Subscriptions with their health: all, or a part of them with a link to the next one")
    def feeds(
        limit: Annotated[int | None, Query(ge=1, le=FEEDS_LISTED, description="Maximum number of feeds")] = None,
        after: Annotated[str, Query(max_length=40, description="From the link to the next part")] = "",
    ) -> Response:
        place = added(after)
        if limit is None:
            parts = _rows_in_parts(frontier, place)
            first = list(islice(parts, 1))  # if the database fails, it is said before the answer begins
            return StreamingResponse(_array(chain(first, parts)), media_type="application/json")
        found = frontier.feeds(after=place, limit=limit + 1)
        more = len(found) > limit
        link = f'</api/feeds?limit={limit}&after={place_of(found[limit - 1])}>; rel="next"' if more else ""
        return JSONResponse(_rows(frontier, found[:limit]), headers={"Link": link} if link else None)

    @made.get("/jobs", summary="The daemon's jobs: triggers, next and last run, outcome")
    def all_jobs() -> JSONResponse:
        return JSONResponse(scheduled(runs))

    return made


def scheduled(runs: Runs) -> list[dict[str, Any]]:
    """The jobs in the settings, each with its next and last run."""
    from archive.settings import load

    settings = load(ScheduleSettings)
    return job_rows(jobs(settings), settings, runs.latest(), next_runs(runs.engine, runs.daemons()))


def added(text: str) -> Added | None:
    """The place of a feed in the order in which feeds were added, as `place_of` wrote it; None if it is no place."""
    micros, _, number = text.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < _DIGITS for part in (micros, number)):
        return None
    return _EPOCH + timedelta(microseconds=int(micros)), int(number)


def place_of(feed: Feed) -> str:
    """The place of a feed in the order in which feeds were added, for links."""
    return f"{(feed.added - _EPOCH) // timedelta(microseconds=1)}-{feed.id}"


def _rows(frontier: Frontier, found: Sequence[Feed]) -> list[dict[str, Any]]:
    raised = alarms.by_subject(frontier.engine, [one.url for one in found])
    return [
        {
            **feed_as_json(one),
            "alarms": [alarm.kind for alarm in raised.get(one.url, ())],
            "refused": [post.as_json() for post in newest(frontier.engine, one.id)] if one.refused else [],
        }
        for one in found
    ]


def _rows_in_parts(frontier: Frontier, place: Added | None) -> Iterator[list[dict[str, Any]]]:
    while found := frontier.feeds(after=place, limit=_PART):
        yield _rows(frontier, found)
        place = (found[-1].added, found[-1].id)


def _array(parts: Iterable[list[dict[str, Any]]]) -> Iterator[str]:
    """A JSON array, part by part: however many feeds there are, few of them are in memory."""
    before = "["
    for part in parts:
        yield before + ",".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in part)
        before = ","
    yield "[]" if before == "[" else "]"

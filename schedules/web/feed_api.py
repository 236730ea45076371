"""The JSON API of feeds and jobs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from crawler.frontier import alarms
from crawler.frontier.feed_json import feed_as_json
from crawler.frontier.frontier import Frontier
from crawler.frontier.refused import newest
from schedules.apscheduler_adapter import next_runs
from schedules.job_report import job_rows
from schedules.jobs import jobs
from schedules.runs import Runs
from schedules.settings import ScheduleSettings


def router(frontier: Frontier, runs: Runs) -> APIRouter:
    """`/api/feeds` and `/api/jobs`."""
    made = APIRouter(prefix="/api", tags=["feeds"])

    @made.get("/feeds", summary="Subscriptions with their health")
    def feeds() -> JSONResponse:
        raised = alarms.by_subject(frontier.engine)
        return JSONResponse(
            [
                {
                    **feed_as_json(one),
                    "alarms": [alarm.kind for alarm in raised.get(one.url, ())],
                    "refused": [post.as_json() for post in newest(frontier.engine, one.id)] if one.refused else [],
                }
                for one in frontier.feeds()
            ]
        )

    @made.get("/jobs", summary="The daemon's jobs: triggers, next and last run, outcome")
    def all_jobs() -> JSONResponse:
        return JSONResponse(scheduled(runs))

    return made


def scheduled(runs: Runs) -> list[dict[str, Any]]:
    """The jobs in the settings, each with its next and last run."""
    from archive.settings import load

    settings = load(ScheduleSettings)
    return job_rows(jobs(settings), settings, runs.latest(), next_runs(runs.engine, runs.daemons()))

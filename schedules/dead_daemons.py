"""What is left of daemons that died: their runs, turns, scheduled jobs and alarms."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from crawler.frontier import alarms
from schedules.apscheduler_adapter import forget_others
from schedules.runs import Runs

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buried:
    """What was left."""

    runs: int
    """Runs whose end is unknown."""
    jobs: int
    """Jobs that were scheduled for daemons that are gone."""
    alarms: int
    """Alarms about jobs of such daemons."""


def bury(runs: Runs, now: datetime) -> Buried:
    """Record the runs of dead daemons as lost, release their turns, delete their schedule, end their alarms.

    Raises:
        DatabaseError: The database failed.
    """
    lost, left = runs.bury(now)
    jobs, gone = forget_others(runs.engine, left)
    ended = 0
    for one in alarms.standing(runs.engine):
        holder = one.subject.rpartition(" ")[2]
        if one.kind == "job" and one.subject.count(" ") == _OWN_WORDS and holder not in left:
            alarms.about(runs.engine, one.subject, None, kind="job", at=now)
            ended += 1
    if lost or jobs or ended:
        log.info("dead daemons buried runs=%d jobs=%d alarms=%d holders=%s", lost, jobs, ended, ",".join(sorted(gone)))
    return Buried(runs=lost, jobs=jobs, alarms=ended)


_OWN_WORDS = 2
"""Spaces in the subject of an alarm about a job that each daemon runs: `job crawl HOLDER`."""

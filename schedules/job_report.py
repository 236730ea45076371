"""Jobs as shown in the JSON API and on pages. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from archive.runtime.times import iso
from schedules.jobs import Job
from schedules.runs import JobRun
from schedules.settings import ScheduleSettings


def job_rows(
    found: Sequence[Job], settings: ScheduleSettings, last: Mapping[str, JobRun], upcoming: Mapping[str, datetime]
) -> list[dict[str, Any]]:
    """Each job with its trigger, next and last run, outcome."""
    rows = []
    for job in found:
        ran = last.get(job.name)
        rows.append(
            {
                "job": job.name,
                "trigger": getattr(settings, f"{job.name}_every"),
                "deadline_seconds": job.deadline.total_seconds(),
                "argv": " ".join(job.argv),
                "next_run": _iso(upcoming.get(job.name)),
                "last_run": _iso(ran.started) if ran else None,
                "last_end": _iso(ran.ended) if ran else None,
                "outcome": (ran.outcome or "running") if ran else None,
                "exit_code": ran.exit_code if ran else None,
                "said": ran.said if ran else None,
            }
        )
    return rows


def _iso(moment: datetime | None) -> str | None:
    return iso(moment, "seconds") if moment else None

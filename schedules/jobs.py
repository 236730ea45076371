"""Jobs: each has a name, a trigger, and a command line that a person could type."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from archive.settings import setting
from schedules.settings import ScheduleSettings
from schedules.triggers import parse_trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command that runs repeatedly."""

    name: str
    argv: tuple[str, ...]
    trigger: timedelta | str
    """Time between two runs, or a cron expression in UTC."""
    deadline: timedelta
    alone: bool = False
    """Only one of the daemons on a database runs it at a time; otherwise each may, and claims divide the work."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables added to those of the daemon."""


def jobs(settings: ScheduleSettings) -> list[Job]:
    """The daemon's jobs, in the order in which they first start."""
    found = [
        _job(settings, "crawl", *_SPIDER, "-a", "only=feeds"),
        _job(settings, "recheck", *_SPIDER, "-a", "only=rechecks"),
        _job(settings, "backfill", *_PRESSMARK, "backfill", "--due"),
        _job(settings, "seal", *_PRESSMARK, "seal"),
        _job(settings, "verify", *_PRESSMARK, "verify", "--sample", settings.verify_sample, alone=True),
        _job(settings, "compact", *_PRESSMARK, "compact", alone=True),
        _job(settings, "stamp", *_PRESSMARK, "stamp", alone=True),
        _job(settings, "websub", *_PRESSMARK, "websub", alone=True),
        _job(settings, "housekeeping", *_PRESSMARK, "housekeeping", alone=True),
        _job(settings, "tell", *_PRESSMARK, "tell", alone=True),
        _job(settings, "watch", *_PRESSMARK, "watch", "send", alone=True),
        _job(settings, "digest", *_PRESSMARK, "watch", "send", "--digest", alone=True),
    ]
    return [job for job in found if job is not None]


_SPIDER = (sys.executable, "-m", "scrapy", "crawl", "blog")
_PRESSMARK = (sys.executable, "-m", "schedules")


def _job(settings: ScheduleSettings, name: str, *argv: str, alone: bool = False) -> Job | None:
    trigger = parse_trigger(getattr(settings, f"{name}_every"))
    if trigger is None:
        return None
    deadline: timedelta = getattr(settings, f"{name}_deadline")
    return Job(
        name=name,
        argv=argv,
        trigger=trigger,
        deadline=deadline,
        alone=alone,
        # Lets Scrapy find the project from any folder, not only from that of scrapy.cfg; and lets a run end in time.
        environment={
            "SCRAPY_SETTINGS_MODULE": "crawler.settings",
            setting("run_seconds"): str(deadline.total_seconds()),
        },
    )

"""When jobs run, and for how long they may."""

from __future__ import annotations

from pydantic import Field

from archive.settings import PressmarkSettings


class ScheduleSettings(PressmarkSettings):
    """The daemon's settings."""

    crawl_every: float = Field(default=300.0, gt=0)
    """Seconds between two looks for what is due; what is due is the frontier's to say."""

    crawl_jitter: float = Field(default=30.0, ge=0)
    """Seconds by which a look may come earlier or later, so that many daemons do not move in step."""

    crawl_deadline: float = Field(default=3600.0, gt=0)
    """Seconds after which a crawl is asked to end, and ended if it does not."""

    stop_seconds: float = Field(default=25.0, gt=0)
    """Seconds that a running job gets to end in order when the daemon stops."""

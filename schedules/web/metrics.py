"""Metrics of archive, frontier and jobs for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from archive.index.overview import Overview
from crawler.frontier.frontier import Frontier
from schedules.runs import Runs

MEDIA_TYPE = "text/plain; version=0.0.4"


def metrics(
    overview: Overview, frontier: Frontier, runs: Runs, *, failing: Mapping[str, str], schedules: bool
) -> bytes:
    """All metrics in Prometheus' text format.

    Args:
        overview: Counts of the archive.
        frontier: Feeds, alarms, deletions.
        runs: The last run of each job.
        failing: Failing parts of the installation.
        schedules: Whether the scheduler runs in this process.
    """
    registry = CollectorRegistry()

    def gauge(name: str, description: str, value: float, **labels: str) -> None:
        found = gauges.get(name)
        if found is None:
            found = gauges[name] = Gauge(f"pressmark_{name}", description, list(labels), registry=registry)
        (found.labels(**labels) if labels else found).set(value)

    gauges: dict[str, Gauge] = {}
    for name, count in overview.counts().items():
        gauge(name, f"Number of {name}", count)
    found = frontier.counts()
    gauge("feeds", "Subscriptions", found.feeds)
    gauge("feeds_paused", "Subscriptions that are paused", found.paused)
    gauge("feeds_failing", "Subscriptions whose last visit failed", found.failing)
    late = (datetime.now(UTC) - found.longest_due).total_seconds() if found.longest_due else 0.0
    gauge("feed_lag_seconds", "How long the most overdue feed has been due", max(0.0, late))
    gauge("alarms", "Active alarms", found.alarms)
    gauge("vanished", "Deleted posts", found.vanished)
    for part in ("database", "store", "disk", *(("scheduler",) if schedules else ())):
        gauge("up", "Whether a part is well (1) or failing (0)", float(part not in failing), part=part)
    for name, ran in runs.latest().items():
        gauge(
            "job_last_start_seconds",
            "Start of the job's last run, as a Unix time",
            ran.started.timestamp(),
            job=name,
        )
        if ran.exit_code is not None:
            gauge("job_last_exit_code", "Exit code of the job's last run", ran.exit_code, job=name)
    return generate_latest(registry)

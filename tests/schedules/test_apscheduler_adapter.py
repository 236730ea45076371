"""What the daemon takes from APScheduler beyond its documentation, and what databases hold of ours."""

from __future__ import annotations

import inspect
from datetime import UTC

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.util import obj_to_ref, ref_to_obj

from schedules import daemon
from schedules.apscheduler_adapter import is_alive


def test_apschedulers_job_store_selects_jobs_by_conditions() -> None:
    method = getattr(SQLAlchemyJobStore, "_get_jobs", None)
    assert method, "APScheduler renamed SQLAlchemyJobStore._get_jobs: JobStore no longer hides other daemons' jobs"
    (_, conditions) = inspect.signature(method).parameters.values()
    assert conditions.kind is inspect.Parameter.VAR_POSITIONAL, "SQLAlchemyJobStore._get_jobs takes other arguments"
    for caller in ("get_due_jobs", "get_all_jobs"):
        used = getattr(SQLAlchemyJobStore, caller).__code__.co_names
        assert "_get_jobs" in used, f"SQLAlchemyJobStore.{caller} no longer calls _get_jobs, which JobStore overrides"


def test_apschedulers_thread_is_found_by_its_private_name() -> None:
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.start(paused=True)
    try:
        assert is_alive(scheduler), "APScheduler renamed BackgroundScheduler._thread: /health would report it as dead"
    finally:
        scheduler.shutdown()
    assert not is_alive(scheduler)


def test_the_address_of_fire_never_changes() -> None:
    # Databases of running installations name it; a daemon that cannot resolve it drops the jobs of its schedule.
    assert ref_to_obj("schedules.daemon:fire") is daemon.fire
    assert obj_to_ref(daemon.fire) == "schedules.daemon:fire"
    assert list(inspect.signature(daemon.fire).parameters) == ["holder", "name"]

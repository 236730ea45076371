"""A daemon that dies keeps nothing: its turns are leases, its runs count as lost, its schedule goes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sample.services import wait_for
from sqlalchemy import Table, insert, inspect, select, update

from archive.runtime.database import transaction
from crawler.frontier import alarms
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Alarm
from schedules.apscheduler_adapter import forget_others, next_runs
from schedules.daemon import Daemon
from schedules.dead_daemons import bury
from schedules.job_report import job_rows
from schedules.job_runner import Finished, Outcome
from schedules.jobs import Job
from schedules.runs import DEAD, LEASE, LOST, Runs, daemons, runs, turns
from schedules.settings import ScheduleSettings

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


@pytest.fixture
def found(database: str) -> Runs:
    Frontier.open(database)
    return Runs.open(database)


def begin(found: Runs, holder: str, job: str = "verify", turn: str = "verify") -> int | None:
    return found.begin(job, turn=turn, holder=holder, argv="x", now=NOW)


def passed(found: Runs, column: Any, by: timedelta) -> None:
    """Let time pass for a column."""
    with transaction(found.engine) as connection:
        for value in connection.execute(select(column)).scalars().all():
            connection.execute(update(column.table).where(column == value).values({column: value - by}))


def rows(found: Runs, table: Table) -> list[Any]:
    with transaction(found.engine, reads=True) as connection:
        return list(connection.execute(select(table)).all())


def outcomes(found: Runs) -> list[tuple[str, str | None]]:
    return [(row.holder, row.outcome) for row in rows(found, runs)]


def test_a_turn_that_is_renewed_stays(found: Runs) -> None:
    number = begin(found, "a")
    assert number is not None
    passed(found, turns.c.until, LEASE - MOMENT * 30)
    assert found.renew(number, turn="verify", holder="a")
    passed(found, turns.c.until, LEASE - MOMENT * 30)
    assert begin(found, "b") is None


def test_a_turn_that_is_not_renewed_is_free_after_minutes(found: Runs) -> None:
    number = begin(found, "a")
    assert number is not None
    passed(found, turns.c.until, LEASE + MOMENT)
    assert begin(found, "b") is not None
    assert outcomes(found) == [("a", LOST), ("b", None)]
    assert not found.renew(number, turn="verify", holder="a"), "it learns that it has lost the turn"
    assert outcomes(found) == [("a", LOST), ("b", None)]


def test_a_turn_that_an_earlier_version_took_for_hours_is_free(found: Runs) -> None:
    begin(found, "a")
    passed(found, turns.c.until, -timedelta(hours=18))
    assert begin(found, "b") is not None


def test_a_run_that_nobody_renews_is_shown_as_lost(found: Runs) -> None:
    begin(found, "a")
    assert found.latest()["verify"].outcome is None
    passed(found, turns.c.until, LEASE + MOMENT)
    last = found.latest()
    assert last["verify"].outcome == LOST
    job = Job(name="verify", argv=("x",), trigger=MOMENT, deadline=MOMENT)
    assert [row["outcome"] for row in job_rows([job], ScheduleSettings(), last, {})] == ["lost"]


def test_lost_runs_are_recorded_and_their_turns_released(found: Runs) -> None:
    begin(found, "a")
    begin(found, "b", job="crawl", turn="crawl b")
    assert found.bury(NOW)[0] == 0
    passed(found, turns.c.until, LEASE + MOMENT)
    assert found.bury(NOW)[0] == 2
    assert (outcomes(found), rows(found, turns)) == ([("a", LOST), ("b", LOST)], [])


def test_an_old_run_that_never_ended_and_has_no_turn_is_deleted(found: Runs) -> None:
    begin(found, "a")
    with transaction(found.engine) as connection:
        connection.execute(turns.delete())
    begin(found, "b", job="crawl", turn="crawl b")
    assert found.forget(NOW) == 0
    assert found.forget(NOW + MOMENT) == 1
    assert outcomes(found) == [("b", None)]


def test_a_run_that_was_taken_for_lost_while_the_database_was_away_goes_on(found: Runs) -> None:
    number = begin(found, "a", job="crawl", turn="crawl a")
    assert number is not None
    passed(found, turns.c.until, LEASE + MOMENT)
    found.bury(NOW)
    assert found.renew(number, turn="crawl a", holder="a")
    assert (outcomes(found), len(rows(found, turns))) == ([("a", None)], 1)


def test_a_run_that_has_just_ended_takes_no_turn_again(found: Runs) -> None:
    number = begin(found, "a")
    assert number is not None
    found.end(number, turn="verify", now=NOW, outcome=Outcome.DONE, exit_code=0, said="")
    assert found.renew(number, turn="verify", holder="a")
    assert (outcomes(found), rows(found, turns)) == ([("a", "done")], [])


@pytest.fixture
def scheduled(found: Runs) -> Iterator[Daemon]:
    """A daemon `a` with a schedule, beside the schedule of `b`; neither runs anything."""
    job = Job(name="crawl", argv=("x",), trigger=timedelta(hours=1), deadline=MOMENT)
    made = {}
    for holder in ("a", "b"):
        found.heard(holder)
        made[holder] = Daemon([job], found, holder=holder, stop_seconds=1)
        made[holder]._scheduler.start(paused=True)
        made[holder].plan(datetime.now(UTC) + timedelta(hours=1))
    yield made["a"]
    for one in made.values():
        one._scheduler.shutdown()


def schedule(found: Runs) -> set[str]:
    with transaction(found.engine, reads=True) as connection:
        return set(connection.exec_driver_sql("SELECT id FROM schedule").scalars())


def test_what_is_left_of_a_daemon_that_is_gone_goes(found: Runs, scheduled: Daemon) -> None:
    wrong = Alarm(kind="job", detail="ended with exit 1")
    for subject in ("job crawl a", "job crawl b", "job verify"):
        alarms.about(found.engine, subject, wrong, kind="job", at=NOW)
    scheduled.live()
    assert schedule(found) == {"a:crawl", "b:crawl"}
    passed(found, daemons.c.seen, DEAD + MOMENT)
    found.heard("a")
    buried = bury(found, NOW)
    assert (buried.runs, buried.jobs, buried.alarms) == (0, 1, 1)
    assert schedule(found) == {"a:crawl"}
    assert [row.holder for row in rows(found, daemons)] == ["a"]
    assert [one.subject for one in alarms.standing(found.engine)] == ["job crawl a", "job verify"]


def test_a_daemon_that_was_taken_for_gone_plans_again(found: Runs, scheduled: Daemon) -> None:
    forget_others(found.engine, ["b"])
    with transaction(found.engine) as connection:
        connection.execute(daemons.delete().where(daemons.c.holder == "a"))
    assert schedule(found) == {"b:crawl"}
    scheduled.live()
    assert schedule(found) == {"a:crawl", "b:crawl"}
    assert found.daemons() == {"a", "b"}


def test_the_next_runs_are_those_of_daemons_that_run(found: Runs, scheduled: Daemon) -> None:
    later = scheduled._scheduler.get_job("a:crawl").next_run_time + timedelta(minutes=5)
    scheduled._scheduler.modify_job("a:crawl", next_run_time=later)
    assert next_runs(found.engine, found.daemons())["crawl"] < later
    passed(found, daemons.c.seen, LEASE + MOMENT)
    found.heard("a")
    assert next_runs(found.engine, found.daemons())["crawl"] == later
    passed(found, daemons.c.seen, LEASE + MOMENT)
    assert next_runs(found.engine, found.daemons())["crawl"] < later, "if none runs, those of all are shown"


def test_a_database_without_a_schedule_has_nothing_to_bury(found: Runs) -> None:
    assert not inspect(found.engine).has_table("schedule")
    assert bury(found, NOW).jobs == 0


def test_a_run_whose_turn_another_daemon_has_taken_over_ends(found: Runs) -> None:
    job = Job(
        name="verify",
        argv=(sys.executable, "-S", "-c", "import time; time.sleep(60)"),
        trigger=timedelta(hours=1),
        deadline=timedelta(minutes=2),
        alone=True,
    )
    daemon = Daemon([job], found, holder="a", stop_seconds=1)
    finished: list[Finished | None] = []
    thread = threading.Thread(target=lambda: finished.append(daemon.fire("verify")))
    thread.start()
    wait_for(lambda: bool(daemon._turns))
    daemon.live()
    assert rows(found, turns)[0].holder == "a"
    with transaction(found.engine) as connection:
        connection.execute(update(turns).values(holder="b", run_id=1_000))
        connection.execute(insert(runs).values(id=1_000, job="verify", holder="b", argv="x", started=NOW))
    daemon.live()
    thread.join(30)
    assert [one.outcome for one in finished if one] == [Outcome.STOPPED]
    assert rows(found, turns)[0].holder == "b"
    assert alarms.standing(found.engine) == []

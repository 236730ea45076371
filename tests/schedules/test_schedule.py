"""The schedule: triggers, what a restart keeps, and a daemon whose database, store or clock go away or come back."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from conftest import BIN, PROJECT, S3, Home, missing, open_folder
from sample.blogs import TIDE
from sample.faults import FaultyS3
from sample.server import Answer, Site
from sample.services import free_port, wait_for
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from archive.errors import DatabaseError, SettingsError
from archive.runtime.database import connect, transaction
from archive.settings import load
from crawler.frontier.frontier import Frontier
from crawler.frontier.tables import feeds, pages
from crawler.model.visits import Due, FeedVisit
from schedules import apscheduler_adapter
from schedules import daemon as daemon_module
from schedules.apscheduler_adapter import next_runs
from schedules.daemon import Daemon, _trigger
from schedules.job_runner import Outcome
from schedules.jobs import Job
from schedules.runs import LOST, Runs, runs, turns
from schedules.settings import ScheduleSettings
from schedules.triggers import parse_trigger

NAMES = (
    "crawl",
    "recheck",
    "backfill",
    "seal",
    "verify",
    "compact",
    "stamp",
    "websub",
    "housekeeping",
    "tell",
    "watch",
    "digest",
)
OFF = {f"PRESSMARK_{name.upper()}_EVERY": "off" for name in NAMES}
HOUR = timedelta(hours=1)
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)  # a Friday


# -- triggers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("90", timedelta(seconds=90)),
        ("90s", timedelta(seconds=90)),
        (" 5m ", timedelta(minutes=5)),
        ("1.5h", timedelta(minutes=90)),
        ("1D", timedelta(days=1)),
        ("1", timedelta(seconds=1)),
        ("30 3 * * *", "30 3 * * *"),
        ("*/15  0-6/2 1,15 jan-MAR mon", "*/15 0-6/2 1,15 jan-MAR mon"),
        ("off", None),
        ("Off", None),
        ("", None),
    ],
)
def test_a_trigger_is_a_span_five_cron_fields_or_off(text: str, found: timedelta | str | None) -> None:
    assert parse_trigger(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("often", "5 minutes", "-5m", "5m 5m", "nan", "1e9", "5y", "* * * *", "* * * * * *", "@daily"),
        *("60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *"),
        *("a b c d e", "* * * mon *", "* * * * jan", "1,,2 * * * *", "1- * * * *", "* * * * mon;", "٣ * * * *"),
        *("0 0 31 2 *", "0 0 31 4,6 *"),
    ],
)
def test_what_is_no_trigger_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="use a span such as 5m, five cron fields .UTC., or off"):
        parse_trigger(text)


@pytest.mark.parametrize(("text", "why"), [("0", "too short"), ("0.9s", "too short"), ("999999w", "too long")])
def test_a_span_out_of_bounds_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_trigger(text)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("CRAWL_EVERY", "often", "use a span such as 5m"),
        ("VERIFY_EVERY", "99 3 * * *", "'99' is not a valid minute: 0 to 59"),
        ("TELL_EVERY", "0.2s", "a second at least"),
        ("CRAWL_DEADLINE", "soon", "use a number and s, m, h, d or w"),
    ],
)
def test_the_daemon_does_not_start_on_a_setting_that_it_cannot_use(
    home: Home, name: str, value: str, remedy: str
) -> None:
    home.settings[f"PRESSMARK_{name}"] = value
    done = home.pressmark("up", timeout=30)
    assert done.code == 2
    assert done.err.startswith(f"pressmark: PRESSMARK_{name}={value!r}: ")
    assert remedy in done.err
    assert done.err.count("\n") <= 2


@pytest.mark.parametrize("value", ["0", "-1s", "999999w"])
def test_a_deadline_is_a_length_of_time(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PRESSMARK_SEAL_DEADLINE", value)
    with pytest.raises(SettingsError, match="PRESSMARK_SEAL_DEADLINE"):
        load(ScheduleSettings)


@pytest.mark.parametrize(
    ("cron", "found"),
    [
        ("30 3 * * *", "2026-05-02 03:30"),
        ("30 12 * * *", "2026-05-01 12:30"),
        ("*/20 * * * *", "2026-05-01 12:00"),
        ("5/20 * * * *", "2026-05-01 12:05"),
        ("0 0 1 * *", "2026-06-01 00:00"),
        ("0 0 * * 0", "2026-05-03 00:00"),
        ("0 0 * * 7", "2026-05-03 00:00"),
        ("0 0 * * sun", "2026-05-03 00:00"),
        ("0 0 * * 1", "2026-05-04 00:00"),
        ("0 0 * * 6-7", "2026-05-02 00:00"),
        ("0 0 * * sat-sun", "2026-05-02 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 0 * dec *", "2026-12-01 00:00"),
    ],
)
def test_cron_fields_mean_what_they_mean_in_cron(cron: str, found: str) -> None:
    trigger = _trigger(job("", trigger=cron))
    assert f"{trigger.get_next_fire_time(None, NOW):%Y-%m-%d %H:%M}" == found


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[ZoneInfo]:
    """The local time zone of this process."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield ZoneInfo("Europe/Berlin")
    time.tzset()


def fired(trigger, first: datetime, last: datetime) -> list[datetime]:
    """When a trigger fires that has last fired at an instant."""
    found = [first]
    while (moment := trigger.get_next_fire_time(found[-1], found[-1])) < last:
        found.append(moment)
    return found[1:]


@pytest.mark.parametrize("sunday", [(3, 29), (10, 25)], ids=["to summer", "to winter"])
def test_a_change_of_summer_time_neither_skips_nor_repeats_a_run(berlin: ZoneInfo, sunday: tuple[int, int]) -> None:
    month, day = sunday
    first, last = (datetime(2026, month, day + days, tzinfo=berlin) for days in (-2, 2))
    assert first.utcoffset() != last.utcoffset()
    daily = fired(_trigger(job("", trigger="30 2 * * *")), first.astimezone(UTC), last.astimezone(UTC))
    assert len(daily) == 4
    assert {later - earlier for earlier, later in itertools.pairwise(daily)} == {timedelta(days=1)}
    half_hourly = fired(_trigger(job("", trigger=HOUR / 2)), first.astimezone(UTC), last.astimezone(UTC))
    gaps = [later.timestamp() - earlier.timestamp() for earlier, later in itertools.pairwise(half_hourly)]
    assert all(1800 <= gap <= 1830 for gap in gaps)
    assert len(gaps) > 180


# -- what is kept, within this process


@pytest.fixture
def _signals() -> Iterator[None]:
    """The daemon takes these; whoever runs the tests gets them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


pytestmark = pytest.mark.usefixtures("_signals")


def job(code: str, *, name: str = "test", trigger: timedelta | str = HOUR, alone: bool = False) -> Job:
    argv = (sys.executable, "-S", "-c", code)
    return Job(name=name, argv=argv, trigger=trigger, deadline=timedelta(seconds=30), alone=alone)


class Counted:
    """A job that counts its runs in a file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "count"
        self._path.touch()

    def job(self, name: str = "test", *, trigger: timedelta | str = HOUR, seconds: float = 0) -> Job:
        code = f"import time; open({str(self._path)!r}, 'a').write('{name} '); time.sleep({seconds})"
        return job(code, name=name, trigger=trigger)

    def times(self, name: str = "test") -> int:
        return self._path.read_text().split().count(name)


@pytest.fixture
def counted(tmp_path: Path) -> Counted:
    return Counted(tmp_path)


def during(database: str, jobs: Sequence[Job], steps: Callable[[Daemon], None], *, holder: str = "one") -> None:
    """Run a daemon in this process while some steps are done."""
    daemon = Daemon(jobs, Runs.open(database), holder=holder, stop_seconds=5)

    def beside(stop) -> None:
        try:
            steps(daemon)
        finally:
            stop.set()

    daemon.run(beside)


def planned(database: str) -> dict[str, datetime]:
    return next_runs(Runs.open(database).engine)


def put_off(daemon: Daemon, name: str, moment: datetime) -> None:
    """What the schedule would say had a clock said something else."""
    daemon._scheduler.pause()
    daemon._scheduler.modify_job(daemon._id(name), next_run_time=moment)


def test_a_restart_neither_repeats_nor_forgets_a_run(database: str, counted: Counted) -> None:
    during(database, [counted.job()], lambda daemon: wait_for(lambda: counted.times() == 1, 10))
    before = planned(database)["test"]
    assert timedelta(minutes=59) < before - datetime.now(UTC) < timedelta(minutes=62)
    during(database, [counted.job()], lambda daemon: time.sleep(0.5))
    assert planned(database) == {"test": before}
    assert counted.times() == 1


def test_a_changed_trigger_is_taken_over_and_a_job_that_is_off_goes(database: str, counted: Counted) -> None:
    nightly = counted.job("cron", trigger="0 3 * * *")
    hourly = [counted.job("a"), counted.job("b")]
    during(database, [*hourly, nightly], lambda daemon: wait_for(lambda: counted.times("a") == 1, 10))
    before = planned(database)
    assert set(before) == {"a", "b", "cron"}
    changed = [counted.job("a"), counted.job("cron", trigger="0 4 * * *")]
    during(database, changed, lambda daemon: None)
    after = planned(database)
    assert set(after) == {"a", "cron"}
    assert after["a"] == before["a"]
    assert (before["cron"].hour, after["cron"].hour) == (3, 4)
    changed = [counted.job("a", trigger=HOUR / 2), changed[1]]
    during(database, changed, lambda daemon: wait_for(lambda: counted.times("a") == 2, 10))
    assert planned(database)["a"] - datetime.now(UTC) < HOUR * 0.6, "it runs at once, and then by its new trigger"


@pytest.mark.parametrize("trigger", [HOUR, "0 * * * *"], ids=["interval", "cron"])
def test_runs_that_were_missed_become_one(database: str, counted: Counted, trigger: timedelta | str) -> None:
    one = counted.job(trigger=trigger)
    during(database, [one], lambda daemon: put_off(daemon, "test", datetime.now(UTC) - 6.5 * HOUR))
    before = counted.times()

    def steps(daemon: Daemon) -> None:
        wait_for(lambda: counted.times() > before, 10)
        time.sleep(1)

    during(database, [one], steps)
    assert counted.times() == before + 1
    assert timedelta(0) < planned(database)["test"] - datetime.now(UTC) < HOUR * 1.1


@pytest.mark.parametrize("trigger", [HOUR, "0 3 * * *"], ids=["interval", "cron"])
def test_a_run_that_a_clock_ahead_of_time_has_planned_is_brought_back(
    database: str, counted: Counted, trigger: timedelta | str
) -> None:
    one = counted.job(trigger=trigger)
    during(database, [one], lambda daemon: put_off(daemon, "test", datetime.now(UTC) + timedelta(days=1500)))
    during(database, [one], lambda daemon: time.sleep(0.2))
    assert planned(database)["test"] - datetime.now(UTC) < timedelta(days=1.1)


def test_a_clock_that_was_set_back_moves_what_runs_at_intervals_and_nothing_else(
    database: str, counted: Counted
) -> None:
    table = [counted.job("a"), counted.job("daily", trigger="0 3 * * *"), counted.job("lost", trigger="0 3 * * *")]

    def steps(daemon: Daemon) -> None:
        daemon._scheduler.pause()
        put_off(daemon, "a", NOW + HOUR)
        put_off(daemon, "lost", datetime.now(UTC) + timedelta(days=900))
        before = planned(database)
        daemon.set_back(timedelta(minutes=50))
        after = planned(database)
        assert before["a"] - after["a"] == timedelta(minutes=50)
        assert before["daily"] == after["daily"], "it has run at this hour, and would run twice"
        assert after["lost"] - datetime.now(UTC) < timedelta(days=1), "but does not wait for years"

    during(database, table, steps)


def test_the_daemon_sees_that_the_clock_was_set_back(
    tmp_path: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = f"sqlite:///{tmp_path / 'db'}"
    monkeypatch.setattr(daemon_module, "_TICK_SECONDS", 0.05)
    real, back = time.time, [0.0]

    def steps(daemon: Daemon) -> None:
        wait_for(lambda: counted.times("housekeeping") == 1, 10)
        before = planned(database)
        time.sleep(0.2)
        assert planned(database) == before, "it goes as it should"
        back[0] = 1800.0
        wait_for(lambda: planned(database)["test"] < before["test"], 10)
        assert 1799 < (before["test"] - planned(database)["test"]).total_seconds() < 1801
        wait_for(lambda: counted.times("housekeeping") == 2, 10)

    monkeypatch.setattr(daemon_module.time, "time", lambda: real() - back[0])
    nightly = counted.job("housekeeping", trigger=HOUR)
    during(database, [counted.job(), nightly], steps)


def test_what_was_visited_in_the_future_is_due(database: str) -> None:
    frontier = Frontier.open(database)
    ids = [frontier.subscribe(f"http://{n}.example/feed", seed=None, now=NOW).id for n in "ab"]
    ahead = {ids[0]: NOW + timedelta(days=400), ids[1]: NOW - HOUR}
    frontier.commit([visit(feed_id, at) for feed_id, at in ahead.items()], [])
    with transaction(frontier.engine) as connection:
        connection.execute(
            pages.insert().values(
                url="http://a.example/1", key="k", shard=1, first_seen=NOW, visited=ahead[ids[0]], due=ahead[ids[0]]
            )
        )
    due = Due(now=NOW, holder="a")
    assert frontier.claim_feeds(due)[0] == []
    frontier.tidy(NOW)
    assert [feed.id for feed in frontier.claim_feeds(due)[0]] == [ids[0]]
    assert [page.url for page in frontier.claim_pages(due)[0]] == ["http://a.example/1"]
    with transaction(frontier.engine, reads=True) as connection:
        visited = {row.id: row.visited for row in connection.execute(select(feeds))}
    assert visited == {ids[0]: NOW, ids[1]: NOW - HOUR}


def visit(feed_id: int, at: datetime) -> FeedVisit:
    return FeedVisit(
        feed_id=feed_id, at=at, due=at + 2 * HOUR, status=200, error=None, failures=0, etag=None, last_modified=None
    )


def test_a_schedule_that_cannot_be_written_is_not_asked_without_pause(
    database: str, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: the job is due as before, but a loop that starts it again and again would help nobody."""
    monkeypatch.setattr(apscheduler_adapter, "RETRY", timedelta(seconds=0.5))
    real, tries = SQLAlchemyJobStore.update_job, [0]

    def full(self, job) -> None:
        tries[0] += 1
        raise OperationalError("UPDATE", {}, Exception("database or disk is full"))

    def steps(daemon: Daemon) -> None:
        monkeypatch.setattr(SQLAlchemyJobStore, "update_job", full)
        daemon._scheduler.wakeup()
        time.sleep(1.8)
        assert 2 <= tries[0] <= 5
        monkeypatch.setattr(SQLAlchemyJobStore, "update_job", real)
        before = counted.times()
        wait_for(lambda: counted.times() == before + 1, 5)
        wait_for(lambda: planned(database)["test"] > datetime.now(UTC) + HOUR / 2, 5)

    job_later = counted.job()
    during(database, [job_later], lambda daemon: put_off(daemon, "test", datetime.now(UTC) + timedelta(seconds=0.5)))
    during(database, [job_later], steps)


def test_a_job_that_is_hurried_while_it_runs_runs_once_more(database: str, counted: Counted) -> None:
    def steps(daemon: Daemon) -> None:
        wait_for(lambda: counted.times() == 1, 10)
        for _ in range(5):
            daemon.hurry("test")
        wait_for(lambda: counted.times() == 2, 10)
        time.sleep(1.5)
        assert counted.times() == 2

    during(database, [counted.job(seconds=1)], steps)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_daemon_whose_scheduler_has_died_is_ill(
    database: str, counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Well:
        def check_store(self) -> None: ...

        writer = SimpleNamespace(check_spool=lambda: None)
        index = SimpleNamespace(engine=connect(database))
        settings = SimpleNamespace(spool=tmp_path)

    def steps(daemon: Daemon) -> None:
        assert daemon.ill(Well()) == {}
        monkeypatch.setattr(daemon._scheduler, "_process_jobs", sys.exit)
        daemon._scheduler.wakeup()
        wait_for(lambda: "scheduler" in daemon.ill(Well()), 5)

    during(database, [counted.job()], steps)


def test_one_daemon_at_a_time_has_the_turn(database: str) -> None:
    ours, theirs = Runs.open(database), Runs.open(database)

    def begin(one: Runs, holder: str, now: datetime) -> int | None:
        return one.begin("verify", turn="verify", holder=holder, argv="x", now=now, lasts=HOUR)

    first = begin(ours, "a", NOW)
    assert first is not None
    assert begin(theirs, "b", NOW) is None
    ours.end(first, turn="verify", now=NOW, outcome=Outcome.DONE, exit_code=0, said="")
    second = begin(theirs, "b", NOW)
    assert second is not None
    assert begin(ours, "a", NOW + HOUR / 2) is None
    with transaction(ours.engine) as connection:  # the database's clock is the one that counts
        connection.execute(update(turns).values(until=NOW - timedelta(days=365)))
    third = begin(ours, "a", NOW + 2 * HOUR)
    assert third is not None, "a daemon that died does not keep the turn"
    theirs.end(second, turn="verify", now=NOW, outcome=Outcome.DONE, exit_code=0, said="")
    assert begin(theirs, "b", NOW + 2 * HOUR) is None, "its late word does not end the turn of another"
    assert ours.latest()["verify"].ended is None


def test_a_run_whose_daemon_was_killed_is_lost(database: str) -> None:
    found = Runs.open(database)
    found.begin("crawl", turn="crawl a", holder="a", argv="x", now=NOW, lasts=HOUR)
    found.begin("crawl", turn="crawl a", holder="a", argv="x", now=NOW + HOUR, lasts=HOUR)
    assert outcomes(database) == [("crawl", LOST), ("crawl", None)]


def outcomes(database: str) -> list[tuple[str, str | None]]:
    with transaction(Runs.open(database).engine, reads=True) as connection:
        return [(row.job, row.outcome) for row in connection.execute(select(runs).order_by(runs.c.id))]


def test_a_database_that_is_away_is_told_in_one_line(tmp_path: Path, counted: Counted) -> None:
    found = Runs.open(f"sqlite:///{tmp_path / 'db'}")
    with sqlite3.connect(tmp_path / "db") as broken:
        broken.execute("CREATE TABLE schedule (id INTEGER)")
    with pytest.raises(DatabaseError, match="no such column: schedule"):
        Daemon([counted.job()], found, holder="one", stop_seconds=1).run()


def test_a_signal_that_comes_while_the_daemon_begins_to_wait_is_heeded(tmp_path: Path) -> None:
    daemon = Daemon([], Runs.open(f"sqlite:///{tmp_path / 'db'}"), holder="one", stop_seconds=1)
    daemon._ending.cancel()  # it would end the process of this test
    with daemon._stop._cond:  # as it is for a moment when a wait begins
        daemon._signalled(signal.SIGTERM, None)
    assert daemon._stop.wait(5)


# -- a daemon of its own


class Up:
    """A daemon that runs, and what it says."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def ended(self, name: str, outcome: str = "") -> int:
        """Runs of a job that have ended."""
        return self.log.count(f"job ended name={name} outcome={outcome}")

    def wait(self, ready: Callable[[], bool], seconds: float = 120) -> None:
        try:
            wait_for(ready, seconds, self.process)
        except (TimeoutError, RuntimeError):
            pytest.fail(f"not in time; the daemon says:\n{self.log[-5000:]}")

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(40)


@contextmanager
def up(home: Home, *arguments: str, **settings: str) -> Iterator[Up]:
    """`pressmark up`, with those jobs alone whose triggers are given."""
    number = len(list(home.path.parent.glob("up-*.log")))
    log = home.path.parent / f"up-{home.path.name}-{number}.log"
    given = {f"PRESSMARK_{name}": value for name, value in settings.items()}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(BIN / "pressmark"), "up", *arguments],
            env={**home.environment, **OFF, **given},
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    running = Up(process, log)
    try:
        running.wait(lambda: "daemon started" in running.log)
        yield running
        if process.poll() is None:
            assert running.stop() == 0, running.log[-5000:]
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def customize(home: Home, code: str) -> None:
    """Run code at the start of each daemon."""
    folder = home.path.parent / "custom"
    folder.mkdir(exist_ok=True)
    guarded = "".join(f"    {line}\n" for line in code.splitlines())
    (folder / "sitecustomize.py").write_text(f"import sys\nif 'up' in sys.orig_argv:\n{guarded}")
    home.settings["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))


IMPATIENT = """
from datetime import timedelta
from schedules import apscheduler_adapter, daemon, job_runner
daemon.RETRY = apscheduler_adapter.RETRY = timedelta(seconds=1)
job_runner._GRACE_SECONDS = 1.0
"""


@pytest.fixture
def blog(home: Home, site: Site) -> Site:
    """A blog that is subscribed to, and was not visited."""
    site.pages.update(TIDE.pages(site.url))
    subscribe(home, site, "/feed/")
    return site


def subscribe(home: Home, site: Site, *paths: str) -> Frontier:
    """Subscribe without asking for anything."""
    home.path.mkdir(exist_ok=True)
    frontier = Frontier.open(home.settings.get("PRESSMARK_DATABASE", f"sqlite:///{home.path / 'pressmark.db'}"))
    for path in paths:
        frontier.subscribe(site.url + path, seed=None, now=datetime.now(UTC))
    return frontier


def feed_visits(site: Site) -> int:
    return site.asked.count("/feed/")


def posts(site: Site) -> list[str]:
    """Paths of posts that were asked for."""
    return [path for path in site.asked if path.startswith("/2026")]


def check_each_once(site: Site) -> None:
    assert len(posts(site)) == len(set(posts(site))) == 4
    assert feed_visits(site) == 1


def listed(home: Home) -> dict[str, dict[str, object]]:
    done = home.pressmark("jobs", "--json")
    assert done.code == 0, done.err
    return {row["job"]: row for row in map(json.loads, done.out.splitlines())}


def test_the_jobs_are_listed_before_while_and_after_they_run(home: Home, blog: Site) -> None:
    before = listed(home)
    assert tuple(before) == NAMES
    assert before["crawl"]["trigger"] == "5m"
    assert before["verify"] == {
        "job": "verify",
        "trigger": "30 3 * * *",
        "deadline_seconds": 43200.0,
        "argv": f"{sys.executable} -m schedules verify --sample 1%",
        **dict.fromkeys(("next_run", "last_run", "last_end", "outcome", "exit_code", "said")),
    }
    assert home.pressmark("jobs").out.count("\n") == 1 + len(NAMES)
    blog.delay = 1.0
    with up(home, CRAWL_EVERY="1h", TELL_EVERY="1h", VERIFY_EVERY="30 3 * * *") as running:
        running.wait(lambda: len(posts(blog)) >= 1)
        during_run = listed(home)
        assert during_run["crawl"]["outcome"] == "running"
        assert (during_run["crawl"]["last_end"], during_run["crawl"]["exit_code"]) == (None, None)
        assert str(during_run["verify"]["next_run"]).endswith("T03:30:00Z")
        blog.delay = 0.0
        running.wait(lambda: running.ended("crawl", "done") == 1 and running.ended("tell", "done") == 1)
    after = listed(home)
    assert (after["crawl"]["outcome"], after["crawl"]["exit_code"]) == ("done", 0)
    assert after["crawl"]["said"].startswith("kept 4 new posts;")
    assert after["crawl"]["last_run"] <= after["crawl"]["last_end"] < after["crawl"]["next_run"]
    assert "no alarm recipient" in home.pressmark("jobs").out


def test_a_run_that_passes_its_deadline_is_killed_and_the_next_one_starts(home: Home, blog: Site) -> None:
    customize(home, IMPATIENT)
    blog.delay = 60.0
    with up(home, CRAWL_EVERY="1s", CRAWL_DEADLINE="15s") as running:  # on a busy machine a whole crawl takes ten
        running.wait(lambda: "job started name=crawl" in running.log)
        group = int(re.findall(r"job started name=crawl pid=(\d+)", running.log)[0])
        os.killpg(group, signal.SIGSTOP)  # otherwise it ends by itself before its deadline
        running.wait(lambda: running.ended("crawl", "deadline") == 1)
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)
        blog.delay = 0.0
        (alarm,) = map(json.loads, home.pressmark("alarms", "--json").out.splitlines())
        assert (alarm["kind"], alarm["ended"]) == ("job", None)
        assert alarm["subject"].startswith("job crawl ")
        assert alarm["subject"].endswith("-daemon"), "it tells whose"
        assert alarm["detail"].startswith("exceeded its deadline after ")
        running.wait(lambda: running.ended("crawl", "done") >= 1)
        wait_for(lambda: home.pressmark("alarms").out.startswith("no alarms; 1 feed"), 60)
    assert " until " in home.pressmark("alarms", "--all").out
    assert '"posts_kept": 4' in home.pressmark("feeds", "--json").out


def test_a_daemon_that_was_killed_goes_on_where_it_was(home: Home, blog: Site) -> None:
    home.settings |= {"PRESSMARK_HOST_GAP": "0.5", "PRESSMARK_HOST_CONCURRENCY": "1"}
    with up(home, CRAWL_EVERY="2s") as running:
        running.wait(lambda: len(posts(blog)) == 2)
        running.process.kill()
        running.process.wait()
    with up(home, CRAWL_EVERY="2s", SEAL_EVERY="2s") as running:
        running.wait(lambda: running.ended("crawl", "done") >= 1)
    found = outcomes(f"sqlite:///{home.path / 'pressmark.db'}")
    assert found[0] == ("crawl", LOST)
    assert ("crawl", "done") in found[1:]
    assert '"posts_kept": 4' in home.pressmark("feeds", "--json").out
    check_each_once(blog)


def test_a_home_has_one_daemon(home: Home) -> None:
    with up(home) as running:
        second = home.pressmark("up", timeout=30)
        assert second.code == 1
        assert second.err.splitlines()[0] == f"pressmark: another daemon is running (process {running.process.pid})"
        assert second.err.count("\n") <= 2
        assert running.process.poll() is None
    with up(home):
        pass  # the place is free again


def test_a_port_that_is_taken_is_told_at_once(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = home.pressmark("up", "--port", str(port), timeout=30)
    assert (done.code, done.err) == (1, f"pressmark: 127.0.0.1:{port}: Address already in use\n")


def test_a_daemon_that_is_restarted_again_and_again_asks_once(home: Home, blog: Site) -> None:
    for number in range(10):
        with up(home, CRAWL_EVERY="1s") as running:
            if number == 9:
                running.wait(lambda: running.ended("crawl", "done") == 1)
            elif number % 3 == 1:  # in the middle of a run, or before one
                running.wait(lambda: "job started name=crawl" in running.log)
    check_each_once(blog)


def test_two_daemons_on_one_database_ask_each_feed_once_an_interval(
    tmp_path: Path, site: Site, postgres_database: str
) -> None:
    interval, paths = 3.0, [f"/{n}.xml" for n in range(6)]
    for path in paths:
        empty = f'<rss version="2.0"><channel><title>{path}</title><link>{site.url}{path}/</link></channel></rss>'
        site.pages[path] = Answer(empty.encode(), content_type="application/rss+xml")
    homes = [
        Home(
            tmp_path / name,
            PRESSMARK_DATABASE=postgres_database,
            PRESSMARK_STORE=f"file:{tmp_path / 'store'}",
            PRESSMARK_FEED_INTERVAL=str(interval),
            PRESSMARK_FEED_SLOWEST=str(interval),
        )
        for name in ("a", "b")
    ]
    subscribe(homes[0], site, *paths)
    with up(homes[0], CRAWL_EVERY="1s") as one, up(homes[1], CRAWL_EVERY="1s") as other:
        one.wait(lambda: all(site.asked.count(path) >= 3 for path in paths))
        assert one.ended("crawl", "done") >= 1
        assert other.ended("crawl", "done") >= 1
    for path in paths:
        at = [asked.at for asked in site.log if asked.path == path]
        assert all(later - earlier >= interval - 0.1 for earlier, later in itertools.pairwise(at)), path


def test_two_daemons_may_start_at_once_on_a_new_database(tmp_path: Path, postgres_database: str) -> None:
    homes = [Home(tmp_path / name, PRESSMARK_DATABASE=postgres_database) for name in "abc"]
    with up(homes[0]), up(homes[1]), up(homes[2]):
        pass
    assert not [line for log in tmp_path.glob("*.log") for line in log.read_text().splitlines() if "Traceback" in line]


# -- what it needs goes away


class Postgres:
    """A server of its own, which can be stopped and started."""

    def __init__(self) -> None:
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not folders:
            missing("PostgreSQL")
        self._binaries = folders[-1].parent
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = open_folder("schedule")
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
            shutil.chown(self.folder, "postgres", "postgres")
        argv = ["initdb", "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"]
        subprocess.run(self._argv(*argv, "--no-sync"), cwd="/", check=True, stdout=subprocess.DEVNULL)

    def _argv(self, name: str, *arguments: str) -> list[str]:
        return [*self._as_user, str(self._binaries / name), *arguments]

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = ["-D", str(self.folder / "data"), "-p", str(self._port), "-k", str(self.folder), "-F"]
        self._process = subprocess.Popen(
            self._argv("postgres", *options, "-c", "listen_addresses=127.0.0.1"),
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._ready, 30, self._process)

    def _ready(self) -> bool:
        argv = self._argv("pg_isready", "-h", "127.0.0.1", "-p", str(self._port))
        return subprocess.run(argv, stdout=subprocess.DEVNULL, check=False).returncode == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # a fast shutdown
            self._process.wait(30)
            self._process = None


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder)


def test_a_database_that_goes_away_is_waited_for(home: Home, site: Site, own_postgres: Postgres) -> None:
    customize(home, IMPATIENT)
    home.settings |= {
        "PRESSMARK_DATABASE": own_postgres.url,
        "PRESSMARK_FEED_INTERVAL": "1",
        "PRESSMARK_FEED_SLOWEST": "1",
        "PRESSMARK_OUTAGE_SECONDS": "1",
    }
    site.pages.update(TIDE.pages(site.url))
    subscribe(home, site, "/feed/")
    with up(home, CRAWL_EVERY="1s", SEAL_EVERY="1s") as running:
        running.wait(lambda: running.ended("crawl", "done") >= 1)
        own_postgres.stop()
        running.wait(lambda: "Error getting due jobs" in running.log)
        time.sleep(2)
        own_postgres.start()
        crawled, sealed, asked = running.ended("crawl", "done"), running.ended("seal", "done"), feed_visits(site)
        running.wait(lambda: running.ended("crawl", "done") > crawled and running.ended("seal", "done") > sealed)
        running.wait(lambda: feed_visits(site) > asked)
        assert "Traceback" not in running.log, running.log[running.log.index("Traceback") - 500 :][:6000]
    assert '"posts_kept": 4' in home.pressmark("feeds", "--json").out
    assert len(posts(site)) == len(set(posts(site))) == 4


def test_a_database_that_is_locked_for_a_while_is_waited_for(home: Home, blog: Site) -> None:
    customize(home, f"{IMPATIENT}\nfrom archive.runtime import database\ndatabase._BUSY_MILLISECONDS = 300")
    home.settings["PRESSMARK_FEED_INTERVAL"] = home.settings["PRESSMARK_FEED_SLOWEST"] = "1"
    with up(home, CRAWL_EVERY="1s") as running:
        running.wait(lambda: running.ended("crawl", "done") >= 1)
        with sqlite3.connect(home.path / "pressmark.db", isolation_level=None, timeout=30) as lock:
            lock.execute("BEGIN IMMEDIATE")
            running.wait(lambda: "database is locked" in running.log)
            time.sleep(2)
            lock.execute("COMMIT")
        done = running.ended("crawl", "done")
        running.wait(lambda: running.ended("crawl", "done") > done)


def test_a_store_that_goes_away_costs_nothing(home: Home, site: Site, s3: S3) -> None:
    with FaultyS3(s3) as proxy:
        home.settings |= {
            **proxy.s3.settings,
            "PRESSMARK_STORE": f"s3://{s3.bucket}/schedule-{os.getpid()}-{id(proxy)}",
            "PRESSMARK_OUTAGE_SECONDS": "1",
            "PRESSMARK_HOST_GAP": "0.2",
            "PRESSMARK_HOST_CONCURRENCY": "1",
        }
        site.pages.update(TIDE.pages(site.url))
        subscribe(home, site, "/feed/")
        with up(home, CRAWL_EVERY="2s", SEAL_EVERY="2s") as running:
            running.wait(lambda: len(posts(site)) >= 1)
            proxy.fault = lambda method, path: "slow down"
            running.wait(lambda: running.ended("crawl", "failed") >= 1)
            proxy.fault = lambda method, path: None
            running.wait(lambda: '"posts_kept": 4' in home.pressmark("feeds", "--json").out)
            done = running.ended("seal", "done")
            running.wait(lambda: running.ended("seal", "done") > done)
        check_each_once(site)
        assert home.pressmark("verify").code == 0
        assert TIDE.posts[0].words[0] in " ".join(
            home.pressmark("get", site.url + TIDE.url_of(TIDE.posts[0])).out.split()
        )

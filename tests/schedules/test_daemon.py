"""The daemon: jobs run when due, end at their deadline, and stop in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Home
from sample.blogs import TIDE
from sample.server import Site
from sample.services import wait_for

from schedules.job_runner import Outcome, Runner
from schedules.jobs import Job, jobs
from schedules.settings import ScheduleSettings


def job(code: str, *, name: str = "test", deadline: float = 30.0, every: float = 60.0) -> Job:
    return Job(
        name=name,
        argv=(sys.executable, "-c", code),
        trigger=timedelta(seconds=every),
        deadline=timedelta(seconds=deadline),
    )


def test_a_job_runs_to_its_end() -> None:
    done = Runner().run(job("pass"))
    assert (done.outcome, done.exit_code) == (Outcome.DONE, 0)
    failed = Runner().run(job("raise SystemExit(3)"))
    assert (failed.outcome, failed.exit_code) == (Outcome.FAILED, 3)


def test_a_job_that_passes_its_deadline_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    code = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
time.sleep(60)
"""
    began = time.monotonic()
    done = Runner().run(job(code, deadline=1.5))
    assert done.outcome is Outcome.DEADLINE
    assert time.monotonic() - began < 10
    child = int((tmp_path / "pid").read_text())
    wait_for(lambda: not _alive(child), 5)


def test_a_job_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schedules.job_runner._GRACE_SECONDS", 0.5)
    done = Runner().run(
        job("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)", deadline=1)
    )
    assert (done.outcome, done.exit_code) == (Outcome.DEADLINE, -signal.SIGKILL)


def test_nothing_starts_once_the_runner_stops() -> None:
    runner = Runner()
    runner.stop(1)
    assert runner.run(job("pass")) is None


def test_the_crawl_job_is_what_a_person_could_type() -> None:
    argv = {job.name: job.argv[1:] for job in jobs(ScheduleSettings())}
    assert argv["crawl"] == ("-m", "scrapy", "crawl", "blog", "-a", "only=feeds")
    assert argv["verify"] == ("-m", "schedules", "verify", "--sample", "1%")
    assert set(argv) == {
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
    }


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def daemon(home: Home, **settings: str) -> subprocess.Popen[bytes]:
    home.settings |= {f"PRESSMARK_{name}": value for name, value in settings.items()}
    return home.start("pressmark", "up", start_new_session=True)


def test_the_daemon_crawls_what_is_due_again_and_again(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    home.settings |= {"PRESSMARK_FEED_INTERVAL": "1", "PRESSMARK_FEED_SLOWEST": "1"}
    home.pressmark("add", f"{site.url}/")
    site.log.clear()
    process = daemon(home, CRAWL_EVERY="2s")
    try:
        wait_for(lambda: site.asked.count("/feed/") >= 2, 60, process)
    finally:
        process.terminate()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    log = err.decode()
    assert "daemon started jobs=crawl,recheck,backfill,seal,verify,compact,stamp,websub,housekeeping,tell" in log
    assert "job ended name=crawl outcome=done exit=0" in log
    assert log.rstrip().endswith("daemon stopped")
    assert len([path for path in site.asked if path.startswith("/2026")]) == 4, "each post once"
    assert {entry.status for entry in site.log if entry.path == "/feed/"} == {304}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_daemon_stops_in_order_within_thirty_seconds(home: Home, site: Site, number: signal.Signals) -> None:
    """In the middle of a crawl: what was fetched is committed, no process is left."""
    site.pages.update(TIDE.pages(site.url))
    home.pressmark("add", f"{site.url}/")
    site.log.clear()
    process = daemon(home, HOST_GAP="3")
    wait_for(lambda: len(site.asked) >= 1, 60, process)
    group = os.getpgid(process.pid)
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert time.monotonic() - began < 30
    assert subprocess.run(["pgrep", "-g", str(group)], stdout=subprocess.DEVNULL, check=False).returncode == 1
    home.settings["PRESSMARK_HOST_GAP"] = "0"
    home.crawl()
    assert '"posts_kept": 4' in home.pressmark("feeds", "--json").out
    assert len(site.asked) == len(set(site.asked)), "no page was fetched twice"


def test_the_daemon_says_at_once_what_it_cannot_use(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    home.settings["PRESSMARK_STORE"] = f"file:{tmp_path / 'file' / 'x'}"
    done = home.pressmark("up")
    assert (done.code, done.err.startswith("pressmark: file:")) == (1, True)
    home.settings |= {"PRESSMARK_STORE": "", "PRESSMARK_CRAWL_EVERY": "often"}
    done = home.pressmark("up")
    assert done.code == 2
    assert "PRESSMARK_CRAWL_EVERY='often'" in done.err

"""A run ends by itself before its deadline: it takes no new work in time, and says what it has left."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import PROJECT, Home
from sample.blogs import TIDE
from sample.server import Answer, Site

from archive.runtime.run_time import RunTime
from crawler.frontier.backfills import Backlog
from crawler.frontier.frontier import Frontier
from schedules.jobs import jobs
from schedules.settings import ScheduleSettings

POSTS = tuple(replace(TIDE.posts[0], slug=f"post-{n}", title=f"Post {n}") for n in range(30))
MANY = replace(TIDE, posts=POSTS)
NO_TIME = {"PRESSMARK_RUN_SECONDS": "0.001"}


@pytest.fixture
def followed(home: Home, site: Site) -> Site:
    site.pages.update(MANY.pages(site.url))
    assert home.pressmark("add", f"{site.url}/").code == 0
    site.log.clear()
    return site


def posts_asked(site: Site) -> list[str]:
    return [path for path in site.asked if path.startswith("/2026")]


def pages(home: Home) -> list[tuple[int, int, int]]:
    """Kept, failures and whether it is due, of each page."""
    with sqlite3.connect(home.path / "pressmark.db") as database:
        return database.execute("SELECT kept, failures, due IS NOT NULL FROM pages").fetchall()


def test_work_is_taken_for_three_quarters_of_the_time_and_waited_for_almost_to_its_end() -> None:
    now = 100.0
    run = RunTime(1000, clock=lambda: now, used=50)
    assert (run.is_ending, run.is_short, run.left_seconds) == (False, False, 950.0)
    now = 799.0
    assert (run.is_ending, run.is_short, run.left_seconds) == (False, False, 251.0)
    now = 801.0
    assert (run.is_ending, run.is_short, run.left_seconds) == (True, False, 249.0)
    now = 951.0
    assert (run.is_ending, run.is_short, run.left_seconds) == (True, True, 99.0)


def test_the_time_that_a_process_takes_to_start_counts() -> None:
    code = (
        "import time; time.sleep(1.5); from archive.runtime.run_time import RunTime; print(RunTime(100).left_seconds)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=PROJECT)
    assert float(ran.stdout) < 98.6


def test_without_a_deadline_there_is_time_for_everything() -> None:
    now = 0.0
    run = RunTime(None, clock=lambda: now)
    now = 1e9
    assert (run.is_ending, run.is_short, run.left_seconds) == (False, False, float("inf"))


def test_every_job_is_told_its_deadline() -> None:
    found = {job.name: job for job in jobs(ScheduleSettings(crawl_deadline=timedelta(minutes=20)))}
    assert found["crawl"].environment["PRESSMARK_RUN_SECONDS"] == "1200.0"
    assert all(
        float(job.environment["PRESSMARK_RUN_SECONDS"]) == job.deadline.total_seconds() for job in found.values()
    )


def test_a_crawl_leaves_the_rest_of_a_slow_host_to_the_next_one(home: Home, followed: Site) -> None:
    home.settings |= {"PRESSMARK_HOST_GAP": "1", "PRESSMARK_HOST_CONCURRENCY": "1", "PRESSMARK_RUN_SECONDS": "12"}
    ran = home.crawl()
    assert ran.code == 0
    asked = len(posts_asked(followed))
    left = len(POSTS) - asked
    assert 0 < asked < len(POSTS)
    assert ran.out.rstrip().endswith(f"its time is used up, {left} pages left for the next run")
    assert sorted(pages(home)) == [(0, 0, 1)] * left + [(1, 0, 1)] * asked
    home.settings |= {"PRESSMARK_HOST_GAP": "0"}
    del home.settings["PRESSMARK_RUN_SECONDS"]
    ran = home.crawl()
    assert "left for the next run" not in ran.out
    assert sorted(posts_asked(followed)) == sorted(MANY.url_of(post) for post in POSTS), "each is asked for once"


def test_what_hangs_is_abandoned_before_the_deadline_and_stays_due(home: Home, followed: Site) -> None:
    def hangs(_headers: dict[str, str]) -> Answer:
        time.sleep(60)
        return Answer(b"late")

    followed.pages.update(dict.fromkeys((MANY.url_of(post) for post in POSTS[1:]), hangs))
    home.settings |= {"PRESSMARK_RUN_SECONDS": "10", "PRESSMARK_HOST_CONCURRENCY": "8"}
    ran = home.crawl(timeout=50)
    assert ran.code == 0
    assert sorted(pages(home)) == [(0, 0, 1)] * (len(POSTS) - 1) + [(1, 0, 1)]


def test_a_run_without_time_asks_nobody(home: Home, followed: Site) -> None:
    home.settings |= NO_TIME
    ran = home.crawl()
    assert (ran.code, posts_asked(followed)) == (0, [])
    assert f"{len(POSTS)} pages left for the next run" in ran.out


def test_a_backfill_without_time_is_left_to_the_next_run(home: Home, followed: Site) -> None:
    frontier = Frontier.open(f"sqlite:///{home.path / 'pressmark.db'}")
    (feed,) = frontier.feeds()
    Backlog(frontier.engine).ask(feed.id, (), at=datetime.now(UTC), why="person", shown=feed.shown)
    frontier.engine.dispose()
    home.settings |= NO_TIME
    ran = home.pressmark("backfill", "--due")
    assert ran.code == 0
    assert ran.out.rstrip().endswith("its time is used up, 1 backfill left for the next run")
    assert posts_asked(followed) == []
    del home.settings["PRESSMARK_RUN_SECONDS"]
    ran = home.pressmark("backfill", "--due")
    assert (ran.code, "left for the next run" in ran.out) == (0, False)
    assert home.pressmark("backfill", "--due").out == "no backfill is waiting\n"


def test_a_verification_without_time_leaves_the_objects_to_the_next_run(home: Home, followed: Site) -> None:
    del followed
    home.crawl()
    home.settings |= NO_TIME
    ran = home.pressmark("verify", "--json")
    summary = json.loads(ran.out.splitlines()[-1])
    assert (ran.code, summary["objects"]) == (0, 0)
    assert summary["left"] > len(home.objects("warc")) + len(home.objects("text"))
    assert "left for the next run" in home.pressmark("verify").out
    del home.settings["PRESSMARK_RUN_SECONDS"]
    assert "left" not in json.loads(home.pressmark("verify", "--json").out.splitlines()[-1])


def test_hubs_for_which_there_is_no_time_are_asked_by_the_next_run(home: Home, followed: Site) -> None:
    del followed
    with sqlite3.connect(home.path / "pressmark.db") as database:
        database.execute("UPDATE feeds SET hub = 'http://127.0.0.1:9/', topic = 'http://127.0.0.1:9/feed'")
    home.settings |= {**NO_TIME, "PRESSMARK_CALLBACK": "https://archive.example/websub"}
    told = "requested 0 subscriptions, 0 accepted; its time is used up, 1 left for the next run\n"
    assert home.pressmark("websub").out == told
    del home.settings["PRESSMARK_RUN_SECONDS"]
    assert home.pressmark("websub").out == "requested 1 subscriptions, 0 accepted\n"

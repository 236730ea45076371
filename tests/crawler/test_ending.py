"""A crawl that is asked to end does so soon, whatever hangs, and stores what it has."""

from __future__ import annotations

import signal
import sqlite3
import time

from conftest import Home
from sample.blogs import TIDE
from sample.server import Answer, Site
from sample.services import wait_for


def test_hosts_that_hang_are_abandoned_and_asked_again_later(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    hanging = [TIDE.url_of(post) for post in TIDE.posts[1:]]
    asked: list[float] = []

    def hangs(_headers: dict[str, str]) -> Answer:
        asked.append(time.monotonic())
        time.sleep(60)
        return Answer(b"late")

    site.pages.update(dict.fromkeys(hanging, hangs))
    home.settings["PRESSMARK_HOST_CONCURRENCY"] = "8"
    process = home.start("pressmark", "crawl", f"{site.url}/feed/")
    wait_for(lambda: bool(asked), 60, process)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert time.monotonic() - began < 45, "30 s on a machine that is not busy"
    assert process.returncode == 0
    with sqlite3.connect(home.path / "pressmark.db") as database:
        rows = database.execute("SELECT kept, failures, error, due IS NOT NULL FROM pages ORDER BY kept").fetchall()
    assert rows == [(0, 0, None, 1)] * len(hanging) + [(1, 0, None, 1)]
    assert list((home.path / "store" / "state" / "subscriptions").iterdir())
    assert list((home.path / "spool").iterdir()) == []

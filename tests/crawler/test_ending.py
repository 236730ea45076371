"""A crawl that is asked to end does so soon, whatever hangs, and stores what it has."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from conftest import S3, Home
from sample.blogs import TIDE
from sample.server import Answer, Site
from sample.services import wait_for
from sample.stalling import Stalling


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


@dataclass(frozen=True)
class Services:
    """Database and store behind proxies, and a home that uses them; its blog's pages hang, but for one."""

    database: Stalling
    store: Stalling
    home: Home
    site: Site
    free: threading.Event
    """Lets those pages answer."""

    def stall(self) -> None:
        self.database.stall()
        self.store.stall()

    def use(self, *, directly: bool) -> None:
        """Let the commands use the services directly, or through the proxies."""
        for name, url in (("PRESSMARK_DATABASE", self.real[0]), ("AWS_ENDPOINT_URL", self.real[1])):
            proxy = self.database if name == "PRESSMARK_DATABASE" else self.store
            port = urlsplit(url).port if directly else proxy.port
            self.home.settings[name] = url.replace(f":{urlsplit(url).port}", f":{port}")

    real: tuple[str, str]
    """URLs of database and store."""


@pytest.fixture
def services(home: Home, site: Site, s3: S3, postgres_database: str) -> Iterator[Services]:
    free = threading.Event()

    def hangs(path: str) -> object:
        def answer(_headers: dict[str, str]) -> Answer:
            free.wait(90)
            page = TIDE.pages(site.url)[path]
            assert isinstance(page, Answer)
            return page

        return answer

    site.pages.update(TIDE.pages(site.url))
    site.pages.update({TIDE.url_of(post): hangs(TIDE.url_of(post)) for post in TIDE.posts[1:]})
    home.settings |= {**s3.settings, "PRESSMARK_STORE": f"s3://{s3.bucket}/ending-{id(free)}"}
    with ExitStack() as stack:
        ports = [urlsplit(url).port or 0 for url in (postgres_database, s3.endpoint)]
        database, store = (stack.enter_context(Stalling(port)) for port in ports)
        found = Services(database, store, home, site, free, (postgres_database, s3.endpoint))
        found.use(directly=False)
        yield found
        free.set()


def ended(process: subprocess.Popen[bytes]) -> bytes:
    """What a process says on standard error that was asked to end, and does so within 30 s if the machine is not busy."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.communicate(timeout=45)[1]
    finally:
        process.kill()
        process.communicate()


def test_a_crawl_ends_although_hosts_database_and_store_all_hang(services: Services) -> None:
    home, site = services.home, services.site
    services.use(directly=True)
    assert home.pressmark("add", f"{site.url}/").code == 0
    services.use(directly=False)
    process = home.start("scrapy", "crawl", "blog")
    wait_for(lambda: len([path for path in site.asked if path.startswith("/2026")]) >= 1, 60, process)
    wait_for(lambda: b"".join(path.read_bytes() for path in (home.path / "spool").glob("warc-*")) != b"", 60, process)
    services.stall()
    ended(process)
    assert process.returncode == 1
    assert [path.name.split("-")[0] for path in (home.path / "spool").glob("warc-*")] == ["warc"], "what it has is kept"
    services.free.set()
    services.use(directly=True)
    # The claims of the run that was left pass to the next one on the same home folder.
    assert home.crawl().code == 0
    assert f'"posts_kept": {len(TIDE.posts)}' in home.pressmark("feeds", "--json").out


def test_a_crawl_ends_although_the_database_hangs_when_it_starts(services: Services) -> None:
    services.database.stall()
    process = services.home.start("scrapy", "crawl", "blog")
    wait_for(lambda: services.database.swallowed > 0, 60, process)
    ended(process)
    assert process.returncode == -signal.SIGTERM


def test_a_daemon_ends_with_its_jobs_although_everything_hangs(services: Services) -> None:
    home, site = services.home, services.site
    services.use(directly=True)
    assert home.pressmark("add", f"{site.url}/").code == 0
    services.use(directly=False)
    process = home.start("pressmark", "up", "--port", "0", start_new_session=True)
    wait_for(lambda: len([path for path in site.asked if path.startswith("/2026")]) >= 1, 60, process)
    jobs = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, check=True).stdout.split()
    services.stall()
    ended(process)
    assert jobs
    assert subprocess.run(["ps", "-o", "pid=", "-p", b",".join(jobs)], capture_output=True, check=False).stdout == b""

"""Store, database or disk go away in the middle of a crawl, and come back."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import S3, Home
from sample.blogs import TIDE
from sample.faults import FAULTS, FaultyS3, for_seconds, now_and_then
from sample.server import Answer, Site
from sample.services import wait_for

POSTS = tuple(
    replace(post, slug=f"{post.slug}-{n}", body=f"{post.body}<p>Copy {n}.</p>")
    for n in range(10)
    for post in TIDE.posts
)
MANY = replace(TIDE, posts=POSTS)
TEST_CONFIG = """
from botocore.config import Config
from archive.stores import s3
s3.CONFIG = s3.CONFIG.merge(Config(connect_timeout=1, read_timeout=2))
"""
FSYNC_FAILS = """
import errno, os, sys
real = os.fsync
def fsync(handle):
    if "spool" in os.readlink(f"/proc/self/fd/{handle}"):
        raise OSError(errno.EIO, "Input/output error")
    real(handle)
os.fsync = fsync
"""


@pytest.fixture
def blog(site: Site) -> Site:
    site.pages.update(MANY.pages(site.url))
    return site


@pytest.fixture
def faulty(s3: S3, home: Home) -> Iterator[FaultyS3]:
    """A store that can be made to fail, and a home that commits every few posts to it."""
    with FaultyS3(s3) as proxy:
        home.settings |= {
            **proxy.s3.settings,
            "PRESSMARK_STORE": f"s3://{s3.bucket}/outage-{os.getpid()}-{id(proxy)}",
            "PRESSMARK_BATCH_MEGABYTES": "0.02",
        }
        yield proxy


def customize(home: Home, tmp_path: Path, code: str) -> None:
    """Run code at the start of each command."""
    folder = tmp_path / "custom"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(code)
    home.settings["PYTHONPATH"] = os.pathsep.join([str(folder), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])


def check_all_kept(home: Home, blog: Site) -> None:
    assert json.loads(home.pressmark("feeds", "--json").out)["posts_kept"] == len(POSTS)
    assert list((home.path / "spool").iterdir()) == []
    assert home.pressmark("verify").code == 0
    for post in POSTS[::13]:
        assert post.words[0] in " ".join(home.pressmark("get", blog.url + MANY.url_of(post)).out.split())


def fetched_once(blog: Site) -> bool:
    posts = [path for path in blog.asked if path.startswith("/20")]
    return len(posts) == len(set(posts))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_fails_now_and_then_costs_nothing(
    home: Home, blog: Site, faulty: FaultyS3, s3: S3, tmp_path: Path, fault: str
) -> None:
    customize(home, tmp_path, TEST_CONFIG)
    faulty.fault = now_and_then(fault)
    done = home.crawl(f"url={blog.url}/")
    assert done.code == 0, done.err
    assert done.out.startswith(f"kept {len(POSTS)} new posts;")
    faulty.fault = lambda method, path: None
    check_all_kept(home, blog)
    assert fetched_once(blog)
    assert s3.client().list_multipart_uploads(Bucket=s3.bucket).get("Uploads", []) == []


def test_the_crawl_goes_on_while_the_store_is_away_and_catches_up(home: Home, blog: Site, faulty: FaultyS3) -> None:
    home.settings["PRESSMARK_HOST_CONCURRENCY"] = "2"
    home.settings["PRESSMARK_HOST_GAP"] = "0.05"
    process = home.start("scrapy", "crawl", "blog", "-a", f"url={blog.url}/")
    wait_for(lambda: len(blog.asked) >= 5, 60, process)
    faulty.fault = lambda method, path: "refuse"
    wait_for(lambda: len(blog.asked) >= len(POSTS) + 2, 60, process)
    assert len(list((home.path / "spool").glob("warc-*"))) > 2, "sealed batches wait"
    faulty.fault = lambda method, path: None
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out[:17]) == (0, b"kept 40 new posts"), err
    assert b"commit failed, trying again" in err
    check_all_kept(home, blog)


def test_a_crawl_pauses_where_the_spool_has_reached_its_quota(home: Home, blog: Site, faulty: FaultyS3) -> None:
    home.settings |= {"PRESSMARK_SPOOL_MEGABYTES": "0.04", "PRESSMARK_HOST_CONCURRENCY": "1"}
    faulty.fault = for_seconds("slow down", 4)
    done = home.crawl(f"url={blog.url}/")
    assert done.code == 0, done.err
    assert "crawl pauses why=quota" in done.err
    assert "crawl goes on why=quota" in done.err
    check_all_kept(home, blog)
    assert fetched_once(blog)


def test_a_store_that_stays_away_ends_the_crawl_and_the_next_one_commits(
    home: Home, blog: Site, faulty: FaultyS3
) -> None:
    home.settings["PRESSMARK_OUTAGE_SECONDS"] = "1"
    faulty.fault = lambda method, path: "slow down" if method == "PUT" else None
    done = home.crawl(f"url={blog.url}/")
    assert (done.code, done.out[:16]) == (1, "kept 0 new posts")
    assert "SlowDown" in done.err or "no answer for" in done.err, "the answer, or that retries ended without one"
    faulty.fault = lambda method, path: None
    again = home.crawl(f"url={blog.url}/")
    assert again.code == 0, again.err
    check_all_kept(home, blog)
    assert fetched_once(blog)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes, as root may mount one."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("place", ["spool", "store"])
def test_a_full_disk_pauses_the_crawl_until_there_is_room(
    site: Site, small_disk: Path, tmp_path: Path, place: str
) -> None:
    site.pages.update(MANY.pages(site.url))
    for post in POSTS[:8]:
        site.pages[MANY.url_of(post)] = Answer(b"<p>" + os.urandom(100_000) + b"</p>")
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 1_700_000)
    home = Home(
        small_disk / "home" if place == "spool" else tmp_path / "home",
        PRESSMARK_STORE=f"file:{(tmp_path if place == 'spool' else small_disk) / 'store'}",
        PRESSMARK_DATABASE=f"sqlite:///{tmp_path / 'db'}",
    )
    process = home.start("scrapy", "crawl", "blog", "-a", f"url={site.url}/")
    told: list[bytes] = []

    def make_room() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            told.append(line)
            if b"No space left on device" in line:
                filler.unlink(missing_ok=True)

    reader = threading.Thread(target=make_room)
    reader.start()
    process.wait(90)
    reader.join()
    assert process.stdout is not None
    out = process.stdout.read()
    assert (process.returncode, out[:17]) == (0, b"kept 40 new posts"), b"".join(told)
    assert b"No space left on device" in b"".join(told)
    assert json.loads(home.pressmark("feeds", "--json").out)["posts_kept"] == len(POSTS)
    assert home.pressmark("verify").code == 0
    assert fetched_once(site)


def test_after_a_failed_fsync_nothing_is_acknowledged(home: Home, blog: Site, tmp_path: Path) -> None:
    customize(home, tmp_path, FSYNC_FAILS)
    done = home.crawl(f"url={blog.url}/")
    assert (done.code, done.out[:16]) == (1, "kept 0 new posts")
    assert "Input/output error" in done.err
    assert home.objects("warc") == []
    assert json.loads(home.pressmark("feeds", "--json").out)["posts_kept"] == 0
    customize(home, tmp_path, "")
    blog.log.clear()
    assert home.crawl(f"url={blog.url}/").code == 0
    check_all_kept(home, blog)
    assert fetched_once(blog)


def test_a_database_that_is_locked_for_long_costs_nothing(home: Home, blog: Site, tmp_path: Path) -> None:
    """Longer than SQLite itself waits."""
    customize(home, tmp_path, "from archive.runtime import database\ndatabase._BUSY_MILLISECONDS = 500")
    home.settings["PRESSMARK_BATCH_MEGABYTES"] = "0.02"
    home.settings["PRESSMARK_HOST_GAP"] = "0.05"
    process = home.start("scrapy", "crawl", "blog", "-a", f"url={blog.url}/")
    wait_for(lambda: len(blog.asked) >= 8, 60, process)
    with sqlite3.connect(home.path / "pressmark.db", isolation_level=None) as lock:
        lock.execute("BEGIN IMMEDIATE")
        wait_for(lambda: len(blog.asked) >= 25, 60, process)
        time.sleep(2)  # a commit is due meanwhile, and tried again and again
        lock.execute("COMMIT")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out[:17]) == (0, b"kept 40 new posts"), err
    assert b"database is locked" in err
    check_all_kept(home, blog)

"""The scripts in examples/ do what their docstrings say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT
from sample.archives import HTML, POST, at, capture, keep
from sample.blogs import TIDE
from sample.server import Site
from sample.services import BIN

from archive.archive import Archive
from archive.extract import extract
from archive.settings import ArchiveSettings
from crawler.frontier.frontier import Frontier
from crawler.model.visits import PageVisit

POSTS = TIDE.posts[:2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two posts of a sample blog, the first of them edited."""
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    pages = TIDE.pages("http://blog.example")
    first, second = (pages[TIDE.url_of(post)].body for post in POSTS)
    edited = first.replace(POSTS[0].words[0].encode(), b"Words that were not there before. " * 5)
    found = [(POST, 0, first), (POST, 6, edited), ("http://blog.example/other", 1, second)]
    keep(
        archive,
        *((capture(hours, body, url=url, headers=HTML), extract(body, url=url)) for url, hours, body in found),
    )
    archive.index.engine.dispose()
    return tmp_path


def run(name: str, *arguments: object, home: Path | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    if home is not None:
        environment["PRESSMARK_HOME"] = str(home)
    done = subprocess.run(
        [sys.executable, str(PROJECT / "examples" / name), *map(str, arguments)],
        capture_output=True, text=True, env=environment, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_example_is_run_here() -> None:
    tested = Path(__file__).read_text()
    assert [path.name for path in (PROJECT / "examples").glob("*.py") if f'"{path.name}"' not in tested] == []


def test_a_post_over_time(home: Path) -> None:
    out = run("post_over_time.py", f"file:{home}/store", POST)
    assert out.count(POSTS[0].title) == 2
    assert "+ Words that were not there before." in out


def test_posts_as_json_lines(home: Path) -> None:
    posts = [json.loads(line) for line in run("export_jsonl.py", f"file:{home}/store").splitlines()]
    assert {(post["url"], post["versions"]) for post in posts} == {(POST, 2), ("http://blog.example/other", 1)}
    assert "Words that were not there before." in next(post["text"] for post in posts if post["url"] == POST)
    assert run("export_jsonl.py", f"file:{home}/store", "none.example") == ""


def test_texts_out_of_a_warc(home: Path) -> None:
    (path,) = (home / "store/warc").rglob("*.warc.gz")
    out = run("extract_from_warc.py", path)
    assert out.count(f"# {POSTS[0].title}\n") == 2
    assert out.count(f"# {POSTS[1].title}\n") == 1


def test_a_search(home: Path) -> None:
    out = run("search.py", f"file:{home}/store", '"words that were not there"')
    assert out.splitlines()[0] == POSTS[0].title
    assert "[" in out.splitlines()[2]


def test_the_pages_of_another_crawler(tmp_path: Path, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    url = site.url + TIDE.url_of(POSTS[0])
    assert run("archive_your_crawl.py", tmp_path / "mine", url) == f"{url} 1 captures\n"
    assert POSTS[0].title in run("post_over_time.py", f"file:{tmp_path}/mine/store", url)


def test_deletions_are_told_once(home: Path) -> None:
    frontier = Frontier.open(ArchiveSettings(home=home).database)
    facts = {"feed_id": None, "due": None, "error": None, "failures": 0, "etag": None, "last_modified": None}
    frontier.commit([], [PageVisit(url=POST, at=at(0), kept=True, status=200, **facts)])
    frontier.commit([], [PageVisit(url=POST, at=at(24), kept=False, status=410, gone="gone", **facts)])
    frontier.engine.dispose()
    assert run("watch_deletions.py", home / "seen.txt", home=home).startswith("gone: 2026-05-02T12:00:00")
    assert run("watch_deletions.py", home / "seen.txt", home=home) == ""

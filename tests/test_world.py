"""Hundreds of posts, five themes, five languages, RSS and Atom: all kept, all right. Needs the shared world."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from conftest import BIN, Home, missing, open_folder
from fastwarc.warc import ArchiveIterator as FastIterator

from archive.archive import Archive
from archive.settings import ArchiveSettings
from archive.warc import record as warc
from archive.warc.capture import digest
from archive.warc.http_message import split_head

BLOGS, POSTS = 20, 20


@pytest.fixture(scope="session")
def world(shared: Path):
    if not shutil.which("nginx") or not Path("/usr/share/games/fortunes").is_dir():
        missing("nginx or fortunes")
    folder = open_folder("world")
    # The generator writes the addresses of its blogs into every page, so that the port is its own.
    environment = {**os.environ, "WORLD_DIR": str(folder)}
    start = ["bash", str(shared / "world" / "start.sh")]
    subprocess.run([*start, "gen", "--blogs", str(BLOGS), "--posts", str(POSTS)], env=environment, check=True)
    yield folder
    subprocess.run([*start, "stop"], env=environment, check=True)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def crawled(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    hosts = (world / "hosts.txt").read_text().split()
    done = home.crawl("url=" + " ".join(f"{host}/" for host in hosts), timeout=300)
    assert done.code == 0, done.err
    assert done.out.startswith(f"kept {BLOGS * POSTS} new posts; {BLOGS} feeds visited;")
    return home


@pytest.fixture(scope="session")
def truth(world: Path) -> list[dict]:
    return [json.loads(line) for line in (world / "truth.jsonl").read_text().splitlines()]


def test_all_posts_are_kept_with_title_date_author_and_tags(crawled: Home, truth: list[dict]) -> None:
    archive = Archive.open(ArchiveSettings(home=crawled.path))
    assert len(truth) == BLOGS * POSTS
    for post in truth:
        said = archive.text(post["url"]).fields
        assert said["title"] == post["title"]
        assert datetime.fromisoformat(said["published"]) == datetime.fromisoformat(post["date"])
        assert said["author"] == post["author"]
        assert set(post["tags"]) <= set(said["tags"])
        assert said["language"] == post["lang"]


def test_the_texts_hold_the_posts_and_not_what_stands_around_them(crawled: Home, truth: list[dict]) -> None:
    archive = Archive.open(ArchiveSettings(home=crawled.path))
    wanted = found = 0
    for post in truth:
        text = archive.text(post["url"]).text
        flat = " ".join(text.split())
        assert " ".join(post["lead"].split()) in flat, post["url"]
        blocks = [block for kind, block in post["blocks"] if kind in {"p", "quote"}]
        wanted += len(blocks)
        found += sum(" ".join(block.split()) in flat for block in blocks)
        lines = text.split("\n")
        assert [line for line in post["not_text"] if line in lines or (len(line) > 40 and line in flat)] == []
    assert found / wanted > 0.99


def test_every_warc_is_whole_and_every_digest_right(crawled: Home) -> None:
    files = [*crawled.objects("warc"), *crawled.objects("text")]
    assert files
    for path in files:
        assert subprocess.run([BIN / "warcio", "check", path], stdout=subprocess.DEVNULL, check=False).returncode == 0
        with path.open("rb") as stream:
            assert all(record.verify_block_digest() for record in FastIterator(stream, parse_http=False))
        for record in warc.read(io.BytesIO(path.read_bytes())):
            assert record.get("WARC-Block-Digest") == digest(record.block)
            if record.kind == "response":
                assert record.get("WARC-Payload-Digest") == digest(split_head(record.block)[1])


def test_another_run_asks_each_feed_once(crawled: Home, world: Path) -> None:
    done = crawled.pressmark("crawl", "--force")
    assert done.out.startswith(f"kept 0 new posts; {BLOGS} feeds visited ({BLOGS} not modified);")

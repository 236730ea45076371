"""The measurements beside others: what they count is what happened."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from conftest import PROJECT
from sample.services import S3

sys.path.insert(0, str(PROJECT / "bench"))

import bars
import blog_world
import contest
import measured
from contender import ORDER, Task, contenders

# A worker that a server forked, and that nobody waits for: the command ends before it does.
ORPHAN = """
import os, subprocess, sys
burn = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.Popen([sys.executable, "-c", burn], start_new_session=True)
print("said")
sys.exit(3)
"""


def test_processor_time_of_orphans_counts(tmp_path: Path) -> None:
    used = measured.measured([sys.executable, "-c", ORPHAN], {}, tmp_path)
    assert (used.code, used.out) == (3, "said\n")
    assert used.cpu_seconds - used.own_cpu_seconds >= 0.3


def test_a_world_is_made_of_its_numbers_alone(tmp_path: Path) -> None:
    worlds = [blog_world.make(tmp_path / name, blogs=2, posts=5, port=8080) for name in ("one", "other")]
    files = [
        {str(path.relative_to(world.folder)): path.read_bytes() for path in world.folder.rglob("*") if path.is_file()}
        for world in worlds
    ]
    assert files[0] == files[1]
    assert len(worlds[0].posts) == 5
    for url in worlds[0].posts:
        page = worlds[0].folder / "www" / url.removeprefix("http://").replace(":8080", "", 1)
        assert page.is_file(), "each post's URL has a page"
        assert page.with_name(f"{page.name}.gz").is_file()


def test_every_contender_is_in_the_table(tmp_path: Path) -> None:
    named = {path.stem for path in (PROJECT / "bench" / "contenders").glob("*.py") if "CONTENDER" in path.read_text()}
    assert named == set(ORDER)
    world = blog_world.make(tmp_path / "world", blogs=1, posts=1, port=8080)
    s3 = S3("http://127.0.0.1:1", "bucket")
    for one in contenders([]).values():
        task = Task(world=world, folder=tmp_path, s3=s3)
        assert one.argv(task)
        assert one.on_s3 == ("AWS_ENDPOINT_URL" in one.environment(task))


def test_what_cannot_run_has_a_row_that_says_so() -> None:
    absent = replace(contenders(["naive"])["naive"], missing=lambda: "it is missing: make it")
    assert "left out: it is missing: make it" in contest.table({}, {"naive": absent})


def test_a_chart_names_each_contender() -> None:
    drawn = ET.fromstring(bars.chart({"Pressmark & co": (20.0, 5.0), "other": (10.0, 0.0)}))
    said = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Pressmark & co", "other", "20", "10", "5.0", "0.0"} <= set(said)

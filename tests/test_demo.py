"""The demonstration does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conftest import PROJECT
from sample.blogs import BLOGS


def test_the_demonstration_ends_with_what_was_kept(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-m", "sample.demo", str(tmp_path / "demo")],
        cwd=PROJECT / "tests", env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "kept 10 new posts" in done.stdout
    assert "kept 0 new posts; 3 feeds visited (3 not modified)" in done.stdout
    assert "kept 0 new posts, 1 changed" in done.stdout
    table = done.stdout[done.stdout.index("What is kept") :]
    assert all(post.published.date().isoformat() in table for blog in BLOGS for post in blog.posts)
    warc = next(line for line in done.stdout.splitlines() if line.startswith("The newest WARC: ")).split(": ", 1)[1]
    assert Path(warc).is_file()
    assert "pressmark get http://127.0.0.1:" in done.stdout

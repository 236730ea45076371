"""Two tools one after the other: `wget --warc-file`, then the command line of trafilatura on what it has saved."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from contender import Contender, Task

TRAFILATURA = str(Path(sys.executable).parent / "trafilatura")
BOTH = """
set -e
wget --quiet --compression=gzip --warc-file=posts --directory-prefix=pages --force-directories --input-file="$1"
"$2" --input-dir pages --output-dir texts --json --with-metadata --parallel "$(nproc)" >/dev/null 2>&1
"""


def argv(task: Task) -> list[str]:
    return ["sh", "-c", f'cd "$3"\n{BOTH}', "wget", str(task.urls), TRAFILATURA, str(task.folder)]


def posts(task: Task, _: str) -> int:
    return sum(1 for path in (task.folder / "texts").rglob("*.json") if path.is_file())


CONTENDER = Contender(
    name="wget --warc-file + trafilatura",
    keeps="WARC, pages, texts, metadata",
    argv=argv,
    posts=posts,
    missing=lambda: None if shutil.which("wget") else "wget is missing: apt-get install wget",
)

"""What `contest.py` needs to know of each contender: a module of `contenders/` names one as CONTENDER."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from blog_world import World
from sample.services import S3

PROJECT = Path(__file__).resolve().parents[1]
_FOLDER = Path(__file__).resolve().parent / "contenders"
ORDER = (
    "pressmark_folder", "pressmark_s3", "naive", "wget", "news_please", "scrapy_fetch", "aiohttp_fetch",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a contender is to do."""

    world: World
    folder: Path
    """An empty folder for what it stores."""
    s3: S3 | None = None
    """Where it stores, if that is asked of it."""

    @property
    def urls(self) -> Path:
        """A file with the URL of each post."""
        return self.world.folder / "urls.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A way of keeping blogs, as a command."""

    name: str
    keeps: str
    """What it leaves behind."""
    argv: Callable[[Task], list[str]]
    posts: Callable[[Task, str], int]
    """How many posts it has kept or fetched, given what it said."""
    environment: Callable[[Task], Mapping[str, str]] = field(default=lambda _: {})
    missing: Callable[[], str | None] = field(default=lambda: None)
    """Why it cannot be run here; None: it can."""
    on_s3: bool = False


def contenders(names: list[str]) -> dict[str, Contender]:
    """The named ones, or all, in the order of the table."""
    sys.path.insert(0, str(_FOLDER))
    return {name: import_module(name).CONTENDER for name in ORDER if not names or name in names}


def stored_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def script(name: str) -> list[str]:
    """The command that runs a contender's own module."""
    return [sys.executable, str(_FOLDER / f"{name}.py")]


def count_after(word: str) -> Callable[[Task, str], int]:
    """Reads the number after a word in what a command said last."""
    return lambda _, out: int(out.strip().splitlines()[-1].split(word, 1)[1].split()[0])

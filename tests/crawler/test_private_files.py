"""Files of a home folder are for their owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from conftest import Home
from sample.blogs import TIDE
from sample.server import Site


def open_to_others(home: Path) -> list[str]:
    """What others may read of a home folder, apart from the store, which may have readers of its own."""
    found = [home, *home.glob("*"), *(home / "spool").rglob("*")]
    return [
        path.name
        for path in found
        if path.exists() and path.name not in {"store", "spool"} and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


def test_a_new_home_is_closed_to_others(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    before = os.umask(0)
    try:
        assert home.crawl(f"url={site.url}/feed/").code == 0
    finally:
        os.umask(before)
    assert (home.path / "pressmark.db").exists()
    assert open_to_others(home.path) == []


def test_files_of_an_earlier_version_are_closed_and_its_folder_stays_as_it_is(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    home.crawl(f"url={site.url}/feed/")
    home.path.chmod(0o755)
    for path in home.path.glob("*"):
        if path.is_file():
            path.chmod(0o644)
    assert home.pressmark("feeds").code == 0
    assert home.pressmark("history", f"{site.url}/").code in {0, 3}
    assert open_to_others(home.path) == [home.path.name]

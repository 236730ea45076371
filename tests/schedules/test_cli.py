"""The one command that joins all floors."""

from __future__ import annotations

import subprocess
import tomllib

import pytest
from conftest import BIN, PROJECT, Home


def test_every_command_has_help(home: Home) -> None:
    top = home.pressmark("--help")
    assert top.code == 0
    assert "Exit codes: 0 done, 1 failed, 2 wrong use, 3 not archived, 4" in top.out
    for name in ("add", "crawl", "feeds", "get", "history", "pause", "remove", "resume", "up", "verify"):
        assert f"  {name} " in top.out
        assert home.pressmark(name, "--help").code == 0


def test_the_version_is_the_projects(home: Home) -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert home.pressmark("--version").out == f"pressmark, version {version}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["get"], ["get", "http://x/", "--as", "pdf"], ["add"], ["--no"]])
def test_wrong_use_is_one_line_and_exit_code_2(home: Home, arguments: list[str]) -> None:
    done = home.pressmark(*arguments)
    assert done.code == 2
    assert done.err.startswith("pressmark: ")
    assert done.err.count("\n") == 2, "the line and the remedy"


def test_a_new_home_has_no_subscriptions(home: Home) -> None:
    assert home.pressmark("feeds").out == "no subscriptions; begin with: pressmark add URL\n"
    assert home.pressmark("feeds", "--json").out == ""


def test_a_reader_that_goes_away_is_no_error(home: Home) -> None:
    done = subprocess.run(
        f"{BIN / 'pressmark'} --help | head -1",
        shell=True,
        env=home.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


def test_it_works_from_any_folder(home: Home, tmp_path) -> None:
    done = subprocess.run(
        [str(BIN / "pressmark"), "crawl"],
        cwd=tmp_path,
        env=home.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout[:16]) == (0, "kept 0 new posts")

"""The name of a machine: made whole or not at all, and one home's alone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Home
from sqlalchemy import update

from archive.errors import SpoolError
from archive.runtime.database import database_time, transaction
from crawler.errors import TwinError
from crawler.frontier.claims import LONGEST
from crawler.frontier.frontier import Frontier
from crawler.frontier.machines import Machine, enter, stay
from crawler.frontier.tables import machines
from crawler.session import machine_name as module
from crawler.session.lanes import holder
from crawler.session.machine_name import machine_name, this_machine

MACHINE = Machine(name="name", identity="here", boot="today")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


def seen_before(frontier: Frontier, ago: timedelta) -> None:
    with transaction(frontier.engine) as connection:
        connection.execute(update(machines).values(seen=database_time(connection) - ago))


# -- the file


def test_a_home_keeps_its_name(tmp_path: Path) -> None:
    assert holder(tmp_path, "") == f"{machine_name(tmp_path)}/crawl"
    assert machine_name(tmp_path) == machine_name(tmp_path) != machine_name(tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["worker"]


def test_a_name_that_cannot_be_written_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(SpoolError, match="No space"):
        machine_name(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"\n", b"\xff\xfe", b"0123", b"0123456789abcdef0123456789abcdef\n"])
def test_a_damaged_name_is_replaced_and_told(tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "worker").write_bytes(damage)
    name = machine_name(tmp_path)
    assert len(name) == 16
    assert machine_name(tmp_path) == name
    assert [record.message for record in caplog.records if "worker" in record.message] == [
        f"the name of this machine is damaged, it gets a new one file={tmp_path / 'worker'}"
    ]


def test_two_processes_that_choose_at_once_have_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = module.os.link

    def late(source: Path, target: Path) -> None:
        monkeypatch.setattr(module.os, "link", link)
        assert machine_name(tmp_path) == (tmp_path / "worker").read_text().strip()
        link(source, target)

    monkeypatch.setattr(module.os, "link", late)
    assert machine_name(tmp_path) == (tmp_path / "worker").read_text().strip()


def test_a_copy_of_a_home_has_another_identity(tmp_path: Path) -> None:
    first = this_machine(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    copy = this_machine(tmp_path / "b")
    assert copy.name == first.name
    assert copy.identity != first.identity
    assert this_machine(tmp_path / "a") == first


# -- in the database


def test_a_name_belongs_to_one_home(frontier: Frontier) -> None:
    enter(frontier.engine, MACHINE)
    enter(frontier.engine, MACHINE)
    enter(frontier.engine, replace(MACHINE, name="other", identity="there"))
    with pytest.raises(TwinError, match="one of them is a copy") as error:
        enter(frontier.engine, replace(MACHINE, identity="copy"))
    assert "Delete the file `worker`" in str(error.value.hint)
    stay(frontier.engine, MACHINE)


def test_a_home_that_moved_takes_its_name_along_once_no_claim_can_be_left(frontier: Frontier) -> None:
    enter(frontier.engine, MACHINE)
    moved = replace(MACHINE, identity="moved")
    seen_before(frontier, LONGEST - MINUTE)
    with pytest.raises(TwinError):
        enter(frontier.engine, moved)
    stay(frontier.engine, MACHINE)
    seen_before(frontier, LONGEST + MINUTE)
    enter(frontier.engine, moved)
    with pytest.raises(TwinError):
        stay(frontier.engine, MACHINE)


def test_a_machine_that_restarts_goes_on_and_a_clone_that_runs_beside_it_is_noticed(frontier: Frontier) -> None:
    """Only what ends with the machine tells a clone of all of it from the original."""
    enter(frontier.engine, MACHINE)
    again = replace(MACHINE, boot="tomorrow")
    enter(frontier.engine, again)
    stay(frontier.engine, again)
    with pytest.raises(TwinError):
        stay(frontier.engine, MACHINE)


def test_a_copied_home_is_refused_with_the_remedy(home: Home, tmp_path: Path) -> None:
    home.settings["PRESSMARK_DATABASE"] = f"sqlite:///{tmp_path / 'shared.db'}"
    home.settings["PRESSMARK_STORE"] = f"file:{tmp_path / 'store'}"
    assert home.crawl().code == 0
    shutil.copytree(home.path, tmp_path / "copy")
    copy = Home(tmp_path / "copy", **{**home.settings, "PRESSMARK_HOME": str(tmp_path / "copy")})
    refused = copy.pressmark("crawl")
    assert refused.code == 1
    assert "another home folder has crawled under this one's name" in refused.err
    assert "Delete the file `worker`" in refused.err
    (copy.path / "worker").unlink()
    assert copy.pressmark("crawl").code == 0
    assert home.pressmark("crawl").code == 0

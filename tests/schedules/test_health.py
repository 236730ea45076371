"""What is ill is told in time, whatever the ill part does, and is not told any more when it is well again."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.errors import ArchiveError, StoreError
from archive.settings import ArchiveSettings
from schedules import health
from schedules.health import Health, parts
from schedules.runs import Runs


@pytest.fixture(autouse=True)
def _always_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_FRESH_SECONDS", 0.0)


def test_a_part_that_does_not_answer_is_ill_in_time() -> None:
    over, looks = threading.Event(), []

    def hangs() -> None:
        looks.append(1)
        over.wait(30)

    asked = Health({"store": hangs, "disk": lambda: None}, seconds=0.3)
    began = time.monotonic()
    assert set(asked()) == {"store"}
    assert set(asked()) == {"store"}
    assert time.monotonic() - began < 5
    assert len(looks) == 1  # whoever asks again does not wait beside the first
    over.set()
    time.sleep(0.2)
    assert asked() == {}


def test_whatever_a_part_raises_is_told() -> None:
    def broken() -> None:
        raise KeyError("x")

    def ill() -> None:
        raise ArchiveError("it is ill")

    assert Health({"a": broken, "b": ill, "c": lambda: None})() == {"a": "KeyError: 'x'", "b": "it is ill"}


def test_a_store_or_database_that_was_taken_away_is_missed(tmp_path: Path) -> None:
    from sample.archives import capture, keep

    archive = Archive.open(ArchiveSettings(home=tmp_path))
    runs = Runs.open(archive.settings.database)
    asked = Health(parts(archive, runs))
    assert asked() == {}
    keep(archive, capture(0))
    assert asked() == {}
    (tmp_path / "store").rename(tmp_path / "away")
    assert set(asked()) == {"store"}
    assert set(asked()) == {"store"}  # nothing has put an empty one in its place
    (tmp_path / "store").rmdir() if (tmp_path / "store").exists() else None
    (tmp_path / "away").rename(tmp_path / "store")
    assert asked() == {}
    (tmp_path / "pressmark.db").rename(tmp_path / "gone.db")
    assert set(asked()) == {"database"}
    (tmp_path / "gone.db").rename(tmp_path / "pressmark.db")
    assert asked() == {}


def test_a_probe_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path))

    def full(_path: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    archive.writer.check_spool()
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises((ArchiveError, StoreError)):
        archive.writer.check_spool()
    assert list(archive.settings.spool.iterdir()) == []

"""What the store has lost is marked, nothing refers to it any more, and whatever else has its payload stands in for it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sample.archives import POST, at, capture, keep, unmodified

from archive.archive import Archive
from archive.errors import DamagedError, ObjectMissingError, StoreBusyError
from archive.export.formats import by_name, export
from archive.index.index import Index
from archive.index.schema import CaptureRow
from archive.maintenance.verification import Verification
from archive.maintenance.verify import Finding
from archive.runtime.database import connect
from archive.settings import ArchiveSettings
from archive.stores import FolderStore
from archive.writer.committer import index_key

PAGE = b"<html><title>T</title><p>one</p>" * 20


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.open(ArchiveSettings(home=tmp_path))


def path_of(archive: Archive, key: str) -> Path:
    return Path(archive.store.location.removeprefix("file:")) / key


def verified(archive: Archive, share: float = 1.0, *, repairs: bool = False) -> list[Finding]:
    run = Verification(archive, checks={}, now=lambda: at(99), repairs=repairs)
    chosen = run.chosen(share)
    found = [finding for row in chosen.rows for finding in run.row(row)]
    return [*found, *run.end(chosen)]


def faults(archive: Archive) -> dict[str, str | None]:
    return {row.key: row.fault for row in archive.index.objects()}


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)


def two_objects(archive: Archive) -> tuple[CaptureRow, CaptureRow]:
    """A page, and another one in a second object."""
    (first,) = keep(archive, capture(0, PAGE))
    (other,) = keep(archive, capture(1, b"<p>other</p>", url="http://blog.example/other"))
    return first, other


def test_a_missing_object_is_marked_by_a_read_and_the_payload_stored_whole_again(archive: Archive) -> None:
    first, _ = two_objects(archive)
    kept = path_of(archive, first.object).read_bytes()
    path_of(archive, first.object).unlink()
    with pytest.raises(ObjectMissingError):
        archive.read(first)
    assert faults(archive)[first.object] == "missing"
    (again,) = keep(archive, capture(2, PAGE))
    assert again.kind == "response", "not a revisit of what is lost"
    assert archive.read(again).body == PAGE
    lost = archive.index.capture(first.record)
    assert lost is not None
    assert lost.fault == "missing", "the mark stays"
    assert archive.read(lost).body == PAGE, "the same bytes, by their digest"
    path_of(archive, first.object).write_bytes(kept)
    assert verified(archive) == []
    assert set(faults(archive).values()) == {None}, "what was restored from a backup has no mark any more"


def test_a_304_does_not_confirm_what_is_lost(archive: Archive) -> None:
    first, _ = two_objects(archive)
    path_of(archive, first.object).unlink()
    verified(archive)
    batch = archive.writer.batch(now=at(3))
    row = batch.add(unmodified(capture(3, b"", 304, headers=b'ETag: "1"\r\n'), first.record))
    assert row.kind == "response", "so the server is asked again without conditions"


def test_revisits_of_a_lost_response_are_read_from_another_one(archive: Archive) -> None:
    (first,) = keep(archive, capture(0, PAGE))
    (same,) = keep(archive, capture(1, PAGE))
    assert (same.kind, same.refers_to) == ("revisit", first.record)
    path_of(archive, first.object).unlink()
    verified(archive)
    (whole,) = keep(archive, capture(2, PAGE, url="http://blog.example/elsewhere"))
    assert archive.read(same).body == PAGE
    assert archive.confirmed(same) == [whole]
    assert PAGE in export(archive, by_name("html"), POST, at(1)).body
    assert export(archive, by_name("warc"), POST, at(1)).body.count(b"\x1f\x8b\x08") >= 6
    assert export(archive, by_name("wacz"), POST, at(1)).body[:2] == b"PK"


def test_only_the_damaged_record_of_an_object_is_marked(archive: Archive) -> None:
    rows = keep(archive, *(capture(n, b"<p>%d</p>" % n * 50, url=f"http://blog.example/{n}") for n in range(5)))
    path = path_of(archive, rows[2].object)
    flip(path, rows[2].offset + 30)
    found = verified(archive)
    assert [(one.kind, one.offset) for one in found] == [("damaged", rows[2].offset)]
    marked = [row.record for row in archive.index.of_object(rows[0].object)[0] if row.fault]
    assert marked == [rows[2].record]
    assert archive.read(rows[4]).body == b"<p>4</p>" * 50
    with pytest.raises(DamagedError):
        archive.read(rows[2])


def test_the_rows_of_whole_records_are_compared_in_a_damaged_object_too(archive: Archive) -> None:
    rows = keep(archive, *(capture(n, b"<p>%d</p>" % n * 50, url=f"http://blog.example/{n}") for n in range(5)))
    flip(path_of(archive, rows[1].object), rows[1].offset + 30)
    with sqlite3.connect(archive.settings.home / "pressmark.db") as database:
        database.execute("UPDATE captures SET digest = 'sha1:A' WHERE record = ?", (rows[3].record,))
    found = verified(archive)
    assert [(one.kind, one.offset) for one in found] == [("damaged", rows[1].offset), ("index", rows[3].offset)]


class Away(FolderStore):
    """A store that is out of reach, or that cuts what it sends once."""

    cut = False

    def read(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        if self.cut:
            self.cut = False
            return super().read(key, offset, length)[:-5]
        raise StoreBusyError("away", location=self.location, key=key)


def test_an_outage_is_no_loss(archive: Archive) -> None:
    first, _ = two_objects(archive)
    away = Away(Path(archive.store.location.removeprefix("file:")))
    reader = Archive(archive.settings, away, archive.index)
    with pytest.raises(StoreBusyError):
        reader.read(first)
    assert set(faults(archive).values()) == {None}


def test_what_is_cut_once_is_asked_for_again(archive: Archive) -> None:
    first, _ = two_objects(archive)

    class CutsOnce(FolderStore):
        asked = 0

        def read(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
            self.asked += 1
            data = super().read(key, offset, length)
            return data[:-5] if self.asked == 1 else data

    store = CutsOnce(Path(archive.store.location.removeprefix("file:")))
    assert Archive(archive.settings, store, archive.index).read(first).body == PAGE
    assert set(faults(archive).values()) == {None}


def test_another_store_loses_nothing(archive: Archive, tmp_path: Path) -> None:
    first, _ = two_objects(archive)
    other = Archive(archive.settings, FolderStore(tmp_path / "other"), archive.index)
    with pytest.raises(ObjectMissingError):
        other.read(first)
    verified(other)
    assert set(faults(archive).values()) == {None}


def test_a_database_that_can_only_be_read_answers_all_the_same(archive: Archive) -> None:
    first, other = two_objects(archive)
    path_of(archive, first.object).unlink()
    archive.index.engine.dispose()
    index = Index(connect(f"sqlite:///file:{archive.settings.home}/pressmark.db?mode=ro&uri=true"))
    reader = Archive(archive.settings, archive.store, index)
    with pytest.raises(ObjectMissingError):
        reader.read(first)
    assert reader.read(other).body == b"<p>other</p>"


def test_a_sample_takes_what_was_not_read_for_the_longest_time(archive: Archive) -> None:
    for n in range(10):
        keep(archive, capture(n, b"<p>%d</p>" % n, url=f"http://blog.example/{n}"))
    read: set[str] = set()
    for n in range(4):
        run = Verification(archive, checks={}, now=lambda n=n: at(100 + n))
        rows = run.chosen(0.25).rows
        assert len(rows) == 3
        read |= {row.key for row in rows}
        for row in rows:
            assert list(run.row(row)) == []
    assert len(read) == 10, "each object within 1/share runs"
    oldest = Verification(archive, checks={}, now=lambda: at(200)).chosen(0.1).rows
    assert [row.verified for row in oldest] == [at(100)], "the last run read two of the three of the first again"


def test_missing_index_lines_are_named_and_written_again(archive: Archive) -> None:
    first, other = two_objects(archive)
    lines = path_of(archive, index_key(first.object))
    said = lines.read_bytes()
    lines.unlink()
    path_of(archive, index_key(other.object)).write_bytes(b"http://x 2026 {}\n")
    found = verified(archive)
    assert sorted((one.kind, one.key) for one in found) == [
        ("damaged", index_key(other.object)),
        ("missing", index_key(first.object)),
    ]
    assert [one.key for one in verified(archive, repairs=True)] == [index_key(other.object)]
    assert lines.read_bytes() == said


def test_profiles_of_sites_and_other_state_are_read(archive: Archive) -> None:
    two_objects(archive)
    archive.store.put("sites/blog.example/000001.json", b'{"site": "blog.example", "version": 1, "blocks": []}')
    archive.store.put("sites/blog.example/000002.json", b"{")
    archive.store.put("state/x/1", b"good")
    archive.store.put("state/x/2", b"bad")
    run = Verification(
        archive, checks={"state/x/": lambda data: None if data == b"good" else "is bad"}, now=lambda: at(9)
    )
    chosen = run.chosen(1.0)
    found = [finding for key in chosen.others for finding in run.other(key)]
    assert [(one.kind, one.key) for one in found] == [
        ("damaged", "sites/blog.example/000002.json"),
        ("damaged", "state/x/2"),
    ]
    assert set(run.chosen(0.1).others) == {"sites/blog.example/000001.json"}


def test_marks_do_not_touch_what_they_are_not_about(archive: Archive) -> None:
    first, other = two_objects(archive)
    path_of(archive, first.object).unlink()
    verified(archive)
    assert archive.index.capture(other.record) == replace(other, fault=None)

"""Only what a batch itself is to blame for sets it aside; the rest waits, and what was set aside can be tried again."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_archive import T0, URL, capture

from archive.archive import Archive
from archive.errors import DatabaseError, ObjectExistsError, SpoolError, StoreError, StoreRefusedError
from archive.index.schema import CRAWL
from archive.settings import ArchiveSettings
from archive.writer import aside
from archive.writer.batch import Sealed


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.open(ArchiveSettings(home=tmp_path))


def sealed(archive: Archive, n: int = 0) -> Sealed:
    batch = archive.writer.batch(now=T0.replace(minute=n))
    batch.add(capture(n, b"<p>%d</p>" % n, url=f"{URL}/{n}"))
    batch.note(f"note {n}")
    return batch.seal()


def files(archive: Archive) -> set[str]:
    spool = archive.settings.spool
    return {str(path.relative_to(spool)) for path in spool.rglob("*") if path.is_file()}


def occupied(archive: Archive, made: Sealed) -> None:
    """An object under the batch's key with other bytes."""
    archive.store.put(made.files[0][0].key, b"what a store tore")


def test_a_batch_whose_name_has_other_bytes_is_set_aside_with_the_reason(archive: Archive) -> None:
    first, _ = sealed(archive), sealed(archive, 1)
    occupied(archive, first)
    done = archive.writer.commit_leftovers(CRAWL)
    assert done.committed == 1, "it does not block what comes after"
    (one,) = done.aside
    assert aside.found(archive.settings.spool) == (one,)
    assert "holds other bytes" in one.reason
    assert "pressmark seal --again" in next(iter(done.lines()))
    name = one.name
    assert files(archive) == {f"aside/warc-{name}.warc.gz", f"aside/notes-{name}.jsonl", f"aside/reason-{name}.json"}


def test_it_is_committed_under_another_name_when_it_is_tried_again(archive: Archive) -> None:
    occupied(archive, sealed(archive))
    archive.writer.commit_leftovers(CRAWL)
    assert archive.writer.bring_back(CRAWL) == 1
    assert aside.found(archive.settings.spool) == ()
    noted: list[str] = []
    done = archive.writer.commit_leftovers(CRAWL, lambda batch: noted.extend(batch.notes))
    assert (done.committed, done.aside, noted) == (1, (), ["note 0"])
    assert archive.read(archive.find(f"{URL}/0")).body == b"<p>0</p>"
    assert files(archive) == set()


def test_a_batch_of_an_earlier_version_without_a_reason_can_be_tried_again(archive: Archive) -> None:
    made = sealed(archive)
    folder = archive.settings.spool / "aside"
    folder.mkdir()
    for path in made.paths:
        path.rename(folder / path.name)
    (one,) = aside.found(archive.settings.spool)
    assert "earlier version" in one.reason
    assert archive.writer.bring_back(CRAWL) == 1
    assert archive.writer.commit_leftovers(CRAWL).committed == 1


def test_batches_for_which_there_is_no_time_stay_in_the_spool(archive: Archive) -> None:
    for n in range(3):
        sealed(archive, n)
    done = archive.writer.commit_leftovers(CRAWL, enough=lambda: True)
    assert (done.committed, done.left) == (1, 2)
    done = archive.writer.commit_leftovers(CRAWL)
    assert (done.committed, done.left, files(archive)) == (2, 0, set())


def test_what_is_still_refused_is_set_aside_once_more(archive: Archive) -> None:
    sealed(archive)

    def refuse(batch: Sealed) -> None:
        raise DatabaseError("value out of range", url="x", rejected=True)

    assert len(archive.writer.commit_leftovers(CRAWL, refuse).aside) == 1
    archive.writer.bring_back(CRAWL)
    again = archive.writer.commit_leftovers(CRAWL, refuse)
    assert [one.reason for one in again.aside] == ["x: value out of range"]
    assert len(aside.found(archive.settings.spool)) == 1


@pytest.mark.parametrize(
    "error",
    [
        DatabaseError("read-only", url="x", temporary=True),
        DatabaseError("malformed", url="x"),
        StoreRefusedError("denied", location="s3://x"),
        StoreError("Input/output error", location="file:x"),
        MemoryError(),
        OSError(24, "Too many open files"),
    ],
)
def test_whatever_is_no_fault_of_the_batch_waits_in_the_spool(archive: Archive, error: Exception) -> None:
    sealed(archive)
    before = files(archive)

    def fail(batch: Sealed) -> None:
        raise error

    with pytest.raises((DatabaseError, StoreError, SpoolError, MemoryError)):
        archive.writer.commit_leftovers(CRAWL, fail)
    assert files(archive) == before
    assert archive.writer.commit_leftovers(CRAWL).committed == 1


def test_an_unforeseen_error_sets_aside_only_while_store_and_database_accept_writes(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(archive)
    before = files(archive)

    def fail(batch: Sealed) -> None:
        raise KeyError("a field that nobody thought of")

    def read_only() -> None:
        raise DatabaseError("read-only", url="x", temporary=True)

    with monkeypatch.context() as patched:
        patched.setattr(archive.writer.index, "check_writable", read_only)
        with pytest.raises(DatabaseError):
            archive.writer.commit_leftovers(CRAWL, fail)
    assert files(archive) == before
    (one,) = archive.writer.commit_leftovers(CRAWL, fail).aside
    assert "KeyError" in one.reason


def test_moving_aside_that_was_interrupted_loses_nothing(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    made = sealed(archive)
    error = ObjectExistsError("holds other bytes", location="x")
    real = Path.rename
    moved: list[Path] = []

    def rename(self: Path, target: Path) -> Path:
        if moved:
            raise KeyboardInterrupt
        moved.append(self)
        return real(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            aside.set_aside(archive.settings.spool, made.paths, error)
    archive.writer.commit_leftovers(CRAWL)
    archive.writer.bring_back(CRAWL)
    archive.writer.commit_leftovers(CRAWL)
    assert archive.read(archive.find(f"{URL}/0")).body == b"<p>0</p>"
    assert files(archive) == set()


def test_all_parts_of_the_spool_are_looked_at(archive: Archive) -> None:
    other = Archive.open(archive.settings, "backfill")
    for one in (archive, other):
        occupied(one, sealed(one))
        one.writer.commit_leftovers(CRAWL)
    found = aside.found(archive.settings.spool)
    assert len(found) == 2
    assert aside.told(found).startswith("2 batches set aside in ")
    assert archive.writer.bring_back(CRAWL) == 1
    assert len(aside.found(archive.settings.spool)) == 1


def test_the_database_check_writes(archive: Archive) -> None:
    archive.writer.index.check_writable()
    archive.writer.commit(sealed(archive))
    archive.writer.index.check_writable()
    assert archive.index.objects()[0].length > 0


def test_damage_after_the_commit_costs_nothing(archive: Archive) -> None:
    """The process was killed before it could delete the spool files, and then the disk lost a bit of them."""
    made = sealed(archive)
    archive.writer.commit(made)
    path = made.files[0][1]
    data = bytearray(path.read_bytes())
    data[made.captures[0].offset + made.captures[0].length - 20] ^= 1
    path.write_bytes(data)
    noted: list[str] = []
    done = archive.writer.commit_leftovers(CRAWL, lambda batch: noted.extend(batch.notes))
    assert (done.committed, done.aside, len(done.damage), noted) == (1, (), 1, ["note 0"])
    assert archive.read(archive.find(f"{URL}/0")).body == b"<p>0</p>"
    assert archive.index.counts()["objects"] == 1

"""What a crash leaves in the spool is committed by the next start, as far as its records are whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sample.archives import unmodified
from test_archive import T0, URL, capture

from archive.archive import Archive
from archive.extract.text import Text
from archive.settings import ArchiveSettings
from archive.warc import record as warc
from archive.warc.members import members
from archive.writer.batch import Batch

BODIES = [b"<p>%d</p>" % n * 50 for n in range(5)]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.open(ArchiveSettings(home=tmp_path))


def grown(archive: Archive) -> Batch:
    """A batch of five captures with texts and notes, not sealed."""
    batch = archive.writer.batch(now=T0)
    for n, body in enumerate(BODIES):
        row = batch.add(capture(n, body, url=f"{URL}/{n}"))
        batch.add_text(row, Text(url=row.url, text=f"text {n}", markdown=f"text {n}", title=f"T{n}"))
        batch.note(f"note {n}")
    return batch


def recovered(archive: Archive) -> tuple[int, int, int]:
    """Commit what is left; gives the numbers of captures, texts and notes."""
    counts = [0, 0, 0]
    for sealed in archive.writer.leftovers():
        archive.writer.commit(sealed)
        archive.writer.release(sealed)
        for n, found in enumerate((sealed.captures, sealed.texts, sealed.notes)):
            counts[n] += len(found)
    assert list(archive.settings.spool.iterdir()) == []
    return counts[0], counts[1], counts[2]


def check(archive: Archive, count: int) -> None:
    """Every capture and text in the index can be read."""
    for n in range(count):
        assert archive.read(archive.find(f"{URL}/{n}")).body == BODIES[n]
        assert archive.text(f"{URL}/{n}").text == f"text {n}"


def spooled(archive: Archive, kind: str) -> Path:
    return next(archive.settings.spool.glob(f"{kind}-*"))


def test_a_batch_that_was_growing_is_kept(archive: Archive) -> None:
    grown(archive)
    assert recovered(archive) == (5, 5, 5)
    check(archive, 5)
    assert recovered(archive) == (0, 0, 0)


def test_rows_made_from_records_are_those_made_with_them(archive: Archive) -> None:
    batch = grown(archive)
    batch.add(unmodified(capture(9, b"", 304, url=f"{URL}/0"), batch._captures[0].record))
    batch.add(capture(10, BODIES[1], url="http://other.example/"))
    wanted = batch.seal()
    sealed = next(archive.writer.leftovers())
    assert sealed.captures == wanted.captures
    assert sealed.texts == wanted.texts
    assert sealed.notes == wanted.notes
    assert [row for row, _ in sealed.files] == [row for row, _ in wanted.files]


@pytest.mark.parametrize("step", ["sealed", "uploaded", "indexed"])
def test_a_commit_that_was_interrupted_is_finished(archive: Archive, step: str) -> None:
    sealed = grown(archive).seal()
    if step != "sealed":
        for row, path in sealed.files:
            archive.store.put(row.key, path)
    if step == "indexed":
        archive.writer.commit(sealed)
    assert recovered(archive) == (5, 5, 5)
    check(archive, 5)
    assert archive.index.counts() == {"captures": 5, "texts": 5, "objects": 2}


@pytest.mark.parametrize("share", [0.1, 0.35, 0.5, 0.77, 0.9, 0.999])
def test_torn_records_are_cut_to_the_last_whole_one(archive: Archive, share: float) -> None:
    grown(archive)
    path = spooled(archive, "warc")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    captures, texts, _ = recovered(archive)
    assert captures == texts < 5
    check(archive, captures)
    for key in (key for key in archive.store.keys() if key.endswith(".gz")):  # noqa: SIM118  a store's
        whole = archive.store.read(key)
        assert sum(member.length for member in members(io.BytesIO(whole))) == len(whole)


def test_garbage_after_the_last_record_is_cut(archive: Archive) -> None:
    grown(archive)
    with spooled(archive, "warc").open("ab") as out:
        out.write(b"\x1f\x8b\x08garbage")
    assert recovered(archive) == (5, 5, 5)


def test_a_torn_note_is_left_out(archive: Archive) -> None:
    grown(archive)
    path = spooled(archive, "notes")
    path.write_bytes(path.read_bytes()[:-3])
    assert recovered(archive) == (5, 5, 4)


def test_a_text_without_its_capture_is_left_out(archive: Archive) -> None:
    grown(archive)
    spooled(archive, "warc").unlink()
    assert recovered(archive) == (0, 0, 5)
    assert list(archive.store.keys()) == []


def test_a_file_with_nothing_but_its_first_record_goes(archive: Archive) -> None:
    batch = grown(archive)
    batch.abandon()
    path = spooled(archive, "warc")
    first = next(iter(members(io.BytesIO(path.read_bytes()))))
    path.write_bytes(path.read_bytes()[: first.length])
    spooled(archive, "text").unlink()
    assert recovered(archive) == (0, 0, 5)


def test_batches_come_back_oldest_first_so_that_references_hold(archive: Archive) -> None:
    first = grown(archive)._captures[0].record
    later = archive.writer.batch(now=T0.replace(hour=20))
    row = later.add(unmodified(capture(20, b"", 304, url=f"{URL}/0"), first))
    assert recovered(archive)[0] == 6
    assert archive.index.capture(row.record).refers_to == first


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data[:-9],
        lambda data: data[:40],
        lambda data: b"",
        lambda data: b"x" + data,
    ],
)
def test_a_member_is_whole_or_none(change: Callable[[bytes], bytes]) -> None:
    record = warc.response(capture(), uuid="1", info="<urn:uuid:0>")
    data = warc.pack(record)
    assert [member.record for member in members(io.BytesIO(data * 2))] == [
        replace(next(warc.read(io.BytesIO(data))))
    ] * 2
    assert list(members(io.BytesIO(change(data)))) == []


def test_a_note_that_cannot_be_read_is_left_out() -> None:
    from crawler.session import notes

    assert list(notes.read(["\0\0\0", "{}", '{"kind": "page", "visit": {}}'], lambda record: True)) == []

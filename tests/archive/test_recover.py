"""What a crash leaves in the spool is committed by the next start, as far as its records are whole."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from sample.archives import unmodified
from test_archive import T0, URL, capture

from archive.archive import Archive
from archive.extract.text import Text
from archive.index.schema import CaptureRow
from archive.maintenance.verify import verify
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
    assert [path.name for path in archive.settings.spool.iterdir() if path.name != "damaged"] == []
    return counts[0], counts[1], counts[2]


def originals(archive: Archive) -> list[bytes]:
    """Damaged spool files that were kept as they were found."""
    return [path.read_bytes() for path in sorted((archive.settings.spool / "damaged").glob("*"))]


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
    assert originals(archive) == [], "what a killed process leaves is no damage"
    check(archive, captures)
    for key in (key for key in archive.store.keys() if key.endswith(".gz")):  # noqa: SIM118  a store's
        whole = archive.store.read(key)
        assert sum(member.length for member in members(io.BytesIO(whole))) == len(whole)


def test_a_begun_member_after_the_last_record_is_cut(archive: Archive) -> None:
    grown(archive)
    with spooled(archive, "warc").open("ab") as out:
        out.write(warc.pack(warc.response(capture(), uuid="1", info="<urn:uuid:0>"))[:60])
    assert recovered(archive) == (5, 5, 5)
    assert originals(archive) == []


def test_a_recovery_that_is_interrupted_takes_nothing_for_damage(archive: Archive) -> None:
    grown(archive)
    path = spooled(archive, "warc")
    path.write_bytes(path.read_bytes()[:-5])
    next(archive.writer.leftovers())
    assert recovered(archive) == (4, 4, 5)
    assert originals(archive) == []


# -- damage: anything but the end of a file that was growing


def flipped(data: bytes, rows: tuple[CaptureRow, ...]) -> bytes:
    at = rows[1].offset + 200
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def zeroed(data: bytes, rows: tuple[CaptureRow, ...]) -> bytes:
    return data[: rows[1].offset + 10] + bytes(rows[2].offset - rows[1].offset) + data[rows[2].offset + 10 :]


def truncated(data: bytes, rows: tuple[CaptureRow, ...]) -> bytes:
    return data[: rows[4].offset + 50]


def without_its_last_record(data: bytes, rows: tuple[CaptureRow, ...]) -> bytes:
    return data[: rows[4].offset] + data[rows[4].offset :][: -len(last_member(data))]


def last_member(data: bytes) -> bytes:
    return data[max(member.offset for member in members(io.BytesIO(data))) :]


def without_a_beginning(data: bytes, rows: tuple[CaptureRow, ...]) -> bytes:
    return b"\xff" * 40 + data[40:]


def otherwise_than_its_digest(data: bytes, rows: tuple[CaptureRow, ...]) -> bytes:
    found = next(m for m in members(io.BytesIO(data)) if m.offset == rows[1].offset)
    false = replace(found.record, block=found.record.block.replace(b"<p>", b"<q>"))
    return data[: found.offset] + warc.pack(false) + data[found.offset + found.length :]


def followed_by_garbage(data: bytes, rows: tuple[CaptureRow, ...]) -> bytes:
    return data + b"\x1f\x8b\x08garbage"


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize(
    ("harm", "left"),
    [
        (flipped, [0, 2, 3, 4]), (zeroed, [0, 3, 4]), (without_a_beginning, [0, 1, 2, 3, 4]),
        (otherwise_than_its_digest, [0, 2, 3, 4]), (followed_by_garbage, [0, 1, 2, 3, 4]),
    ],
)  # fmt: skip
def test_damage_costs_the_records_that_it_hits_and_the_file_is_kept(
    archive: Archive, harm: Callable[[bytes, tuple[CaptureRow, ...]], bytes], left: list[int], sealed: bool
) -> None:
    batch = grown(archive)
    rows = tuple(batch._captures)
    if sealed:
        batch.seal()
    path = spooled(archive, "warc")
    damaged = harm(path.read_bytes(), rows)
    path.write_bytes(damaged)
    found = next(archive.writer.leftovers())
    assert [int(row.url.rpartition("/")[2]) for row in found.captures] == left
    assert damaged in originals(archive)
    assert found.damage[0].line().startswith("damaged spool file: bytes ")
    # The second time it is whole already.
    assert recovered(archive) == (len(left), len(left), 5)
    for n in left:
        assert archive.read(archive.find(f"{URL}/{n}")).body == BODIES[n]
        assert archive.text(f"{URL}/{n}").text == f"text {n}"
    for stored in archive.index.objects():
        assert list(verify(archive.store, archive.index, stored)) == []


@pytest.mark.parametrize("harm", [truncated, without_its_last_record])
def test_a_sealed_file_that_ends_too_early_is_damaged(
    archive: Archive, harm: Callable[[bytes, tuple[CaptureRow, ...]], bytes]
) -> None:
    rows = grown(archive).seal().captures
    path = spooled(archive, "warc")
    damaged = harm(path.read_bytes(), rows)
    path.write_bytes(damaged)
    done = archive.writer.commit_leftovers("pressmark")
    assert (done.committed, bool(done.damage)) == (1, True)
    assert damaged in originals(archive)
    assert archive.read(archive.find(f"{URL}/3")).body == BODIES[3]
    if harm is without_its_last_record:  # only the request's metadata are lost
        assert archive.read(archive.find(f"{URL}/4")).body == BODIES[4]


def test_a_damaged_text_costs_that_text_and_its_capture_stays(archive: Archive) -> None:
    sealed = grown(archive).seal()
    path = spooled(archive, "text")
    data = bytearray(path.read_bytes())
    data[sealed.texts[2].offset + 100] ^= 4
    path.write_bytes(data)
    assert recovered(archive) == (5, 4, 5)
    assert archive.read(archive.find(f"{URL}/2")).body == BODIES[2]
    assert originals(archive) == [bytes(data)]


def test_records_within_a_damaged_page_are_not_taken_for_ours(archive: Archive) -> None:
    """A page may be a WARC file itself; stored uncompressed, its members can be seen in ours."""
    forged = warc.pack(warc.response(capture(7, b"forged", url="http://bank.example/"), uuid="7", info="<urn:uuid:0>"))
    batch = archive.writer.batch(now=T0)
    rows = [batch.add(capture(n, os.urandom(70_000) + forged + os.urandom(70_000), url=f"{URL}/{n}")) for n in range(3)]
    batch.seal()
    path = spooled(archive, "warc")
    data = bytearray(path.read_bytes())
    assert forged in data, "else this test shows nothing"
    data[rows[1].offset + 500] ^= 1
    path.write_bytes(data)
    found = next(archive.writer.leftovers())
    assert [row.url for row in found.captures] == [f"{URL}/0", f"{URL}/2"]


def test_what_the_damage_report_says(archive: Archive) -> None:
    sealed = grown(archive).seal()
    path = spooled(archive, "warc")
    path.write_bytes(flipped(path.read_bytes(), sealed.captures))
    found = next(archive.writer.leftovers()).damage[0]
    begin = sealed.captures[1].offset
    ((lost_from, lost_to),) = found.lost
    assert lost_from == begin
    assert f"bytes {begin}-{lost_to - 1} are lost, 15 whole records kept; the file is now {found.kept}" in found.line()
    assert found.kept.parent == archive.settings.spool / "damaged"


def test_a_damaged_import_is_dropped_for_its_source_has_it(archive: Archive) -> None:
    batch = archive.writer.batch(now=T0, maker="import")
    for n in range(3):
        batch.add_foreign(warc.response(capture(n, BODIES[n], url=f"{URL}/{n}"), uuid=str(n), info="<urn:uuid:0>"))
    batch.seal()
    path = spooled(archive, "warc")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = archive.writer.commit_leftovers("import")
    assert len(done.damage) == 1
    assert archive.index.counts()["captures"] == 0
    assert originals(archive) == [bytes(data)]
    assert not path.exists()


def test_damaged_notes_cost_the_lines_that_are_hit(archive: Archive) -> None:
    grown(archive).seal()
    path = spooled(archive, "notes")
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], b"\0" * len(lines[1]), *lines[2:]]))
    found = next(archive.writer.leftovers())
    assert (found.notes[0], found.notes[2:]) == ("note 0", ("note 2", "note 3", "note 4"))


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


HEADS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n",
    b"HTTP/1.1 200 O\0K\r\nX: \0\r\n\r\n", b"HTTP/1.1 200\r\nContent-Type: ;\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/h\xe9tml\x85x\r\n\r\n", b"HTTP/1.1 hello\r\n\r\n",
    b"http/1.1 200 OK\r\n\r\n", b"FTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Type:\r\n text/html\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\r\nWARC/1.1: b\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n",
    b"HTTP/1.1 1000 OK\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n",
)  # fmt: skip
PAYLOADS = (
    b"",
    b"\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"WARC/1.1\r\nWARC-Type: response\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
)


@pytest.mark.parametrize("head", HEADS)
def test_whatever_a_server_sends_is_read_again_as_it_was_written(archive: Archive, head: bytes) -> None:
    urls = ["http://e.org/", "http://e.org/\x85x", "http://e.org/\u2028x", "http://e.org/a>", "HTTP://E.org/?q=\x7f"]
    batch = archive.writer.batch(now=T0)
    for n, (url, payload) in enumerate(product(urls, PAYLOADS)):
        made = capture(n, payload, url=url)
        batch.add(replace(made, head=head, truncated="length" if n % 2 else None, via="http://e.org/\r\nX: y"))
    wanted = batch.seal().captures
    found = next(archive.writer.leftovers())
    assert (found.captures, found.damage) == (wanted, ())


def test_a_note_that_cannot_be_read_is_left_out() -> None:
    from crawler.session import notes

    assert list(notes.read(["\0\0\0", "{}", '{"kind": "page", "visit": {}}'], lambda record: True)) == []

"""Visits that brought nothing: the first 304 is a capture, those after it are counted, and nothing is lost of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sample.archives import unmodified
from sqlalchemy import delete
from test_archive import URL, archive, at, capture, keep  # noqa: F401  a fixture

from archive.archive import Archive
from archive.index.schema import CaptureRow, confirmations
from archive.maintenance.reindex import keys, reindex
from archive.maintenance.verify import verify
from archive.runtime.database import transaction
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from archive.warc.confirmation import Confirmation, read_line, stated
from archive.warc.members import members
from archive.writer.batch import Batch


def unchanged(archive: Archive, hours: float, url: str = URL, **headers: bytes) -> Capture:  # noqa: F811
    """A 304 that confirms the first response of a URL."""
    return unmodified(capture(hours, b"", 304, url=url, **headers), archive.captures(url)[0].record)


def visited(archive: Archive, *hours: float) -> list[CaptureRow]:  # noqa: F811
    """A page that is archived and found unchanged at each of these hours, in a batch each; its captures."""
    keep(archive, capture(0))
    for hour in hours:
        keep(archive, unchanged(archive, hour))
    return archive.captures(URL)


def objects(archive: Archive, prefix: str) -> list[str]:  # noqa: F811
    return sorted(archive.store.keys(prefix))


def test_the_first_304_is_a_capture_and_the_others_confirm_it(archive: Archive) -> None:  # noqa: F811
    response, first = visited(archive, 1, 2, 3, 4)
    assert (response.last, response.confirmed) == (None, 0)
    assert (first.date, first.status, first.last, first.confirmed) == (at(1), 304, at(4), 3)
    assert len(objects(archive, "visits/")) == 3
    assert len(objects(archive, "index/")) == 2, "what is no capture has no index line"
    told = first.as_json()
    assert (told["last"], told["confirmed"]) == ("2026-05-01T16:00:00Z", 3)


def test_each_visit_is_a_line_of_a_record(archive: Archive) -> None:  # noqa: F811
    for n in range(3):
        keep(archive, capture(0, b"<p>%d</p>" % n, url=f"{URL}/{n}"))
        keep(archive, unchanged(archive, 1, f"{URL}/{n}"))
    keep(archive, *(unchanged(archive, 2 + n, f"{URL}/{n}") for n in range(3)))
    (key,) = objects(archive, "visits/")
    path = Path(archive.store.location.removeprefix("file:")) / key
    with path.open("rb") as file:
        first, second = (member.record for member in members(file))
    assert first.kind == "warcinfo"
    assert (second.kind, second.get("Content-Type")) == ("metadata", "application/x-ndjson")
    assert second.get("WARC-Warcinfo-ID") == first.id
    lines = [json.loads(line) for line in second.block.splitlines()]
    of = {archive.captures(f"{URL}/{n}")[1].record: f"2026-05-01T{14 + n}:00:00Z" for n in range(3)}
    assert {line["confirms"]: line["date"] for line in lines} == of


@pytest.mark.parametrize(
    "between",
    [capture(2, b"<p>error</p>", 500), capture(2, b"<p>two</p>"), capture(2)],
    ids=["an error", "an edit", "the same in full"],
)
def test_whatever_lies_between_begins_anew(archive: Archive, between: Capture) -> None:  # noqa: F811
    visited(archive, 1)
    keep(archive, between)
    keep(archive, unchanged(archive, 3), unchanged(archive, 4))
    rows = archive.captures(URL)
    assert [row.status for row in rows] == [200, 304, between.status, 304]
    assert [row.confirmed for row in rows] == [0, 0, 0, 1]


def test_a_304_of_another_url_of_the_page_is_its_own(archive: Archive) -> None:  # noqa: F811
    secure = URL.replace("http:", "https:")
    visited(archive, 1)
    keep(archive, capture(2, url=secure))
    row = next(row for row in archive.captures(secure) if row.url == secure)
    keep(archive, unmodified(capture(3, b"", 304, url=secure), row.record))
    assert [(row.url == secure, row.status, row.confirmed) for row in archive.captures(URL)] == [
        (False, 200, 0),
        (False, 304, 0),
        (True, 200, 0),
        (True, 304, 0),
    ]


def test_a_304_under_a_clock_that_was_ahead_confirms_nothing_earlier(archive: Archive) -> None:  # noqa: F811
    visited(archive, 1000)
    keep(archive, unchanged(archive, 2))
    assert [row.confirmed for row in archive.captures(URL)] == [0, 0, 0]


def test_within_one_batch_too(archive: Archive) -> None:  # noqa: F811
    keep(archive, capture(0))
    keep(archive, *(unchanged(archive, hours) for hours in (1, 2, 3)))
    assert [row.confirmed for row in archive.captures(URL)] == [0, 2]


def test_a_commit_that_is_repeated_counts_once(archive: Archive) -> None:  # noqa: F811
    visited(archive, 1)
    batch = archive.writer.batch(now=at(2))
    assert batch.add(unchanged(archive, 2)).date == at(2)
    sealed = batch.seal()
    archive.writer.commit(sealed)
    archive.writer.commit(sealed)
    assert archive.captures(URL)[1].confirmed == 1


def test_a_time_between_two_visits_is_nearest_to_the_one_that_the_last_visit_confirmed(
    archive: Archive,  # noqa: F811
) -> None:
    visited(archive, 1, 30)
    keep(archive, capture(40, b"<p>two</p>"))
    for hours, body in ((20, b"<p>one</p>"), (34, b"<p>one</p>"), (36, b"<p>two</p>")):
        row = archive.index.nearest(URL, at(hours))
        assert row is not None
        assert archive.read(row).body == body, hours


def test_reindexing_counts_each_visit_once(archive: Archive) -> None:  # noqa: F811
    before = visited(archive, 1, 2, 3)
    for _ in range(2):
        archive.writer.index.forget_confirmations()
        for key in reversed(keys(archive.store)):
            assert reindex(archive.store, archive.writer.index, key) is None
        assert archive.captures(URL) == before


def test_verify_reads_them_and_compares_them_with_the_index(archive: Archive) -> None:  # noqa: F811
    visited(archive, 1, 2)
    row = next(row for row in archive.index.objects() if row.key.startswith("visits/"))
    assert list(verify(archive.store, archive.index, row)) == []
    with transaction(archive.index.engine) as connection:
        connection.execute(delete(confirmations))
    (finding,) = verify(archive.store, archive.index, row)
    assert finding.kind == "index"


# -- after a crash


@pytest.fixture
def growing(tmp_path: Path) -> tuple[Archive, Batch]:
    """A batch with two confirmations that is not sealed."""
    found = Archive.open(ArchiveSettings(home=tmp_path))
    visited(found, 1)
    batch = found.writer.batch(now=at(2))
    for hours in (2, 3):
        batch.add(unchanged(found, hours))
    batch.note("visited")
    return found, batch


def left(archive: Archive) -> tuple[int, int]:  # noqa: F811
    """Commit what is left; how many notes there were, and how often the page was confirmed."""
    notes = 0
    for sealed in archive.writer.leftovers():
        archive.writer.commit(sealed)
        archive.writer.release(sealed)
        notes += len(sealed.notes)
    assert list(archive.settings.spool.iterdir()) == []
    return notes, archive.captures(URL)[1].confirmed


def test_visits_of_a_killed_process_are_counted(growing: tuple[Archive, Batch]) -> None:
    home, _ = growing
    assert left(home) == (1, 2)


@pytest.mark.parametrize("step", ["written", "sealed", "uploaded", "indexed"])
def test_they_are_counted_once_wherever_it_was_killed(growing: tuple[Archive, Batch], step: str) -> None:
    home, batch = growing
    if step == "written":
        (home.settings.spool / f"visits-{batch.name}.warc.gz.open").write_bytes(b"\x1f\x8b torn")
    else:
        sealed = batch.seal()
        if step == "uploaded":
            for row, path in sealed.files:
                home.store.put(row.key, path)
        elif step == "indexed":
            home.writer.commit(sealed)
    assert left(home) == (1, 2)
    (row,) = [row for row in home.index.objects() if row.key.startswith("visits/")]
    assert list(verify(home.store, home.index, row)) == []


def test_what_is_no_confirmation_is_none() -> None:
    one = Confirmation(record="<urn:uuid:1>", date=at(0))
    assert read_line(one.line()) == one
    for line in ("", "{", "[]", "7", '{"confirms": "x"}', '{"confirms": "x", "date": "soon"}', '{"date": 7}'):
        assert read_line(line) is None
    assert list(stated([])) == []
    later = replace(one, date=at(0) + timedelta(microseconds=1))
    assert read_line(later.line()) == later

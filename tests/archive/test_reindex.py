"""The index made anew: by processes or at once, in any order of what refers to what, and behind damage."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import sqlite3
from pathlib import Path

import pytest
from sample.archives import at, capture, keep, unmodified

from archive.archive import Archive
from archive.errors import StoreRefusedError
from archive.maintenance import reindex as module
from archive.maintenance.reindex import Reindexing
from archive.maintenance.verify import Finding
from archive.settings import ArchiveSettings
from archive.warc import record as warc
from archive.warc.capture import digest

TABLES = ("objects", "captures", "texts", "searchable")


def rows(archive: Archive) -> dict[str, list[dict[str, object]]]:
    """All rows, without numbers that depend on the order of writing."""
    found = {}
    with sqlite3.connect(archive.settings.home / "pressmark.db") as database:
        database.row_factory = sqlite3.Row
        for table in TABLES:
            some = [dict(row) for row in database.execute(f"SELECT * FROM {table}")]
            plain = [{name: value for name, value in row.items() if name not in {"id", "object_id"}} for row in some]
            found[table] = sorted(plain, key=repr)
    return found


def anew(archive: Archive) -> tuple[Archive, list[Finding]]:
    """The archive with a new database."""
    archive.index.engine.dispose()
    for path in archive.settings.home.glob("pressmark.db*"):
        path.unlink()
    again = Archive.open(archive.settings)
    job = Reindexing(again, now=lambda: at(99))
    try:
        return again, [finding for finding in job.run() if finding is not None]
    finally:
        job.close()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Three objects with captures, revisits and texts."""
    made = Archive.open(ArchiveSettings(home=tmp_path, extract_workers=2))
    for n in range(3):
        url = f"http://blog.example/{n}"
        keep(made, (capture(n, b"<p>one</p>", url=url), f"text {n}"), capture(n + 9, b"", 304, url=url))
    return made


@pytest.mark.parametrize("few", [1, 1_000])
def test_processes_make_the_same_rows(archive: Archive, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FEW", few)
    before = rows(archive)
    again, findings = anew(archive)
    assert findings == []
    assert rows(again) == before


def test_a_revisit_that_comes_before_its_response_is_completed(archive: Archive) -> None:
    writer = archive.writer
    late = writer.batch(now=at(50))
    early = writer.batch(now=at(40))  # begun earlier, and committed later, by another process
    original = late.add(capture(50, b"<p>new</p>", url="http://blog.example/late"))
    writer.commit_and_release(late.seal())
    early.add(unmodified(capture(51, b"", 304, url=original.url, headers=b'ETag: "1"\r\n'), original.record))
    writer.commit_and_release(early.seal())
    before = rows(archive)
    again, _ = anew(archive)
    assert rows(again) == before


def test_records_behind_damage_are_indexed(archive: Archive) -> None:
    found = keep(archive, *(capture(n, b"<p>%d</p>" % n * 50, url=f"http://blog.example/x{n}") for n in range(5)))
    path = Path(archive.store.location.removeprefix("file:")) / found[1].object
    data = bytearray(path.read_bytes())
    data[found[1].offset + 30] ^= 0xFF
    path.write_bytes(data)
    again, findings = anew(archive)
    assert [(one.kind, one.offset) for one in findings] == [("damaged", found[1].offset)]
    held = {row.record for row in again.index.of_object(found[0].object)[0]}
    assert held == {row.record for row in found} - {found[1].record}
    assert again.read(found[4]).body == b"<p>4</p>" * 50


def test_another_store_is_refused_unless_the_database_is_empty(archive: Archive, tmp_path: Path) -> None:
    other = Archive.open(ArchiveSettings(home=tmp_path, store=f"file:{tmp_path / 'other'}"))
    before = rows(archive)
    with pytest.raises(StoreRefusedError, match="has none of the"):
        Reindexing(other, now=lambda: at(99))
    assert rows(archive) == before
    empty = Archive.open(ArchiveSettings(home=tmp_path / "new", store=f"file:{tmp_path / 'other'}"))
    assert Reindexing(empty, now=lambda: at(99)).keys == []


def test_an_object_that_a_listing_leaves_out_is_asked_for(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [row.key for row in archive.index.objects()]
    listed = lambda self, prefix="": (key for key in keys[1:] if key.startswith(prefix))  # noqa: E731
    monkeypatch.setattr(type(archive.store), "keys", listed)
    before = rows(archive)
    job = Reindexing(archive, now=lambda: at(99))
    assert list(job.run()) == [None] * (len(keys) - 1)
    assert job.mark_missing() == []
    job.remove_missing()
    assert rows(archive) == before


def test_plain_headers_are_read_as_warcio_reads_them() -> None:
    block = "caf\u00e9".encode()
    usual = warc.pack(warc.warcinfo(uuid="1", date=at(0), filename="x\u2028y.gz", info={"a": "b"}))
    plain = gzip.decompress(usual)
    head = b"WARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: %d\r\n" % len(block)
    odd = [
        b"folded: a\r\n b\r\n",
        b"Blank :x\r\n",
        b"Latin: \xe9\r\n",
        b"Tail: x \r\n",
        b"no colon\r\n",
        b"Empty:\r\n",
        b"",
    ]
    for data in (plain, *(head + more + b"\r\n" + block + b"\r\n\r\n" for more in odd)):
        assert warc.read_one(data) == next(warc.read(io.BytesIO(data)))
    with pytest.raises(ValueError, match="within a record"):
        warc.read_one(head + b"\r\n" + block[:-1])
    with pytest.raises(ValueError, match="."):
        warc.read_one(b"no record")


def test_digests_are_base32_of_sha1() -> None:
    for size in range(100):
        data = os.urandom(size)
        assert digest(data) == "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()

"""Large payloads are verified, then sent as they are read: parts, lengths and damage are as for small ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sample.archives import POST, at, capture, keep
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.errors import DamagedError
from archive.index.schema import CaptureRow
from archive.reader import reader as readers
from archive.reader.reader import Reader
from archive.settings import ArchiveSettings
from archive.web import Templates, application, ranges
from archive.web.settings import WebSettings

FILM = "http://blog.example/film"
BODY = random.Random(2).randbytes(3 << 20)
VIDEO = b"Content-Type: video/mp4\r\n"
BASE = "http://127.0.0.1:8000"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.open(ArchiveSettings(home=tmp_path))


@pytest.fixture
def film(archive: Archive) -> CaptureRow:
    return keep(archive, capture(0, BODY, url=FILM, headers=VIDEO))[0]


@pytest.fixture
def web(archive: Archive) -> TestClient:
    app = application(archive, WebSettings(), Templates())
    return TestClient(app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False)


def damage(archive: Archive, row: CaptureRow) -> None:
    path = archive.settings.home / "store" / row.object
    data = bytearray(path.read_bytes())
    data[row.offset + row.length // 3] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


@pytest.mark.parametrize("path", ["/web/{}id_/", "/web/{}im_/", "/download/html/{}/"])
def test_a_large_payload_is_sent_whole_in_parts_and_as_a_head(web: TestClient, film: CaptureRow, path: str) -> None:
    path = path.format(film.timestamp) + FILM
    whole = web.get(path)
    assert (whole.status_code, whole.content == BODY, whole.headers["content-length"]) == (200, True, str(len(BODY)))
    part = web.get(path, headers={"Range": "bytes=2000000-2500000"})
    assert (part.status_code, part.content == BODY[2_000_000:2_500_001]) == (206, True)
    assert part.headers["content-range"] == f"bytes 2000000-2500000/{len(BODY)}"
    assert part.headers["content-length"] == "500001"
    last = web.get(path, headers={"Range": "bytes=-10"})
    assert (last.status_code, last.content) == (206, BODY[-10:])
    head = web.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(BODY)))
    assert web.get(path, headers={"Range": f"bytes={len(BODY)}-"}).status_code == 416
    assert web.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    assert ranges.MEMORY.size == 0


def test_a_revisit_of_a_large_payload_has_its_bytes(web: TestClient, archive: Archive, film: CaptureRow) -> None:
    again = keep(archive, capture(6, BODY, url=FILM, headers=VIDEO))[0]
    assert again.kind == "revisit"
    assert web.get(f"/web/{again.timestamp}id_/{FILM}").content == BODY
    visit = archive.open_payload(again)
    assert (visit.body.size, visit.body.small) == (len(BODY), None)
    assert archive.read(again).body == visit.body.whole() == BODY
    assert visit.body.beginning(5) == BODY[:5]


def test_a_damaged_large_payload_is_not_served(web: TestClient, archive: Archive, film: CaptureRow) -> None:
    damage(archive, film)
    answer = web.get(f"/web/{film.timestamp}id_/{FILM}")
    assert answer.status_code == 502
    assert archive.index.capture(film.record).fault


def test_the_same_payload_of_another_response_stands_in(web: TestClient, archive: Archive, film: CaptureRow) -> None:
    batch = archive.writer.batch(now=at(1))
    damage(archive, film)
    with pytest.raises(DamagedError):
        archive.open_payload(film)
    other = batch.add(capture(7, BODY, url=f"{FILM}/2", headers=VIDEO))  # its fault is known, so it is stored again
    archive.writer.commit(batch.seal())
    assert other.kind == "response"
    assert web.get(f"/web/{film.timestamp}id_/{FILM}").content == BODY


def test_what_is_damaged_while_it_is_sent_is_cut_off_and_recorded(archive: Archive, film: CaptureRow) -> None:
    visit = archive.open_payload(film)
    damage(archive, film)
    got: list[bytes] = []
    with pytest.raises(DamagedError):
        got.extend(visit.body.pieces())
    assert b"".join(got) != BODY
    assert archive.index.capture(film.record).fault


def test_a_response_that_is_cut_off_is_shorter_than_it_says(
    web: TestClient, archive: Archive, film: CaptureRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = Reader._verified

    def then_damaged(self: Reader, row: CaptureRow, most: int | None = None) -> object:
        found = verified(self, row, most)
        damage(archive, film)
        return found

    monkeypatch.setattr(Reader, "_verified", then_damaged)
    answer = web.get(f"/web/{film.timestamp}id_/{FILM}")
    assert len(answer.content) < int(answer.headers["content-length"])
    assert ranges.MEMORY.size == 0


def test_only_so_much_is_sent_at_the_same_time(web: TestClient, film: CaptureRow) -> None:
    ranges.MEMORY.take(ranges.PAYLOADS_BYTES)
    try:
        answer = web.get(f"/web/{film.timestamp}id_/{FILM}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    finally:
        ranges.MEMORY.give_back(ranges.PAYLOADS_BYTES)
    assert web.get(f"/web/{film.timestamp}id_/{FILM}").status_code == 200


def test_what_grows_is_not_read_beside_the_event_loop(web: TestClient, archive: Archive) -> None:
    row = keep(archive, capture(0, bytes(5 << 20)))[0]
    assert row.length < 20_000
    with pytest.raises(OverflowError):
        archive.open_payload(row, most=1 << 18)
    assert web.get(f"/web/{row.timestamp}id_/{POST}").content == bytes(5 << 20)


def test_pieces_from_the_store_have_a_bounded_size(
    archive: Archive, film: CaptureRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int | None] = []
    read = archive.store.read

    def spying(key: str, offset: int = 0, length: int | None = None) -> bytes:
        asked.append(length)
        return read(key, offset, length)

    monkeypatch.setattr(archive.store, "read", spying)
    assert archive.open_payload(film).body.whole() == BODY
    assert max(length or 1 << 40 for length in asked) <= readers.STORED_PIECE

"""Batches, commits, retrieval: on SQLite and PostgreSQL."""

from __future__ import annotations

import gzip
import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sample.archives import unmodified

from archive.archive import Archive
from archive.errors import DamagedError, NotArchivedError, SpoolError, StoreError
from archive.extract.text import Text
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from archive.writer.batch import Batch, Recent

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
URL = "http://blog.example/post"


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def capture(
    hours: float = 0, body: bytes = b"<p>one</p>", status: int = 200, url: str = URL, **more: object
) -> Capture:
    extra = more.pop("headers", b"Content-Type: text/html\r\n")
    head = b"HTTP/1.1 %d X\r\n%b\r\n" % (status, extra)
    return Capture(url=url, date=at(hours), request=b"GET / HTTP/1.1\r\n\r\n", head=head, body=body, **more)


@pytest.fixture
def archive(tmp_path: Path, database: str) -> Archive:
    settings = ArchiveSettings(home=tmp_path, store=f"file:{tmp_path / 'store'}", database=database)
    return Archive.open(settings)


_NUMBERS = itertools.count()


def keep(archive: Archive, *captures: Capture, text: str | None = None) -> list[str]:
    """Commit captures as one batch; gives their kinds."""
    batch = archive.writer.batch(now=T0)
    rows = [batch.add(found) for found in captures]
    if text is not None:
        batch.add_text(rows[-1], Text(url=captures[-1].url, text=text, markdown=f"*{text}*", title="T"))
    archive.writer.commit(batch.seal())
    return [row.kind for row in rows]


def test_what_was_kept_comes_back(archive: Archive) -> None:
    keep(archive, capture(), text="one")
    row = archive.find(URL)
    assert archive.read(row).body == b"<p>one</p>"
    assert archive.text(URL).text == "one"
    assert archive.text(URL).fields["markdown"] == "*one*"
    assert archive.text(URL).as_json(row)["capture"]["digest"] == row.digest


def test_payloads_are_given_without_their_content_coding(archive: Archive) -> None:
    body = gzip.compress(b"<p>packed</p>")
    keep(archive, capture(body=body, headers=b"Content-Type: text/html\r\nContent-Encoding: gzip\r\n"))
    assert archive.read(archive.find(URL)).body == body
    assert archive.payload(archive.find(URL)) == b"<p>packed</p>"


def test_the_capture_nearest_to_a_time_is_found(archive: Archive) -> None:
    keep(archive, *(capture(hours, b"%d" % hours) for hours in (0, 10, 20)))
    wanted = {-5: 0, 0: 0, 4: 0, 6: 10, 14: 10, 16: 20, 99: 20}
    assert {hours: archive.read(archive.find(URL, at(hours))).body for hours in wanted} == {
        hours: b"%d" % found for hours, found in wanted.items()
    }
    assert archive.read(archive.find(URL)).body == b"20"


def test_equal_payloads_are_stored_once_in_a_batch_across_batches_and_across_urls(archive: Archive) -> None:
    assert keep(archive, capture(0), capture(1)) == ["response", "revisit"]
    assert keep(archive, capture(2), capture(3, url="http://other.example/")) == ["revisit", "revisit"]
    rows = archive.captures(URL)
    assert [row.refers_to for row in rows] == [None, rows[0].record, rows[0].record]
    for row in (*rows, archive.find("http://other.example/")):
        assert archive.read(row).body == b"<p>one</p>"


def test_a_304_stands_for_the_payload_of_the_response_that_was_asked_about_also_through_a_revisit(
    archive: Archive,
) -> None:
    keep(archive, capture(0), capture(1, b"two"))
    keep(archive, capture(2))
    keep(archive, unmodified(capture(3, b"", 304), archive.captures(URL)[2].record))
    rows = archive.captures(URL)
    assert [row.kind for row in rows] == ["response", "response", "revisit", "revisit"]
    assert rows[3].refers_to == rows[0].record
    assert rows[3].status == 304
    assert archive.read(rows[3]).body == b"<p>one</p>"
    assert archive.read(rows[3]).head.startswith(b"HTTP/1.1 304")
    assert archive.replayable_members(rows[3]).count(b"\x1f\x8b\x08") >= 6


def test_a_304_is_filed_under_what_was_asked_about_and_not_under_the_newest(archive: Archive) -> None:
    keep(archive, capture(0), capture(1, b"two"))
    first, second = archive.captures(URL)
    keep(archive, unmodified(capture(2, b"", 304), first.record))
    assert archive.captures(URL)[2].refers_to == first.record
    assert archive.read(archive.find(URL)).body == b"<p>one</p>"
    assert second.record != first.record


def test_a_304_that_confirms_nothing_is_a_response(archive: Archive) -> None:
    other = "http://blog.example/other"
    keep(
        archive,
        capture(0),
        capture(1, b"<p>cu", truncated="unspecified"),
        capture(2, b"<p>error</p>", 500),
        capture(3, b"<p>elsewhere</p>", url=other),
    )
    whole, cut, failed = archive.captures(URL)
    elsewhere = archive.captures(other)[0]
    empty = capture(9, b"", 304)
    for made in (
        empty,  # nothing was asked
        replace(empty, validated_by=whole.record),  # nor sent
        *(unmodified(empty, row.record) for row in (cut, failed, elsewhere)),
        unmodified(empty, "<urn:uuid:no-such-record>"),
        unmodified(capture(9, b"", 304, headers=b'ETag: "2"\r\n'), whole.record),
    ):
        assert keep(archive, made) == ["response"], made
    assert keep(archive, unmodified(empty, whole.record)) == ["revisit"]
    row = archive.captures(URL)[-1]
    assert keep(archive, unmodified(empty, row.record)) == ["response"], "a 304 has no validators to be asked with"


def test_a_304_confirms_what_is_in_a_batch_that_is_not_committed(archive: Archive) -> None:
    batch = archive.writer.batch(now=T0)
    first, second = batch.add(capture(0)), batch.add(capture(1))
    later = archive.writer.batch(now=at(2))
    for n, row in enumerate((first, second)):
        assert later.add(unmodified(capture(2 + n, b"", 304), row.record)).refers_to == first.record


def test_cut_and_empty_payloads_are_no_originals(archive: Archive) -> None:
    assert keep(archive, capture(0, truncated="time"), capture(1), capture(2, b""), capture(3, b"")) == [
        "response", "response", "response", "response",
    ]  # fmt: skip
    assert archive.captures(URL)[0].truncated == "time"


def test_archived_redirects_are_followed(archive: Archive) -> None:
    keep(
        archive,
        capture(0, b"", 301, headers=b"Location: /post\r\n", url="http://blog.example/old"),
        capture(1),
        text="one",
    )
    assert archive.find("http://blog.example/old").url == URL
    assert archive.text("http://blog.example/old").text == "one"


def test_redirects_in_a_circle_end(archive: Archive) -> None:
    keep(
        archive,
        capture(0, b"", 302, headers=b"Location: /b\r\n", url="http://x.example/a"),
        capture(0, b"", 302, headers=b"Location: /a\r\n", url="http://x.example/b"),
    )
    assert archive.find("http://x.example/a").status == 302


def test_what_is_not_held_is_said(archive: Archive) -> None:
    with pytest.raises(NotArchivedError, match=r"http://none\.example/: no capture in the archive"):
        archive.find("http://none.example/")
    keep(archive, capture())
    with pytest.raises(NotArchivedError, match="no text"):
        archive.text(URL)


def test_a_commit_can_be_repeated(archive: Archive) -> None:
    batch = archive.writer.batch(now=T0)
    batch.add_text(batch.add(capture()), Text(url=URL, text="one", markdown="one"))
    sealed = batch.seal()
    archive.writer.commit(sealed)
    archive.writer.commit(sealed)
    assert archive.index.counts() == {"captures": 1, "texts": 1, "objects": 2}


def test_index_lines_lie_beside_the_captures(archive: Archive) -> None:
    keep(
        archive, capture(0, url="http://www.blog.example/z?b=2&a=1"), capture(1, b"", 304, url="http://blog.example/a")
    )
    archive.writer.commit(_later(archive).seal())
    keys = [key for key in archive.store.keys() if key.startswith("index/")]  # noqa: SIM118  a store's
    lines = [line for key in sorted(keys) for line in archive.store.read(key).decode().splitlines()]
    assert len(keys) == 2
    assert [line.split(" ")[:2] for line in lines] == [
        ["example,blog)/a", "20260501130000"], ["example,blog)/z?a=1&b=2", "20260501120000"], ["example,blog)/post", "20260501140000"],
    ]  # fmt: skip
    for line in lines:
        fields = json.loads(line.split(" ", 2)[2])
        row = archive.find(fields["url"])
        assert (fields["filename"], int(fields["offset"]), int(fields["length"])) == (
            row.object,
            row.offset,
            row.length,
        )
    assert json.loads(lines[2].split(" ", 2)[2])["mime"] == "warc/revisit"


def test_bytes_come_before_the_index(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = archive.writer.batch(now=T0)
    batch.add(capture())
    sealed = batch.seal()

    def refuse(key: str, source: object) -> None:
        raise StoreError("no", location="test", key=key)

    with monkeypatch.context() as patched:
        patched.setattr(archive.store, "put", refuse)
        with pytest.raises(StoreError):
            archive.writer.commit(sealed)
    assert archive.index.counts()["captures"] == 0
    archive.writer.commit(sealed)
    assert all(path.exists() for _, path in sealed.files), "the spool keeps a batch until it is released"
    archive.writer.release(sealed)
    assert archive.read(archive.find(URL)).body == b"<p>one</p>"
    assert not any(path.exists() for _, path in sealed.files)


def test_an_empty_batch_leaves_nothing(archive: Archive, tmp_path: Path) -> None:
    batch = archive.writer.batch(now=T0)
    assert batch.bytes == 0
    archive.writer.commit(batch.seal())
    assert list(archive.store.keys()) == []


@pytest.mark.parametrize("change", ["flip", "cut"])
def test_damage_is_seen_before_bytes_are_given(archive: Archive, change: str) -> None:
    keep(archive, capture(), text="one")
    for row in (archive.find(URL), archive.index.nearest_text(URL, None)):
        path = Path(archive.store.location.removeprefix("file:")) / row.object
        data = bytearray(path.read_bytes())
        if change == "flip":
            data[row.offset + row.length // 3] ^= 0x10
        else:
            del data[row.offset + 20 :]
        path.write_bytes(data)
    for call in (lambda: archive.read(archive.find(URL)), lambda: archive.text(URL)):
        with pytest.raises(DamagedError, match=r"\.warc\.gz at byte \d+"):
            call()


def test_names_in_the_store_derive_from_no_url_or_title(archive: Archive) -> None:
    batch = archive.writer.batch(now=T0)
    row = batch.add(capture(url="http://evil.example/../../etc/passwd%00"))
    batch.add_text(row, Text(url=row.url, text="x", markdown="x", title="../../secret"))
    archive.writer.commit(batch.seal())
    assert all("etc" not in key and "secret" not in key for key in archive.store.keys())  # noqa: SIM118  a store's


def test_a_spool_that_cannot_be_written_is_told(tmp_path: Path, archive: Archive) -> None:
    (tmp_path / "file").write_text("in the way")
    batch = Batch(
        tmp_path / "file",
        "pressmark-20260501-x",
        archive.index,
        Recent(),
        now=T0,
        new_uuid=lambda: str(next(_NUMBERS)),
        origin=None or _origin(),
    )
    with pytest.raises(SpoolError, match="file"):
        batch.add(capture())


def _origin() -> object:
    from archive.writer.batch import Origin

    return Origin()


def _later(archive: Archive) -> Batch:
    """A batch begun after those of `keep`."""
    batch = archive.writer.batch(now=at(3))
    batch.add(capture(2))
    return batch


def test_two_processes_may_open_a_new_database_at_once(database: str, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from archive.index.index import Index
    from archive.index.writing import IndexWriter
    from archive.runtime.database import connect

    def prepare(_n: int) -> dict[str, int]:
        index = Index(connect(database))
        IndexWriter(index).prepare()
        return index.counts()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(prepare, range(4))) == [{"captures": 0, "texts": 0, "objects": 0}] * 4


def test_odd_characters_from_the_web_do_no_harm(archive: Archive) -> None:
    batch = archive.writer.batch(now=T0)
    row = batch.add(capture(headers=b"Content-Type: text/\x00html\xff\x01; x\r\n"))
    batch.add_text(row, Text(url=URL, text="nul \0 and \ud800", markdown="\ud800", title="\0T\udfff"))
    archive.writer.commit(batch.seal())
    assert archive.text(URL).text == "nul \0 and ?"
    assert archive.find(URL).mime == "text/html\xff"


def committed(archive: Archive, *captures: Capture) -> None:
    batch = archive.writer.batch(now=T0)
    for one in captures:
        batch.add(one)
    sealed = batch.seal()
    archive.writer.commit(sealed)
    archive.writer.release(sealed)


def redirect(second: int, url: str, target: str) -> Capture:
    head = f"HTTP/1.1 301 Moved\r\nLocation: {target}\r\n\r\n".encode()
    return replace(capture(second, b"moved", url=url), head=head)


def test_a_redirect_to_nearly_the_same_url_is_followed(archive: Archive) -> None:
    """A slash, `www.` and the scheme do not tell keys apart, and are what redirects are about."""
    committed(
        archive,
        redirect(0, "http://a.example/p", "https://www.a.example/p/"),
        capture(1, b"<p>page</p>", url="https://www.a.example/p/"),
    )
    for at in (None, T0):
        assert archive.payload(archive.find("http://a.example/p", at)) == b"<p>page</p>"


@pytest.mark.parametrize("target", ["http://[bad/", "//[", "", "http://a.example/loop"])
def test_a_redirect_to_nowhere_is_what_is_held(archive: Archive, target: str) -> None:
    committed(archive, redirect(0, "http://a.example/loop", target))
    assert archive.find("http://a.example/loop").status == 301


def test_the_very_url_wins_over_one_that_is_nearly_the_same(archive: Archive) -> None:
    committed(
        archive, capture(0, b"one", url="http://v.example/w?v=AbC"), capture(1, b"two", url="http://v.example/w?v=aBc")
    )
    assert archive.read(archive.find("http://v.example/w?v=AbC")).body == b"one"
    assert archive.read(archive.find("http://v.example/w?v=aBc")).body == b"two"
    assert archive.read(archive.find("http://V.example/w?v=ABC")).body == b"two", "the newest of those that are alike"


def test_a_304_stands_for_a_whole_payload(archive: Archive) -> None:
    whole, cut = capture(0, b"<p>whole</p>"), replace(capture(1, b"<p>cu"), truncated="disconnect")
    committed(archive, whole, cut)
    committed(archive, unmodified(capture(2, b"", 304), archive.captures(URL)[0].record))
    assert archive.read(archive.find(URL)).body == b"<p>whole</p>"


def test_urls_of_any_length_and_odd_statuses_are_indexed(archive: Archive) -> None:
    long = "http://l.example/" + "".join(f"{n:x}-{n * 7919 % 65521:x}/" for n in range(900))
    odd = replace(capture(1, b"x", url="http://o.example/"), head=b"HTTP/1.1 99999999999999999999 OK\r\n\r\n")
    committed(archive, capture(0, b"long", url=long), odd)
    assert archive.read(archive.find(long)).body == b"long"
    assert archive.find("http://o.example/").status == 0


def test_a_body_that_is_not_in_the_coding_it_names_is_given_as_it_is(archive: Archive) -> None:
    odd = replace(capture(0, b"<p>plain</p>"), head=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    committed(archive, odd)
    assert archive.payload(archive.find(URL)) == b"<p>plain</p>"

"""Captures of other tools come in whole, broken input is named, nothing is taken twice."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import signal
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Home
from sample.services import wait_for
from warcio.archiveiterator import ArchiveIterator

from archive.archive import Archive
from archive.index.lookup import Lookup, Neighbours
from archive.maintenance.importer import Importer, Tally
from archive.maintenance.verify import verify
from archive.settings import ArchiveSettings
from archive.warc import record as warc
from archive.warc.foreign import Broken, records

HTML = b"<html><body><p>Kept elsewhere.</p></body></html>"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
URL = "http://other.example/post"


def record(kind: str, number: int, block: bytes, *lines: str, url: str = URL, version: str = "WARC/1.0") -> bytes:
    head = [
        version,
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012}>",
        f"WARC-Date: 2020-01-01T00:00:{number % 60:02}Z",
        f"WARC-Target-URI: {url}",
        *lines,
        f"Content-Length: {len(block)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + block + b"\r\n\r\n"


def response(number: int, body: bytes = HTML, *lines: str, url: str = URL) -> bytes:
    return record("response", number, HTTP + body, "Content-Type: application/http; msgtype=response", *lines, url=url)


def request(number: int, answers: int, method: bytes = b"GET") -> bytes:
    named = f"WARC-Concurrent-To: <urn:uuid:00000000-0000-4000-8000-{answers:012}>"
    return record("request", number, method + b" /post HTTP/1.1\r\n\r\n", "Content-Type: application/http", named)


def members(*parts: bytes) -> bytes:
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


def imported(
    home: Home, tmp_path: Path, data: bytes, name: str = "other.warc.gz"
) -> tuple[int, dict[str, object], str]:
    path = tmp_path / name
    path.write_bytes(data)
    done = home.pressmark("import", "--json", str(path))
    return done.code, json.loads(done.out), done.err


def test_a_capture_of_another_tool_is_given_back(home: Home, tmp_path: Path) -> None:
    code, told, _ = imported(
        home, tmp_path, members(record("warcinfo", 1, b"software: other\r\n"), request(2, 3), response(3))
    )
    assert (code, told["captures"], told["other_records"], told["broken"]) == (0, 1, 1, [])
    assert home.pressmark("get", URL, "--as", "html").raw == HTML
    row = json.loads(home.pressmark("history", URL, "--json").out)
    assert (row["timestamp"], row["status"], row["mime"], row["kind"]) == (
        "20200101000003",
        200,
        "text/html",
        "response",
    )
    kept = list(warc.read(io.BytesIO(home.pressmark("get", URL, "--as", "warc").raw)))
    assert [(one.kind, one.block) for one in kept] == [
        ("response", HTTP + HTML),
        ("request", b"GET /post HTTP/1.1\r\n\r\n"),
    ]
    assert home.pressmark("verify").code == 0


def page(title: str) -> bytes:
    words = b"".join(
        b"<p>Paragraph %d of a page that somebody else had kept for a long time.</p>" % n for n in range(9)
    )
    return b"<html><body><article><h1>" + title.encode() + b"</h1>" + words + b"</article></body></html>"


def test_imported_pages_have_texts_and_are_found(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "pages.warc.gz"
    urls = [f"http://other.example/{name}" for name in ("herring", "mackerel")]
    path.write_bytes(members(*(response(n, page(url[21:]), url=url) for n, url in enumerate(urls, 3))))
    done = home.pressmark("import", str(path))
    assert (done.code, done.out.splitlines()[-1]) == (0, "2 texts made")
    assert "somebody else" in home.pressmark("get", urls[0]).out
    assert urls[1] in home.pressmark("search", "mackerel").out
    assert "2 texts made" not in home.pressmark("import", str(path)).out, "they are there"


def test_what_an_import_could_not_extract_is_made_up_for(home: Home, tmp_path: Path) -> None:
    archive = Archive.open(ArchiveSettings(home=home.path))
    path = tmp_path / "pages.warc"
    path.write_bytes(response(3, page("herring")) + response(4, HTML, url=f"{URL}.json"))
    importer, tally = Importer(archive, now=lambda: datetime.now(UTC)), Tally()
    importer.file(path, tally)
    importer.close()
    assert tally.captures == 2
    assert "2 texts re-extracted" in home.pressmark("extract", "--again").out
    assert URL in home.pressmark("search", "herring").out


def test_an_unknown_address_does_not_end_the_extraction_of_others(home: Home, tmp_path: Path) -> None:
    archive = Archive.open(ArchiveSettings(home=home.path))
    path = tmp_path / "pages.warc"
    path.write_bytes(response(3, page("herring")))
    importer = Importer(archive, now=lambda: datetime.now(UTC))
    importer.file(path, Tally())
    importer.close()
    done = home.pressmark("extract", "--again", "http://other.example/unknown", URL)
    assert (done.code, done.out) == (3, "1 texts re-extracted, 0 unchanged\n")
    assert done.err.splitlines()[0] == "pressmark: http://other.example/unknown: no capture in the archive"


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"HEAD", b"OPTIONS"])
def test_an_answer_to_another_method_is_kept_and_is_not_the_page(home: Home, tmp_path: Path, method: bytes) -> None:
    records_ = members(request(2, 3), response(3), response(5, b"an answer to a form"), request(6, 5, method))
    code, told, _ = imported(home, tmp_path, records_)
    assert (code, told["captures"], told["other_records"]) == (0, 1, 2)
    assert home.pressmark("get", URL, "--as", "html").raw == HTML
    assert home.pressmark("history", URL, "--json").out.count("\n") == 1
    for file in home.path.glob("pressmark.db*"):
        file.unlink()
    assert home.pressmark("reindex").code == 0
    assert home.pressmark("get", URL, "--as", "html").raw == HTML
    assert home.pressmark("verify").code == 0


def test_a_part_is_in_the_history_and_is_not_the_page(home: Home, tmp_path: Path) -> None:
    part = (
        b"HTTP/1.1 206 Partial Content\r\nContent-Type: text/html\r\nContent-Range: bytes 6-20/52\r\n\r\n" + HTML[6:21]
    )
    partial = record("response", 9, part, "Content-Type: application/http; msgtype=response")
    alone = record("response", 11, part, "Content-Type: application/http; msgtype=response", url=f"{URL}2")
    imported(home, tmp_path, members(response(3), partial, alone))
    assert home.pressmark("history", URL, "--json").out.count("\n") == 2
    for at in ("2020", "20200101000009"):
        assert home.pressmark("get", URL, "--at", at, "--as", "html").raw == HTML
    assert home.pressmark("get", f"{URL}2", "--as", "html").code == 3
    lookup = Lookup(Archive.open(ArchiveSettings(home=home.path)).index)
    found = lookup.memento(URL, datetime(2020, 1, 1, 0, 0, 9, tzinfo=UTC))
    assert found is not None
    assert found[0].status == 200
    assert found[1] == Neighbours()
    assert len(lookup.moments(URL)) == 1
    assert lookup.held([URL, f"{URL}2"]) == {URL}


def test_the_same_file_again_changes_nothing(home: Home, tmp_path: Path) -> None:
    data = members(record("warcinfo", 1, b"software: other\r\n"), response(3), request(4, 3))
    imported(home, tmp_path, data)
    objects = home.objects("warc")
    code, told, _ = imported(home, tmp_path, data, "copy.warc.gz")
    assert (code, told["captures"], told["held"]) == (0, 0, 1)
    assert home.objects("warc") == objects


def test_the_index_of_imports_can_be_made_anew(home: Home, tmp_path: Path) -> None:
    refers = "WARC-Refers-To-Target-URI: " + URL
    revisit = record(
        "revisit", 9, HTTP, refers, "WARC-Refers-To-Date: 2020-01-01T00:00:03Z", "Content-Type: application/http"
    )
    resource = record("resource", 11, b"a page", "Content-Type: text/html", url="http://other.example/page")
    imported(home, tmp_path, members(revisit, response(3), request(4, 3), resource))
    before = home.pressmark("history", URL, "--json").out
    assert before.count("\n") == 2
    for path in home.path.glob("pressmark.db*"):
        path.unlink()
    assert home.pressmark("reindex").code == 0
    assert home.pressmark("history", URL, "--json").out == before
    assert home.pressmark("verify").code == 0
    assert home.pressmark("get", URL, "--at", "20200101000009", "--as", "html").raw == HTML, "the revisit came first"
    assert home.pressmark("get", "http://other.example/page", "--as", "html").raw == b"a page"


def test_a_revisit_refers_to_a_visit_of_that_very_address(home: Home, tmp_path: Path) -> None:
    secure = URL.replace("http:", "https:")
    imported(home, tmp_path, members(response(3), response(63, HTML.upper(), url=secure)))
    later = [
        record(
            "revisit",
            number,
            HTTP,
            f"WARC-Refers-To-Target-URI: {url}",
            "WARC-Refers-To-Date: 2020-01-01T00:00:03Z",
            "Content-Type: application/http",
            url=url,
        )
        for number, url in ((8, URL), (9, secure))
    ]
    imported(home, tmp_path, members(*later), "later.warc.gz")
    assert home.pressmark("get", URL, "--at", "20200101000008", "--as", "html").raw == HTML
    assert home.pressmark("get", URL, "--at", "20200101000009", "--as", "html").raw == HTML.upper()


def test_a_revisit_of_something_that_is_not_held_is_told_so(home: Home, tmp_path: Path) -> None:
    revisit = record("revisit", 9, HTTP, "WARC-Payload-Digest: sha1:B2LTWWPUOYAH7UIPQ7ZUPQ4VMBSVC36A")
    assert imported(home, tmp_path, members(revisit))[0] == 0
    assert home.pressmark("get", URL, "--as", "html").code == 3
    assert home.pressmark("verify").code == 0


def test_chunked_bodies_are_given_back_without_chunks(home: Home, tmp_path: Path) -> None:
    block = (
        HTTP[:-2] + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(HTML), HTML)
    )
    imported(home, tmp_path, record("response", 3, block, "Content-Type: application/http"), "plain.warc")
    assert home.pressmark("get", URL, "--as", "html").raw == HTML
    assert home.pressmark("verify").code == 0


def test_two_records_of_one_name_are_both_kept(home: Home, tmp_path: Path) -> None:
    imported(home, tmp_path, members(response(3), response(3, b"other", url="http://second.example/")))
    assert home.pressmark("get", URL, "--as", "html").raw == HTML
    assert home.pressmark("get", "http://second.example/", "--as", "html").raw == b"other"


GOOD = [response(n, b"<p>%d</p>" % n, url=f"http://other.example/{n}") for n in range(1, 6)]


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("name", "data", "whole"),
    [
        ("a torn tail", members(*GOOD)[:-20], 4),
        ("a torn plain tail", b"".join(GOOD)[:-40], 4),
        ("a broken member", members(GOOD[0]) + flipped(members(GOOD[1]), 40) + members(*GOOD[2:]), 4),
        ("garbage between members", members(*GOOD[:2]) + b"garbage" * 9 + members(*GOOD[2:]), 5),
        ("garbage between records", b"".join(GOOD[:2]) + b"garbage\r\n" * 9 + b"".join(GOOD[2:]), 5),
        ("padding after the last member", members(*GOOD) + b"\0" * 512, 5),
        ("one gzip member for all", gzip.compress(b"".join(GOOD), mtime=0), 5),
        ("a length that is too large", b"".join(GOOD).replace(b"Length: 52", b"Length: 99", 1), 3),
        ("a length that is too small", b"".join(GOOD).replace(b"Length: 52", b"Length: 30", 1), 4),
        ("a length that is no number", b"".join(GOOD).replace(b"Length: 52", b"Length: ab", 1), 4),
        ("a digest that differs", GOOD[0] + response(7, HTML, "WARC-Block-Digest: sha1:" + "A" * 32) + b"".join(GOOD[1:]), 5),
        ("a date that is none", b"".join(GOOD).replace(b"2020-01-01T00:00:03Z", b"2020-13-01T00:00:03Z"), 4),
        ("no record id", b"".join(GOOD).replace(b"WARC-Record-ID", b"X-Record-ID", 1), 4),
        ("a header that never ends", b"".join(GOOD) + b"WARC/1.0\r\n" + b"X-Long: " + b"y" * 300_000, 5),
        ("line feeds for line ends", b"".join(GOOD).replace(b"WARC/1.0\r\n", b"WARC/1.0\n"), 5),
    ],
)  # fmt: skip
def test_broken_input_is_named_and_whole_records_are_kept(tmp_path: Path, name: str, data: bytes, whole: int) -> None:
    path = tmp_path / "broken.warc"
    path.write_bytes(data)
    found = list(records(path))
    kept = [one for one in found if isinstance(one, warc.Record)]
    broken = [one for one in found if isinstance(one, Broken)]
    assert len(kept) == whole, [one.line() for one in broken]
    assert all(one.block == HTTP + b"<p>%s</p>" % one.url[-1].encode() for one in kept)
    sound = {"padding after the last member", "one gzip member for all", "line feeds for line ends"}
    assert bool(broken) == (name not in sound)
    assert all(str(path) in one.line() for one in broken)


def test_a_page_that_holds_what_looks_like_a_record_forges_none(tmp_path: Path) -> None:
    forged = response(66, b"<p>forged</p>", url="http://bank.example/")
    page = response(1, b"<pre>\r\n\r\n" + forged + os.urandom(4_000) + b"</pre>")
    for name, data in (("cut.warc", page[:-3_000]), ("cut.warc.gz", members(page, page)[:-3_000])):
        path = tmp_path / name
        path.write_bytes(data)
        found = list(records(path))
        assert "http://bank.example/" not in {one.url for one in found if isinstance(one, warc.Record)}
        assert any(isinstance(one, Broken) for one in found)


@pytest.mark.parametrize(
    "data",
    [
        members(b"\r\n" * 4_000_000),
        b"WARC/1.0\r\nContent-Length: 900000000\r\n\r\n" * 60_000,
        b"WARC/1.0\r\n" * 300_000,
        b"\nWARC/1" * 300_000,
        b"http://a.example/ 127.0.0.1 20140102000000 text/plain 1" + b"\n x" * 400_000,
        GOOD[0].replace(b"Length: 52", "Length: \u00b2".encode()),
        GOOD[0].replace(b"2020-01-01T00:00:01Z", b"0001-01-01T00:00:00+05:00"),
        b"http://a.example/ 127.0.0.1 20140102000000 text/plain " + b"9" * 5_000 + b"\n",
    ],
)
def test_hostile_files_take_little_time(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(data)
    began = time.process_time()
    for _ in records(path):
        pass
    assert time.process_time() - began < 20


def test_records_of_one_name_are_taken_once_however_often(home: Home, tmp_path: Path) -> None:
    data = members(response(3), response(3, b"other", url="http://second.example/"))
    for name in ("a.warc.gz", "b.warc.gz"):
        code, _, _ = imported(home, tmp_path, data, name)
        assert code == 0
    assert home.pressmark("verify").out.endswith("no problems\n")
    assert home.pressmark("history", URL).out.count("\n") == 1


def test_a_revisit_of_itself_ends(home: Home, tmp_path: Path) -> None:
    own = "WARC-Refers-To: <urn:uuid:00000000-0000-4000-8000-000000000009>"
    imported(home, tmp_path, members(record("revisit", 9, HTTP, own)))
    assert home.pressmark("get", URL, "--as", "warc").code == 0
    assert home.pressmark("get", URL, "--as", "html").code in {3, 4}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "0 captures"),
        (b"hello, I am no archive\n", "no record: 23 bytes are left out"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "is compressed with Zstandard: decompress it first"),
        (b"PK\x03\x04not a zip", "broken ZIP"),
        (gzip.compress(b"no records", mtime=0), "no record: 10 bytes are left out"),
    ],
)
def test_what_is_no_archive_is_told_in_one_line(home: Home, tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    done = home.pressmark("import", str(path))
    assert done.code == 1
    assert words in done.out + done.err
    assert "Traceback" not in done.err
    missing = home.pressmark("import", str(tmp_path / "nowhere"))
    assert (missing.code, missing.err.splitlines()[0]) == (
        1,
        f"pressmark: {tmp_path / 'nowhere'}: No such file or directory",
    )


def wacz(warcs: dict[str, bytes], change: str = "") -> bytes:
    out = io.BytesIO()
    resources = [{"path": name, "hash": "sha256:" + hashlib.sha256(data).hexdigest()} for name, data in warcs.items()]
    package = json.dumps({"profile": "data-package", "resources": resources})
    with zipfile.ZipFile(out, "w") as written:
        for name, data in warcs.items():
            written.writestr(name, data)
        written.writestr("datapackage.json", package.replace("sha256:", change) if change else package)
    return out.getvalue()


def test_a_wacz_is_checked_against_its_own_hashes(home: Home, tmp_path: Path) -> None:
    package = {"archive/a.warc.gz": members(*GOOD), "archive/b.warc": response(8), "pages/pages.jsonl": b"{}"}
    code, told, _ = imported(home, tmp_path, wacz(package), "good.wacz")
    assert (code, told["captures"], told["broken"]) == (0, 6, [])
    code, told, err = imported(home, tmp_path, wacz({"archive/c.warc": response(9)}, "sha256:0"), "bad.wacz")
    assert (code, told["captures"]) == (4, 1)
    assert "archive/c.warc: is not what datapackage.json says" in err


def test_a_killed_import_is_imported_anew(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "many.warc"
    path.write_bytes(b"".join(response(n, os.urandom(2_000), url=f"http://many.example/{n}") for n in range(3_000)))
    home.settings["PRESSMARK_BATCH_MEGABYTES"] = "1"
    process = home.start("pressmark", "import", str(path))
    wait_for(lambda: len(home.objects("warc")) >= 2, 60, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = home.pressmark("import", "--json", str(path))
    told = json.loads(done.out)
    assert (done.code, told["captures"] + told["held"]) == (0, 3_000)
    assert list((home.path / "spool").iterdir()) == []
    assert home.pressmark("verify").out.endswith("no problems\n")


# -- files of other producers


def expected(path: Path) -> set[tuple[str, str, int]]:
    """URL, time and status of the exchanges over HTTP in a file, as warcio reads it; what answers POST is no page."""
    found, posted = set(), set()
    with path.open("rb") as stream:
        for one in ArchiveIterator(stream, arc2warc=True):
            url = one.rec_headers.get_header("WARC-Target-URI") or ""
            if not url.startswith("http") or not one.http_headers:
                continue
            at = f"{warc.read_date(one.rec_headers.get_header('WARC-Date')):%Y%m%d%H%M%S}"
            if one.rec_type == "request" and one.http_headers.protocol == "POST":
                posted.add((url, at))
            if one.rec_type in {"response", "revisit"} and one.http_headers.protocol.startswith("HTTP/"):
                found.add((url, at, int(one.http_headers.get_statuscode())))
    return {one for one in found if one[:2] not in posted}


SOUND = [
    "cdxj-indexer/cc.warc.gz", "cdxj-indexer/example.arc", "cdxj-indexer/post-test-more.warc",
    "cdxj-indexer/post-test.warc.gz", "fastwarc/warcfile.warc", "fastwarc/warcfile.warc.gz",
    "iipc-specs/20130729-heritrix-original.warc.gz", "iipc-specs/20130729-heritrix-revisit-with-http-headers.warc.gz",
    "iipc-specs/20141129-heritrix-original.warc.gz",
    "iipc-specs/hello-world.warc", "iipc-specs/hello-world.warc.gz", "jwarc/cc.warc.gz",
    "jwat/IAH-20080430204825-00000-blackbook.warc.gz", "jwat/IAH-20080430204825-00000-blackbook.arc.gz",
    "jwat/1-1-20110922131213-00000-svc-VirtualBox.arc", "jwat/small_BNF.arc", "outbackcdx/test1.warc.gz",
    "outbackcdx/test2.warc.gz", "py-wacz/example-collection-with-lists.warc", "py-wacz/example-collection.warc",
    "py-wacz/example-iana.warc", "py-wacz/example-warcinfo-metadata.warc", "warcio/example-iana.org-chunked.warc",
    "warcio/example-wget-bad-target-uri.warc.gz", "warcio/example.arc", "warcio/example.arc.gz", "warcio/example.warc",
    "warcio/example.warc.gz", "warcio/post-test.warc.gz", "whirlwind-cc/whirlwind.warc", "whirlwind-cc/whirlwind.warc.gz",
]  # fmt: skip
BROKEN = {
    "cdxj-indexer/bad.arc": 1,
    "cdxj-indexer/example.warc.gz": 1,
    "fastwarc/clipped.warc.gz": 0,
    "fastwarc/warcfile.warc.lz4": 0,
    "jwat/invalid-arcfile-record-then-garbage.arc": 1,
    "jwat/invalid-warcfile-record-then-garbage.warc": 1,
    "jwat/invalid-warcfile-fields-missing.warc": 0,
    "jwat/invalid-compression.gz": 0,
    "py-wacz/invalid_example_1.wacz": 0,
    "warcio/example-trunc.warc": 0,
}
"""Captures that are whole in each."""


@pytest.mark.parametrize("name", SOUND)
def test_sound_files_of_other_producers_come_in_whole(tmp_path: Path, shared: Path, name: str) -> None:
    path = shared / "warc" / "samples" / name
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    tally = take(archive, path)
    assert tally.broken == []
    wanted = expected(path)
    rows = [row for key in archive.index.objects() for row in archive.index.of_object(key.key)[0]]
    assert {(row.url, row.timestamp, row.status) for row in rows if row.kind != "resource"} == wanted
    assert [one.line() for key in archive.index.objects() for one in verify(archive.store, archive.index, key)] == []
    for row in rows:
        if row.kind != "revisit" or row.refers_to:
            archive.read(row)


def test_a_revisit_without_a_head_has_the_status_that_it_means(tmp_path: Path, shared: Path) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    take(archive, shared / "warc" / "samples" / "iipc-specs" / "20141124-heritrix-server-not-modified.warc.gz")
    assert archive.captures("http://www.bl.uk/")[0].status == 304


@pytest.mark.parametrize(("name", "captures"), BROKEN.items())
def test_broken_files_of_other_producers_are_named(tmp_path: Path, shared: Path, name: str, captures: int) -> None:
    path = shared / "warc" / "samples" / name
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    tally = take(archive, path)
    assert tally.captures == captures
    assert tally.broken
    assert all(str(path) in broken.line() for broken in tally.broken)
    assert [one.line() for key in archive.index.objects() for one in verify(archive.store, archive.index, key)] == []


def take(archive: Archive, path: Path) -> Tally:
    importer, tally = Importer(archive, now=lambda: datetime.now(UTC)), Tally()
    importer.file(path, tally)
    importer.close()
    return tally

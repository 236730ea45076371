"""What a careful reader expects of a WARC file, rule by rule."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Home
from test_other_readers import home, rows  # noqa: F401  a fixture

from archive.archive import Archive
from archive.settings import ArchiveSettings
from archive.warc import record as warc
from archive.warc.members import Member, members

FORBIDDEN_ON_CONVERSION = {
    "WARC-Concurrent-To", "WARC-IP-Address", "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date", "WARC-Protocol",
}  # fmt: skip


@pytest.fixture(scope="module")
def files(home: Home) -> dict[Path, list[Member]]:  # noqa: F811
    paths = [*home.objects("warc"), *home.objects("text")]
    return {path: list(members(io.BytesIO(path.read_bytes()))) for path in paths}


@pytest.fixture(scope="module")
def records(files: dict[Path, list[Member]]) -> list[warc.Record]:
    return [member.record for found in files.values() for member in found]


def of(records: list[warc.Record], *kinds: str) -> list[warc.Record]:
    found = [record for record in records if record.kind in kinds]
    assert found
    return found


def exchanges(files: dict[Path, list[Member]]) -> Iterator[list[warc.Record]]:
    for path, found in files.items():
        if "/warc/" in path.as_posix():
            rest = [member.record for member in found[1:]]
            assert len(rest) % 3 == 0
            yield from (rest[at : at + 3] for at in range(0, len(rest), 3))


def test_each_record_is_one_gzip_member_of_version_1_1(files: dict[Path, list[Member]]) -> None:
    for path, found in files.items():
        data = path.read_bytes()
        for member in found:
            plain = gzip.decompress(data[member.offset : member.offset + member.length])
            assert plain.startswith(b"WARC/1.1\r\nWARC-Type: ")
            assert plain.endswith(member.record.block + b"\r\n\r\n")
            assert plain.count(b"\r\nContent-Length: %d\r\n" % len(member.record.block)) >= 1


def test_dates_are_utc_with_a_fraction_and_shared_by_one_exchange(files: dict[Path, list[Member]]) -> None:
    for group in exchanges(files):
        dates = {record.get("WARC-Date") for record in group}
        assert len(dates) == 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z", dates.pop() or "")


def test_the_date_is_when_the_request_was_sent(files: dict[Path, list[Member]], home: Home) -> None:  # noqa: F811
    """Not when its answer had come: the server's own clock, in whole seconds, is never far behind."""
    import email.utils

    for group in exchanges(files):
        if stated := re.search(rb"\r\nDate: ([^\r]+)", group[0].block):
            answered = email.utils.parsedate_to_datetime(stated[1].decode())
            assert (group[0].date - answered).total_seconds() < 1


def test_warcinfo_comes_first_and_tells_who_made_the_file(files: dict[Path, list[Member]]) -> None:
    for path, found in files.items():
        first = found[0].record
        assert (first.kind, first.get("Content-Type")) == ("warcinfo", "application/warc-fields")
        assert first.get("WARC-Filename") == path.name
        assert first.get("WARC-Warcinfo-ID") is None
        told = dict(line.split(": ", 1) for line in first.block.decode().splitlines())
        assert told["software"].startswith("Pressmark/")
        assert told["format"] == "WARC File Format 1.1"
        assert told["conformsTo"].endswith("/warc-1.1/")
        assert {"hostname", "isPartOf", "robots", "http-header-user-agent", "description"} <= set(told)
        for member in found[1:]:
            assert member.record.kind != "warcinfo"
            assert member.record.get("WARC-Warcinfo-ID") == first.id


def test_the_operator_is_named_if_there_is_one(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from archive.writer.batch import Origin

    archive = Archive.open(ArchiveSettings(home=tmp_path))
    batch = archive.writer.batch(now=datetime.now(UTC), origin=Origin(operator="A. Person\r\n<a@example.org>"))
    from test_archive import capture

    batch.add(capture())
    first = next(members(io.BytesIO(batch.seal().files[0][1].read_bytes()))).record
    assert b"operator: A. Person <a@example.org>\r\n" in first.block


def test_an_exchange_is_response_request_metadata_side_by_side(files: dict[Path, list[Member]]) -> None:
    for first, request, metadata in exchanges(files):
        assert first.kind in {"response", "revisit"}
        assert (request.kind, metadata.kind) == ("request", "metadata")
        assert first.get("Content-Type") == "application/http; msgtype=response"
        assert request.get("Content-Type") == "application/http; msgtype=request"
        assert request.get("WARC-Concurrent-To") == metadata.get("WARC-Concurrent-To") == first.id
        assert first.url == request.url
        assert metadata.url == "", "the URL is that of the record it names"
        assert re.match(rb"GET /\S* HTTP/1\.1\r\n", request.block)
        assert request.block.endswith(b"\r\n\r\n")


def test_metadata_tell_how_the_page_was_reached(records: list[warc.Record]) -> None:
    told = [
        dict(line.split(": ", 1) for line in record.block.decode().splitlines())
        for record in of(records, "metadata")
        if record.get("Content-Type") == "application/warc-fields"
    ]
    assert all(one["fetchTimeMs"].isdigit() for one in told)
    hops = {one.get("hopsFromSeed", "") for one in told}
    assert {"", "P", "L", "LR"} <= hops
    assert all(("via" in one) == bool(one.get("hopsFromSeed")) for one in told)


def test_address_and_protocol_stand_on_what_crossed_the_wire(records: list[warc.Record]) -> None:
    for record in of(records, "response", "revisit", "request"):
        assert record.get("WARC-IP-Address") in {"127.0.0.1", "::1"}
    for record in of(records, "response", "revisit"):
        assert record.all("WARC-Protocol") == ("http/1.1",)
    assert all(record.get("WARC-IP-Address") is None for record in of(records, "metadata", "conversion", "warcinfo"))


def test_every_record_has_an_id_of_its_own_and_a_block_digest(records: list[warc.Record]) -> None:
    assert len({record.id for record in records}) == len(records)
    for record in records:
        assert re.fullmatch(r"<urn:uuid:[0-9a-f-]{36}>", record.id)
        wanted = base64.b32encode(hashlib.sha1(record.block).digest()).decode()
        assert record.get("WARC-Block-Digest") == f"sha1:{wanted}"


def test_payload_digests_are_of_the_body_without_its_transfer_coding(records: list[warc.Record]) -> None:
    for record in of(records, "response"):
        body = record.block.partition(b"\r\n\r\n")[2]
        assert record.get("WARC-Payload-Digest") == "sha1:" + base64.b32encode(hashlib.sha1(body).digest()).decode()
    chunked = next(record for record in of(records, "response") if record.url.endswith("/chunked"))
    assert chunked.block.endswith(b"\r\n\r\n<p>chunks</p>")
    assert b"\r\nX-Archive-Orig-Transfer-Encoding: chunked\r\n" in chunked.block
    assert not re.search(rb"^transfer-encoding:", chunked.block, re.MULTILINE | re.IGNORECASE)


def test_the_index_keeps_a_stronger_digest_of_each_object(home: Home) -> None:  # noqa: F811
    archive = Archive.open(ArchiveSettings(home=home.path))
    for row in archive.index.objects():
        assert hashlib.sha256(archive.store.read(row.key)).hexdigest() == row.sha256


def test_revisits_refer_to_the_response_that_holds_the_payload(records: list[warc.Record]) -> None:
    responses = {record.id: record for record in of(records, "response")}
    profiles = set()
    for record in of(records, "revisit"):
        original = responses[record.get("WARC-Refers-To") or ""]
        assert record.get("WARC-Refers-To-Target-URI") == original.url
        assert record.get("WARC-Refers-To-Date") == original.get("WARC-Date")
        assert record.block.startswith(b"HTTP/1.1 ")
        assert record.block.endswith(b"\r\n\r\n"), "the head of this visit and no body"
        profiles.add(record.get("WARC-Profile"))
        if record.get("WARC-Profile") == warc.IDENTICAL:
            assert record.get("WARC-Payload-Digest") == original.get("WARC-Payload-Digest")
            assert record.get("WARC-Truncated") == "length"
        else:
            assert record.block.startswith(b"HTTP/1.1 304 ")
            assert record.get("WARC-Payload-Digest") is None
    assert profiles == {warc.IDENTICAL, warc.NOT_MODIFIED}


def test_what_was_cut_off_is_marked(records: list[warc.Record]) -> None:
    cut = [record for record in of(records, "response") if record.url.endswith("/short")]
    assert {record.get("WARC-Truncated") for record in cut} == {"disconnect"}
    assert all(record.block.endswith(b"<p>cut off") for record in cut)
    assert all(record.get("WARC-Truncated") is None for record in of(records, "response") if record not in cut)


def test_conversions_lie_in_files_of_their_own_and_claim_nothing_of_the_wire(files: dict[Path, list[Member]]) -> None:
    captures = {group[0].id: group[0] for group in exchanges(files)}
    seen = 0
    for path, found in files.items():
        conversions = [member.record for member in found if member.record.kind == "conversion"]
        assert not conversions or "/text/" in path.as_posix()
        for record in conversions:
            seen += 1
            source = captures[record.get("WARC-Refers-To") or ""]
            assert record.date == source.date
            assert record.url == source.url or source.url.endswith("/feed/"), "a post in its feed's words"
            assert record.get("Content-Type") == "text/plain; charset=utf-8"
            assert record.get("WARC-Identified-Content-Language") in {None, "eng"}
            assert not FORBIDDEN_ON_CONVERSION & {name for name, _ in record.headers}
            record.block.decode("utf-8")
    assert seen


def test_files_are_named_after_their_beginning_and_none_is_open(files: dict[Path, list[Member]], home: Home) -> None:  # noqa: F811
    for path in files:
        assert re.fullmatch(r"pressmark-\d{20}-[0-9a-f]{8}\.warc\.gz", path.name)
    assert list((home.path / "spool").iterdir()) == []


def test_nobody_is_offered_zstd(records: list[warc.Record]) -> None:
    for record in of(records, "request"):
        offered = re.search(rb"\r\nAccept-Encoding: ([^\r]+)\r\n", record.block)
        assert offered is not None
        assert offered[1] == b"gzip, deflate, br"


def test_robots_feeds_redirects_and_errors_are_captures_too(home: Home) -> None:  # noqa: F811
    held = rows(home)
    assert {200, 301, 304, 404} <= {row.status for row in held}
    assert {"/robots.txt", "/feed/", "/moved"} <= {"/" + row.url.split("/", 3)[3] for row in held}

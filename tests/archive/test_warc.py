"""Records to bytes and back, and what other readers say of them."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator

from archive.warc import record as warc
from archive.warc.capture import Capture, digest
from archive.warc.http_message import headers

NOW = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
INFO = "<urn:uuid:00000000-0000-0000-0000-000000000000>"


def capture(**changes: object) -> Capture:
    values = {
        "url": "https://blog.example/post?x=1",
        "date": NOW,
        "request": b"GET /post?x=1 HTTP/1.1\r\nHost: blog.example\r\n\r\n",
        "head": b"HTTP/1.1 200 Fine\r\nconTent-Type: text/html\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n",
        "body": b"<p>caf\xc3\xa9</p>",
        "ip": "203.0.113.7",
        "protocols": ("http/1.1", "tls/1.3"),
        "cipher": "TLS_AES_128_GCM_SHA256",
        "seconds": 0.25,
        "via": "https://blog.example/feed",
        "hops": "L",
    }
    return Capture(**{**values, **changes})


def members(*records: warc.Record) -> bytes:
    return b"".join(warc.pack(record) for record in records)


def test_a_response_holds_the_bytes_as_they_came() -> None:
    found = capture()
    record = next(warc.read(io.BytesIO(members(warc.response(found, uuid="1", info=INFO)))))
    assert record.block == found.head + found.body
    assert record.kind == "response"
    assert record.url == found.url
    assert record.date == NOW
    assert record.get("WARC-Payload-Digest") == digest(found.body)
    assert record.get("WARC-Block-Digest") == digest(record.block)
    assert record.get("WARC-IP-Address") == "203.0.113.7"
    assert [value for name, value in record.headers if name == "WARC-Protocol"] == ["http/1.1", "tls/1.3"]
    assert record.get("WARC-Cipher-Suite") == "TLS_AES_128_GCM_SHA256"
    assert record.get("WARC-Warcinfo-ID") == INFO


def test_each_record_is_one_gzip_member_of_a_1_1_record() -> None:
    data = warc.pack(warc.response(capture(), uuid="1", info=INFO))
    plain = gzip.decompress(data)
    assert plain.startswith(b"WARC/1.1\r\nWARC-Type: response\r\n")
    assert plain.endswith(b"</p>\r\n\r\n")


def test_request_and_metadata_stand_beside_their_response() -> None:
    found = capture()
    first = warc.response(found, uuid="1", info=INFO)
    request = warc.request(found, uuid="2", info=INFO, concurrent_to=first.id)
    metadata = warc.metadata(found, uuid="3", info=INFO, concurrent_to=first.id)
    assert request.block == found.request
    assert metadata.block == b"fetchTimeMs: 250\r\nvia: https://blog.example/feed\r\nhopsFromSeed: L\r\n"
    for record in (request, metadata):
        assert record.get("WARC-Concurrent-To") == first.id
        assert record.date == first.date


@pytest.mark.parametrize("profile", ["identical-payload-digest", "server-not-modified"])
def test_a_revisit_keeps_its_own_headers_and_names_what_it_refers_to(profile: str) -> None:
    found = capture()
    earlier = warc.Reference(record="<urn:uuid:9>", url=found.url, date=NOW - timedelta(days=1))
    made = warc.revisit(found, uuid="1", info=INFO, profile=profile, refers_to=earlier)
    record = next(warc.read(io.BytesIO(members(made))))
    assert record.block == found.head
    assert record.get("WARC-Profile") == f"http://netpreserve.org/warc/1.1/revisit/{profile}"
    assert record.get("WARC-Refers-To") == "<urn:uuid:9>"
    assert record.get("WARC-Refers-To-Date") == "2026-04-30T12:00:00.123456Z"
    assert (record.get("WARC-Payload-Digest") is None) == (profile == "server-not-modified")


def test_a_chunked_response_is_stored_dechunked_with_the_header_renamed() -> None:
    found = capture(head=b"HTTP/1.1 200 OK\r\ntransfer-ENCODING: chunked\r\nX: y\r\n\r\n")
    block = warc.response(found, uuid="1", info=INFO).block
    assert block == b"HTTP/1.1 200 OK\r\nX-Archive-Orig-transfer-ENCODING: chunked\r\nX: y\r\n\r\n" + found.body


def test_truncation_is_marked() -> None:
    assert warc.response(capture(truncated="time"), uuid="1", info=INFO).get("WARC-Truncated") == "time"
    assert warc.response(capture(), uuid="1", info=INFO).get("WARC-Truncated") is None


def test_odd_bytes_survive() -> None:
    found = capture(
        head=b"HTTP/1.1 200 D'accord\xe9\r\nX-Fold: one\r\n two\r\nX-L: caf\xe9\r\n\r\n", body=bytes(range(256))
    )
    record = next(warc.read(io.BytesIO(members(warc.response(found, uuid="1", info=INFO)))))
    assert record.block == found.head + found.body
    assert headers(found.head) == (("X-Fold", "one two"), ("X-L", "café"))


def test_line_breaks_cannot_forge_fields() -> None:
    assert warc.fields({"via": "http://x/\r\nfake: 1"}) == b"via: http://x/ fake: 1\r\n"


@pytest.mark.parametrize("cut", [12, 50, 200])
def test_a_torn_member_is_no_record(cut: int) -> None:
    data = members(warc.response(capture(), uuid="1", info=INFO))
    with pytest.raises(ValueError):  # noqa: PT011  any reason will do
        list(warc.read(io.BytesIO(data[:-cut])))


@pytest.mark.parametrize("data", [b"", b"no warc at all", gzip.compress(b"WARC/9.9\r\nno: sense\r\n\r\n", mtime=0)])
def test_other_bytes_are_no_records(data: bytes) -> None:
    try:
        assert list(warc.read(io.BytesIO(data))) == []
    except ValueError:
        assert data


def test_another_reader_finds_every_record_and_digest(tmp_path: Path) -> None:
    found = capture()
    first = warc.response(found, uuid="00000000-0000-4000-8000-000000000001", info=INFO)
    path = tmp_path / "all.warc.gz"
    path.write_bytes(
        members(
            warc.warcinfo(uuid="00000000-0000-4000-8000-000000000000", date=NOW, filename=path.name, info={"a": "b"}),
            first,
            warc.request(found, uuid="00000000-0000-4000-8000-000000000002", info=INFO, concurrent_to=first.id),
            warc.metadata(found, uuid="00000000-0000-4000-8000-000000000003", info=INFO, concurrent_to=first.id),
            warc.conversion(
                uuid="00000000-0000-4000-8000-000000000004", info=INFO, url=found.url, date=NOW,
                refers_to=first.id, text="café\n", language="en",
            ),
        )
    )  # fmt: skip
    with path.open("rb") as stream:
        kinds = [
            (str(record.record_type).rpartition(".")[2], record.verify_block_digest())
            for record in FastIterator(stream, parse_http=False)
        ]
    assert kinds == [(kind, True) for kind in ("warcinfo", "response", "request", "metadata", "conversion")]


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [("2026-05-01T12:00:00Z", 0), ("2026-05-01T12:00:00.5Z", 500_000), ("2026-05-01T12:00:00.123456789Z", 123_456)],
)
def test_dates_of_any_precision_are_read(text: str, microsecond: int) -> None:
    assert warc.read_date(text) == datetime(2026, 5, 1, 12, 0, 0, microsecond, tzinfo=UTC)

"""A record in pieces is the record that is read at once, and damage in it is found before its last piece."""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample.archives import T0, capture

from archive.warc import record as warc
from archive.warc.codings import dechunked, dechunking
from archive.warc.record_stream import RecordStream

BODY = random.Random(1).randbytes(3 << 20)


def member(body: bytes = BODY, headers: bytes = b"") -> bytes:
    return warc.pack(warc.response(capture(0, body, headers=headers), uuid="1", info="<x>"))


def pieces(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("body", [BODY, b"", b"x", bytes(5 << 20)])
@pytest.mark.parametrize("size", [1_000, 1 << 22])
def test_a_record_in_pieces_is_the_same(body: bytes, size: int) -> None:
    stored = member(body, b"A: b\r\n")
    stream = RecordStream(pieces(stored + b"what follows", size))
    whole = next(warc.read(io.BytesIO(stored)))
    assert {pair for pair in stream.record.headers if pair[0] != "Content-Length"} <= set(whole.headers)
    found = list(stream.payload())
    assert (stream.head, b"".join(found)) == warc.split_payload(whole)
    assert max(map(len, found), default=0) <= 1 << 18


def test_a_record_that_is_not_compressed_is_read_too() -> None:
    stream = RecordStream([zlib.decompress(member(), 31)])
    assert b"".join(stream.payload()) == BODY


def test_damage_is_found_before_the_last_piece() -> None:
    good = member()
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 1
    for stored in (bytes(bad), good[:-20], good[:-4], good[: len(good) // 2]):
        got: list[bytes] = []
        stream = RecordStream(pieces(stored))
        with pytest.raises(ValueError, match=r"ends within|digest differs|Error -3"):
            got.extend(stream.payload())
        assert sum(map(len, got)) < len(BODY)


def test_another_digest_than_stated_is_damage() -> None:
    record = warc.response(capture(0, b"one"), uuid="1", info="<x>").having(("WARC-Block-Digest", "sha1:" + "A" * 32))
    with pytest.raises(ValueError, match="block digest differs"):
        list(RecordStream([warc.pack(record)]).payload())


@pytest.mark.parametrize("stored", [b"", b"nothing", zlib.compress(b"x", wbits=31), b"WARC/1.1\r\n" + b"a" * 500_000])
def test_what_is_no_record_is_damage(stored: bytes) -> None:
    with pytest.raises(ValueError, match=r"no record|ends within"):
        list(RecordStream(pieces(stored)).payload())


def test_a_head_without_end_is_refused() -> None:
    record = warc.Record(
        headers=(("WARC-Type", "response"), ("WARC-Record-ID", "<1>"), ("WARC-Date", warc.write_date(T0))),
        block=b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1_000_000,
    )
    with pytest.raises(OverflowError):
        RecordStream([warc.pack(record)])


CHUNKED = st.lists(st.binary(max_size=300), max_size=5).map(
    lambda parts: b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in parts)
)


@given(st.one_of(CHUNKED, st.binary(max_size=50), st.tuples(CHUNKED, st.binary(max_size=20)).map(b"".join)), st.data())
def test_chunks_in_pieces_are_the_same(body: bytes, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 40))
    for given_body in (body, body + b"0\r\n\r\n", body[: len(body) // 2]):
        assert b"".join(dechunking(pieces(given_body, size))) == dechunked(given_body)


def test_a_chunked_payload_of_another_tool_is_read_without_its_chunks() -> None:
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in pieces(BODY, 70_000)) + b"0\r\n\r\n"
    block = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    record = warc.response(capture(0, b""), uuid="1", info="<x>")
    record = warc.Record(headers=record.headers, block=block).having(("WARC-Block-Digest", warc.digest(block)))
    assert b"".join(RecordStream(pieces(warc.pack(record))).payload()) == BODY

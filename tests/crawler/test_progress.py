"""A response that brings nothing is not waited for, however long it is; one that brings something is."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator
from itertools import repeat

import brotli
import pytest
from backports import zstd

from archive.warc.codings import decoded, decoders
from crawler.downloader.exchange import Exchange
from crawler.limits import BLANK_BYTES, IDLE_BYTES

MOST = 50 * 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
EMPTY_BLOCK = b"\0\0\0\xff\xff"
WORDS = b"<p>" + b" ".join(b"word%d" % random.Random(n).randrange(1_000_000) for n in range(200_000))


class Line:
    """A connection of which only the end is noted."""

    ended = False

    def abortConnection(self) -> None:  # noqa: N802  Twisted's name
        self.ended = True

    def getPeer(self) -> Line:  # noqa: N802  Twisted's name
        return self

    host = "127.0.0.1"


def waited(parts: Iterator[bytes], *headers: bytes) -> tuple[int, str | None]:
    """How many bytes are taken of a response, and why no more are."""
    line, wire = Line(), Exchange(most=MOST)
    wire.start(line)
    wire.receive(line, HEAD + b"".join(header + b"\r\n" for header in headers) + b"\r\n")
    for part in parts:
        if line.ended or len(wire.received) > 2 * MOST:
            break
        wire.receive(line, part)
    return len(wire.received), wire.given_up


def chunks(parts: Iterator[bytes], line: bytes = b"") -> Iterator[bytes]:
    return (b"%x%s\r\n%s\r\n" % (len(part), line, part) for part in parts)


def after(first: bytes, then: bytes) -> Iterator[bytes]:
    yield first
    yield from repeat(then)


GZIP_BEGUN = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
ZSTD_EMPTY = zstd.compress(b"")
NOTHING = {
    "empty blocks of gzip": ((b"Content-Encoding: gzip",), after(GZIP_BEGUN, EMPTY_BLOCK * 4_000)),
    "empty members of gzip": ((b"Content-Encoding: gzip",), repeat(gzip.compress(b"") * 1_000)),
    "empty blocks of zlib": ((b"Content-Encoding: deflate",), after(b"\x78\x9c", EMPTY_BLOCK * 4_000)),
    "empty blocks of deflate": ((b"Content-Encoding: deflate",), repeat(EMPTY_BLOCK * 4_000)),
    "what follows the end of zlib": ((b"Content-Encoding: deflate",), after(zlib.compress(WORDS), b"x" * 20_000)),
    "what follows the end of gzip": ((b"Content-Encoding: gzip",), after(gzip.compress(WORDS), b"x" * 20_000)),
    "empty metablocks of Brotli": ((b"Content-Encoding: br",), after(b"\x0b\0\x80\0", b"\x06" * 20_000)),
    "empty frames of zstd": ((b"Content-Encoding: zstd",), repeat(ZSTD_EMPTY * 1_000)),
    "members within members": ((b"Content-Encoding: gzip, gzip",), repeat(gzip.compress(gzip.compress(b"")) * 500)),
    "lines of chunks": ((b"Transfer-Encoding: chunked",), chunks(repeat(b"x"), b";e=" + b"y" * 900)),
    "chunks of empty blocks": (
        (b"Transfer-Encoding: chunked", b"Content-Encoding: gzip"),
        chunks(after(GZIP_BEGUN, EMPTY_BLOCK * 100)),
    ),
}


@pytest.mark.parametrize(("headers", "parts"), NOTHING.values(), ids=NOTHING)
def test_what_decodes_to_nothing_ends_early(headers: tuple[bytes, ...], parts: Iterator[bytes]) -> None:
    taken, why = waited(parts, *headers)
    assert why == "its bytes decode to next to nothing"
    assert taken < 4 * IDLE_BYTES


@pytest.mark.parametrize("headers", [(), (b"Transfer-Encoding: chunked",)])
def test_white_space_ends_before_the_limit(headers: tuple[bytes, ...]) -> None:
    spaces: Iterator[bytes] = after(WORDS, b" \n\t" * 20_000)
    taken, why = waited(chunks(spaces) if headers else spaces, *headers)
    assert why == f"{BLANK_BYTES >> 20} MB of white space, and nothing else"
    assert taken < BLANK_BYTES + 4 * IDLE_BYTES


def test_a_bomb_without_an_end_is_no_larger_than_a_page_may_be() -> None:
    bomb = gzip.compress(bytes(range(256)) * 4 * 1024 * 80, 9)
    taken, why = waited(repeat(bomb), b"Content-Encoding: gzip")
    assert why == "larger than PRESSMARK_MAX_BYTES"
    assert taken < 2 * IDLE_BYTES


def slices(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def flushed(body: bytes) -> Iterator[bytes]:
    """Each byte compressed, flushed and sent as a chunk of its own."""
    stream = zlib.compressobj(wbits=31)
    for part in slices(body, 1):
        yield stream.compress(part) + stream.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    ("headers", "parts"),
    [
        ((), slices(WORDS * 3, 65_536)),
        ((b"Content-Encoding: gzip",), slices(gzip.compress(WORDS * 3), 65_536)),
        ((b"Content-Encoding: gzip",), slices(WORDS * 3, 65_536)),
        ((b"Content-Encoding: x-snow",), slices(WORDS * 3, 65_536)),
        ((b"Content-Encoding: br",), slices(brotli.compress(WORDS * 3, quality=1), 65_536)),
        ((b"Content-Encoding: deflate",), slices(zlib.compress(WORDS * 3)[2:], 65_536)),
        ((b"Transfer-Encoding: chunked", b"Content-Encoding: gzip"), chunks(flushed(WORDS[:200_000]))),
        ((b"Transfer-Encoding: chunked",), slices(b"".join(chunks(slices(WORDS[:400_000], 1))), 65_536)),
        ((), slices(b" " * (20 << 20) + WORDS, 65_536)),
    ],
    ids=["plain", "gzip", "not gzip", "unknown", "brotli", "deflate", "flushed", "chunks", "spaces"],
)
def test_what_brings_something_is_taken_whole(headers: tuple[bytes, ...], parts: Iterator[bytes]) -> None:
    sent = list(parts)
    taken, why = waited(iter(sent), *headers)
    assert why is None
    assert taken > sum(map(len, sent)) > IDLE_BYTES


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(WORDS)),
        ("gzip", gzip.compress(WORDS[:1_000]) + gzip.compress(WORDS[1_000:])),
        ("deflate", zlib.compress(WORDS)),
        ("br", brotli.compress(WORDS, quality=1)),
        ("zstd", zstd.compress(WORDS[:500]) + zstd.compress(WORDS[500:])),
        ("gzip, br", brotli.compress(gzip.compress(WORDS), quality=1)),
    ],
)
def test_a_payload_decodes_to_the_same_in_pieces(coding: str, body: bytes) -> None:
    decode = decoders(coding)
    assert b"".join(piece for part in slices(body, 997) for piece in decode(part)) == WORDS == decoded(body, coding)

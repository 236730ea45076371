"""Payloads whose Content-Encoding does not say what their bytes are in."""

from __future__ import annotations

import gzip
import sys
import zlib

import brotli
import pytest

from archive.warc.codings import content

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HTML = b"<html><body>" + b"".join(b"<p>line %d of a page</p>" % n for n in range(500)) + b"</body></html>"
PACKED = {
    "gzip": gzip.compress(HTML), "br": brotli.compress(HTML), "deflate": zlib.compress(HTML), "zstd": zstd.compress(HTML),
}  # fmt: skip


@pytest.mark.parametrize("coding", PACKED)
def test_a_body_in_the_coding_that_is_stated_is_decoded(coding: str) -> None:
    assert content(PACKED[coding], coding, "text/html") == HTML
    assert content(PACKED[coding], coding.upper(), "image/png") == HTML


@pytest.mark.parametrize("coding", [*PACKED, "gzip, gzip", "identity", "utf-8", "x-snow", ""])
def test_a_body_that_is_in_no_coding_is_given_as_it_is(coding: str) -> None:
    assert content(HTML, coding, "text/html") == HTML


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "x-snow", "gzip, br", "identity"])
def test_a_body_in_another_coding_than_is_stated_is_decoded(coding: str) -> None:
    for actual in ("gzip", "zstd", "deflate"):
        assert content(PACKED[actual], coding, "text/html") == HTML


def test_only_html_is_decoded_where_no_coding_is_stated() -> None:
    assert content(PACKED["gzip"], None, "text/html; charset=utf-8") == HTML
    assert content(PACKED["gzip"], None, "application/gzip") == PACKED["gzip"]


def test_html_is_decoded_where_one_of_two_codings_is_stated() -> None:
    assert content(gzip.compress(PACKED["gzip"]), "gzip", "text/html") == HTML
    assert content(gzip.compress(PACKED["gzip"]), "gzip", "application/gzip") == PACKED["gzip"]
    assert content(gzip.compress(b""), "gzip", "text/html") == b""


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_of_a_damaged_body_the_part_before_the_damage_is_given(coding: str) -> None:
    found = content(PACKED[coding][:-100], coding, "text/html")
    assert HTML.startswith(found[:100])
    assert len(found) > 100


def test_a_body_that_grows_past_the_limit_is_refused() -> None:
    for coding in ("gzip", "br"):
        with pytest.raises(OverflowError):
            content(PACKED["gzip"], coding, "text/html", limit=len(HTML) - 1)

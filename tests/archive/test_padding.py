"""What fills a page without saying anything does not hide the post behind it."""

from __future__ import annotations

import pytest

from archive.errors import PageTooLargeError
from archive.extract.padding import without_padding
from archive.extract.page_reading import read_page
from archive.limits import ATTRIBUTES, PAGE_BYTES
from crawler.discover import feeds

WORDS = "A sentence of a genuine post about the sea and its birds, told at some length and without haste."
POST = "<article><h1>The title</h1>" + "".join(f"<p>Number {n}. {WORDS}</p>" for n in range(12)) + "</article>"
FILL = {
    "blanks": " " * (PAGE_BYTES + 1),
    "lines": " \n\t" * (PAGE_BYTES // 2),
    "no-break spaces": "\u00a0" * PAGE_BYTES,
    "references": "&nbsp;" * (PAGE_BYTES // 5),
    "attributes": "<div" + "".join(f" a{n}='{n}'" for n in range(100_000)) + ">",
    "attributes without values": "<div" + "".join(f" a{n}" for n in range(100_000)) + ">",
    "a comment": "<!--" + "x" * PAGE_BYTES + "-->",
    "a script": "<script>" + "x=1;" * (PAGE_BYTES // 3) + "</SCRIPT>",
    "a style": "<style>" + "a{b:c}" * (PAGE_BYTES // 5) + "</style>",
    "an embedded file": "<img src='data:image/png;base64," + "A" * PAGE_BYTES + "'>",
}


def page(before: str = "", within: str = "", head: str = "") -> bytes:
    return (
        f"<!doctype html><html><head><title>T</title>{head}</head><body{within}>{before}{POST}</body></html>".encode()
    )


def read(payload: bytes) -> str:
    reading = read_page(payload, url="http://a.example/post", content_type="text/html; charset=utf-8")
    assert reading.text is not None, reading.verdict
    return reading.text.text


@pytest.mark.parametrize("fill", FILL.values(), ids=FILL)
def test_the_post_behind_it_is_read(fill: str) -> None:
    assert read(page(fill)) == read(page())


def test_it_may_precede_the_page_itself() -> None:
    assert read(b"\n" * PAGE_BYTES + page()) == read(page())


def test_a_crowded_tag_keeps_its_first_attributes() -> None:
    crowded = "".join(f" a{n}='<{n}>'" for n in range(5_000))
    kept = without_padding(f"<body lang='nl'{crowded}><p>Words</p>")
    assert kept.count("=") == ATTRIBUTES
    assert kept.startswith("<body lang='nl' a0='<0>'")
    assert kept.endswith("><p>Words</p>")


def test_a_script_without_an_end_and_a_page_of_words_stay() -> None:
    for whole in ("<p>Words</p><script>" + "x" * 2_000_000, "<pre>" + " x\n" * 100_000, " " * 65_000):
        assert without_padding(whole) == whole


def test_words_are_no_padding() -> None:
    with pytest.raises(PageTooLargeError, match="exceed the limit"):
        read(page("<p>" + "word " * (PAGE_BYTES // 5) + "</p>"))


def test_a_page_keeps_the_feed_that_it_declares() -> None:
    declared = "<link rel=alternate type='application/rss+xml' href='/feed'>"
    body = page(within=FILL["attributes"][4:-1], head=FILL["a comment"] + declared)
    assert feeds(body, url="http://a.example/", headers={}) == ["http://a.example/feed"]

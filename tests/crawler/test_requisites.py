"""Images, stylesheets and fonts of a page are captured where that is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import Home
from sample.server import Answer, Site

from archive.archive import Archive
from archive.extract.requisites import of_style, requisites
from archive.settings import ArchiveSettings

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
PAGE = b"""<html><head><title>Ship</title><link rel=stylesheet href=/main.css><link rel="alternate stylesheet" href=/no.css>
<script src=/app.js></script></head><body><article><h1>Ship</h1><p>A long paragraph about a ship that sailed.</p>
<img src=/a.png srcset="/small.png 300w, /large.png 900w"><img src=/huge.png><img src=/private/b.png><img src=/a.png>
<div style="background: url('/bg.png')"></div><img src="data:image/png;base64,xx"><img src="javascript:x()"></article></body></html>"""
CSS = b"""/* url(/commented.png) */ @import "more.css"; @font-face { src: url(fonts/f.woff2) } body { background: url(bg.png) }"""
FEED = "<rss version='2.0'><channel><title>Ships</title><item><guid>1</guid><link>{}/ship</link><title>Ship</title></item></channel></rss>"


@pytest.fixture
def ships(site: Site) -> Site:
    def image(body: bytes = PNG) -> Answer:
        return Answer(body, content_type="image/png")

    site.pages.update(
        {
            "/feed": Answer(FEED.format(site.url).encode(), content_type="application/rss+xml"),
            "/ship": Answer(PAGE),
            "/main.css": Answer(CSS, content_type="text/css"),
            "/more.css": Answer(b'@import "main.css"; p { color: red }', content_type="text/css"),
            "/fonts/f.woff2": Answer(b"wOF2" + b"1" * 50, content_type="font/woff2"),
            "/robots.txt": Answer(b"User-agent: *\nDisallow: /private/\n", content_type="text/plain"),
            **{f"/{name}.png": image() for name in ("a", "large", "small", "bg")},
            "/huge.png": image(os.urandom(200_000)),
            "/private/b.png": image(),
        }
    )
    return site


def test_they_are_fetched_with_the_same_manners_and_kept_once(ships: Site, home: Home) -> None:
    home.settings |= {"PRESSMARK_REQUISITES": "1", "PRESSMARK_REQUISITE_BYTES": "100000"}
    assert home.crawl(f"url={ships.url}/feed").code == 0
    assert sorted(set(ships.asked)) == sorted(
        {
            "/robots.txt",
            "/feed",
            "/ship",
            "/main.css",
            "/more.css",
            "/fonts/f.woff2",
            "/a.png",
            "/large.png",
            "/bg.png",
            "/huge.png",
        }
    )
    assert len(ships.asked) == len(set(ships.asked))
    archive = Archive.open(ArchiveSettings(home=home.path))
    kinds = {name: archive.find(f"{ships.url}/{name}.png").kind for name in ("a", "large", "bg")}
    assert sorted(kinds.values()) == ["response", "revisit", "revisit"]
    assert archive.find(f"{ships.url}/huge.png").truncated == "length"
    assert archive.payload(archive.find(f"{ships.url}/fonts/f.woff2")).startswith(b"wOF2")
    assert home.crawl("force=1").code == 0
    assert ships.asked.count("/a.png") == 1


def test_they_are_left_alone_otherwise(ships: Site, home: Home) -> None:
    assert home.crawl(f"url={ships.url}/feed").code == 0
    assert sorted(ships.asked) == ["/feed", "/robots.txt", "/ship"]


def test_what_a_page_loads_is_found() -> None:
    found = requisites(PAGE, url="http://x.example/p/", content_type="text/html")
    assert [(one.url.removeprefix("http://x.example"), one.kind) for one in found] == [
        ("/main.css", "style"), ("/large.png", "image"), ("/a.png", "image"), ("/huge.png", "image"), ("/private/b.png", "image"), ("/bg.png", "image"),
    ]  # fmt: skip
    style = of_style(CSS, url="http://x.example/c/main.css")
    assert [(one.url.removeprefix("http://x.example/c/"), one.kind) for one in style] == [
        ("more.css", "style"), ("fonts/f.woff2", "font"), ("bg.png", "image"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0\xff",
        b"<base href='http://['><img src=x>",
        b"<img src='http://[::'>",
        b"<style>url(" * 5_000,
        b"<img srcset='" + b"," * 90_000,
    ],
)
def test_nothing_a_page_holds_stops_it(payload: bytes, tmp_path: Path) -> None:
    assert len(requisites(payload, url="http://x.example/", content_type=None)) < 300


def test_a_size_that_is_not_a_number_counts_as_none() -> None:
    page = b"<img srcset='a.png 1.2.3w, b.png 2x,c.png 3x, d.png'>"
    assert [one.url for one in requisites(page, url="http://x.example/", content_type=None)] == [
        "http://x.example/c.png"
    ]


def test_a_comment_that_is_not_closed_lasts_to_the_end() -> None:
    css = b"/* url(no) */ a { b: url(yes.png) } /* url(never.png)" + b"/* " * 100_000
    assert [one.url for one in of_style(css, url="http://x.example/")] == ["http://x.example/yes.png"]

"""Pictures that a page would load late: captured with it, and shown from the archive."""

from __future__ import annotations

import re

import pytest
from lxml.html import document_fromstring

from archive.extract.image_sources import image_sources
from archive.extract.requisites import requisites
from archive.web.sanitize import media, plain

PAGE = "http://blog.example/post"
GIF = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
LATE = [
    '<img src="/one.png">',
    '<img srcset="/small.png 300w, /one.png 900w">',
    f'<img src="{GIF}" data-src="/one.png">',
    f'<img src="{GIF}" data-lazy-src="/one.png">',
    f'<img src="{GIF}" data-original="/one.png">',
    f'<img src="{GIF}" data-srcset="/small.png 1x, /one.png 2x">',
    f'<img src="{GIF}" data-lazy-srcset="/small.png 300w, /one.png 900w" srcset="{GIF} 1w">',
    f'<img src="{GIF}" data-whatever="/one.png">',
    '<img data-lazy="/one.png">',
    "<noscript><img src='/one.png'></noscript>",
    f"<img src='{GIF}'><noscript><p>No scripts: <img src='/one.png'></p></noscript>",
    "<picture><source srcset='/one.png'><img alt='x'></picture>",
    f"<picture><source data-srcset='/one.png 2x' type='image/webp'><img src='{GIF}'></picture>",
    '<amp-img src="/one.png"></amp-img>',
]


def shown(html: str, *kept: str) -> list[str]:
    view = plain(
        html.encode(),
        url=PAGE,
        content_type="text/html; charset=utf-8",
        stamp="20240101000000",
        kept={f"http://blog.example{path}" for path in kept},
    )
    return re.findall(r'<img[^>]* src="/web/20240101000000im_/http://blog.example([^"]*)"', view)


@pytest.mark.parametrize("image", LATE)
def test_a_picture_is_captured_and_shown_however_late_it_would_load(image: str) -> None:
    html = f"<html><body><p>Before</p>{image}<p>After</p></body></html>"
    given = {"url": PAGE, "content_type": "text/html; charset=utf-8"}
    assert "http://blog.example/one.png" in [one.url for one in requisites(html.encode(), **given)]
    assert "http://blog.example/one.png" in media(html.encode(), **given)
    assert shown(html, "/one.png") == ["/one.png"]


def test_each_picture_behind_one_placeholder_is_its_own() -> None:
    html = "".join(f'<p>{name}</p><img src="/blank.gif" data-src="/{name}.png">' for name in ("one", "two", "three"))
    assert shown(html, "/one.png", "/two.png", "/three.png") == ["/one.png", "/two.png", "/three.png"]
    assert shown(html, "/one.png", "/three.png", "/blank.gif") == ["/one.png", "/blank.gif", "/three.png"]


def test_a_picture_that_is_there_twice_for_readers_without_scripts_is_shown_once() -> None:
    html = f'<img src="{GIF}" data-src="/one.png"><noscript><img src="/one.png"></noscript><p>After.</p>'
    assert shown(html, "/one.png") == ["/one.png"]


def test_the_smaller_one_is_shown_if_only_that_is_archived() -> None:
    assert shown('<img src="/small.png" srcset="/large.png 2x">', "/small.png") == ["/small.png"]
    assert shown('<img src="/small.png" srcset="/large.png 2x">', "/small.png", "/large.png") == ["/large.png"]


def test_what_is_for_readers_without_scripts_is_no_way_around_the_sanitizer() -> None:
    html = '<noscript><img src="/one.png" onerror="alert(1)"><script>alert(2)</script></noscript>'
    view = plain(
        html.encode(),
        url=PAGE,
        content_type="text/html",
        stamp="20240101000000",
        kept={"http://blog.example/one.png"},
    )
    assert "alert" not in view


@pytest.mark.parametrize(
    "attributes",
    ['data-src="true"', 'data-caption="a.png of the sea"', 'data-original="{}/"', 'data-lazy-src="javascript:x()//"'],
)
def test_what_is_no_address_is_not_asked_for(attributes: str) -> None:
    image = document_fromstring(f"<img {attributes}>").find(".//img")
    assert list(image_sources(image)) == []


def test_other_sizes_of_a_picture_that_is_there_are_not_asked_for() -> None:
    image = document_fromstring('<img src="/a.png" data-large-file="/b.png" data-orig-file="/c.png">').find(".//img")
    assert list(image_sources(image)) == ["/a.png"]

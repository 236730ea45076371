"""An archive whose newest captures confirm earlier ones, in every way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sample.archives import capture, keep

from archive.archive import Archive
from archive.extract.text import Text
from archive.settings import ArchiveSettings

if TYPE_CHECKING:
    from conftest import Home

SITE = "http://blog.example"
PAGE = b"Content-Type: text/html; charset=utf-8\r\nETag: x\r\nX-Made-By: the first visit\r\n"
UNMODIFIED = b"ETag: x\r\nX-Made-By: a later visit\r\n"
MOVED = b"Content-Type: text/html\r\nLocation: /post\r\n"
STYLE = b"h1 { color: rgb(1, 2, 3) }"


def page(words: str, link: str = "/", style: str = "/none.css") -> bytes:
    script = "document.body.insertAdjacentHTML('beforeend', '<p>and scripts ran</p>')"
    return (
        f"<!doctype html><html><head><title>{words}</title><link rel=stylesheet href={style}></head>"
        f"<body><h1>{words}</h1><a href={link}>next</a><script>{script}</script></body></html>"
    ).encode()


RIVER, SHARED, LINKED = page("The river rose", "/linked", "/style.css"), page("A page of two"), page("The linked page")


def kept(home: Home) -> Archive:
    """Confirmed by a 304, by the same bytes, at another URL, behind a redirect; hours as in `SHOWN`."""
    archive = Archive.open(ArchiveSettings(home=home.path))
    keep(
        archive,
        (
            capture(0, RIVER, url=f"{SITE}/post", headers=PAGE),
            Text(url=f"{SITE}/post", text="a", markdown="a", title="The river"),
        ),
        capture(0, STYLE, url=f"{SITE}/style.css", headers=b"Content-Type: text/css\r\nETag: x\r\n"),
        capture(0, LINKED, url=f"{SITE}/linked", headers=PAGE),
        capture(0, SHARED, url=f"{SITE}/shared", headers=PAGE),
        capture(1, b"<p>moved</p>", 301, url=f"{SITE}/old", headers=MOVED),
    )
    keep(
        archive,
        capture(6, RIVER, url=f"{SITE}/post", headers=PAGE),
        capture(7, RIVER, url=f"{SITE}/copy", headers=PAGE),
        capture(8, b"<p>moved</p>", 301, url=f"{SITE}/old", headers=MOVED),
        capture(8, page("The page of two was changed"), url=f"{SITE}/shared", headers=PAGE),
        capture(9, page("A page of two", "/shared"), url=f"{SITE}/index", headers=PAGE),
        capture(9, SHARED, url=f"{SITE}/other", headers=PAGE),
    )
    keep(
        archive,
        capture(12, b"", 304, url=f"{SITE}/post", headers=UNMODIFIED),
        capture(12, b"", 304, url=f"{SITE}/copy", headers=UNMODIFIED),
        capture(12, b"", 304, url=f"{SITE}/style.css", headers=UNMODIFIED),
        capture(12, b"", 304, url=f"{SITE}/linked", headers=UNMODIFIED),
    )
    return archive


SHOWN = [
    (0, "/post", "The river rose"),
    (6, "/post", "The river rose"),
    (12, "/post", "The river rose"),
    (7, "/copy", "The river rose"),
    (12, "/copy", "The river rose"),
    (1, "/old", "The river rose"),
    (8, "/old", "The river rose"),
    (8, "/shared", "The page of two was changed"),
    (9, "/other", "A page of two"),
    (12, "/linked", "The linked page"),
]
"""Hour and path of captures, and the words that each one shows."""

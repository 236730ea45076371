"""Captures that confirm an earlier one show it, in the replay engine and in the plain view."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from conftest import Home, missing
from sample.archives import at, capture, keep, serving
from sample.browsing import Watched, World

from archive.archive import Archive
from archive.settings import ArchiveSettings
from archive.web.replay import is_there

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SITE = "http://blog.example"
ANSWERED = b"Content-Type: text/html; charset=utf-8\r\nETag: x\r\n"
UNMODIFIED = b"ETag: x\r\n"
MOVED = b"Content-Type: text/html\r\nLocation: /post\r\n"


def page(words: str, link: str = "/", style: str = "") -> bytes:
    head = f"<link rel=stylesheet href={style}>" if style else ""
    script = "document.body.insertAdjacentHTML('beforeend', '<p>and scripts ran</p>')"
    return (
        f"<!doctype html><html><head><title>{words}</title>{head}</head>"
        f"<body><h1>{words}</h1><a href={link}>next</a><script>{script}</script></body></html>"
    ).encode()


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Pages that were confirmed in every way: by a 304, by the same bytes, at another URL, behind a redirect."""
    if not is_there():
        missing("the replay engine")
    home = Home(tmp_path_factory.mktemp("revisits") / "home")
    post, shared = page("The river rose", "/linked", "/style.css"), page("A shared page", "/shared")
    linked, css = page("The linked one"), b"h1 { color: rgb(1, 2, 3) }"
    with Archive.open(ArchiveSettings(home=home.path)) if False else _open(home) as archive:
        keep(
            archive,
            capture(0, post, url=f"{SITE}/post", headers=ANSWERED),
            capture(0, css, url=f"{SITE}/style.css", headers=b"Content-Type: text/css\r\nETag: x\r\n"),
            capture(0, linked, url=f"{SITE}/linked", headers=ANSWERED),
            capture(0, shared, url=f"{SITE}/shared", headers=ANSWERED),
            capture(1, b"<p>moved</p>", 301, url=f"{SITE}/old", headers=MOVED),
        )
        rows = keep(
            archive,
            capture(6, post, url=f"{SITE}/post", headers=ANSWERED),
            capture(7, post, url=f"{SITE}/copy", headers=ANSWERED),
            capture(8, b"<p>moved</p>", 301, url=f"{SITE}/old", headers=MOVED),
            capture(8, page("The shared page was changed"), url=f"{SITE}/shared", headers=ANSWERED),
            capture(9, shared, url=f"{SITE}/other-address", headers=ANSWERED),
            capture(12, b"", 304, url=f"{SITE}/post", headers=UNMODIFIED),
            capture(12, b"", 304, url=f"{SITE}/style.css", headers=UNMODIFIED),
            capture(12, b"", 304, url=f"{SITE}/linked", headers=UNMODIFIED),
        )
        print([(r.url, r.kind, r.status, r.mime) for r in rows])
    with serving(home, "--replay-port", "0") as bases:
        base, replay = bases.split()
        yield World(base, replay, [], [])


from contextlib import contextmanager


@contextmanager
def _open(home):
    archive = Archive.open(ArchiveSettings(home=home.path))
    yield archive
    archive.index.engine.dispose()


@pytest.fixture
def seen(browser: Browser, archived: World) -> Iterator[Watched]:
    found = Watched(browser, archived)
    yield found
    found.context.close()


def engine_shows(seen: Watched, world: World, hour: float, path: str, words: str) -> str:
    seen.page.goto(f"{world.base}/replay/{at(hour):%Y%m%d%H%M%S}/{SITE}{path}")
    said = ""
    for _ in range(300):
        seen.page.wait_for_timeout(200)
        for frame in (one for one in seen.page.frames if "mp_/" in one.url):
            said = str(frame.evaluate("document.body ? document.body.innerText : ''"))
            if words in said:
                return said
    return pytest.fail(f"not replayed: {[frame.url for frame in seen.page.frames]} {said!r} {seen.said}")


@pytest.mark.parametrize(
    ("hour", "path", "words"),
    [
        (0, "/post", "The river rose"),
        (6, "/post", "The river rose"),
        (12, "/post", "The river rose"),
        (7, "/copy", "The river rose"),
        (1, "/old", "The river rose"),
        (8, "/old", "The river rose"),
        (12, "/old", "The river rose"),
        (8, "/shared", "The shared page was changed"),
        (9, "/other-address", "A shared page"),
    ],
)
def test_the_engine_shows_what_a_capture_confirms(
    seen: Watched, archived: World, hour: float, path: str, words: str
) -> None:
    try:
        said = engine_shows(seen, archived, hour, path, words)
        assert "and scripts ran" in said
    finally:
        seen.page.screenshot(path=f"/tmp/rp/{hour}{path.replace('/','-')}.png")

"""The web app of the archive answers everything although it can write nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from sample.archives import POST, at, capture, keep
from sqlalchemy import Engine, create_engine
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.errors import DatabaseError, StoreRefusedError
from archive.extract.text import Text
from archive.index.index import Index
from archive.index.writing import IndexWriter, ObjectRows
from archive.reader.reader import Reader
from archive.settings import ArchiveSettings
from archive.stores import FolderStore
from archive.web import Templates, application
from archive.web.settings import WebSettings

STAMP = f"{at(0):%Y%m%d%H%M%S}"
PAGE = b'<html><title>T</title><img src="/i.png"><p>one</p></html>'


class ReadOnlyStore(FolderStore):
    def put(self, key: str, source: bytes | Path) -> None:
        raise StoreRefusedError("read only", location=self.location, key=key)

    def check(self) -> None:
        raise StoreRefusedError("read only", location=self.location)


def read_only(database: Path) -> Engine:
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(f"file:{database}?mode=ro", uri=True))


@pytest.fixture
def key(tmp_path: Path) -> str:
    """An archive in `tmp_path`; gives its WARC object's key."""
    settings = ArchiveSettings(home=tmp_path)
    archive = Archive.open(settings)
    text = Text(url=POST, text="one word", markdown="# one", title="T")
    found = keep(
        archive,
        (capture(0, PAGE), text),
        (capture(6, b"<p>two</p>"), Text(url=POST, text="two words", markdown="two", title="T")),
        capture(0, b"\x89PNG", url="http://blog.example/i.png", headers=b"Content-Type: image/png\r\n"),
        capture(1, b"", 301, url="http://blog.example/old", headers=b"Location: /post\r\n"),
    )
    archive.index.engine.dispose()
    return found[0].object


@pytest.fixture
def reader(tmp_path: Path, key: str) -> Iterator[Reader]:
    engine = read_only(tmp_path / "pressmark.db")
    yield Reader(ReadOnlyStore(tmp_path / "store"), Index(engine))
    engine.dispose()


def test_neither_store_nor_index_can_be_written(reader: Reader) -> None:
    with pytest.raises(StoreRefusedError):
        reader.store.put("warc/x", b"x")  # type: ignore[attr-defined]
    objects = reader.index.objects()
    with pytest.raises(DatabaseError, match="readonly"):
        IndexWriter(reader.index).add([*objects, replace(objects[0], key="warc/other")], [], [])
    with pytest.raises(DatabaseError, match="readonly"):
        IndexWriter(reader.index).replace([ObjectRows(stored=objects[0], captures=[], texts=[], words=())])


def test_the_web_app_answers_every_route_over_a_reader(reader: Reader, key: str, tmp_path: Path) -> None:
    gate = application(reader, WebSettings(), Templates(), replay=lambda origin: origin)
    app = gate._app
    asked = {
        "/": ["/"],
        "/blogs": ["/blogs"],
        "/blog/{host}": ["/blog/blog.example"],
        "/at": ["/at?blog=blog.example&time=2026"],
        "/at/{rest:path}": [
            f"/at/{STAMP}/blog.example",
            f"/at/{STAMP}/blog.example/post/{POST}",
            f"/at/{STAMP}/blog.example/feed.atom",
        ],
        "/post/{rest:path}": [f"/post/{POST}", f"/post/{STAMP}/{POST}"],
        "/diff/{rest:path}": [f"/diff/{POST}"],
        "/replay/{rest:path}": [f"/replay/{STAMP}/{POST}"],
        "/exchange/{rest:path}": [f"/exchange/{STAMP}/{POST}"],
        "/download/{form}/{rest:path}": [
            f"/download/{form}/{STAMP}/{POST}"
            for form in ("text", "markdown", "html", "json", "warc", "wacz", "replay")
        ],
        "/search": ["/search?q=one"],
        "/deletions": ["/deletions"],
        "/api/deletions": ["/api/deletions"],
        "/calendar": [f"/calendar?url={POST}"],
        "/web/*/{rest:path}": [f"/web/*/{POST}"],
        "/web/{rest:path}": [
            f"/web/{POST}",
            f"/web/{STAMP}/{POST}",
            f"/web/{STAMP}id_/{POST}",
            *(f"/web/timemap/{form}/{POST}" for form in ("link", "json", "cdx")),
        ],
        "/warcs/{rest:path}": [f"/warcs/{key}"],
        "/text/{rest:path}": [f"/text/{POST}", f"/text/{STAMP}/{POST}"],
        "/cdx": [f"/cdx?url={POST}"],
        "/cdx/search/cdx": [f"/cdx/search/cdx?url={POST}&output=json"],
        "/outback": [f"/outback?type=urlquery&url={POST}"],
        "/wayback/available": [f"/wayback/available?url={POST}"],
        "/api/search": ["/api/search?q=one"],
        "/api/versions": [f"/api/versions?url={POST}"],
        "/api/diff": [f"/api/diff?url={POST}"],
        "/openapi.json": ["/openapi.json"],
        "/static": ["/static/pressmark.css"],
    }
    assert set(asked) == _paths(app), "every route is asked for"
    with TestClient(gate, base_url="http://127.0.0.1", follow_redirects=False) as client:
        answers = {url: client.get(url).status_code for urls in asked.values() for url in urls}
    assert {url: status for url, status in answers.items() if status not in {200, 302, 303}} == {}


def _paths(app: FastAPI) -> set[str]:
    """What it serves: Starlette's routes, and those of the API as its own description lists them."""
    paths = {route.path for route in app.routes if isinstance(route, Route | Mount)}
    return paths | {path for path in app.openapi()["paths"] if path.startswith("/api/")}

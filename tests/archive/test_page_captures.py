"""Command, API, TimeMap and pages agree on the captures of a page, however its URL is written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from sample.archives import HTML, at, capture, keep
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.cli import history
from archive.extract.text import Text
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from archive.web import Templates, application
from archive.web.settings import WebSettings

PLAIN, SECURE, WWW = "http://blog.example/post", "https://blog.example/post", "https://www.blog.example/post"


def page(hours: float, url: str) -> tuple[Capture, Text]:
    words = f"words of hour {hours}"
    return capture(hours, f"<p>{words}</p>".encode(), url=url), Text(url=url, text=words, markdown=words, title="T")


@pytest.fixture
def archive(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.setenv("PRESSMARK_HOME", str(tmp_path))
    monkeypatch.setenv("PRESSMARK_DATABASE", database)
    archive = Archive.open(ArchiveSettings(home=tmp_path, database=database))
    moved = HTML + b"Location: https://www.blog.example/post\r\n"
    keep(
        archive,
        page(0, PLAIN),
        page(1, PLAIN),
        page(2, SECURE),
        page(3, WWW),
        page(4, f"{WWW}/"),
        capture(5, b"", 301, PLAIN, moved),  # between two ways to write the same URL: no capture of the others
        page(6, f"{PLAIN}?page=2"),
    )
    return archive


@pytest.mark.parametrize(("url", "number"), [(PLAIN, 6), (SECURE, 5), (WWW, 5), (f"{SECURE}/", 5)])
def test_command_api_timemap_and_page_count_the_same_captures(archive: Archive, url: str, number: int) -> None:
    listed = CliRunner().invoke(history, [url, "--json"], catch_exceptions=False).stdout.splitlines()
    gate = application(archive, WebSettings(), Templates())
    with TestClient(gate, base_url="http://127.0.0.1", follow_redirects=False) as web:
        table = web.get(f"/web/timemap/json/{url}").json()[1:]
        lines = web.get(f"/web/timemap/cdx/{url}").text.splitlines()
        links = re.findall(r'rel="[^"]*memento[^"]*"; *datetime', web.get(f"/web/timemap/link/{url}").text)
        calendar = web.get(f"/web/*/{url}").text
        versions = web.get(f"/api/versions?url={url}").json()["versions"]
    assert len(archive.captures(url)) == number
    assert len(listed) == len(table) == len(lines) == len(links) == number
    assert [json.loads(line)["timestamp"] for line in listed] == [row.timestamp for row in archive.captures(url)]
    assert sum(one["captures"] for one in versions) == 5, "the redirect has no text"
    assert f"{number} captures" in re.sub(r"<[^>]+>", "", calendar)


def test_what_has_only_the_same_urlkey_counts_where_nothing_else_does(archive: Archive) -> None:
    keep(archive, capture(9, url="http://blog.example/list?b=2&a=1"))
    assert [row.date for row in archive.captures("http://blog.example/list?a=1&b=2")] == [at(9)]

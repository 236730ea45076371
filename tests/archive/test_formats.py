"""Export formats: one table that the command line, HTTP, the page and the documents read.

`PYTHONPATH=tests python tests/archive/test_formats.py` updates the table in docs/web.md.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sample.archives import POST, at, capture, keep
from starlette.testclient import TestClient

from archive import cli
from archive.archive import Archive
from archive.export import formats
from archive.export.formats import FORMATS, TextFormat
from archive.extract.text import Text
from archive.settings import ArchiveSettings
from archive.web import Templates, application
from archive.web.settings import WebSettings
from archive.web.text_api import negotiated

DOCS = Path(__file__).resolve().parents[2] / "docs"
DOCUMENT = DOCS / "web.md"
BEGIN, END = "<!-- formats -->\n", "<!-- end of formats -->\n"
SHOUTED = TextFormat(
    name="shouted",
    label="Shouted",
    media_type="text/x-shouted",
    suffix="loud",
    description="the text in capitals",
    make=lambda _archive, text: text.text.upper().encode(),
)


def table() -> str:
    lines = ["| format | media type | file | contents | `/text/` |\n", "| --- | --- | --- | --- | --- |\n"]
    lines += [
        f"| `{row.name}` | `{row.media_type}` | `.{row.suffix}` | {row.description} |"
        f" {'yes' if isinstance(row, TextFormat) else 'no'} |\n"
        for row in FORMATS
    ]
    return "".join(lines)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    found = Archive.open(ArchiveSettings(home=tmp_path))
    text = Text(url=POST, text="one", markdown="# one", title="T")
    keep(found, (capture(0, b"<p>one</p>", headers=b"Content-Type: text/html\r\n"), text))
    monkeypatch.setattr(cli, "open_archive", lambda: found)
    return found


def web(archive: Archive) -> TestClient:
    return TestClient(application(archive, WebSettings(), Templates()), base_url="http://127.0.0.1")


def get(*options: str) -> tuple[int, bytes]:
    done = CliRunner().invoke(cli.get, [POST, *options])
    return done.exit_code, done.stdout_bytes


def test_the_document_shows_the_table() -> None:
    text = DOCUMENT.read_text()
    assert text[text.index(BEGIN) + len(BEGIN) : text.index(END)] == table()
    commands = (DOCS / "commands.md").read_text()
    assert set(re.findall(r"`--as (\w+)`", commands)) == {row.name for row in FORMATS}


def test_every_format_is_written_the_same_by_command_and_download(archive: Archive) -> None:
    client = web(archive)
    for row in FORMATS:
        code, written = get("--as", row.name)
        answer = client.get(f"/download/{row.name}/{at(0):%Y%m%d%H%M%S}/{POST}")
        assert (code, answer.status_code) == (0, 200), row.name
        assert answer.content == written, row.name
        assert answer.headers["content-type"].partition(";")[0] == row.media_type
        assert answer.headers["content-disposition"].endswith(f'.{row.suffix}"')
        assert "sandbox" in answer.headers["content-security-policy"]


def test_an_unknown_format_is_answered_with_those_there_are(archive: Archive) -> None:
    code, _ = get("--as", "exe")
    assert code == 2
    answer = web(archive).get(f"/download/exe/{POST}")
    assert (answer.status_code, answer.text) == (
        404,
        "exe: not a format: use text, markdown, html, json, warc or wacz\n",
    )


def test_a_row_is_all_that_a_new_format_needs(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    assert get("--as", "shouted")[0] == 2
    monkeypatch.setattr(formats, "FORMATS", (*FORMATS, SHOUTED))
    client = web(archive)
    assert get("--as", "shouted") == (0, b"ONE")
    assert "shouted" in CliRunner().invoke(cli.get, ["--help"]).output
    assert client.get(f"/text/{POST}", headers={"Accept": "text/x-shouted"}).text == "ONE"
    assert "text/x-shouted" in client.get(f"/text/{POST}", headers={"Accept": "image/png"}).text
    assert client.get(f"/download/shouted/{POST}").content == b"ONE"
    assert f"/{POST}" in client.get(f"/post/{POST}").text.partition('href="/download/shouted/')[2]


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "text"),
        ("*/*", "text"),
        ("text/*;q=0.2, application/json;q=0.1", "text"),
        ("application/json, text/plain;q=0.9", "json"),
        ("text/plain;q=0, */*", "markdown"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "text"),
        ("text/html", None),
        ("text/plain;q=x", None),
    ],
)
def test_content_negotiation(accept: str, name: str | None) -> None:
    found = negotiated(accept, formats.text_formats())
    assert (found.name if found else None) == name


if __name__ == "__main__":
    before = DOCUMENT.read_text()
    DOCUMENT.write_text(before[: before.index(BEGIN) + len(BEGIN)] + table() + before[before.index(END) :])
    sys.stdout.write(f"{DOCUMENT} is written\n")

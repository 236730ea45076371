"""Clients and replay tools that others wrote work on our HTTP, unmodified."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PROJECT, Home, missing
from sample.archives import POST, capture, keep, serving
from sample.services import PYWB, pywb

from archive.archive import Archive
from archive.settings import ArchiveSettings

CLIENTS = PROJECT / ".venv-clients" / "bin" / "python"
STAMPS = ["20260501120000", "20260501180000", "20260502000000", "20260502120000"]
BODIES = ["<p>one</p>", "<p>two</p>", "<p>two</p>", "<p>two</p>"]


@dataclass(frozen=True)
class Served:
    base: str
    archive: Archive


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A post that was captured four times: changed once, then the same bytes, then not modified; and its images."""
    home = Home(tmp_path_factory.mktemp("clients") / "home")
    archive = Archive.open(ArchiveSettings(home=home.path))
    server = b"Content-Type: text/html; charset=utf-8\r\nServer: blog\r\n"
    keep(
        archive,
        capture(0, headers=server),
        capture(6, b"<p>two</p>", headers=server),
        capture(12, b"<p>two</p>", headers=server),
        capture(24, b"", 304, headers=b"Server: blog\r\n"),
        capture(1, b"<p>moved</p>", 301, url="http://blog.example/old", headers=b"Location: /post\r\n"),
        capture(1, b"<p>gone</p>", 404, url="http://blog.example/gone"),
        *(capture(2, b"%d" % n, url=f"http://www.blog.example/{n}") for n in range(4)),
    )
    with serving(home) as base:
        yield Served(base, archive)


def ran(name: str, base: str) -> Any:
    if not CLIENTS.exists():
        missing("other people's clients")
    script = PROJECT / "tests" / "sample" / "clients.py"
    done = subprocess.run(
        [str(CLIENTS), str(script), name, base, POST], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_memento_client(served: Served) -> None:
    assert ran("memento_client", served.base) == {
        "first": "2026-05-01 12:00:00",
        "last": "2026-05-02 12:00:00",
        "closest": "2026-05-01 18:00:00",
        "uri": f"{served.base}/web/{STAMPS[1]}/{POST}",
    }


def test_wayback_of_edgi(served: Served) -> None:
    assert ran("edgi", served.base) == {
        "stamps": STAMPS,
        "bodies": BODIES,
        "status": [200, 200, 200, 200],
        "server": ["blog"] * 4,
    }


def test_cdx_toolkit(served: Served) -> None:
    assert ran("cdx_toolkit", served.base) == {
        "stamps": STAMPS,
        "bodies": BODIES,
        "all": 10,
        "size": 1,
        "record": POST,
        "payload": BODIES[0],
    }


def test_waybackpy(served: Served) -> None:
    assert ran("waybackpy", served.base) == {
        "stamps": STAMPS,
        "domain": 10,
        "near": STAMPS[1],
        "newest": STAMPS[-1],
        "oldest": STAMPS[0],
        "available": f"{served.base}/web/{STAMPS[1]}/{POST}",
    }


def test_cdxsummary(served: Served) -> None:
    assert ran("cdxsummary", served.base) == {"captures": 10, "urls": 7}


def test_pywb_replays_from_our_index_and_our_ranges(served: Served, tmp_path: Path) -> None:
    if not (PYWB / "wayback").exists():
        missing("pywb")
    host = served.base.removeprefix("http://")
    written = (PROJECT / "docs" / "web.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    collection = yaml.safe_load(written.replace("127.0.0.1:8080", host))["collections"]["pressmark"]
    with pywb(tmp_path, collection) as port:

        def asked(path: str) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse()

        for stamp, body in zip(STAMPS, BODIES, strict=True):
            answer = asked(f"/ours/{stamp}id_/{POST}")
            assert (answer.status, answer.read().decode()) == (200, body), (tmp_path / "log").read_text()
        assert asked(f"/ours/{STAMPS[0]}id_/http://blog.example/gone").status == 404
        assert asked(f"/ours/{STAMPS[0]}id_/http://blog.example/never").status == 404

"""Archives and databases that earlier versions wrote open without a manual step, and answer as they did.

Each archive in `tests/saved` is found by itself; `tests/saved/make.py` tells how they are made.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from conftest import Home
from sample import saved
from sample.server import Site
from sample.services import free_port, wait_for

VERSIONS = saved.versions()


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def told(version: str) -> dict[str, Any]:
    """What the version answered."""
    return saved.recorded(version)


@pytest.fixture
def kept(version: str, tmp_path: Path) -> Home:
    """What the version wrote."""
    return Home(saved.unpack(version, tmp_path), **saved.SETTINGS)


@pytest.fixture
def blogs(kept: Home) -> Iterator[dict[str, Site]]:
    """The blogs that it was made from, as they were at the end."""
    with saved.saved_web(json.loads((kept.path.parent / "web.json").read_text())) as sites:
        yield sites


def test_there_is_an_archive_of_the_first_version() -> None:
    assert "0.1.0" in VERSIONS


def test_what_was_kept_is_given_back_as_before(kept: Home, told: dict[str, Any]) -> None:
    """By commands and over HTTP: as it was saved, with what a killed run had left, and from the object store alone."""
    home, lost = kept, []
    for stage, before in told["stages"].items():
        home = saved.bring_to(home, stage)
        with saved.serving(home) as base:
            paths = saved.fetched(base, [one["path"] for one in before["paths"]])
        commands = saved.asked(home, [one["argv"] for one in before["commands"]])
        lost += saved.missing(before, {"commands": commands, "paths": paths}, stage)
    assert not lost, "\n".join(lost)
    assert list((kept.path / "spool").iterdir()) == []


def test_the_daemon_goes_on_where_the_killed_one_was(kept: Home, told: dict[str, Any], blogs: dict[str, Site]) -> None:
    """Its jobs fire when they were due, and with them validators, passwords, subscriptions at hubs and alarms count."""
    off = ("RECHECK", "BACKFILL", "SEAL", "VERIFY", "WEBSUB", "HOUSEKEEPING")
    kept.settings |= {f"PRESSMARK_{name}_EVERY": "off" for name in off}
    port = str(free_port())
    with _webhook() as (hook, alarms), ExitStack() as stack:
        kept.settings["PRESSMARK_ALARM_WEBHOOK"] = hook
        process, log = stack.enter_context(saved.daemon(kept, "--port", port))
        # Of the jobs that were stored one that could not be read would be planned anew, and its past forgotten.
        wait_for(lambda: "job ended name=tell outcome=done" in log(), 60)
        _is_known_to_its_hub(f"http://127.0.0.1:{port}", told["hub"], log)
        process.terminate()
        assert process.wait(30) == 0
        said = log()
    assert "Unable to restore" not in said, "every stored job was read"
    assert "daemon stopped" in said
    assert not [line for line in said.splitlines() if " ERROR" in line or "Traceback" in line]

    saved_run = told["stages"]["saved"]
    untold = [one for one in _answer(saved_run, "alarms") if not one["ended"] and not one["told"]]
    reported = {(one["kind"], one["subject"]) for one in alarms}
    assert untold
    assert {(one["kind"], one["subject"]) for one in untold} <= reported, "what nobody knew of is reported now"

    fetched = {url + asked.path for url, site in blogs.items() for asked in site.log}
    posts = {url for url in fetched if urlsplit(url).path.startswith("/2026/")}
    assert posts == set(told["unfetched"]), "only what the killed run had not fetched is fetched"
    feeds = {one["url"]: one for one in _answer(saved_run, "feeds")}
    for url, before in feeds.items():
        visits = [asked for asked in blogs[_root(url)].log if asked.path == urlsplit(url).path]
        if before["state"] == "paused":
            assert not visits, url
        elif before["status"] in {200, 304}:
            assert visits, url
            # A feed that has not changed for long is asked for without conditions now and then, but not at first.
            assert visits[0].status in {301, 304}, "the validators that were stored are sent"
    private = {asked.headers.get("authorization") for asked in blogs[told["private"]].log}
    assert private == {"Basic " + base64.b64encode(b"reader:a secret").decode()}
    with closing(sqlite3.connect(kept.path / "pressmark.db")) as connection:
        outcomes = [row[0] for row in connection.execute("SELECT outcome FROM runs WHERE job = 'crawl' ORDER BY id")]
    assert set(outcomes[outcomes.index("lost") + 1 :]) == {"done"}, outcomes


def _answer(stage: dict[str, Any], command: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(one["json"] for one in stage["commands"] if one["argv"][0] == command)
    return found


def _root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_known_to_its_hub(base: str, hub: dict[str, str], log: Any) -> None:
    """The hub may verify its subscription again, and is believed if it signs with the secret that it was given."""
    callback = f"{base}/websub/{hub['callback'].rpartition('/')[2]}"
    question = {
        "hub.mode": "subscribe",
        "hub.topic": hub["topic"],
        "hub.challenge": "yes",
        "hub.lease_seconds": "86400",
    }
    assert saved.fetch(f"{callback}?{urlencode(question)}")[::2] == (200, b"yes")
    began = log().count("job started name=crawl")
    signature = hmac.new(hub["secret"].encode(), b"news", hashlib.sha256).hexdigest()
    assert saved.fetch(callback, b"news", X_Hub_Signature=f"sha256={signature}")[0] == 202
    # One that runs already is followed by another once it has ended, minutes before the next would be due.
    wait_for(lambda: log().count("job started name=crawl") > began, 60)
    wait_for(lambda: log().count("job ended name=crawl outcome=done") > began, 60)


@contextmanager
def _webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Where alarms are sent; gives its URL, and those that came."""
    found: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alarms"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, fmt: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", found
    finally:
        server.shutdown()
        server.server_close()

"""What we write is read by programs that others wrote: warcio, FastWARC, gzip, pywb."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import BIN, Home, missing
from sample.blogs import EDIT, TIDE
from sample.raw import RawSite
from sample.server import Answer, Site
from sample.services import PYWB
from sample.services import pywb as pywb_of

from archive.archive import Archive
from archive.index.schema import CaptureRow, is_joined
from archive.maintenance import join_plan
from archive.maintenance.compact import Compaction
from archive.settings import ArchiveSettings
from archive.warc import record as warc
from archive.warc.members import members

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<p>ch\r\n7;x=y\r\nunks</p\r\n1\r\n>\r\n0\r\n\r\n"
SHORT = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<p>cut off"
FEED = "<rss version='2.0'><channel><title>Raw</title>{}</channel></rss>"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """An archive with every kind of capture: 200, 301, 404, 304, truncated, chunked, and both kinds of revisit."""
    home = Home(tmp_path_factory.mktemp("readers") / "home")
    with Site(host="localhost") as site, RawSite() as raw:
        root = site.url.replace("127.0.0.1", "localhost")
        rawroot = raw.url.replace("127.0.0.1", "localhost")
        site.pages.update(TIDE.pages(root))
        paths = [TIDE.url_of(post) for post in TIDE.posts]
        site.pages["/moved"] = site.pages[paths[0]]
        site.pages[paths[0]] = Answer(b"", status=301, headers={"Location": "/moved"}, validators=False)
        site.pages[paths[1]] = Answer(b"<h1>gone</h1>", status=404, validators=False)
        items = "".join(
            f"<item><guid>{path}</guid><link>{rawroot}{path}</link></item>" for path in ("/chunked", "/short")
        )
        feed = FEED.format(items).encode()
        raw.answers = {
            "/feed": b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: %d\r\n\r\n" % len(feed)
            + feed,
            "/chunked": CHUNKED,
            "/short": SHORT,
        }
        raw.closing = {"/short"}
        assert home.crawl(f"url={root}/ {rawroot}/feed").code == 0
        site.pages["/other"] = site.pages[paths[2]]
        blog = TIDE.edited(*EDIT).pages(root)
        site.pages["/feed/"] = Answer(
            blog["/feed/"].body.replace(paths[2].encode(), b"/other"), content_type="application/rss+xml"
        )
        assert home.crawl(f"url={root}/", "force=1").code == 0
        assert home.crawl(f"url={root}/", "force=1").code == 0
    return home


def rows(home: Home) -> list[CaptureRow]:
    archive = Archive.open(ArchiveSettings(home=home.path))
    return [row for one in archive.index.objects() for row in archive.index.of_object(one.key)[0]]


def files(home: Home) -> list[Path]:
    return [*home.objects("warc"), *home.objects("text")]


def test_there_is_every_kind_of_capture(home: Home) -> None:
    held = rows(home)
    assert {200, 301, 304, 404} <= {row.status for row in held}
    profiles = {
        record.get("WARC-Profile")
        for path in home.objects("warc")
        for record in warc.read(io.BytesIO(path.read_bytes()))
        if record.kind == "revisit"
    }
    assert profiles == {warc.IDENTICAL, warc.NOT_MODIFIED}
    assert any(row.truncated for row in held)


def test_warcio_fastwarc_and_gzip_find_nothing(home: Home) -> None:
    for path in files(home):
        for command in (["warcio", "check", "-v"], ["fastwarc", "check", "-q"]):
            done = subprocess.run(
                [str(BIN / command[0]), *command[1:], str(path)], capture_output=True, text=True, check=False
            )
            assert (done.returncode, "fail" in done.stdout.lower()) == (0, False), done.stdout + done.stderr
        assert subprocess.run(["gzip", "-t", str(path)], check=False).returncode == 0


def test_members_are_whole_and_hold_one_record_each(home: Home) -> None:
    for path in files(home):
        data = path.read_bytes()
        assert sum(member.length for member in members(io.BytesIO(data))) == len(data)


@pytest.fixture(scope="module")
def pywb(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a pywb that reads our index lines and our objects where they lie."""
    if not (PYWB / "wayback").exists():
        missing("pywb")
    folder = tmp_path_factory.mktemp("pywb")
    index = folder / "index"
    index.mkdir()
    for path in (home.path / "store" / "index").rglob("*.cdxj"):
        (index / path.name).write_bytes(path.read_bytes())
    collection = {"index_paths": str(index), "archive_paths": f"{home.path}/store/"}
    with pywb_of(folder, collection) as port:
        yield port


def asked(port: int, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Connection": "close"})
    return connection.getresponse()


def test_pywb_replays_every_capture_with_the_bytes_that_the_server_sent(home: Home, pywb: int) -> None:
    archive = Archive.open(ArchiveSettings(home=home.path))
    seen = set()
    for row in rows(home):
        answer = asked(pywb, f"/ours/{row.timestamp}id_/{row.url}")
        try:
            body = answer.read()
        except http.client.IncompleteRead as e:  # of a truncated capture there is less than its head says
            assert row.truncated
            body = e.partial
        exchange = archive.read(row)
        # A 304 is replayed as what it was: no body.
        assert (answer.status, body) == (row.status, b"" if row.status == 304 else exchange.body), row
        assert answer.getheader("Memento-Datetime"), row
        seen.add((row.kind, row.status))
    assert {("response", 200), ("revisit", 200), ("revisit", 304), ("response", 301), ("response", 404)} <= seen


def test_pywb_reads_the_zipnum_index_of_joined_objects(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (PYWB / "wayback").exists():
        missing("pywb")
    joined = tmp_path / "joined"
    shutil.copytree(home.path, joined)
    archive = Archive.open(ArchiveSettings(home=joined))
    monkeypatch.setattr(join_plan, "FEWEST", 2)
    Compaction(archive, now=lambda: datetime.now(UTC) + timedelta(days=40)).run()
    index = tmp_path / "index"
    index.mkdir()
    for path in (*(joined / "store" / "index").rglob("*.cdx.gz"), *(joined / "store" / "index").rglob("*.idx")):
        shutil.copy(path, index / path.name)
    summary = index / "all.idx"
    summary.write_bytes(b"".join(sorted(line for path in index.glob("*.idx") for line in path.open("rb"))))
    source = {"type": "zipnum", "path": str(summary), "shard_index_loc": {"match": ".*/", "replace": f"{index}/"}}
    held = [row for one in archive.index.objects() for row in archive.index.of_object(one.key)[0]]
    assert all(is_joined(row.object) for row in held)
    assert len(held) == len(rows(home))
    with pywb_of(tmp_path, {"index": source, "archive_paths": f"{joined}/store/"}) as port:
        for row in held:
            answer = asked(port, f"/ours/{row.timestamp}id_/{row.url}")
            try:
                body = answer.read()
            except http.client.IncompleteRead as e:
                assert row.truncated
                body = e.partial
            expected = b"" if row.status == 304 else archive.read(row).body
            assert (answer.status, body) == (row.status, expected), row


def test_pywbs_own_indexer_finds_the_captures_that_ours_has(home: Home) -> None:
    if not (PYWB / "cdx-indexer").exists():
        missing("pywb")
    for path in home.objects("warc"):
        done = subprocess.run(
            [str(PYWB / "cdx-indexer"), "-j", str(path)],
            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        found = [json.loads(re.sub(r"^\S+ \S+ ", "", line)) for line in done.stdout.splitlines() if line[0] != "!"]
        held = [row for row in rows(home) if row.object.endswith(path.name)]
        assert sorted((one["url"], int(one["offset"])) for one in found) == sorted(
            (row.url, row.offset) for row in held
        )
        digests = {int(one["offset"]): one["digest"] for one in found if "digest" in one}
        assert all(f"sha1:{digests[row.offset]}" == row.digest for row in held if row.offset in digests)

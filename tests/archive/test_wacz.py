"""WACZ files: what is in them, and that other tools find what a revisit refers to."""

from __future__ import annotations

import http.client
import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import BIN, Home, missing
from sample.archives import at
from sample.revisits import RIVER, SHOWN, SITE, kept
from sample.services import PYWB
from sample.services import pywb as pywb_of
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.warc import record as warc
from archive.web import Templates, application
from archive.web.settings import WebSettings


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    found = kept(Home(tmp_path_factory.mktemp("wacz") / "home"))
    yield found
    found.index.engine.dispose()


@pytest.fixture(scope="module")
def web(archive: Archive) -> TestClient:
    app = application(archive, WebSettings(), Templates(), local=True)
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


def stamped(hour: float, path: str) -> str:
    return f"{at(hour):%Y%m%d%H%M%S}/{SITE}{path}"


def packed(web: TestClient, hour: float, path: str, form: str = "wacz") -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(web.get(f"/download/{form}/{stamped(hour, path)}").content))


def records(file: zipfile.ZipFile) -> list[warc.Record]:
    return list(warc.read(io.BytesIO(file.read("archive/data.warc.gz"))))


def lines(file: zipfile.ZipFile) -> list[tuple[str, str, str]]:
    """URL, hour and status of each line of a file's index."""
    split = (line.split(" ", 2) for line in file.read("indexes/index.cdx").decode().splitlines())
    found = [(json.loads(fields), stamp) for _, stamp, fields in split]
    return [(one["url"].removeprefix(SITE), stamp[8:10], one["status"]) for one, stamp in found]


def test_the_index_leads_from_a_304_to_what_it_confirms(web: TestClient) -> None:
    file = packed(web, 12, "/post")
    assert {("/post", "12", "200"), ("/linked", "12", "200"), ("/style.css", "12", "200")} == set(lines(file))
    page = json.loads(file.read("pages/pages.jsonl").splitlines()[1])
    assert (page["url"], page["ts"], page["title"]) == (f"{SITE}/post", "2026-05-02T00:00:00Z", "The river")


def test_the_records_of_a_304_and_of_what_it_confirms_are_in_the_file_as_stored(
    web: TestClient, archive: Archive
) -> None:
    row = archive.find(f"{SITE}/post", at(12))
    found = {record.id: record for record in records(packed(web, 12, "/post"))}
    for record in (*archive.records(row), *archive.records(archive.confirmed(row)[-1])):
        assert found[record.id].block == record.block
    assert found[row.record].get("WARC-Profile") == warc.NOT_MODIFIED
    assert row.refers_to in found


def test_a_304_of_a_page_whose_bytes_are_another_ones_is_found_by_its_own_url(web: TestClient) -> None:
    assert {("/copy", "19", "200"), ("/post", "12", "200")} <= set(lines(packed(web, 12, "/copy")))


def test_a_file_has_one_payload_of_a_url(web: TestClient) -> None:
    found = lines(packed(web, 9, "/index"))
    assert ("/shared", "20", "200") in found
    assert ("/index", "21", "200") in found
    for form in ("wacz", "replay"):
        for hour, path, _ in SHOWN:
            file = packed(web, hour, path, form)
            urls = [record.url for record in records(file) if record.kind == "response"]
            assert len(urls) == len(set(urls)), (path, urls)


def test_redirects_that_lead_to_the_page_are_in_its_file(web: TestClient) -> None:
    assert {("/old", "20", "301"), ("/post", "18", "200"), ("/post", "12", "200")} <= set(lines(packed(web, 8, "/old")))


def test_a_304_has_the_headers_and_the_payload_that_it_confirms(web: TestClient) -> None:
    answer = web.get(f"/web/{at(12):%Y%m%d%H%M%S}id_/{SITE}/post")
    assert (answer.status_code, answer.content) == (200, RIVER)
    assert answer.headers["x-archive-orig-x-made-by"] == "the first visit"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["memento-datetime"] == "Sat, 02 May 2026 00:00:00 GMT"
    line = web.get("/cdx", params={"url": f"{SITE}/post", "limit": -1}).text.split()
    assert (line[3], line[4]) == ("warc/revisit", "304")
    assert "a later visit" in web.get(f"/exchange/{stamped(12, '/post')}").text


def test_warcio_finds_nothing_wrong_with_a_file(web: TestClient, tmp_path: Path) -> None:
    for form in ("wacz", "replay"):
        path = tmp_path / f"{form}.warc.gz"
        path.write_bytes(packed(web, 12, "/post", form).read("archive/data.warc.gz"))
        done = subprocess.run(
            [str(BIN / "warcio"), "check", "-v", str(path)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, "fail" in done.stdout.lower()) == (0, False), done.stdout


@pytest.mark.parametrize(("hour", "path"), [(12, "/post"), (6, "/post"), (12, "/copy"), (7, "/copy"), (8, "/old")])
def test_pywb_replays_the_page_of_a_file(web: TestClient, tmp_path: Path, hour: float, path: str) -> None:
    if not (PYWB / "wayback").exists():
        missing("pywb")
    file = packed(web, hour, path)
    for name, folder in (("archive/data.warc.gz", "archive"), ("indexes/index.cdx", "index")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name.rpartition("/")[2].replace(".cdx", ".cdxj")).write_bytes(file.read(name))
    with pywb_of(tmp_path, {"index_paths": f"{tmp_path}/index", "archive_paths": f"{tmp_path}/archive/"}) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", f"/ours/{at(hour):%Y%m%d%H%M%S}id_/{SITE}{path}", headers={"Connection": "close"})
        answer = connection.getresponse()
        if path == "/old":
            assert (answer.status, answer.getheader("Location")) == (301, "/post")
        else:
            assert (answer.status, answer.read()) == (200, RIVER)

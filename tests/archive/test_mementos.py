"""Mementos, TimeMaps, CDX, texts over HTTP."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import PROJECT, Home, missing
from sample.archives import POST, at, capture, keep, serving
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.export.wacz import WaczCache
from archive.extract.text import Text
from archive.settings import ArchiveSettings
from archive.web import Templates, application
from archive.web.settings import WebSettings

BASE = "http://127.0.0.1"
HOUR = {n: f"{at(n):%Y%m%d%H%M%S}" for n in range(60)}


@pytest.fixture
def archive(tmp_path: Path, database: str) -> Archive:
    return Archive.open(ArchiveSettings(home=tmp_path, store=f"file:{tmp_path / 'store'}", database=database))


def client(archive: Archive, *, local: bool = True, public_url: str = "") -> TestClient:
    app = application(archive, WebSettings(public_url=public_url), Templates(), local=local)
    return TestClient(app, base_url=BASE, follow_redirects=False)


@pytest.fixture
def web(archive: Archive) -> Iterator[TestClient]:
    keep(
        archive,
        (capture(0), Text(url=POST, text="one", markdown="# one", title="T")),
        (capture(6, b"<p>two</p>"), Text(url=POST, text="two", markdown="**two**", title="T")),
        capture(12, b"<p>two</p>"),
        capture(24, b"", 304, headers=b'ETag: "1"\r\n'),
        capture(1, b"", 301, url="http://blog.example/old", headers=b"Location: /post\r\n"),
        capture(1, b"<p>gone</p>", 404, url="http://blog.example/gone"),
    )
    with client(archive) as found:
        yield found


def test_a_timegate_leads_to_the_nearest_memento(web: TestClient) -> None:
    asked = web.get(f"/web/{POST}", headers={"Accept-Datetime": "Fri, 01 May 2026 17:00:00 GMT"})
    assert (asked.status_code, asked.headers["location"]) == (302, f"{BASE}/web/{HOUR[6]}/{POST}")
    assert "accept-datetime" in asked.headers["vary"].lower()
    newest = web.get(f"/web/{POST}")
    assert newest.headers["location"] == f"{BASE}/web/{HOUR[24]}/{POST}"
    assert web.get(f"/web/{POST}", headers={"Accept-Datetime": "soon"}).status_code == 400
    assert web.get("/web/http://blog.example/never").status_code == 404


@pytest.mark.parametrize(
    "written",
    [POST, "blog.example/post", "http:/blog.example/post", "https://www.blog.example/post/", quote(POST, safe="")],
)
def test_a_page_is_found_however_its_url_is_written(web: TestClient, written: str) -> None:
    assert web.get(f"/web/{HOUR[0]}id_/{written}").text == "<p>one</p>"


@pytest.mark.parametrize(
    ("stamp", "hour"),
    [
        ("2", 24),
        ("1", 0),
        ("2026", 24),
        ("20260501", 12),
        ("202605011", 6),
        (HOUR[5], 6),
        ("99999999999999", 24),
        ("00000000000000", 0),
    ],
)
def test_an_instant_that_no_capture_has_leads_to_the_nearest(web: TestClient, stamp: str, hour: int) -> None:
    for modifier in ("", "id_"):
        asked = web.get(f"/web/{stamp}{modifier}/{POST}")
        assert (asked.status_code, asked.headers["location"]) == (302, f"{BASE}/web/{HOUR[hour]}{modifier}/{POST}")


def test_a_payload_that_is_not_in_its_coding_is_given_without_it(archive: Archive) -> None:
    keep(archive, capture(0, b"<p>plain</p>", headers=b"Content-Type: text/html\r\nContent-Encoding: gzip\r\n"))
    answer = client(archive).get(f"/web/{HOUR[0]}id_/{POST}")
    assert answer.content == b"<p>plain</p>"
    assert "content-encoding" not in answer.headers
    assert answer.headers["x-archive-orig-content-encoding"] == "gzip"


def test_a_payload_is_given_as_it_was_received(archive: Archive) -> None:
    body = gzip.compress(b"<p>packed</p>")
    odd = b"Content-Type: text/html; charset=x\r\nContent-Encoding: gzip\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Odd: e\x01\x7f\r\nLink: <x>\r\n"
    keep(archive, capture(0, body, headers=odd))
    answer = client(archive).get(f"/web/{HOUR[0]}id_/{POST}")
    assert answer.content == b"<p>packed</p>"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "text/html; charset=x"
    assert answer.headers["x-archive-orig-set-cookie"] == "a=1, b=2"
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-archive-orig-x-odd"] == "e"
    assert answer.headers["memento-datetime"] == "Fri, 01 May 2026 12:00:00 GMT"
    assert "immutable" in answer.headers["cache-control"]
    assert "sandbox" in answer.headers["content-security-policy"]


def test_statuses_are_those_of_the_capture_and_a_304_stands_for_what_it_refers_to(web: TestClient) -> None:
    assert web.get(f"/web/{HOUR[1]}id_/http://blog.example/gone").status_code == 404
    unmodified = web.get(f"/web/{HOUR[24]}id_/{POST}")
    assert (unmodified.status_code, unmodified.text) == (200, "<p>two</p>")
    assert unmodified.headers["memento-datetime"] == "Sat, 02 May 2026 12:00:00 GMT"
    moved = web.get(f"/web/{HOUR[1]}id_/http://blog.example/old")
    assert (moved.status_code, moved.headers["location"]) == (301, f"{BASE}/web/{HOUR[1]}id_/{POST}")
    framed = web.get(f"/web/{HOUR[1]}/http://blog.example/old")
    assert (framed.status_code, framed.headers["location"]) == (302, f"{BASE}/web/{HOUR[1]}/{POST}")


def test_who_has_a_memento_is_told_so_and_parts_are_given(web: TestClient) -> None:
    for path in (
        f"/web/{HOUR[0]}id_/{POST}",
        f"/web/{HOUR[0]}/{POST}",
        f"/web/{HOUR[0]}if_/{POST}",
        f"/text/{HOUR[0]}/{POST}",
    ):
        tag = web.get(path).headers["etag"]
        assert tag.startswith('"')
        again = web.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
    path = f"/web/{HOUR[0]}id_/{POST}"
    for asked, status, body in (
        ("bytes=3-5", 206, "one"),
        ("bytes=-4", 206, "</p>"),
        ("bytes=99-", 416, ""),
        ("bytes=-9999", 206, "<p>one</p>"),
        ("lines=1", 200, "<p>one</p>"),
    ):
        answer = web.get(path, headers={"Range": asked})
        assert (answer.status_code, answer.text) == (status, body), asked
    assert web.head(path).headers["content-length"] == "10"


def test_objects_are_given_by_ranges(web: TestClient, archive: Archive) -> None:
    row = archive.find(POST, at(0))
    path, data = f"/warcs/{row.object}", archive.store.read(row.object)
    assert web.get(path).content == data
    part = web.get(path, headers={"Range": f"bytes={row.offset}-{row.offset + row.length - 1}"})
    assert (part.status_code, part.content) == (206, data[row.offset : row.offset + row.length])
    tail = web.get(path, headers={"Range": "bytes=-65536000"})
    assert (tail.content, tail.headers["content-range"]) == (data, f"bytes 0-{len(data) - 1}/{len(data)}")
    assert web.get(path, headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    for wrong in ("warc/../../pressmark.db", "state/x", "warc/%2e%2e/x", "nothing"):
        assert web.get(f"/warcs/{wrong}").status_code == 404
    assert (
        web.get(path, headers={"Origin": "http://127.0.0.1:99"}).headers["access-control-allow-origin"]
        == "http://127.0.0.1:99"
    )
    assert "access-control-allow-origin" not in web.get(path, headers={"Origin": "https://evil.example"}).headers


def test_timemaps_list_each_second_once(web: TestClient) -> None:
    answer = web.get(f"/web/timemap/link/{POST}")
    assert answer.headers["content-type"].startswith("application/link-format")
    assert answer.text.count("/web/2026") == 4
    rows = web.get(f"/web/timemap/json/{POST}").json()
    assert [row[1] for row in rows] == ["timestamp", HOUR[0], HOUR[6], HOUR[12], HOUR[24]]
    assert len(web.get(f"/web/timemap/cdx/{POST}").text.splitlines()) == 4
    assert web.get("/web/timemap/link/http://blog.example/never").status_code == 404


def test_texts_come_in_the_form_that_is_asked_for(web: TestClient) -> None:
    path = f"/text/{HOUR[7]}/{POST}"
    assert web.get(path).text == "two\n"
    assert web.get(path, headers={"Accept": "text/markdown, text/plain;q=0.5"}).text == "**two**\n"
    told = web.get(path, headers={"Accept": "application/json"}).json()
    assert (told["text"], told["url"], told["capture"]["timestamp"]) == ("two", POST, HOUR[6])
    assert web.get(path, headers={"Accept": "image/png"}).status_code == 406
    assert web.get(path).headers["memento-datetime"] == "Fri, 01 May 2026 18:00:00 GMT"
    assert web.get(f"/text/{POST}").text == "two\n"
    assert web.get("/text/2026/http://blog.example/never").status_code == 404


def cdx(web: TestClient, **asked: str) -> list[str]:
    answer = web.get("/cdx", params={"url": POST, **asked})
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()


def test_cdx_lines_have_seven_columns(web: TestClient, archive: Archive) -> None:
    lines = [line.split(" ") for line in cdx(web)]
    assert {len(line) for line in lines} == {7}
    assert [line[1] for line in lines] == [HOUR[0], HOUR[6], HOUR[12], HOUR[24]]
    assert lines[0][:5] == ["example,blog)/post", HOUR[0], POST, "text/html", "200"]
    assert [line[3] for line in lines[2:]] == ["warc/revisit", "warc/revisit"]
    assert f"sha1:{lines[0][5]}" == archive.find(POST, at(0)).digest


def test_cdx_queries(web: TestClient, archive: Archive) -> None:
    pages = [
        ("http://blog.example/a", 0),
        ("http://blog.example/ab", 0),
        ("http://blog.example/a/b", 0),
        ("http://www.sub.blog.example/", 0),
        ("http://blog.example:8080/", 0),
        ("http://blog.example-x.org/", 0),
        ("http://blogs.example/", 0),
    ]
    keep(archive, *(capture(hour, url.encode(), url=url) for url, hour in pages))

    def found(**asked: str) -> set[str]:
        return {line.split()[2] for line in cdx(web, **asked)}

    assert found(url="blog.example/a", matchType="prefix") == {pages[0][0], pages[1][0], pages[2][0]}
    assert found(url="blog.example/a/*") == {pages[2][0]}
    host = found(url="blog.example", matchType="host")
    assert POST in host
    assert pages[3][0] not in host
    assert pages[4][0] not in host
    domain = found(url="*.blog.example")
    assert domain == host | {pages[3][0], pages[4][0]}
    assert [line.split()[1] for line in cdx(web, **{"from": "2026050118", "to": "20260501"})] == [HOUR[6]]
    assert len(cdx(web, to="9999")) == len(cdx(web, to="99991231")) == 4
    assert len(cdx(web, filter="statuscode:200")) == 3
    assert len(cdx(web, filter="!statuscode:200")) == 1
    assert len(cdx(web, filter="mime:warc.*")) == 2
    assert len(cdx(web, filter="!=status:200")) == 1
    assert len(cdx(web, collapse="digest")) == 2
    assert len(cdx(web, collapse="timestamp:8")) == 2
    assert [line.split()[1] for line in cdx(web, limit="2")] == [HOUR[0], HOUR[6]]
    assert [line.split()[1] for line in cdx(web, limit="-2")] == [HOUR[12], HOUR[24]]
    assert [line.split()[1] for line in cdx(web, sort="reverse", limit="1")] == [HOUR[24]]
    assert [line.split()[1] for line in cdx(web, sort="closest", closest=HOUR[7], limit="2")] == [HOUR[6], HOUR[12]]
    assert cdx(web, fl="timestamp,original", limit="1") == [f"{HOUR[0]} {POST}"]
    assert json.loads("\n".join(cdx(web, output="json", fl="timestamp", limit="1"))) == [["timestamp"], [HOUR[0]]]
    assert json.loads("\n".join(cdx(web, url="blog.example/never", output="json"))) == []
    assert cdx(web, url="blog.example/never") == []
    assert json.loads(cdx(web, output="cdxj", limit="1")[0].split(" ", 2)[2])["offset"].isdigit()
    assert cdx(web, showNumPages="true") == ["1"]
    assert cdx(web, page="0") == cdx(web)
    assert cdx(web, page="1") == []
    assert web.get("/cdx", params={"url": POST}, headers={"Accept-Encoding": "gzip"}).headers.get(
        "content-encoding"
    ) in {"gzip", None}


def test_a_cdx_query_goes_on_where_it_ended(web: TestClient) -> None:
    got: list[str] = []
    key = ""
    for _ in range(4):
        *lines, _, key = (
            cdx(web, limit="1", showResumeKey="true", **({"resumeKey": key} if key else {}))
            if len(got) < 3
            else [*cdx(web, limit="1", showResumeKey="true", resumeKey=key), "", ""]
        )
        got += lines
    assert got == cdx(web)
    assert web.get("/cdx", params={"url": POST, "resumeKey": "x"}).status_code == 400


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"url": ""},
        {"url": POST, "limit": "x"},
        {"url": POST, "matchType": "all"},
        {"url": POST, "filter": "x"},
        {"url": POST, "filter": "status:("},
        {"url": POST, "filter": "status:" + "(" * 900},
        {"url": POST, "fl": "secret"},
        {"url": POST, "from": "may"},
        {"url": POST, "output": "xml"},
        {"url": POST, "sort": "up"},
        {"url": POST, "collapse": "digest:x"},
        {"url": "*."},
        {"url": POST, "sort": "closest"},
    ],
)
def test_a_cdx_query_that_cannot_be_used_is_told_so_in_one_line(web: TestClient, asked: dict[str, str]) -> None:
    answer = web.get("/cdx", params=asked)
    assert answer.status_code == 400
    assert len(answer.text.splitlines()) == 1


def test_an_expression_that_never_ends_ends(archive: Archive) -> None:
    keep(archive, capture(0, url="http://blog.example/" + "a" * 3_000))
    asked = {"url": "blog.example", "matchType": "host", "filter": r"original:(.*a){30}x"}
    assert client(archive).get("/cdx", params=asked).status_code == 400


def test_what_is_available_is_told(web: TestClient) -> None:
    told = web.get("/wayback/available", params={"url": POST, "timestamp": "20260501"}).json()
    assert told["archived_snapshots"]["closest"] == {
        "available": True,
        "url": f"{BASE}/web/{HOUR[12]}/{POST}",
        "timestamp": HOUR[12],
        "status": "200",
    }
    assert web.get("/wayback/available", params={"url": "http://blog.example/never"}).json()["archived_snapshots"] == {}
    assert web.get("/wayback/available").status_code == 400


def test_what_nobody_could_mean_is_no_error_of_ours(web: TestClient) -> None:
    for path in ("/web/", "/web/2026", "/web/2026id_/", "/web/timemap/link/", "/text/", "/warcs/", "/post/", "/diff/", "/web/*/", "/exchange/",
                 "/web/http://[", "/web/2026/http://[::", "/web/%00", "/web/2026id_/%0d%0aX-Evil:%201", "/web/" + "9" * 14 + "/x", "/web/2026/" + "a" * 9_000, "/web/%ff%fe", "/text/2026/%ed%a0%80", "/cdx?url=%00", "/cdx?url=http://[", "/cdx?url=%ff", "/wayback/available?url=http://[", "/search?q=%00", "/blog/%00", "/blog/x", "/download/exe/x", "/calendar?url=http://["):  # fmt: skip
        answer = web.get(path, headers={"Accept": "text/html"})
        assert answer.status_code in {200, 303, 400, 404, 406}, (path, answer.status_code, answer.text[:300])
        assert "x-evil" not in answer.headers
        assert answer.headers["content-security-policy"], path


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/web/http://blog.example/never", 404, "Not archived"),
        ("/nothing", 404, "Not found"),
        (f"/download/exe/{POST}", 404, "Not found"),
        ("/cdx?url=x&limit=x", 400, "Bad request"),
        (f"/text/{POST}", 406, "Not acceptable"),
    ],
)
def test_an_error_page_has_the_title_of_its_status(web: TestClient, path: str, status: int, title: str) -> None:
    answer = web.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert f"<h1>{title}</h1>" in answer.text
    assert f"<title>{title} ·" in answer.text


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/cdx?url=x&limit=x", "limit=x: not a number"),
        ("/cdx?url=x&fl=secret", "'secret': not a column: use urlkey"),
        ("/cdx?url=x&resumeKey=x", "resumeKey: invalid"),
        (f"/replay/{POST}", "replay is not enabled on this server"),
        (f"/web/*/{POST}?_day=20261399", "_day=20261399: not a date"),
        ("/warcs/warc/x", "warc/x: not an object of this archive"),
        ("/blog/never.example", "never.example: no posts are archived"),
        ("/wayback/available?url=x&timestamp=x", "timestamp=x: use up to 14 digits, such as 20240531"),
    ],
)
def test_errors_name_the_input_in_plain_words(web: TestClient, path: str, message: str) -> None:
    answer = web.get(path)
    assert answer.status_code in {400, 404}
    assert message in answer.text


def test_a_page_too_large_for_wacz_is_answered_413(
    web: TestClient, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.export.wacz.WACZ_BYTES", 10)
    answer = web.get(f"/download/wacz/{HOUR[0]}/{POST}")
    assert (answer.status_code, "too large for a WACZ file" in answer.text) == (413, True)


def test_a_wacz_is_packed_once_and_forgotten_when_the_cache_is_full(web: TestClient, archive: Archive) -> None:
    first, other = archive.find(POST, at(0)), archive.find(POST, at(6))
    cache = WaczCache(archive, max_bytes=1)
    made = cache.page([first], for_replay=False)
    assert cache.page([first], for_replay=False) is made
    cache.page([other], for_replay=False)
    again = cache.page([first], for_replay=False)
    assert again == made
    assert again is not made


def test_links_have_our_name_and_no_other(archive: Archive) -> None:
    keep(archive, capture(0))
    web = client(archive)
    for host in ("evil.example", "a b", "x/y", "evil.example:80", "[::1"):
        assert web.get(f"/web/{POST}", headers={"Host": host}).status_code == 400
    for host in ("localhost:1", "127.0.0.1", "[::1]:5"):
        assert web.get(f"/web/{POST}", headers={"Host": host}).headers["location"].startswith(f"http://{host}/")
    public = client(archive, local=False, public_url="https://archive.example")
    for host in ("archive.example", "127.0.0.1"):
        answer = public.get(f"/web/{POST}", headers={"Host": host})
        assert answer.headers["location"].startswith("https://archive.example/")
    assert public.get(f"/web/{POST}", headers={"Host": "x.example"}).status_code == 400
    assert public.get("/feeds/", headers={"Host": "archive.example"}).status_code == 404
    unnamed = client(archive, local=False)
    answer = unnamed.get(f"/web/{POST}", headers={"Host": "evil.example"})
    assert (answer.status_code, "PRESSMARK_PUBLIC_URL" in answer.text) == (400, True)
    assert unnamed.get(f"/web/{POST}", headers={"Host": "192.168.1.5:80"}).status_code == 302


@pytest.mark.parametrize(
    ("setting", "origin", "allowed"),
    [
        ("", "https://any.example", None),
        ("", "http://192.168.1.5:81", "http://192.168.1.5:81"),
        ("https://a.example, https://b.example/", "https://b.example", "https://b.example"),
        ("https://a.example", "https://any.example", None),
        ("https://a.example", "https://a.example.evil", None),
        ("*", "https://any.example", "*"),
    ],
)
def test_beyond_loopback_other_origins_read_only_what_a_setting_opens(
    archive: Archive, setting: str, origin: str, allowed: str | None
) -> None:
    keep(archive, capture(0))
    app = application(archive, WebSettings(cors=setting), Templates(), local=False)
    web = TestClient(app, base_url="http://192.168.1.5:80", follow_redirects=False)
    answer = web.get(f"/cdx?url={POST}", headers={"Origin": origin})
    assert answer.headers.get("access-control-allow-origin") == allowed
    assert "access-control-allow-origin" not in web.get("/", headers={"Origin": origin}).headers


@pytest.mark.parametrize("wrong", ["any.example", "https://a.example/path", "null", "https://a.example,x"])
def test_what_is_no_origin_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        WebSettings(cors=wrong)


def test_what_is_damaged_is_said_and_not_given(web: TestClient, archive: Archive, tmp_path: Path) -> None:
    row = archive.find(POST, at(0))
    path = tmp_path / "store" / row.object
    data = bytearray(path.read_bytes())
    data[row.offset + 200] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(data)
    answer = web.get(f"/web/{HOUR[0]}id_/{POST}")
    assert (answer.status_code, row.object in answer.text) == (502, True)


def test_a_service_worker_is_refused(web: TestClient) -> None:
    answer = web.get(f"/web/{HOUR[0]}id_/{POST}", headers={"Service-Worker": "script"})
    assert (answer.status_code, answer.text) == (403, "archived scripts may not register as service workers\n")


def test_rfc_7089_by_its_checker(shared: Path, tmp_path: Path) -> None:
    python = PROJECT / ".venv-clients" / "bin" / "python"
    if not python.exists():
        missing("other people's clients")
    home = Home(tmp_path / "home")
    keep(Archive.open(ArchiveSettings(home=home.path)), *(capture(n, b"%d" % n) for n in range(6)))
    with serving(home) as base:
        done = subprocess.run(
            [str(python), str(shared / "warc" / "memento_check.py"), f"{base}/web/", f"{base}/web/timemap/link/", POST],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    *_, last = done.stdout.splitlines() or [done.stderr]
    passed, _, total = last.split()[0].partition("/")
    assert passed == total, done.stdout


def test_pages_about_a_url_with_a_query_keep_it(archive: Archive) -> None:
    url = "http://blog.example/p?id=3&from=home"
    keep(
        archive,
        (capture(0, b"1", url=url), Text(url=url, text="one two", markdown="one two", title="T")),
        (capture(5, b"2", url=url), Text(url=url, text="one three", markdown="one three", title="T")),
        (
            capture(1, b"3", url="http://blog.example/p?id=4"),
            Text(url="http://blog.example/p?id=4", text="other", markdown="other"),
        ),
    )
    web = client(archive)
    page = web.get(f"/diff/{url}&from={HOUR[0]}&to={HOUR[5]}&view=side")
    assert "<del>two</del>" in page.text
    assert "<ins>three</ins>" in page.text
    assert "version 1 of 2" in web.get(f"/post/{HOUR[0]}/{url}").text
    assert web.get(f"/web/*/{url}&_day=20260501").status_code == 200
    assert "one two" in web.get(f"/text/{HOUR[0]}/{url}").text
    assert "other" not in web.get(f"/web/*/{url}").text

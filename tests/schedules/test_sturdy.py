"""The web app under requests that nobody means well: nothing fails, nobody waits, nothing is drawn into other sites."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from conftest import Home
from sample.archives import capture, keep, serving

from archive.archive import Archive
from archive.settings import ArchiveSettings
from archive.warc.urlkey import urlkey
from archive.web import sanitize as plain_view
from schedules.web import server, uvicorn_protocol

POST = "http://blog.example/post"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = Home(tmp_path_factory.mktemp("sturdy") / "home", PRESSMARK_TOKEN="secret")
    archive = Archive.open(ArchiveSettings(home=home.path))
    keep(archive, capture(0, url=POST))
    hard = b"<p " + b" ".join(b"a%d=1" % n for n in range(300_000)) + b">x</p>"
    keep(archive, capture(1, url="http://blog.example/hard", body=hard))
    keep(archive, capture(2, url="http://blog.example/script", body=b"<script>1</script>"))
    with serving(home) as url:
        yield url


def asked(
    base: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=30)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    answer.said = answer.read()  # type: ignore[attr-defined]
    return answer


@pytest.mark.parametrize(
    "path",
    [
        *(f"{begin}-1" for begin in ("/web/2/", "/post/", "/text/", "/exchange/", "/download/text/", "/web/*/")),
        *("/api/versions?url=-1", "/wayback/available?url=-1", "/cdx?url=-1", "/web/timemap/link/-1"),
        "/feeds/" + "9" * 5_000,
        f"/web/*/{POST}?_day=99991231",
        f"/diff/{POST}?from=0&to=99999999999999",
    ],
)
def test_odd_requests_are_no_fault_of_ours(base: str, path: str) -> None:
    answer = asked(base, path)
    assert answer.status < 500
    assert "default-src 'none'" in (answer.getheader("content-security-policy") or "")


@pytest.mark.parametrize(
    "headers", [{"Host": "[::::]"}, {"Host": "[..]:1"}, {"Origin": "http://["}, {"Host": "evil.example"}]
)
@pytest.mark.parametrize("path", ["/", "/cdx?url=x", f"/web/{POST}"])
def test_odd_names_are_no_fault_of_ours(base: str, path: str, headers: dict[str, str]) -> None:
    answer = asked(base, path, **headers)
    assert answer.status < 500
    assert answer.getheader("content-security-policy")


def test_a_token_that_no_text_can_hold_is_wrong(base: str) -> None:
    body = b'{"token": "\\ud800", "url": "http://a.example/"}'
    assert asked(base, "/feeds/add", "POST", body, Content_Type="application/json").status == 401


def test_two_hosts_are_none(base: str) -> None:
    host = urlsplit(base)
    with socket.create_connection((host.hostname or "", host.port or 0)) as line:
        line.sendall(b"GET /feeds/ HTTP/1.1\r\nHost: evil.example\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        said = b"".join(iter(lambda: line.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 400")
    assert b"evil.example/feeds" not in said


@pytest.mark.parametrize("expression", ["(a{1000}){4000}", "((a{100}){100}){100}", "(a{0,999}){0,999}"])
def test_expressions_that_are_unrolled_are_refused(base: str, expression: str) -> None:
    answer = asked(base, f"/cdx?url=blog.example*&filter=urlkey:{quote(expression)}")
    assert answer.status == 400
    assert b"repeats more than" in answer.said  # type: ignore[attr-defined]


def test_a_page_that_a_sanitiser_dwells_on_keeps_nobody(base: str) -> None:
    row = asked(base, "/cdx?url=http://blog.example/hard&fl=timestamp").said.split()[0].decode()  # type: ignore[attr-defined]
    answers: list[http.client.HTTPResponse] = []
    thread = threading.Thread(target=lambda: answers.append(asked(base, f"/web/{row}if_/http://blog.example/hard")))
    thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert asked(base, f"/cdx?url={POST}").status == 200
    assert time.monotonic() - began < 3
    thread.join(30)
    assert (answers[0].status, answers[0].getheader("cache-control")) == (500, "no-store")
    assert b"could not be made" in answers[0].said  # type: ignore[attr-defined]


def test_the_plain_view_runs_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    page = {"payload": b"<p>x<img src='/a.png'><script>1</script>", "url": POST, "content_type": None}
    assert plain_view.media(**page) == ["http://blog.example/a.png"]
    shown = plain_view.plain(**page, stamp="20260101000000", kept=plain_view.media(**page))
    assert "im_/http://blog.example/a.png" in shown
    assert "<script" not in shown


@pytest.mark.parametrize(
    ("fetch", "status"),
    [
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}, 200),
        ({"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"}, 200),
        ({}, 200),
    ],
)
def test_other_sites_draw_nothing_into_theirs(base: str, fetch: dict[str, str], status: int) -> None:
    row = asked(base, "/cdx?url=http://blog.example/script&fl=timestamp").said.split()[0].decode()  # type: ignore[attr-defined]
    answer = asked(base, f"/web/{row}id_/http://blog.example/script", **fetch)
    assert answer.status == status
    assert "frame-ancestors" in (answer.getheader("content-security-policy") or "")


def test_a_part_that_is_not_there_is_kept_by_no_cache(base: str) -> None:
    row = asked(base, f"/cdx?url={POST}&fl=timestamp").said.split()[0].decode()  # type: ignore[attr-defined]
    answer = asked(base, f"/web/{row}id_/{POST}", Range="bytes=999999-")
    assert (answer.status, answer.getheader("cache-control")) == (416, "no-store")


def test_a_head_without_end_ends_the_connection(base: str) -> None:
    host = urlsplit(base)
    cut = False
    with socket.create_connection((host.hostname or "", host.port or 0)) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        try:
            for _ in range(400):
                line.sendall(b"x" * 65536)
        except OSError:
            cut = True
    assert cut


def test_who_never_ends_a_request_is_cut_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(uvicorn_protocol, "REQUEST_SECONDS", 1.0)

    async def application(_scope: object, _receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]

    stop, listening = threading.Event(), server.listen("127.0.0.1", 0)
    thread = threading.Thread(target=lambda: server.serve(application, listening, stop=stop))  # type: ignore[arg-type]
    thread.start()
    try:
        for begin in (b"", b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab"):
            with socket.create_connection(listening.getsockname()) as line:
                line.settimeout(15)
                line.sendall(begin)
                began = time.monotonic()
                try:
                    while line.recv(1_000):  # the answer may come before the request is whole
                        pass
                except ConnectionResetError:
                    pass
                assert time.monotonic() - began < 10
    finally:
        stop.set()
        thread.join(20)


def test_a_key_is_found_for_every_url() -> None:
    for url in ("-1", "http://-1/", "http://-99999999999/x", "", "http://[", "\ud800"):
        assert isinstance(urlkey(url), str)

"""What is made of archived bytes is made in worker processes: one that fails costs one request, and the app lives on."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sample.archives import POST, capture, keep
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.errors import TaskError, WorkersBusyError
from archive.export import wacz
from archive.export.wacz import WaczCache
from archive.extract.requisites import requisites
from archive.index.schema import CaptureRow
from archive.limits import WACZ_MAKING, WACZ_WAITING
from archive.reader.named_in import found_by
from archive.reader.page_history import changes_between
from archive.runtime.work import Workers
from archive.runtime.worker_pool import Limits
from archive.search.snippet import passage
from archive.settings import ArchiveSettings
from archive.web import Templates, app, application, cdx_filters, sanitize
from archive.web.cdx_filters import Filters, matching
from archive.web.markdown_html import markdown_html
from archive.web.settings import WebSettings

BASE = "http://127.0.0.1:8000"
PAGE = b"<html><style>a{background:url(/b.png)}</style><a href=/other>x</a><p>words</p></html>"


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(processes=1, limits=Limits(seconds=0.5, megabytes=512), most=2, preload=[])
    yield made
    made.close()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    opened = Archive.open(ArchiveSettings(home=tmp_path))
    keep(opened, (capture(0, PAGE), "one word"), (capture(6, b"<p>two</p>"), "two words"))
    return opened


class Recorded:
    """A `Work` that notes what it is asked for, and fails on request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails: dict[str, Exception] = {}

    def __call__(self, function: Callable[..., Any], **arguments: Any) -> Any:
        self.asked.append(function.__name__)
        if function.__name__ in self.fails:
            raise self.fails[function.__name__]
        return function(**arguments)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    made = Recorded()
    monkeypatch.setattr(app, "workers", lambda: made)
    return made


@pytest.fixture
def web(archive: Archive, work: Recorded) -> TestClient:
    return client(archive)


def client(archive: Archive) -> TestClient:
    return TestClient(application(archive, WebSettings(), Templates()), base_url=BASE, follow_redirects=False)


def test_work_that_hangs_ends_and_the_next_is_done(workers: Workers) -> None:
    with pytest.raises(TaskError, match=r"passed 0.5 s"):
        workers(_sleep, seconds=60)
    assert workers(_sleep, seconds=0) == 0


def _sleep(*, seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def test_no_more_waits_than_may(workers: Workers) -> None:
    threads = [threading.Thread(target=_ignoring, args=(workers,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    while workers._given < 2:
        time.sleep(0.01)
    with pytest.raises(WorkersBusyError):
        workers(_sleep, seconds=0)
    for thread in threads:
        thread.join(20)
    assert workers(_sleep, seconds=0) == 0


def _ignoring(workers: Workers) -> None:
    with pytest.raises(TaskError):
        workers(_sleep, seconds=60)


FAILS = [
    ("/post/{}", "markdown_html"),
    ("/diff/{}", "changes_between"),
    ("/api/diff?url={}", "changes_between"),
    ("/exchange/{}", "_described"),
    ("/download/wacz/{}", "found_by"),
    ("/download/html/2/{}", "plain_payload"),
    ("/web/{stamp}if_/{}", "media"),
]


@pytest.mark.parametrize(("path", "function"), FAILS)
def test_what_fails_costs_one_request(
    archive: Archive, web: TestClient, work: Recorded, path: str, function: str
) -> None:
    coded = keep(
        archive, capture(12, b"<p>not compressed</p>", headers=b"Content-Type: text/html\r\nContent-Encoding: br\r\n")
    )[0]
    path = path.format(POST, stamp=coded.timestamp)
    work.fails = {function: TaskError("passed 5 s")}
    answer = web.get(path)
    assert answer.status_code == 500
    assert function in work.asked
    assert answer.headers["cache-control"] == "no-store"
    assert "passed 5 s" in answer.text or "could not be made" in answer.text
    work.fails = {function: WorkersBusyError("all worker processes are busy")}
    busy = web.get(path)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "10")
    assert "all worker processes are busy" in busy.text
    work.fails = {}
    assert web.get(path).status_code == 200


def test_a_search_shows_what_it_can(web: TestClient, work: Recorded) -> None:
    work.fails = {"passage": TaskError("passed 5 s")}
    assert "cannot be searched" in web.get("/api/search?q=words").json()["hits"][0]["snippet"]
    work.fails = {}
    assert "[[words]]" in web.get("/api/search?q=words").json()["hits"][0]["snippet"]


def test_versions_that_cannot_be_compared_are_listed(web: TestClient, work: Recorded) -> None:
    assert web.get(f"/api/versions?url={POST}").json()["versions"][1]["added_words"] > 0
    work.fails = {"changes_between": TaskError("passed 5 s")}
    told = web.get(f"/api/versions?url={POST}").json()["versions"]
    assert [one.get("not_compared") for one in told] == [None, "passed 5 s"]


def test_real_workers_do_what_pages_ask_for(archive: Archive) -> None:
    web = client(archive)
    coded = keep(archive, capture(12, b"text", headers=b"Content-Type: text/plain\r\nContent-Encoding: gzip\r\n"))[0]
    for path in (
        *(f"/{begin}/{POST}" for begin in ("post", "diff", "exchange", "download/wacz", "download/replay/2026")),
        f"/web/{coded.timestamp}if_/{POST}",
        f"/api/versions?url={POST}",
        "/search?q=words",
        "/cdx?url=blog.example*&filter=statuscode:2..",
    ):
        assert web.get(path).status_code == 200, path


def test_what_workers_run_can_be_passed_to_them(workers: Workers) -> None:
    page = {"coding": None, "url": POST, "content_type": "text/html"}
    assert "<b>" in workers(markdown_html, markdown="**x**").replace("strong", "b")
    assert [one.url for one in workers(found_by, find=requisites, body=PAGE, **page)] == ["http://blog.example/b.png"]
    assert workers(changes_between, before="a", after="b") == changes_between(before="a", after="b")
    assert workers(passage, text="one", terms=()) == passage("one", ())
    assert workers(sanitize.media, payload=PAGE, **page) == []


# -- expressions of CDX queries


def filters(*given: str, work: Callable[..., Any]) -> Filters:
    return Filters([cdx_filters.parse(one) for one in given], work)


def test_plain_filters_need_no_worker(web: TestClient, work: Recorded) -> None:
    lines = web.get("/cdx?url=blog.example*&filter=statuscode:200&filter=!mimetype:text/plain&fl=statuscode").text
    assert lines.split() == ["200", "200"]
    assert work.asked == []


def test_expressions_are_compiled_and_matched_by_a_worker(web: TestClient, work: Recorded) -> None:
    assert web.get("/cdx?url=blog.example*&filter=statuscode:2..&fl=statuscode").text.split() == ["200", "200"]
    assert web.get("/cdx?url=blog.example*&filter=!statuscode:2..&fl=statuscode").text == ""
    assert set(work.asked) == {"matching"}
    answer = web.get("/cdx?url=none.example&filter=statuscode:(")
    assert (answer.status_code, "not a regular expression" in answer.text) == (400, True)


def test_an_expression_that_never_ends_is_refused(workers: Workers) -> None:
    problem, _, _ = matching(patterns=[(".*", True)], values=[("a",)], seconds=-1)
    assert "takes too long" in problem
    with pytest.raises(ValueError, match="takes too long"):
        filters("original:x.*", work=_hanging)
    assert filters("original:x.*", work=workers).passing([]) == []


def _hanging(_function: object, **_arguments: object) -> None:
    raise TaskError("passed 5 s")


# -- WACZ files


def waiting(cache: WaczCache, row: CaptureRow, found: list[object]) -> threading.Thread:
    def run() -> None:
        try:
            found.append(cache.page([row], for_replay=False))
        except TaskError as e:
            found.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_file_that_takes_long_holds_up_no_other(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = keep(archive, *(capture(n, b"%d" % n, url=f"{POST}/{n}") for n in range(WACZ_MAKING + 1)))
    go, begun = threading.Event(), threading.Semaphore(0)

    def packing(_reader: object, row: CaptureRow, **_more: object) -> bytes:
        begun.release()
        if row is not rows[0]:
            go.wait(20)
        return row.url.encode()

    monkeypatch.setattr(wacz, "pack_page", packing)
    cache, found = WaczCache(archive, max_bytes=1 << 20), []
    threads = [waiting(cache, row, found) for row in rows[2:]]
    for _ in threads:
        assert begun.acquire(timeout=20)
    assert cache.page([rows[0]], for_replay=False) == rows[0].url.encode()
    threads.append(waiting(cache, rows[1], found))
    assert begun.acquire(timeout=20)
    with pytest.raises(WorkersBusyError):
        cache.page([keep(archive, capture(0, url=f"{POST}/x"))[0]], for_replay=False)
    go.set()
    for thread in threads:
        thread.join(20)
    assert sorted(found) == [row.url.encode() for row in rows[1:]]


def test_a_file_is_made_once_for_all_who_wait_and_fails_for_all(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, go, made = archive.find(POST), threading.Event(), []

    def packing(*_given: object, **_more: object) -> bytes:
        made.append(1)
        go.wait(20)
        raise TaskError("passed 5 s")

    monkeypatch.setattr(wacz, "pack_page", packing)
    cache, found = WaczCache(archive, max_bytes=1 << 20), []
    threads = [waiting(cache, row, found) for _ in range(WACZ_WAITING + 1)]
    while cache._waiting < WACZ_WAITING:
        time.sleep(0.01)
    with pytest.raises(WorkersBusyError):
        cache.page([row], for_replay=False)
    go.set()
    for thread in threads:
        thread.join(20)
    assert (len(made), {str(one) for one in found}, len(found)) == (1, {"passed 5 s"}, WACZ_WAITING + 1)
    monkeypatch.setattr(wacz, "pack_page", lambda *_given, **_more: b"whole")
    assert cache.page([row], for_replay=False) == b"whole"


def test_a_page_whose_resources_cannot_be_found_is_no_file_and_a_linked_one_is_left_out(
    archive: Archive, work: Recorded
) -> None:
    keep(archive, capture(0, b"<p>other</p>", url="http://blog.example/other"))
    reader, row = archive.working(work), archive.captures(POST)[0]

    def failing(function: Callable[..., Any], **arguments: Any) -> Any:
        if arguments["url"].endswith("/other"):
            raise TaskError("passed 5 s")
        return function(**arguments)

    work.fails = {"found_by": TaskError("passed 5 s")}
    with pytest.raises(TaskError):
        wacz.pack_page(reader, row)
    with zipfile.ZipFile(io.BytesIO(wacz.pack_page(archive.working(failing), row))) as packed:
        assert b"http://blog.example/other" in packed.read("indexes/index.cdx")

"""Small parts: TIME, URL keys, content codings, settings, worker processes."""

from __future__ import annotations

import gzip
import os
import time
import zlib
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from pathlib import Path

import brotli
import pytest

from archive.errors import SettingsError, TaskError
from archive.runtime.console import printable
from archive.runtime.times import parse_moment
from archive.runtime.worker_pool import Limits, WorkerPool
from archive.settings import ArchiveSettings, load
from archive.warc import record
from archive.warc.capture import Capture
from archive.warc.codings import dechunked, decoded, unicode_html
from archive.warc.urlkey import urlkey


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("20240531", (2024, 5, 31, 23, 59, 59)),
        ("2024", (2024, 12, 31, 23, 59, 59)),
        ("202402", (2024, 2, 29, 23, 59, 59)),
        ("20240531120102", (2024, 5, 31, 12, 1, 2)),
        ("2024053112", (2024, 5, 31, 12, 59, 59)),
        ("2024-05-31", (2024, 5, 31, 23, 59, 59)),
        ("2024-05", (2024, 5, 31, 23, 59, 59)),
        ("2024-05-31T12:00:00Z", (2024, 5, 31, 12, 0, 0)),
        ("2024-05-31T12:00:00+02:00", (2024, 5, 31, 10, 0, 0)),
        ("2024-05-31 12:00", (2024, 5, 31, 12, 0, 0)),
    ],
)
def test_times(text: str, wanted: tuple[int, ...]) -> None:
    assert parse_moment(text) == datetime(*wanted, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "20", "202", "20241", "20241301", "20240230", "0000", "2024-13-01", "9" * 15]
)
def test_what_is_no_time_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid time"):
        parse_moment(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://example.org/post/", "https://www.example.org:443/post"),
        ("http://example.org/?b=2&a=1", "http://EXAMPLE.org/?a=1&b=2"),
        ("http://example.org/a#part", "http://example.org/a"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    ],
)
def test_one_page_has_one_key(one: str, other: str) -> None:
    assert urlkey(one) == urlkey(other)


def test_keys_tell_pages_apart_and_sort_by_domain() -> None:
    assert urlkey("http://example.org/a?x=1") != urlkey("http://example.org/a?x=2")
    assert urlkey("https://blog.example.org/a/b") == "org,example,blog)/a/b"


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", None, "identity"])
def test_content_codings_are_undone(coding: str | None) -> None:
    packed = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}
    assert decoded(packed.get(coding or "", bytes)(b"hello"), coding) == b"hello"


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_bombs_are_cut_while_they_grow(coding: str) -> None:
    data = {"gzip": gzip.compress, "br": brotli.compress}[coding](bytes(20_000_000))
    with pytest.raises(OverflowError, match="grows past"):
        decoded(data, coding, limit=1_000_000)


def test_bytes_in_another_coding_are_refused() -> None:
    with pytest.raises(ValueError, match="not in coding gzip"):
        decoded(b"plainly not gzip", "gzip")


def test_settings_come_from_environment_then_file_then_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "pressmark.toml"
    config.write_text('home = "/from/file"\nextract_workers = 3\n')
    monkeypatch.setenv("PRESSMARK_CONFIG", str(config))
    assert load(ArchiveSettings).home == Path("/from/file")
    assert load(ArchiveSettings).database == "sqlite:////from/file/pressmark.db"
    monkeypatch.setenv("PRESSMARK_HOME", "/from/environment")
    settings = load(ArchiveSettings)
    assert (settings.store, settings.extract_workers) == ("file:/from/environment/store", 3)


@pytest.mark.parametrize(
    ("name", "value"), [("EXTRACT_WORKERS", "many"), ("BATCH_SECONDS", "-1"), ("CONFIG", "/no/such/file.toml")]
)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PRESSMARK_{name}", value)
    with pytest.raises(SettingsError, match=f"PRESSMARK_{name}=.?{value}"):
        load(ArchiveSettings)


def test_a_broken_settings_file_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "broken.toml"
    config.write_text("home = ")
    monkeypatch.setenv("PRESSMARK_CONFIG", str(config))
    with pytest.raises(SettingsError):
        load(ArchiveSettings)


def test_control_characters_reach_no_terminal() -> None:
    assert printable("a\x1b[31mb\nc\x00") == "a [31mb c "


def test_a_broken_head_has_no_status() -> None:
    broken = Capture(url="http://x/", date=datetime.now(UTC), request=b"", head=b"garbage\r\n\r\n", body=b"")
    assert (broken.status, broken.mime) == (0, "unk")


# -- worker processes


def square(number: int) -> int:
    return number * number


def fail(words: str) -> None:
    raise ValueError(words)


def hang() -> None:
    while True:
        pass


def swell() -> int:
    return len(bytes(4_000_000_000))


def crash() -> None:
    os._exit(7)


def pid() -> int:
    return os.getpid()


@pytest.fixture
def pool():
    made = WorkerPool(workers=2, limits=Limits(seconds=2, megabytes=1024), preload=[])
    yield made
    made.close()


def test_work_is_done_in_other_processes(pool: WorkerPool) -> None:
    futures = [pool.submit(square, number=n) for n in range(20)]
    assert [future.result(30) for future in futures] == [n * n for n in range(20)]
    assert pool.submit(pid).result(30) != os.getpid()


@pytest.mark.parametrize(
    ("task", "message"), [(hang, "passed 2 s"), (swell, "passed 1024 MB"), (crash, "crashed its process")]
)
def test_a_bad_task_costs_itself_and_nothing_else(pool: WorkerPool, task, message: str) -> None:
    bad = pool.submit(task)
    good = [pool.submit(square, number=n) for n in range(6)]
    with pytest.raises(TaskError, match=message):
        bad.result(30)
    assert [future.result(30) for future in good] == [n * n for n in range(6)]


def test_an_error_is_told_in_words(pool: WorkerPool) -> None:
    with pytest.raises(TaskError, match="ValueError: no good"):
        pool.submit(fail, words="no good").result(30)


def test_closing_ends_what_runs_and_what_waits(pool: WorkerPool) -> None:
    futures: list[Future[None]] = [pool.submit(hang) for _ in range(6)]
    time.sleep(0.5)
    pool.close()
    assert not wait(futures, timeout=5).not_done
    assert pool.submit(square, number=2).cancelled()


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n", b"hello world"),
        (b"5\r\nhello\r\n1000\r\nworld, cut off", b"helloworld, cut off"),
        (b"1000\r\nhello", b"hello"),
        (b"5\r\nhello\r\n", b"hello"),
        (b"5\r\nhello\r\n1", b"hello"),
        (b"0\r\n\r\n", b""),
        (b"<p>no chunks</p>", b"<p>no chunks</p>"),
        (b"", b""),
    ],
)
def test_chunks_are_taken_apart_as_far_as_they_came(body: bytes, wanted: bytes) -> None:
    assert dechunked(body) == wanted


@pytest.mark.parametrize("charset", ["undefined", "hex", "rot13", "idna", "nothing", "utf-8"])
def test_a_charset_that_is_none_costs_nothing(charset: str) -> None:
    assert unicode_html("<p>caf\u00e9</p>".encode(), f"text/html; charset={charset}") == "<p>caf\u00e9</p>"
    page = f"<meta charset={charset}><p>caf\u00e9</p>"
    assert unicode_html(page.encode(), None) == page


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2024", "2024-01-01T00:00:00+00:00"),
        ("2024-05", "2024-05-01T00:00:00+00:00"),
        ("2024-05-06", "2024-05-06T00:00:00+00:00"),
        ("2024-05-06t07:08:09z", "2024-05-06T07:08:09+00:00"),
        ("2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09.123456+00:00"),
        ("2024-05-06T07:08:09.5+02:00", "2024-05-06T05:08:09.500000+00:00"),
    ],
)
def test_dates_of_other_tools_are_read(text: str, wanted: str) -> None:
    assert record.read_date(text).isoformat() == wanted

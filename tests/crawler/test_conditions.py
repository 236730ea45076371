"""Conditional GET: a validator belongs to one response, and a 304 to the response whose validators were sent."""

from __future__ import annotations

import gzip
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import brotli
import pytest
from conftest import Home
from sample.archives import capture, keep
from sample.server import Answer, Site
from test_refreshes import page, rss

from archive.archive import Archive
from archive.settings import ArchiveSettings
from crawler.decide.feed import after_feed
from crawler.decide.freshness import Pace
from crawler.decide.page import after_page
from crawler.model.answer import Answer as Response
from crawler.model.visits import Feed, Page
from crawler.session.conditions import Conditions, usable

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REASON = "answers 304 (not modified) to a request without conditions"
ZSTD = pytest.importorskip("backports.zstd" if __import__("sys").version_info < (3, 14) else "compression.zstd")

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": ZSTD.compress,
}


# -- what is remembered of a visit


PAGE = Page(
    url="http://a.example/p", feed_id=1, kept=True, etag='"1"', last_modified="then", validated="<urn:uuid:1>", read=T0
)
FEED = Feed(
    id=1, url="http://a.example/feed", title=None, site=None, paused=False, added=T0, visited=T0, due=T0,
    etag='"1"', last_modified="then", status=200, error=None, failures=0, validated="<urn:uuid:1>",
)  # fmt: skip


def response(status: int | None, etag: str | None = None, record: str | None = None, **more: object) -> Response:
    headers = {"etag": etag} if etag else {}
    return Response(at=T0, status=status, headers=headers, validated=record, **more)


@pytest.mark.parametrize(
    ("answer", "gone", "wanted"),
    [
        (response(200, '"2"', "<urn:uuid:2>"), None, ('"2"', None, "<urn:uuid:2>")),
        (response(200, None, "<urn:uuid:2>"), None, (None, None, None)),
        (response(304, None, "<urn:uuid:1>"), None, ('"1"', "then", "<urn:uuid:1>")),
        (response(304, 'W/"1"', "<urn:uuid:1>"), None, ('W/"1"', "then", "<urn:uuid:1>")),
        (response(500, '"error"', "<urn:uuid:2>"), None, ('"1"', "then", "<urn:uuid:1>")),
        (response(404, '"error"', "<urn:uuid:2>"), None, ('"1"', "then", "<urn:uuid:1>")),
        (response(200, '"login"', "<urn:uuid:2>"), "login", (None, None, None)),
        (response(None), None, ('"1"', "then", "<urn:uuid:1>")),
    ],
)
def test_a_page_has_the_validators_of_one_response(
    answer: Response, gone: str | None, wanted: tuple[str | None, str | None, str | None]
) -> None:
    visit = after_page(PAGE, answer, plan=(HOUR,), error=None if answer.status else "x", gone=gone)
    assert (visit.etag, visit.last_modified, visit.validated) == wanted


@pytest.mark.parametrize(
    ("answer", "error", "wanted"),
    [
        (response(200, '"2"', "<urn:uuid:2>"), None, ('"2"', None, "<urn:uuid:2>")),
        (response(200, None, "<urn:uuid:2>"), None, (None, None, None)),
        (response(304, None, "<urn:uuid:1>"), None, ('"1"', "then", "<urn:uuid:1>")),
        (response(500, '"error"', "<urn:uuid:2>"), "answered 500", ('"1"', "then", "<urn:uuid:1>")),
    ],
)
def test_a_feed_has_the_validators_of_one_response(
    answer: Response, error: str | None, wanted: tuple[str | None, str | None, str | None]
) -> None:
    visit = after_feed(FEED, answer, pace=Pace(least=HOUR), error=error)
    assert (visit.etag, visit.last_modified, visit.validated) == wanted


def test_validators_do_not_outlive_a_change_of_address() -> None:
    moved = replace(FEED, moved_to="http://b.example/feed", moved_since=T0 - 2 * DAY, moved_times=5)
    answer = Response(
        at=T0, status=304, asked=FEED.url, url="http://b.example/feed", lasting_url="http://b.example/feed"
    )
    visit = after_feed(moved, answer, pace=Pace(least=HOUR))
    assert (visit.url, visit.etag, visit.last_modified, visit.validated) == ("http://b.example/feed", None, None, None)


# -- which validators are sent


def test_validators_are_sent_only_of_a_known_complete_response_of_that_url(tmp_path: object, database: str) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path, store=f"file:{tmp_path}/store", database=database))
    first, cut, failed, other = keep(
        archive,
        capture(0, b"one", headers=b'ETag: "1"\r\n'),
        capture(1, b"tw", truncated="unspecified", headers=b'ETag: "2"\r\n'),
        capture(2, b"three", 500, headers=b'ETag: "3"\r\n'),
        capture(3, b"four", url="https://blog.example/post", headers=b'ETag: "4"\r\n'),
    )
    url = first.url

    def sent(etag: str | None, record: str | None, last_modified: str | None = None) -> str | None:
        stored = Conditions(url=url, etag=etag, last_modified=last_modified, record=record)
        found = usable(archive, [stored]).get(url)
        return found.record if found else None

    assert sent('"1"', first.record) == first.record
    for row, etag in ((cut, '"2"'), (failed, '"3"'), (other, '"4"')):
        assert sent(etag, row.record) is None, row
    assert sent('"1"', "<urn:uuid:no-such-record>") is None
    # rows of earlier versions, which name no response
    assert sent('"1"', None) == first.record
    assert sent('"2"', None) is None
    assert sent('"1"', None, "then") is None
    assert sent(None, None) is None


# -- in a crawl


def ask(home: Home, statement: str) -> list[tuple]:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        return database.execute(statement).fetchall()


def again(home: Home) -> None:
    ask(home, "UPDATE pages SET due = 0")
    done = home.crawl("only=rechecks", "force=1")
    assert done.code == 0, done.err


def tagged(answer: Answer, etag: str, **more: str) -> Callable[[dict[str, str]], Answer]:
    """Answers 304 to that entity tag."""

    def of(headers: dict[str, str]) -> Answer:
        if headers.get("if-none-match") == etag:
            return Answer(b"", status=304, headers={"ETag": etag}, validators=False)
        return replace(answer, validators=False, headers={"ETag": etag, **more})

    return of


@pytest.fixture
def kept(home: Home, site: Site) -> Site:
    site.pages = {"/feed": rss(f"{site.url}/1"), "/1": tagged(page("Old words."), '"v1"')}
    assert home.crawl(f"url={site.url}/feed").out.startswith("kept 1 new post;")
    site.log.clear()
    return site


def sent(site: Site, path: str = "/1") -> list[str | None]:
    return [one.headers.get("if-none-match") for one in site.log if one.path == path]


@pytest.mark.parametrize("coding", list(PACKERS))
def test_a_compressed_answer_without_its_end_gives_no_validator(home: Home, kept: Site, coding: str) -> None:
    cut = PACKERS[coding](page("New words. " * 2_000).body)[:-9]
    kept.pages["/1"] = tagged(Answer(cut), '"v2"', **{"Content-Encoding": coding})
    again(home)
    kept.pages["/1"] = tagged(page("New words."), '"v2"')
    again(home)
    assert sent(kept) == ['"v1"', None]
    assert "New words." in home.pressmark("get", f"{kept.url}/1").out
    assert ask(home, "SELECT kind, truncated FROM captures WHERE url LIKE '%/1' ORDER BY date") == [
        ("response", None), ("response", "unspecified"), ("response", None),
    ]  # fmt: skip


def test_a_304_is_a_revisit_of_the_answer_that_was_asked_about(home: Home, kept: Site) -> None:
    again(home)
    again(home)
    assert sent(kept) == ['"v1"', '"v1"'] or sent(kept) == ['"v1"', None]
    rows = ask(home, "SELECT record, refers_to, status FROM captures WHERE url LIKE '%/1' ORDER BY date")
    assert rows[1][1:] == (rows[0][0], 304)


@pytest.mark.parametrize("stated", ['"other"', 'W/"other"'])
def test_a_304_about_another_version_is_asked_again_without_conditions(home: Home, kept: Site, stated: str) -> None:
    """As servers behind one name do that do not agree."""

    def mixed(headers: dict[str, str]) -> Answer:
        if "if-none-match" in headers:
            return Answer(b"", status=304, headers={"ETag": stated}, validators=False)
        return replace(page("New words."), validators=False, headers={"ETag": '"v2"'})

    kept.pages["/1"] = mixed
    again(home)
    assert sent(kept) == ['"v1"', None]
    assert "New words." in home.pressmark("get", f"{kept.url}/1").out
    captured = "SELECT status, kind, refers_to FROM captures WHERE url LIKE '%/1' ORDER BY date"
    assert ask(home, captured)[1:] == [(304, "response", None), (200, "response", None)]
    assert ask(home, "SELECT etag, error FROM pages") == [('"v2"', None)]


def test_a_304_that_was_not_asked_for_is_no_answer(home: Home, site: Site) -> None:
    site.pages = {
        "/feed": rss(f"{site.url}/1", f"{site.url}/2"),
        "/1": Answer(b"", status=304, validators=False),
        "/2": page("Two."),
    }
    done = home.crawl(f"url={site.url}/feed")
    assert done.out.startswith("kept 1 new post"), done.out
    assert site.asked.count("/1") == 2
    assert ask(home, "SELECT kept, error FROM pages WHERE url LIKE '%/1'") == [(0, REASON)]
    assert ask(home, "SELECT status, kind FROM captures WHERE url LIKE '%/1'") == [(304, "response")] * 2


def test_a_feed_that_only_answers_304_fails_with_a_reason(home: Home, site: Site) -> None:
    site.pages = {"/feed": tagged(rss(f"{site.url}/1"), '"f1"'), "/1": page("One.")}
    assert home.crawl(f"url={site.url}/feed").code == 0
    site.pages["/feed"] = Answer(b"", status=304, headers={"ETag": '"f2"'}, validators=False)
    site.log.clear()
    home.crawl("force=1")
    assert sent(site, "/feed") == ['"f1"', None]
    assert ask(home, "SELECT error, failures FROM feeds") == [(REASON, 1)]


def test_the_validators_of_a_page_whose_address_changed_are_not_sent(home: Home, kept: Site) -> None:
    ask(home, "UPDATE pages SET url = url || '/'")
    kept.pages["/1/"] = tagged(page("New words."), '"v1"')
    again(home)
    assert sent(kept, "/1/") == [None]

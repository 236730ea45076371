"""What people paste where a URL is asked for finds its page."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from conftest import Home
from sample.archives import POST, at, capture, keep
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.extract.text import Text
from archive.limits import URL_CHARACTERS
from archive.settings import ArchiveSettings
from archive.warc.pasted_url import is_address, readings
from archive.web import Templates, application
from archive.web.settings import WebSettings

SPELLINGS = [
    POST,
    f"  {POST}\n",
    "http://blog.exam\n    ple/post",
    "http:// blog.example /post",
    f"\ufeff{POST}\u200b",
    f"<{POST}>",
    f"<URL:{POST}>.",
    f"({POST})",
    f"“{POST}”",
    f'"{POST}",',
    f"[a post]({POST})",
    f"A fine post {POST}",
    f"see {POST}.",
    f"{POST}.",
    f"{POST}),",
    "http:/blog.example/post",
    "http:///blog.example/post",
    "http//blog.example/post",
    "blog.example/post",
    "//blog.example/post",
    "HTTP://BLOG.Example/post",
    "http:\\\\blog.example\\post",
    f"view-source:{POST}",
    f"feed:{POST}",
    "feed://blog.example/post",
    "about:reader?url=http%3A%2F%2Fblog.example%2Fpost",
    "http%3A%2F%2Fblog.example%2Fpost",
    "http%253A%252F%252Fblog.example%252Fpost",
    f"http://127.0.0.1:8080/web/20260501120000/{POST}",
    f"/web/2026/{POST}",
    "https://archive.example/web/2026id_/http:/blog.example/post",
    f"https://web.archive.org/web/20260501120000/{POST}",
    "web.archive.org/web/2026/blog.example/post",
    f"https://web.archive.org/web/*/{POST}",
    f"http://127.0.0.1:8080/post/20260501120000/{POST}",
]


@pytest.mark.parametrize("written", SPELLINGS)
def test_the_likeliest_reading_is_the_page(written: str) -> None:
    assert readings(written)[-1].url == POST


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://bücher.example/ä", "http://xn--bcher-kva.example/%C3%A4"),
        ("http://XN--BCHER-KVA.example/", "http://xn--bcher-kva.example/"),
        ("http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/"),
        ("https://blog.example/Foo_(bar)", "https://blog.example/Foo_(bar)"),
        ("https://blog.example/a post", "https://blog.example/a%20post"),
        ("localhost:8080/post", "http://localhost:8080/post"),
        ("http://[::1]:8080/post", "http://[::1]:8080/post"),
        ("https://blog.example/?a=1&amp;b=2", "https://blog.example/?a=1&b=2"),
        ("https://blog.example/2024/05/", "https://blog.example/2024/05/"),
    ],
)
def test_the_rest_of_a_url_stays_as_it_is(written: str, meant: str) -> None:
    assert readings(written)[-1].url == meant


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "the URL is missing"),
        (" \n ", "the URL is missing"),
        ("a few words", "a few words: not the address of a web page"),
        ("http://[", "http://[: not the address of a web page"),
        ("http://", "http://: not the address of a web page"),
        ("mailto:a@blog.example", "not the address of a web page, which begins with http:// or https://"),
        ("javascript:alert(1)\n", "not the address of a web page, which begins with http:// or https://"),
        ("http://blog.example/" + "a" * URL_CHARACTERS, "the URL is longer than"),
        ("x" * 99_999, "the URL is longer than"),
    ],
)
def test_what_is_not_an_address_is_answered_in_one_line(written: str, message: str) -> None:
    with pytest.raises(ValueError, match="URL|address") as e:
        readings(written)
    assert message in str(e.value)
    assert "\n" not in str(e.value)
    assert len(str(e.value)) < 200


@pytest.mark.parametrize(
    "query", ["river rose", "site:blog.example", '"a.b/c d"', "and/or", "title:x http://a.example/", "e.g. this"]
)
def test_a_search_for_words_is_not_an_address(query: str) -> None:
    assert not is_address(query)


@pytest.mark.parametrize(
    "part", ['"', "(", "<", " ", "%20", "a.", "/1234", "@", "http:/", "\n", "view-source:", "%2525", "&amp;"]
)
def test_reading_takes_no_longer_for_hostile_text(part: str) -> None:
    begin = time.process_time()
    for text in (part * (URL_CHARACTERS // len(part)), f"http://{part * (URL_CHARACTERS // len(part) - 7)}"):
        with suppress(ValueError):
            readings(text)
        is_address(text)
    assert time.process_time() - begin < 1


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("pasted") / "home")
    archive = Archive.open(ArchiveSettings(home=home.path))
    keep(
        archive,
        (capture(0), Text(url=POST, text="The first words", markdown="The first words", title="T")),
        (capture(6, b"<p>two</p>"), Text(url=POST, text="Other words", markdown="Other words", title="T")),
        capture(1, b"<p>ends in a mark</p>", url="http://blog.example/why?"),
        capture(1, b"<p>without text</p>", url="http://blog.example/page"),
    )
    archive.index.engine.dispose()
    return home


@pytest.fixture(scope="module")
def web(home: Home) -> TestClient:
    archive = Archive.open(ArchiveSettings(home=home.path))
    app = application(archive, WebSettings(), Templates(), local=True)
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


@pytest.mark.parametrize("written", [SPELLINGS[2], SPELLINGS[5], SPELLINGS[13], "blog.example/post", SPELLINGS[21]])
def test_the_commands_find_the_page(home: Home, written: str) -> None:
    assert home.pressmark("get", written).out == "Other words\n"
    assert len(home.pressmark("history", written).out.splitlines()) == 2
    assert home.pressmark("search", written).out.startswith("T\n") == is_address(written)


def test_the_time_in_an_address_of_an_archive_counts(home: Home, web: TestClient) -> None:
    pasted = f"http://127.0.0.1:8080/web/{at(0):%Y%m%d%H%M%S}/{POST}"
    assert home.pressmark("get", pasted).out == "The first words\n"
    assert web.get("/search", params={"q": pasted}).headers["location"] == f"/web/{at(0):%Y%m%d%H%M%S}/{POST}"
    assert web.get(f"/web/{pasted}").headers["location"] == f"http://127.0.0.1/web/{at(0):%Y%m%d%H%M%S}/{POST}"


def test_a_wrong_address_fails_with_one_line(home: Home) -> None:
    done = home.pressmark("get", "mailto:a@blog.example")
    assert done.code == 2
    assert done.err.splitlines()[0].endswith("which begins with http:// or https://")
    assert home.pressmark("get", "http://blog.example/never.").code == home.pressmark("get", "blog.example/never").code


@pytest.mark.parametrize("written", SPELLINGS)
def test_the_web_app_finds_the_page(web: TestClient, written: str) -> None:
    if is_address(written) and "/2026" not in written:
        assert web.get("/search", params={"q": written}).headers["location"] == f"/post/{POST}"
    assert web.get("/calendar", params={"url": written}).headers["location"] == f"/web/*/{POST}"
    found = web.get("/api/versions", params={"url": written})
    assert len(found.json()["versions"]) == 2


@pytest.mark.parametrize(
    "path",
    [f"%20{POST}%0A", f"%3C{POST}%3E", f"{POST}.", f"view-source:{POST}", "HTTP:/blog.example/post", f"feed:{POST}"],
)
def test_a_path_of_the_web_app_is_read_in_the_same_way(web: TestClient, path: str) -> None:
    stamp = f"{at(0):%Y%m%d%H%M%S}"
    assert web.get(f"/web/{stamp}id_/{path}").text == "<p>one</p>"
    assert web.get(f"/text/{stamp}/{path}").text == "The first words\n"
    assert web.get(f"/web/{path}").headers["location"].endswith(f"/{POST}")
    assert "Other words" in web.get(f"/post/{path}").text


def test_punctuation_that_belongs_to_the_url_is_kept(home: Home, web: TestClient) -> None:
    assert home.pressmark("get", "http://blog.example/why?", "--as", "html").out == "<p>ends in a mark</p>"
    assert web.get("/web/2id_/http://blog.example/why?").status_code == 302


def test_a_search_for_an_address_that_is_not_archived_says_so(web: TestClient) -> None:
    shown = web.get("/search", params={"q": "https://blog.example/never"})
    assert shown.status_code == 200
    assert "https://blog.example/never is not archived." in shown.text
    assert (
        web.get("/search", params={"q": "blog.example/page"}).headers["location"] == "/web/*/http://blog.example/page"
    )

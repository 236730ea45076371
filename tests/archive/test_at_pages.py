"""Pages of a blog as it was at an instant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from lxml import etree, html
from sample.archives import keep
from sample.past_blog import EDITED, FEED_ONLY, GONE, HOST, LATE, OTHER_NAME, ROOT, make, moment, page, text
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.errors import TaskError
from archive.settings import ArchiveSettings
from archive.web import Templates, app, application
from archive.web.pages.at import POSTS
from archive.web.settings import WebSettings

BASE = "http://127.0.0.1:8000"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    opened = Archive.open(ArchiveSettings(home=tmp_path))
    make(opened)
    return opened


@pytest.fixture
def web(archive: Archive) -> Iterator[TestClient]:
    web_app = application(archive, WebSettings(), Templates())
    with TestClient(web_app, base_url=BASE, follow_redirects=False, headers={"Accept": "text/html"}) as found:
        yield found


def links(answer) -> list[str]:
    return [str(link) for link in html.fromstring(answer.text).xpath("//main//a/@href")]


def shown(answer) -> str:
    return " ".join(html.fromstring(answer.text).xpath("string(//main)").split())


def test_the_list_has_the_posts_of_that_time_and_says_what_was_looked_at(web: TestClient) -> None:
    answer = web.get(f"/at/{moment(12)}/{HOST}")
    assert answer.status_code == 200
    here = f"/at/{moment(12)}/{HOST}"
    posts = [link for link in links(answer) if "/post/http" in link and link.startswith("/at/")]
    assert posts == [f"{here}/post/{quote(url, safe='/:?&=')}" for url in (OTHER_NAME, GONE, EDITED, FEED_ONLY)]
    said = shown(answer)
    assert (
        "A new title 2026-04-20 · Ada · first seen 2026-05-01 22:00:00 UTC, looked at last 2026-05-01 22:00:00" in said
    )
    assert "Other words." in said
    assert "it saw something new last on 2026-05-01 22:00:00 UTC" in said
    assert f"/web/{moment(1)}/{ROOT}/" in links(answer)
    assert f"/web/{moment(1)}/{ROOT}/feed" in links(answer)
    _, _, later = said.partition("Published before, first seen later")
    assert "Found late 2026-04-21 · first seen 2026-05-02 18:00:00 UTC" in later
    assert "A new title" not in later


def test_before_the_first_look_nothing_is_said_to_have_been_there(web: TestClient) -> None:
    said = shown(web.get(f"/at/20260421235959/{HOST}"))
    assert "It saw the first post of this blog on 2026-05-01 12:00:00 UTC, after that time." in said
    before, _, later = said.partition("Published before, first seen later")
    assert "No post of this blog had been seen by then" in before
    assert "Only in the feed" in later
    assert "A new title" not in said  # as it was seen first
    assert "Edited <b>post</b>" in later
    assert "No date" not in said


def test_a_post_has_its_words_of_that_time_and_leads_to_its_neighbours_of_that_time(web: TestClient) -> None:
    here = f"/at/{moment(3)}/{HOST}"
    answer = web.get(f"{here}/post/{EDITED}")
    assert "First words." in shown(answer)
    assert f"/web/{moment(3)}/{ROOT}/mole.png" in links(answer)
    assert GONE in links(answer)  # it had not been seen yet
    assert "http://other.example/x" in links(answer)
    here = f"/at/{moment(12)}/{HOST}"
    assert f"{here}/post/{EDITED}" in links(web.get(f"{here}/post/{GONE}"))
    answer = web.get(f"{here}/post/{EDITED}")
    assert "Other words." in shown(answer)
    assert "<script" not in answer.text
    assert "javascript:" not in " ".join(links(answer))
    assert web.get(f"{here}/post/{quote(LATE, safe='/:?&=')}").status_code == 404
    assert "Found late." in shown(web.get(f"/at/{moment(31)}/{HOST}/post/{quote(LATE, safe='/:?&=')}"))
    assert "Only in the feed." in shown(web.get(f"{here}/post/{quote(FEED_ONLY, safe='/:')}"))


def test_the_feed_is_made_of_the_versions(web: TestClient) -> None:
    answer = web.get(f"/at/{moment(12)}/{HOST}/feed.atom")
    assert answer.headers["content-type"] == "application/atom+xml"
    feed = etree.fromstring(answer.content)
    here = f"{BASE}/at/{moment(12)}/{HOST}"
    assert feed.findtext(f"{ATOM}title") == f"{HOST}, as it was on 2026-05-02 00:00:00 UTC"
    assert feed.findtext(f"{ATOM}id").startswith("urn:uuid:")
    entries = feed.findall(f"{ATOM}entry")
    assert [one.findtext(f"{ATOM}title") for one in entries] == [
        "No date",
        "Soon gone",
        "A new title",
        "Only in the feed",
    ]
    edited = entries[2]
    assert edited.findtext(f"{ATOM}id") == EDITED
    assert edited.findtext(f"{ATOM}published") == "2026-04-20T08:00:00Z"
    assert edited.findtext(f"{ATOM}updated") == "2026-05-01T22:00:00Z"
    assert edited.findtext(f"{ATOM}author/{ATOM}name") == "Ada"
    assert edited.find(f"{ATOM}link").get("href") == f"{here}/post/{EDITED}"
    assert "Other words." in edited.findtext(f"{ATOM}content")
    assert f'href="/at/{moment(12)}/{HOST}/post/{EDITED}"' in entries[1].findtext(f"{ATOM}content")
    assert web.get(f"/at/{moment(12)}/{HOST}/feed.atom").content == answer.content


def test_a_post_without_a_page_of_its_own_can_be_reached_from_every_list(web: TestClient) -> None:
    lists = (f"/at/{moment(12)}/{HOST}", f"/blog/{HOST}")
    found = [link for path in lists for link in links(web.get(path)) if "feed%2317" in link]
    assert len(found) == 2
    assert found[1] in links(web.get(found[0]))
    for link in found:
        assert "Only in the feed." in web.get(link).text
    assert web.get(f"/text/2/{ROOT}/feed%2317", headers={"Accept": "text/plain"}).text == "Only in the feed.\n"


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("2026-05-02/blog.example", "20260502235959/blog.example"),
        ("2026/www.blog.example", "20261231235959/www.blog.example"),
        ("2026/BLOG.example/", "20261231235959/blog.example"),
        ("2026-05-01T14:00:00+02:00/blog.example", "20260501120000/blog.example"),
        ("20260502000000/http://blog.example/feed", "20260502000000/blog.example"),
        ("20260502000000/http:/blog.example/any?x=1", "20260502000000/blog.example"),
        ("202605/blog.example/feed.atom", "20260531235959/blog.example/feed.atom"),
        (
            "202605/blog.example/post/http://blog.example/gone?utm_source=x",
            "20260531235959/blog.example/post/http://blog.example/gone?utm_source=x",
        ),
        ("9999/blog.example", "99991231235959/blog.example"),
        ("20260502000000/hub.example/feed", None),
    ],
)
def test_other_spellings_lead_to_one_address(web: TestClient, asked: str, led: str | None) -> None:
    answer = web.get(f"/at/{asked}")
    if led is None:
        assert answer.status_code == 404
        return
    assert (answer.status_code, answer.headers["location"]) == (302, f"/at/{led}")
    assert web.get(answer.headers["location"]).status_code == 200


def test_the_form_leads_to_the_address(web: TestClient) -> None:
    assert 'action="/at"' in web.get(f"/blog/{HOST}").text
    answer = web.get("/at", params={"blog": HOST, "time": "2026-05-02"})
    assert (answer.status_code, answer.headers["location"]) == (302, f"/at/20260502235959/{HOST}")
    answer = web.get("/at", params={"blog": f"{ROOT}/a?b=c", "time": "2026"})
    assert web.get(answer.headers["location"]).headers["location"] == f"/at/20261231235959/{HOST}"


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        ("/at/soon/blog.example", 400, "is not a valid time"),
        ("/at/20261399/blog.example", 400, "is not a valid time"),
        ("/at/2026/never.example", 404, "never.example: no post of that blog in the archive"),
        ("/at/2026", 404, "the blog is missing"),
        ("/at/2026/", 404, "the blog is missing"),
        ("/at/", 404, "the URL is missing"),
        ("/at", 400, "blog and time are needed"),
        ("/at/20261231235959/blog.example?after=x", 400, "after: &#39;x&#39; is no place in this list"),
        ("/at/20261231235959/blog.example?later=1", 400, "later: "),
        (
            "/at/20261231235959/blog.example/post/http://blog.example/never",
            404,
            "no post of blog.example that had been",
        ),
        ("/at/20261231235959/blog.example/post/%20", 400, "the URL is missing"),
        ("/at/20261231235959/a%20b", 400, "not the address of a web page"),
    ],
)
def test_bad_input_is_one_clear_line(web: TestClient, asked: str, status: int, message: str) -> None:
    answer = web.get(asked)
    assert (answer.status_code, message in answer.text) == (status, True), answer.text[:2000]


def test_a_large_blog_comes_in_pages(archive: Archive, web: TestClient) -> None:
    every = [f"{ROOT}/n/{n}" for n in range(2 * POSTS + 3)]
    keep(archive, *((page(3 + n / 100, url, f"{n}"), text(url, f"number {n}", day=1)) for n, url in enumerate(every)))
    seen: list[str] = []
    here, query = f"/at/{moment(40)}/{HOST}", ""
    for _ in range(9):
        answer = web.get(here + query)
        found = html.fromstring(answer.text)
        seen += [
            link.partition("/post/")[2]
            for link in found.xpath("//ul[@class='posts']//a/@href")
            if link.startswith(here)
        ]
        if not (following := found.xpath("//a[@rel='next']/@href")):
            break
        query = following[0]
    assert sorted(seen) == sorted(
        [*every, OTHER_NAME, GONE, EDITED, quote(LATE, safe="/:?&="), quote(FEED_ONLY, safe="/:")]
    )
    later = web.get(f"/at/20260430235959/{HOST}")
    following = html.fromstring(later.text).xpath("//a[@rel='next']/@href")
    assert len(following) == 1
    assert following[0].startswith("?later=")
    more = web.get(f"/at/20260430235959/{HOST}{following[0]}")
    assert len(re.findall("number|/n/", more.text)) >= POSTS


class Recorded:
    """A `Work` that fails on request."""

    def __init__(self) -> None:
        self.fails = ""

    def __call__(self, function, **arguments):
        if function.__name__ == self.fails:
            raise TaskError("passed 5 s")
        return function(**arguments)


def test_what_cannot_be_made_is_told_where_it_belongs(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Recorded()
    monkeypatch.setattr(app, "workers", lambda: work)
    with TestClient(application(archive, WebSettings(), Templates()), base_url=BASE) as web:
        here = f"/at/{moment(12)}/{HOST}"
        work.fails = "markdown_html"
        assert web.get(f"{here}/post/{EDITED}").status_code == 500
        feed = web.get(f"{here}/feed.atom")
        assert feed.status_code == 200
        assert feed.text.count("This text cannot be shown: passed 5 s") == 4
        work.fails = "found_by"
        answer = web.get(here)
        assert answer.status_code == 200
        assert "No capture of the blog's own feed is known" in answer.text


def test_a_damaged_text_is_told_and_the_others_are_shown(archive: Archive, web: TestClient) -> None:
    row = archive.index.texts(GONE)
    one = next(iter(row.values()))[0]
    path = archive.settings.home / "store" / one.object
    data = bytearray(path.read_bytes())
    data[one.offset + 40 : one.offset + 60] = bytes(20)
    path.write_bytes(data)
    said = shown(web.get(f"/at/{moment(12)}/{HOST}"))
    assert "Its text cannot be read" in said
    assert "Other words." in said
    assert "The text cannot be read" in shown(web.get(f"/at/{moment(12)}/{HOST}/post/{GONE}"))
    assert web.get(f"/at/{moment(12)}/{HOST}/feed.atom").status_code == 200

"""Edits of a post: its words, title, author, date and lead picture are; what surrounds them and typography are not."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sample.archives import capture, keep
from sqlalchemy import update
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.extract import extract
from archive.extract.text import Entry, Link, Text
from archive.index.edits import edits, facts, plain, plain_digest, restless, stated
from archive.index.schema import texts
from archive.maintenance.reindex import keys, reindex
from archive.maintenance.verify import verify
from archive.reader.page_history import compared, versions_of
from archive.settings import ArchiveSettings
from archive.web import Templates, application
from archive.web.settings import WebSettings
from schedules.cli import pressmark

URL = "http://blog.example/2026/05/harbour"
WORDS = (
    "The ferry carries eleven kinds of rope and nine kinds of knot, and the crew could not tell you any of their names."
    " Both lie in the same locker, and nobody has ever counted either of them."
)
FIRST = {"title": "The bell buoy", "author": "Nora Whitfield", "published": "2026-05-01", "image": "http://a/b.jpg"}


def page(number: int = 0, words: str = WORDS, **changed: str) -> bytes:
    """A page of a post; everything around it is different in each fetch."""
    said = {name: html.escape(value) for name, value in {**FIRST, **changed}.items()}
    others = "".join(f"<li><a href='/{number}-{n}'>Another post {number * 7 + n}</a></li>" for n in range(5))
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{said["title"]} | Tide tables</title>
<meta property="og:title" content="{said["title"]}"><meta name="author" content="{said["author"]}">
<meta property="article:published_time" content="{said["published"]}T10:00:00+00:00">
<meta property="og:image" content="{said["image"]}?cache={number}"><meta name="csrf-token" content="{number:032x}">
</head><body><nav><a href="/">Tide tables</a></nav><aside><ul>{others}</ul><p>{number} people read this now</p></aside>
<main><article><h1>{said["title"]}</h1><p class="byline">By {said["author"]}, {said["published"]}</p>
<p>{words}</p><p>{words.replace("ferry", "pilot")}</p><p>A last word on the harbour closes this post.</p></article></main>
<footer><p>Served in {number} ms</p></footer><script>var seen = {number};</script></body></html>""".encode()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.open(ArchiveSettings(home=tmp_path))


def fetched(archive: Archive, *payloads: bytes) -> list[tuple[str, ...]]:
    """Archive pages an hour apart; gives what changed in each version."""
    made = [extract(payload, url=URL, content_type="text/html; charset=utf-8") for payload in payloads]
    both = zip(payloads, made, strict=True)
    keep(archive, *((capture(n, payload, url=URL), text) for n, (payload, text) in enumerate(both)))
    return [version.changed for version in versions_of(archive, URL)]


def written(archive: Archive, *said: Text) -> list[tuple[str, ...]]:
    keep(archive, *((capture(n, b"%d" % n, url=URL), text) for n, text in enumerate(said)))
    return [version.changed for version in versions_of(archive, URL)]


def test_what_surrounds_a_post_makes_no_version(archive: Archive) -> None:
    assert fetched(archive, *map(page, range(12))) == [()]


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"title": "The bell buoy is silent"}, "title"),
        ({"title": "The Bell Buoy"}, "title"),
        ({"author": "Tomos Rees"}, "author"),
        ({"published": "2026-05-02"}, "date"),
        ({"image": "http://a/c.jpg"}, "picture"),
        ({"words": WORDS.replace("eleven", "twelve")}, "text"),
    ],
)
def test_each_edit_is_a_version_that_names_what_changed(archive: Archive, changed: dict[str, str], wanted: str) -> None:
    assert fetched(archive, page(1), page(2), page(3, **changed), page(4, **changed)) == [(), (wanted,)]


def test_several_edits_at_once_are_one_version(archive: Archive) -> None:
    words = WORDS.replace("eleven", "twelve")
    found = fetched(archive, page(1), page(2, words, title="Another", author="Tomos Rees", published="2026-06-01"))
    assert found == [(), ("text", "title", "author", "date")]


def test_an_edit_that_is_undone_is_a_version_too(archive: Archive) -> None:
    found = fetched(archive, page(1), page(2, title="Another"), page(3))
    assert found == [(), ("title",), ("title",)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('It\'s "a" test - of 3', "It’s “a” test – of 3"),  # noqa: RUF001
        ("one  two\nthree", "one two\u00a0three"),
        ("a--b", "a — b"),
        ("and so on...", "and so on…"),
        ("so\u00adlong\u200b", "solong"),
        ("cafe\u0301", "café"),
    ],
)
def test_typography_and_white_space_are_no_edit(archive: Archive, before: str, after: str) -> None:
    assert plain(before) == plain(after)
    text = Text(url=URL, text=before, markdown=before, title=before, author=before)
    assert written(archive, text, replace(text, text=after, markdown=after, title=after, author=after)) == [()]


@pytest.mark.parametrize(("before", "after"), [("a bell", "A bell"), ("a, b", "a b"), ("5-3", "53")])
def test_letters_case_and_punctuation_are(before: str, after: str) -> None:
    assert plain(before) != plain(after)


@pytest.mark.parametrize(
    ("name", "before", "after", "edited"),
    [
        ("title", "(3) The bell", "(12) The bell", False),
        ("title", "(3) The bell", "(3) The buoy", True),
        ("published", "2026-05-01", "2026-05-01T23:30:00-05:00", False),
        ("published", "2026-05-01", "2026-05-02T04:30:00+00:00", True),
        ("published", "2026-05-01T10:00:00+02:00", "2026-05-01T08:00:00+00:00", False),
        ("published", "2026-05-01T10:00:00+00:00", "2026-05-01T10:00:00+02:00", False),
        ("published", "2026-05-01T10:00:10+00:00", "2026-05-01T10:00:40+00:00", False),
        ("published", "2026-05-01T10:00:00+00:00", "2026-05-01T11:30:00+00:00", True),
        ("published", "soon", "later", True),
        ("image", "https://a/b.jpg?v=1", "http://cdn/b-300x200.jpg?v=2", False),
        ("image", "https://a/2026/b.jpg", "https://i0.wp.com/a/2026/b.jpg?w=1", False),
        ("image", "https://a/show?id=1", "https://a/show?id=2", True),
        ("image", "https://[", "https://[", False),
        ("author", "", "Nora", True),
        ("author", "Nora", "", True),
    ],
)
def test_what_counts_as_another_fact(name: str, before: str, after: str, edited: bool) -> None:
    both = (stated({name: value, "sources": {name: "meta"}}) for value in (before, after))
    assert any(fact.edited for fact in facts(*both, source="page")) is edited


@pytest.mark.parametrize(
    ("name", "places", "source", "edited"),
    [
        ("title", ("page", "meta"), "page", True),
        ("title", ("feed", "page"), "page", False),
        ("author", ("page", "meta"), "page", False),
        ("author", ("feed", "feed"), "page", True),
        ("author", (None, "feed"), "page", False),
        ("author", (None, "feed"), "feed", True),
    ],
)
def test_a_fact_that_was_found_elsewhere_is_compared_with_care(
    name: str, places: tuple[str | None, str], source: str, edited: bool
) -> None:
    both = (stated({name: f"{n}", "sources": {name: one}} if one else {}) for n, one in enumerate(places))
    assert any(fact.edited for fact in facts(*both, source=source)) is edited


def test_a_picture_by_chance_and_the_date_of_the_visit_are_no_edits(archive: Archive) -> None:
    chances = [page(n, image=f"http://a/{n}.jpg", published=f"2026-05-0{n + 1}") for n in range(5)]
    assert fetched(archive, *chances) == [()]
    assert restless([("picture",), ("picture",), ("picture", "title")]) == {"picture"}
    assert restless([("title",)] * 9) == frozenset()
    assert restless([("picture",)] * 2) == frozenset()
    assert restless([("picture",), (), ("picture",), ("picture",)]) == frozenset()


def test_page_and_feed_are_compared_each_with_itself(archive: Archive) -> None:
    by_page = Text(url=URL, text="the words", markdown="the words", title="A")
    by_feed = replace(by_page, text="other words", source="feed", title="a")
    assert written(archive, by_page, by_feed, by_page, by_feed, replace(by_page, title="B")) == [(), ("title",)]


ENTRY = Entry(title="The bell buoy", author="Nora Whitfield", published=datetime(2026, 5, 1, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [({"title": "The bell buoy is silent"}, "title"), ({"author": "Tomos Rees"}, "author"),
     ({"published": "2026-05-02"}, "date")],
)  # fmt: skip
def test_an_edit_of_the_page_is_seen_while_its_feed_still_has_the_old_words(
    archive: Archive, changed: dict[str, str], wanted: str
) -> None:
    made = [extract(one, url=URL, entry=ENTRY) for one in (page(1), page(2), page(3, **changed), page(4, **changed))]
    assert {text.title for text in made} == {"The bell buoy"}
    assert written(archive, *made) == [(), (wanted,)]


def test_an_edit_of_the_feed_is_seen_while_the_page_stays_as_it_is(archive: Archive) -> None:
    entries = (ENTRY, ENTRY, replace(ENTRY, title="Buoy"), replace(ENTRY, title="Buoy"))
    made = [extract(page(n), url=URL, entry=entry) for n, entry in enumerate(entries)]
    assert written(archive, *made) == [(), ("title",)]


def test_a_post_that_falls_out_of_its_feed_is_not_edited(archive: Archive) -> None:
    entries = (ENTRY, ENTRY, None, None)
    made = [extract(page(n), url=URL, entry=entry) for n, entry in enumerate(entries)]
    assert written(archive, *made) == [()]


def test_another_extractor_is_no_edit(archive: Archive) -> None:
    one = Text(url=URL, text="the words", markdown="", title="A", extractor={"rules": "1"})
    assert written(archive, one, replace(one, title="B", extractor={"rules": "2"})) == [()]


def test_rows_of_an_earlier_version_are_no_edits_until_they_are_made_anew(archive: Archive, tmp_path: Path) -> None:
    text = Text(url=URL, text="the words", markdown="the words", title="A")
    assert written(archive, text, replace(text, title="B")) == [(), ("title",)]
    with archive.index.engine.begin() as connection:
        connection.execute(update(texts).values(stated=None, plain=None))
    assert [one.changed for one in versions_of(archive, URL)] == [()]
    found = [one for row in archive.index.objects() for one in verify(archive.store, archive.index, row)]
    assert found == [], "what is not known is not wrong"
    again = rebuilt(archive, tmp_path)
    assert [one.changed for one in versions_of(again, URL)] == [(), ("title",)]


def test_the_index_says_the_same_of_new_and_of_rebuilt_rows(archive: Archive, tmp_path: Path) -> None:
    text = Text(url=URL, text="“the” words", markdown="", title="A", author="N", published=date(2026, 5, 1), image="i")
    written(archive, text)
    (before,), (after,) = archive.index.texts(URL).values(), rebuilt(archive, tmp_path).index.texts(URL).values()
    assert before == after
    assert before[0].plain == plain_digest('"the" words')
    assert before[0].stated == stated(text.fields())
    assert edits(before[0], replace(before[0], digest="other")) == ()


def rebuilt(archive: Archive, home: Path) -> Archive:
    """The same archive with a database that is made from the store alone."""
    again = Archive.open(ArchiveSettings(home=home, database=f"sqlite:///{home}/new.db"))
    for key in keys(archive.store):
        reindex(again.store, again.writer.index, key)
    return again


def test_commands_api_and_pages_name_the_edit(archive: Archive, tmp_path: Path) -> None:
    fetched(archive, page(1), page(2, title="The bell <buoy>", author="Tomos Rees"))
    env = {"PRESSMARK_HOME": str(tmp_path)}

    def run(*arguments: str) -> str:
        return CliRunner().invoke(pressmark, list(arguments), env=env).stdout

    assert "title, author changed" in run("versions", URL).splitlines()[1]
    assert [json.loads(line)["changed"] for line in run("versions", URL, "--json").splitlines()] == [
        [],
        ["title", "author"],
    ]
    shown = run("diff", URL).splitlines()
    assert shown[2:5] == [
        "title: [-The bell buoy-] {+The bell <buoy>+}",
        "author: [-Nora Whitfield-] {+Tomos Rees+}",
        "date: 2026-05-01T10:00:00+00:00",
    ]
    told = json.loads(run("diff", URL, "--json"))
    assert told["facts"] == [
        {"class": "title", "before": "The bell buoy", "after": "The bell <buoy>"},
        {"class": "author", "before": "Nora Whitfield", "after": "Tomos Rees"},
    ]
    web = TestClient(application(archive, WebSettings(), Templates(), local=True), base_url="http://127.0.0.1")
    versions = web.get("/api/versions", params={"url": URL}).json()["versions"]
    assert [one["changed"] for one in versions] == [[], ["title", "author"]]
    assert web.get("/api/diff", params={"url": URL}).json()["facts"] == told["facts"]
    diff = web.get(f"/diff/{URL}").text
    assert "<del>The bell buoy</del> <ins>The bell &lt;buoy&gt;</ins>" in diff
    assert "<td>title, author</td>" in web.get(f"/post/{URL}").text


def test_a_comparison_over_two_extractors_names_no_edit(archive: Archive) -> None:
    one = Text(url=URL, text="the words", markdown="", title="A", extractor={"rules": "1"})
    other = replace(one, text="another", title="B", extractor={"rules": "2"})
    written(archive, one, other, replace(other, text="another word"))
    found = versions_of(archive, URL)
    assert [fact.edited for fact in compared(archive, found, None, None).facts] == [False] * 4


@pytest.mark.parametrize(
    ("one", "other", "words", "edited"),
    [
        ({"profile": "blog/1"}, {"profile": "blog/2"}, "the same", [(), ("title",)]),
        ({"chosen": "trafilatura"}, {}, "the same", [(), ("title",)]),
        ({"rules": "3"}, {}, "the same", [()]),
        ({"profile": "blog/1"}, {"profile": "blog/2"}, "others", [()]),
    ],
)
def test_a_headline_is_compared_where_two_extractors_found_the_same_words(
    archive: Archive, one: dict[str, str], other: dict[str, str], words: str, edited: list[tuple[str, ...]]
) -> None:
    made = {"name": "judged", "rules": "4"}
    first = Text(url=URL, text="the same", markdown="the same", title="The bell", extractor={**made, **one})
    second = replace(first, text=words, title="The buoy", extractor={**made, **other})
    assert written(archive, first, second) == edited
    both = compared(archive, versions_of(archive, URL), None, None)
    assert [edit.name for edit in both.edits] == (["headline"] if edited[1:] else [])


@pytest.mark.parametrize(
    ("before", "after", "edited"),
    [
        (["http://a.example/one"], ["http://a.example/two"], [(), ("links",)]),
        (["http://a.example/one"], ["https://www.a.example/one/?utm_source=b#c"], [()]),
        (["http://a.example/one", "http://b.example/"], ["http://b.example/", "http://a.example/one"], [()]),
        ([], ["http://a.example/one"], [(), ("links",)]),
    ],
)
def test_where_links_lead_is_part_of_a_post(
    archive: Archive, before: list[str], after: list[str], edited: list[tuple[str, ...]]
) -> None:
    first = Text(url=URL, text="the same", markdown="the same", links=tuple(Link(one, "same") for one in before))
    second = replace(first, links=tuple(Link(one, "same") for one in after))
    assert written(archive, first, second) == edited
    told = compared(archive, versions_of(archive, URL), None, None).edits
    assert {edit.name for edit in told} == ({"link"} if edited[1:] else set())

"""A post that vanished looks alive nowhere: in no command, on no page, in no answer for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner, Result
from sample.archives import at, capture, keep
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.reader.vanished import KINDS, Place, Vanished
from archive.settings import ArchiveSettings
from archive.warc.page_identity import page_key
from archive.web.settings import WebSettings
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Missing
from schedules.cli import pressmark
from schedules.runs import Runs
from schedules.web.app import Web

URL = "http://blog.example/post"
ALIVE = "http://blog.example/alive"
OTHER = "http://www.other.example/a_b"
GONE = Deletion(
    key=page_key(URL), url=URL, since=at(24), kind="gone", status=410, proof="<urn:uuid:p>", alive=at(20),
    alive_record="<urn:uuid:a>",
)  # fmt: skip
WALLED = replace(GONE, key=page_key(OTHER), url=OTHER, since=at(30), kind="login", status=200, proof=None, alive=None)
LINE = (
    "not there any more since 2026-05-02 12:00 UTC: answered 410, last seen alive 2026-05-02 08:00 UTC, "
    "proof: capture <urn:uuid:p>"
)
BACK = (
    "was not there from 2026-05-02 12:00 UTC to 2026-05-03 00:00 UTC, came back: answered 410, last seen alive "
    "2026-05-02 08:00 UTC, proof: capture <urn:uuid:p>"
)
TOLD = {
    "since": "2026-05-02T12:00:00Z",
    "kind": "gone",
    "reason": "answered 410",
    "status": 410,
    "last_seen": "2026-05-02T08:00:00Z",
    "proof": "<urn:uuid:p>",
    "back": None,
}


class World:
    """An archive with three posts, and the crawler's ledger beside it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.archive = Archive.open(ArchiveSettings(home=home))
        for n, url in enumerate((URL, ALIVE, OTHER)):
            keep(self.archive, (replace(capture(n, b"%d" % n), url=url), f"the ferry and the bell {n}"))
        self.frontier = Frontier.open(self.archive.settings.database)

    def enter(self, *found: Deletion) -> None:
        self.frontier.enter_deletions(found)

    def web(self) -> TestClient:
        runs = Runs.open(self.archive.settings.database)
        web = Web(self.archive, self.frontier, runs, health=dict, nudge=lambda: None)
        return TestClient(web.application(WebSettings(), local=True), base_url="http://127.0.0.1")

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(pressmark, list(arguments), env={"PRESSMARK_HOME": str(self.home)})


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_kinds_of_the_ledger_have_words() -> None:
    assert set(KINDS) == set(get_args(Missing))


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("gone", 404, "answered 404"),
        ("gone", 451, "answered 451"),
        ("home", 200, "redirects to the front page"),
        ("login", 401, "asks for a login"),
        ("soft-404", 200, "soft 404: an error page answers in its place"),
    ],
)
def test_the_kind_is_told_in_words(kind: str, status: int, words: str) -> None:
    one = Vanished(key="k", url=URL, kind=kind, status=status, since=at(1), last_seen=None, proof=None)
    assert one.line() == (
        f"not there any more since 2026-05-01 13:00 UTC: {words}, when it was last alive is not known, proof: none"
    )


def test_get_tells_on_standard_error_and_in_json(world: World) -> None:
    assert world.run("get", URL).stderr == ""
    assert json.loads(world.run("get", URL, "--as", "json").stdout)["vanished"] is None
    world.enter(GONE)
    done = world.run("get", URL)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "the ferry and the bell 0\n", f"{LINE}\n")
    assert world.run("get", "https://www.blog.example/post/").stderr == f"{LINE}\n", "however it is spelt"
    assert json.loads(world.run("get", URL, "--as", "json").stdout)["vanished"] == TOLD
    assert world.run("get", ALIVE).stderr == ""

    world.enter(replace(GONE, restored=at(36), restored_record="<urn:uuid:b>"))
    assert world.run("get", URL).stderr == f"{BACK}\n"
    found = json.loads(world.run("get", URL, "--as", "json").stdout)
    assert (found["vanished"], found["came_back"]["back"]) == (None, "2026-05-03T00:00:00Z")


def test_the_last_deletion_counts(world: World) -> None:
    world.enter(replace(GONE, restored=at(36), restored_record="b"), replace(GONE, since=at(48), status=404))
    assert "since 2026-05-03 12:00 UTC: answered 404" in world.run("get", URL).stderr


def test_history_and_search_mark_it(world: World) -> None:
    row = world.archive.captures(URL)[0]
    world.enter(replace(GONE, proof=row.record))
    lines = world.run("history", URL).stdout.splitlines()
    assert lines[0].endswith("  proof of the deletion")
    assert lines[1].startswith("not there any more since 2026-05-02 12:00 UTC: answered 410")
    assert json.loads(world.run("history", URL, "--json").stdout)["vanished"] == {**TOLD, "proof": row.record}
    assert len(world.run("history", ALIVE).stdout.splitlines()) == 1

    assert world.run("search", "ferry").stdout.count("not there any more") == 1
    hits = [json.loads(line) for line in world.run("search", "ferry", "--json").stdout.splitlines()]
    assert {hit["url"] for hit in hits if hit["vanished"]} == {URL}
    assert len(hits) == 3


def test_commands_that_read_an_archive_that_was_never_crawled_create_no_tables(tmp_path: Path) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    keep(archive, (capture(0, b"0"), "alone"))
    done = CliRunner().invoke(pressmark, ["get", URL], env={"PRESSMARK_HOME": str(tmp_path)})
    assert (done.exit_code, done.stdout, done.stderr) == (0, "alone\n", "")
    with archive.index.engine.connect() as connection:
        assert not archive.index.engine.dialect.has_table(connection, "deletions")


def test_pages_and_answers_for_programs_tell(world: World) -> None:
    world.enter(GONE)
    web = world.web()
    post = web.get(f"/post/{URL}").text
    assert "This post is not there any more since" in post
    assert "answered 410" in post
    assert "last seen alive" in post
    assert f'href="/exchange/20260502120000/{URL}"' in post
    assert "not there any more" not in web.get(f"/post/{ALIVE}").text
    assert "not there any more" in web.get(f"/web/*/{URL}").text
    assert web.get("/search?q=ferry").text.count("not there any more") == 1
    assert web.get("/blog/blog.example").text.count("not there any more") == 1
    assert "answered 410" in web.get("/").text
    hits = web.get("/api/search?q=ferry").json()["hits"]
    assert {hit["url"]: hit["vanished"] for hit in hits if hit["vanished"]} == {URL: TOLD}
    assert web.get(f"/api/versions?url={URL}").json()["vanished"] == TOLD
    assert f"Vanished: {LINE}." in web.get("/changes.atom").text.replace("&lt;", "<").replace("&gt;", ">")


def test_a_text_that_a_client_holds_is_sent_again_when_its_post_vanishes(world: World) -> None:
    web = world.web()
    json_only = {"Accept": "application/json"}
    before = web.get(f"/text/{URL}", headers=json_only)
    assert web.get(f"/text/{URL}", headers={**json_only, "If-None-Match": before.headers["etag"]}).status_code == 304
    world.enter(GONE)
    after = web.get(f"/text/{URL}", headers={**json_only, "If-None-Match": before.headers["etag"]})
    assert (before.json()["vanished"], after.json()["vanished"]) == (None, TOLD)


def test_a_return_is_told_on_pages_and_in_the_feed(world: World) -> None:
    world.enter(replace(GONE, restored=at(36), restored_record="b"))
    web = world.web()
    assert "and came back" in web.get(f"/post/{URL}").text
    assert web.get(f"/api/versions?url={URL}").json()["vanished"] is None
    feed = web.get("/changes.atom").text
    assert "<title>Back: the ferry and the bell 0</title>" in feed
    assert "<title>Vanished: the ferry and the bell 0</title>" in feed
    assert "No archived post" not in web.get("/deletions").text


@pytest.mark.parametrize(
    ("filters", "urls"),
    [
        ({}, [URL, OTHER]),
        ({"kind": "login"}, [OTHER]),
        ({"host": "blog.example"}, [URL]),
        ({"host": "WWW.blog.example"}, [URL]),
        ({"host": "other.example"}, [OTHER]),
        ({"host": "example"}, []),
        ({"host": "other_example"}, []),
        ({"since": "2026-05-02T15:00Z"}, [OTHER]),
        ({"since": "2026-05-02"}, [URL, OTHER]),
        ({"since": "20260502"}, [URL, OTHER]),
        ({"since": "2026-05-03"}, []),
        ({"kind": "gone", "host": "other.example"}, []),
    ],
)
def test_deletions_are_filtered_alike_everywhere(world: World, filters: dict[str, str], urls: list[str]) -> None:
    world.enter(GONE, WALLED)
    options = [part for name, value in filters.items() for part in (f"--{name}", value)]
    lines = world.run("deletions", "--json", *options).stdout.splitlines()
    assert [json.loads(line)["url"] for line in lines] == urls
    web = world.web()
    answered = web.get("/api/deletions", params=filters).json()
    assert [one["url"] for one in answered["deletions"]] == urls[::-1], "the last one first"
    page = web.get("/deletions", params=filters).text
    assert [f">{url}</a></th>" in page for url in (URL, OTHER)] == [url in urls for url in (URL, OTHER)]


@pytest.mark.parametrize(
    ("name", "value"), [("kind", "vanished"), ("host", "a b"), ("since", "yesterday"), ("since", "2026-13-01")]
)
def test_a_filter_that_means_nothing_is_named(world: World, name: str, value: str) -> None:
    done = world.run("deletions", f"--{name}", value)
    assert done.exit_code == 2
    assert f"--{name}: {value!r} is not" in done.stderr
    web = world.web()
    for path in ("/api/deletions", "/deletions"):
        answered = web.get(path, params={name: value})
        assert answered.status_code == 400, path
        assert f"{name}: " in answered.text
    assert web.get("/api/deletions", params={"after": "x"}).status_code == 400


def test_the_list_comes_in_parts_without_gaps(world: World) -> None:
    every = [replace(GONE, key=f"{n:064}", url=f"{URL}/{n}", since=at(24 + n // 3)) for n in range(10)]
    world.enter(*every)
    web, found, after = world.web(), [], ""
    while after is not None:
        part = web.get("/api/deletions", params={"limit": 3, "after": after}).json()
        found += [one["url"] for one in part["deletions"]]
        after = part["next"]
    assert found == [one.url for one in every[::-1]]


def test_the_command_tells_in_one_line_each(world: World) -> None:
    world.enter(GONE)
    assert world.run("deletions").stdout == f"{URL}  {LINE}\n"
    assert world.run("deletions", "--kind", "home").stdout == "no deletion is like that\n"


def test_a_place_in_the_list_is_what_was_written() -> None:
    place = Place(since=datetime(2026, 5, 1, 12, 0, 0, 7, tzinfo=UTC), key="ab")
    assert Place.parse(str(place)) == place
    with pytest.raises(ValueError, match="no place in this list"):
        Place.parse("1-g")


def test_a_blog_as_it_was_has_a_post_except_while_it_was_found_gone(world: World, tmp_path: Path) -> None:
    world.enter(replace(GONE, restored=at(30)), replace(GONE, since=at(60)))
    world.enter(replace(GONE, since=at(26), kind="unlisted"))  # that hides nothing, and is no absence
    world.enter(replace(GONE, key=page_key(ALIVE), url=ALIVE, since=at(10), kind="unlisted"))
    web = world.web()
    for hours, there in ((23, True), (24, False), (29, False), (30, True), (59, True), (60, False)):
        stamp = f"{at(hours):%Y%m%d%H%M%S}"
        result = world.run("at", stamp, "blog.example", "--out", str(tmp_path / stamp), "--json")
        assert json.loads(result.stdout)["posts"] == 1 + there, hours
        assert (f"/post/{URL}" in web.get(f"/at/{stamp}/blog.example").text) is there, hours
        assert web.get(f"/at/{stamp}/blog.example/post/{URL}").status_code == (200 if there else 404)

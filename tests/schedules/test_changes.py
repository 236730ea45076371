"""What happened to posts: found once, filtered, watched, sent to those who asked, and never lost on the way."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sample.archives import at, capture, keep
from sample.mailbox import Hook, mail_server
from sqlalchemy import update
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.extract.text import Text
from archive.index import untold
from archive.settings import ArchiveSettings
from archive.warc.page_identity import page_key
from archive.web.settings import WebSettings
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier
from schedules.changes import deliveries, kept
from schedules.changes.model import Change
from schedules.changes.query import Wanted, joined, parse
from schedules.changes.tables import deliveries as table
from schedules.changes.watches import Watches, fault
from schedules.cli import pressmark
from schedules.delivery import signature
from schedules.runs import Runs
from schedules.web.app import Web

URL = "http://blog.example/post"
OTHER = "http://www.other.example/a_b"
BODY = "The ferry carries eleven kinds of rope and 12 kinds of knot.\nNobody has counted them since the bell rang."
GONE = Deletion(
    key=page_key(OTHER), url=OTHER, since=at(30), kind="gone", status=410, proof="<urn:uuid:p>", alive=at(20),
    alive_record="<urn:uuid:a>",
)  # fmt: skip
SECRET = "a secret of thirty characters."


class World:
    """An archive with a post that was edited twice, and one that vanished and came back."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.archive = Archive.open(ArchiveSettings(home=home))
        self.frontier = Frontier.open(self.archive.settings.database)
        self.runs = Runs.open(self.archive.settings.database)
        self.settings: dict[str, str] = {"PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8", "PRESSMARK_WEBHOOK_SECRET": SECRET}

    def keep(self, url: str, said: Sequence[Text], *, first: int = 0) -> None:
        keep(
            self.archive,
            *((capture(first + n, b"%s %d" % (url.encode(), n), url=url), one) for n, one in enumerate(said)),
        )

    def run(self, *arguments: str) -> Result:
        env = {"PRESSMARK_HOME": str(self.home), **self.settings}
        return CliRunner().invoke(pressmark, list(arguments), env=env)

    def changes(self, *arguments: str) -> list[dict[str, Any]]:
        ran = self.run("changes", "--json", *arguments)
        assert ran.exit_code == 0, ran.output
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def web(self) -> TestClient:
        web = Web(self.archive, self.frontier, self.runs, health=dict, nudge=lambda: None)
        return TestClient(web.application(WebSettings(), local=True), base_url="http://127.0.0.1")


def post(url: str = URL, text: str = BODY, title: str = "The bell", **more: Any) -> Text:
    return Text(url=url, text=text, markdown=text, title=title, tags=("Sea",), **more)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    edited = post(text=BODY.replace("12", "19"), title="The buoy")
    made.keep(URL, [post(), post(), edited, replace(edited, text=edited.text + "\nA lamp was added to the quay.")])
    made.keep(OTHER, [post(OTHER, "A quiet post on cheese.", "Cheese")], first=6)
    made.frontier.enter_deletions([replace(GONE, restored=at(36), restored_record="b")])
    return made


ALL = [("back", OTHER), ("vanished", OTHER), ("new", OTHER), ("edited", URL), ("edited", URL), ("new", URL)]


def told(found: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["kind"], one["url"]) for one in found]


def test_what_happened_is_told_once_the_last_first_with_classes(world: World) -> None:
    found = world.changes()
    assert told(found) == ALL
    assert told(world.changes()) == ALL
    assert [one["classes"] for one in found] == [[], [], [], ["added"], ["headline", "number"], []]
    assert found[4]["changes"] == [
        {"class": "headline", "before": "The bell", "after": "The buoy"},
        {"class": "number", "before": "12", "after": "19"},
    ]
    assert [(one["size"], one["tags"], one["title"]) for one in found[3:5]] == [
        (7, ["Sea"], "The buoy"),
        (2, ["Sea"], "The buoy"),
    ]
    assert found[1]["detail"].startswith("was not there from")
    lines = world.run("changes").stdout
    assert "edited (number, headline)" in lines


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("blog:blog.example", ALL[3:]),
        ("blog:https://www.other.example/about", ALL[:3]),
        ("kind:vanished,back", ALL[:2]),
        ("tag:sea kind:new", [ALL[2], ALL[5]]),
        ("class:number", [ALL[4]]),
        ("class:added,number", ALL[3:5]),
        ("size:>2", [ALL[3]]),
        ("size:<=2", [ALL[4]]),
        ("appears:lamp", [ALL[3]]),
        ("appears:amp", []),
        ("appears:cheese", [ALL[2]]),
        ("goes:12", [ALL[4]]),
        ("appears:12", [ALL[5]]),
        ('"lamp was added"', [ALL[3]]),
        ("'appears:a lamp' size:7", [ALL[3]]),
        ("", ALL),
    ],
)
def test_filters_mean_the_same_in_commands_and_over_http(
    world: World, query: str, wanted: list[tuple[str, str]]
) -> None:
    assert told(world.changes(query)) == wanted
    assert told(world.web().get("/api/changes", params={"q": query}).json()["changes"]) == wanted


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("class:spelling", "class: 'spelling' is not one: use typo, wording"),
        ("colour:red", "'colour:red' has no such field: use blog:, tag:"),
        ('"bell', "has a quotation that does not end"),
        ("size:large", "size: 'large' is no number of words"),
        ("blog:a b", "query"),
        ("kind:", "kind: '' is not one: use new, edited"),
        ("...", "query: '...' has no words"),
        ("appears:", "appears: '' has no words"),
        ("blog:", "blog: '' is not a host"),
    ],
)
def test_what_is_no_query_is_one_clear_line(world: World, query: str, said: str) -> None:
    if query == "blog:a b":
        assert parse(query).either == ("b",)
        return
    ran = world.run("watch", "add", "one", query)
    assert ran.exit_code == 2
    assert said in ran.output.splitlines()[-1]
    assert said in world.web().get("/api/changes", params={"q": query}).json()["error"]


def test_terms_of_a_command_line_are_one_query() -> None:
    assert parse(joined(["appears:bell buoy", "class:number"])) == Wanted(appears=("bell buoy",), classes=("number",))
    assert parse(joined([])) == Wanted()


def test_words_of_scripts_without_spaces_are_found_anywhere() -> None:
    change = Change(
        page="p", at=at(0), kind="new", url=URL, host="blog.example", title="今天天气很好", tags=(), edits=(), size=0, detail=""
    )  # fmt: skip
    assert parse("appears:天气").matches(change, lambda: "")
    assert not parse("appears:goes").matches(change, lambda: "foregoes")


def test_the_list_comes_in_parts(world: World) -> None:
    web, found, after = world.web(), [], ""
    for _ in range(3):
        part = web.get("/api/changes", params={"limit": 2, "after": after}).json()
        found += part["changes"]
        after = part["next"] or ""
    assert told(found) == ALL
    assert web.get("/api/changes", params={"after": after or "0-0"}).json() == {"changes": [], "next": None}
    assert "after: 'x' is no place" in web.get("/api/changes", params={"after": "x"}).json()["error"]
    assert told(world.changes("--since", "2026-05-02T12:00Z")) == ALL[:2]
    assert told(web.get("/api/changes", params={"since": "2026-05-02"}).json()["changes"]) == ALL[:2]


def test_a_filter_that_passes_few_looks_at_a_limited_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "CHANGES_SCANNED", 2)
    monkeypatch.setattr(kept, "_PART", 2)
    first = world.web().get("/api/changes", params={"q": "class:number"}).json()
    assert first["changes"] == []
    assert first["next"]
    assert told(world.changes("class:number")) == [ALL[4]]


def test_pages_and_feeds_tell_it(world: World) -> None:
    assert world.run("watch", "add", "numbers", "class:number").exit_code == 0
    web = world.web()
    page = web.get("/changes").text
    assert "headline, number" in page
    assert f"/diff/{URL}?to=20260501140000&amp;view=changes" in page
    assert 'href="/watches/numbers.atom"' in page
    assert "Nothing changed" in web.get("/changes?q=appears:nothing").text
    assert web.get("/changes?q=class:none").status_code == 400
    assert web.get("/changes.atom").text.count("<entry>") == len(ALL)
    feed = web.get("/watches/numbers.atom").text
    assert feed.count("<entry>") == 1
    assert '<category term="number"/>' in feed
    assert "Edits: number, headline." in feed
    assert web.get("/watches/other.atom").status_code == 404
    assert told(web.get("/api/changes?watch=numbers").json()["changes"]) == [ALL[4]]
    assert web.get("/api/watches").json()["watches"] == [
        {"name": "numbers", "query": "class:number", "feed": "/watches/numbers.atom"}
    ]


def test_a_version_that_turns_out_to_be_noise_is_told_no_more(tmp_path: Path) -> None:
    world = World(tmp_path)
    for n in range(4):
        world.keep(URL, [post(text=f"{BODY}\n{n * 17} people are reading")], first=n)
        found = told(world.changes())
    assert found == [("new", URL)]


def test_all_posts_of_a_blog_that_vanished_at_once_are_told(world: World) -> None:
    urls = [f"http://away.example/{n}" for n in range(250)]
    world.frontier.enter_deletions([replace(GONE, key=page_key(url), url=url, kind="blog") for url in urls])
    assert {one["url"] for one in world.changes("blog:away.example", "--limit", "1000")} == set(urls)


def test_nothing_is_looked_at_twice(world: World) -> None:
    world.changes()
    assert untold.newest(world.archive.index.engine, 10) == []


# -- watches


def test_watches_are_listed_replaced_and_removed(world: World) -> None:
    assert world.run("watch", "add", "one", "class:typo").output == "watching as one: class:typo\n"
    assert world.run("watch", "add", "one", "class:number", "--mail", "a@b.example").exit_code == 0
    listed = [json.loads(line) for line in world.run("watch", "list", "--json").stdout.splitlines()]
    assert [(one["name"], one["query"], one["mail"]) for one in listed] == [("one", "class:number", "a@b.example")]
    assert world.run("watch", "list").stdout == "one  class:number  mail a@b.example\n"
    assert world.run("watch", "remove", "one").exit_code == 0
    assert world.run("watch", "remove", "one").exit_code == 1
    assert world.run("watch", "list").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a/b", ""), "is no name"),
        (("a", "", "--webhook", "ftp://x"), "is no URL"),
        (("a", "", "--mail", "nobody"), "is no mail address"),
    ],
)
def test_what_cannot_be_watched_is_said(world: World, arguments: tuple[str, ...], said: str) -> None:
    ran = world.run("watch", "add", *arguments)
    assert (ran.exit_code, said in ran.output) == (2, True)


def test_nothing_is_sent_unsigned(world: World) -> None:
    del world.settings["PRESSMARK_WEBHOOK_SECRET"]
    ran = world.run("watch", "add", "one", "", "--webhook", "https://hooks.example/in")
    assert (ran.exit_code, "PRESSMARK_WEBHOOK_SECRET" in ran.output) == (2, True)


def test_watches_outlive_the_database(world: World) -> None:
    for arguments in (("add", "one", "class:typo"), ("add", "two", ""), ("remove", "one")):
        assert world.run("watch", *arguments).exit_code == 0
    before = world.run("watch", "list", "--json").stdout
    world.settings["PRESSMARK_DATABASE"] = f"sqlite:///{world.home}/new.db"
    assert world.run("reindex").exit_code == 0
    assert world.run("watch", "list", "--json").stdout == before
    assert told(world.changes()) == ALL[2:]
    keys = list(world.archive.store.keys("state/watches/"))
    assert [fault(world.archive.store.read(key)) for key in keys] == [None] * 3
    assert fault(b'{"name": "x"}\n') == "line 1 is no watch"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as made:
        yield made


@pytest.fixture
def lately(world: World, hook: Hook) -> World:
    """A world whose watch `all` has a webhook and a digest, with an edit that happened after it was added."""
    assert world.run("watch", "send").exit_code == 0
    with_both = ("--webhook", hook.url, "--mail", "reader@a.example")
    assert world.run("watch", "add", "all", "class:number", *with_both).exit_code == 0
    now = datetime.now(UTC)
    shift = replace(capture(9, b"later", url=URL), date=now)
    keep(
        world.archive,
        (shift, post(text=BODY.replace("12", "23") + "\nA lamp was added to the quay.", title="The buoy")),
    )
    return world


def test_a_webhook_gets_each_change_signed_and_once(lately: World, hook: Hook) -> None:
    ran = lately.run("watch", "send")
    assert (ran.exit_code, ran.output) == (0, "looked at 1 posts, sent 1 changes, 0 failed\n")
    assert lately.run("watch", "send").output == "looked at 0 posts, sent 0 changes, 0 failed\n"
    ((_, headers, body),) = hook.got
    said = json.loads(body)
    assert (said["watch"], said["change"]["classes"]) == ("all", ["number"])
    seconds = headers["x-pressmark-time"]
    wanted = hmac.new(SECRET.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["x-pressmark-signature"] == f"sha256={wanted}" == signature(SECRET, int(seconds), body)
    assert abs(datetime.now(UTC).timestamp() - int(seconds)) < 60


def test_a_webhook_that_fails_is_tried_again_later_and_at_last_is_a_dead_letter(lately: World, hook: Hook) -> None:
    hook.status = 503
    assert lately.run("watch", "send").exit_code == 1
    assert "sent 0 changes, 0 failed" in lately.run("watch", "send").output, "not before the back-off is over"
    engine = lately.runs.engine
    for _ in range(11):
        with engine.begin() as connection:
            connection.execute(update(table).where(table.c.way == "webhook").values(due=at(0)))
        assert lately.run("watch", "send").exit_code == 1
    assert len(hook.got) == 12
    (dead,) = [json.loads(line) for line in lately.run("watch", "dead", "--json").stdout.splitlines()]
    assert (dead["watch"], dead["way"], dead["tries"]) == ("all", "webhook", 12)
    assert "the webhook answered 503" in dead["error"]
    assert "12 tries: " in lately.run("watch", "dead", "all").stdout
    assert lately.run("watch", "dead", "other").stdout == ""
    hook.status = 200
    assert "sent 0 changes, 0 failed" in lately.run("watch", "send").output
    assert lately.run("watch", "resend").output == "1 are sent again by the next run\n"
    assert "sent 1 changes, 0 failed" in lately.run("watch", "send").output
    assert lately.run("watch", "dead").stdout == ""


def test_the_wait_between_tries_grows(lately: World, hook: Hook) -> None:
    hook.status = 500
    lately.run("watch", "send")
    engine, waits = lately.runs.engine, []
    for tries in range(1, 7):
        now = datetime.now(UTC) + timedelta(days=tries)
        found = deliveries.due(engine, "webhook", now=now)
        deliveries.refused(engine, found, "no", now=now)
        with engine.connect() as connection:
            waits.append(connection.execute(table.select().where(table.c.way == "webhook")).one().due - now)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(minutes=2), timedelta(minutes=64))


def test_old_dead_letters_are_deleted(lately: World, hook: Hook) -> None:
    with lately.runs.engine.begin() as connection:
        lately.run("watch", "send", "--digest")
        connection.execute(update(table).values(dead=True, due=at(0)))
    assert lately.run("housekeeping").exit_code == 0
    assert lately.run("watch", "dead").stdout == ""


def test_a_digest_is_one_mail_for_a_watch(lately: World) -> None:
    with mail_server() as mails:
        lately.settings |= {"PRESSMARK_MAIL_SERVER": mails.url, "PRESSMARK_MAIL_FROM": "archive@a.example"}
        assert lately.run("watch", "send").exit_code == 0
        assert mails.taken == []
        mails.refuses = True
        assert lately.run("watch", "send", "--digest").exit_code == 1
        mails.refuses = False
        with lately.runs.engine.begin() as connection:
            connection.execute(update(table).values(due=at(0)))
        assert lately.run("watch", "send", "--digest").output == "looked at 0 posts, sent 1 digests, 0 failed\n"
        assert lately.run("watch", "send", "--digest").output == "looked at 0 posts, sent 0 digests, 0 failed\n"
    message = message_from_bytes(mails.taken[-1], policy=policy.default)
    assert (message["To"], message["Subject"]) == ("reader@a.example", "Pressmark: all: 1 changes")
    assert "edited (number)  The buoy" in message.get_content()


def test_what_happened_before_a_watch_was_added_is_not_sent(world: World, hook: Hook) -> None:
    assert world.run("watch", "add", "all", "", "--webhook", hook.url).exit_code == 0
    assert "sent 0 changes" in world.run("watch", "send").output


def test_what_waits_for_a_watch_goes_with_it(lately: World, hook: Hook) -> None:
    hook.status = 500
    lately.run("watch", "send")
    assert lately.run("watch", "remove", "all").exit_code == 0
    assert deliveries.due(lately.runs.engine, "mail", now=datetime.now(UTC)) == []
    assert Watches(lately.runs.engine).all() == []

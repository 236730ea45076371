"""The class of each edit of a post, by structure alone, in commands, over HTTP and on pages."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import missing
from sample.archives import capture, keep
from sample.edit_world import EDITS
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.extract import extract
from archive.extract.text import Image, Link, Text
from archive.index.edits import facts, stated
from archive.reader.fact_edits import fact_edits, reference_edits
from archive.reader.text_edits import EDIT_CLASSES, Edit, summary, text_edits
from archive.settings import ArchiveSettings
from archive.web import Templates, application
from archive.web.settings import WebSettings
from schedules.cli import pressmark

URL = "http://blog.example/2026/05/harbour"
POST = """The ferry carries eleven kinds of rope and 12 kinds of knot. Nobody has counted them since Nora Whitfield left.
The second paragraph tells of the lamp on the point. It rings when the sea is high.
A third one is about bread and what the baker said to the pilot on Monday.
The last paragraph closes this post with a word on the harbour."""
LINES = POST.split("\n")


def edited(before: str, after: str) -> list[tuple[str, str | None, str | None]]:
    return [(edit.name, edit.before, edit.after) for edit in text_edits(before, after)]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("eleven", "elevne", ("typo", "eleven", "elevne")),
        ("Nora", "Noar", ("typo", "Nora", "Noar")),
        ("kinds of rope", "Kinds of rope", ("typo", "kinds", "Kinds")),
        ("carries", "carried", ("typo", "carries", "carried")),
        ("bread and", "bread, and", ("typo", None, ",")),
        ("eleven", "twenty", ("wording", "eleven", "twenty")),
        ("It rings", "It almost certainly rings", ("wording", None, "almost certainly")),
        ("is high", "is low", ("wording", "high", "low")),
        ("12", "19", ("number", "12", "19")),
        ("12 kinds", "1,200.5 kinds", ("number", "12", "1,200.5")),
        ("harbour.", "harbour, in 47 of 112 cases.", ("number", None, ", in 47 of 112 cases")),
        ("Nora Whitfield", "Tomos Rees", ("name", "Nora Whitfield", "Tomos Rees")),
        ("Nora", "Norah", ("name", "Nora", "Norah")),
        ("to the pilot", "to Helen Marsh", ("name", "the pilot", "Helen Marsh")),
        ("is high.", "is high. Correction: it was low.", ("correction", None, "Correction: it was low.")),
        ("is high.", "is high. A new sentence says more.", ("added", None, "A new sentence says more.")),
        (" It rings when the sea is high.", "", ("removed", "It rings when the sea is high.", None)),
        (LINES[2], "Sheep graze there now.", ("replaced", LINES[2], "Sheep graze there now.")),
    ],
)
def test_an_edit_has_one_class(old: str, new: str, wanted: tuple[str, str | None, str | None]) -> None:
    assert edited(POST, POST.replace(old, new, 1)) == [wanted]


def test_a_paragraph_that_moved_is_neither_removed_nor_added() -> None:
    assert edited(POST, "\n".join([LINES[2], *LINES[:2], LINES[3]])) == [("moved", LINES[2], LINES[2])]
    changed = LINES[2].replace("baker", "miller")
    found = edited(POST, "\n".join([changed, *LINES[:2], LINES[3]]))
    assert found == [("moved", LINES[2], changed), ("wording", "baker", "miller")]
    first, second = LINES[1].split(". ")
    assert [one[0] for one in edited(POST, POST.replace(LINES[1], f"{second} {first}."))] == ["moved"]


def test_a_sentence_is_the_same_in_another_paragraph() -> None:
    assert edited(POST, POST.replace("point. It", "point.\nIt")) == []
    added = POST.replace("point. It", "point.\nTwo readers wrote in with evidence. It")
    assert edited(POST, added) == [("added", None, "Two readers wrote in with evidence.")]


def test_a_text_of_which_little_is_left_was_replaced() -> None:
    notice = "This post has been withdrawn.\nIt was wrong."
    assert edited(POST, notice) == [("replaced", POST, notice)]
    assert edited(POST, "") == [("removed", POST, None)]
    assert edited("", POST) == [("added", None, POST)]
    assert [one[0] for one in edited(POST, "\n".join(LINES[:2]))] == ["removed", "removed"]


@pytest.mark.parametrize(
    ("said", "is_one"),
    [
        ("An earlier version said that the lamp is red. This has been corrected.", True),
        ("Berichtigung: Die Lampe ist rot.", True),
        ("[Korrektur vom Montag: die Lampe ist rot]", True),
        ("更正:灯是红色的。", True),
        ("Исправление - лампа красная.", True),
        ("Update: the lamp is red.", False),
        ("Nobody knows how to tie a knot of this kind any more.", False),
    ],
)
def test_a_correction_stands_apart_and_says_so(said: str, is_one: bool) -> None:
    assert [one[0] for one in edited(POST, f"{POST}\n{said}")] == ["correction" if is_one else "added"]


def test_who_writes_correctly_corrects_nothing() -> None:
    amid = POST.replace(LINES[1], f"{LINES[1]} The correct knot holds.")
    assert [one[0] for one in edited(POST, amid)] == ["added"]
    assert [one[0] for one in edited(f"{POST}\nIt is correct.", f"{POST}\nIt is quite correct.")] == ["wording"]


def test_where_nouns_have_capitals_one_alone_is_no_name() -> None:
    german = (
        "Die Fähre fährt am Morgen mit dem Seil zum Hafen. Der Bäcker backt das Brot für den Lotsen und die Fischer. "
        "Am Abend kommt der Lotse mit einem Korb voll Fisch zurück, und die Fähre liegt am Kai der kleinen Stadt."
    )
    assert edited(german, german.replace("Korb", "Eimer")) == [("wording", "Korb", "Eimer")]
    named = german.replace("der Lotse mit", "Nora Weißfeld mit")
    assert edited(german, named) == [("name", "der Lotse", "Nora Weißfeld")]


def test_a_language_without_case_has_words() -> None:
    assert edited("北京天气很好。今天不去。", "北京天气不好。今天不去。") == [("wording", "很", "不")]
    assert edited("一共 12 个人。", "一共 13 个人。") == [("number", "12", "13")]


def test_typography_is_no_edit() -> None:
    assert edited('It\'s "a" test - of 3\nend', "It’s “a”  test – of 3\n\nend") == []  # noqa: RUF001


def test_links_and_pictures_count_where_the_words_stay() -> None:
    before = Text(
        url=URL, text="read the log book of a ship", markdown="", links=(Link("http://a.example/log", "the log"),),
        images=(Image("http://a.example/one.jpg"), Image("http://a.example/two.jpg")),
    )  # fmt: skip
    moved = replace(before, links=(Link("https://www.a.example/log/?utm_source=x", "the log"),))
    other = replace(before, links=(Link("http://b.example/", "the log"),), images=before.images[:1])
    none = replace(before, text="read a book", links=())

    def found(after: Text) -> list[tuple[str, str | None, str | None]]:
        both = reference_edits(before.fields(), after.fields(), texts=(before.text, after.text))
        return [(edit.name, edit.before, edit.after) for edit in both]

    assert found(before) == found(moved) == found(none) == []
    assert found(other) == [
        ("link", "http://a.example/log", "http://b.example/"),
        ("image", "http://a.example/two.jpg", None),
    ]


def test_a_summary_counts_each_class() -> None:
    assert summary(["number", "typo", "number"]) == "typo, 2 number"
    assert set(summary(EDIT_CLASSES).split(", ")) == set(EDIT_CLASSES)


def test_edits_of_known_kinds_are_called_what_they_are(shared: Path, tmp_path: Path) -> None:
    if not Path("/usr/share/games/fortunes").is_dir():
        missing("fortunes")
    make = [sys.executable, str(shared / "world" / "gen.py"), "--blogs", "5", "--posts", "24", "--seed", "11"]
    subprocess.run([*make, "--out", str(tmp_path / "www")], check=True, capture_output=True)
    posts = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    chance = random.Random(5)
    chance.shuffle(posts)
    wrong, wanted = [], [name for name in EDITS for _ in range(4)]
    for post in posts:
        page = (tmp_path / "www" / post["file"]).read_text()
        name, after = next(
            ((one, new) for one in wanted if (new := EDITS[one](page, post, chance)) not in {None, page}), ("", "")
        )
        if after:
            wanted.remove(name)
            found = {edit.name for edit in edits_of(post["url"], page, after)}
            wrong += [(name, found, post["url"])] if found != {name} else []
    assert wanted == []
    assert len(wrong) <= 0.05 * 4 * len(EDITS), wrong


def edits_of(url: str, *pages: str) -> list[Edit]:
    before, after = (extract(page.encode(), url=url, content_type="text/html; charset=utf-8") for page in pages)
    both = facts(stated(before.fields()), stated(after.fields()), source="page")
    references = reference_edits(before.fields(), after.fields(), texts=(before.text, after.text))
    return [*fact_edits(both), *text_edits(before.text, after.text), *references]


def test_commands_api_and_pages_tell_each_edit(tmp_path: Path) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    first = Text(url=URL, text=POST, markdown=POST, title="The bell", published=None)
    changed = POST.replace("12", "19").replace("baker", "bakre")
    second = replace(first, text=changed, markdown=changed, title="The <bell>")
    keep(archive, *((capture(n, b"%d" % n, url=URL), text) for n, text in enumerate((first, second))))
    wanted = [
        {"class": "headline", "before": "The bell", "after": "The <bell>"},
        {"class": "number", "before": "12", "after": "19"},
        {"class": "typo", "before": "baker", "after": "bakre"},
    ]

    def run(*arguments: str) -> str:
        env = {"PRESSMARK_HOME": str(tmp_path)}
        return CliRunner().invoke(pressmark, list(arguments), env=env).stdout

    versions = [json.loads(line) for line in run("versions", URL, "--json").splitlines()]
    assert [one["changes"] for one in versions] == [[], wanted]
    assert {"first_seen", "last_seen", "digest", "title", "published"} <= versions[1].keys()
    assert "text, title changed (typo, number, headline)" in run("versions", URL)
    assert run("diff", URL, "--changes-only").splitlines()[2:] == [
        "headline: [-The bell-] {+The <bell>+}",
        "number: [-12-] {+19+}",
        "typo: [-baker-] {+bakre+}",
    ]
    assert run("diff", URL).splitlines()[-1] == "edits: typo, number, headline"
    whole = json.loads(run("diff", URL, "--json"))
    assert [one["class"] for one in whole["changes"]] == ["number", None, "typo", None]
    web = TestClient(application(archive, WebSettings(), Templates(), local=True), base_url="http://127.0.0.1")
    api = web.get("/api/diff", params={"url": URL, "changes_only": True}).json()
    assert api["changes"] == api["edits"] == whole["edits"] == wanted
    assert web.get("/api/versions", params={"url": URL}).json()["versions"][1]["changes"] == wanted
    row = '<th scope="row">headline</th><td><del>The bell</del></td><td><ins>The &lt;bell&gt;</ins></td>'
    assert row in web.get(f"/diff/{URL}?view=changes").text
    assert row in web.get(f"/post/{URL}").text

"""Texts made anew: beside the old ones, once, and never taken for an edit of the post."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from datetime import UTC, datetime

import pytest
from conftest import Home
from sample.blogs import TIDE
from sample.server import Answer, Site

from archive import extract as extraction
from archive.again import Again, captures
from archive.archive import Archive
from archive.settings import ArchiveSettings
from archive.text import Entry


@pytest.fixture
def kept(home: Home, site: Site) -> Home:
    """A home with the four posts of a blog."""
    site.pages.update(TIDE.pages(site.url))
    assert home.crawl(f"url={site.url}/feed/").code == 0
    return home


def url(site: Site, number: int = 0) -> str:
    return site.url + TIDE.url_of(TIDE.posts[number])


def made_by_another(home: Home) -> None:
    """Let commands make texts as another extractor would, by other rules and in other words."""
    older = home.path.parent / "older"
    older.mkdir()
    (older / "sitecustomize.py").write_text(
        "from archive import extract, render\n"
        "plain = render.plain\n"
        "extract.RULES = 'older'\n"
        "render.plain = lambda blocks, **more: plain(blocks, **more) + '\\nSaid by the older one.'\n"
    )
    home.settings["PYTHONPATH"] = str(older)


def as_today(home: Home) -> None:
    home.settings.pop("PYTHONPATH", None)


def texts(home: Home, where: str = "1") -> int:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        return int(database.execute(f"SELECT count(*) FROM texts WHERE {where}").fetchone()[0])


def shown(home: Home, post: str) -> dict[str, object]:
    return json.loads(home.pressmark("get", post, "--as", "json").out)


def test_new_texts_lie_beside_the_old_ones_and_count(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    made_by_another(home)
    home.crawl(f"url={site.url}/feed/")
    as_today(home)
    before = shown(home, url(site))
    assert before["extractor"]["rules"] == "older"
    assert "Said by the older one." in before["text"]
    done = home.pressmark("extract", "--again")
    assert (done.code, done.out) == (0, "4 texts made, 0 as they were\n"), done.err
    after = shown(home, url(site))
    assert after["extractor"] == extraction.extractor()
    assert "Said by the older one." not in after["text"]
    assert (after["capture"], after["author"]) == (before["capture"], before["author"])
    assert texts(home) == 8
    again = home.pressmark("extract", "--again")
    assert again.out == "0 texts made, 4 as they were\n"
    assert home.pressmark("verify").code == 0
    assert home.pressmark("reindex").code == 0
    assert texts(home) == 8
    assert shown(home, url(site))["extractor"] == extraction.extractor()


def test_one_post_may_be_named(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    made_by_another(home)
    home.crawl(f"url={site.url}/feed/")
    as_today(home)
    assert home.pressmark("extract", "--again", url(site, 1)).out == "1 texts made, 0 as they were\n"
    done = home.pressmark("extract", "--again", f"{site.url}/never-seen")
    assert done.code == 3
    assert "/never-seen" in done.err


def test_without_again_nothing_is_done(home: Home) -> None:
    done = home.pressmark("extract")
    assert done.code == 2
    assert "--again" in done.err


def test_a_run_that_is_killed_is_gone_on_with(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    made_by_another(home)
    home.crawl(f"url={site.url}/feed/")
    as_today(home)
    process = home.start("pressmark", "extract", "--again", start_new_session=True)
    time.sleep(1.0)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = home.pressmark("extract", "--again")
    assert done.code == 0, done.err
    assert texts(home) == 8
    assert home.pressmark("verify").code == 0


def test_what_the_feed_said_is_known_again(kept: Home, site: Site) -> None:
    archive = Archive.open(ArchiveSettings(home=kept.path, allow_networks="127.0.0.0/8"))
    held = archive.text(url(site))
    assert held.entry is not None
    assert held.entry.title == TIDE.posts[0].title
    assert held.entry.html
    assert "entry" not in held.as_json(archive)


def test_a_text_that_cannot_be_made_leaves_the_old_one(kept: Home, site: Site) -> None:
    class Refusing:
        def submit(self, function: object, **arguments: object) -> object:
            from concurrent.futures import Future

            from archive.errors import TaskError

            future: Future[object] = Future()
            future.set_exception(TaskError("passed 5 s"))
            return future

    archive = Archive.open(ArchiveSettings(home=kept.path, allow_networks="127.0.0.0/8"))
    job = Again(archive, Refusing(), now=lambda: datetime.now(UTC), workers=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(extraction, "RULES", "newer")
        found = list(job.run(captures(archive, ())))
    assert [(one.made, one.error) for one in found] == [(False, "passed 5 s")] * 4
    assert archive.text(url(site)).text
    assert texts(kept) == 4


def come_due(home: Home) -> None:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        database.execute("UPDATE pages SET due = 0")


@pytest.mark.parametrize("edited", [False, True])
def test_another_extractor_is_no_edit_of_a_post(home: Home, site: Site, edited: bool) -> None:
    site.pages.update(TIDE.pages(site.url))
    made_by_another(home)
    home.crawl(f"url={site.url}/feed/")
    as_today(home)
    path = TIDE.url_of(TIDE.posts[0])
    page = site.pages[path].body.replace(b"</body>", b"<!-- nonce 1 --></body>")
    if edited:
        page = page.replace(TIDE.posts[0].words[0].encode(), b"Words that were not there before. " * 3)
    site.pages[path] = Answer(page)
    come_due(home)
    done = home.crawl(f"url={site.url}/feed/")
    assert ("1 changed" in done.out) is edited, done.out + done.err
    assert ("1 with the same text in other bytes" in done.out) is not edited


def test_entries_survive_the_way_through_json() -> None:
    entry = Entry(
        title="T", author="A", published=datetime(2020, 1, 2, tzinfo=UTC), tags=("a", "b"), language="de", html="<p>x",
        published_raw="2 Jan", doubts=("no zone",), related="http://a.example/", named_by="id",
    )  # fmt: skip
    assert Entry.from_json(json.loads(json.dumps(entry.as_json()))) == entry
    assert Entry.from_json(None) is None
    assert Entry.from_json({"title": 5, "tags": "x", "nonsense": "y"}) == Entry()
    assert "html" not in Entry(html="x" * 1_000_001).as_json()

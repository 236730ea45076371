"""Texts made anew: beside the old ones, once, and never taken for an edit of the post."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Home
from sample.blogs import TIDE
from sample.server import Answer, Site
from sample.services import wait_for
from test_archive import T0, URL, at, capture, redirect

from archive.archive import Archive
from archive.errors import DamagedError, StoreRefusedError, TaskError
from archive.extract import pipeline as extraction
from archive.extract.text import Entry, Text, made_by
from archive.index.versions import same_words
from archive.maintenance.re_extract import ReExtracted, ReExtraction, ToExtract, of_url, with_text
from archive.maintenance.reindex import keys, reindex
from archive.maintenance.verify import verify
from archive.settings import ArchiveSettings


@pytest.fixture
def kept(home: Home, site: Site) -> Home:
    """A home with the four posts of a blog."""
    site.pages.update(TIDE.pages(site.url))
    assert home.crawl(f"url={site.url}/feed/").code == 0
    return home


def url(site: Site, number: int = 0) -> str:
    return site.url + TIDE.url_of(TIDE.posts[number])


def test_a_release_that_changes_no_rule_is_the_same_extractor() -> None:
    assert made_by({**extraction.extractor(), "version": "9.9.9"}) == made_by(extraction.extractor())
    for other in ("rules", "trafilatura", "profile"):
        assert made_by({**extraction.extractor(), other: "9.9.9"}) != made_by(extraction.extractor())


def made_by_another(home: Home) -> None:
    """Let commands make texts as another extractor would, by other rules and in other words."""
    patched(
        home,
        "from archive.extract import extractor, pipeline",
        "plain_text = extractor.plain_text",
        "pipeline.RULES = 'older'",
        "extractor.plain_text = lambda blocks: plain_text(blocks) + '\\nSaid by the older one.'",
    )


def patched(home: Home, *lines: str) -> None:
    """Let commands run with changes made to them."""
    folder = home.path.parent / f"patched-{len(list(home.path.parent.iterdir()))}"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("".join(f"{line}\n" for line in lines))
    home.settings["PYTHONPATH"] = os.pathsep.join([str(folder), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])


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
    assert (done.code, done.out) == (0, "4 texts re-extracted, 0 unchanged\n"), done.err
    after = shown(home, url(site))
    assert after["extractor"] == extraction.extractor()
    assert "Said by the older one." not in after["text"]
    assert (after["capture"], after["author"]) == (before["capture"], before["author"])
    assert texts(home) == 8
    again = home.pressmark("extract", "--again")
    assert again.out == "0 texts re-extracted, 4 unchanged\n"
    assert home.pressmark("verify").code == 0
    assert home.pressmark("reindex").code == 0
    assert texts(home) == 8
    assert shown(home, url(site))["extractor"] == extraction.extractor()


def test_one_post_may_be_named(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    made_by_another(home)
    home.crawl(f"url={site.url}/feed/")
    as_today(home)
    assert home.pressmark("extract", "--again", url(site, 1)).out == "1 texts re-extracted, 0 unchanged\n"
    done = home.pressmark("extract", "--again", f"{site.url}/never-seen")
    assert done.code == 3
    assert "/never-seen" in done.err


def test_posts_whose_text_failed_get_one_with_what_the_feed_said(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    patched(home, "from archive.extract import page_source", "page_source.PAGE_BYTES = 1")
    home.crawl(f"url={site.url}/feed/")
    assert home.pressmark("get", url(site)).code == 3
    failed = home.pressmark("extract", "--again")
    assert (failed.code, failed.out) == (0, "0 texts re-extracted, 0 unchanged, 4 failed and keep their texts\n")
    assert failed.err.count("exceed the limit of 1 for text extraction") == failed.err.count("\n") == 4
    as_today(home)
    assert home.pressmark("extract", "--again").out == "4 texts re-extracted, 0 unchanged\n"
    found = shown(home, url(site))
    assert (found["title"], found["sources"]["title"]) == (TIDE.posts[0].title, "feed")
    assert home.pressmark("extract", "--again").out == "0 texts re-extracted, 4 unchanged\n"


def test_a_command_that_is_killed_is_gone_on_with(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    made_by_another(home)
    home.crawl(f"url={site.url}/feed/")
    patched(home, "import time", "from archive.extract import extractor", "plain_text = extractor.plain_text",
            "extractor.plain_text = lambda blocks: (time.sleep(0.3), plain_text(blocks))[1]")  # fmt: skip
    home.settings |= {"PRESSMARK_EXTRACT_WORKERS": "1", "PRESSMARK_BATCH_MEGABYTES": "0.000001"}
    process = home.start("pressmark", "extract", "--again", start_new_session=True)
    wait_for(lambda: texts(home) > 4, 30, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    left = 8 - texts(home)
    as_today(home)
    done = home.pressmark("extract", "--again")
    assert (done.code, done.out) == (0, f"{left} texts re-extracted, {4 - left} unchanged\n"), done.err
    assert left
    assert texts(home) == 8
    assert home.pressmark("verify").code == 0


def test_without_again_nothing_is_done(home: Home) -> None:
    done = home.pressmark("extract")
    assert done.code == 2
    assert "--again" in done.err


def test_what_the_feed_said_is_known_again(kept: Home, site: Site) -> None:
    archive = Archive.open(ArchiveSettings(home=kept.path, allow_networks="127.0.0.0/8"))
    held = archive.text(url(site))
    assert held.entry is not None
    assert held.entry.title == TIDE.posts[0].title
    assert held.entry.html
    assert "entry" not in held.as_json(archive.index.capture(held.row.capture))


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
    first, second = (json.loads(line) for line in home.pressmark("history", url(site), "--json").out.splitlines())
    assert (first["same_text"], second["same_text"]) == (None, not edited)
    assert [len(row["texts"]) for row in (first, second)] == [2, 1], "the old page was read anew to compare them"
    assert ("same text in other bytes" in home.pressmark("history", url(site)).out) is not edited


def test_entries_survive_the_way_through_json() -> None:
    entry = Entry(
        title="T", author="A", published=datetime(2020, 1, 2, tzinfo=UTC), tags=("a", "b"), language="de", html="<p>x",
        published_raw="2 Jan", doubts=("no zone",), related="http://a.example/", named_by="id",
    )  # fmt: skip
    assert Entry.from_json(json.loads(json.dumps(entry.as_json()))) == entry
    assert Entry.from_json(None) is None
    assert Entry.from_json({"title": 5, "tags": "x", "nonsense": "y"}) == Entry()
    assert Entry.from_json({"published": "2020-01-02", "modified": "yesterday"}) == Entry(), "no instants"
    assert "html" not in Entry(html="x" * 1_000_001).as_json()


# -- without a crawl: four captures, texts by a named extractor, a pool that works at once


class Pool:
    """Calls at once, or fails as a page does that passes its limits."""

    def __init__(self, fails: Callable[[str], bool] = lambda _url: False) -> None:
        self.fails = fails
        self.asked: list[dict[str, object]] = []

    def submit(self, function: Callable[..., Text], **given: object) -> Future[Text]:
        self.asked.append(given)
        future: Future[Text] = Future()
        if self.fails(str(given["url"])):
            future.set_exception(TaskError("passed 5 s or 512 MB, or crashed its process"))
        else:
            future.set_result(function(**given))
        return future


def page(words: str) -> bytes:
    return f"<html><body><article><p>{words} {'and so on, ' * 40}</p></article></body></html>".encode()


def post(n: int) -> str:
    return f"http://blog.example/{n}"


def again(archive: Archive, wanted: list[ToExtract] | None = None, pool: Pool | None = None) -> list[ReExtracted]:
    job = ReExtraction(archive, pool or Pool(), now=lambda: at(50), workers=1)
    job.finish()
    return list(job.run(wanted or [ToExtract(row=row) for row in with_text(archive)]))


OLD = {"name": "older", "version": "1"}


@pytest.fixture
def archive(tmp_path: Path, database: str) -> Archive:
    """Four posts, each with a text by an older extractor."""
    made = Archive.open(
        ArchiveSettings(home=tmp_path, store=f"file:{tmp_path / 'store'}", database=database, batch_megabytes=0.000_001)
    )
    batch = made.writer.batch(now=T0)
    for n in range(4):
        row = batch.add(capture(n, page(f"Post {n}."), url=post(n)))
        batch.add_text(row, Text(url=row.url, text=f"old {n}", markdown="x", extractor=OLD, entry=Entry(author="Ann")))
    commit(made, batch.seal())
    return made


def commit(archive: Archive, sealed: object) -> None:
    archive.writer.commit(sealed)
    archive.writer.release(sealed)


def made_of(archive: Archive, n: int) -> list[str | None]:
    return [text.made_by for text in archive.index.texts_of(archive.find(post(n)).record)]


NEW, BEFORE = made_by(extraction.extractor()), made_by(OLD)


def test_old_texts_stay_and_the_index_made_anew_knows_both(archive: Archive) -> None:
    assert [one.made for one in again(archive)] == [True] * 4
    for _ in range(2):
        assert [made_of(archive, n) for n in range(4)] == [[NEW, BEFORE]] * 4
        assert archive.text(post(0)).text.startswith("Post 0.")
        assert archive.text(post(0)).fields["author"] == "Ann", "what the feed said"
        assert [
            *(found for row in archive.index.objects() for found in verify(archive.store, archive.index, row))
        ] == []
        old = archive.index.texts_of(archive.find(post(0)).record)[1]
        assert archive.read_text(old).text == "old 0"
        for key in keys(archive.store):
            assert reindex(archive.store, archive.writer.index, key) is None
    assert [one.made for one in again(archive)] == [False] * 4


def test_a_run_that_was_killed_is_gone_on_with(archive: Archive) -> None:
    rows = [ToExtract(row=row) for row in with_text(archive)]
    pool = Pool()
    killed = ReExtraction(archive, pool, now=lambda: at(40), workers=1).run(rows)
    assert [next(killed).made for _ in range(2)] == [True, True]
    del killed  # what it had begun is lost, what it had committed is not
    assert archive.index.counts()["texts"] == 6
    pool = Pool()
    assert [one.made for one in again(archive, pool=pool)] == [False, False, True, True]
    assert len(pool.asked) == 2
    assert archive.index.counts()["texts"] == 8


def test_what_a_killed_run_left_in_the_spool_is_not_made_again(archive: Archive) -> None:
    wide = Archive(archive.settings.model_copy(update={"batch_megabytes": 1.0}), archive.store, archive.index)
    killed = ReExtraction(wide, Pool(), now=lambda: at(40), workers=1).run(
        [ToExtract(row=row) for row in with_text(archive)]
    )
    next(killed)
    next(killed)
    assert archive.index.counts()["texts"] == 4, "nothing was committed"
    assert [one.made for one in again(archive)] == [False, False, True, True]
    assert archive.index.counts()["texts"] == 8
    assert list(archive.writer.spool.iterdir()) == []


def test_a_batch_is_committed_when_it_is_old(archive: Archive) -> None:
    slow = Archive(archive.settings.model_copy(update={"batch_megabytes": 1.0}), archive.store, archive.index)
    hours = iter(range(30, 100))
    list(
        ReExtraction(slow, Pool(), now=lambda: at(next(hours)), workers=1).run(
            [ToExtract(row=row) for row in with_text(slow)]
        )
    )
    assert len(list(archive.store.keys("text/"))) == 5


def test_a_page_that_fails_keeps_its_old_text(archive: Archive) -> None:
    found = again(archive, pool=Pool(lambda url: url == post(1)))
    failed = [one for one in found if one.error]
    assert [(one.url, one.made, one.damaged) for one in failed] == [(post(1), False, False)]
    assert sum(one.made for one in found) == 3
    assert (archive.text(post(1)).text, made_of(archive, 1)) == ("old 1", [BEFORE])
    assert [one.made for one in again(archive)].count(True) == 1, "and is tried again"


def test_one_damaged_capture_costs_no_other(archive: Archive) -> None:
    row = archive.find(post(2))
    path = Path(archive.store.location.removeprefix("file:")) / row.object
    data = bytearray(path.read_bytes())
    data[row.offset + row.length // 3] ^= 0x10
    path.write_bytes(data)
    found = again(archive)
    assert [(one.url, one.damaged) for one in found if one.error] == [(post(2), True)]
    assert sum(one.made for one in found) == 3


def test_a_store_that_refuses_ends_the_run(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: object) -> bytes:
        raise StoreRefusedError("no", location="test")

    monkeypatch.setattr(archive.store, "read", refuse)
    with pytest.raises(StoreRefusedError):
        again(archive)


def test_a_damaged_old_text_is_mended_by_a_new_one(archive: Archive) -> None:
    text = archive.index.text_of(archive.find(post(3)).record)
    path = Path(archive.store.location.removeprefix("file:")) / text.object
    path.write_bytes(path.read_bytes()[: text.offset + 9])
    with pytest.raises(DamagedError):
        archive.text(post(3))
    assert all(one.made for one in again(archive))
    assert archive.text(post(3)).text.startswith("Post 3.")


def test_rows_of_earlier_versions_are_read_once_and_are_not_wrong(archive: Archive) -> None:
    from archive.index.schema import texts as table
    from archive.runtime.database import transaction

    again(archive)
    with transaction(archive.index._engine) as connection:
        connection.execute(table.update().values(made_by=None))
    assert [one.made for one in again(archive)] == [False] * 4, "the text itself tells"
    assert [*(found for row in archive.index.objects() for found in verify(archive.store, archive.index, row))] == []


def test_of_a_url_come_pages_past_redirects_and_no_repetitions(archive: Archive) -> None:
    batch = archive.writer.batch(now=at(10))
    batch.add(redirect(9, URL, f"{URL}/new"))
    batch.add(capture(10, page("New."), url=f"{URL}/new"))
    batch.add(capture(11, page("New."), url=f"{URL}/new"))
    batch.add(capture(12, page("New."), url=f"{URL}/copy"))
    batch.add(capture(13, b"%PDF", url=f"{URL}/new", headers=b"Content-Type: application/pdf\r\n"))
    batch.add(capture(14, page("Gone."), 404, url=f"{URL}/new"))
    commit(archive, batch.seal())

    def found(url: str) -> list[tuple[str, int]]:
        return [(row.url, round((row.date - T0).total_seconds() / 3600)) for row in of_url(archive, url)]

    assert found(URL) == found(f"{URL}/new") == [(f"{URL}/new", 10)]
    assert found(f"{URL}/copy") == [(f"{URL}/copy", 12)], "the text of another URL's page is not its own"
    pool = Pool()
    again(archive, [ToExtract(row=row, entry=Entry(title="Said")) for row in of_url(archive, URL)], pool)
    assert [given["entry"] for given in pool.asked] == [Entry(title="Said")]
    assert archive.text(URL).fields["title"] == "Said"


def test_a_capture_without_text_is_read_with_what_was_said_of_its_post(archive: Archive) -> None:
    batch = archive.writer.batch(now=at(10))
    batch.add(capture(20, page("Post 0, edited."), url=post(0)))
    commit(archive, batch.seal())
    pool = Pool()
    again(archive, [ToExtract(row=archive.find(post(0)))], pool)
    assert [given["entry"] for given in pool.asked] == [Entry(author="Ann")]


def test_only_texts_of_one_extractor_are_compared(archive: Archive) -> None:
    def texts(*made: tuple[str, str]) -> list[object]:
        one = archive.index.text_of(archive.find(post(0)).record)
        return [replace(one, made_by=by, digest=words) for by, words in made]

    from dataclasses import replace

    assert same_words(texts(("a", "1")), texts(("a", "1"))) is True
    assert same_words(texts(("a", "1")), texts(("a", "2"))) is False
    assert same_words(texts(("a", "1")), texts(("b", "2"))) is None, "who knows"
    assert same_words(texts(("a", "1")), texts(("b", "1"))) is True
    assert same_words(texts(("b", "2"), ("a", "1")), texts(("a", "1"))) is True
    assert same_words(texts(("b", "2"), ("a", "1")), texts(("b", "3"), ("a", "1"))) is False, "the newest both have"
    assert same_words(texts(("a", "1")), []) is None
    assert same_words(texts((None, "1")), texts((None, "2"))) is None

"""Texts are made anew of every post that was there, and of nothing that had taken its place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from test_frontier import T0, fetched, seen, visit

from archive.archive import Archive
from archive.errors import NotArchivedError
from archive.extract.text import Text
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from archive.warc.page_identity import page_key
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier
from crawler.restore.unread_posts import wanted

FEED = "http://blog.example/feed"


def url(name: str) -> str:
    return f"http://blog.example/{name}"


def capture(hours: int, body: bytes, *, url: str) -> Capture:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    return Capture(url=url, date=T0 + timedelta(hours=hours), request=b"", head=head, body=body)


@pytest.fixture
def frontier(database: str) -> Frontier:
    """Posts `read`, `unread`, `lost` and `waiting`, of which the last was never had."""
    made = Frontier.open(database)
    feed = made.subscribe(FEED, seed=None, now=T0)
    names = ("read", "unread", "lost")
    made.commit([visit(feed.id, *map(seen, (*names, "waiting")))], [fetched("read"), fetched("lost")])
    made.commit([], [fetched("unread", error="no text: passed 5 s")])
    return made


@pytest.fixture
def archive(frontier: Frontier, database: str, tmp_path: Path) -> Archive:
    archive = Archive.open(ArchiveSettings(home=tmp_path, database=database))
    batch = archive.writer.batch(now=T0)
    for name in ("read", "lost"):
        row = batch.add(capture(0, f"<p>{name}".encode(), url=url(name)))
        batch.add_text(row, Text(url=row.url, text=name, markdown=name))
    batch.add(capture(0, b"<p>unread", url=url("unread")))
    batch.add(capture(0, b"<p>the blog", url=url("")))
    batch.add(capture(5, b"<p>say who you are", url=url("lost")))
    batch.add(capture(9, b"<p>there again", url=url("lost")))
    archive.writer.commit(batch.seal())
    gone = Deletion(
        key=page_key(url("lost")), url=url("lost"), since=T0 + timedelta(hours=5), kind="login", status=200, proof=None,
        alive=None, alive_record=None, restored=T0 + timedelta(hours=9),
    )  # fmt: skip
    frontier.enter_deletions([gone])
    return archive


def unknown(error: NotArchivedError) -> None:
    raise error


def found(archive: Archive, frontier: Frontier, *urls: str) -> list[tuple[str, int]]:
    hours = [
        (one.row.url, round((one.row.date - T0).total_seconds() / 3600))
        for one in wanted(archive, frontier, urls, unknown)
    ]
    return sorted((url.rsplit("/", 1)[1], hour) for url, hour in hours)


def test_all_posts_that_were_there_come_once(archive: Archive, frontier: Frontier) -> None:
    assert found(archive, frontier) == [("lost", 0), ("lost", 9), ("read", 0), ("unread", 0)]


def test_of_a_url_come_the_captures_in_which_the_post_was_there(archive: Archive, frontier: Frontier) -> None:
    assert found(archive, frontier, url("lost"), url("lost")) == [("lost", 0), ("lost", 9)]
    assert found(archive, frontier, url("")) == [("", 0)], "a person may name what is no post"


def test_what_the_feed_said_comes_with_its_markup_where_the_text_failed(archive: Archive, frontier: Frontier) -> None:
    said = {one.row.url: one.entry for one in wanted(archive, frontier, [url("read"), url("unread")], unknown)}
    assert said[url("unread")] is not None
    assert said[url("unread")].html == "<p>words"
    assert said[url("read")] is not None
    assert (said[url("read")].title, said[url("read")].html) == ("title read", None)

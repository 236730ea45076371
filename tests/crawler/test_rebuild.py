"""The database made anew from the store is the one that was there, but for the columns that are listed here and told
in docs/commands.md."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import pytest
from conftest import Home
from sample.server import Answer, Site

WORDS = "The river rose in the night, and by morning post {} had become a boat with a mast and a cat on deck. "

LOST: Mapping[str, frozenset[str]] = {
    "feeds": frozenset({"due", "failures", "error", "restless", "pushed", "moved_to", "moved_since", "moved_times"})
    | {"visited", "whole", "validated"},  # of the newest capture, also if a backfill made it
    "pages": frozenset({"due", "failures", "error", "verdict", "first_seen", "looks", "looks_since"})
    | {"etag", "last_modified", "validated"},
    "entries": frozenset({"markup"}),
    "objects": frozenset({"verified", "told"}),
}
"""Columns that are learned again, by the next visits: back-off, validators of pages, leases of hubs."""
NUMBERS = frozenset({"id", "object_id", "page_id", "feed_id"})
TABLES = {
    "objects": "key",
    "captures": "record",
    "texts": "record",
    "searchable": "page, digest",
    "aliases": "page",
    "alias_proofs": "page, target, kind",
    "feeds": "key",
    "seeds": "key",
    "pages": "key",
    "entries": "key",
    "deletions": "key, since",
}


def post(n: object, more: str = "") -> Answer:
    words = WORDS.format(n) * 3
    page = f"<!doctype html><title>Post {n}</title><article><h1>Post {n}</h1><p>{words}</p>{more}</article>"
    return Answer(page.encode())


def world(site: Site, other: Site) -> None:
    """A blog whose feed shows three posts, with a refused one, a picture and one without a page; and a paused one."""
    items = "".join(
        f"<item><guid>{n}</guid><link>{site.url}/2025/post-{n}</link><title>Post {n}</title></item>" for n in (7, 6)
    )
    items += (
        f"<item><guid>wall</guid><link>{site.url}/wall</link><title>Wall</title>"
        f"<description>{WORDS.format('wall') * 3}</description></item>"
        f"<item><guid>photo</guid><link>{site.url}/photo.png</link><title>Photo</title></item>"
        f"<item><guid>moved</guid><link>{site.url}/old</link><title>Moved</title></item>"
        f"<item><guid>bare</guid><title>No page</title><description>{WORDS.format('bare') * 3}</description></item>"
    )
    site.pages["/feed"] = Answer(
        f"<rss version='2.0'><channel><title>B</title><link>{site.url}/</link>{items}</channel></rss>".encode(),
        "application/rss+xml",
    )
    located = "".join(f"<url><loc>{site.url}/2025/post-{n}</loc></url>" for n in range(1, 8))
    site.pages["/sitemap.xml"] = Answer(f"<urlset>{located}</urlset>".encode(), "text/xml")
    for n in range(1, 8):
        site.pages[f"/2025/post-{n}"] = post(n)
    site.pages["/wall"] = Answer(b"<title>No</title><p>Not for you.</p>", status=403)
    site.pages["/photo.png"] = Answer(b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "image/png")
    site.pages["/old"] = Answer(b"", status=301, headers={"Location": "/new"})
    site.pages["/new"] = post("moved")
    other.pages["/feed"] = Answer(
        b"<rss version='2.0'><channel><title>Other</title><item><guid>1</guid><link>/one</link><title>One</title>"
        b"</item></channel></rss>",
        "application/rss+xml",
    )
    other.pages["/one"] = post("other")
    other.pages["/saved"] = post("saved")


def tables(home: Home) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table that can come back, without numbers that any database counts anew."""
    found: dict[str, list[dict[str, Any]]] = {}
    with sqlite3.connect(home.path / "pressmark.db") as database:
        database.row_factory = sqlite3.Row
        for table, order in TABLES.items():
            rows = [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY {order}")]
            gone = NUMBERS | LOST.get(table, frozenset())
            found[table] = [{name: value for name, value in row.items() if name not in gone} for row in rows]
        pages = {row["id"]: row["key"] for row in database.execute("SELECT id, key FROM pages")}
        feeds = {row["id"]: row["key"] for row in database.execute("SELECT id, key FROM feeds")}
        query = "SELECT feed_id, key, page_id FROM entries ORDER BY key"
        found["links"] = [
            {"feed": feeds[row["feed_id"]], "key": row["key"], "page": pages.get(row["page_id"])}
            for row in database.execute(query)
        ]
        query = "SELECT key, feed_id FROM pages ORDER BY key"
        found["homes"] = [{"page": row["key"], "feed": feeds.get(row["feed_id"])} for row in database.execute(query)]
    return found


@pytest.fixture
def filled(home: Home, site: Site) -> Home:
    """An archive with posts of every kind."""
    home.settings |= {"PRESSMARK_BACKFILL_GAP": "0", "PRESSMARK_RECHECK_PLAN": "1s"}
    with Site() as other:
        world(site, other)
        assert home.crawl(f"url={site.url}/feed {other.url}/feed").code == 0
        assert home.pressmark("backfill", f"{site.url}/feed").code == 0
        assert home.pressmark("save", f"{other.url}/saved").code == 0
        opml = home.path / "mine.opml"
        opml.write_text(
            f"<opml version='2.0'><body><outline text='Rivers'><outline type='rss' text='My name' "
            f"xmlUrl='{site.url}/feed'/></outline></body></opml>"
        )
        assert home.pressmark("import-opml", str(opml)).code == 0
        assert home.pressmark("pause", f"{other.url}/feed").code == 0
        site.pages["/2025/post-7"] = post(7, "<p>It was found again, a mile down the river, by the miller's dog.</p>")
        del site.pages["/2025/post-2"]
        assert home.crawl("only=rechecks").code == 0
        site.pages["/2025/post-2"] = Answer(b"gone", status=410)
        assert home.crawl().code == 0
    return home


def test_the_database_comes_back_column_by_column(filled: Home) -> None:
    before = tables(filled)
    assert {row["source"] for row in before["pages"]} >= {"page", "feed"}
    assert before["deletions"], "a post was deleted"
    assert before["alias_proofs"], "a page has two addresses"
    for path in filled.path.glob("pressmark.db*"):
        path.unlink()
    done = filled.pressmark("reindex")
    assert done.code == 0, done.err
    after = tables(filled)
    for table, rows in before.items():
        assert after[table] == rows, table


def test_reindexing_what_is_there_changes_nothing(filled: Home) -> None:
    before = tables(filled)
    assert filled.pressmark("reindex").code == 0
    after = tables(filled)
    for table in before:
        assert after[table] == before[table], table
    assert filled.pressmark("verify").code == 0

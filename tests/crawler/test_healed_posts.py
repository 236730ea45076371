"""The live web mends the archive: what the store has lost is fetched again, whole and once."""

from __future__ import annotations

import json
import shutil
import sqlite3

from conftest import Home
from sample.server import Answer, Site

WORDS = "The river rose in the night, and by morning the house had become a boat with a mast and a cat on deck. "
QUICK = {"PRESSMARK_BACKFILL_GAP": "0"}


def blog(site: Site) -> None:
    """A feed with one post; both have validators."""
    item = f"<item><guid>1</guid><link>{site.url}/p</link><title>P</title></item>"
    feed = f"<rss version='2.0'><channel><title>B</title><link>{site.url}/</link>{item}</channel></rss>"
    site.pages["/feed"] = Answer(feed.encode(), "application/rss+xml")
    site.pages["/p"] = Answer(f"<html><title>P</title><article><h1>P</h1><p>{WORDS * 4}</p></article>".encode())


def asked(site: Site, path: str) -> list[int]:
    return [entry.status for entry in site.log if entry.path == path]


def test_a_lost_object_is_fetched_again_without_conditions(home: Home, site: Site) -> None:
    home.settings |= QUICK
    blog(site)
    home.crawl(f"url={site.url}/feed")
    home.objects("warc")[0].unlink()
    done = home.pressmark("verify")
    assert done.code == 4
    assert "to be fetched again: 1 pages, 1 feeds" in done.err
    assert "to be fetched again" not in home.pressmark("verify").err, "each loss counts once"
    site.log.clear()
    assert home.pressmark("crawl").code == 0
    assert (asked(site, "/feed"), asked(site, "/p")) == ([200], [200])
    assert WORDS.strip().encode() in home.pressmark("get", f"{site.url}/p", "--as", "html").raw
    kinds = [json.loads(line)["kind"] for line in home.pressmark("history", f"{site.url}/p", "--json").out.splitlines()]
    assert kinds == ["response", "response"]
    site.log.clear()
    home.pressmark("crawl")
    assert asked(site, "/p") == [], "and not again"


def test_a_crawl_acts_on_what_a_reader_found(home: Home, site: Site) -> None:
    home.settings |= QUICK
    blog(site)
    home.crawl(f"url={site.url}/feed")
    home.objects("warc")[0].unlink()
    assert home.pressmark("get", f"{site.url}/p", "--as", "html").code == 1
    site.log.clear()
    home.pressmark("crawl")
    assert asked(site, "/p") == [200]
    assert home.pressmark("get", f"{site.url}/p", "--as", "html").code == 0


def test_reindex_removes_the_rows_of_what_is_not_there(home: Home, site: Site) -> None:
    home.settings |= QUICK
    blog(site)
    home.crawl(f"url={site.url}/feed")
    for kind in ("warc", "text"):
        home.objects(kind)[0].unlink()
    (home.path / "store/warc/2026").mkdir(parents=True, exist_ok=True)
    done = home.pressmark("reindex")
    assert "has none of the 2 objects" in done.err, "that is what another store looks like"
    assert done.code == 1

    blog(site)
    site.pages["/q"] = Answer(f"<html><title>Q</title><article><h1>Q</h1><p>{WORDS * 5}</p></article>".encode())
    home.pressmark("save", f"{site.url}/q")
    assert home.pressmark("search", "mast", "--json").out.count("\n") == 2
    done = home.pressmark("reindex")
    assert done.code == 0, done.err
    assert done.out.count("its rows were removed") == 2
    with sqlite3.connect(home.path / "pressmark.db") as database:
        count = lambda table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: E731
        held = [row[0] for row in database.execute("SELECT DISTINCT url FROM captures WHERE url LIKE '%/q'")]
        assert held == [f"{site.url}/q"]
        assert (count("objects"), count("texts"), count("searchable")) == (2, 1, 1)
    assert home.pressmark("history", f"{site.url}/p").code == 3
    site.log.clear()
    home.pressmark("crawl", "--force")
    assert asked(site, "/p") == [200], "a page whose captures are gone is due, without conditions"
    assert WORDS.strip().encode() in home.pressmark("get", f"{site.url}/p", "--as", "html").raw


def test_reindex_refuses_another_store_and_changes_nothing(home: Home, site: Site) -> None:
    home.settings |= QUICK
    blog(site)
    home.crawl(f"url={site.url}/feed")
    shutil.move(home.path / "store", home.path / "away")
    done = home.pressmark("reindex")
    assert (done.code, "nothing was changed" in done.err) == (1, True)
    shutil.rmtree(home.path / "store", ignore_errors=True)
    shutil.move(home.path / "away", home.path / "store")
    assert home.pressmark("get", f"{site.url}/p", "--as", "html").code == 0
    assert home.pressmark("verify").code == 0

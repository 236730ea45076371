"""A page that takes too long or too much costs itself, and neither its capture nor the pages after it."""

from __future__ import annotations

import json
import sqlite3

import pytest
from conftest import Home
from sample.server import Answer, Site

WORDS = "Words of a post that is told at some length and without any haste. "


@pytest.mark.parametrize(("limit", "value"), [("SECONDS", "1.5"), ("MEGABYTES", "256")])
def test_a_page_past_a_limit_is_kept_without_text_and_the_others_have_theirs(
    home: Home, site: Site, limit: str, value: str
) -> None:
    huge = "".join(f"<p>{WORDS * 3}{n}</p>" for n in range(60_000))
    bodies = {"/huge": huge, "/one": f"<p>{WORDS * 9}</p>", "/two": f"<p>{WORDS * 7}</p>"}
    for path, body in bodies.items():
        site.pages[path] = Answer(f"<html><body><article>{body}</article></body></html>".encode())
    items = "".join(f"<item><guid>{path}</guid><title>T</title><link>{site.url}{path}</link></item>" for path in bodies)
    site.pages["/feed"] = Answer(f"<rss version='2.0'><channel>{items}</channel></rss>".encode(), "application/rss+xml")
    home.settings[f"PRESSMARK_EXTRACT_{limit}"] = value
    home.settings["PRESSMARK_EXTRACT_WORKERS"] = "1"
    done = home.crawl(f"url={site.url}/feed")
    assert "kept 3 new posts" in done.out, done.err
    assert "2 texts" in done.out
    assert home.pressmark("get", f"{site.url}/huge", "--as", "text").code != 0
    assert len(home.pressmark("get", f"{site.url}/huge", "--as", "html").raw) > 10_000_000
    assert json.loads(home.pressmark("get", f"{site.url}/one", "--as", "json").out)["text"].startswith("Words")
    with sqlite3.connect(home.path / "pressmark.db") as database:
        (error,) = database.execute("SELECT error FROM pages WHERE url LIKE '%/huge'").fetchone()
    assert error.startswith("no text: passed ")

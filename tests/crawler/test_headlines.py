"""A headline that is edited on the page and in the feed is a version; a feed and pages that stay as they were are none."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

from conftest import Home
from sample.blogs import TIDE
from sample.server import Site

POST = TIDE.posts[0]


def visit(home: Home) -> None:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        database.execute("UPDATE feeds SET due = 0")
    done = home.crawl("force=1")
    assert done.code == 0, done.err


def test_an_edited_headline_is_a_version(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    assert home.crawl(f"url={site.url}/feed/").out.startswith("kept 4 new posts;")
    visit(home)
    site.pages.update(replace(TIDE, posts=(replace(POST, title="One report"), *TIDE.posts[1:])).pages(site.url))
    visit(home)
    lines = home.pressmark("versions", site.url + TIDE.url_of(POST), "--json").out.splitlines()
    assert [(one["title"], one["changed"]) for one in map(json.loads, lines)] == [
        (POST.title, []),
        ("One report", ["title"]),
    ]
    for other in TIDE.posts[1:]:
        assert len(home.pressmark("versions", site.url + TIDE.url_of(other)).out.splitlines()) == 1


def test_a_headline_that_is_edited_on_the_page_alone_is_a_version(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    assert home.crawl(f"url={site.url}/feed/").out.startswith("kept 4 new posts;")
    edited = replace(TIDE, posts=(replace(POST, title="One report"), *TIDE.posts[1:])).pages(site.url)
    post = TIDE.url_of(POST)
    site.pages[post] = edited[post]
    with sqlite3.connect(home.path / "pressmark.db") as database:
        database.execute("UPDATE pages SET due = 0")
    assert home.crawl("force=1").code == 0
    lines = home.pressmark("versions", site.url + post, "--json").out.splitlines()
    assert [one["changed"] for one in map(json.loads, lines)] == [[], ["title"]]

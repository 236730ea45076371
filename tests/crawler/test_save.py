"""Single pages: `save` archives them as posts of their own, `recheck` visits posts and feeds again, within manners."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Home, Ran
from sample.blogs import TIDE
from sample.server import Answer, Site

from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier
from crawler.model.url_identity import shard

WORDS = "The lamp was lit an hour before dusk, and nobody on the shore could say who had climbed the tower. "


def page(title: str, head: str = "", more: str = "") -> Answer:
    return Answer(
        f"<html><head><title>{title}</title>{head}</head><body><main><article><h1>{title}</h1><p>{WORDS * 3}</p>"
        f"<p>{title} was told by the keeper. {more}</p></article></main></body></html>".encode()
    )


def rows(done: Ran) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.out.splitlines()]


def pages(home: Home) -> list[dict[str, object]]:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM pages")]


def test_a_page_is_archived_as_a_post_of_its_own(home: Home, site: Site) -> None:
    """It has a text, is found by a search, belongs to no feed, and comes up for re-checks by the plan."""
    site.pages["/lamp"] = page("The lamp")
    done = home.pressmark("save", f"{site.url}/lamp#top")
    assert (done.code, done.out) == (0, f"archived: {site.url}/lamp#top\n"), done.err
    assert json.loads(home.pressmark("get", f"{site.url}/lamp", "--as", "json").out)["title"] == "The lamp"
    assert "The lamp" in home.pressmark("search", "keeper").out
    row = pages(home)[0]
    assert (row["url"], row["feed_id"], row["kept"], row["backfill"]) == (f"{site.url}/lamp", None, 1, 0)
    assert row["due"] is not None
    assert home.pressmark("feeds", "--json").out == ""


def test_a_page_that_was_saved_before_is_asked_for_with_its_validator(home: Home, site: Site) -> None:
    site.pages["/lamp"] = page("The lamp")
    home.pressmark("save", f"{site.url}/lamp")
    site.log.clear()
    assert rows(home.pressmark("save", f"{site.url}/lamp", "--json"))[0]["outcome"] == "unchanged"
    assert [(entry.path, entry.status) for entry in site.log] == [("/lamp", 304)]
    site.pages["/lamp"] = page("The lamp", more="It went out in the storm of that winter.")
    assert rows(home.pressmark("save", f"{site.url}/lamp", "--json"))[0]["outcome"] == "changed"
    assert len(pages(home)) == 1


def test_the_feed_of_a_saved_page_is_named(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    feed = site.url + TIDE.feed(TIDE, site.url)[0]
    post = site.url + TIDE.url_of(TIDE.posts[0])
    done = home.pressmark("save", post)
    assert done.out.splitlines() == [f"archived: {post}", f"  its feed is {feed}: `pressmark add {feed}` subscribes"]
    home.pressmark("add", feed)
    done = home.pressmark("save", post, "--json")
    assert [(row["feed"], row["subscribed"]) for row in rows(done)] == [(feed, True)]


def test_a_declared_feed_that_is_none_is_not_named(home: Home, site: Site) -> None:
    site.pages["/lamp"] = page("The lamp", head="<link rel=alternate type=application/rss+xml href=/feed>")
    site.pages["/feed"] = page("Not a feed")
    done = home.pressmark("save", f"{site.url}/lamp", "--json")
    assert (done.code, rows(done)[0]["feed"], rows(done)[0]["outcome"]) == (0, None, "archived")


def test_a_page_that_cannot_be_had_is_named_with_the_reason(home: Home, site: Site) -> None:
    site.pages["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /closed\n", content_type="text/plain")
    site.pages["/lamp"] = page("The lamp")
    done = home.pressmark("save", f"{site.url}/nowhere", f"{site.url}/closed", f"{site.url}/lamp", "--json")
    assert done.code == 1
    assert [(row["outcome"], row["status"], row["error"]) for row in rows(done)] == [
        ("failed", 404, "answered 404"), ("failed", None, "forbidden by robots.txt"), ("archived", 200, None),
    ]  # fmt: skip
    assert "/closed" not in site.asked


def test_saving_needs_no_lock_of_a_running_crawl_but_the_host(home: Home, site: Site) -> None:
    """Another run crawls other hosts meanwhile; one that works on this host is not disturbed."""
    site.pages["/lamp"] = page("The lamp")
    home.settings["PRESSMARK_LOCK_SECONDS"] = "0"
    home.pressmark("feeds")
    frontier = Frontier.open(f"sqlite:///{home.path / 'pressmark.db'}")
    other = Claims(frontier.engine, "another/crawl")
    other.take({(shard(site.url) + 1) % 65_536}, lasts=timedelta(hours=1))
    with Path(home.path / "crawl.lock").open("w") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        assert home.pressmark("save", f"{site.url}/lamp").code == 0
    other.take({shard(site.url)}, lasts=timedelta(hours=1))
    site.log.clear()
    done = home.pressmark("save", f"{site.url}/lamp", "--json")
    assert (done.code, rows(done)[0]["outcome"], site.asked) == (1, "failed", [])
    assert "another run works on this host" in done.err


def test_a_feed_is_rechecked_before_it_is_due_and_its_news_is_fetched(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    home.crawl(f"url={site.url}/")
    feed = site.url + TIDE.feed(TIDE, site.url)[0]
    site.log.clear()
    done = home.pressmark("recheck", feed, "--json")
    assert [(row["url"], row["kind"], row["outcome"], row["status"]) for row in rows(done)] == [
        (feed, "feed", "unchanged", 304)
    ]
    path = TIDE.feed(TIDE, site.url)[0]
    assert [(entry.path, entry.status) for entry in site.log] == [(path, 304)]
    item = f"<item><title>New</title><link>{site.url}/new</link><guid>new</guid></item>".encode()
    body = site.pages[path].body
    end = b"</channel>" if b"</channel>" in body else b"</feed>"
    if end == b"</feed>":
        item = f"<entry><title>New</title><id>new</id><link href='{site.url}/new'/></entry>".encode()
    site.pages[path] = Answer(body.replace(end, item + end), content_type=site.pages[path].content_type)
    site.pages["/new"] = page("New")
    done = home.pressmark("recheck", f"{site.url}/", "--json")
    assert [(row["outcome"], row["new_posts"]) for row in rows(done)] == [("visited", 1)]
    assert home.pressmark("get", f"{site.url}/new").code == 0


def test_a_post_is_rechecked_in_any_spelling_of_its_url(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    home.crawl(f"url={site.url}/")
    post = site.url + TIDE.url_of(TIDE.posts[0])
    site.log.clear()
    done = home.pressmark("recheck", f"{post}?utm_source=letter#top", "--json")
    assert (done.code, rows(done)[0]["kind"], rows(done)[0]["outcome"]) == (0, "post", "unchanged")
    assert [(entry.path, entry.status) for entry in site.log] == [(TIDE.url_of(TIDE.posts[0]), 304)]
    del site.pages[TIDE.url_of(TIDE.posts[0])]
    assert home.pressmark("recheck", post).out.startswith(f"gone: {post}")


def test_what_is_not_known_is_not_asked_for(home: Home, site: Site) -> None:
    site.pages["/lamp"] = page("The lamp")
    home.pressmark("save", f"{site.url}/lamp")
    site.log.clear()
    done = home.pressmark("recheck", f"{site.url}/other", f"{site.url}/lamp", "--json")
    assert done.code == 3
    assert {row["url"]: row["outcome"] for row in rows(done)} == {
        f"{site.url}/lamp": "unchanged", f"{site.url}/other": "unknown",
    }  # fmt: skip
    assert "is neither a post nor a feed that is known here" in done.err
    assert site.asked == ["/lamp"]


def test_a_retry_after_holds_for_what_a_person_names_too(home: Home, site: Site) -> None:
    site.pages["/lamp"] = page("The lamp")
    home.pressmark("save", f"{site.url}/lamp")
    site.pages["/lamp"] = Answer(b"later", status=503, headers={"Retry-After": "3600"})
    home.pressmark("recheck", f"{site.url}/lamp")
    site.log.clear()
    done = home.pressmark("recheck", f"{site.url}/lamp")
    assert (done.code, site.asked) == (1, [])


@pytest.mark.parametrize("spider", ["save", "recheck"])
def test_the_spiders_run_under_scrapy_too(home: Home, site: Site, spider: str) -> None:
    site.pages["/lamp"] = page("The lamp")
    home.pressmark("save", f"{site.url}/lamp")
    done = home.run("scrapy", "crawl", spider, "-a", f"url={site.url}/lamp")
    assert (done.code, done.out.partition(";")[0]) == (0, "kept 0 new posts, 1 unchanged")


def test_after_the_loss_of_the_database_a_saved_page_is_a_post_again(home: Home, site: Site) -> None:
    """It has no entry in a feed to be restored from; its text shows that it is a post."""
    site.pages.update({**TIDE.pages(site.url), "/lamp": page("The lamp")})
    home.crawl(f"url={site.url}/")
    with Site({"/oar": page("The oar")}, host="127.0.0.3") as other:
        home.pressmark("save", f"{other.url}/oar")
        before = {row["url"]: (row["feed_id"], row["kept"], row["due"], row["checks"]) for row in pages(home)}
        for path in home.path.glob("pressmark.db*"):
            path.unlink()
        assert home.pressmark("reindex").code == 0
        assert {row["url"]: (row["feed_id"], row["kept"], row["due"], row["checks"]) for row in pages(home)} == before
        assert rows(home.pressmark("recheck", f"{other.url}/oar", "--json"))[0]["outcome"] == "unchanged"

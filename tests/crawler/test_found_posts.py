"""Posts that stand in no captured feed are posts again after the database was made anew."""

from __future__ import annotations

import json
import sqlite3

from conftest import Home
from sample.server import Answer, Site

PARAGRAPH = (
    "<p>The river rose in the night, and by morning post {} had become a boat with a mast and a cat on deck.</p>"
)


def post(n: int) -> Answer:
    words = PARAGRAPH.format(n) * 3
    return Answer(f"<!doctype html><title>Post {n}</title><article><h1>Post {n}</h1>{words}</article>".encode())


def blog(site: Site, count: int, shown: int) -> None:
    """A feed that shows the newest posts, and a sitemap of all, of which one moved."""
    items = "".join(
        f"<item><guid>{n}</guid><link>{site.url}/post/{n}</link></item>" for n in range(count, count - shown, -1)
    )
    site.pages["/feed"] = Answer(
        f"<rss><channel><title>B</title>{items}</channel></rss>".encode(), "application/rss+xml"
    )
    located = "".join(f"<url><loc>{site.url}/post/{n}</loc></url>" for n in range(1, count + 1))
    site.pages["/sitemap.xml"] = Answer(f"<urlset>{located}</urlset>".encode(), "text/xml")
    for n in range(1, count + 1):
        site.pages[f"/post/{n}"] = post(n)
    site.pages[f"/post/{count}"] = Answer(b"", status=302, headers={"Location": f"/moved/{count}"})
    site.pages[f"/moved/{count}"] = post(count)


def pages(home: Home) -> list[tuple[str, int, bool, int | None]]:
    """URL, whether it is archived, whether a visit is planned, and its feed, of each page."""
    with sqlite3.connect(home.path / "pressmark.db") as database:
        query = "SELECT url, kept, due IS NOT NULL, feed_id FROM pages ORDER BY url"
        return database.execute(query).fetchall()


def test_posts_that_a_backfill_found_are_looked_after_again(home: Home, site: Site) -> None:
    home.settings |= {"PRESSMARK_BACKFILL_GAP": "0", "PRESSMARK_RECHECK_PLAN": "1s"}
    blog(site, 7, shown=3)
    with Site() as other:
        blog(other, 3, shown=3)
        home.crawl(f"url={site.url}/feed {other.url}/feed")
        home.pressmark("backfill", f"{site.url}/feed")
        home.pressmark("remove", f"{other.url}/feed")
        before = [row for row in pages(home) if row[0].startswith(site.url)]
        assert [row[1:3] for row in before] == [(1, 1)] * 7
        for name in ("", "-wal", "-shm"):
            (home.path / f"pressmark.db{name}").unlink(missing_ok=True)
        assert home.pressmark("reindex").code == 0
        after = pages(home)
        said = "and nothing of the feed that was removed, nor of where a redirect led"
        assert [row[:3] for row in after] == [row[:3] for row in before], said
        assert {row[3] for row in after} == {1}, "the feed's, which is the only one now"
        del site.pages["/post/2"]
        home.crawl("only=rechecks")
    lost = [json.loads(line)["url"] for line in home.pressmark("deletions", "--json").out.splitlines()]
    assert lost == [f"{site.url}/post/2"]

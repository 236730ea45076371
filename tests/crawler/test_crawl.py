"""Whole crawls against real servers, as a person would run them."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import BIN, S3, Home
from sample.blogs import BLOGS, EDIT, TIDE
from sample.server import Answer, Site
from sample.services import wait_for

from archive.warc import record as warc


@pytest.fixture
def blogs() -> Iterator[list[Site]]:
    """The three sample blogs, each on its own server."""
    with ExitStack() as stack:
        sites = [stack.enter_context(Site()) for _ in BLOGS]
        for site, blog in zip(sites, BLOGS, strict=True):
            site.pages.update(blog.pages(site.url))
        yield sites


def tide(site: Site) -> Site:
    site.pages.update(TIDE.pages(site.url))
    return site


def records(home: Home, kind: str = "warc") -> list[warc.Record]:
    return [record for path in home.objects(kind) for record in warc.read(io.BytesIO(path.read_bytes()))]


def post_url(site: Site, number: int = 0) -> str:
    return site.url + TIDE.url_of(TIDE.posts[number])


def check_warcs(home: Home) -> None:
    """Every WARC is whole to other readers, every digest right."""
    for path in (*home.objects("warc"), *home.objects("text")):
        for command in (["warcio", "check", str(path)], ["fastwarc", "check", "-q", str(path)]):
            done = subprocess.run([str(BIN / command[0]), *command[1:]], capture_output=True, text=True, check=False)
            assert (done.returncode, "fail" in done.stdout.lower()) == (0, False), done.stdout + done.stderr
        assert subprocess.run(["gzip", "-t", str(path)], check=False).returncode == 0


def test_a_blog_goes_in_and_its_posts_come_out(home: Home, blogs: list[Site]) -> None:
    """From a feed of each format to text, metadata and capture."""
    done = home.crawl("url=" + " ".join(f"{site.url}/" for site in blogs))
    assert done.code == 0, done.err
    assert done.out.startswith("kept 10 new posts; 3 feeds visited;")
    assert done.out.count("\n") == 1
    for site, blog in zip(blogs, BLOGS, strict=True):
        for post in blog.posts:
            url = site.url + blog.url_of(post)
            text = json.loads(home.pressmark("get", url, "--as", "json").out) if post is blog.posts[0] else None
            if text is None:
                continue
            assert (text["title"], text["author"]) == (post.title, post.author)
            assert text["published"] == post.published.isoformat()
            assert {post.category, *post.tags} <= set(text["tags"])
            assert all(words in " ".join(text["text"].split()) for words in post.words)
            assert text["capture"]["url"] == url
    check_warcs(home)


def test_the_second_run_asks_only_each_feed_and_gets_304(home: Home, blogs: list[Site]) -> None:
    urls = "url=" + " ".join(f"{site.url}/" for site in blogs)
    home.crawl(urls)
    for site in blogs:
        site.log.clear()
    done = home.crawl(urls)
    assert done.out.startswith("kept 0 new posts; 3 feeds visited (3 not modified);")
    for site, blog in zip(blogs, BLOGS, strict=True):
        path = blog.feed(blog, site.url)[0]
        assert [(entry.path, entry.status) for entry in site.log] == [(path, 304)]


def test_requests_are_honest_and_bare(home: Home, site: Site) -> None:
    tide(site)
    home.crawl(f"url={site.url}/")
    for entry in site.log:
        assert entry.headers["user-agent"].startswith("Pressmark/")
        assert "+http" in entry.headers["user-agent"]
        assert not {"cookie", "referer", "x-pressmark-slot"} & set(entry.headers)
        assert "zstd" not in entry.headers["accept-encoding"]
    assert len(site.asked) == len(set(site.asked)), "nothing was asked for twice"


def test_every_exchange_is_kept_with_request_response_and_metadata(home: Home, site: Site) -> None:
    tide(site)
    home.crawl(f"url={site.url}/")
    found = records(home)
    assert found[0].kind == "warcinfo"
    by_kind = {kind: [r for r in found if r.kind == kind] for kind in ("response", "request", "metadata")}
    assert {r.url.removeprefix(site.url) for r in by_kind["response"]} == set(site.asked)
    ids = {record.id for record in by_kind["response"]}
    for kind in ("request", "metadata"):
        assert {record.get("WARC-Concurrent-To") for record in by_kind[kind]} == ids
    request = next(r for r in by_kind["request"] if r.url.endswith("/robots.txt"))
    assert request.block.startswith(b"GET /robots.txt HTTP/1.1\r\n")
    texts = [record for record in records(home, "text") if record.kind == "conversion"]
    assert len(texts) == len(TIDE.posts)
    assert {record.get("WARC-Refers-To") for record in texts} <= ids


def test_an_edited_post_becomes_a_second_capture(home: Home, site: Site) -> None:
    tide(site)
    home.crawl(f"url={site.url}/")
    slug, before, after = EDIT
    post = next(post for post in TIDE.posts if post.slug == slug)
    url = site.url + TIDE.url_of(post)
    time.sleep(1.1)  # TIME has no finer grain than a second
    site.pages.update(TIDE.edited(slug, before, after).pages(site.url))
    site.log.clear()
    done = home.crawl(f"url={site.url}/")
    assert done.out.startswith("kept 0 new posts, 1 changed;")
    assert site.asked == ["/feed/", TIDE.url_of(post)]
    history = [json.loads(line) for line in home.pressmark("history", url, "--json").out.splitlines()]
    assert [row["kind"] for row in history] == ["response", "response"]
    first = home.pressmark("get", url, "--at", history[0]["timestamp"]).out
    newest = home.pressmark("get", url).out
    assert (before in first, after in first, after in newest) == (True, False, True)


def test_pages_are_given_back_in_every_form(home: Home, site: Site) -> None:
    tide(site)
    home.crawl(f"url={site.url}/")
    url = post_url(site)
    assert home.pressmark("get", url, "--as", "html").raw == site.pages[TIDE.url_of(TIDE.posts[0])].body
    assert "### Council survey" in home.pressmark("get", url, "--as", "markdown").out
    members = home.pressmark("get", url, "--as", "warc").raw
    assert [record.kind for record in warc.read(io.BytesIO(members))] == ["response", "request", "metadata"]
    assert home.pressmark("history", url).out.count("\n") == 1
    missing = home.pressmark("get", f"{site.url}/never")
    assert (missing.code, missing.out, missing.err.count("\n")) == (3, "", 1)
    wrong = home.pressmark("get", url, "--at", "soon")
    assert (wrong.code, "soon" in wrong.err) == (2, True)


def test_due_feeds_are_crawled_without_being_named(home: Home, site: Site) -> None:
    tide(site)
    added = home.pressmark("add", f"{site.url}/")
    assert (added.code, added.out) == (0, f"subscribed: {site.url}/feed/  Tide Table\n")
    assert home.pressmark("add", f"{site.url}/").out.startswith("already subscribed")
    health = json.loads(home.pressmark("feeds", "--json").out)
    assert (health["url"], health["state"], health["posts_kept"]) == (f"{site.url}/feed/", "ok", 0)
    site.log.clear()
    assert home.crawl().out.startswith("kept 4 new posts; 0 feeds visited;"), "the pages wait, the feed is not due"
    assert home.crawl().out.startswith("kept 0 new posts; 0 feeds visited;")
    assert home.pressmark("crawl", "--force").out.startswith("kept 0 new posts; 1 feed visited (1 not modified);")
    assert json.loads(home.pressmark("feeds", "--json").out)["posts_kept"] == 4
    assert "Tide Table" in home.pressmark("feeds").out


def test_subscriptions_can_be_paused_resumed_removed(home: Home, site: Site) -> None:
    tide(site)
    home.pressmark("add", f"{site.url}/")
    assert home.pressmark("pause", f"{site.url}/").out == "paused: 1 feed\n"
    assert home.pressmark("crawl", "--force").out.startswith("kept 0 new posts; 0 feeds visited")
    assert home.pressmark("resume", f"{site.url}/feed/").out == "resumed: 1 feed\n"
    assert home.pressmark("remove", f"{site.url}/").code == 0
    unknown = home.pressmark("remove", f"{site.url}/")
    assert (unknown.code, unknown.err.splitlines()[0]) == (1, f"pressmark: {site.url}/: no such subscription")


def test_robots_txt_is_obeyed_and_asked_once_a_day(home: Home, site: Site) -> None:
    tide(site)
    first = TIDE.url_of(TIDE.posts[0])
    site.pages["/robots.txt"] = Answer(
        f"User-agent: pressmark\nDisallow: {first}\n".encode(), content_type="text/plain"
    )
    done = home.crawl(f"url={site.url}/")
    assert done.out.startswith("kept 4 new posts (1 in the feed's words), 1 failed;")
    assert first not in site.asked
    assert site.asked.count("/robots.txt") == 1


def moved(target: str) -> Answer:
    return Answer(b"", status=301, headers={"Location": target}, validators=False)


def test_a_robots_txt_that_has_moved_is_asked_once_a_day(home: Home, site: Site) -> None:
    with Site() as other:
        tide(site)
        site.pages["/robots.txt"] = moved(f"{other.url}/robots.txt?utm_source=old")
        other.pages["/robots.txt?utm_source=old"] = moved(f"{other.url}/robots.txt")
        first = TIDE.url_of(TIDE.posts[0])
        other.pages["/robots.txt"] = Answer(f"User-agent: *\nDisallow: {first}\n".encode(), content_type="text/plain")
        home.crawl(f"url={site.url}/")
        home.crawl("force=1")
    assert first not in site.asked
    assert site.asked.count("/robots.txt") == 1
    assert other.asked == ["/robots.txt?utm_source=old", "/robots.txt"]


def test_a_robots_txt_whose_target_failed_is_asked_again(home: Home, site: Site) -> None:
    with Site() as other:
        tide(site)
        site.pages["/robots.txt"] = moved(f"{other.url}/robots.txt")
        other.pages["/robots.txt"] = Answer(b"", status=500)
        home.crawl(f"url={site.url}/")
        assert set(site.asked) == {"/robots.txt"}
        other.pages["/robots.txt"] = Answer(b"", content_type="text/plain")
        assert home.crawl(f"url={site.url}/").code == 0
    assert other.asked == ["/robots.txt"] * 2


def test_robots_txt_of_a_blog_that_has_moved_is_asked_once(home: Home, site: Site) -> None:
    with Site() as other:
        tide(other)
        other.pages["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /private\n", content_type="text/plain")
        site.pages = {path: moved(f"{other.url}{path}") for path in ("/robots.txt", "/feed/")}
        assert home.crawl(f"url={site.url}/feed/").code == 0
    assert site.asked == ["/robots.txt", "/feed/"]
    assert other.asked.count("/robots.txt") == 1
    assert other.asked.count("/feed/") == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_robots_txt_that_fails_forbids_everything(home: Home, site: Site, status: int) -> None:
    tide(site)
    site.pages["/robots.txt"] = Answer(b"", status=status)
    done = home.crawl(f"url={site.url}/")
    assert done.code == 1
    assert set(site.asked) == {"/robots.txt"}
    assert f"robots.txt is out of reach (it answered {status})" in done.err


def test_redirects_are_captured_hop_by_hop_and_followed_on_retrieval(home: Home, site: Site) -> None:
    tide(site)
    path = TIDE.url_of(TIDE.posts[0])
    site.pages["/moved"] = site.pages[path]
    site.pages[path] = Answer(b"", status=301, headers={"Location": "/moved"})
    home.crawl(f"url={site.url}/")
    assert [r.block.split(b" ", 2)[1] for r in records(home) if r.kind == "response" and r.url == site.url + path] == [
        b"301"
    ]
    moved = next(r for r in records(home) if r.kind == "response" and r.url == f"{site.url}/moved")
    hop = next(r for r in records(home) if r.kind == "metadata" and r.get("WARC-Concurrent-To") == moved.id)
    assert f"via: {site.url}{path}".encode() in hop.block
    assert b"hopsFromSeed: LR" in hop.block
    assert "Both were paid for by the same rate" in home.pressmark("get", site.url + path).out


def test_validators_do_not_travel_to_another_url(home: Home, site: Site) -> None:
    tide(site)
    home.crawl(f"url={site.url}/feed/")
    site.pages["/elsewhere"] = site.pages["/feed/"]
    site.pages["/feed/"] = Answer(b"", status=302, headers={"Location": "/elsewhere"})
    site.log.clear()
    home.crawl(f"url={site.url}/feed/")
    assert ["if-none-match" in entry.headers for entry in site.log] == [True, False]
    assert json.loads(home.pressmark("feeds", "--json").out)["url"] == f"{site.url}/feed/", "302 is not stored"


def test_a_failed_page_is_tried_again_later_and_nothing_else_is_lost(home: Home, site: Site) -> None:
    tide(site)
    path = TIDE.url_of(TIDE.posts[1])
    page = site.pages[path]
    site.pages[path] = Answer(b"oops", status=500)
    done = home.crawl(f"url={site.url}/")
    assert (done.code, done.out.startswith("kept 3 new posts, 1 failed;")) == (0, True)
    site.pages[path] = page
    database = home.path / "pressmark.db"
    subprocess.run(
        [
            "python3",
            "-c",
            f"import sqlite3; c = sqlite3.connect({str(database)!r}); c.execute('UPDATE pages SET due = 0 WHERE NOT kept'); c.commit()",
        ],
        check=True,
    )
    assert home.crawl().out.startswith("kept 1 new post; 0 feeds visited;")


def test_a_page_that_is_no_html_is_kept_and_has_the_feeds_words(home: Home, site: Site) -> None:
    tide(site)
    site.pages[TIDE.url_of(TIDE.posts[0])] = Answer(b"%PDF-1.7\x00\x01binary", content_type="application/pdf")
    done = home.crawl(f"url={site.url}/")
    assert done.out.startswith("kept 4 new posts (1 in the feed's words);")
    assert home.pressmark("get", post_url(site), "--as", "html").raw == b"%PDF-1.7\x00\x01binary"
    text = json.loads(home.pressmark("get", post_url(site), "--as", "json").out)
    assert (text["source"], text["verdict"]) == ("feed", "media")


@pytest.mark.parametrize("megabytes", ["256", "0.001"], ids=["one batch", "a batch for each record"])
def test_a_crawl_that_is_killed_again_and_again_loses_nothing(home: Home, site: Site, megabytes: str) -> None:
    tide(site)
    home.settings["PRESSMARK_BATCH_MEGABYTES"] = megabytes
    kills = 0
    for asked in (3, 4, 5, 6):
        home.settings["PRESSMARK_HOST_GAP"] = "0.4"
        process = home.start("scrapy", "crawl", "blog", "-a", f"url={site.url}/", start_new_session=True)
        try:
            wait_for(lambda wanted=asked, one=process: len(site.asked) >= wanted or one.poll() is not None, 60)
            time.sleep(0.05 * asked)
        finally:
            if process.poll() is None:
                kills += 1
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    home.settings["PRESSMARK_HOST_GAP"] = "0"
    assert home.crawl(f"url={site.url}/").code == 0
    assert kills >= 3
    posts = [TIDE.url_of(post) for post in TIDE.posts]
    assert json.loads(home.pressmark("feeds", "--json").out)["posts_kept"] == 4
    assert sum(map(site.asked.count, posts)) <= len(posts) + kills, "at most the page in flight is fetched again"
    assert all("Both" in home.pressmark("get", post_url(site)).out for _ in (1,))
    assert list((home.path / "spool").iterdir()) == []
    captured = [
        (record.url, record.get("WARC-Payload-Digest")) for record in records(home) if record.kind == "response"
    ]
    assert len(captured) == len(set(captured)), "no payload is stored twice"
    check_warcs(home)


def test_a_crawl_that_failed_is_finished_by_the_next(home: Home, site: Site, tmp_path: Path) -> None:
    """The store is away while a batch is committed: the spool keeps it, nothing is fetched again."""
    tide(site)
    home.settings["PRESSMARK_HOST_GAP"] = "0.5"
    process = home.start("scrapy", "crawl", "blog", "-a", f"url={site.url}/")
    wait_for(lambda: len(site.asked) >= 4, 60, process)
    store = home.path / "store"
    store.rename(tmp_path / "away")
    store.write_text("in the way")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.startswith(b"kept 0 new posts;")) == (1, True), err
    store.unlink()
    (tmp_path / "away").rename(store)
    site.log.clear()
    assert home.crawl().code == 0
    assert json.loads(home.pressmark("feeds", "--json").out)["posts_kept"] == 4
    assert len([path for path in site.asked if path.startswith("/2026")]) <= 1


def test_sigterm_ends_a_crawl_in_order(home: Home, site: Site) -> None:
    tide(site)
    home.settings["PRESSMARK_HOST_GAP"] = "1"
    process = home.start("scrapy", "crawl", "blog", "-a", f"url={site.url}/")
    wait_for(lambda: len(site.asked) >= 5, 60, process)
    process.terminate()
    out, err = process.communicate(timeout=30)
    assert out.startswith(b"kept "), err
    assert not list((home.path / "spool").glob("*.gz*"))
    home.settings["PRESSMARK_HOST_GAP"] = "0"
    home.crawl(f"url={site.url}/")
    assert json.loads(home.pressmark("feeds", "--json").out)["posts_kept"] == 4


def test_two_crawls_do_not_run_at_once(home: Home, site: Site) -> None:
    tide(site)
    home.settings["PRESSMARK_HOST_GAP"] = "3"
    first = home.start("scrapy", "crawl", "blog", "-a", f"url={site.url}/")
    wait_for(lambda: len(site.asked) >= 2, 60, first)
    second = home.crawl()
    assert second.code == 1
    assert second.err.splitlines()[-2].startswith("pressmark: another crawl is running (process ")
    out, _ = first.communicate(timeout=60)
    assert out.startswith(b"kept 4 new posts")


def test_the_store_may_be_s3_and_the_database_postgresql(
    home: Home, blogs: list[Site], s3: S3, postgres_database: str
) -> None:
    home.settings |= {**s3.settings, "PRESSMARK_STORE": f"s3://{s3.bucket}/crawl-{os.getpid()}"}
    home.settings["PRESSMARK_DATABASE"] = postgres_database
    urls = "url=" + " ".join(f"{site.url}/" for site in blogs)
    assert home.crawl(urls).out.startswith("kept 10 new posts; 3 feeds visited;")
    assert home.crawl(urls).out.startswith("kept 0 new posts; 3 feeds visited (3 not modified);")
    assert "Both were paid for by the same rate" in home.pressmark("get", post_url(blogs[0])).out
    assert not (home.path / "store").exists()
    assert not (home.path / "pressmark.db").exists()


def test_a_json_line_says_what_a_capture_is(home: Home, site: Site) -> None:
    tide(site)
    home.crawl(f"url={site.url}/")
    row = json.loads(home.pressmark("history", post_url(site), "--json").out)
    assert {"url", "timestamp", "date", "status", "mime", "digest", "kind", "object", "offset", "length"} <= set(row)
    assert (row["url"], row["status"], row["mime"], row["kind"]) == (post_url(site), 200, "text/html", "response")
    assert len(row["timestamp"]) == 14
    object_path = Path(home.path / "store" / row["object"])
    assert len(object_path.read_bytes()) >= row["offset"] + row["length"]


def snapshot(home: Home) -> dict[str, object]:
    """All that the database knows and that must come back."""
    import sqlite3

    with sqlite3.connect(home.path / "pressmark.db") as database:
        rows = {
            name: sorted(database.execute(query).fetchall())
            for name, query in {
                "captures": "SELECT url, date, digest, status, mime, kind, refers_to, record, offset, length FROM captures",
                "texts": "SELECT url, date, digest, title, capture, record, offset, length FROM texts",
                "objects": "SELECT key, length, sha256 FROM objects",
                "feeds": "SELECT url, title, site, paused, added, etag, last_modified, visited FROM feeds",
                "seeds": "SELECT url FROM seeds",
                "entries": "SELECT key, id, digest, facts FROM entries",
                "pages": "SELECT url, kept, visited, due, checks, alive, alive_record FROM pages",
            }.items()
        }
    assert all(rows.values())
    return rows


def test_the_database_can_be_made_anew_from_the_store_alone(home: Home, blogs: list[Site]) -> None:
    urls = "url=" + " ".join(f"{site.url}/" for site in blogs)
    home.crawl(urls)
    slug, before, after = EDIT
    blogs[0].pages.update(TIDE.edited(slug, before, after).pages(blogs[0].url))
    home.crawl(urls)
    home.crawl(urls)
    home.pressmark("pause", f"{blogs[1].url}/")
    wanted = snapshot(home)
    for path in home.path.glob("pressmark.db*"):
        path.unlink()
    done = home.pressmark("reindex")
    assert (done.code, done.out.endswith(", 3 subscriptions\n")) == (0, True), done.err
    found = snapshot(home)
    for name, rows in wanted.items():
        assert found[name] == rows, name
    assert home.pressmark("verify").code == 0
    for site in blogs:
        site.log.clear()
    assert home.pressmark("crawl", "--force").out.startswith("kept 0 new posts; 2 feeds visited (2 not modified);")
    assert [len(site.log) for site in blogs] == [1, 0, 1]


def test_reindex_heals_rows_and_tells_what_is_damaged(home: Home, site: Site) -> None:
    import sqlite3

    tide(site)
    home.crawl(f"url={site.url}/")
    with sqlite3.connect(home.path / "pressmark.db") as database:
        database.execute("UPDATE captures SET digest = 'sha1:WRONG' WHERE status = 200")
    assert home.pressmark("verify").code == 4
    assert home.pressmark("reindex").code == 0
    assert home.pressmark("verify").code == 0
    path = home.objects("warc")[0]
    path.write_bytes(path.read_bytes()[:-10])
    done = home.pressmark("reindex")
    assert done.code == 4
    assert done.out.startswith("damaged: warc/")


def come_due(home: Home) -> None:
    """Every page is to be fetched again."""
    import sqlite3

    with sqlite3.connect(home.path / "pressmark.db") as database:
        database.execute("UPDATE pages SET due = 0")


def test_the_same_text_in_other_bytes_is_known_as_such(home: Home, site: Site) -> None:
    """Pages carry nonces and counters: other bytes are not another version of the post."""
    tide(site)
    home.crawl(f"url={site.url}/")
    path = TIDE.url_of(TIDE.posts[0])
    page = site.pages[path].body
    for nonce in (b"<!-- nonce 1 -->", b"<!-- nonce 2 -->"):
        site.pages[path] = Answer(page.replace(b"</body>", nonce + b"</body>"))
        come_due(home)
        time.sleep(1.1)
        done = home.crawl(f"url={site.url}/")
        assert done.out.startswith("kept 0 new posts, 1 with the same text in other bytes, 3 unchanged;")
    rows = [json.loads(line) for line in home.pressmark("history", site.url + path, "--json").out.splitlines()]
    assert len({row["digest"] for row in rows}) == 3
    assert len({row["text_digest"] for row in rows}) == 1
    assert home.pressmark("history", site.url + path).out.count("same text in other bytes") == 2


def test_a_page_that_was_put_back_reads_as_it_did(home: Home, site: Site) -> None:
    """The text of a capture that repeats an earlier one is the text of that, not the nearest in time."""
    tide(site)
    slug, before, after = EDIT
    path = next(TIDE.url_of(post) for post in TIDE.posts if post.slug == slug)
    first = site.pages[path]
    home.crawl(f"url={site.url}/")
    for page in (TIDE.edited(slug, before, after).pages(site.url)[path], first):
        time.sleep(1.1)
        site.pages[path] = page
        come_due(home)
        home.crawl(f"url={site.url}/")
    rows = [json.loads(line) for line in home.pressmark("history", site.url + path, "--json").out.splitlines()]
    assert [row["kind"] for row in rows] == ["response", "response", "revisit"]
    texts = [home.pressmark("get", site.url + path, "--at", row["timestamp"]).out for row in rows]
    assert [after in text for text in texts] == [False, True, False]
    assert home.pressmark("get", site.url + path).out == texts[0]

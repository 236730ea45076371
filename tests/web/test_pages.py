"""The web app in Chromium: journeys, keyboard, phone, accessibility."""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

Watched = World = Any

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DARK = {"color_scheme": "dark", "viewport": {"width": 1000, "height": 800}}


def every_page(world: World) -> list[str]:
    post = world.posts[0]
    host = urllib.parse.urlsplit(post).netloc
    return ["/", "/blogs", f"/blog/{host}", f"/at/29990101000000/{host}", f"/at/29990101000000/{host}/post/{post}", f"/post/{post}", f"/diff/{post}", f"/diff/{post}?view=changes", f"/diff/{post}?view=side", f"/exchange/2026/{post}",
            "/search", "/search?q=the+bell&site=&lang=en", "/search?q=-x", "/calendar", f"/web/*/{post}", f"/web/2/{post}", "/feeds", "/feeds/1", "/jobs", "/changes", "/changes?q=class:none", "/web/http://never.example/"]  # fmt: skip


def test_from_the_front_page_to_what_changed_in_a_post(watched: Watched, world: World) -> None:
    page = watched.page
    page.goto(f"{world.base}/")
    page.locator("section", has=page.get_by_role("heading", name="Recently edited")).get_by_role("link").first.click()
    assert "version 2 of 2" in page.inner_text("main")
    page.get_by_role("link", name="Changes in this version").click()
    assert page.locator("ins").count() >= 1
    page.get_by_role("link", name="Side by side").click()
    assert page.locator("table.sides ins").count() >= 1
    page.go_back()
    page.go_back()
    page.get_by_role("link", name="Compare version 1 with version 2").click()
    assert page.get_by_role("heading", name="What changed").is_visible()
    page.go_back()
    page.get_by_role("link", name="HTTP exchange").click()
    assert "HTTP/1.1 200" in page.inner_text("main")
    page.go_back()
    page.get_by_role("link", name="Calendar", exact=True).last.click()
    page.locator("svg.heat a").first.click()
    page.locator("#captures ~ .wide a").first.click()
    assert page.frame_locator("iframe").locator("h1").first.is_visible()
    assert watched.said == []


def test_a_search_leads_to_the_post_by_keyboard_alone(watched: Watched, world: World) -> None:
    page = watched.page
    page.goto(f"{world.base}/search")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type('"bell buoy" OR bell')
    page.keyboard.press("Enter")
    page.wait_for_selector("ol.hits mark")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("!!document.activeElement.closest('ol.hits h2')"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.wait_for_selector("article.post")
    assert "bell" in page.inner_text("article.post").lower()
    assert watched.said == []


@pytest.mark.parametrize("watched", [PHONE, DARK], indirect=True, ids=["phone", "dark"])
def test_every_page_fits_and_has_no_serious_fault(watched: Watched, world: World) -> None:
    axe = Axe()
    for path in every_page(world):
        watched.page.goto(world.base + path)
        width = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, (path, width)
        found = [
            one for one in axe.run(watched.page).response["violations"] if one["impact"] in {"serious", "critical"}
        ]
        assert found == [], (path, json.dumps(found, indent=1)[:3_000])
    # What Chromium says of a page that answers 400 or 404 is no fault of it.
    assert [said for said in watched.said if "Failed to load resource" not in said] == []
    assert watched.outside == []


def asked(url: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    try:
        with urllib.request.build_opener(Stay).open(
            urllib.request.Request(url, data=data, headers=headers), timeout=30
        ) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def test_pages_are_small_and_soon_there(world: World) -> None:
    for path in every_page(world):
        asked(world.base + path)
        begin = time.monotonic()
        _, body = asked(world.base + path, Accept="text/html")
        assert len(body) < 150_000, path
        assert time.monotonic() - begin < 5, path  # what is expected is measured in bench/


def test_downloads_hold_what_they_say(world: World) -> None:
    post = world.posts[0]
    assert b"bell" in asked(f"{world.base}/download/text/2/{post}")[1]
    assert asked(f"{world.base}/download/warc/2/{post}")[1].startswith(b"\x1f\x8b")
    packed = zipfile.ZipFile(io.BytesIO(asked(f"{world.base}/download/wacz/2/{post}")[1]))
    assert packed.testzip() is None
    assert {"datapackage.json", "archive/data.warc.gz", "indexes/index.cdx", "pages/pages.jsonl"} <= set(
        packed.namelist()
    )
    assert asked(f"{world.base}/download/exe/2/{post}")[0] == 404


def test_a_change_needs_the_token_and_our_own_page(watched: Watched, world: World) -> None:
    def post(action: str, token: str = "secret", **headers: str) -> int:
        body = urllib.parse.urlencode({"url": world.sites[0].url + "/", "token": token}).encode()
        return asked(f"{world.base}/feeds/{action}", body, **headers)[0]

    assert post("pause", token="wrong") == 401
    assert post("pause", token="") == 401
    assert post("pause", Origin="https://evil.example") == 403
    assert post("pause", **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert post("nothing") == 404
    assert asked(f"{world.base}/feeds/pause")[0] == 405
    assert post("pause", token="", Authorization="Bearer secret") == 303
    assert post("resume", Origin=world.base) == 303
    assert asked(f"{world.base}/feeds/pause", b"url=http://never.example/&token=secret")[0] == 404
    assert asked(f"{world.base}/feeds/add", b"url=ftp://x&token=secret")[0] == 400
    assert asked(f"{world.base}/feeds/add", b"x" * 30_000)[0] == 413
    page = watched.page
    page.goto(f"{world.base}/feeds/1")
    page.fill("#token", "secret")
    page.get_by_role("button", name="Pause").click()
    assert "The feed is paused." in page.inner_text("main")
    page.goto(f"{world.base}/feeds/1")
    page.fill("#token", "secret")
    page.get_by_role("button", name="Resume").click()
    assert "The feed is resumed" in page.inner_text("main")
    assert watched.said == []


def test_programs_are_told_the_same(world: World) -> None:
    def told(path: str) -> object:
        status, body = asked(world.base + path)
        assert status == 200, (path, body)
        return json.loads(body)

    post = urllib.parse.quote(world.posts[0], safe="")
    versions = told(f"/api/versions?url={post}")["versions"]
    assert [one["version"] for one in versions] == [1, 2]
    assert told(f"/api/diff?url={post}")["added_words"] > 0
    hits = told("/api/search?q=bell&limit=5")["hits"]
    assert any(hit["url"] == world.posts[0] for hit in hits)
    feeds = told("/api/feeds")
    assert {"url", "next_visit", "alarms"} <= set(feeds[0])
    assert told("/api/jobs")[0]["job"]
    paths = told("/openapi.json")["paths"]
    assert {"/api/search", "/web/{timestamp}id_/{url}", "/cdx", "/health"} <= set(paths)
    for wrong in (
        "/api/search",
        "/api/search?q=",
        "/api/search?q=x&limit=0",
        "/api/versions?url=http://never.example/",
        "/api/diff?url=x&from=soon",
    ):
        status, body = asked(world.base + wrong)
        assert status in {400, 404, 422}
        assert "error" in json.loads(body)
    assert b"pressmark_captures" in asked(f"{world.base}/metrics")[1]
    changes = asked(f"{world.base}/changes.atom")[1]
    assert b"<title>Edited: " in changes
    assert b"<title>New: " in changes

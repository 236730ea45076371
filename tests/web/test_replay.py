"""What was archived cannot get out, in the plain view and in the replay engine."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import missing

from archive.web.replay import is_there

Watched = World = Any


@pytest.fixture(autouse=True)
def _engine() -> None:
    if not is_there():
        missing("the replay engine")


def settled(watched: Watched, world: World, milliseconds: int = 1_500) -> None:
    """Nothing ran, nothing left, no worker is registered at our origin."""
    watched.page.wait_for_timeout(milliseconds)
    assert "xss-ran" not in watched.page.title()
    assert [url for url in watched.outside if "/favicon" not in url] == []
    assert world.asked() == []


def test_the_plain_view_runs_nothing_and_asks_for_nothing(watched: Watched, world: World) -> None:
    page, trap = watched.page, world.posts[1]
    page.goto(f"{world.base}/web/2/{trap}")
    frame = page.frame_locator("iframe")
    assert frame.get_by_role("heading", name="A trap of a post").is_visible()
    assert frame.locator("img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    assert frame.locator("script, iframe, object, embed, form, svg, meta[http-equiv]").count() == 0
    settled(watched, world)
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(found => found.length)") == 0
    frame.locator("#other, a:has-text('another post')").first.click()
    page.wait_for_url("**/other")
    assert page.frame_locator("iframe").get_by_role("heading", name="The other one").is_visible()
    page.go_back()
    page.frame_locator("iframe").get_by_text("no post").click()
    page.wait_for_url("**/never")
    assert "Not archived" in page.inner_text("main")
    settled(watched, world, 300)


@pytest.mark.parametrize("modifier", ["id_", "if_", "im_", "mp_"])
def test_what_is_opened_by_itself_runs_nothing_either(watched: Watched, world: World, modifier: str) -> None:
    watched.page.goto(f"{world.base}/web/2{modifier}/{world.posts[1]}")
    settled(watched, world)


def test_pages_about_it_run_nothing(watched: Watched, world: World) -> None:
    for path in (
        "/",
        f"/post/{world.posts[1]}",
        f"/exchange/2/{world.posts[1]}",
        "/feeds",
        "/feeds/2",
        "/search?q=trap",
        "/blogs",
        f"/diff/{world.posts[1]}",
    ):
        watched.page.goto(world.base + path)
        settled(watched, world, 100)


def replayed(watched: Watched, world: World, url: str, words: str = "") -> str:
    """What the engine shows of a page, once that says some words."""
    page = watched.page
    page.goto(f"{world.base}/web/2/{url}")
    page.get_by_role("link", name="Replay with scripts").click()
    page.wait_for_url(f"{world.base}/replay/**")
    for _ in range(320):
        page.wait_for_timeout(250)
        for frame in (one for one in page.frames if "mp_/" in one.url):
            # A page that leads on by itself cannot always be asked.
            said = frame.evaluate("document.body ? document.body.innerText : ''") if words else ""
            if words in said:
                return str(said)
    return pytest.fail(f"not replayed: {[frame.url for frame in page.frames]} {watched.said}")


def test_the_engine_replays_with_scripts(watched: Watched, world: World) -> None:
    other = world.posts[1].replace("/trap", "/other")
    assert "The other one" in replayed(watched, world, other, "scripts ran here")
    assert (world.asked(), watched.outside) == ([], [])


def test_the_engine_lets_nothing_out(watched: Watched, world: World) -> None:
    replayed(watched, world, world.posts[1])
    page = watched.page
    page.wait_for_timeout(3_000)
    assert (world.asked(), watched.outside) == ([], [])
    assert page.url.startswith(f"{world.base}/replay/")
    assert "xss-ran" not in page.title()
    page.goto(f"{world.base}/")
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(found => found.length)") == 0


def test_only_our_own_archive_is_replayed(watched: Watched, world: World) -> None:
    for source in (
        "https://evil.example/x.wacz",
        "//evil.example/",
        "data:,x",
        f"{world.base}.evil.example/download/replay/2/x",
        "",
    ):
        answer = watched.page.goto(f"{world.replay}/?source={source}&url=http://a.example/&ts=2026")
        assert answer is not None
        assert answer.status == 400

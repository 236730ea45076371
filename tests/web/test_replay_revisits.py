"""A capture that confirms an earlier one shows it: in the replay engine, from exported files, in the plain view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from conftest import Home, missing
from sample.archives import at, serving
from sample.browsing import Watched, World
from sample.revisits import SHOWN, SITE, kept

from archive.web.replay import is_there

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame


@pytest.fixture(scope="module")
def confirmed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not is_there():
        missing("the replay engine")
    home = Home(tmp_path_factory.mktemp("revisits") / "home")
    kept(home).index.engine.dispose()
    with serving(home, "--replay-port", "0") as bases:
        base, replay = bases.split()
        yield World(base, replay, [], [])


@pytest.fixture
def watched(browser: Browser, confirmed: World) -> Iterator[Watched]:
    found = Watched(browser, confirmed)
    yield found
    found.context.close()


def stamped(hour: float, path: str) -> str:
    return f"{at(hour):%Y%m%d%H%M%S}/{SITE}{path}"


def replayed(watched: Watched, words: str) -> Frame:
    """The frame in which the engine shows a page, once that says some words."""
    said = ""
    for _ in range(320):
        watched.page.wait_for_timeout(250)
        for frame in (one for one in watched.page.frames if "mp_/" in one.url):
            said = str(frame.evaluate("document.body ? document.body.innerText : ''"))
            if words in said and "and scripts ran" in said:
                return frame
    return pytest.fail(f"not replayed: {[one.url for one in watched.page.frames]} {said!r} {watched.said}")


@pytest.mark.parametrize(("hour", "path", "words"), SHOWN)
def test_the_engine_shows_what_is_confirmed(
    watched: Watched, confirmed: World, hour: float, path: str, words: str
) -> None:
    watched.page.goto(f"{confirmed.base}/replay/{stamped(hour, path)}")
    frame = replayed(watched, words)
    if words == "The river rose":
        assert frame.locator("h1").evaluate("one => getComputedStyle(one).color") == "rgb(1, 2, 3)"
    if path == "/post":
        frame.locator("a").click()
        replayed(watched, "The linked page")
    assert watched.outside == []


@pytest.mark.parametrize(("hour", "path", "words"), [SHOWN[2], SHOWN[4], SHOWN[6], SHOWN[8]])
def test_the_engine_shows_it_from_an_exported_file(
    watched: Watched, confirmed: World, hour: float, path: str, words: str
) -> None:
    # The engine's page opens only our files for replay; a path that leads to our other files is one of them.
    source = f"{confirmed.base}/download/replay/../wacz/{stamped(hour, path)}"
    asked = {"source": source, "url": f"{SITE}{path}", "ts": f"{at(hour):%Y%m%d%H%M%S}"}
    watched.page.goto(f"{confirmed.replay}/?{urlencode(asked)}")
    replayed(watched, words)


@pytest.mark.parametrize(("hour", "path", "words"), SHOWN)
def test_the_plain_view_shows_what_is_confirmed(
    watched: Watched, confirmed: World, hour: float, path: str, words: str
) -> None:
    watched.page.goto(f"{confirmed.base}/web/{stamped(hour, path)}")
    assert watched.page.frame_locator("iframe").get_by_role("heading", name=words).is_visible()

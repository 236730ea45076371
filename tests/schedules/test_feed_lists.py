"""Lists of feeds come in parts, on the page and in the API; the whole list keeps its form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.testclient import TestClient

from archive.archive import Archive
from archive.settings import ArchiveSettings
from archive.web.settings import WebSettings
from crawler.frontier.frontier import Frontier
from schedules.runs import Runs
from schedules.web.app import Web
from schedules.web.feed_pages import SHOWN

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def served(home: Path, feeds: int) -> TestClient:
    """The web app of an archive with some subscriptions."""
    settings = ArchiveSettings(home=home)
    archive, frontier = Archive.open(settings), Frontier.open(settings.database)
    for number in range(feeds):
        frontier.subscribe(f"http://blog{number}.example/feed", seed=None, now=T0 + timedelta(seconds=number % 7))
    web = Web(archive, frontier, Runs.open(settings.database), health=dict, nudge=lambda: None)
    return TestClient(web.application(WebSettings(), local=True), base_url="http://127.0.0.1")


def test_the_api_gives_all_feeds_or_parts_with_links(tmp_path: Path) -> None:
    client = served(tmp_path, 25)
    whole = client.get("/api/feeds").json()
    assert len(whole) == len({one["url"] for one in whole}) == 25
    assert whole[0]["alarms"] == whole[0]["refused"] == []
    found, link = [], "/api/feeds?limit=10"
    while link:
        part = client.get(link)
        found += part.json()
        link = part.links.get("next", {}).get("url", "")
    assert found == whole
    assert client.get("/api/feeds?limit=0").status_code == 422
    assert served(tmp_path / "none", 0).get("/api/feeds").json() == []


def test_the_page_of_feeds_leads_through_all_of_them(tmp_path: Path) -> None:
    client = served(tmp_path, SHOWN + 5)
    first = client.get("/feeds").text
    assert f"{SHOWN + 5} subscriptions, 0 with problems" in first
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = client.get(following[1]).text
    shown = [set(re.findall(r"http://blog\d+\.example/feed", text)) for text in (first, second)]
    assert [len(some) for some in shown] == [SHOWN, 5]
    assert not shown[0] & shown[1]
    assert 'rel="next"' not in second
    assert client.get("/feeds?after=nonsense").status_code == 200

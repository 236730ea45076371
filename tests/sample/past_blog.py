"""A blog over some days: posts that come, are edited, return to what they were, vanish, and are found late."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sample.archives import HTML, at, capture, keep

from archive.archive import Archive
from archive.extract.text import Text
from archive.warc.capture import Capture

HOST = "blog.example"
ROOT = f"http://{HOST}"
EDITED, GONE, LATE, OTHER_NAME, FEED_ONLY = (
    f"{ROOT}/2026/edited.html",
    f"{ROOT}/gone",
    f"{ROOT}/late?p=7&x=a b",
    f"http://www.{HOST}/other-name",
    f"{ROOT}/feed#17",
)
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 9
FRONT = b'<link rel="alternate" type="application/rss+xml" href="/feed"><p>front</p>'
TRAP = "[press](<javascript:alert(1)>) <script>alert(1)</script> ![x](<data:image/png;base64,AA>)"


def text(url: str, words: str, *, day: int | None = None, title: str | None = None, **more: Any) -> Text:
    published = datetime(2026, 4, day, 8, 0, tzinfo=UTC) if day else None
    fields = {"markdown": words, "title": title, "published": published, "extractor": {"name": "t"}, **more}
    return Text(url=url, text=words, **fields)


def page(hours: float, url: str, words: str) -> Capture:
    return capture(hours, f"<p>{words}</p>".encode(), url=url)


def make(archive: Archive) -> None:
    """At 0 h the first post is seen; it is edited at 10 h and back as it was at 20 h. One is gone from 15 h on, by the
    ledger that a test keeps; one is dated early and found at 30 h."""
    first = f"First words. [Gone]({GONE}) [elsewhere](http://other.example/x) ![A mole]({ROOT}/mole.png)"
    again = f"Other words. ![A mole]({ROOT}/mole.png) ![Never held]({ROOT}/never.png) {TRAP}"
    edited = {"day": 20, "title": "Edited <b>post</b>", "author": "Ada"}
    keep(
        archive,
        (page(0, EDITED, first), text(EDITED, first, **edited)),
        (page(10, EDITED, again), text(EDITED, again, **{**edited, "title": "A new title"})),
        (page(20, EDITED, first), text(EDITED, first, **edited)),
        (page(5, GONE, "gone"), text(GONE, f"Soon gone, see [it]({EDITED}).", day=22, title="Soon gone")),
        (page(30, LATE, "late"), text(LATE, "Found late.", day=21, title="Found late")),
        (page(2, OTHER_NAME, "other"), text(OTHER_NAME, "Under the other name.", title="No date")),
        (capture(1, b"<rss/>", url=f"{ROOT}/feed", headers=b"Content-Type: application/rss+xml\r\n"),
         text(FEED_ONLY, "Only in the feed.", day=19, title="Only in the feed", own=True, source="feed")),
        capture(1, FRONT, url=f"{ROOT}/", headers=HTML),
        capture(6, PNG, url=f"{ROOT}/mole.png", headers=b"Content-Type: image/png\r\n"),
    )  # fmt: skip


def moment(hours: float) -> str:
    return f"{at(hours):%Y%m%d%H%M%S}"

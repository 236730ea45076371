"""Visits as tests write them down: flat arguments, put together to the values that the rules take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from archive.index.schema import CaptureRow
from crawler.decide.feed import Reading, after_feed
from crawler.decide.page import after_page
from crawler.model.answer import Answer
from crawler.model.visits import Feed, FeedVisit, Page, PageVisit

_ROW = CaptureRow(
    record="r",
    url="http://blog.example/post",
    date=datetime.fromisoformat("2026-01-01T00:00:00Z"),
    status=200,
    mime="text/html",
    digest="sha1:A",
    kind="response",
    refers_to=None,
    truncated=None,
    object="warc/a",
    offset=0,
    length=1,
)


def feed_visit(
    feed: Feed,
    *,
    at: datetime,
    status: int | None,
    headers: Mapping[str, str] | None = None,
    moved_to: str | None = None,
    pace: Any,
    error: str | None = None,
    chance: float = 0.0,
    **read: Any,
) -> FeedVisit:
    """`after_feed` of an answer with these headers; `read` are fields of Reading."""
    answer = Answer(
        at=at,
        status=status,
        headers=headers or {},
        asked=feed.url,
        url=moved_to or feed.url,
        lasting_url=moved_to or feed.url,
    )
    return after_feed(feed, answer, Reading(**read), pace=pace, error=error, chance=chance)


def page_visit(
    page: Page,
    *,
    at: datetime,
    status: int | None,
    etag: str | None = None,
    last_modified: str | None = None,
    record: str | None = None,
    **rules: Any,
) -> PageVisit:
    """`after_page` of an answer with these validators; `rules` are its other arguments."""
    stated = {"etag": etag, "last-modified": last_modified}
    answer = Answer(
        at=at,
        status=status,
        headers={name: value for name, value in stated.items() if value},
        row=replace(_ROW, record=record) if record else None,
    )
    return after_page(page, answer, **rules)

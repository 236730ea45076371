"""JSON form and state of a subscription, for the command line and the web. Pure, no I/O."""

from __future__ import annotations

from http import HTTPStatus

from archive.runtime.times import iso
from crawler.model.visits import Feed


def state(feed: Feed) -> str:
    """State of a subscription: `new`, `ok`, `failing`, `gone`, `paused`, or `refused`: no post it shows can be had."""
    if feed.paused:
        return "paused"
    if feed.status == HTTPStatus.GONE:
        return "gone"
    if feed.error:
        return "failing"
    if feed.barred:
        return "refused"
    return "ok" if feed.visited else "new"


def feed_as_json(feed: Feed) -> dict[str, object]:
    """JSON form of a subscription."""
    return {
        "url": feed.url,
        "title": feed.title,
        "site": feed.site,
        "state": state(feed),
        "status": feed.status,
        "error": feed.error,
        "failures": feed.failures,
        "added": iso(feed.added),
        "last_visit": iso(feed.visited) if feed.visited else None,
        "last_news": iso(feed.news) if feed.news else None,
        "entries_shown": feed.shown,
        "next_visit": None if feed.paused else iso(feed.due),
        "posts_kept": feed.kept,
        "posts_refused": feed.refused,
        "restless": feed.restless,
        "name": feed.name,
        "folder": feed.folder,
        "listing": feed.listing,
        "certificate_verified": not feed.unverified,
    }

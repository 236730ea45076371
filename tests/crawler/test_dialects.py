"""Dialects of feeds: one row is all that parser, sniffing, discovery and content negotiation need. No I/O."""

from __future__ import annotations

import pytest

from crawler import discover
from crawler.errors import FeedError
from crawler.feeds import accept_header, dialects, is_meant_as_feed, parse
from crawler.feeds.dialects import Dialect
from crawler.feeds.model import FeedEntry, FeedInfo, ParsedFeed

URL = "http://blog.example/"
TOY = b"%TOY 1\nTitle\na One\nb Two\n"
PAGE = b"<link rel=alternate type=text/x-toy href=/toy><link rel=alternate type=text/x-list href=/list><p>Hello"


def _parse(body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
    _, title, *lines = body.decode().splitlines()
    entries = (line.split(" ", 1) for line in lines)
    return ParsedFeed(
        feed=FeedInfo(title=title),
        entries=tuple(FeedEntry(id=name, link=url + name, title=words) for name, words in entries),
    )


ROW = Dialect(
    name="Toy",
    sniff=lambda start: start.startswith(b"%TOY"),
    is_meant=lambda start: start.startswith(b"%TOY 1"),
    link_types=frozenset({"text/x-toy"}),
    generic_link_types=frozenset({"text/x-list"}),
    accept=("text/x-toy", "text/x-list;q=0.95"),
    parse=_parse,
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "DIALECTS", (ROW, *dialects.DIALECTS))


def test_without_its_row_a_dialect_is_unknown() -> None:
    with pytest.raises(FeedError, match="is not a feed"):
        parse(TOY, url=URL, content_type=None)
    assert not is_meant_as_feed(TOY)
    assert discover.feeds(PAGE, url=URL, headers={}) == []
    assert b"x-toy" not in accept_header()


@pytest.mark.usefixtures("toy")
def test_with_its_row_a_dialect_is_parsed_and_sanitized() -> None:
    parsed = parse(TOY.replace(b"One", b"O\0ne"), url=URL, content_type="text/plain")
    assert parsed.feed.words == "Title"
    assert [(entry.id, entry.words) for entry in parsed.entries] == [("a", "One"), ("b", "Two")]
    assert all(entry.essence for entry in parsed.entries)


@pytest.mark.usefixtures("toy")
def test_with_its_row_a_dialect_is_recognised_discovered_and_accepted() -> None:
    assert is_meant_as_feed(TOY)
    assert discover.feeds(PAGE, url=URL, headers={}) == [f"{URL}toy"]  # text/x-list may be anything
    assert discover.feeds(PAGE.replace(b"/list", b"/list.rss"), url=URL, headers={}) == [f"{URL}toy", f"{URL}list.rss"]
    link = {"Link": "</t>; rel=alternate; type=text/x-toy"}
    assert discover.feeds(b"", url=URL, headers=link) == [f"{URL}t"]
    assert accept_header("text/html") == (
        b"text/html,text/x-toy,application/atom+xml,application/rss+xml,application/feed+json,"
        b"text/x-list;q=0.95,application/xml;q=0.9,*/*;q=0.8"
    )


def test_all_dialects_are_asked_for() -> None:
    assert accept_header() == (
        b"application/atom+xml,application/rss+xml,application/feed+json,application/xml;q=0.9,*/*;q=0.8"
    )


def test_rows_have_names_and_types_of_their_own() -> None:
    names = [one.name for one in dialects.DIALECTS]
    types = [media for one in dialects.DIALECTS for media in (*one.link_types, *one.generic_link_types)]
    assert len(set(names)) == len(names)
    assert len(set(types)) == len(types)

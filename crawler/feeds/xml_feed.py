"""RSS, RDF and Atom, parsed by feedparser after the document is repaired. No I/O."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from crawler.errors import FeedError
from crawler.feeds import feedparser_adapter
from crawler.feeds.dates import parse_date
from crawler.feeds.fields import WEB_URL, date_text, escaped, link_of, stripped, web_link
from crawler.feeds.model import Enclosure, FeedEntry, FeedInfo, ParsedFeed
from crawler.feeds.repair import repair
from crawler.limits import FEED_ENTRIES

_NUMBER = re.compile(r"[0-9]{1,6}")
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_SKIP_HOURS = re.compile(rb"<skipHours>([^&]{0,2000}?)</skipHours>", re.IGNORECASE)
_HOUR = re.compile(rb"<hour>\s*([0-9]{1,2})\s*</hour>", re.IGNORECASE)
_SKIP_DAYS = re.compile(rb"<skipDays>([^&]{0,2000}?)</skipDays>", re.IGNORECASE)
_DAY = re.compile(rb"<day>\s*([A-Za-z]{6,9})\s*</day>", re.IGNORECASE)
_UNBOUND = re.compile(rb"<(/?)rss:(?=[a-zA-Z])")
"""RSS elements under a prefix that some feeds use without declaring it."""
_FEED_ROOT = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf)[\s>]", re.IGNORECASE)


def sniff(start: bytes) -> bool:
    """Whether a document may be XML or HTML, from its first bytes: feedparser finds a feed in either."""
    return b"<" in start and not start.startswith(b"{")


def is_meant(start: bytes) -> bool:
    """Whether a document has the root element of a feed, readable or not."""
    return _FEED_ROOT.search(start) is not None


def parse(body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
    """Parse an RSS, RDF or Atom document; only the charset of `content_type` counts.

    Raises:
        FeedError: It is not a feed.
    """
    repaired = repair(body)
    try:
        found = feedparser_adapter.parse(repaired.body, url=url, content_type=content_type)
    except FeedError:
        if not content_type:
            raise
        # The stated charset may not exist.
        found = feedparser_adapter.parse(repaired.body, url=url, content_type=None)
    if not found.entries and _UNBOUND.search(repaired.body):
        again = parse(_UNBOUND.sub(rb"<\1", repaired.body), url=url, content_type=content_type)
        return replace(again, left_out=again.left_out + repaired.left_out)
    if not found.get("version") and not found.entries:
        raise FeedError("is not a feed", url=url)
    feed = found.feed
    return ParsedFeed(
        feed=FeedInfo(
            title=_markup(feed, "title", found.version),
            link=link_of(_page_of(feed), url),
            id=stripped(feed.get("id")),
            subtitle=_markup(feed, "subtitle", found.version)
            or stripped(feed.get("summary"))
            or stripped(feed.get("itunes_subtitle")),
            author=_author(feed),
            language=stripped(feed.get("language")),
            updated=_date(feed, "updated"),
            every=_every(feed),
            skip_hours=frozenset(int(hour) for hour in _skipped(repaired.body, _SKIP_HOURS, _HOUR)),
            skip_days=frozenset(day.decode() for day in _skipped(repaired.body, _SKIP_DAYS, _DAY)),
            self_link=_related(feed, "self", url),
            hub=_related(feed, "hub", url),
            prev_archive=_related(feed, "prev-archive", url),
            next_page=_related(feed, "next", url),
            is_all="fh_complete" in feed,
            total=_number(feed.get("opensearch_totalresults")),
            generator=stripped(feed.get("generator")),
        ),
        entries=tuple(_entry(entry, url, found.version) for entry in found.entries[:FEED_ENTRIES]),
        complete=repaired.complete,
        left_out=repaired.left_out + max(0, len(found.entries) - FEED_ENTRIES),
    )


def _related(feed: Any, rel: str, url: str) -> str | None:  # noqa: ANN401  feedparser's dict
    """Target of a feed's link with that relation."""
    found = next((one["href"] for one in feed.get("links", ()) if one.get("rel") == rel and one.get("href")), None)
    return web_link(found, url)


def _number(value: object) -> int | None:
    text = str(value or "").strip()
    return int(text) if _NUMBER.fullmatch(text) else None


def _every(feed: Any) -> timedelta | None:  # noqa: ANN401  feedparser's dict
    """`ttl` is in minutes (RSS 2.0); a frequency divides its period (mod_syndication)."""
    hints = []
    ttl = str(feed.get("ttl", "")).strip()
    if _NUMBER.fullmatch(ttl):
        hints.append(timedelta(minutes=int(ttl)))
    period = str(feed.get("sy_updateperiod", "")).strip().lower()
    frequency = str(feed.get("sy_updatefrequency", "")).strip()
    if period in _PERIODS or frequency:
        times = int(frequency) if _NUMBER.fullmatch(frequency) else 1
        hints.append(_PERIODS.get(period, _PERIODS["daily"]) / max(times, 1))
    return max(hints, default=None)


def _skipped(body: bytes, where: re.Pattern[bytes], what: re.Pattern[bytes]) -> list[bytes]:
    """The content of `skipHours` or `skipDays`, of which feedparser keeps only the last element."""
    found = where.search(body)
    return what.findall(found[1]) if found else []


def _entry(entry: Any, url: str, version: str) -> FeedEntry:  # noqa: ANN401  feedparser's dict
    contents = [part.get("value") for part in entry.get("content", ()) if part.get("value")]
    return FeedEntry(
        id=stripped(entry.get("id")) or stripped(entry.get("dc_identifier")),
        link=link_of(_page_of(entry) or entry.get("permalink"), url),
        original=web_link(entry.get("feedburner_origlink") or entry.get("pheedo_origlink"), url),
        related=_related(entry, "related", url),
        title=_markup(entry, "title", version),
        author=_author(entry),
        summary=stripped(entry.get("summary")),
        content=max(contents, key=len, default=None),
        published=_date(entry, "published") or _date(entry, "created"),
        updated=_date(entry, "updated"),
        published_raw=_raw_date(entry, "published") or _raw_date(entry, "created"),
        updated_raw=_raw_date(entry, "updated"),
        tags=tuple(tag["term"] for tag in entry.get("tags", ()) if tag.get("term")),
        enclosures=tuple(
            Enclosure(url=found["href"], type=found.get("type"), length=found.get("length"))
            for found in entry.get("enclosures", ())
            if found.get("href")
        ),
    )


def _author(found: Any) -> str | None:  # noqa: ANN401  feedparser's dict
    names = [author["name"].strip() for author in found.get("authors", ()) if author.get("name")]
    return ", ".join(dict.fromkeys(names)) or stripped(found.get("author"))


def _date(found: Any, name: str) -> datetime | None:  # noqa: ANN401  feedparser's dict
    """A date as the feed states it; feedparser would substitute the date of publication for `updated`."""
    value = dict.get(found, name)
    return parse_date(value) if isinstance(value, str) else None


def _raw_date(found: Any, name: str) -> str | None:  # noqa: ANN401  feedparser's dict
    return date_text(dict.get(found, name))


def _page_of(found: Any) -> str | None:  # noqa: ANN401  feedparser's dict
    """The link to a page: the one that the feed states, else the first to an HTML page."""
    links = [one for one in found.get("links", ()) if one.get("href")]
    stated = found.get("link")
    if stated and WEB_URL.match(link_of(stated, "http://relative/") or ""):
        return str(stated)
    named = [one["href"] for one in links if one.get("rel", "alternate") == "alternate"]
    named += [one["href"] for one in links if one.get("rel") == "self"]
    return next((str(href) for href in named if WEB_URL.match(href)), stripped(stated))


def _markup(found: Any, name: str, version: str) -> str | None:  # noqa: ANN401  feedparser's dict
    """A title or subtitle as markup; a plain-text construct of Atom 1.0 is escaped (RFC 4287 §3.1.1.1)."""
    value = stripped(found.get(name))
    is_text = version == "atom10" and found.get(f"{name}_detail", {}).get("type") == "text/plain"
    return escaped(value) if is_text else value

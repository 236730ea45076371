"""RSS, RDF and Atom: what feedparser finds in a document, as entries. No I/O."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from crawler.errors import FeedError
from crawler.feeds import authors
from crawler.feeds.cdata import closed as closed_sections
from crawler.feeds.cdata import unwrapped
from crawler.feeds.charset import in_utf8
from crawler.feeds.dates import parse_date
from crawler.feeds.fields import WEB_URL, date_text, link_of, stripped, web_link
from crawler.feeds.layout import layout
from crawler.feeds.links import alternate, is_elsewhere
from crawler.feeds.model import Enclosure, FeedEntry, FeedInfo, ParsedFeed
from crawler.feeds.relative import resolved
from crawler.feeds.titles import as_markup, as_text
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
_BARE_ROOTS = frozenset({"channel"})
"""Root elements of feeds whose version nothing states: CDF."""
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
    from crawler.feeds.reading import read  # with feedparser: whoever only sniffs a document does not load it

    document = layout(closed_sections(in_utf8(body, content_type)))
    found, entries = read(document, url=url)
    feed, version = found.feed, found.version
    language = stripped(feed.get("language"))
    page = link_of(_page_of(feed, version, language), url)
    base = url
    if is_elsewhere(page, url) and not document.has_base:
        base = page or url
        _, entries = read(document, url=base)
    shared = authors.of_feed(feed)
    of_all = _related(feed, "license", url)
    made = (_entry(one, base=base, version=version, language=language, shared=shared, of_all=of_all) for one in entries)
    first = tuple(islice(made, FEED_ENTRIES))
    left_out = len(document.left_out) + sum(1 for _ in entries)
    if not version and not first and found.root not in _BARE_ROOTS:
        raise FeedError("is not a feed", url=url)
    frame = document.frame
    return ParsedFeed(
        feed=FeedInfo(
            title=_title(feed, "title", version),
            link=page,
            id=stripped(feed.get("id")),
            subtitle=_title(feed, "subtitle", version)
            or stripped(feed.get("summary"))
            or stripped(feed.get("itunes_subtitle")),
            author=authors.of(feed),
            language=language,
            updated=_date(feed, "updated"),
            every=_every(feed),
            skip_hours=frozenset(int(hour) for hour in _skipped(frame, _SKIP_HOURS, _HOUR)),
            skip_days=frozenset(day.decode() for day in _skipped(frame, _SKIP_DAYS, _DAY)),
            self_link=_related(feed, "self", url),
            hub=_related(feed, "hub", url),
            prev_archive=_related(feed, "prev-archive", url),
            next_page=_related(feed, "next", url),
            is_all="fh_complete" in feed,
            total=_number(feed.get("opensearch_totalresults")),
            generator=stripped(feed.get("generator")),
        ),
        entries=first,
        complete=document.complete,
        left_out=left_out,
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


def _entry(
    entry: Any,  # noqa: ANN401  feedparser's dict
    *,
    base: str,
    version: str,
    language: str | None,
    shared: authors.Shared,
    of_all: str | None,
) -> FeedEntry:
    contents = [(part["value"], _markup(part["value"], part)) for part in entry.get("content", ()) if part.get("value")]
    content = max((markup for _, markup in contents), key=len, default=None)
    stated = entry.get("summary")
    copied = next((markup for value, markup in contents if value == stated), None)  # feedparser copies it
    summary = copied or _markup(stated or "", entry.get("summary_detail") or {})
    author, is_shared = authors.of_entry(entry, shared, base=base, version=version)
    return FeedEntry(
        id=stripped(entry.get("id")) or stripped(entry.get("dc_identifier")),
        link=link_of(_page_of(entry, version, entry.get("xml_lang") or language) or entry.get("permalink"), base),
        original=web_link(entry.get("feedburner_origlink") or entry.get("pheedo_origlink"), base),
        related=_related(entry, "related", base),
        license=_related(entry, "license", base) or of_all,
        title=_title(entry, "title", version),
        author=author,
        is_shared_author=is_shared,
        summary=stripped(summary),
        content=content,
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


def _date(found: Any, name: str) -> datetime | None:  # noqa: ANN401  feedparser's dict
    """A date as the feed states it; feedparser would substitute the date of publication for `updated`."""
    value = dict.get(found, name)
    return parse_date(value) if isinstance(value, str) else None


def _raw_date(found: Any, name: str) -> str | None:  # noqa: ANN401  feedparser's dict
    return date_text(dict.get(found, name))


def _page_of(found: Any, version: str, language: str | None) -> str | None:  # noqa: ANN401  feedparser's dict
    """The link to a page: the one that the feed states, else the first to an HTML page."""
    links = [one for one in found.get("links", ()) if one.get("href")]
    pages = [one for one in links if one.get("rel", "alternate") == "alternate"]
    stated = found.get("link")
    if version.startswith("atom") and (page := alternate((one for one in pages if _is_html(one)), language)):
        stated = page
    if stated and WEB_URL.match(link_of(stated, "http://relative/") or ""):
        return str(stated)
    named = [one["href"] for one in (*pages, *(one for one in links if one.get("rel") == "self"))]
    return next((str(href) for href in named if WEB_URL.match(href)), stripped(stated))


def _is_html(link: Any) -> bool:  # noqa: ANN401  feedparser's dict
    return str(link.get("type", "")).partition(";")[0].strip() in {"text/html", "application/xhtml+xml"}


def _title(found: Any, name: str, version: str) -> str | None:  # noqa: ANN401  feedparser's dict
    """A title or subtitle as markup; a plain-text construct of Atom 1.0 is escaped (RFC 4287 §3.1.1.1)."""
    value = stripped(found.get(name))
    if not value or "<" not in value:
        return value
    detail = found.get(f"{name}_detail") or {}
    kind = detail.get("type") if version.startswith("atom") else None
    bare = unwrapped(value).strip()
    if kind == "text/plain" and version == "atom10" and bare == value:
        return as_text(bare)
    markup = bare if kind == "application/xhtml+xml" else as_markup(bare, is_html=kind == "text/html")
    return resolved(markup, detail.get("base") or "") or None


def _markup(value: str, detail: Any) -> str:  # noqa: ANN401  feedparser's dict
    """A text construct as markup with absolute links."""
    return resolved(unwrapped(value), detail.get("base") or "") if "<" in value else value

"""Feeds: RSS, RDF, Atom and JSON Feed to one form; the home of the feed parser. No I/O.

Ids are kept verbatim, content is not sanitised, a date that cannot be read is None.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from feedparser.mixin import _FeedParserMixin
from lxml import html as lxml_html
from lxml.etree import LxmlError

from archive.limits import ENTRY_CHARACTERS, FIELD_CHARACTERS, URL_CHARACTERS
from crawler.errors import FeedError
from crawler.feeds.dates import parse_date
from crawler.limits import DATE_CHARACTERS, FEED_CHARACTERS, FEED_ENTRIES, TAG_CHARACTERS, TAGS
from crawler.net.credentials import bare

_SNIFF_BYTES = 4_096
_KNOWN_VERSION = re.compile(r"(https?://)?(www\.)?jsonfeed\.org/version/|1(\.|$)")
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
"""Elements of RSS under a prefix that some feeds use and declare nowhere."""
_WEB = re.compile(r"https?://", re.IGNORECASE)
_ANY_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_ADDRESS = re.compile(r"""\b(?:href|src)\s*=\s*["']?(?:https?:)?([^"'\s>?#]*)""", re.IGNORECASE)
_IMAGE = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_COUNTS = re.compile(r"""\b(?:width|height)\s*=\s*["']?[01]\b|/_/stat\b|/pixel|/beacon|tracker\.""", re.IGNORECASE)
"""What tells an image that counts readers."""
_UNSEEN = re.compile(
    r"<!--(?:-?>|.*?(?:-->|\Z))|<script\b.*?(?:</script\s*>|\Z)|<style\b.*?(?:</style\s*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
"""What no reader sees. Without an end it lasts to the end of the text, as in a browser: each match is one pass."""
_OPENED = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_DATED = re.compile(rb"<(?:\w+:)?(?:pubDate|published|updated|date|issued)\b[^<>]*>\s*([^<>]{4,80})<", re.IGNORECASE)
_FEED_ROOT = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf)[\s>]", re.IGNORECASE)
_KNOWN_JSON = re.compile(rb"""^\s*\{[^{}]{0,500}"version"\s*:\s*"https?:\\?/\\?/(?:www\.)?jsonfeed\.org""")
_CLOSED = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
_ENDED = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf|channel)\s*>|<(?:\w+:)?(?:rss|feed|rdf)\b[^<>]*/>", re.IGNORECASE)
_RDF = re.compile(rb"<(?:\w+:)?rdf[\s>]", re.IGNORECASE)
_RDF_ENDED = re.compile(rb"</(?:\w+:)?rdf\s*>", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
_REFERENCES = re.compile(rb"(?:&#(?:[xX][0-9a-fA-F]+|[0-9]+);?)+")
"""Character references in a row: two of them may be the halves of a surrogate pair."""
_NO_CHARACTER = 0xFFFD
_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_REFERENCE_DIGITS = 16
_INT_DIGITS = 1_000
"""Longer numbers in JSON stay text: Python reads none of more than 4300 digits."""
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""How a document begins of which each character takes several bytes (XML 1.0 appendix F); the longer ones first."""
_KEY_CHARACTERS = 500
"""Of an entry without a name so much of its text names it."""
_WIDE_CHARSET = re.compile(
    rb"""^(<\?xml[^>]{0,200}?)\s+encoding\s*=\s*["'](?:utf-?(?:16|32)[a-z-]*|ucs-?[24])["']""", re.IGNORECASE
)
_LEAF_NAMES = ("title", "link", "guid", "pubDate", "id", "updated", "published")
_WHOLES = (b"item", b"entry", b"description", b"summary", b"content")
_LEAVES = tuple(
    (
        re.compile(rb"<%b(?:\s[^<>]*)?(?<!/)>" % name.encode(), re.IGNORECASE),
        re.compile(rb"</%b\s*>" % name.encode(), re.IGNORECASE),
    )
    for name in _LEAF_NAMES
)
_LEAF_MARKS = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<(?P<end>/?)(?P<name>%b)(?:\s[^<>]*)?(?<!/)>"
    % b"|".join([*(name.encode() for name in _LEAF_NAMES), *_WHOLES]),
    re.IGNORECASE | re.DOTALL,
)
_CDATA, _CDATA_END = b"<![CDATA[", b"]]>"

# feedparser has no options for these, so that its element handlers are set here.
# An id is a name, not an address: it must not change with the place where the feed lies (RFC 4287 §4.2.6).
_FeedParserMixin.can_be_relative_uri = _FeedParserMixin.can_be_relative_uri - {"id"}
# A podcast's short line is not what the feed says in its description.
_FeedParserMixin._start_itunes_subtitle = lambda self, _attributes: self.push("itunes_subtitle", 1)  # noqa: SLF001
_FeedParserMixin._end_itunes_subtitle = lambda self: self.pop("itunes_subtitle")  # noqa: SLF001
# RFC 5005 §2 under any prefix.
_FeedParserMixin.namespaces = {**_FeedParserMixin.namespaces, "http://purl.org/syndication/history/1.0": "fh"}


def _start_guid(parser: Any, attributes: dict[str, str]) -> None:  # noqa: ANN401
    """A relative id is the post's address only if the feed says so: many are mere names."""
    parser.permalink_told = attributes.get("ispermalink") == "true"
    _feedparser_guid(parser, attributes)


def _end_guid(parser: Any) -> None:  # noqa: ANN401  feedparser's handlers have no types
    """An id that is a page's URL is its link where there is none, unless it says that it is not (RSS 2.0)."""
    value = parser.pop("id")
    if parser.guidislink and value and (_WEB.match(value) or (parser.permalink_told and not _ANY_SCHEME.match(value))):
        parser._save("link", value)  # noqa: SLF001
        parser._save("permalink", value)  # noqa: SLF001


def _start_enclosure(parser: Any, attributes: dict[str, str]) -> None:  # noqa: ANN401
    """Files lie where the feed's base says, as its links do (XML Base)."""
    found = parser._enforce_href(attributes)  # noqa: SLF001
    href = found.get("href", "").strip()
    if href and not _WEB.match(href):
        found["href"] = parser.resolve_uri(href) or href
    _feedparser_enclosure(parser, found)


_feedparser_enclosure = _FeedParserMixin._start_enclosure  # noqa: SLF001
_FeedParserMixin._start_enclosure = _start_enclosure  # noqa: SLF001
_feedparser_guid = _FeedParserMixin._start_guid  # noqa: SLF001
_FeedParserMixin._start_guid = _FeedParserMixin._start_id = _start_guid  # noqa: SLF001
_FeedParserMixin._end_guid = _FeedParserMixin._end_id = _end_guid  # noqa: SLF001


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that goes with an entry."""

    url: str
    type: str | None = None
    length: str | None = None
    """As the feed states it, in bytes; not checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry (an RSS item) of a feed."""

    id: str | None = None
    """guid, atom:id, JSON id or rdf:about, verbatim but for white space around it."""
    link: str | None = None
    """URL of the post's page, absolute where the feed's own URL is known."""
    original: str | None = None
    """The page itself, where `link` is a service's address that counts readers (FeedBurner, Pheedo)."""
    related: str | None = None
    """What the entry says it is about or belongs to: where a blog of links links to what it found, its own page."""
    title: str | None = None
    """Markup, not sanitised; `plain` gives its words."""
    author: str | None = None
    """Several names are joined with `, `."""
    summary: str | None = None
    """Markup, not sanitised."""
    content: str | None = None
    """Markup, not sanitised; None if the feed gives a summary at most."""
    published: datetime | None = None
    """Aware, UTC; None if absent or unreadable."""
    updated: datetime | None = None
    """Aware, UTC; None if absent or unreadable."""
    published_raw: str | None = None
    """The date of publication as the feed writes it."""
    updated_raw: str | None = None
    """The date of the last change as the feed writes it."""
    tags: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    words: str | None = None
    """`plain` of the title, where it was made with the rest."""
    essence: str | None = None
    """`digest`, where it was made with the rest."""

    @property
    def page(self) -> str | None:
        """URL of the post's page, without a detour over a service that counts readers."""
        return self.original or self.link

    @property
    def named_by(self) -> str | None:
        """What `key` was made of: `id`, `link` or `content`; None if the entry says nothing at all."""
        rungs = {"id": self.id, "link": self.link, "content": self._beginning}
        return next((rung for rung, value in rungs.items() if value), None)

    @property
    def key(self) -> str | None:
        """SHA-256 of what tells this entry from the feed's others; None if it says nothing at all.

        That is its id, else its link, else title, date of publication and how its text begins.
        """
        known = self.id or self.link or self._beginning
        # A blog that moves to https changes all ids that are addresses, and none of its posts.
        return hashlib.sha256(_SCHEME.sub("//", known).encode()).hexdigest() if known else None

    @property
    def _beginning(self) -> str | None:
        text = (self.content or self.summary or "")[:_KEY_CHARACTERS]
        published = self.published.isoformat() if self.published else ""
        return json.dumps([self.title or "", published, text]) if self.title or published or text else None

    @property
    def digest(self) -> str:
        """SHA-256 of what the feed says of this post; another one means that the post was edited.

        Only words that are seen and addresses count: markup, scripts, styles, comments, queries of addresses and pixels
        that count readers change by themselves.
        """
        if self.essence is not None:
            return self.essence
        link = _SCHEME.sub("//", self.link or "")
        said = (link, _essence(self.title), _essence(self.summary), _essence(self.content), str(self.updated))
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedInfo:
    """What a feed says of itself."""

    title: str | None = None
    """Markup, not sanitised; `plain` gives its words."""
    link: str | None = None
    id: str | None = None
    subtitle: str | None = None
    author: str | None = None
    language: str | None = None
    updated: datetime | None = None
    every: timedelta | None = None
    """How often it asks to be visited at most: `ttl`, `sy:updatePeriod` with `sy:updateFrequency`."""
    skip_hours: frozenset[int] = frozenset()
    """Hours of the day (GMT) in which it has no news."""
    skip_days: frozenset[str] = frozenset()
    """English names of days on which it has no news."""
    self_link: str | None = None
    """What it calls its own URL: a hint, never where it is asked for."""
    hub: str | None = None
    """WebSub hub that it names."""
    prev_archive: str | None = None
    """Document with older entries that does not change any more (RFC 5005 §4)."""
    next_page: str | None = None
    """Document with older entries: RFC 5005 `next`, JSON Feed `next_url`."""
    is_all: bool = False
    """It has every entry there is (RFC 5005 §2)."""
    total: int | None = None
    """Entries that it says there are (OpenSearch)."""
    generator: str | None = None
    """Software that it says made it."""
    words: str | None = None
    """`plain` of the title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed document."""

    feed: FeedInfo
    entries: tuple[FeedEntry, ...]
    """In document order; at most FEED_ENTRIES, the newest."""
    complete: bool = True
    """The document came whole: it ends where a feed ends. An entry that was cut is not among `entries`."""
    left_out: int = 0
    """Entries beyond FEED_ENTRIES."""


def parse(body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
    """Read a feed document.

    Args:
        body: The document, content coding removed.
        url: Base of relative links; empty leaves them as they are.
        content_type: Of the response; only its charset counts, the format is told from the bytes.

    Raises:
        FeedError: It is no feed.
    """
    found = _parsed(body, url, content_type)
    about = replace(found.feed, **_sane_fields(found.feed))
    return replace(found, feed=replace(about, words=_heading(about.title)), entries=tuple(settled(found.entries)))


def _parsed(body: bytes, url: str, content_type: str | None) -> ParsedFeed:
    start = body[:_SNIFF_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        return _json_feed(body, url)
    if b"<" not in start:
        raise FeedError("is no feed", url=url)
    headers = {"content-type": content_type} if content_type else {}
    if url:
        headers["content-location"] = url
    body, left_out = _newest(_narrow(body))
    body, complete = _whole(_closed(_with_ends(_REFERENCES.sub(_mended, body))))
    try:
        found = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=True
        )
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError, ArithmeticError) as e:
        if content_type:
            return _parsed(body, url, None)  # perhaps its charset is none
        raise FeedError(f"cannot be read: {type(e).__name__}", url=url) from e  # what feedparser stumbles over
    if not found.entries and _UNBOUND.search(body):
        return _parsed(_UNBOUND.sub(rb"<\1", body), url, content_type)
    if not found.get("version") and not found.entries:
        raise FeedError("is no feed", url=url)
    feed = found.feed
    return ParsedFeed(
        feed=FeedInfo(
            title=_markup(feed, "title", found.version),
            link=_link(_page_of(feed), url),
            id=_stripped(feed.get("id")),
            subtitle=_markup(feed, "subtitle", found.version)
            or _stripped(feed.get("summary"))
            or _stripped(feed.get("itunes_subtitle")),
            author=_author(feed),
            language=_stripped(feed.get("language")),
            updated=_date(feed, "updated"),
            every=_every(feed),
            skip_hours=frozenset(int(hour) for hour in _skipped(body, _SKIP_HOURS, _HOUR)),
            skip_days=frozenset(day.decode() for day in _skipped(body, _SKIP_DAYS, _DAY)),
            self_link=_related(feed, "self", url),
            hub=_related(feed, "hub", url),
            prev_archive=_related(feed, "prev-archive", url),
            next_page=_related(feed, "next", url),
            is_all="fh_complete" in feed,
            total=_number(feed.get("opensearch_totalresults")),
            generator=_stripped(feed.get("generator")),
        ),
        entries=tuple(_entry(entry, url, found.version) for entry in found.entries[:FEED_ENTRIES]),
        complete=complete,
        left_out=left_out + max(0, len(found.entries) - FEED_ENTRIES),
    )


def _newest(body: bytes) -> tuple[bytes, int]:
    """The document with its newest FEED_ENTRIES entries alone, and how many were left out.

    Feeds are in the order of time, one way or the other; the dates at both ends tell which.
    """
    opened = [found.start() for found in _OPENED.finditer(body)]
    left_out = len(opened) - FEED_ENTRIES
    if left_out <= 0:
        return body, 0
    closed = 0
    for found in _CLOSED.finditer(body, opened[-1]):
        closed = found.end()
    ends = [*opened[1:], closed or len(body)]
    dates = [
        date
        for at in (0, -1)
        if (told := _DATED.search(body, opened[at], min(ends[at], opened[at] + _SNIFF_BYTES)))
        and (date := parse_date(told[1].decode("utf-8", "replace")))
    ]
    if len(dates) == 2 and dates[0] < dates[1]:  # noqa: PLR2004  both ends
        return body[: opened[0]] + body[opened[left_out] :], left_out
    return body[: opened[FEED_ENTRIES]] + body[ends[-1] :], left_out


def is_meant_as_feed(body: bytes) -> bool:
    """Whether a document begins as a feed does, readable or not."""
    return _FEED_ROOT.search(body[:_SNIFF_BYTES]) is not None or _KNOWN_JSON.search(body[:_SNIFF_BYTES]) is not None


def _whole(body: bytes) -> tuple[bytes, bool]:
    """The document without an entry that is cut off at its end, and whether it is whole."""
    closed = [found.end() for found in _CLOSED.finditer(body)]
    last = closed[-1] if closed else 0
    # The channel of RSS 1.0 ends before its items begin.
    ended = _RDF_ENDED if not closed and _RDF.search(body[:_SNIFF_BYTES]) else _ENDED
    if ended.search(body, last):
        return body, True
    torn = _OPENED.search(body, last)
    return (body[: torn.start()] if torn else body), False


def _narrow(body: bytes) -> bytes:
    """The document in a charset that has ASCII for its marks, which a declaration of UTF-16 or UTF-32 does not deny."""
    charset = next((name for start, name in _WIDE if body.startswith(start)), None)
    if charset is None:
        return _WIDE_CHARSET.sub(rb"\1", body)
    return codecs.BOM_UTF8 + _WIDE_CHARSET.sub(rb"\1", body.decode(charset, "replace").encode())


def _mended(references: re.Match[bytes]) -> bytes:
    """Character references in a row without what no character has: a pair is its character, the rest is U+FFFD."""
    codes = [_code(found[1], found[2]) for found in _REFERENCE.finditer(references[0])]
    if all(code is not None and code not in _SURROGATES for code in codes):
        return references[0]
    text = "".join(chr(_NO_CHARACTER if code is None else code) for code in codes)
    # UTF-16 joins the halves and knows which of them are alone.
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return b"".join(b"&#%d;" % ord(character) for character in text)


def _code(hexadecimal: bytes | None, decimal: bytes | None) -> int | None:
    """The code point that a character reference names; None if there is none of that number."""
    digits = hexadecimal or decimal or b""
    code = int(digits, 16 if hexadecimal else 10) if len(digits) <= _REFERENCE_DIGITS else _LAST_CHARACTER + 1
    return code if code <= _LAST_CHARACTER else None


def _with_ends(body: bytes) -> bytes:
    """The document with an end for each CDATA section that has none before the next one begins."""
    if body.count(_CDATA) <= body.count(_CDATA_END):
        return body
    first, *sections = body.split(_CDATA)
    ended = []
    for section in sections:
        tag = -1 if _CDATA_END in section else section.find(b"</")
        ended.append(section if tag < 0 else section[:tag] + _CDATA_END + section[tag:])
    return _CDATA.join([first, *ended])


def _closed(body: bytes) -> bytes:
    """The document with an end for each title, link, id or date that has none before the next element begins."""
    if not any(len(begin.findall(body)) > len(end.findall(body)) for begin, end in _LEAVES):
        return body
    parts, done, opened = [], 0, b""
    for mark in _LEAF_MARKS.finditer(body):
        name = mark["name"]
        if not name:  # a CDATA section
            continue
        if opened and not (mark["end"] and name.lower() == opened.lower()):
            parts += [body[done : mark.start()], b"</" + opened + b">"]
            done = mark.start()
        opened = b"" if mark["end"] or name.lower() in _WHOLES else name
    return b"".join([*parts, body[done:]])


def _related(feed: Any, rel: str, url: str) -> str | None:  # noqa: ANN401  feedparser's dict
    """Where a feed's link of that relation leads."""
    found = next((one["href"] for one in feed.get("links", ()) if one.get("rel") == rel and one.get("href")), None)
    return _web_link(found, url)


def _web_link(value: str | None, url: str) -> str | None:
    link = _link(value, url)
    return link if link and _WEB.match(link) else None


def _number(value: object) -> int | None:
    text = str(value or "").strip()
    return int(text) if _NUMBER.fullmatch(text) else None


def _essence(markup: str | None) -> str:
    """The words of markup and where its links and images lead."""
    if not markup:
        return ""
    bare = _IMAGE.sub(lambda image: "" if _COUNTS.search(image[0]) else image[0], _UNSEEN.sub(" ", markup))
    return " ".join([*_TAG.sub(" ", bare).split(), *_ADDRESS.findall(bare)])


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
    """What stands in `skipHours` or `skipDays`, of which feedparser keeps the last alone."""
    found = where.search(body)
    return what.findall(found[1]) if found else []


def settled(entries: Iterable[FeedEntry]) -> Iterator[FeedEntry]:
    """Entries without what no database and no UTF-8 file can hold, within limits, and what is to be made of them made.

    Character references bring in the one, internal entities and long bases make the other.
    """
    left = FEED_CHARACTERS
    for entry in entries:
        sane = replace(
            entry,
            **_sane_fields(entry),
            tags=tuple(_sane_text(tag)[:TAG_CHARACTERS] for tag in entry.tags[:TAGS]),
            enclosures=tuple(replace(one, **_sane_fields(one)) for one in entry.enclosures[:TAGS]),
        )
        said = len(sane.content or "") + len(sane.summary or "")
        if said > left:
            sane = replace(sane, content=None, summary=None)
        left -= min(said, left)
        yield replace(sane, words=_heading(sane.title), essence=sane.digest)


_ADDRESSES = frozenset({"link", "original", "related", "self_link", "hub", "prev_archive", "next_page"})
_LENGTHS = {
    "content": ENTRY_CHARACTERS,
    "summary": ENTRY_CHARACTERS,
    "id": URL_CHARACTERS,
    "url": URL_CHARACTERS,
    "title": 10 * FIELD_CHARACTERS,
}
_SHORT = frozenset({"published_raw", "updated_raw", "type", "length", "language"})


def _sane_fields(value: FeedInfo | FeedEntry | Enclosure) -> dict[str, Any]:
    texts = ((name, getattr(value, name)) for name in value.__slots__)
    return {name: _sane_field(name, text) for name, text in texts if isinstance(text, str)}


def _sane_field(name: str, text: str) -> str | None:
    if name in _ADDRESSES:
        return _sane_address(text)
    limit = TAG_CHARACTERS if name in _SHORT else _LENGTHS.get(name, FIELD_CHARACTERS)
    return _sane_text(text)[:limit]


def _sane_address(text: str) -> str | None:
    """An address without control characters, as browsers take it (URL Standard §4.4); None if it is none."""
    url = "".join(c for c in _sane_text(text) if c >= " " and c != "\x7f")
    if len(url) > URL_CHARACTERS:
        return None
    try:
        _ = urlsplit(url).port
    except ValueError:
        return None
    return url


def _sane_text(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _entry(entry: Any, url: str, version: str) -> FeedEntry:  # noqa: ANN401  feedparser's dict
    contents = [part.get("value") for part in entry.get("content", ()) if part.get("value")]
    return FeedEntry(
        id=_stripped(entry.get("id")) or _stripped(entry.get("dc_identifier")),
        link=_link(_page_of(entry) or entry.get("permalink"), url),
        original=_web_link(entry.get("feedburner_origlink") or entry.get("pheedo_origlink"), url),
        related=_related(entry, "related", url),
        title=_markup(entry, "title", version),
        author=_author(entry),
        summary=_stripped(entry.get("summary")),
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


def _json_feed(body: bytes, url: str) -> ParsedFeed:
    """JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1)."""
    try:
        data = json.loads(body.decode("utf-8-sig", "replace"), strict=False, parse_int=_integer)
    except (ValueError, RecursionError) as e:
        raise FeedError("is broken JSON", url=url) from e
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list) or not _KNOWN_VERSION.match(str(data.get("version", "1"))):
        raise FeedError("is JSON but no JSON Feed", url=url)
    return ParsedFeed(
        feed=FeedInfo(
            title=_escaped(_string(data.get("title"))),
            link=_link(_string(data.get("home_page_url")), url),
            id=_string(data.get("feed_url")),
            subtitle=_string(data.get("description")),
            author=_json_author(data),
            language=_string(data.get("language")),
            self_link=_link(_string(data.get("feed_url")), url),
            hub=_json_hub(data.get("hubs"), url),
            next_page=_web_link(_string(data.get("next_url")), url),
        ),
        entries=tuple(_json_entry(item, url) for item in _newest_items(items) if isinstance(item, dict)),
        left_out=max(0, len(items) - FEED_ENTRIES),
    )


def _newest_items(items: list[Any]) -> list[Any]:
    """At most FEED_ENTRIES of them, from the end at which the newer ones are."""
    if len(items) <= FEED_ENTRIES:
        return items
    ends = [_iso(item.get("date_published")) for item in (items[0], items[-1]) if isinstance(item, dict)]
    rising = len(ends) == 2 and ends[0] and ends[1] and ends[0] < ends[1]  # noqa: PLR2004  both ends
    return items[-FEED_ENTRIES:] if rising else items[:FEED_ENTRIES]


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _INT_DIGITS else digits


def _json_hub(hubs: object, url: str) -> str | None:
    found = [one for one in hubs if isinstance(one, dict)] if isinstance(hubs, list) else []
    links = (_link(_string(one.get("url")), url) for one in found if str(one.get("type", "")).lower() == "websub")
    return next((link for link in links if link), None)


def _json_entry(item: dict[str, Any], url: str) -> FeedEntry:
    tags = item.get("tags")
    attachments = item.get("attachments")
    text = _escaped(_string(item.get("content_text")))
    return FeedEntry(
        id=_string(item.get("id")),
        link=_link(_string(item.get("url")) or _string(item.get("external_url")), url),
        title=_escaped(_string(item.get("title"))),
        author=_json_author(item),
        summary=_string(item.get("summary")),
        content=_string(item.get("content_html")) or text,
        published=_iso(item.get("date_published")),
        updated=_iso(item.get("date_modified")),
        published_raw=_raw(item.get("date_published")),
        updated_raw=_raw(item.get("date_modified")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        enclosures=tuple(
            Enclosure(
                url=found["url"] if not url else _link(found["url"], url) or found["url"],
                type=_string(found.get("mime_type")),
                length=_string(found.get("size_in_bytes")),
            )
            for found in (attachments if isinstance(attachments, list) else ())
            if isinstance(found, dict) and isinstance(found.get("url"), str)
        ),
    )


def _json_author(item: dict[str, Any]) -> str | None:
    authors = item.get("authors")
    if not isinstance(authors, list):
        authors = [item.get("author")]
    found = [author for author in authors if isinstance(author, dict)]
    names = [_string(author.get("name")) for author in found]
    links = [_string(author.get("url")) for author in found]
    return ", ".join(name for name in names if name) or next(
        (link.removeprefix("mailto:") for link in links if link and link.startswith("mailto:")), None
    )


def _iso(value: object) -> datetime | None:
    """RFC 3339; no zone means UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return parse_date(value)


def _author(found: Any) -> str | None:  # noqa: ANN401  feedparser's dict
    names = [author["name"].strip() for author in found.get("authors", ()) if author.get("name")]
    return ", ".join(dict.fromkeys(names)) or _stripped(found.get("author"))


def _date(found: Any, name: str) -> datetime | None:  # noqa: ANN401  feedparser's dict
    """A date by the words of the feed; feedparser would answer `updated` with the date of publication."""
    value = dict.get(found, name)
    return parse_date(value) if isinstance(value, str) else None


def _raw_date(found: Any, name: str) -> str | None:  # noqa: ANN401  feedparser's dict
    return _raw(dict.get(found, name))


def _raw(value: object) -> str | None:
    text = _string(value)
    return text[:DATE_CHARACTERS] if text else None


def _page_of(found: Any) -> str | None:  # noqa: ANN401  feedparser's dict
    """The link to a page: the feed's own words for it, else the first that names an HTML page."""
    links = [one for one in found.get("links", ()) if one.get("href")]
    stated = found.get("link")
    if stated and _WEB.match(_link(stated, "http://relative/") or ""):
        return str(stated)
    named = [one["href"] for one in links if one.get("rel", "alternate") == "alternate"]
    named += [one["href"] for one in links if one.get("rel") == "self"]
    return next((str(href) for href in named if _WEB.match(href)), _stripped(stated))


def _markup(found: Any, name: str, version: str) -> str | None:  # noqa: ANN401  feedparser's dict
    """A title or subtitle as markup; a text of Atom 1.0 has none, its brackets are brackets (RFC 4287 §3.1.1.1)."""
    value = _stripped(found.get(name))
    is_text = version == "atom10" and found.get(f"{name}_detail", {}).get("type") == "text/plain"
    return _escaped(value) if is_text else value


def _escaped(text: str | None) -> str | None:
    """Plain text as markup. Feeds write entities even where none are read, so that `&` stays."""
    return text.replace("<", "&lt;").replace(">", "&gt;") if text else text


def plain(value: str | None) -> str | None:
    """The words of a title that may hold markup and entities."""
    if not value:
        return None
    if "<" in value or "&" in value:
        try:
            value = lxml_html.fromstring(f"<div>{value}</div>").text_content()
        except (LxmlError, ValueError):
            return value.strip()
    return " ".join(value.split()) or None


def _heading(title: str | None) -> str | None:
    return (plain(title) or "")[:FIELD_CHARACTERS] or None


def _link(value: str | None, url: str) -> str | None:
    if not value or not value.strip():
        return None
    try:
        return bare(urljoin(url, value.strip())) if url else value.strip()
    except ValueError:
        return None


def _stripped(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _string(value: object) -> str | None:
    """A JSON value as text: feeds write numbers where strings belong."""
    if isinstance(value, bool) or value is None:
        return None
    return str(value).strip() or None if isinstance(value, str | int | float) else None

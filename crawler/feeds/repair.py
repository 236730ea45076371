"""Repair of broken feed documents, on their bytes, before a parser reads them. Pure, no I/O."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from crawler.feeds.dates import parse_date
from crawler.limits import FEED_ENTRIES

_DATE_WITHIN = 4_096
"""An entry's date is searched for within this distance from its start."""
_HEAD_BYTES = 4_096
"""A document's root element is searched for within this distance from its start."""
_OPENED = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_DATED = re.compile(rb"<(?:\w+:)?(?:pubDate|published|updated|date|issued)\b[^<>]*>\s*([^<>]{4,80})<", re.IGNORECASE)
_CLOSED = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
_ENDED = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf|channel)\s*>|<(?:\w+:)?(?:rss|feed|rdf)\b[^<>]*/>", re.IGNORECASE)
_RDF = re.compile(rb"<(?:\w+:)?rdf[\s>]", re.IGNORECASE)
_RDF_ENDED = re.compile(rb"</(?:\w+:)?rdf\s*>", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
_REFERENCES = re.compile(rb"(?:&#(?:[xX][0-9a-fA-F]+|[0-9]+);?)+")
"""Consecutive character references: two of them may be the halves of a surrogate pair."""
_NO_CHARACTER = 0xFFFD
_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_REFERENCE_DIGITS = 16
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
"""First bytes of documents in wide charsets, UTF-16 and UTF-32 (XML 1.0 appendix F); longer ones first."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A document that an XML parser can read."""

    body: bytes
    complete: bool
    """Whether the document is not truncated; a truncated entry was removed."""
    left_out: int
    """Number of entries removed because there were more than FEED_ENTRIES."""


def repair(body: bytes) -> Repaired:
    """Repair charset, character references, unclosed CDATA and elements, a truncated end; drop excess entries."""
    body, left_out = _newest(_narrow(body))
    body, complete = _whole(_closed(_with_ends(_REFERENCES.sub(_mended, body))))
    return Repaired(body=body, complete=complete, left_out=left_out)


def _newest(body: bytes) -> tuple[bytes, int]:
    """The document with only its newest FEED_ENTRIES entries, and the number of those left out.

    Feeds are in chronological or reverse chronological order; the dates of the first and last entry show which.
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
        if (stated := _DATED.search(body, opened[at], min(ends[at], opened[at] + _DATE_WITHIN)))
        and (date := parse_date(stated[1].decode("utf-8", "replace")))
    ]
    if len(dates) == 2 and dates[0] < dates[1]:  # noqa: PLR2004  both ends
        return body[: opened[0]] + body[opened[left_out] :], left_out
    return body[: opened[FEED_ENTRIES]] + body[ends[-1] :], left_out


def _whole(body: bytes) -> tuple[bytes, bool]:
    """The document without an entry truncated at its end, and whether it is complete."""
    closed = [found.end() for found in _CLOSED.finditer(body)]
    last = closed[-1] if closed else 0
    # The channel of RSS 1.0 ends before its items begin.
    ended = _RDF_ENDED if not closed and _RDF.search(body[:_HEAD_BYTES]) else _ENDED
    if ended.search(body, last):
        return body, True
    torn = _OPENED.search(body, last)
    return (body[: torn.start()] if torn else body), False


def _narrow(body: bytes) -> bytes:
    """The document in a charset that extends ASCII, and without a declaration of UTF-16 or UTF-32."""
    charset = next((name for start, name in _WIDE if body.startswith(start)), None)
    if charset is None:
        return _WIDE_CHARSET.sub(rb"\1", body)
    return codecs.BOM_UTF8 + _WIDE_CHARSET.sub(rb"\1", body.decode(charset, "replace").encode())


def _mended(references: re.Match[bytes]) -> bytes:
    """Consecutive character references made valid: a surrogate pair is its character, other invalid ones are U+FFFD."""
    codes = [_code(found[1], found[2]) for found in _REFERENCE.finditer(references[0])]
    if all(code is not None and code not in _SURROGATES for code in codes):
        return references[0]
    text = "".join(chr(_NO_CHARACTER if code is None else code) for code in codes)
    # UTF-16 joins surrogate pairs and finds unpaired ones.
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return b"".join(b"&#%d;" % ord(character) for character in text)


def _code(hexadecimal: bytes | None, decimal: bytes | None) -> int | None:
    """The code point of a character reference; None if it does not exist."""
    digits = hexadecimal or decimal or b""
    code = int(digits, 16 if hexadecimal else 10) if len(digits) <= _REFERENCE_DIGITS else _LAST_CHARACTER + 1
    return code if code <= _LAST_CHARACTER else None


def _with_ends(body: bytes) -> bytes:
    """The document with each CDATA section closed before the next one begins."""
    if body.count(_CDATA) <= body.count(_CDATA_END):
        return body
    first, *sections = body.split(_CDATA)
    ended = []
    for section in sections:
        tag = -1 if _CDATA_END in section else section.find(b"</")
        ended.append(section if tag < 0 else section[:tag] + _CDATA_END + section[tag:])
    return _CDATA.join([first, *ended])


def _closed(body: bytes) -> bytes:
    """The document with each title, link, id and date closed before the next element begins."""
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

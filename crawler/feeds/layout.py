"""Where a feed document's entries begin and end: so that a large or damaged one is parsed in parts. Pure, no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crawler.feeds.dates import parse_date
from crawler.limits import FEED_ENTRIES

_DATE_WITHIN = 4_096
"""An entry's date is searched for within this distance from its start."""
_PROLOG_BYTES = 8_192
"""How much may come before the root element: a document type."""
_CONTAINERS_BYTES = 16_384
"""Start tags of the elements that contain all entries."""
_BASE = re.compile(rb"\sxml:base\s*=")
_MARK = re.compile(rb"<(?:!\[CDATA\[|!--|(/?)(?:[\w.-]+:)?(?:item|entry)(?=[\s>/]))", re.IGNORECASE)
_TAG_END = re.compile(rb"""(?:[^<>"']|"[^"<]*"|'[^'<]*')*+>""")
_DATED = re.compile(rb"<(?:\w+:)?(?:pubDate|published|updated|date|issued)\b[^<>]*>\s*+([^<>]{4,80})<", re.IGNORECASE)
_ENDED = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf|channel)\s*>|<(?:\w+:)?(?:rss|feed|rdf)\b[^<>]*/>", re.IGNORECASE)
_RDF = re.compile(rb"<(?:\w+:)?rdf[\s>]", re.IGNORECASE)
_RDF_ENDED = re.compile(rb"</(?:\w+:)?rdf\s*>", re.IGNORECASE)
_DOCTYPE_BEGIN = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_DOCTYPE = re.compile(rb"<!DOCTYPE[^<>\[]*(?:\[.*?\]\s*)?>", re.IGNORECASE | re.DOTALL)
_CONTAINER = re.compile(
    rb"""<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<(?P<end>/?)(?P<name>(?:[\w.-]+:)?(?:rss|rdf|feed|channel))"""
    rb"""(?=[\s>/])(?:[^<>"']|"[^"<]*"|'[^'<]*')*+>""",
    re.IGNORECASE | re.DOTALL,
)


Span = tuple[int, int]
"""Begin and end of an entry in a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The parts of a document."""

    body: bytes
    """The document without an entry truncated at its end."""
    spans: tuple[Span, ...]
    """Its entries; empty if they cannot be told apart."""
    left_out: tuple[Span, ...]
    """Entries beyond FEED_ENTRIES, the oldest ones."""
    before: bytes
    """What an entry needs before it to be a document: document type, start tags of the elements around it."""
    after: bytes
    """The end tags of these elements."""
    complete: bool
    """Whether the document was not truncated."""

    @property
    def has_base(self) -> bool:
        """Whether the elements around the entries state a base of links (XML Base §3)."""
        return _BASE.search(self.before or self.body[:_PROLOG_BYTES]) is not None

    @property
    def frame(self) -> bytes:
        """The document without its entries."""
        return _without(self.body, sorted((*self.spans, *self.left_out)))

    @property
    def whole(self) -> bytes:
        """The document without the entries that are left out."""
        return _without(self.body, self.left_out)

    def part(self, first: int, last: int) -> bytes:
        """A document of the entries from one up to another, which is not in it."""
        entries = (self.body[start:end] for start, end in self.spans[first:last])
        return b"".join([self.before, *entries, self.after])

    def parts(self, size: int) -> Iterator[tuple[int, int]]:
        """Numbers of the first entry and of the one after the last, for parts of about that many bytes."""
        first = 0
        for last, (_, end) in enumerate(self.spans, 1):
            if end - self.spans[first][0] >= size or last == len(self.spans):
                yield first, last
                first = last


def layout(body: bytes) -> Layout:
    """Find the entries of a document whose CDATA sections are closed."""
    spans, torn, last_end = _entries(body)
    # The channel of RSS 1.0 ends before its items begin.
    ended = _RDF_ENDED if not last_end and _RDF.search(body[:_PROLOG_BYTES]) else _ENDED
    complete = ended.search(body, last_end) is not None
    if torn is not None:
        if complete:
            spans = []  # an entry has no end, but the document has
        else:
            body = body[:torn]
    before, after = _around(body[: spans[0][0]]) if spans else (b"", b"")
    kept, left_out = _newest(body, spans if before else [])
    return Layout(body=body, spans=kept, left_out=left_out, before=before, after=after, complete=complete)


def _without(body: bytes, spans: Sequence[Span]) -> bytes:
    if not spans:
        return body
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(body)]
    return b"".join(body[end:start] for end, start in zip(ends, starts, strict=True))


def _entries(body: bytes) -> tuple[list[Span], int | None, int]:
    """The entries of a document, where the first one without an end begins, and where the last end tag ends."""
    spans: list[Span] = []
    opened: list[int] = []
    at = last_end = comment_end = 0
    while mark := _MARK.search(body, at):
        at = mark.end()
        if mark[0] == b"<![CDATA[":
            end = body.find(b"]]>", at)
            at = end + 3 if end >= 0 else len(body)
        elif mark[0] == b"<!--":
            comment_end = body.find(b"-->", at) if comment_end >= 0 else -1  # once there is none, there are no more
            at = max(at, comment_end + 3)
        elif mark[1] is None or not mark[1]:
            tag = _TAG_END.match(body, at)
            at = tag.end() if tag else at
            if tag and body[at - 2] == ord("/"):
                if not opened:
                    spans.append((mark.start(), at))
            else:
                opened.append(mark.start())
        elif opened:
            tag = _TAG_END.match(body, at)
            at = last_end = tag.end() if tag else at
            start = opened.pop()
            if not opened:
                spans.append((start, at))
    torn = next((start for start in opened if start >= last_end), None)
    return ([] if opened and [torn] != opened else spans), torn, last_end


def _newest(body: bytes, spans: list[Span]) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The newest FEED_ENTRIES entries, and those left out.

    Feeds are in chronological or reverse chronological order; the dates of the first and last entry show which.
    """
    excess = len(spans) - FEED_ENTRIES
    if excess <= 0:
        return tuple(spans), ()
    dates = [
        date
        for start, end in (spans[0], spans[-1])
        if (stated := _DATED.search(body, start, min(end, start + _DATE_WITHIN)))
        and (date := parse_date(stated[1].decode("utf-8", "replace")))
    ]
    if len(dates) == 2 and dates[0] < dates[1]:  # noqa: PLR2004  both ends
        return tuple(spans[excess:]), tuple(spans[:excess])
    return tuple(spans[:FEED_ENTRIES]), tuple(spans[FEED_ENTRIES:])


def _around(head: bytes) -> tuple[bytes, bytes]:
    """The start tags of the elements around the entries, after the document type, and their end tags."""
    opened: list[tuple[bytes, bytes]] = []
    root: int | None = None
    for tag in _CONTAINER.finditer(head):
        name = tag["name"]
        if not name:  # a comment or CDATA section
            continue
        root = tag.start() if root is None else root
        if not tag["end"]:
            opened += [] if tag[0].endswith(b"/>") else [(name, tag[0])]
        elif name in (known := [one for one, _ in opened]):
            opened = opened[: len(known) - 1 - known[::-1].index(name)]
    before = b"".join(tag for _, tag in opened)
    if root is None or len(before) > _CONTAINERS_BYTES:
        return b"", b""
    prolog = head[max(0, root - _PROLOG_BYTES) : root]
    begin = _DOCTYPE_BEGIN.search(prolog)
    doctype = _DOCTYPE.match(prolog, begin.start()) if begin else None
    return (doctype[0] if doctype else b"") + before, b"".join(b"</" + name + b">" for name, _ in reversed(opened))

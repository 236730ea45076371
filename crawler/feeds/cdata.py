"""CDATA sections that are not closed, lie within one another, or were escaped as a whole. Pure, no I/O."""

from __future__ import annotations

import re

_OPEN, _CLOSE = b"<![CDATA[", b"]]>"
_CONTAINER = re.compile(rb"<([A-Za-z_][\w:.-]*)(?:\s[^<>]*)?>\s*\Z")
_CONTAINER_BYTES = 500
"""How far before a CDATA section the start tag of its element is searched for."""
_MENDED = 2_000
"""CDATA sections of one document that are mended."""
_ELEMENT_BYTES = 4_000_000
"""How far the end tag of an element with nested sections is searched for."""
_UNREAD = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
"""Markup in which `<![CDATA[` has a meaning of its own, or none."""
_MARKS = re.compile(r"<!\[CDATA\[|\]\](?:>|&gt;)")


def closed(body: bytes) -> bytes:
    """A document in which each CDATA section ends within its element.

    A script in a post may bring sections of its own: `<![CDATA[` within a section is text (XML 1.0 §2.7), so that the
    script's `]]>` would end the post's section.
    """
    if body.count(_OPEN) == body.count(_CLOSE) and not _nests(body):
        return body
    parts: list[bytes] = []
    done = at = mended = end = 0
    while (start := body.find(_OPEN, at)) >= 0:
        inside = start + len(_OPEN)
        if 0 <= end < inside:
            end = body.find(_CLOSE, inside)
        inner = body.find(_OPEN, inside, end if end >= 0 else len(body))
        if (end >= 0 and inner < 0) or mended >= _MENDED:
            at = end + len(_CLOSE) if end >= 0 else len(body)
            continue
        mended += 1
        container = _CONTAINER.search(body, max(0, start - _CONTAINER_BYTES), start)
        tag = b"</" + container[1] if container else b"</"
        left_open = body.find(tag, inside, inner if inner >= 0 else inside + _ELEMENT_BYTES)
        if left_open >= 0:
            parts += [body[done:left_open], _CLOSE]
            done = at = left_open
            continue
        if end < 0:
            break
        last = _last(body, end, tag)
        for close in _closes(body, end, last):
            parts += [body[done:close], b"]]]]><![CDATA[>"]
            done = close + len(_CLOSE)
        at = last + len(_CLOSE)
    return b"".join([*parts, body[done:]]) if parts else body


def _nests(body: bytes) -> bool:
    """Whether a section seems to begin within another one."""
    at = 0
    while (start := body.find(_OPEN, at)) >= 0:
        end = body.find(_CLOSE, start)
        if end < 0 or body.find(_OPEN, start + len(_OPEN), end) >= 0:
            return True
        at = end
    return False


def _last(body: bytes, end: int, tag: bytes) -> int:
    """Where the section that may end at `end` does end: before its element's end tag, or another section."""
    stop = body.find(tag, end, end + _ELEMENT_BYTES)
    while True:
        rest = body[end + len(_CLOSE) : end + len(_CLOSE) + 200].lstrip()
        if rest.startswith((tag, _OPEN)):
            return end
        following = body.find(_CLOSE, end + len(_CLOSE), max(stop, 0))
        if following < 0:
            return end
        end = following


def _closes(body: bytes, first: int, last: int) -> list[int]:
    """Positions of `]]>` from the first up to the last, which is left out."""
    found = []
    while 0 <= first < last:
        found.append(first)
        first = body.find(_CLOSE, first + len(_CLOSE))
    return found


def unwrapped(markup: str) -> str:
    """Markup without the marks of CDATA sections, which were escaped with it; those in scripts stay."""
    if "<![CDATA[" not in markup:
        return markup
    parts, done, is_open = [], 0, False
    for hidden in [*_UNREAD.finditer(markup), None]:
        for mark in _MARKS.finditer(markup, done, hidden.start() if hidden else len(markup)):
            if mark[0].startswith("]") and not is_open:
                continue
            is_open = not mark[0].startswith("]")
            parts.append(markup[done : mark.start()])
            done = mark.end()
        if hidden:
            parts.append(markup[done : hidden.end()])
            done = hidden.end()
    return "".join([*parts, markup[done:]])

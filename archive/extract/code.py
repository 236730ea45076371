"""The code listings of a page: their lines, without line numbers, and their programming language. No I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import islice

from lxml import etree
from lxml.html import HtmlElement

from archive.extract.characters import NOISE

_LANGUAGE = re.compile(r"(?:^|[\s:])(?:language-|lang-|brush:\s*|highlight-source-|sourceCode\s+)([\w+#.-]+)")
"""How highlighters (Prism, highlight.js, SyntaxHighlighter, GitHub, Pandoc) name the language in a class."""
_TAB_WIDTH = 4
_LITERAL = re.compile(r"(?:^|\s)(?:m[bfhiox]?|il|number|hljs-number|num)(?:$|\s)")
"""Classes of numbers that are part of the code."""
_MIN_ROWS = 2
_MOST = 0.8
"""Share of the lines that must begin with a number for the numbers to be those of the lines."""
_ROW_BREAKS = ("div", "p", "li", "tr")
_FRAME_DEPTH = 4
"""Elements above a listing that can be the frame around it and its numbers."""
_MAX_LINES = 20_000
_MAX_DIGITS = 6
"""Digits of a line number."""


def source_code(element: HtmlElement, dropped: Collection[HtmlElement]) -> str:
    """The text of a `pre` element without the elements in `dropped`, line numbers and empty lines around it."""
    numbers = _line_numbers(element)
    return _trimmed(_raw(element, {*dropped, *numbers} if numbers else dropped, _lines(element)))


def _trimmed(code: str) -> str:
    lines = [line.rstrip() for line in code.split("\n")]
    while lines and not lines[0].strip():
        del lines[0]
    while lines and not lines[-1].strip():
        del lines[-1]
    return "\n".join(lines)


def _raw(element: HtmlElement, dropped: Collection[HtmlElement], lines: Collection[HtmlElement]) -> str:
    """The text of a `pre` element; some highlighters put each line in a block of its own."""
    parts: list[str] = []
    for event, part in etree.iterwalk(element, events=("start", "end")):
        tag = part.tag
        if event == "start":
            begins = tag in _ROW_BREAKS or part in lines
            if tag == "br" or (part is not element and begins and parts and not parts[-1].endswith("\n")):
                parts.append("\n")
            if part not in dropped and part.text and not _is_below_dropped(part, element, dropped):
                parts.append(part.text)
        elif part is not element and part.tail and not _is_below_dropped(part.getparent(), element, dropped):
            parts.append(part.tail)
    return NOISE.sub("", "".join(parts)).replace("\r\n", "\n").expandtabs(_TAB_WIDTH)


def _is_below_dropped(part: HtmlElement, top: HtmlElement, dropped: Collection[HtmlElement]) -> bool:
    at: HtmlElement | None = part
    while at is not None and at is not top:
        if at in dropped:
            return True
        at = at.getparent()
    return False


def _lines(element: HtmlElement) -> frozenset[HtmlElement]:
    """The elements that are lines of their own in a listing without line breaks, where a style sheet breaks them."""
    top = element
    while len(top) == 1 and not (top.text or "").strip() and not (top[0].tail or "").strip():
        top = top[0]
    kinds = {(child.tag, child.get("class")) for child in top}
    has_text = any((child.tail or "").strip() for child in top) or (top.text or "").strip()
    if len(top) < _MIN_ROWS or len(kinds) > 1 or has_text or None in {child.get("class") for child in top}:
        return frozenset()
    is_unbroken = "\n" not in "".join(element.itertext()).strip() and next(element.iter("br"), None) is None
    return frozenset(top) if is_unbroken else frozenset()


def _line_numbers(element: HtmlElement) -> frozenset[HtmlElement]:
    """The elements within a listing that number its lines: one before each line, or all of them in a column."""
    columns = [
        cell for cell in element.iter("td", "th") if _counts("".join(cell.itertext()).split()) and _has_code(cell)
    ]
    if columns:
        return frozenset(columns)
    groups: dict[tuple[str, str | None], list[HtmlElement]] = {}
    for part in element.iter(etree.Element):
        if part is not element and len(part) == 0 and (part.text or "").strip().isdecimal():
            groups.setdefault((str(part.tag), part.get("class")), []).append(part)
    lines = "".join(element.itertext()).strip().count("\n") + 1 if groups else 0
    for (_, classes), parts in groups.items():
        if not classes or _LITERAL.search(classes) or not _counts([(part.text or "").strip() for part in parts]):
            continue
        if len(parts) >= _MOST * lines or (lines == 1 and len(parts) == len(_lines(element))):
            return frozenset(parts)
    return frozenset()


def _counts(words: Sequence[str]) -> bool:
    """Whether words are numbers, each one more than the one before."""
    if not 0 < len(words) <= _MAX_LINES or not all(
        word.isdecimal() and len(word) <= len(str(_MAX_LINES)) for word in words
    ):
        return False
    first = int(words[0])
    return all(int(word) == first + at for at, word in enumerate(words))


def _has_code(cell: HtmlElement) -> bool:
    """Whether another cell of the row is what a column of numbers counts."""
    return any(other is not cell and "".join(other.itertext()).strip() for other in cell.itersiblings("td")) or any(
        "".join(other.itertext()).strip() for other in cell.itersiblings("td", preceding=True)
    )


def is_gutter(element: HtmlElement) -> bool:
    """Whether a `pre` has nothing but the line numbers of another one beside it."""
    words = _raw(element, (), frozenset()).split()
    if not _counts(words):
        return False
    above = element.getparent()
    for _ in range(_FRAME_DEPTH):
        if above is None or above.tag in ("body", "article", "main"):
            return False
        beside = [other for other in islice(above.iter("pre"), 2) if other is not element]
        if beside:
            return above.tag in ("tr", "tbody", "table") or len(words) == len(
                _trimmed(_raw(beside[0], (), frozenset())).split("\n")
            )
        above = above.getparent()
    return False


def listing(table: HtmlElement) -> str | None:
    """The code in a table that has a row for each line and a cell for its number; None if it is another table."""
    rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
    rows = [row for row in rows if row]
    if not rows or len(rows) > _MAX_LINES or any(len(row) != 2 for row in rows):  # noqa: PLR2004  number and code
        return None
    numbers = [(row[0].get("data-line-number") or "".join(row[0].itertext()).strip()) for row in rows]
    is_marked = all(row[0].get("data-line-number") for row in rows) or all(_is_code(row[1]) for row in rows)
    if not is_marked or not _counts(numbers):
        return None
    lines = (_raw(row[1], (), frozenset()).strip("\n") for row in rows)
    return _trimmed("\n".join(lines))


def _is_code(cell: HtmlElement) -> bool:
    """Whether a cell says that its text is code."""
    names = (cell.get("class") or "").lower().replace("-", " ").replace("_", " ").split()
    only = next((child for child in cell if isinstance(child.tag, str)), None)
    return "code" in names or (only is not None and only.tag in ("code", "pre"))


def code_language(element: HtmlElement) -> str:
    """The programming language that the class of a `pre`, its `code` or its parent names; empty if none does."""
    for part in (next(element.iter("code"), None), element, element.getparent()):
        found = _LANGUAGE.search(part.get("class") or "") if part is not None else None
        if found:
            return found[1].lower()
    return ""

"""The code listings of a page: their lines and their programming language. No I/O."""

from __future__ import annotations

import re
from collections.abc import Collection

from lxml import etree
from lxml.html import HtmlElement

from archive.extract.characters import NOISE

_LANGUAGE = re.compile(r"(?:^|[\s:])(?:language-|lang-|brush:\s*|highlight-source-|sourceCode\s+)([\w+#.-]+)")
"""How highlighters (Prism, highlight.js, SyntaxHighlighter, GitHub, Pandoc) name the language in a class."""
_TAB_WIDTH = 4


def source_code(element: HtmlElement, dropped: Collection[HtmlElement]) -> str:
    """The text of a `pre` element without the elements in `dropped` and without empty lines around it."""
    lines = [line.rstrip() for line in _raw(element, dropped).split("\n")]
    while lines and not lines[0].strip():
        del lines[0]
    while lines and not lines[-1].strip():
        del lines[-1]
    return "\n".join(lines)


def _raw(element: HtmlElement, dropped: Collection[HtmlElement]) -> str:
    """The text of a `pre` element; some highlighters put each line in a block of its own."""
    parts: list[str] = []
    for event, part in etree.iterwalk(element, events=("start", "end")):
        tag = part.tag
        if event == "start":
            if tag == "br" or (
                part is not element and tag in ("div", "p", "li") and parts and not parts[-1].endswith("\n")
            ):
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


def code_language(element: HtmlElement) -> str:
    """The programming language that the class of a `pre`, its `code` or its parent names; empty if none does."""
    for part in (next(element.iter("code"), None), element, element.getparent()):
        found = _LANGUAGE.search(part.get("class") or "") if part is not None else None
        if found:
            return found[1].lower()
    return ""

"""Lists and quotations around a block: what Markdown puts before its lines, and between two blocks. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml.html import HtmlElement

from archive.extract.blocks import Block, BlockType

_FOOTNOTES = re.compile(r"(?:^|[\s_-])(?:footnotes?|endnotes?|fussnoten)(?:$|[\s_-])", re.IGNORECASE)
_MAX_NESTING = 12
"""Depth of lists and quotations that Markdown shows."""
_MAX_NUMBER_DIGITS = 6
_QUOTED = "> "


@dataclass(slots=True)
class _Box:
    """An open list item or quotation."""

    marker: str
    """Prefix of its first line."""
    indent: str
    """Prefix of its other lines."""
    used: bool = False


class Nested(NamedTuple):
    """A block as it is written within lists and quotations."""

    type: BlockType
    plain: str
    first: str = ""
    """What Markdown puts before its first line."""
    rest: str = ""
    """What it puts before its other lines."""
    joint: str = "\n\n"
    item: bool = False


@dataclass(slots=True)
class Nesting:
    """The lists and quotations that are open at a place of a page."""

    boxes: list[_Box] = field(default_factory=list)
    fresh: bool = False
    """A top-level list has begun and has no block yet."""
    numbers: list[int | None] = field(default_factory=list)
    """The number of the next item of each open list; None for bullets, negative for footnotes."""

    def open(self, element: HtmlElement) -> None:
        """Enter a block element."""
        tag = element.tag
        if tag in ("ul", "ol"):
            self.fresh = self.fresh or not self.numbers
            number = _number(element.get("start"), 1) if tag == "ol" else None
            self.numbers.append(-1 if tag == "ol" and _is_footnotes(element) else number)
        elif tag == "li":
            self._push(self._marker())
        elif tag == "dd":
            self._push("- ")
        elif tag == "blockquote":
            self.boxes.append(_Box(_QUOTED, _QUOTED))

    def close(self, tag: str) -> None:
        """Leave a block element."""
        if tag in ("ul", "ol"):
            self.numbers.pop()
        elif tag in ("li", "dd", "blockquote"):
            self.boxes.pop()

    def nested(self, kind: BlockType | None, words: str, before: Block | None) -> Nested:
        """A block within what is open.

        Args:
            kind: Its type; None if it is a paragraph, which may be an item or a quotation here.
            words: Its plain text.
            before: The block before it.
        """
        if not self.boxes:
            self.fresh = False
            return Nested(kind or BlockType.PARAGRAPH, words)
        boxes = self.boxes[-_MAX_NESTING:]
        first = "".join(box.indent if box.used else box.marker for box in boxes)
        rest = "".join(box.indent for box in boxes)
        is_item = any(box.marker != _QUOTED for box in boxes)
        starts = next((box for box in boxes if not box.used and box.marker != _QUOTED), None)
        if starts is not None and kind in (None, BlockType.HEADING):
            words = "- " + words if not starts.marker.startswith("[^") else words
        joint = "\n\n"
        if boxes[0].used and boxes[0].marker == _QUOTED:
            joint = "\n>\n"
        elif starts is not None and before is not None and before.item and not self.fresh:
            joint = "\n"
        self.fresh = False
        for box in self.boxes:
            box.used = True
        return Nested(kind or (BlockType.ITEM if is_item else BlockType.QUOTE), words, first, rest, joint, is_item)

    def _push(self, marker: str) -> None:
        self.boxes.append(_Box(marker, "    " if marker.startswith("[^") else " " * len(marker)))

    def _marker(self) -> str:
        number = self.numbers[-1] if self.numbers else None
        if number is None:
            return "- "
        if number < 0:
            self.numbers[-1] = number - 1
            return f"[^{-number}]: "
        self.numbers[-1] = number + 1
        return f"{number}. "


def _number(text: str | None, default: int) -> int:
    is_number = text and text.isascii() and text.isdigit() and len(text) <= _MAX_NUMBER_DIGITS
    return int(text) if text and is_number else default


def _is_footnotes(element: HtmlElement) -> bool:
    above = element.getparent()
    return any(
        found is not None and _FOOTNOTES.search(f"{found.get('class') or ''} {found.get('id') or ''}")
        for found in (element, above)
    )

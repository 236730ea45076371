"""Text density and link density: how much text, running text and links each element of a page contains. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from lxml.html import HtmlElement

from archive.extract.characters import letters
from archive.extract.controls import CONTROLS, is_words
from archive.extract.tags import BLOCKS, HEADINGS, UNREAD, WRAPPERS

_WRAPPED = 500
"""Characters of running text from which on such an element is read."""
_SENTENCE = 40
"""Characters, links not counted, below which a block has no running text: it is a label."""
_PARAGRAPH = 80
"""Characters, links not counted, from which on all of a block counts as running text."""
_SHORT_WEIGHT = 0.4
"""What a character counts for in a block between these lengths, which can be a sentence or a label."""
_MAX_LINK_DENSITY = 0.5
"""Link density above which a block has no running text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The elements of a page in document order and, by the number of each, what it contains."""

    elements: list[HtmlElement]
    parent: list[int]
    """Number of the parent; -1 for the root."""
    end: list[int]
    """Number of its last descendant; its own if it has none."""
    block: list[bool]
    """It is a block, or contains one."""
    unread: list[bool]
    """Its text is not read, as that of scripts and form controls."""
    own: list[int]
    """Characters of text in it and in none of its blocks."""
    own_links: list[int]
    """How many of these are links."""
    chars: list[int]
    """Characters of all its text."""
    link_chars: list[int]
    """How many of these are links."""
    links: list[int]
    """Links within."""
    weight: list[float]
    """Characters of running text in it and in none of its blocks; those of short blocks count for less."""
    prose: list[float]
    """Sum of the weights within."""

    @classmethod
    def of(cls, root: HtmlElement) -> Measure:
        """Measure a page in one pass, from its end to its beginning."""
        elements = list(root.iter("*"))
        n = len(elements)
        numbers = {element: number for number, element in enumerate(elements)}
        parent = [-1, *(numbers.get(element.getparent(), 0) for element in elements[1:])]
        end, unread, block = list(range(n)), [False] * n, [False] * n
        own, own_links, chars, link_chars, links = [0] * n, [0] * n, [0] * n, [0] * n, [0] * n
        weight, prose = [0.0] * n, [0.0] * n
        for i in range(n - 1, -1, -1):
            element, above = elements[i], parent[i]
            tag = element.tag
            if above >= 0:
                end[above] = max(end[above], end[i])
                own[above] += _length(element.tail)
            if (
                tag in UNREAD
                and (tag not in WRAPPERS or prose[i] < _WRAPPED)
                and not (tag in CONTROLS and is_words(element))
            ):
                unread[i], block[i] = True, False
                own[i] = chars[i] = link_chars[i] = links[i] = 0
                prose[i] = 0.0
                continue
            own[i] += _length(element.text)
            if tag == "a":
                own_links[i] = own[i]
                links[i] += 1
            block[i] = block[i] or tag in BLOCKS
            if block[i]:
                chars[i] += own[i]
                link_chars[i] += own_links[i]
                if tag not in HEADINGS:
                    weight[i] = _weight(own[i], own_links[i])
                    prose[i] += weight[i]
            if above < 0:
                continue
            links[above] += links[i]
            if block[i]:
                chars[above] += chars[i]
                link_chars[above] += link_chars[i]
                prose[above] += prose[i]
                block[above] = True
            else:
                own[above] += own[i] + 1
                own_links[above] += own_links[i]
        return cls(
            elements=elements,
            parent=parent,
            end=end,
            block=block,
            unread=unread,
            own=own,
            own_links=own_links,
            chars=chars,
            link_chars=link_chars,
            links=links,
            weight=weight,
            prose=prose,
        )

    def within(self, i: int) -> range:
        """Numbers of an element and its descendants."""
        return range(i, self.end[i] + 1)

    def contains(self, i: int, j: int) -> bool:
        """Whether element `j` is element `i` or a descendant of it."""
        return i <= j <= self.end[i]

    def ancestors(self, i: int) -> list[int]:
        """An element and its ancestors, the root last."""
        found = []
        while i >= 0:
            found.append(i)
            i = self.parent[i]
        return found


def _length(text: str | None) -> int:
    if not text:
        return 0
    bare = text.strip()
    return len(bare) if bare.isascii() else letters(bare)


def _weight(own: int, linked: int) -> float:
    bare = own - linked
    if bare < _SENTENCE or linked > _MAX_LINK_DENSITY * own:
        return 0.0
    return bare if bare >= _PARAGRAPH else bare * _SHORT_WEIGHT

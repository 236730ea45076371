"""How much text, prose and links each element of a page holds: what the search for the post's body rests on. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from lxml.html import HtmlElement

BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure"  # noqa: SIM905
    " footer form h1 h2 h3 h4 h5 h6 header hgroup hr html li main menu nav ol p pre section summary table tbody td"
    " tfoot th thead tr ul".split()
)
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_UNREAD = frozenset(
    "script style noscript template svg button select input textarea option canvas object embed audio video"  # noqa: SIM905
    " iframe head link meta dialog map area applet noembed noframes frame frameset progress meter source track"
    " label".split()
)
"""Elements whose text is no part of what a reader reads."""
_WRAPPERS = frozenset("button svg label option select dialog object noscript".split())  # noqa: SIM905
"""Of these the ones that hold much of the page where its markup is broken, or for readers without scripts."""
_WRAPPED = 500
_SENTENCE = 40
_PARAGRAPH = 80
_HALF_A_PARAGRAPH = 0.4
_LINK_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The elements of a page in document order, and for each of them, by its number, what it holds."""

    elements: list[HtmlElement]
    parent: list[int]
    """Number of the parent; -1 for the root."""
    end: list[int]
    """Number of the last element within."""
    block: list[bool]
    """It is a block, or holds one."""
    unread: list[bool]
    """Nothing in it is read, such as scripts and form controls."""
    own: list[int]
    """Characters of text that stand in it and in none of its blocks."""
    own_links: list[int]
    """Characters of these that are links."""
    chars: list[int]
    """Characters of all its text."""
    link_chars: list[int]
    """Characters of these that are links."""
    links: list[int]
    """Links within."""
    weight: list[float]
    """Characters of running text that stand in it and in none of its blocks; short ones count for less."""
    prose: list[float]
    """Sum of the weights within."""

    @classmethod
    def of(cls, root: HtmlElement) -> Layout:
        """Measure a page in one pass from its end to its beginning."""
        elements = list(root.iter("*"))
        n = len(elements)
        numbers = {element: number for number, element in enumerate(elements)}
        parent = [-1] * n
        for number in range(1, n):
            above = elements[number].getparent()
            parent[number] = numbers.get(above, 0) if above is not None else 0
        end, unread, block = list(range(n)), [False] * n, [False] * n
        own, own_links, chars, link_chars, links = [0] * n, [0] * n, [0] * n, [0] * n, [0] * n
        weight, prose = [0.0] * n, [0.0] * n
        for i in range(n - 1, -1, -1):
            element, above = elements[i], parent[i]
            tag = element.tag
            if above >= 0:
                end[above] = max(end[above], end[i])
                own[above] += _length(element.tail)
            if tag in _UNREAD and (tag not in _WRAPPERS or prose[i] < _WRAPPED):
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
        """Numbers of an element and all within it."""
        return range(i, self.end[i] + 1)

    def holds(self, i: int, j: int) -> bool:
        """Whether element `j` is within element `i`, or is it."""
        return i <= j <= self.end[i]

    def ancestors(self, i: int) -> list[int]:
        """An element and all above it, the root last."""
        found = []
        while i >= 0:
            found.append(i)
            i = self.parent[i]
        return found


def _length(text: str | None) -> int:
    return len(text.strip()) if text else 0


def _weight(own: int, linked: int) -> float:
    bare = own - linked
    if bare < _SENTENCE or linked > _LINK_SHARE * own:
        return 0.0
    return bare if bare >= _PARAGRAPH else bare * _HALF_A_PARAGRAPH

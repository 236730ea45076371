"""What speaks for and against a candidate for a page's post: measures in which no list of words takes part. No I/O."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from lxml.html import HtmlElement

from archive.extract import words
from archive.extract.blocks import NOT_TEXT, Block, BlockType
from archive.extract.body import Outline
from archive.extract.candidates import Page
from archive.extract.choose import last_title
from archive.extract.exclude import Exclusion

_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")  # noqa: RUF001
_SUMMARIES = frozenset({"description", "og:description", "twitter:description"})
_MIN_SUMMARY = 6
"""Words of a summary from which on it is compared."""
_UNKNOWN = 0.8
"""The share of a summary that counts where the page states none."""
_FEW = 100.0
"""Characters that are added to what is measured, so that a sentence more or less means little on a short page."""
_WITH_PARTS = frozenset({BlockType.TABLE, BlockType.CODE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Measures of a candidate; shares are 0 to 1."""

    coverage: float
    """Share of the page's running text that it has, without what is named as frame, comments or teasers."""
    size: float
    """Logarithm of the characters of running text that it has."""
    links: float
    """Share of its characters that are links."""
    holes: float
    """Running text between its first and last block that it leaves out, as a share of both."""
    gap: float
    """Running text between the post's title and its first block, as a share of both."""
    summary: float
    """Share of the words of the page's own summary that it has."""
    sentences: float
    """Share of its paragraphs that end as sentences do."""
    named: float
    """Share of its running text that is named as boilerplate."""

    def as_tuple(self) -> tuple[float, ...]:
        """The measures, in the order of the weights."""
        return astuple(self)


@dataclass(frozen=True, slots=True)
class Measured:
    """A page, prepared for the measures of several candidates."""

    page: Page
    exclusion: Exclusion
    number: dict[HtmlElement, int]
    summary: frozenset[str]

    @classmethod
    def of(cls, outline: Outline) -> Measured:
        """Prepare a page."""
        page = outline.page
        numbers = {element: at for at, element in enumerate(page.measure.elements)}
        return cls(page, outline.exclusion, numbers, _summary(page.measure.elements[0]))

    def evidence(self, blocks: Sequence[Block]) -> Evidence:
        """What speaks for and against these blocks of the page."""
        measure, out = self.page.measure, self.exclusion.out
        own = self._own(blocks)
        size = sum(measure.weight[at] for at in own)
        counted = sum(measure.weight[at] for at in own if not out[at])
        first, last = (min(own), max(own)) if own else (0, 0)
        holes = max(self._running(first, last) - counted, 0.0)
        title = last_title(self.page, first) if own else None
        gap = self._running(measure.end[title] + 1, first - 1) if title is not None else 0.0
        characters = sum(len(block.plain) for block in blocks if block.type not in NOT_TEXT)
        paragraphs = [block for block in blocks if block.type is BlockType.PARAGRAPH]
        return Evidence(
            coverage=(counted + _FEW) / (self.exclusion.text[0] + _FEW) if self.exclusion.text else 1.0,
            size=math.log(size + _FEW),
            links=sum(block.linked for block in blocks) / (characters + _FEW),
            holes=holes / (holes + size + _FEW),
            gap=gap / (gap + size + _FEW),
            summary=self._summarised(blocks),
            sentences=sum(_SENTENCE_END.search(block.plain) is not None for block in paragraphs)
            / (len(paragraphs) or 1),
            named=(size - counted) / (size + _FEW),
        )

    def _own(self, blocks: Sequence[Block]) -> frozenset[int]:
        """The numbers of the elements that a candidate consists of."""
        found: set[int] = set()
        for block in blocks:
            if block.element is None or block.type in NOT_TEXT:
                continue
            at = self.number.get(block.element)
            if at is not None:
                found.update(self.page.measure.within(at) if block.type in _WITH_PARTS else (at,))
        return frozenset(found)

    def _running(self, first: int, last: int) -> float:
        """Running text in a range of elements that is not named as boilerplate."""
        weight, out = self.page.measure.weight, self.exclusion.out
        return sum(weight[at] for at in range(max(first, 0), last + 1) if not out[at])

    def _summarised(self, blocks: Sequence[Block]) -> float:
        if len(self.summary) < _MIN_SUMMARY:
            return _UNKNOWN
        said = frozenset(word for block in blocks for word in words.words(block.plain))
        return len(self.summary & said) / len(self.summary)


def _summary(tree: HtmlElement) -> frozenset[str]:
    """The words of the summary that a page states of itself; the longest of them if there are several."""
    stated = (
        meta.get("content") or ""
        for meta in tree.iter("meta")
        if (meta.get("property") or meta.get("name") or "").lower() in _SUMMARIES
    )
    return frozenset(words.words(max(stated, key=len, default="")[:2_000]))

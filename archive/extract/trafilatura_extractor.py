"""The second witness: trafilatura's text of a page, and which blocks of the page it consists of. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from archive.extract import boilerplate, trafilatura_adapter
from archive.extract.blocks import NOT_TEXT, Block, images_in, links_in
from archive.extract.characters import composed
from archive.extract.extractor import Page, Post
from archive.extract.words import letters, words

_DISTINCTIVE = 25
"""Letters from which on a block is recognised within a paragraph of trafilatura's."""
_MOST = 0.8
"""Share of the runs of three words of a long block that trafilatura must have; it leaves out some inline parts."""
_LONG = 12
"""Words from which on a block is compared that way."""


class TrafilaturaExtractor:
    """trafilatura decides what the post is, and writes it."""

    name = "trafilatura"

    def post(self, page: Page) -> Post:
        """The post of a page."""
        found = trafilatura_adapter.find(page.source.tree, page.source.url)
        if found is None:
            return Post()
        blocks = blocks_in(found.plain, page.blocks)
        return Post(
            text=_own_lines(found.plain),
            markdown=_own_lines(found.markdown),
            comments=found.comments,
            links=links_in(blocks),
            images=images_in(blocks),
            blocks=blocks,
        )


def blocks_in(text: str, page: Sequence[Block]) -> list[Block]:
    """Those blocks of a page whose words a text has, and pictures and videos between them.

    What the page says several times is taken as often as the text has it, its first places first.
    """
    known = _Known(composed(text))
    has = [block.type not in NOT_TEXT and known.takes(block) for block in page]
    return [block for block, is_in in zip(page, _with_pictures(page, has), strict=True) if is_in]


def _with_pictures(page: Sequence[Block], has: Sequence[bool]) -> list[bool]:
    """Which blocks are in, with what trafilatura does not give: pictures and videos between two neighbours that are."""
    is_in = list(has)
    at_words = [at for at, block in enumerate(page) if block.type not in NOT_TEXT]
    for one, other in pairwise(at_words):
        if has[one] and has[other]:
            is_in[one + 1 : other] = [True] * (other - one - 1)
    return is_in


class _Known:
    """What a text has, and which of it was taken."""

    def __init__(self, text: str) -> None:
        lines = [found for line in text.split("\n") if (found := letters(line))]
        self._lines = Counter(lines)
        self._joined = "".join(lines)
        self._runs = _runs(text)
        self._taken: Counter[str] = Counter()

    def takes(self, block: Block) -> bool:
        """Whether the text has a block, and more often than it was taken before."""
        runs = _runs(block.plain)
        if sum(runs.values()) >= _LONG:
            left = sum(min(times, self._runs[run]) for run, times in runs.items())
            if left < _MOST * sum(runs.values()):
                return False
            self._runs -= runs
            return True
        own = letters(block.plain)
        self._taken[own] += 1
        return bool(own) and self._taken[own] <= (
            self._lines[own] if len(own) < _DISTINCTIVE else self._joined.count(own)
        )


def _runs(text: str) -> Counter[tuple[str, str, str]]:
    said = list(words(text))
    return Counter(zip(said, said[1:], said[2:], strict=False))


def _own_lines(text: str) -> str:
    """Text without the lines that are boilerplate."""
    return "\n".join(line.rstrip() for line in text.split("\n") if boilerplate.keep_line(line)).strip()

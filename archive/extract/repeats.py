"""Blocks that come again: copies of the post for other screen sizes, which go, and refrains, which stay. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from archive.extract.blocks import Block, BlockType

_NOT_COMPARED = frozenset({BlockType.CODE, BlockType.IMAGE, BlockType.EMBED})
_HEAD_BLOCKS = 8
"""Blocks at the beginning among which a repeated one is the lead."""
_LEAD = 40
"""Characters of a lead; shorter blocks are repeated on purpose."""
_PARAGRAPH = 80
_LONG = 120
"""Characters from which on a block that comes again elsewhere was not repeated on purpose."""
_REFRAIN = 3
"""Times that a long paragraph comes in a refrain; twice, it was pasted twice."""
_COPY = 3
"""Paragraphs, one after the other, that are a copy rather than a refrain..."""
_COPY_SHARE = 0.5
"""...if they are in another place than before, or have this share of all words."""


def without_copies(blocks: Sequence[Block], is_certain: Callable[[Block], bool] = lambda _: False) -> list[Block]:
    """Each part of a post once; a refrain, which comes again between other blocks of the same text, each time."""
    first: dict[str, int] = {}
    again: dict[int, int] = {}
    for at, block in enumerate(blocks):
        if block.type not in _NOT_COMPARED:
            if block.plain in first:
                again[at] = first[block.plain]
            else:
                first[block.plain] = at
    distinct = sum(map(len, first))
    times = Counter(blocks[at].plain for at in (*first.values(), *again))
    gone: set[int] = set()
    for run in _runs(blocks, again):
        if _is_copy(blocks, run, again, distinct):
            gone.update(run)
        else:
            gone.update(
                at
                for at in run
                if not is_certain(blocks[at]) and _is_twice(blocks, at, again[at], times[blocks[at].plain])
            )
    return [block for at, block in enumerate(blocks) if at not in gone]


def _runs(blocks: Sequence[Block], again: dict[int, int]) -> Iterator[list[int]]:
    """Blocks that come again, one after the other; pictures and code between them do not count."""
    run: list[int] = []
    for at, block in enumerate(blocks):
        if at in again:
            run.append(at)
        elif block.type not in _NOT_COMPARED and run:
            yield run
            run = []
    if run:
        yield run


def _is_copy(blocks: Sequence[Block], run: Sequence[int], again: dict[int, int], distinct: int) -> bool:
    size = sum(len(blocks[at].plain) for at in run)
    is_elsewhere = not any(_is_beside(blocks[at], blocks[again[at]]) for at in run)
    follows = again[run[-1]] < run[0] and run[0] - again[run[0]] <= len(run)
    if follows and is_elsewhere and size >= _LEAD:
        return True  # right after what it repeats
    paragraphs = sum(len(blocks[at].plain) >= _PARAGRAPH for at in run)
    return paragraphs >= _COPY and (size >= _COPY_SHARE * distinct or is_elsewhere)


def _is_twice(blocks: Sequence[Block], at: int, before: int, times: int) -> bool:
    """Whether a single block is there twice by the page's making rather than by its author's."""
    block = blocks[at]
    size = len(block.plain)
    if block.type is blocks[before].type and _is_beside(block, blocks[before]):
        return size >= _LONG and times < _REFRAIN and "\n" not in block.plain
    return size >= (_LEAD if at < _HEAD_BLOCKS else _LONG)


def _is_beside(one: Block, other: Block) -> bool:
    """Whether two blocks are in the same element, or each in a stanza of it."""
    if one.element is None or other.element is None:
        return True
    above, beyond = one.element.getparent(), other.element.getparent()
    if above is None or beyond is None or above is beyond:
        return above is beyond
    return above.tag == beyond.tag and above.getparent() is beyond.getparent()

"""What of a body's blocks is not the post: its title again, bylines, credits, and what trails behind it. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from archive.extract import boilerplate
from archive.extract.blocks import Block, BlockType

_SENTENCE = re.compile(r"[.!?…。！？:][\"'”’»)\]]*$")  # noqa: RUF001  as they are written
_DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}:\d\d\b|"
    r"\b\d+\s*(?:min|mins|minutes?|hours?|days?|weeks?|months?)\b",
    re.IGNORECASE,
)
_DATE_LENGTH = 60
_DISCLOSURE_LENGTH = 300
_BIO_LENGTH = 700
_CAPTION_LENGTH = 400
_PROSE = 80
_PARAGRAPH = 120
_COPY = 3
"""Paragraphs that come again, from which on the post does."""
_LINE = 40
_HEAD_LINE = 90
_CREDIT_LENGTH = 130
_ALSO_LENGTH = 250
_TAIL_LENGTH = 120
_PLEA_LENGTH = 320
_LEAST = 500
"""Characters of a post below which nothing that could be a sentence of it is cut off."""
_HEAD_BLOCKS = 8
_TAIL_BLOCKS = 12
_MOST = 0.6
_HALF = 0.5


def trimmed(
    blocks: Sequence[Block],
    titles: Collection[str],
    *,
    leads: Sequence[Block] = (),
    sure: Callable[[Block], bool] = lambda _: False,
) -> list[Block]:
    """The blocks that are the post's.

    Args:
        blocks: Those of its body.
        leads: Those between its title and its body.
        titles: What the page says that its title is.
        sure: Tells blocks that are the post's, whatever they say.
    """
    kept = _without_boxes(_once(blocks), sure)
    kept = [block for block in kept if sure(block) or is_own(block)]
    named = {boilerplate.folded(title) for title in titles}
    kept = _without_tail(_without_head(kept, named, sure), sure)
    said = {block.plain for block in kept} | named
    return [block for block in leads if sure(block) or _leads(block, said)] + kept


def _leads(block: Block, said: Collection[str]) -> bool:
    """Whether a block before the body is a lead of its own."""
    if block.plain in said or boilerplate.folded(_bare(block)) in said:
        return False
    return is_own(block) and not _is_byline(block)


def is_prose(block: Block) -> bool:
    """Whether a block is running text."""
    if block.type is BlockType.CODE:
        return True
    if block.type is BlockType.HEADING:
        return len(block.plain) - block.linked >= _PARAGRAPH
    if block.type not in (BlockType.PARAGRAPH, BlockType.ITEM, BlockType.QUOTE):
        return False
    bare = len(block.plain) - block.linked
    if block.linked > _HALF * len(block.plain):
        return False
    return bare >= _PROSE or (bare >= _LINE and _SENTENCE.search(block.plain) is not None)


def _once(blocks: Sequence[Block]) -> list[Block]:
    """Each paragraph once: some pages hold the post two or three times, for screens of several sizes."""
    seen: set[str] = set()
    again: set[int] = set()
    paragraphs = 0
    for at, block in enumerate(blocks):
        if block.type in (BlockType.CODE, BlockType.IMAGE, BlockType.EMBED):
            continue
        if block.plain in seen:
            again.add(at)
            paragraphs += len(block.plain) >= _PROSE
        seen.add(block.plain)
    if paragraphs < _COPY:  # what is short is said again for a reason, but for the lead
        again = {at for at in again if len(blocks[at].plain) >= (_LINE if at < _HEAD_BLOCKS else _PARAGRAPH)}
    return [block for at, block in enumerate(blocks) if at not in again]


def _without_boxes(blocks: Sequence[Block], sure: Callable[[Block], bool]) -> list[Block]:
    """Without what stands under headings such as "Related posts", up to running text or another heading."""
    kept: list[Block] = []
    closed = False
    for block in blocks:
        if sure(block):
            closed = False
        elif boilerplate.opens_furniture(_bare(block)) or boilerplate.opens_comments(_bare(block)):
            closed = True
        elif closed and (is_prose(block) or block.type in (BlockType.HEADING, BlockType.TABLE, BlockType.CAPTION)):
            closed = False
        if not closed:
            kept.append(block)
    return kept


def is_own(block: Block) -> bool:
    """Whether a block can be the post's: it is no label, credit, disclosure or link to another post."""
    if block.type in (BlockType.CODE, BlockType.TABLE, BlockType.EMBED, BlockType.IMAGE):
        return True
    said = _bare(block)
    if not any(map(str.isalnum, said)):
        return len(said) > 2 and block.type is not BlockType.CAPTION  # noqa: PLR2004  a rule of stars
    known = boilerplate.wording()
    is_other = (
        not boilerplate.keep_line(said)
        or (len(said) < _ALSO_LENGTH and block.linked > 0.3 * len(said) and known.also.match(said))
        or (len(said) < _DISCLOSURE_LENGTH and known.disclosure.search(said))
        or (block.linked > _MOST * len(block.plain) and known.plea.search(said))
    )
    is_credit = block.type is not BlockType.CAPTION and (
        (len(said) < _CAPTION_LENGTH and known.agency.search(said))
        or (len(said) < _CREDIT_LENGTH and known.credit.match(said))
    )
    return not is_other and not is_credit


def _without_head(blocks: list[Block], titles: Collection[str], sure: Callable[[Block], bool]) -> list[Block]:
    first = next((at for at, block in enumerate(blocks) if is_prose(block)), len(blocks))
    again = -1
    for at, block in enumerate(blocks[: min(first + 1, _HEAD_BLOCKS)]):
        if boilerplate.folded(_bare(block)) in titles:
            again = at
    kept = [
        block
        for at, block in enumerate(blocks)
        if at > again
        or block.type in (BlockType.EMBED, BlockType.IMAGE, BlockType.CAPTION, BlockType.CODE)
        or sure(block)
    ]
    first = next((at for at, block in enumerate(kept) if is_prose(block)), 0)
    return [block for block in kept[:first] if sure(block) or not _is_byline(block)] + kept[first:]


def _is_byline(block: Block) -> bool:
    if block.type not in (BlockType.PARAGRAPH, BlockType.ITEM, BlockType.QUOTE) or len(block.plain) >= _HEAD_LINE:
        return False
    said = _bare(block)
    if boilerplate.wording().byline.match(said[:1].lower() + said[1:]) or block.linked > _MOST * len(block.plain):
        return True
    return len(said) < _DATE_LENGTH and not _SENTENCE.search(said) and _DATE.search(said) is not None


def _without_tail(blocks: list[Block], sure: Callable[[Block], bool]) -> list[Block]:
    end = len(blocks)
    left = sum(len(block.plain) for block in blocks)
    for _ in range(_TAIL_BLOCKS):
        if end <= 1 or sure(blocks[end - 1]) or not _is_tail(blocks[end - 1]):
            break
        left -= len(blocks[end - 1].plain)
        if is_prose(blocks[end - 1]) and left < _LEAST:
            break
        end -= 1
    last = max(
        (at for at, block in enumerate(blocks[:end]) if is_prose(block) or block.type is BlockType.TABLE), default=-1
    )
    if last < 0:
        return blocks[:end]
    return blocks[: last + 1] + [block for block in blocks[last + 1 : end] if sure(block) or not _trails(block)]


def _is_tail(block: Block) -> bool:
    """Whether the last block is no part of the post, prose or not."""
    said = _bare(block)
    if block.type is BlockType.HEADING:
        return not is_prose(block)
    if block.type in (BlockType.CODE, BlockType.TABLE, BlockType.EMBED, BlockType.IMAGE, BlockType.CAPTION):
        return False
    if len(said) < _TAIL_LENGTH and boilerplate.wording().tail.match(said):
        return True
    if len(said) < _PLEA_LENGTH and boilerplate.wording().plea.search(said):
        return True
    if len(said) < _BIO_LENGTH and boilerplate.wording().bio.match(said):
        return True
    return block.linked > _MOST * len(block.plain) and len(said) < _TAIL_LENGTH


def _trails(block: Block) -> bool:
    said = _bare(block)
    return (
        block.type is BlockType.HEADING
        or bool(boilerplate.wording().tail.match(said))
        or block.linked > _MOST * len(block.plain)
    )


def _bare(block: Block) -> str:
    return block.plain.removeprefix("- ")

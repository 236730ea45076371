"""Boilerplate removal, last step: the repeated title, bylines, credits, and what follows the last paragraph. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

from archive.extract import boilerplate, words
from archive.extract.blocks import Block, BlockType
from archive.extract.characters import letters
from archive.extract.repeats import without_copies

_SENTENCE = re.compile(r"[.!?…。！？:][\"'”’»)\]]*$")  # noqa: RUF001
_DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}:\d\d\b|"
    r"\b\d+\s*(?:min|mins|minutes?|hours?|days?|weeks?|months?)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"@\w|://|\bwww\.")
_NAME = re.compile(r"(?:(?:Dr|Prof|Mr|Mrs|Ms)\.? )?[^\W\d_][\w.’'-]+(?: [^\W\d_a-z][\w.’'-]+){0,3}")  # noqa: RUF001
_MIN_STATEMENT = 5
"""Words of a sentence; fewer are a label with a full stop."""
_LABEL = 30
"""Characters at the beginning of a block in which a colon shows that it begins with a label."""
_TITLE = 20
"""Characters from which on an item of a list is the title of something rather than the name of a network."""
# Characters of the longest block that each kind of wording is tried on; a longer one is a paragraph that mentions it.
_MAX_DATE = 60
_MAX_BYLINE = 90
_MAX_TAIL = 120
_MAX_CREDIT = 130
_MAX_ALSO = 250
_MAX_DISCLOSURE = 300
_MAX_PLEA = 320
_MAX_AGENCY = 400
_MAX_BIO = 700

# Characters, links not counted.
_PROSE = 80
"""From here on a block is running text."""
_LINE = 40
"""From here on it is, if it ends like a sentence."""
_PARAGRAPH = 120
"""From here on a heading is a paragraph that is marked up as one; and a repeated block was not repeated on purpose."""
_MIN_POST = 500
"""Characters of a post below which no running text is cut off at its end."""

_HEAD_BLOCKS = 8
_TAIL_BLOCKS = 12
"""Blocks at the beginning and the end of a body that are searched for boilerplate."""
_MEDIA = frozenset({BlockType.IMAGE, BlockType.EMBED})
_MIN_RULE = 3
"""Characters of a line of stars that separates sections."""

# Link density.
_MOST = 0.6
"""Above this a block is a link to something else."""
_HALF = 0.5
"""Above this it is not running text."""
_ALSO_LINKS = 0.3
"""Above this a line such as "Read also: ..." is one that links to another post."""


def trimmed(
    blocks: Sequence[Block],
    titles: Collection[str],
    *,
    leads: Sequence[Block] = (),
    is_certain: Callable[[Block], bool] = lambda _: False,
) -> list[Block]:
    """The blocks that belong to the post.

    Args:
        blocks: The blocks of its body.
        titles: Its title, as the page states it in several places.
        leads: The blocks between its title and its body.
        is_certain: Whether a block certainly belongs to the post, whatever its text.
    """
    kept, headings = _without_boxes(without_copies(blocks, is_certain), is_certain)
    kept = [
        block
        for at, block in enumerate(kept)
        if is_certain(block) or is_own(block) or block in headings or _is_listed(kept, at)
    ]
    named = {boilerplate.folded(title) for title in titles}
    kept = _without_tail(_without_head(kept, named, is_certain), is_certain)
    said = {block.plain for block in kept}
    once = (block for block in leads if block.plain not in said)
    return [block for block in once if is_certain(block) or _is_own_lead(block, said | named)] + kept


def _is_own_lead(block: Block, known: Collection[str]) -> bool:
    """Whether a block before the body is a lead that the body does not repeat."""
    return boilerplate.folded(_bare(block)) not in known and is_own(block) and not _is_byline(block)


def is_prose(block: Block) -> bool:
    """Whether a block is running text."""
    if block.type is BlockType.CODE:
        return True
    if block.type is BlockType.HEADING:
        return len(block.plain) - block.linked >= _PARAGRAPH
    if block.type not in (BlockType.PARAGRAPH, BlockType.ITEM, BlockType.QUOTE):
        return False
    bare = letters(block.plain) - block.linked
    if block.linked > _HALF * len(block.plain):
        return False
    return bare >= _PROSE or (bare >= _LINE and _SENTENCE.search(block.plain) is not None)


def _without_boxes(
    blocks: Sequence[Block], is_certain: Callable[[Block], bool]
) -> tuple[list[Block], Collection[Block]]:
    """Blocks without what follows headings such as "Related posts", up to running text or another heading.

    Returns:
        The blocks, and those of these headings that are the author's.
    """
    kept: list[Block] = []
    headings: set[Block] = set()
    at = 0
    while at < len(blocks):
        block, at = blocks[at], at + 1
        is_comments = boilerplate.opens_comments(_bare(block))
        if is_certain(block) or not (is_comments or boilerplate.opens_boilerplate(_bare(block))):
            kept.append(block)
            continue
        end = at
        while end < len(blocks) and not is_certain(blocks[end]) and not _ends_box(blocks[end]):
            end += 1
        if not is_comments and _is_authors(blocks[at:end]):
            kept += [block, *blocks[at:end]]
            headings.add(block)
        at = end
    return kept, headings


def _ends_box(block: Block) -> bool:
    return is_prose(block) or block.type in (BlockType.HEADING, BlockType.TABLE, BlockType.CAPTION)


def _is_authors(blocks: Sequence[Block]) -> bool:
    """Whether the items under a heading are the author's: they say something, and lead nowhere or to other sites."""
    items = [block for block in blocks if block.type not in _MEDIA]
    own = [block for block in items if block.item and (is_own(block) if not block.linked else _is_reference(block))]
    are_several = len(own) > 1 or (len(own) == 1 and not own[0].linked)
    return are_several and len(own) > _HALF * len(items)


def _is_reference(block: Block) -> bool:
    """Whether an item of a list names something on another site."""
    return block.linked > 0 and block.outward > _HALF * block.linked and len(_bare(block)) >= _TITLE


def _authors_items(blocks: Sequence[Block]) -> frozenset[int]:
    """The linked items that lead to another site, or are in a list that a sentence with a colon announces."""
    found = set()
    is_announced = False
    for at, block in enumerate(blocks):
        if not block.item:
            is_announced = _announces(block)
        elif block.linked and (is_announced or _is_reference(block)):
            found.add(at)
    return frozenset(found)


def _announces(block: Block) -> bool:
    said = _bare(block)
    if block.linked or not said.endswith(":") or words.count(said) < _MIN_STATEMENT:
        return False
    return not boilerplate.opens_boilerplate(said) and not boilerplate.wording().also.match(said)


def _is_listed(blocks: Sequence[Block], at: int) -> bool:
    """Whether a label such as "Twitter" is an item of a list whose other items are the author's."""
    block = blocks[at]
    if not block.plain.startswith("- ") or block.linked or len(_bare(block).split()) > 1:
        return False
    beside = (blocks[one] for one in (at - 1, at + 1) if 0 <= one < len(blocks))
    return any(one.item and not one.linked and is_own(one) for one in beside)


def _is_statement(block: Block) -> bool:
    """Whether a block is a sentence of the author: without links, and without a word to the reader."""
    return _states(_bare(block), block.linked)


def _states(text: str, linked: int) -> bool:
    if linked or _ADDRESS.search(text) or ":" in text[:_LABEL]:
        return False
    if not _SENTENCE.search(text) or words.count(text) < _MIN_STATEMENT:
        return False
    return boilerplate.wording().reader.search(text) is None


def is_own(block: Block) -> bool:
    """Whether a block can belong to the post: it is not a label, credit, disclosure or link to another post."""
    if block.type in (BlockType.CODE, BlockType.TABLE, BlockType.EMBED, BlockType.IMAGE):
        return True
    judged = _is_own_line if len(block.plain) < _MAX_AGENCY else _is_own_text
    return judged(block.plain, block.linked, is_caption=block.type is BlockType.CAPTION)


def _is_own_text(plain: str, linked: int, *, is_caption: bool) -> bool:
    text = plain.removeprefix("- ")
    if not any(map(str.isalnum, text)):
        return len(text) >= _MIN_RULE and not is_caption
    known = boilerplate.wording()
    is_other = (
        (not boilerplate.keep_line(text) and not _states(text, linked))
        or (len(text) < _MAX_ALSO and linked > _ALSO_LINKS * len(text) and known.also.match(text))
        or (len(text) < _MAX_DISCLOSURE and known.disclosure.search(text))
        or (len(text) < _MAX_DISCLOSURE and known.offer.search(text) and not _states(text, linked))
        or (linked > _MOST * len(plain) and known.plea.search(text))
    )
    is_credit = not is_caption and (
        (len(text) < _MAX_AGENCY and known.agency.search(text))
        or (len(text) < _MAX_CREDIT and known.credit.match(text))
    )
    return not is_other and not is_credit


_is_own_line = lru_cache(maxsize=4_096)(_is_own_text)
"""A site repeats its lines, and an entry and its page have the same."""


def _without_head(blocks: list[Block], titles: Collection[str], is_certain: Callable[[Block], bool]) -> list[Block]:
    first = next((at for at, block in enumerate(blocks) if is_prose(block)), len(blocks))
    head = [at for at, block in enumerate(blocks[: first + 1]) if block.type not in _MEDIA][:_HEAD_BLOCKS]
    last = head[-1] if head else -1
    again = max((at for at in range(last + 1) if boilerplate.folded(_bare(blocks[at])) in titles), default=-1)
    kept = [
        block
        for at, block in enumerate(blocks)
        if at > again or block.type in (*_MEDIA, BlockType.CAPTION, BlockType.CODE) or is_certain(block)
    ]
    first = next((at for at, block in enumerate(kept) if is_prose(block)), 0)
    return [block for block in kept[:first] if is_certain(block) or not _is_byline(block)] + kept[first:]


def _is_byline(block: Block) -> bool:
    if block.type not in (BlockType.PARAGRAPH, BlockType.ITEM, BlockType.QUOTE) or len(block.plain) >= _MAX_BYLINE:
        return False
    text = _bare(block)
    if boilerplate.wording().byline.match(text[:1].lower() + text[1:]) or block.linked > _MOST * len(block.plain):
        return True
    return len(text) < _MAX_DATE and not _SENTENCE.search(text) and _DATE.search(text) is not None


def _without_tail(blocks: list[Block], is_certain: Callable[[Block], bool]) -> list[Block]:
    end = len(blocks)
    played: list[Block] = []
    items = _authors_items(blocks)
    left = sum(map(_size, blocks))
    for _ in range(_TAIL_BLOCKS):
        at = end - 1
        while at > 0 and blocks[at].type in _MEDIA:
            at -= 1
        if at < 1 or is_certain(blocks[at]) or at in items:
            break
        if not _is_tail(blocks[at], blocks[:at]):
            break
        left -= sum(map(_size, blocks[at:end]))
        if is_prose(blocks[at]) and left < _MIN_POST:
            break
        # A picture goes with the words that it follows, such as those about the author; a video is the post's.
        played = [block for block in blocks[at:end] if block.type is BlockType.EMBED] + played
        end = at
    last = max(
        (
            at
            for at, block in enumerate(blocks[:end])
            if is_prose(block) or block.type is BlockType.TABLE or at in items
        ),
        default=-1,
    )
    if last < 0:
        return blocks[:end] + played
    rest = [block for block in blocks[last + 1 : end] if is_certain(block) or not _trails(block)]
    return blocks[: last + 1] + rest + played


def _size(block: Block) -> int:
    """Characters of text in a block."""
    return 0 if block.type in _MEDIA else len(block.plain)


def _is_tail(block: Block, before: Sequence[Block]) -> bool:
    """Whether the last block does not belong to the post, running text or not."""
    text, known = _bare(block), boilerplate.wording()
    if block.type is BlockType.HEADING:
        return not is_prose(block)
    if block.type in (BlockType.CODE, BlockType.TABLE, BlockType.EMBED, BlockType.IMAGE, BlockType.CAPTION):
        return False
    is_short, is_plea = len(text) < _MAX_TAIL, len(text) < _MAX_PLEA
    if ((is_short and known.tail.match(text)) or (is_plea and known.plea.search(text))) and not _is_statement(block):
        return True
    if len(text) < _MAX_BIO and known.bio.match(text) and not _is_told_of(text, before):
        return True
    return _is_linked(block) and is_short


def _is_told_of(text: str, before: Sequence[Block]) -> bool:
    """Whether the post tells of the person that a block begins with: then that is not who wrote it."""
    named = _NAME.match(text)
    names = named[0].split() if named else []
    return bool(names) and any(names[-1] in block.plain for block in before if is_prose(block))


def _is_linked(block: Block) -> bool:
    """Whether a block is a link to something else on the site."""
    return block.linked > _MOST * len(block.plain) and not (block.item and block.outward > _HALF * block.linked)


def _trails(block: Block) -> bool:
    if block.type in _MEDIA:
        return False
    text = _bare(block)
    return (
        block.type is BlockType.HEADING
        or (boilerplate.wording().tail.match(text) is not None and not _is_statement(block))
        or _is_linked(block)
    )


def _bare(block: Block) -> str:
    return block.plain.removeprefix("- ")

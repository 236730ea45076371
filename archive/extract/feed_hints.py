"""Hints from a feed's entry: where on the page the post is, and which of the page's blocks certainly belong to it.

The text itself comes from the page only: an entry can be older or newer than the capture, and an archive shows what the
page said. No I/O.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree
from lxml.html import HtmlElement, fragment_fromstring

from archive.extract import boilerplate
from archive.extract.block_walk import blocks_of
from archive.extract.blocks import Block, BlockType, markdown_text
from archive.extract.text import Entry
from archive.extract.trim import is_own
from archive.extract.words import letters, words
from archive.limits import GUIDE_CHARACTERS

_DISTINCTIVE = 30
"""Letters and digits from which on a block is distinctive enough to show where the post is."""
_BEGINNING = 40
"""Letters and digits of the post's beginning that are compared."""
_MOST = 0.9
"""Share of the entry's blocks that the body must contain."""
_WHOLE_POST = 400
"""Letters and digits from which on an entry can be the whole post; a shorter one is a summary."""
_MIN_BLOCKS = 2
_NOT_WORDS = frozenset({BlockType.EMBED, BlockType.IMAGE})
_FEW_WORDS = 5
_SAME = 0.8
"""Share of a block's words that a page with an edited form of it has; of fewer words, a page has them by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHints:
    """The text of an entry's content, for comparison."""

    known: frozenset[str]
    """The text of each block, as `comparable` gives it."""
    beginning: str
    """How the post, or its summary, begins; empty if it has no distinctive block."""
    is_whole: bool
    """The entry seems to have the whole post rather than a summary."""

    @classmethod
    @lru_cache(maxsize=2)  # several steps ask for those of the same entry
    def of(cls, markup: str | None) -> FeedHints | None:
        """The hints in an entry's content or summary; None if it has no text."""
        found = [block for block in entry_blocks(markup) if is_own(block)]
        texts = [comparable(block) for block in found]
        known = frozenset(filter(None, texts))
        if not known:
            return None
        long = [text for text in texts if len(text) >= _DISTINCTIVE]
        last = found[-1].plain
        return cls(
            known=known,
            beginning=long[0][:_BEGINNING] if long else "",
            is_whole=len(long) >= _MIN_BLOCKS and sum(map(len, texts)) >= _WHOLE_POST and not boilerplate.is_cut(last),
        )

    def knows(self, block: Block) -> bool:
        """Whether the entry has a block with the same text."""
        return comparable(block) in self.known

    def agree_with(self, blocks: Iterable[Block]) -> bool:
        """Whether a text begins as the entry does, and has all of it but the cut end of a summary."""
        texts = {comparable(block) for block in blocks}
        begins = bool(self.beginning) and any(text.startswith(self.beginning) for text in texts)
        return begins and len(self.known - texts) <= (not self.is_whole)

    def narrowed(self, blocks: Sequence[Block], leads: Iterable[HtmlElement] = ()) -> list[Block]:
        """Blocks without those outside the smallest element that has most of the entry, unless the entry has them.

        Args:
            blocks: The blocks of a text.
            leads: Elements outside that belong to the post as well.
        """
        place = self.body(blocks)
        if place is None:
            return list(blocks)
        places = {place, *leads}
        return [block for block in blocks if block.element is None or block.is_within(places) or self.knows(block)]

    def share_in(self, blocks: Iterable[Block]) -> float:
        """Share of the letters of the entry's blocks that are among these, 0 to 1."""
        found = {comparable(block) for block in blocks} & self.known
        return sum(map(len, found)) / sum(map(len, self.known))

    def begins(self, block: Block) -> bool:
        """Whether the block begins as the entry does."""
        return bool(self.beginning) and comparable(block).startswith(self.beginning)

    def body(self, page: Iterable[Block]) -> HtmlElement | None:
        """The smallest element of a page with most of the post's blocks; None if the entry does not show that."""
        if not self.is_whole:
            return None
        contained: defaultdict[HtmlElement, set[str]] = defaultdict(set)
        found: set[str] = set()
        for block in page:
            text = comparable(block)
            if len(text) >= _DISTINCTIVE and text in self.known and block.element is not None:
                found.add(text)
                for element in (block.element, *block.element.iterancestors()):
                    contained[element].add(text)
        if len(found) < max(_MIN_BLOCKS, _MOST * sum(len(text) >= _DISTINCTIVE for text in self.known)):
            return None
        candidates = [element for element, texts in contained.items() if len(texts) >= _MOST * len(found)]
        return max(candidates, key=lambda element: sum(1 for _ in element.iterancestors()))


@lru_cache(maxsize=4)  # every step that compares a page with its entry asks for them
def entry_blocks(markup: str | None, base: str = "") -> tuple[Block, ...]:
    """The blocks of an entry's content, without the line that blog software adds to each; none if it has no text.

    Args:
        markup: The content, not sanitised.
        base: What its links are relative to; empty if only its words are asked for.
    """
    if not markup or not markup.strip():
        return ()
    try:
        root = fragment_fromstring(markup[:GUIDE_CHARACTERS], create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return ()
    found = blocks_of(root, dropped=frozenset(), url=base)
    if len(found) > 1 and boilerplate.wording().feed_footer.search(found[-1].plain):
        found.pop()
    return tuple(found)


def feed_only(entry: Entry, text: str, url: str) -> str:
    """The blocks that only the feed has, as Markdown; empty unless the entry is the whole post.

    Args:
        entry: The post's entry.
        text: The text of its page.
        url: The URL of the page, the base of relative links.
    """
    hints = FeedHints.of(entry.html)
    if hints is None or not hints.is_whole or not text:
        return ""
    known = _Known.of(text, entry.title)
    if all(map(known.has, entry_blocks(entry.html))):
        return ""
    return markdown_text(block for block in entry_blocks(entry.html, url) if not known.has(block))


@dataclass(frozen=True, slots=True)
class _Known:
    """The words of a text and of its title."""

    letters: str
    words: frozenset[str]
    title: str

    @classmethod
    def of(cls, text: str, title: str | None) -> _Known:
        return cls(letters(text), frozenset(words(text)), letters(title or ""))

    def has(self, block: Block) -> bool:
        """Whether the text has what a block says, perhaps edited; so it has what no post says."""
        own = letters(block.plain)
        if block.type in _NOT_WORDS or not own or own in self.letters or own == self.title or not is_own(block):
            return True
        said = frozenset(words(block.plain))
        return len(said) >= _FEW_WORDS and len(said & self.words) >= _SAME * len(said)


def comparable(block: Block) -> str:
    """The text of a block for comparison: its letters and digits, case folded."""
    return letters(block.plain) if block.type is not BlockType.EMBED else ""

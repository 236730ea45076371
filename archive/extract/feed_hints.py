"""What a feed's entry tells of the post's words on its page: where they stand, and which of them are surely the post's.

Words come from the page alone: an entry is older or newer than a capture, and an archive shows what the page said.
No I/O.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement, fragment_fromstring

from archive.extract.blocks import Block, BlockType, blocks_of
from archive.extract.trim import is_own
from archive.limits import GUIDE_CHARACTERS

_WORD = re.compile(r"\w+")
_SENTENCE = 30
"""Letters of a block's words, from which on it tells where the post stands."""
_BEGINNING = 40
_MOST = 0.9
_LONG = 400
_CUT = re.compile(
    r"(?:\.\.\.|…|\[…\]|\[\.\.\.\]|read more|continue reading|weiterlesen|leer más|lire la suite|continua a leggere|"
    r"читать далее)\W*$",
    re.IGNORECASE,
)

_FOOT = re.compile(
    r"^The post\b.* (?:appeared first|first appeared) on |^(?:comments|source|via)$", re.IGNORECASE | re.DOTALL
)
"""What software for blogs adds to each entry's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The words of an entry's content."""

    known: frozenset[str]
    """Each block's words, as `words` gives them."""
    beginning: str
    """Words that the post, or its summary, begins with; empty if there are too few to tell."""
    is_whole: bool
    """It seems to be the whole post and not a summary."""

    @classmethod
    def of(cls, markup: str | None) -> Guide | None:
        """The guide that an entry's content or summary gives; None if it holds no words."""
        if not markup or not markup.strip():
            return None
        try:
            root = fragment_fromstring(markup[:GUIDE_CHARACTERS], create_parent="div")
        except (etree.ParserError, etree.XMLSyntaxError, ValueError):
            return None
        found = [block for block in blocks_of(root, dropped=frozenset()) if is_own(block)]
        if len(found) > 1 and _FOOT.search(found[-1].plain):
            found.pop()
        said = [words(block) for block in found]
        known = frozenset(filter(None, said))
        if not known:
            return None
        long = [one for one in said if len(one) >= _SENTENCE]
        last = found[-1].plain
        return cls(
            known=known,
            beginning=long[0][:_BEGINNING] if long else "",
            is_whole=len(long) > 1 and sum(map(len, said)) >= _LONG and not _CUT.search(last),
        )

    def knows(self, block: Block) -> bool:
        """Whether the entry says just this."""
        return words(block) in self.known

    def begins(self, block: Block) -> bool:
        """Whether the block begins as the entry does."""
        return bool(self.beginning) and words(block).startswith(self.beginning)

    def body(self, page: Iterable[Block]) -> HtmlElement | None:
        """The smallest element of a page that holds most of the post's blocks; None if the entry does not tell."""
        if not self.is_whole:
            return None
        held: defaultdict[HtmlElement, set[str]] = defaultdict(set)
        found: set[str] = set()
        for block in page:
            said = words(block)
            if len(said) >= _SENTENCE and said in self.known and block.element is not None:
                found.add(said)
                for element in (block.element, *block.element.iterancestors()):
                    held[element].add(said)
        if len(found) < 2 or len(found) < _MOST * self._sentences():  # noqa: PLR2004
            return None
        holders = [element for element, said in held.items() if len(said) >= _MOST * len(found)]
        return max(holders, key=lambda element: sum(1 for _ in element.iterancestors()))

    def _sentences(self) -> int:
        return sum(len(said) >= _SENTENCE for said in self.known)


def words(block: Block) -> str:
    """What a block says, for comparison: letters and digits of its words, folded."""
    return "".join(_WORD.findall(block.plain.casefold())) if block.type is not BlockType.EMBED else ""


def all_blocks(root: HtmlElement, unread: frozenset[HtmlElement]) -> Sequence[Block]:
    """Every block of a page, whatever it is."""
    body = root.find("body")
    return blocks_of(root if body is None else body, dropped=unread)

"""Blocks - paragraphs, headings, list items and so on - and what a list of them says, as plain text and Markdown.

Pure values, no I/O; `block_walk` makes them of a page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice

from lxml.html import HtmlElement

from archive.extract.text import Image, Link
from archive.extract.written import Written
from archive.limits import FIELD_CHARACTERS, TEXT_IMAGES, TEXT_LINKS

_CAPTION_DEPTH = 3
"""Elements above a caption that can be the frame around it and its picture."""


class BlockType(Enum):
    """The type of a block."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    QUOTE = "quote"
    CODE = "code"
    TABLE = "table"
    CAPTION = "caption"
    EMBED = "embed"
    IMAGE = "image"


NOT_TEXT = frozenset({BlockType.EMBED, BlockType.IMAGE, BlockType.CAPTION})
"""What is in Markdown and not in plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph, heading, list item, table or the like."""

    type: BlockType
    plain: str
    """Its text: one line, except verse, code and tables. For a video its URL, for a picture its description."""
    written: Written = field(compare=False, repr=False)
    """Its Markdown and its links."""
    joint: str = "\n\n"
    """What Markdown puts between the previous block and this one."""
    linked: int = 0
    """Characters of its text that are links."""
    item: bool = False
    """It is in a list."""
    caption: bool = field(default=False, compare=False)
    """It is the caption of a picture, the author's own words or not."""
    image: Image | None = field(default=None, compare=False)
    """The picture, without its caption, if it is one."""
    element: HtmlElement | None = field(default=None, compare=False)
    """The element of the page that contains it."""

    @property
    def markdown(self) -> str:
        """Its Markdown, without the joint."""
        return self.written.markdown

    @property
    def links(self) -> tuple[Link, ...]:
        """The links in it."""
        return self.written.links

    @property
    def outward(self) -> int:
        """How many of the characters that are links lead to other sites."""
        return self.written.outward

    def is_within(self, elements: Collection[HtmlElement]) -> bool:
        """Whether it is in one of these elements of the page."""
        above = self.element
        while above is not None and above not in elements:
            above = above.getparent()
        return above is not None


def plain_text(blocks: Iterable[Block]) -> str:
    """Blocks as plain text, one paragraph a line, without captions, pictures and videos."""
    return "\n".join(block.plain for block in blocks if block.type not in NOT_TEXT)


def markdown_text(blocks: Iterable[Block]) -> str:
    """Blocks as Markdown, with links, pictures, captions, and links to embedded videos."""
    return "".join(part for block in blocks for part in (block.joint, block.markdown)).strip("\n")


def links_in(blocks: Iterable[Block]) -> tuple[Link, ...]:
    """The links in blocks, in order; no more than `TEXT_LINKS`."""
    return tuple(islice((link for block in blocks for link in block.links), TEXT_LINKS))


def images_in(blocks: Sequence[Block]) -> tuple[Image, ...]:
    """The pictures among blocks with their captions, in order; no more than `TEXT_IMAGES`."""
    shown = (
        replace(block.image, caption=_caption(block, blocks[at + 1] if at + 1 < len(blocks) else None))
        for at, block in enumerate(blocks)
        if block.image is not None
    )
    return tuple(islice(shown, TEXT_IMAGES))


def _caption(image: Block, following: Block | None) -> str:
    """The text of the block after a picture if that is its caption; empty if it is not."""
    if following is None or following.element is None or image.element is None or not following.caption:
        return ""
    frame = islice((following.element, *following.element.iterancestors()), _CAPTION_DEPTH + 1)
    around = set(image.element.iterancestors())
    return following.plain[:FIELD_CHARACTERS] if any(element in around for element in frame) else ""

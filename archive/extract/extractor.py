"""What an extractor is: it gets a parsed page, and finds the words of the post.

To add one, write a class with a `name` and a method `post`, and add it to `extractors.EXTRACTORS`; the contract test in
`tests/archive/test_extractors.py` then holds for it. No I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from archive.extract.block_walk import blocks_of
from archive.extract.blocks import Block, images_in, links_in, markdown_text, plain_text
from archive.extract.body import Outline
from archive.extract.feed_hints import FeedHints
from archive.extract.links import base_url
from archive.extract.page_signs import Signs, signs_of
from archive.extract.page_source import Source
from archive.extract.site_profile import Profile
from archive.extract.text import Image, Link


@dataclass(frozen=True, kw_only=True)
class Page:
    """What an extractor is given."""

    source: Source
    title: str | None = None
    """The post's title as the page states it."""
    hints: FeedHints | None = None
    """What a feed has of the post."""
    site: Profile | None = None
    """The blocks that recur on the site."""
    witness: str | None = None
    """Whose words are wanted, where there is a choice; None: by the evidence."""
    read_signs: Callable[[], Signs] | None = None
    """Reads the structure of the page where more is known of it, such as its headers."""

    @cached_property
    def outline(self) -> Outline:
        """The page prepared for the search for the post, when that is first needed."""
        return Outline(self.source.tree, self.title, self.base)

    @cached_property
    def base(self) -> str:
        """The URL that its links are relative to."""
        return base_url(self.source.tree, self.source.url)

    @cached_property
    def blocks(self) -> Sequence[Block]:
        """Every block of the page, boilerplate included, written when that is first needed."""
        body = self.source.tree.find("body")
        return blocks_of(self.source.tree if body is None else body, dropped=self.outline.unread, url=self.base)

    @cached_property
    def signs(self) -> Signs:
        """The structure of the page, read when it is first needed."""
        return self.read_signs() if self.read_signs else signs_of(self.source.tree, url=self.source.url)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which witness the words of a post are from."""

    chosen: str
    """`pressmark`, `trafilatura`, or `joined`: the blocks that either of them found."""
    confidence: float
    """0.5 if another choice would have been as good, 1 if nothing speaks for another."""
    asked: bool
    """Whether trafilatura was asked: our own text left a doubt."""

    def as_json(self) -> dict[str, object]:
        """Its fields."""
        return {"chosen": self.chosen, "confidence": round(self.confidence, 2), "asked": self.asked}


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The words of a page's post."""

    text: str = ""
    """Plain text, one paragraph a line; empty if the page has none."""
    markdown: str = ""
    comments: str = ""
    """Readers' comments as plain text."""
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    judgement: Judgement | None = None
    """How it was chosen, if there was a choice."""
    blocks: Sequence[Block] = field(default=(), repr=False, compare=False)
    """Its blocks, if it was made of blocks."""

    @classmethod
    def of(cls, blocks: Sequence[Block], *, comments: str = "", judgement: Judgement | None = None) -> Post:
        """The post that consists of these blocks."""
        return cls(
            text=plain_text(blocks),
            markdown=markdown_text(blocks),
            comments=comments,
            links=links_in(blocks),
            images=images_in(blocks),
            judgement=judgement,
            blocks=blocks,
        )


class Extractor(Protocol):
    """Finds the post on a page."""

    @property
    def name(self) -> str:
        """What is recorded with each text."""

    def post(self, page: Page) -> Post:
        """The post of a page; without text if there is none. The page is not changed."""

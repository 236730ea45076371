"""Our own extractor: `body` finds the post, `blocks` writes it, `trim` trims it, the feed's entry helps. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from lxml.html import HtmlElement

from archive.extract import body, boilerplate, short_posts, trim
from archive.extract.block_walk import blocks_of
from archive.extract.blocks import Block, BlockType, plain_text
from archive.extract.extractor import Page, Post
from archive.extract.feed_hints import FeedHints, comparable
from archive.extract.site_profile import Profile


class OwnExtractor:
    """Text density, link density, names and the feed's entry decide what the post is."""

    name = "pressmark"

    def post(self, page: Page) -> Post:
        """The post of a page."""
        found = find(page)
        return checked(found.post() if found else Post(), page)


@dataclass(frozen=True, slots=True)
class Found:
    """A post and its place on the page."""

    body: body.Body
    blocks: Sequence[Block]
    comments: str

    def post(self) -> Post:
        """The words of it."""
        return Post.of(self.blocks, comments=self.comments)


def find(page: Page, at: HtmlElement | None = None) -> Found | None:
    """The post of a page; None if the page has no text.

    Args:
        page: The page.
        at: The element that is the body, if that is known already.
    """
    found = body.find(page.outline, at=at)
    if found is None:
        return None
    kept = _trimmed(page, found, found.dropped) if page.hints is None else _with_hints(page, found, page.hints)
    if page.site is not None:
        kept = without_recurring(kept, page.site)
    return Found(found, kept, _comments(found, page.base))


def written(page: Page, elements: Sequence[HtmlElement]) -> Post:
    """The post that consists of these elements of a page."""
    unread = page.outline.unread
    return Post.of([block for element in elements for block in blocks_of(element, dropped=unread, url=page.base)])


def titles(page: Page) -> set[str]:
    """The post's title, as the page states it in several places."""
    headings = (" ".join("".join(h1.itertext()).split()) for h1 in page.source.tree.iter("h1"))
    return {one for one in (page.title, *headings) if one}


def checked(made: Post, page: Page) -> Post:
    """A post, unless it is so short that the structure of its page says more about where the post is."""
    if not short_posts.is_short(made.text):
        return made
    own = short_posts.own_element(made.text, page.signs)
    if own is not None:
        found = find(page, own)
        made = replace(found.post(), judgement=made.judgement) if found else Post(judgement=made.judgement)
    if short_posts.is_aside(made.text, page.signs):
        made = Post(comments=made.comments, judgement=made.judgement)
    return made


def without_recurring(blocks: list[Block], site: Profile) -> list[Block]:
    """Blocks without those that recur on the site, unless there are no others."""
    return [block for block in blocks if not site.knows(block.plain)] or blocks


def _comments(found: body.Body, url: str) -> str:
    return plain_text(
        block
        for element in found.comments
        for block in blocks_of(element, dropped=found.unread, url=url)
        if boilerplate.keep_line(block.plain)
    )


def _trimmed(
    page: Page,
    found: body.Body,
    dropped: frozenset[HtmlElement],
    is_certain: Callable[[Block], bool] = lambda _: False,
) -> list[Block]:
    """The blocks of the post, leads first."""
    leads = [block for lead in found.leads for block in blocks_of(lead, dropped=dropped, url=page.base)]
    blocks = blocks_of(found.element, dropped=dropped, url=page.base)
    return trim.trimmed(blocks, titles(page), leads=leads, is_certain=is_certain)


def _with_hints(page: Page, found: body.Body, hints: FeedHints) -> list[Block]:
    """The post's blocks, found with the hints in its feed entry."""
    kept = _trimmed(page, found, found.dropped, hints.knows)
    if hints.agree_with(kept):
        kept = hints.narrowed(kept, filter(boilerplate.names_lead, found.leads))
    else:
        kept = _by_hints(page, found, hints)
    return [_as_text(block) if hints.knows(block) else block for block in _without_twins(kept)]


def _by_hints(page: Page, found: body.Body, hints: FeedHints) -> list[Block]:
    """The blocks of a post where the entry says something else than the page alone: it is looked for on all of it."""
    at = hints.body(page.blocks)
    if at is not None and at is not found.element:
        found = body.find(page.outline, at=at) or found
    # What the entry contains stays, and so do the elements around it.
    own = [block.element for block in page.blocks if block.element is not None and hints.knows(block)]
    kept_elements = {above for element in own for above in (element, *element.iterancestors())}
    if hints.is_whole:
        found = replace(
            found, leads=[lead for lead in found.leads if lead in kept_elements or boilerplate.names_lead(lead)]
        )
    kept = _trimmed(page, found, found.dropped - kept_elements, hints.knows)
    begins = [block for block in page.blocks if hints.begins(block)]
    if begins and not any(hints.begins(block) for block in kept):
        kept.insert(0, begins[0])
    return kept


def _as_text(block: Block) -> Block:
    """A caption or description as a paragraph, because the feed entry shows that it belongs to the post."""
    return replace(block, type=BlockType.PARAGRAPH) if block.type in (BlockType.CAPTION, BlockType.IMAGE) else block


def _without_twins(blocks: list[Block]) -> list[Block]:
    """Blocks without the descriptions of pictures that their captions repeat."""
    return [
        block
        for block, following in zip_longest(blocks, blocks[1:])
        if block.type is not BlockType.IMAGE
        or following is None
        or not block.plain
        or comparable(block) != comparable(following)
    ]

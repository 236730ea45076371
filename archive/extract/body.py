"""Boilerplate removal: where on a page the post is, and what within it is not the post. No I/O.

Text density, link density (`measure`) and names (`boilerplate.toml`) decide, in three phases over one prepared `Page`:

1. `exclude`: what is named as boilerplate does not count, unless the post seems to be in it.
2. `choose`: the body is the element with a name that blog software gives it, or else the smallest one with most of the
   text.
3. `drop`: teasers, widgets and lists of links within the body go.

The thresholds of each phase are named at the top of its module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lxml.html import HtmlElement

from archive.extract.boilerplate import Kind
from archive.extract.candidates import Page
from archive.extract.choose import choose, leads, only_article
from archive.extract.drop import drop
from archive.extract.exclude import Exclusion, exclude
from archive.extract.tags import WRAPPERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The post's place on a page."""

    element: HtmlElement
    leads: Sequence[HtmlElement]
    """Paragraphs between the post's title and its body."""
    dropped: frozenset[HtmlElement]
    """Elements within it that are not the post, and all of `unread`."""
    unread: frozenset[HtmlElement]
    """As for `Outline`."""
    left_out: Sequence[HtmlElement]
    """Boxes that are named as boilerplate and are not the post, anywhere on the page."""
    comments: Sequence[HtmlElement]
    """Containers of the readers' comments, anywhere on the page."""


class Outline:
    """A page prepared for the search for its body; several searches share it."""

    def __init__(self, root: HtmlElement, title: str | None = None, url: str = "") -> None:
        """`root`: the page; `title`: the post's title as the page states it; `url`: what its links are relative to."""
        self.page = Page.of(root, title, url)

    @cached_property
    def exclusion(self) -> Exclusion:
        """What does not count on the page."""
        return exclude(self.page)

    @cached_property
    def unread(self) -> frozenset[HtmlElement]:
        """Wrappers anywhere on the page whose text readers do not see as text, such as buttons.

        Those that never have text, such as scripts and videos, are left to `blocks_of`, which knows which of them show
        something.
        """
        measure = self.page.measure
        return frozenset(
            element for i, element in enumerate(measure.elements) if measure.unread[i] and element.tag in WRAPPERS
        )


def find(outline: Outline, *, at: HtmlElement | None = None) -> Body | None:
    """The body of the post that a page shows; None if the page has no text.

    Args:
        outline: The page.
        at: The element that is the body, if that is known already.
    """
    page = outline.page
    measure = page.measure
    if at is None and not measure.prose[0] and not any(page.named):
        at = only_article(page)
        if at is None:
            return None
    exclusion = outline.exclusion
    chosen = choose(page, exclusion) if at is None else measure.elements.index(at)
    if chosen is None:
        return None
    return Body(
        element=measure.elements[chosen],
        leads=leads(page, exclusion, chosen),
        dropped=drop(page, exclusion, chosen) | outline.unread,
        unread=outline.unread,
        left_out=[
            element
            for i, element in enumerate(measure.elements)
            if exclusion.kinds[i] is Kind.STRONG and exclusion.out[i] and not measure.contains(i, chosen)
        ],
        comments=_comments(page, exclusion),
    )


def _comments(page: Page, exclusion: Exclusion) -> list[HtmlElement]:
    """The outermost elements that are excluded as comments."""
    kinds = exclusion.kinds
    return [
        element
        for i, element in enumerate(page.measure.elements)
        if kinds[i] is Kind.COMMENTS
        and exclusion.out[i]
        and not any(kinds[j] is Kind.COMMENTS for j in page.measure.ancestors(i)[1:])
    ]

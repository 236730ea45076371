"""A page prepared for the search for its body: measures, what class names say, and the signs of a post. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from lxml.html import HtmlElement

from archive.extract import boilerplate
from archive.extract.boilerplate import Names
from archive.extract.measure import Measure

NEVER_BODY = frozenset(
    "p ul ol table blockquote pre li tr tbody thead tfoot dl dd dt figure h1 h2 h3 h4 h5 h6 a b strong em i".split()  # noqa: SIM905
)
"""Tags that are part of a text and so cannot be the body."""
_TEXT_TAGS = frozenset({"p", "li", "blockquote", "pre"})
_MIN_TITLE = 12
"""Characters of an `h1` that can be a title; shorter ones are logos."""

PARAGRAPH = 140
"""Characters of running text from which on a paragraph is text, whatever its class is called."""
SHORT_POST = 600
"""Characters of running text below which a post may be one of links, of verse, or a note."""
SCANT = 100
"""Characters of running text below which a box named as weak boilerplate is boilerplate."""
NEIGHBOURING_TEXT = 200
"""Characters of running text before and after a box that make it a part of the post rather than an appendix."""
MIN_HEADING, MAX_HEADING = 4, 60
"""Characters of a heading such as "3 comments" or "Related posts"; a longer one is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the search knows of a page; elements are named by their numbers in `measure`."""

    title: str
    """What the page states as the post's title, folded for comparison; empty if it states none."""
    url: str = ""
    """What its links are relative to; empty if that is not known."""
    measure: Measure
    names: Sequence[Names]
    named: Sequence[bool]
    """Whether the element has a name that blog software gives to a post's body."""
    titles: Sequence[int]
    """Every `h1` that can be a title."""
    signs: Sequence[int]
    """How many signs of a post come before each element: `h1`, `article`, elements named as body."""
    sums: Sequence[float]
    """Running text before each element."""

    @classmethod
    def of(cls, root: HtmlElement, title: str | None, url: str = "") -> Page:
        """Prepare a page; `title` is what it states as the post's title, `url` what its links are relative to."""
        measure = Measure.of(root)
        names = [boilerplate.names_of(element) for element in measure.elements]
        named = [
            (own.is_body or "articleBody" in (element.get("itemprop") or ""))
            and not measure.unread[i]
            and element.tag not in NEVER_BODY
            and element.tag not in ("html", "body")
            for i, (own, element) in enumerate(zip(names, measure.elements, strict=True))
        ]
        signs = (
            element.tag in ("h1", "article") or is_named
            for element, is_named in zip(measure.elements, named, strict=True)
        )
        return cls(
            title=boilerplate.folded(title or ""),
            url=url,
            measure=measure,
            names=names,
            named=named,
            titles=[i for i, e in enumerate(measure.elements) if e.tag == "h1" and measure.own[i] >= _MIN_TITLE],
            signs=[0, *accumulate(signs)],
            sums=[0.0, *accumulate(measure.weight)],
        )

    def is_text(self, i: int) -> bool:
        """Whether an element is a paragraph of running text, so that no class name makes it boilerplate."""
        return self.measure.weight[i] >= PARAGRAPH and self.measure.elements[i].tag in _TEXT_TAGS

    def has_title(self, i: int) -> bool:
        """Whether a title is within an element."""
        return any(i < title <= self.measure.end[i] for title in self.titles)

    def has_sign(self, i: int) -> bool:
        """Whether a sign of a post is within an element, itself not counted."""
        return self.signs[self.measure.end[i] + 1] > self.signs[i + 1]

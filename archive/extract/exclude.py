"""Boilerplate removal, first phase: the elements whose text does not count when the body is chosen. No I/O.

A name alone does not make an element boilerplate: each rule compares how much of the page's running text is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from archive.extract import boilerplate
from archive.extract.boilerplate import Kind
from archive.extract.candidates import MAX_HEADING, MIN_HEADING, NEIGHBOURING_TEXT, PARAGRAPH, SCANT, SHORT_POST, Page
from archive.extract.captions import is_source
from archive.extract.links import joined
from archive.extract.outward import leads_away
from archive.extract.tags import HEADINGS

_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg)(?:[?#]|$)", re.IGNORECASE)
_ROOTS = frozenset({"html", "body", "main"})
_NOT_OWN = HEADINGS | {"header", "nav", "footer", "time"}
_FEW_LETTERS = 10
"""Characters of the shortest post: "Rain again." """
_BOXES = frozenset({"aside", "nav", "footer", "form"})
_CARDS = frozenset("div li article section a figure".split())  # noqa: SIM905

# Shares of the page's running text.
_NEGLIGIBLE = 0.02
"""A box named as boilerplate with less than this is boilerplate, whatever else is in it."""
_WITH_TITLE = 0.1
"""With a title in it, it is a header or a hero if it has less than this."""
_MINOR = 0.25
"""Without one, it is boilerplate below this: few posts have a quarter of their text in such a box."""
_MAIN = 0.6
"""A box with more than this is where the post is, even if it has no sign of one or is named as teasers."""
_RIVAL = 0.15
"""An element named as body outside a box, with at least this much text, shows that the box is not the post."""
_BODY = 0.2
"""An element that is also named as body is not boilerplate above this."""
_COMMENTS_BODY = 0.5
"""What is named both as comments and as body is the post above this."""
_CARD_BODY = 0.1
"""An element named as body within cards shows above this that they are posts rather than teasers."""

_BODY_IN_COMMENTS = 0.3
"""Share of the text of a comments container that an element named as body must have for the post to be in there."""
_LINK_BOX = 0.5
"""Link density above which a box named as weak boilerplate is a list of links."""
_LINKED_HEADING = 0.8
"""Link density above which a heading is a link to another post."""
_CARD_SHARE = 0.7
"""Share of the siblings that must look like teasers: the odd one may be an advertisement."""
_MIN_CARDS = 2
_MIN_SIBLINGS = {"li": 2, "article": 2}
"""Siblings of one kind that make a group of teasers, by tag; a `div` says less about its purpose."""
_MIN_OTHER_SIBLINGS = 3
_MAX_TEASER = 400
"""Characters of running text in a paragraph, from which on it is a text and not a teaser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """What does not count on a page, by the numbers of its elements."""

    out: Sequence[bool]
    """The element does not count as the post's text."""
    kinds: Sequence[Kind]
    """What kind of boilerplate the element is named as, whether it counts or not."""
    text: Sequence[float]
    """Running text within each element that counts."""


def exclude(page: Page) -> Exclusion:
    """Find what does not count.

    Where nothing would be left, the names on the page mean something else: fewer of the rules apply, in the end none.
    """
    marking = _Marking(page)
    marking.exclude_frame()
    frame = list(marking.out)
    marking.total = max(marking.total, 1.0)
    marking.exclude_boxes()
    marking.exclude_cards()
    kinds: Sequence[Kind] = marking.kinds
    out: Sequence[bool] = marking.out
    text = _counted(page, out)
    for fewer in (frame, [False] * len(frame)):
        has_post = _has_short_body(page, out) or short_post(page, out) is not None
        if text[0] <= 0 < page.measure.prose[0] and not has_post:
            out, kinds = fewer, [Kind.NONE] * len(frame)
            text = _counted(page, out)
    return Exclusion(out=out, kinds=kinds, text=text)


def _counted(page: Page, out: Sequence[bool]) -> list[float]:
    """Running text within each element, without what is out."""
    measure = page.measure
    text = [0.0] * len(out)
    for i in range(len(text) - 1, -1, -1):
        if not out[i]:
            text[i] += measure.weight[i]
            if i:
                text[measure.parent[i]] += text[i]
    return text


def short_post(page: Page, out: Sequence[bool]) -> int | None:
    """The one `article` of a page, if it has words of its own besides headings, links and what is out."""
    found = [i for i, element in enumerate(page.measure.elements) if element.tag == "article"]
    if len(found) != 1 or out[found[0]] or _own_words(page, out, found[0]) < _FEW_LETTERS:
        return None
    return found[0]


def _own_words(page: Page, out: Sequence[bool], top: int) -> int:
    """Characters in an element that are neither in headings, headers or links nor out."""
    measure = page.measure
    total, i = 0, top
    while i <= measure.end[top]:
        if out[i] or measure.unread[i] or measure.elements[i].tag in _NOT_OWN:
            i = measure.end[i] + 1
            continue
        if measure.block[i]:
            total += measure.own[i] - measure.own_links[i]
        i += 1
    return total


def _has_short_body(page: Page, out: Sequence[bool]) -> bool:
    """Whether an element that is named as body, and counts, has text at all."""
    return any(
        named and not is_out and chars >= PARAGRAPH
        for named, is_out, chars in zip(page.named, out, page.measure.chars, strict=True)
    )


class _Marking:
    """The marks on the elements of a page while the rules are applied, one after the other."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.measure = page.measure
        self.kinds = [Kind.NONE] * len(page.measure.elements)
        self.out = [False] * len(page.measure.elements)
        self.short: int | None = None
        """The one article of the page, known once its frame is."""
        self.total = page.measure.prose[0] if page.measure.prose else 0.0
        """Running text of the page without its frame and comments."""

    # -- navigation, footers, captions, comments

    def exclude_frame(self) -> None:
        """Exclude navigation, footers, captions and comments, whatever their share of the page is."""
        page, measure = self.page, self.measure
        for i, element in enumerate(measure.elements):
            tag = element.tag
            if measure.unread[i] or tag in ("html", "body"):
                continue
            if i and self.out[measure.parent[i]]:
                self.out[i] = True
                continue
            if tag == "figcaption":
                goes = True
            elif tag in ("nav", "footer"):
                goes = not page.has_title(i) and not is_source(element)
            elif page.names[i].is_comments and tag not in ("main", "article"):
                self.kinds[i] = Kind.COMMENTS
                goes = not self._has_post(i)
            elif page.names[i].is_consent and tag not in ("main", "article"):
                goes = not self._has_post(i)
            else:
                continue
            if goes:
                self.out[i] = True
                self.total -= measure.prose[i]
        self._exclude_under_headings()

    def _exclude_under_headings(self) -> None:
        """Exclude what follows a heading such as "3 comments" in the same element, if a post's text precedes it."""
        page, measure = self.page, self.measure
        for i, element in enumerate(measure.elements):
            if element.tag not in HEADINGS or self.out[i] or not MIN_HEADING <= measure.chars[i] <= MAX_HEADING:
                continue
            if page.sums[i] < PARAGRAPH or not boilerplate.opens_comments(
                " ".join("".join(element.itertext()).split())
            ):
                continue
            above = measure.parent[i]
            j = i
            while j <= measure.end[above]:
                if not self._has_post(j) and not self.out[j]:
                    self.kinds[j] = Kind.COMMENTS
                    self.total -= measure.prose[j]
                    for k in measure.within(j):
                        self.out[k] = True
                j = measure.end[j] + 1

    def _has_post(self, i: int) -> bool:
        """Whether what is named as comments, or as a consent dialog, seems to contain the post."""
        page, prose = self.page, self.measure.prose
        if page.has_title(i) or (page.named[i] and prose[i] > _COMMENTS_BODY * self.total):
            return True
        if not page.has_sign(i):
            return False
        return any(
            page.named[j] and prose[j] > _BODY_IN_COMMENTS * prose[i] for j in range(i + 1, self.measure.end[i] + 1)
        )

    # -- boxes that are named as boilerplate

    def exclude_boxes(self) -> None:
        """Exclude what `boilerplate.toml` names, unless the post seems to be in it."""
        page, measure = self.page, self.measure
        self.short = short_post(page, self.out)
        for i, element in enumerate(measure.elements):
            if measure.unread[i] or self.out[i]:
                continue
            if i and self.out[measure.parent[i]]:
                self.out[i] = True
                continue
            tag = element.tag
            if tag in _ROOTS or not (element.attrib or tag in _BOXES):
                continue
            kind = self.kinds[i]
            if kind is Kind.NONE:
                kind = self.kinds[i] = boilerplate.kind_of(element)
            if kind is Kind.NONE or kind is Kind.COMMENTS or tag == "article":
                continue
            if page.named[i] and measure.prose[i] > _BODY * self.total:
                continue
            if page.is_text(i) or (not measure.block[i] and not boilerplate.is_unseen(element)):
                continue
            self.out[i] = self._is_strong(i) if kind is Kind.STRONG else self._is_weak(i)

    def _is_strong(self, i: int) -> bool:
        page, measure, total = self.page, self.measure, self.total
        prose = measure.prose[i]
        if prose < _NEGLIGIBLE * total or self._is_beside_article(i):
            return True
        if page.names[i].is_others and not any(page.named[j] for j in measure.within(i)):
            return prose < _MAIN * total
        if page.has_title(i):
            return prose < _WITH_TITLE * total
        if prose < _MINOR * total:
            return True
        if not page.has_sign(i) and prose < _MAIN * total:
            return True
        return any(
            page.named[j]
            and measure.prose[j] >= _RIVAL * total
            and not measure.contains(i, j)
            and not measure.contains(j, i)
            for j in range(len(page.named))
        )

    def _is_beside_article(self, i: int) -> bool:
        """Whether a box with most of the text is beside the one article of the page, which is a post of few words."""
        measure, top = self.measure, self.short
        if top is None or measure.prose[i] < _MAIN * self.total or measure.prose[top] >= SHORT_POST:
            return False
        if measure.contains(top, i) or measure.contains(i, top):
            return False
        return not any(self.page.named[j] and not measure.contains(top, j) for j in range(len(self.page.named)))

    def _is_weak(self, i: int) -> bool:
        measure = self.measure
        is_scant = measure.prose[i] < SCANT or measure.link_chars[i] > _LINK_BOX * measure.chars[i]
        return is_scant and measure.prose[i] < _MINOR * self.total

    # -- teasers

    def exclude_cards(self) -> None:
        """Exclude teasers: siblings of one kind, each with a linked heading or picture and no long text."""
        measure = self.measure
        groups: dict[tuple[int, str, str], list[int]] = {}
        for i, element in enumerate(measure.elements):
            if measure.links[i] and measure.block[i] and not self.out[i] and element.tag in _CARDS:
                first = (element.get("class") or "").split(" ", 1)[0]
                if first or element.tag in ("li", "article"):
                    groups.setdefault((measure.parent[i], element.tag, first), []).append(i)
        for (_, tag, _), members in groups.items():
            if len(members) < _MIN_SIBLINGS.get(tag, _MIN_OTHER_SIBLINGS):
                continue
            if sum(measure.prose[i] for i in members) >= _MAIN * self.total or self._has_named(members):
                continue
            cards = sum(self._is_card(i) for i in members)
            if cards >= _MIN_CARDS and cards >= _CARD_SHARE * len(members) and not self._is_inside_text(members):
                for i in members:
                    self.kinds[i] = Kind.CARD
                    for j in measure.within(i):
                        self.out[j] = True

    def _has_named(self, members: Iterable[int]) -> bool:
        return any(
            self.page.named[j] and (j == i or self.measure.prose[j] >= _CARD_BODY * self.total)
            for i in members
            for j in self.measure.within(i)
        )

    def _is_card(self, i: int) -> bool:
        measure = self.measure
        linked = False
        for j in measure.within(i):
            tag = measure.elements[j].tag
            if tag == "p" and measure.weight[j] >= _MAX_TEASER:
                return False
            if linked or (tag not in HEADINGS and tag not in ("img", "picture", "figure")):
                continue
            above = measure.ancestors(j)
            around = [measure.elements[k] for k in above[: above.index(i) + 1] if measure.elements[k].tag == "a"]
            if tag in HEADINGS and measure.chars[j] and measure.link_chars[j] > _LINKED_HEADING * measure.chars[j]:
                around += measure.elements[j].iter("a")
            linked = any(map(self._leads_to_post, around))
        return linked

    def _leads_to_post(self, link: HtmlElement) -> bool:
        """Whether a link can lead to another post: not to a place on the page, a picture, or away from a number."""
        href = (link.get("href") or "").strip()
        if href.startswith("#") or _PICTURE.search(href):
            return False
        is_listed = next(link.iterancestors("ol", "ul", "article"), link).tag == "ol"
        return not is_listed or not leads_away(joined(self.page.url, href) or "", self.page.url)

    def _is_inside_text(self, members: Sequence[int]) -> bool:
        """Whether more of the post's text follows the cards within what is named as its body."""
        measure, sums = self.measure, self.page.sums
        body = next((i for i in measure.ancestors(members[0]) if self.page.named[i]), None)
        if body is None:
            return False
        return sums[measure.end[body] + 1] - sums[measure.end[members[-1]] + 1] >= NEIGHBOURING_TEXT

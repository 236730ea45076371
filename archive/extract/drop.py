"""Boilerplate removal, third phase: the elements within the body that are not the post. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from lxml.html import HtmlElement

from archive.extract import boilerplate
from archive.extract.boilerplate import Kind
from archive.extract.candidates import MAX_HEADING, MIN_HEADING, NEIGHBOURING_TEXT, SCANT, SHORT_POST, Page
from archive.extract.captions import is_source
from archive.extract.exclude import Exclusion
from archive.extract.notices import is_notice
from archive.extract.outward import has_own_items, is_of_titles, is_quoted

_BOXES = frozenset({"aside", "nav", "footer", "form"})
_SOURCES = frozenset({"footer", "cite", "figcaption"})
_LISTS = frozenset("div ul ol section table dl li p header figure".split())  # noqa: SIM905

# Shares of the body.
_STRONG = 0.3
"""A box named as boilerplate is dropped below this share of the running text: in a body, names are more reliable."""
_TEASERS = 0.6
"""Boxes named as teasers of other posts can have more than half as much text as the post."""
_WITH_LINKS = 0.2
"""How much larger its share of all characters may be: boilerplate has more links and labels than text."""
_HEADED_BOX = 0.25
"""Share of the running text up to which a box of links can belong to the heading that it begins with."""
_LINK_LIST_TEXT = 0.05
"""Share of the running text below which an element with links has no text worth keeping."""
_LINK_LIST = 0.4
"""Share of all characters above which links are what the post is about."""

# Link density.
_LINKS = 0.7
"""Above this an element is a list of links."""
_SOME_LINKS = 0.3
"""Above this a box under a heading, or a scant box, is one of links."""
_WEAK_LINKS = 0.6
"""Above this a box named as weak boilerplate is dropped, however long it is."""
_MIN_LINKS = 2
_MIN_WORDS = 4
"""Words of a sentence that announces a list; fewer are a label."""
_SHORT_LIST = 200
"""Characters below which one link is enough for a list: "Source: ..." in a `div` of its own."""


@dataclass(frozen=True, slots=True)
class _Body:
    page: Page
    exclusion: Exclusion
    number: int
    prose: float
    """Its running text; never 0, so that shares can be taken."""
    chars: int


def drop(page: Page, exclusion: Exclusion, chosen: int) -> frozenset[HtmlElement]:
    """The elements within the body that are not the post."""
    measure = page.measure
    body = _Body(page, exclusion, chosen, measure.prose[chosen] or 1.0, measure.chars[chosen] or 1)
    boxes = _headed_boxes(body)
    dropped = []
    i = chosen + 1
    while i <= measure.end[chosen]:
        if measure.unread[i]:
            i = measure.end[i] + 1
        elif i in boxes or _is_dropped(body, i):
            dropped.append(measure.elements[i])
            i = measure.end[i] + 1
        else:
            i += 1
    return frozenset(dropped)


def _headed_boxes(body: _Body) -> frozenset[int]:
    """What a heading such as "Related posts" opens: the largest element that begins with it and is not the post."""
    measure = body.page.measure
    found = set()
    for i in measure.within(body.number):
        if not MIN_HEADING <= measure.own[i] <= MAX_HEADING or measure.chars[i] > MAX_HEADING:
            continue
        heading = " ".join("".join(measure.elements[i].itertext()).split())
        if not boilerplate.opens_boilerplate(heading):
            continue
        box = i
        while (above := measure.parent[box]) > body.number and not any(measure.own[above:i]):
            is_links = measure.link_chars[above] > _SOME_LINKS * measure.chars[above]
            if measure.prose[above] > (_HEADED_BOX * body.prose if is_links else NEIGHBOURING_TEXT):
                break
            box = above
        if box != i and not has_own_items(measure.elements[box], body.page.url):
            found.add(box)
    return frozenset(found)


def _is_dropped(body: _Body, i: int) -> bool:
    element, is_out = body.page.measure.elements[i], body.exclusion.out[i]
    kind = body.exclusion.kinds[i]
    if not kind and is_out and (element.attrib or element.tag in _BOXES):
        kind = boilerplate.kind_of(element)
    if element.tag in _SOURCES and is_source(element):
        return False
    if not body.page.measure.block[i]:
        return bool(kind) and boilerplate.is_unseen(element)
    if kind is Kind.CARD or (kind is Kind.COMMENTS and is_out):
        return True
    return _is_boilerplate(body, i, kind) or _is_link_list(body, i) or _is_notice(body, i)


def _is_notice(body: _Body, i: int) -> bool:
    measure = body.page.measure
    return measure.prose[i] < _STRONG * body.prose and is_notice(measure.elements[i], measure.chars[i])


def _is_boilerplate(body: _Body, i: int, kind: Kind) -> bool:
    measure = body.page.measure
    prose, chars, linked = measure.prose[i], measure.chars[i], measure.link_chars[i]
    if kind is Kind.WEAK:
        is_scant = prose < SCANT and (linked > _SOME_LINKS * chars or chars < MAX_HEADING)
        return (is_scant or linked > _WEAK_LINKS * chars) and not _is_quoted(body, i)
    if not kind or body.page.is_text(i):
        return False
    is_others = body.exclusion.out[i] and kind is Kind.STRONG and body.page.names[i].is_others
    share = _TEASERS if is_others else _STRONG
    return prose < share * body.prose and chars < (share + _WITH_LINKS) * body.chars


def _is_quoted(body: _Body, i: int) -> bool:
    """Whether a box in the midst of the body has words of somebody else, such as a post of a network or a card."""
    measure = body.page.measure
    before, after = _around(body, i)
    is_amid = before >= NEIGHBOURING_TEXT and after >= NEIGHBOURING_TEXT
    return is_amid and measure.links[i] > 0 and is_quoted(measure.elements[i], body.page.url)


def _around(body: _Body, i: int) -> tuple[float, float]:
    """Running text of the body before and after an element."""
    sums, end = body.page.sums, body.page.measure.end
    return sums[i] - sums[body.number], sums[end[body.number] + 1] - sums[end[i] + 1]


def _is_announced(body: _Body, i: int) -> bool:
    """Whether a sentence before a list ends with a colon: the list is what it speaks of."""
    element = body.page.measure.elements[i]
    before = element.getprevious() if element.tag in ("ul", "ol", "dl") else None
    said = " ".join("".join(before.itertext()).split()) if before is not None and isinstance(before.tag, str) else ""
    is_sentence = said.endswith(":") and len(said.split()) >= _MIN_WORDS
    return is_sentence and not boilerplate.opens_boilerplate(said) and not boilerplate.wording().also.match(said)


def _is_link_list(body: _Body, i: int) -> bool:
    """Whether an element at the beginning or the end of the body has links and little else."""
    page, measure = body.page, body.page.measure
    chars, tag = measure.chars[i], measure.elements[i].tag
    is_links = measure.link_chars[i] > _LINKS * chars and measure.prose[i] < _LINK_LIST_TEXT * body.prose
    are_enough = measure.links[i] >= _MIN_LINKS or (chars < _SHORT_LIST and tag != "p")
    if not is_links or not are_enough or tag not in _LISTS or not 0 < chars < _LINK_LIST * body.chars:
        return False
    if measure.prose[body.number] < SHORT_POST and page.named[body.number]:  # a post of links
        return False
    if is_of_titles(measure.elements[i], page.url) or _is_announced(body, i):
        return False
    before, after = _around(body, i)
    return before < NEIGHBOURING_TEXT or after < NEIGHBOURING_TEXT

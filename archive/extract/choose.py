"""Readability scoring, second phase: the element that is the body, and the paragraphs that lead to it. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from lxml.html import HtmlElement

from archive.extract import boilerplate
from archive.extract.boilerplate import Kind
from archive.extract.candidates import NEVER_BODY, SHORT_POST, Page
from archive.extract.exclude import Exclusion, short_post
from archive.extract.tags import HEADINGS

_TABLE = frozenset({"table", "tbody", "thead", "tfoot", "tr"})
"""Never the body themselves, but old sites lay out their pages with them."""

_FRAMED = frozenset({"pre", "blockquote"})
_LINES = 3
"""Elements of a kind that are the lines of a text."""
_FRAMES = 6
"""Elements around a listing and nothing else."""
_FRAME = 20
"""Characters around a listing that are the name of its file or language."""
_MOST = 0.8
"""Share of an element's text that a child must have for the search to descend into it."""
_NAMED = 0.3
"""Share of the text of the smallest element with most of it, from which on an element named as body wins."""
_SAME = 0.85
"""Share of the text of the largest element named as body, from which on a later one, such as one in it, wins."""
_SEVERAL = 1.15
"""If elements with the same name have more than this times the text of the largest, it is not the only body."""
_MIN_ALIKE = 2
_TOGETHER = 1.3
"""If their common ancestor has no more than this many times their text, they are parts of one post."""
_LONGER = 2.5
"""A short post's body may be another element if that has this many times the characters, links included."""
_MIN_LONGER = 400
"""...and more characters than this."""

_MIN_LEAD, _MAX_LEAD = 60, 1_200
"""Characters of a paragraph that leads to the body: more than a byline, less than a text of its own."""
_MIN_NAMED_LEAD = 30
"""Characters of one that is named as a lead."""
_MAX_LEADS = 3
"""Number of paragraphs above which the text before the body is a list of something."""
_LEAD_LINKS = 0.3
"""Link density from which on a paragraph is not a lead."""
_SCANT_LEAD = 200
"""Characters of running text below which a box named as boilerplate is skipped in the search for leads."""


def choose(page: Page, exclusion: Exclusion) -> int | None:
    """The number of the body; None if nothing on the page can be it."""
    measure, text, named = page.measure, exclusion.text, page.named
    if not text or text[0] <= 0:
        chosen = 0
    else:
        chosen = smallest = _smallest(page, text)
        candidates = [i for i, is_named in enumerate(named) if is_named and text[i] > 0]
        if candidates:
            best, are_several = _best(page, text, candidates)
            if are_several or text[best] >= _NAMED * text[smallest]:
                chosen = best
    if text[chosen] < SHORT_POST:  # a post of links or of verse has little running text
        counting = [i for i, is_named in enumerate(named) if is_named and not exclusion.out[i]]
        longest = max(counting, key=lambda i: measure.chars[i], default=chosen)
        has_text = text[0] > 0
        if measure.chars[longest] > (max(_LONGER * measure.chars[chosen], _MIN_LONGER) if has_text else 0):
            chosen = longest if not measure.contains(longest, chosen) or not has_text else chosen
    if not chosen and text and text[0] <= 0:
        chosen = short_post(page, exclusion.out) or 0
    return chosen if chosen or text[0] > 0 else None


def only_article(page: Page) -> HtmlElement | None:
    """The element with the few words of a page without running text, such as a note or the caption of a picture."""
    measure = page.measure
    for tag in ("article", "main"):
        found = [element for i, element in enumerate(measure.elements) if element.tag == tag and measure.chars[i]]
        if len(found) == 1:
            return found[0]
    return None


def _smallest(page: Page, text: Sequence[float]) -> int:
    """The smallest element with most of the text."""
    measure = page.measure
    children: dict[int, list[int]] = {}
    for i in range(1, len(text)):
        if text[i] > 0:
            children.setdefault(measure.parent[i], []).append(i)
    at = 0
    while at in children:
        best = max(children[at], key=text.__getitem__)
        tag = measure.elements[best].tag
        if text[best] < _MOST * text[at] or (tag in NEVER_BODY and tag not in _TABLE):
            break
        at = best
    while measure.elements[at].tag in _TABLE or (
        measure.parent[at] > 0 and (_is_frame(page, at) or _is_line(page, at))
    ):
        at = measure.parent[at]
    return at


def _is_frame(page: Page, i: int) -> bool:
    """Whether an element has nothing but one listing or quotation: the words around it are the post as well."""
    measure = page.measure
    parts = [j for j in measure.within(i) if measure.elements[j].tag in _FRAMED and measure.chars[j] > 0]
    return bool(parts) and measure.chars[i] - measure.chars[parts[0]] < _FRAME


def _is_line(page: Page, i: int) -> bool:
    """Whether an element is a paragraph among others of its kind: some editors write each line as a `div`."""
    measure, element = page.measure, page.measure.elements[i]
    if measure.own[i] < measure.chars[i] or measure.elements[measure.parent[i]].tag == "body":
        return False
    beside = [
        j
        for j in range(measure.parent[i] + 1, measure.end[measure.parent[i]] + 1)
        if measure.parent[j] == measure.parent[i]
        and measure.own[j] > 0
        and measure.elements[j].tag == element.tag
        and measure.elements[j].get("class") == element.get("class")
    ]
    return len(beside) >= _LINES


def _best(page: Page, text: Sequence[float], named: Sequence[int]) -> tuple[int, bool]:
    """The body among the elements named so, and whether these belong to several posts."""
    measure = page.measure
    best = max(named, key=lambda i: text[i])
    for i in named:
        if text[i] >= _SAME * text[best]:
            best = i
    signature = _signature(measure.elements[best])
    alike = [i for i in named if _signature(measure.elements[i]) == signature]
    alike = [i for at, i in enumerate(alike) if at == 0 or measure.end[alike[at - 1]] < i]
    together = sum(text[i] for i in alike)
    if not any(signature[1:]) or len(alike) < _MIN_ALIKE or together <= _SEVERAL * text[best]:
        return best, False
    common = next(i for i in measure.ancestors(alike[0]) if measure.end[i] >= alike[-1])
    if _lists_posts(page):
        return common, True
    articles = {next((j for j in measure.ancestors(i) if measure.elements[j].tag == "article"), -1) for i in alike}
    titles = [i for i in page.titles if i > alike[0]]
    if (len(articles) > 1 and -1 not in articles) or len(titles) > 1:
        return alike[0], True
    return (common, False) if text[common] <= _TOGETHER * together else (best, False)


def _signature(element: HtmlElement) -> tuple[str, str | None, str | None]:
    """What elements of the same kind have in common."""
    return str(element.tag), element.get("class"), element.get("itemprop")


def _lists_posts(page: Page) -> bool:
    body = next((element for element in page.measure.elements if element.tag == "body"), None)
    return body is not None and not boilerplate.rules().listing.isdisjoint((body.get("class") or "").split())


# -- leads


def leads(page: Page, exclusion: Exclusion, chosen: int) -> list[HtmlElement]:
    """The paragraphs between the post's title and its body."""
    measure = page.measure
    title = last_title(page, chosen)
    if title is None:
        return []
    found = []
    i = measure.end[title] + 1
    while i < chosen:
        is_figure = measure.elements[i].tag in ("figure", "figcaption")
        is_named = page.names[i].is_lead
        is_other = measure.end[i] < chosen and (is_figure or page.names[i].is_not_lead)
        if is_other or _is_skipped(page, exclusion, i, is_named=is_named):
            i = measure.end[i] + 1
        elif measure.end[i] >= chosen:
            i += 1
        elif _is_lead(page, exclusion, i, is_named=is_named):
            found.append(i)
            i = measure.end[i] + 1
        else:
            i += 1
    return [measure.elements[i] for i in found] if len(found) <= _MAX_LEADS else []


def last_title(page: Page, chosen: int) -> int | None:
    """The last heading before the body with the post's title, or else the last `h1`."""
    measure = page.measure
    if page.title:
        before = [i for i in range(chosen) if measure.elements[i].tag in HEADINGS and measure.end[i] < chosen]
        for i in reversed(before):
            if boilerplate.folded("".join(measure.elements[i].itertext())) == page.title:
                return i
    return next((i for i in reversed(page.titles) if measure.end[i] < chosen), None)


def _is_skipped(page: Page, exclusion: Exclusion, i: int, *, is_named: bool) -> bool:
    """Whether an element is skipped in the search for leads."""
    kind = exclusion.kinds[i]
    if page.measure.unread[i] or kind is Kind.CARD:
        return True
    is_scant = bool(kind) and page.measure.prose[i] < _SCANT_LEAD and not is_named
    return (exclusion.out[i] or is_scant) and not any(page.names[j].is_lead for j in page.measure.within(i))


def _is_lead(page: Page, exclusion: Exclusion, i: int, *, is_named: bool) -> bool:
    measure = page.measure
    own, linked, chars = measure.own[i], measure.own_links[i], measure.chars[i]
    if is_named and chars <= _MAX_LEAD:
        return chars >= _MIN_NAMED_LEAD and measure.link_chars[i] < _LEAD_LINKS * chars
    is_heading = measure.elements[i].tag in HEADINGS and _MIN_LEAD <= own <= _MAX_LEAD
    return (measure.weight[i] >= _MIN_LEAD or is_heading) and linked < _LEAD_LINKS * own and not exclusion.out[i]

"""Buttons and labels whose words belong to the post: headings that open a section, items of a checklist. No I/O."""

from __future__ import annotations

from itertools import islice

from lxml.html import HtmlElement

from archive.extract.tags import HEADINGS

CONTROLS = frozenset({"button", "label"})
_TITLES = HEADINGS | {"dt", "summary"}
_OPENS = ("aria-controls", "aria-expanded", "data-target", "data-bs-target")
"""Attributes of a button that shows and hides a section."""
_TICKS = frozenset({"checkbox", "radio"})
_DEPTH = 4
"""Elements above a control that can be the heading or the item it is in."""
_SECTION = 80
"""Characters of text, links not counted, of a section that a control opens."""
_FORM = 1_500
"""Characters of a form; one with more has the page in it, as with ASP.NET."""
_MAX_DEPTH = 15
"""Elements above a control that are searched for a form."""
_MAX_PARTS = 300
"""Pieces of text, links or fields of an element that are looked at."""
_MAX_TITLE = 150
"""Characters of words that open a section."""
_MAX_WORDS = 300
"""Characters of a heading or an item; what is longer is not looked at."""


def is_words(control: HtmlElement) -> bool:
    """Whether the words of a `button` or `label` are read as text rather than as what it is for."""
    words = "".join(islice(control.itertext(), _MAX_PARTS)).strip()
    if not any(map(str.isalnum, words)) or len(words) > _MAX_WORDS:
        return False
    above = list(islice(control.iterancestors(), _MAX_DEPTH))
    if any(element.tag in _TITLES for element in above[:_DEPTH]):
        return True
    if any(element.tag == "form" and _is_short(element) for element in above):
        return False
    if control.tag == "label" and any(element.tag == "li" and _has_tick(element) for element in above[:_DEPTH]):
        return True
    return len(words) <= _MAX_TITLE and _is_opener(control) and _opens_text(control)


def _is_opener(control: HtmlElement) -> bool:
    """Whether a control can show and hide a section: a button that says so, or the label of a box before it."""
    if control.tag == "button":
        return any(name in control.attrib for name in _OPENS)
    box = next((one for one in control.itersiblings(preceding=True) if isinstance(one.tag, str)), None)
    return box is not None and box.tag == "input" and box.get("id") == control.get("for") and _is_tick(box)


def _is_tick(field: HtmlElement) -> bool:
    return (field.get("type") or "").lower() in _TICKS


def _has_tick(item: HtmlElement) -> bool:
    return any(map(_is_tick, islice(item.iter("input"), _MAX_PARTS)))


def _opens_text(control: HtmlElement) -> bool:
    """Whether text follows the control, or the element that has nothing but the control."""
    at = control
    for _ in range(_DEPTH):
        following = next((one for one in at.itersiblings() if isinstance(one.tag, str) and one.tag != "input"), None)
        if following is not None:
            return _own_text(following) >= _SECTION
        above = at.getparent()
        if above is None or above.tag in ("body", "form", "nav"):
            break
        at = above
    return False


def _is_short(form: HtmlElement) -> bool:
    parts = list(islice(form.itertext(), _MAX_PARTS))
    return len(parts) < _MAX_PARTS and sum(len(part.strip()) for part in parts) < _FORM


def _own_text(element: HtmlElement) -> int:
    """Characters of its text that are not links; of a long text, those at its beginning."""
    linked = sum(len("".join(link.itertext()).strip()) for link in islice(element.iter("a"), _MAX_PARTS))
    return sum(len(part.strip()) for part in islice(element.itertext(), _MAX_PARTS)) - linked

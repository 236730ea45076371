"""Boxes amid the paragraphs of a post that ask for consent or for a subscription. No I/O."""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

from lxml.html import HtmlElement

from archive.extract import boilerplate

_BOXES = frozenset({"div", "section", "aside", "figure"})
_MIN_CHARACTERS, _MAX_CHARACTERS = 60, 900
"""A notice is longer than a label and shorter than a part of a post."""
_MAX_FORM = 400
"""Characters of a box with a field for a mail address."""
_MARKS = 2
"""Marks of one kind that make a notice: each of them alone is in posts about these things as well."""
_PARAGRAPHS = 2
"""Paragraphs beside a box that show that it interrupts them."""
_PARAGRAPH = 40
_MAX_SIBLINGS = 100


def is_notice(element: HtmlElement, characters: int) -> bool:
    """Whether an element is a box amid paragraphs whose words ask for consent, or offer to read on for an account.

    Args:
        element: The element.
        characters: How many it has.
    """
    if element.tag not in _BOXES or not _MIN_CHARACTERS <= characters <= _MAX_CHARACTERS:
        return False
    if not _is_amid_paragraphs(element):
        return False
    words = " ".join(" ".join(islice(element.itertext(), _MAX_CHARACTERS)).split())
    if len(words) <= _MAX_FORM and any((field.get("type") or "").lower() == "email" for field in element.iter("input")):
        return True
    return any(sum(mark.search(words) is not None for mark in marks) >= _MARKS for marks in _kinds())


def _is_amid_paragraphs(element: HtmlElement) -> bool:
    above = element.getparent()
    if above is None:
        return False
    paragraphs = 0
    for one in islice(above.iterchildren("p"), _MAX_SIBLINGS):
        paragraphs += len("".join(one.itertext()).strip()) >= _PARAGRAPH
        if paragraphs >= _PARAGRAPHS:
            return True
    return False


@cache
def _kinds() -> tuple[tuple[re.Pattern[str], ...], ...]:
    listed = boilerplate.parsed_rules()["notice"]
    return tuple(tuple(re.compile(mark, re.IGNORECASE) for mark in marks) for marks in listed.values())

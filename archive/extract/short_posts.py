"""The text of pages with few words: of those, any part - a comment, a sidebar, a dialog - may be taken for the post.

The structure of the page decides instead of its text density. No I/O.
"""

from __future__ import annotations

from lxml.html import HtmlElement

from archive.extract import words
from archive.extract.page_signs import Signs

_SHORT = 60
"""Words up to which a text is compared with the structure of its page."""
_RATHER_SHORT = 150
"""The same if the body of the post is marked up."""
_PART = 0.3
"""Share of the words of a text that a post's element must have if it is not marked up as its body."""
_MOST = 0.95
"""Share of a text that must be in the post's element."""


def is_short(text: str) -> bool:
    """Whether a text is so short that it may not be the post."""
    return words.count(text) <= _RATHER_SHORT


def own_element(text: str, signs: Signs) -> HtmlElement | None:
    """The element that is marked up as the post, if the text was found somewhere else; None if it is right."""
    size = words.count(text)
    if signs.own is None or size > (_RATHER_SHORT if signs.has_body else _SHORT):
        return None
    if not signs.has_body and words.count(signs.own_text) < _PART * size:
        return None
    own = words.letters(signs.own_text)
    lines = [words.letters(line) for line in text.split("\n")]
    inside = sum(len(line) for line in lines if line in own)
    return signs.own if not text or inside < _MOST * sum(map(len, lines)) else None


def is_aside(text: str, signs: Signs) -> bool:
    """Whether a text is only hints for readers without scripts, consent dialogs, or labels of forms."""
    if not text or words.count(text) > _SHORT:
        return False
    seen, aside = words.letters("".join(signs.seen)), words.letters("".join(signs.aside))
    lines = [words.letters(line) for line in text.split("\n")]
    return all(line in aside and line not in seen for line in lines if line)

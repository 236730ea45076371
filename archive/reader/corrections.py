"""Whether a paragraph is the correction of a post: set apart, in the language's own word for it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import regex

from archive.extract.calendar_words import plain

_LABEL_CHARACTERS = 60
"""From the beginning to the colon of a label."""
_APART_CHARACTERS = 600
"""A paragraph that is longer is a part of the text."""
_COLONS = (":", "：", " - ")  # noqa: RUF001
_WORD = regex.compile(r"[\p{L}\p{M}]++")


def is_correction(sentence: str, *, alone: bool) -> bool:
    """Whether what was added to a text, or changed in it, says that the text was corrected.

    Args:
        sentence: It, from its beginning.
        alone: Whether it is a paragraph of its own at the beginning or the end of the text.
    """
    said = sentence.lstrip(" \"'([*_")
    ends = [place for colon in _COLONS if (place := said.find(colon, 0, _LABEL_CHARACTERS)) > 0]
    if ends and _names_one(said[: min(ends)]):
        return True
    bracketed = sentence.lstrip()[:1] in {"(", "["}
    return (alone or bracketed) and len(said) <= _APART_CHARACTERS and _names_one(said)


def _names_one(text: str) -> bool:
    return any(plain(word).startswith(_beginnings()) for word in _WORD.findall(text))


@cache
def _beginnings() -> tuple[str, ...]:
    listed = tomllib.loads((files("archive.reader") / "corrections.toml").read_text("utf-8"))["beginnings"]
    return tuple(plain(one) for one in listed)

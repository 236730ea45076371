"""Words of texts in any language, in the form in which search compares them. Pure, no I/O.

A word consists of letters, digits and their marks; case and accents on Latin, Greek or Cyrillic letters do not matter.
Scripts that are written without spaces have one word per character, so any part of them is a phrase.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import regex

MAX_WORD = 64
"""Characters of a word; longer ones are cut, in texts and in queries alike."""
_JOINED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_WORD = regex.compile(rf"(?V1)[{_JOINED}]\p{{M}}*|[[\p{{L}}\p{{N}}\p{{M}}]--[{_JOINED}]]+")
_ACCENTS = regex.compile(r"[\u0300-\u036f]+")


class Word(NamedTuple):
    """A word and its position in its text."""

    folded: str
    start: int
    end: int


def fold(word: str) -> str:
    """A word in the form in which it is compared."""
    if word.isascii():
        return word.lower()[:MAX_WORD]
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", word))
    return unicodedata.normalize("NFC", bare).casefold()[:MAX_WORD]


def words(text: str) -> Iterator[Word]:
    """The words of a text, with their positions."""
    for found in _WORD.finditer(text):
        if folded := fold(found[0]):
            # A word that folds into several, such as a ligature with a space, counts as the first of them.
            yield Word(folded.split()[0] if " " in folded else folded, found.start(), found.end())


def bare(text: str) -> list[str]:
    """The words of a text."""
    if text.isascii():
        return [word[:MAX_WORD] for word in _WORD.findall(text.lower())]
    return [word.folded for word in words(text)]

"""The words of texts for comparison, in any script. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import regex

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}_]+")
_UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]+", regex.UNICODE
)
"""Scripts that do not put spaces between words."""
_PUNCTUATION = re.compile("[\u2000-\u206f]+")
"""Quotation marks, dashes and spaces of typography: the block has neither letters nor digits."""
_ELSEWHERE = re.compile("[\u0300-\u036f\u0483-\u0489\u0530-\U0010ffff]")
"""What texts in Latin, Greek and Cyrillic do not have: combining marks, and other scripts."""
_PLAIN_WORD = re.compile(r"\w+")
"""A word of a text without such characters."""
_WIDTH = 256
_SIGNS = bytes(byte for byte in range(_WIDTH) if not _WORD.fullmatch(chr(byte)))
"""The characters of Latin-1 that are in no word."""
_APART = bytes.maketrans(_SIGNS, b" " * len(_SIGNS))
_LETTERS_A_WORD = 2
"""Characters of such a script that count as a word."""
_SHORT = 3
"""Letters up to which a word of an alphabet is mostly grammar, and is in every text of its language."""
_SHORT_ELSEWHERE = 1
"""The same in scripts that write syllables or leave out vowels."""
_ALPHABETS = "\u0530"
"""Latin, Greek and Cyrillic are before this character."""


def words(text: str) -> list[str]:
    """The words of a text in order, case folded; of scripts without spaces, each pair of neighbouring characters."""
    folded = text.casefold()
    if (narrow := _narrow(folded)) is not None:
        return narrow.translate(_APART).decode("latin-1").split()
    if _ELSEWHERE.search(folded) is None:
        return _PLAIN_WORD.findall(folded)
    found: list[str] = []
    for word in _WORD.findall(folded):
        if word.isascii():
            found.append(word)
        else:
            found += _parts(word)
    return found


def _parts(word: str) -> list[str]:
    """The words in what has no signs between its letters."""
    found, at = [], 0
    for run in _UNSPACED.finditer(word):
        if run.start() > at:
            found.append(word[at : run.start()])
        signs = run[0]
        found += [signs] if len(signs) == 1 else [one + other for one, other in pairwise(signs)]
        at = run.end()
    if at < len(word):
        found.append(word[at:])
    return found


def count(text: str) -> int:
    """How many words a text has."""
    if (narrow := _narrow(text)) is not None:
        return len(narrow.translate(_APART).split())
    if _ELSEWHERE.search(text) is None:
        return len(_PLAIN_WORD.findall(text))
    total = 0
    for word in _WORD.findall(text):
        if word.isascii():
            total += 1
            continue
        unspaced = sum(len(run[0]) for run in _UNSPACED.finditer(word))
        total += -(-unspaced // _LETTERS_A_WORD) + (unspaced < len(word))
    return total


def letters(text: str) -> str:
    """The letters and digits of a text, case folded."""
    folded = text.casefold()
    if (narrow := _narrow(folded)) is not None:
        return narrow.translate(None, _SIGNS).decode("latin-1")
    return "".join((_WORD if _ELSEWHERE.search(folded) else _PLAIN_WORD).findall(folded))


def _narrow(text: str) -> bytes | None:
    """A text as one byte a character, which tables translate many times faster than patterns match.

    Spaces stand for the punctuation of typography. None if it has other characters beyond Latin-1.
    """
    bare = text if text.isascii() else _PUNCTUATION.sub(" ", text)
    try:
        return bare.encode("latin-1")
    except UnicodeEncodeError:
        return None


@dataclass(frozen=True, slots=True)
class Content:
    """The words of a text that say what it is about, without the short ones of grammar."""

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    """Words next to each other. Two texts in one language share words; they share pairs if one quotes the other."""

    @classmethod
    def of(cls, text: str) -> Content:
        """The content words of a text."""
        own = [word for word in words(text) if len(word) > _SHORT or _is_content(word)]
        return cls(frozenset(own), frozenset(pairwise(own)))

    def share_of_pairs(self, other: Content) -> float:
        """Share of these pairs that another text has; 0 if there are none."""
        return len(self.pairs & other.pairs) / len(self.pairs) if self.pairs else 0.0


def _is_content(word: str) -> bool:
    return len(word) > (_SHORT if word[0] < _ALPHABETS and not word[0].isdigit() else _SHORT_ELSEWHERE)

"""The words of texts for comparison, in any script. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import regex

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}_]+")
_UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]+", regex.UNICODE
)
"""Scripts that do not put spaces between words."""
_LETTERS_A_WORD = 2
"""Characters of such a script that count as a word."""
_SHORT = 3
"""Letters up to which a word of an alphabet is mostly grammar, and is in every text of its language."""
_SHORT_ELSEWHERE = 1
"""The same in scripts that write syllables or leave out vowels."""
_ALPHABETS = "\u0530"
"""Latin, Greek and Cyrillic are before this character."""


def words(text: str) -> Iterator[str]:
    """The words of a text in order, case folded; of scripts without spaces, each pair of neighbouring characters."""
    for found in _WORD.finditer(text.casefold()):
        word = found[0]
        if word.isascii():
            yield word
            continue
        at = 0
        for run in _UNSPACED.finditer(word):
            if run.start() > at:
                yield word[at : run.start()]
            signs = run[0]
            if len(signs) == 1:
                yield signs
            for one, other in pairwise(signs):
                yield one + other
            at = run.end()
        if at < len(word):
            yield word[at:]


def count(text: str) -> int:
    """How many words a text has."""
    total = 0
    for found in _WORD.finditer(text):
        word = found[0]
        if word.isascii():
            total += 1
            continue
        unspaced = sum(len(run[0]) for run in _UNSPACED.finditer(word))
        total += -(-unspaced // _LETTERS_A_WORD) + (unspaced < len(word))
    return total


def letters(text: str) -> str:
    """The letters and digits of a text, case folded."""
    return "".join(_WORD.findall(text.casefold()))


@dataclass(frozen=True, slots=True)
class Content:
    """The words of a text that say what it is about, without the short ones of grammar."""

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    """Words next to each other. Two texts in one language share words; they share pairs if one quotes the other."""

    @classmethod
    def of(cls, text: str) -> Content:
        """The content words of a text."""
        own = [word for word in words(text) if _is_content(word)]
        return cls(frozenset(own), frozenset(pairwise(own)))

    def share_of_pairs(self, other: Content) -> float:
        """Share of these pairs that another text has; 0 if there are none."""
        return len(self.pairs & other.pairs) / len(self.pairs) if self.pairs else 0.0


def _is_content(word: str) -> bool:
    return len(word) > (_SHORT if word[0] < _ALPHABETS and not word[0].isdigit() else _SHORT_ELSEWHERE)

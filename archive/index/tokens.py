"""Words of texts in any language, in the form in which search compares them. Pure, no I/O.

A word consists of letters, digits and their marks. Case does not matter, nor do accents, strokes and ligatures of
letters, the vowel points of Arabic and Hebrew, and hyphens that are not seen. Scripts that are written without spaces
have one word per character, so any part of them is a phrase.

Queries and texts are folded by the same functions. If they change, a migration folds the words in the index again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import regex

MAX_WORD = 64
"""Characters of a word; longer ones are cut, in texts and in queries alike."""
_JOINED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_SOFT_HYPHEN = "\u00ad"
_SOUND_MARKS = "\uff9e\uff9f"
"""Halfwidth sound marks of Japanese, which belong to the character before."""
_WORD = regex.compile(
    rf"(?V1)[{_JOINED}][\p{{M}}{_SOUND_MARKS}]*|[[\p{{L}}\p{{N}}\p{{M}}{_SOFT_HYPHEN}]--[{_JOINED}]]+"
)
_BASE = re.compile(r"LATIN (?:SMALL LETTER|LETTER SMALL CAPITAL) (?P<base>[A-Z]) WITH ")
_LETTERS = {
    "\N{LATIN SMALL LETTER AE}": "ae",
    "\N{LATIN SMALL LIGATURE OE}": "oe",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "\N{LATIN SMALL LETTER DOTLESS J}": "j",
    "\N{LATIN SMALL LETTER ETH}": "d",
    "\N{LATIN SMALL LETTER THORN}": "th",
    "\N{LATIN SMALL LETTER ENG}": "n",
    "\N{LATIN SMALL LETTER KRA}": "k",
    "\N{ARABIC LETTER ALEF WASLA}": "\N{ARABIC LETTER ALEF}",
    "\N{ARABIC LETTER ALEF MAKSURA}": "\N{ARABIC LETTER YEH}",
    "\N{ARABIC LETTER FARSI YEH}": "\N{ARABIC LETTER YEH}",
    "\N{ARABIC LETTER KEHEH}": "\N{ARABIC LETTER KAF}",
    "\N{ARABIC LETTER TEH MARBUTA}": "\N{ARABIC LETTER HEH}",
    "\N{ARABIC TATWEEL}": "",
    _SOFT_HYPHEN: "",
}
"""Letters that neither decomposition nor their Unicode name makes equal to those that people type for them."""
_POINTS = range(10, 37)
"""Combining classes of the points of Hebrew, Arabic and Syriac. The marks of other scripts are letters of theirs."""
_ACCENTS = 200
"""Combining class from which on a mark is an accent; those of class 1 are laid over the letter."""


class _Folding(dict[int, str]):
    """What stands for each character, as `str.translate` asks for it; made on first use."""

    def __missing__(self, code: int) -> str:
        self[code] = _folded(chr(code))
        return self[code]


def _folded(letter: str) -> str:
    if letter in _LETTERS:
        return _LETTERS[letter]
    combines = unicodedata.combining(letter)
    if combines == 1 or combines in _POINTS or combines >= _ACCENTS:
        return ""
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    based = _BASE.match(unicodedata.name(letter, ""))
    return based["base"].lower() if based else letter


_FOLDING = _Folding()


class Word(NamedTuple):
    """A word and its position in its text."""

    folded: str
    start: int
    end: int


def fold(word: str) -> str:
    """A word in the form in which it is compared."""
    if word.isascii():
        return word.lower()[:MAX_WORD]
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold())
    return unicodedata.normalize("NFC", apart.translate(_FOLDING))[:MAX_WORD]


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

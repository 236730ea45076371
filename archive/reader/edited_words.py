"""What kind of edit it is where words within a sentence differ: typo, wording, number or name. Pure, no I/O.

Structure decides, and what both texts show: no list of words, so that it holds in any language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import regex
from rapidfuzz.distance import OSA, Indel

WordClass = Literal["typo", "wording", "number", "name"]

_TOKEN = regex.compile(
    r"\p{N}++(?:[.,:/']\p{N}++)*+|\p{Han}|\p{Hiragana}|\p{Katakana}|[\p{L}\p{M}]++(?:'[\p{L}\p{M}]++)*+|\s++|.",
    regex.DOTALL,
)
_SENTENCE = regex.compile(
    r"(?<![.!?…])[.!?…]++[\"')\]]*+(?:\s++|$)|(?<![。！？])[。！？]++[\"'」』）]*+\s*+"  # noqa: RUF001
)
_BEGINS = frozenset("\"'([:-.!?…¿¡")
"""Behind these a capital letter may be that of a beginning sentence."""
_SHARE = 1 / 3
"""Of the words that differ: as many numbers or names make the edit one of these."""
_CAPITALS = 0.18
"""Capitalised words amid sentences from which on a language gives nouns a capital letter; English has a twentieth."""
_FEW_WORDS = 30
"""With fewer words amid sentences than this, nothing is known of a language's capitals."""
_TITLE = 0.7
"""Capitalised words from which on a line is written as titles are."""
_LETTERS_OF_A_SLIP = 4
"""A word with fewer letters is another word if one of them differs, unless two changed places."""
_LETTERS_OF_TWO_SLIPS = 8
_BRIDGE = 1
"""Words between two changes of several words that do not keep them apart: they came to stand there by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capitals:
    """What capital letters mean in two texts."""

    names: frozenset[str]
    """Words that have a capital letter wherever they stand amid a sentence."""
    nouns: bool
    """Whether nouns have capital letters too, so that one word alone is no name."""

    @classmethod
    def of(cls, sentences: Iterable[str]) -> Capitals:
        """What the sentences of both texts show."""
        capital: set[str] = set()
        lower: set[str] = set()
        upper = every = 0
        for one in sentences:
            found = tokens(one)
            if _is_title(found):
                continue
            amid = dict(_amid(found))
            for place, word in amid.items():
                if word[0].isupper():
                    capital.add(word)
                    upper += not _is_beside(found, place, amid)
                else:
                    lower.add(word)
                every += 1
        nouns = every >= _FEW_WORDS and upper / every >= _CAPITALS
        return cls(names=frozenset(word for word in capital if word.lower() not in lower), nouns=nouns)


def sentences(line: str) -> list[str]:
    """The sentences of a paragraph, in order, with the space behind each: joined they are the paragraph."""
    found, start = [], 0
    for end in _SENTENCE.finditer(line):
        if line[end.end() : end.end() + 1].islower():
            continue  # the point was that of an abbreviation
        found.append(line[start : end.end()])
        start = end.end()
    return [*found, line[start:]] if start < len(line) else found


def tokens(text: str) -> list[str]:
    """Words, numbers, spaces and marks, in order: joined they are the text."""
    return _TOKEN.findall(text)


def likeness(before: Sequence[str], after: Sequence[str]) -> float:
    """How alike two token sequences are, 0 to 1; one number is like another."""
    sides = [["0" if token[0].isnumeric() else token.lower() for token in side if not token.isspace()]
             for side in (before, after)]  # fmt: skip
    return Indel.normalized_similarity(*sides)


def runs(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Where two token sequences differ: begin and end in the one, begin and end in the other."""
    found: list[tuple[int, int, int, int]] = []
    for one in Indel.opcodes(before, after):
        if one.tag == "equal":
            continue
        i1, i2, j1, j2 = one.src_start, one.src_end, one.dest_start, one.dest_end
        if found and _is_bridge(before, after, found[-1], (i1, i2, j1, j2)):
            i1, _, j1, _ = found.pop()
        found.append((i1, i2, j1, j2))
    return found


def word_class(
    before: Sequence[str], after: Sequence[str], run: tuple[int, int, int, int], capitals: Capitals
) -> WordClass | None:
    """The class of one difference between two sentences; None if it is only one of spaces.

    Args:
        before: Tokens of the sentence.
        after: Tokens of the sentence as it was edited.
        run: Where they differ, as `runs` gives it.
        capitals: What a capital letter means in these texts.
    """
    i1, i2, j1, j2 = run
    gone, new = before[i1:i2], after[j1:j2]
    if "".join(gone).split() == "".join(new).split():
        return None
    old, fresh = Counter(filter(is_word, gone)), Counter(filter(is_word, new))
    differing = list((old - fresh).elements()) + list((fresh - old).elements())
    many = len(differing)
    if sum(word[0].isnumeric() for word in differing) >= max(1, many * _SHARE):
        return "number"
    slip = _is_slip(gone, new)
    if slip and sorted(_letters(gone)) == sorted(_letters(new)):
        return "typo"  # letters that changed places make no other name, nor do capitals
    names = Counter(_names(before, i1, i2, capitals)), Counter(_names(after, j1, j2, capitals))
    if sum(((names[0] - names[1]) + (names[1] - names[0])).values()) >= max(1, many * _SHARE):
        return "name"
    return "typo" if slip else "wording"


def is_word(token: str) -> bool:
    """Whether a token is a word or a number."""
    return token[0].isalnum()


def _is_bridge(
    before: Sequence[str], after: Sequence[str], last: tuple[int, int, int, int], one: tuple[int, int, int, int]
) -> bool:
    """Whether what is between two differences is nothing but a space, or a word that is in both by chance."""
    between = [token for token in before[last[1] : one[0]] if not token.isspace()]
    if not between:
        return True
    sizes = [
        sum(map(is_word, before[i1:i2])) + sum(map(is_word, after[j1:j2])) for i1, i2, j1, j2 in (last, one)
    ]  # fmt: skip
    both = all(i2 > i1 and j2 > j1 for i1, i2, j1, j2 in (last, one))
    return both and len(between) <= _BRIDGE and min(sizes) > 2 * len(between)


def _names(found: Sequence[str], begin: int, end: int, capitals: Capitals) -> Iterator[str]:
    if _is_title(found):
        return
    amid = dict(_amid(found))
    for place in range(begin, end):
        word = found[place]
        named = place in amid or word in capitals.names
        if named and _is_capital(word) and (not capitals.nouns or _is_beside(found, place, amid)):
            yield word


def _amid(found: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Words that do not begin a sentence or a quotation, with their places."""
    begins = True
    for place, token in enumerate(found):
        if token[0].isalpha():
            if not begins and len(token) > 1:
                yield place, token
            begins = False
        elif token in _BEGINS:
            begins = True


def _is_beside(found: Sequence[str], place: int, amid: Container[int]) -> bool:
    """Whether the word at a place stands beside another one with a capital letter, as the parts of a name do."""
    return any(
        at in amid and _is_capital(found[at]) and found[(at + place) // 2].isspace() for at in (place - 2, place + 2)
    )


def _is_capital(word: str) -> bool:
    return len(word) > 1 and word[0].isupper()


def _is_title(found: Sequence[str]) -> bool:
    words = [token for token in found if token[0].isalpha() and len(token) > 1]
    return len(words) > 2 and sum(word[0].isupper() for word in words) >= _TITLE * len(words)  # noqa: PLR2004


def _letters(some: Iterable[str]) -> str:
    return "".join(filter(is_word, some)).casefold()


def _is_slip(gone: Sequence[str], new: Sequence[str]) -> bool:
    """Whether somebody may have mistyped: marks, capitals, spaces, or a letter or two of a word."""
    before, after = _letters(gone), _letters(new)
    if before == after:
        return True
    old, fresh = ([token for token in side if is_word(token)] for side in (gone, new))
    if len(old) == len(fresh):
        return all(_is_slip_of(*pair) for pair in zip(old, fresh, strict=True))
    return abs(len(old) - len(fresh)) == 1 and bool(old and fresh) and _is_slip_of(before, after)


def _is_slip_of(before: str, after: str) -> bool:
    """Whether two words differ by a letter, by two in a long word, or by two neighbours that changed places."""
    one, other = before.casefold(), after.casefold()
    distance = OSA.distance(one, other)
    if distance <= 1 and (sorted(one) == sorted(other) or min(len(one), len(other)) >= _LETTERS_OF_A_SLIP):
        return True
    return distance <= 2 and min(len(one), len(other)) >= _LETTERS_OF_TWO_SLIPS  # noqa: PLR2004

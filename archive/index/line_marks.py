"""Marks of the lines of a text, by which the index knows where two texts of a post differ without reading them. No I/O.

Some pages show something else at each visit, and not all of it can be told from the post: a quotation of the day, a
counter, how long ago it was. A place that was different at most visits, each time with other words or other numbers in
the same words, is restless, and no edit. What an author edits keeps most of its words, or is edited once.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha1
from itertools import zip_longest
from zlib import crc32

from archive.limits import MARKED_LINES

_EXACT, _MASKED, _BAG = 4, 2, 3
_SIZE = _EXACT + _MASKED + _BAG
"""Characters of a mark: of the line, of the line with its numbers masked, of its set of words."""
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")
_SIXTY_FOUR = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TURNS = 0, 0x9E3779B9, 0x5851F42D
"""Each makes another order of the hashes of words, of which the first word stands for the set."""
_ALIKE = 2
"""Characters for the set of words that are the same in two lines with words in common."""
_COMPARED = 500
"""Lines between common beginning and end that are compared one by one."""
_OFTEN = 0.6
"""Share of the visits, from the first to the last that showed a place different, that makes it restless."""
_BY_CHANCE = 0.75
"""Share of these at which it was different by chance: two lines can have a few words in common by chance as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a text, by the lines before and behind it."""

    before: str
    """Mark of a line; `^` at the beginning of the text."""
    behind: str
    """Mark of a line; `$` at the end of the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Where two texts differ."""

    place: Place
    by_chance: bool
    """Whether no line keeps its words there, or only numbers differ: an author seldom edits like this."""


def line_marks(plain_lines: Iterable[str]) -> str:
    """The marks of the lines of a text, as `archive.index.edits.plain` gives each, as they stand in the index."""
    return "".join(_mark(line) for line, _ in zip(filter(None, plain_lines), range(MARKED_LINES), strict=False))


def regions(before: str, after: str) -> tuple[Region, ...]:
    """Where two texts differ, by their marks, in order."""
    if before == after:
        return ()
    old, new = (("^", *_parts(marks), "$") for marks in (before, after))
    begin = next(n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other)
    most = min(len(old), len(new)) - begin
    end = next((n for n in range(most) if old[-1 - n] != new[-1 - n]), most)
    gone, came = old[begin : len(old) - end], new[begin : len(new) - end]
    if max(len(gone), len(came)) > _COMPARED:
        found = [(0, len(gone), 0, len(came))]
    else:
        matcher = SequenceMatcher(None, gone, came, autojunk=False)
        found = [(i1, i2, j1, j2) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"]
    return tuple(
        Region(
            place=Place(before=old[begin + i1 - 1], behind=old[begin + i2]),
            by_chance=all(_by_chance(*pair) for pair in zip_longest(gone[i1:i2], came[j1:j2])),
        )
        for i1, i2, j1, j2 in found
    )


def restless_places(compared: Sequence[tuple[Region, ...] | None], *, visits: int) -> frozenset[Place]:
    """Places that are different at most visits, nearly always by chance.

    Args:
        compared: Where each text of a post differs from the one before; None if the two could not be compared.
        visits: How many times a place must have been different; 0: none is restless.
    """
    if visits <= 0:
        return frozenset()
    seen: dict[Place, list[tuple[int, bool]]] = {}
    for number, found in enumerate(one for one in compared if one is not None):
        for region in found:
            seen.setdefault(region.place, []).append((number, region.by_chance))
    return frozenset(
        place
        for place, some in seen.items()
        if len(some) >= max(visits, _OFTEN * (some[-1][0] - some[0][0] + 1))
        and sum(by_chance for _, by_chance in some) >= _BY_CHANCE * len(some)
    )


def _mark(line: str) -> str:
    masked = _NUMBER.sub("0", line)
    words = [crc32(word.encode("utf-8", "replace")) for word in _WORD.findall(line.casefold())]
    bag = (min((word ^ turn for word in words), default=0) >> 3 & 63 for turn in _TURNS)
    return _digest(line, _EXACT) + _digest(masked, _MASKED) + "".join(_SIXTY_FOUR[one] for one in bag)


def _digest(text: str, size: int) -> str:
    return b64encode(sha1(text.encode("utf-8", "replace"), usedforsecurity=False).digest())[:size].decode("ascii")


def _parts(marks: str) -> tuple[str, ...]:
    return tuple(marks[at : at + _SIZE] for at in range(0, len(marks), _SIZE))


def _by_chance(one: str | None, other: str | None) -> bool:
    """Whether two lines at a place have no word in common, by their marks, or differ by their numbers alone."""
    if one is None or other is None:
        return True
    if one[_EXACT : _EXACT + _MASKED] == other[_EXACT : _EXACT + _MASKED]:
        return True
    return sum(a == b for a, b in zip(one[-_BAG:], other[-_BAG:], strict=True)) < _ALIKE

"""The part of a text that matches a query, with the matches marked. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archive.index.tokens import Word, words
from archive.search.query import Term

_AROUND = 14
"""Words before the first match."""
_LENGTH = 40
"""Words of a passage."""
_FAR = 30_000
"""Words of a text that are searched for matches."""


class Piece(NamedTuple):
    """A part of a passage."""

    text: str
    found: bool


def passage(text: str, terms: Iterable[Term]) -> tuple[Piece, ...]:
    """The part of a text around the first place where most of the terms are close together."""
    said: list[Word] = []
    for word in words(text):
        said.append(word)
        if len(said) >= _FAR:
            break
    if not said:
        return ()
    marked = sorted({span for term in terms for span in _places(said, term)})
    first = max(0, _densest(marked) - _AROUND)
    last = min(len(said), first + _LENGTH) - 1
    first = max(0, min(first, last - _LENGTH + 1))
    begin, whole = said[first].start, last + 1 == len(said) < _FAR
    end = len(text.rstrip()) if whole else said[last].end
    pieces: list[Piece] = [Piece("… ", found=False)] if first else []
    at = begin
    for start, stop in marked:
        if start < first or stop > last + 1:
            continue
        here, there = said[start].start, said[stop - 1].end
        if here < at:
            continue
        pieces += [Piece(text[at:here], found=False), Piece(text[here:there], found=True)]
        at = there
    pieces.append(Piece(text[at:end], found=False))
    if not whole:
        pieces.append(Piece(" …", found=False))
    return tuple(Piece(" ".join(piece.text.split("\n")), piece.found) for piece in pieces if piece.text)


def _places(said: Sequence[Word], term: Term) -> list[tuple[int, int]]:
    """Where a term occurs: the number of its first word, and of the one after its last."""
    first, count = term.words[0], len(term.words)
    alone = count == 1
    found = []
    for number, word in enumerate(said):
        if not (word.folded == first or (alone and term.prefix and word.folded.startswith(first))):
            continue
        rest = tuple(next_.folded for next_ in said[number : number + count])
        if rest == term.words or (
            term.prefix and len(rest) == count and rest[:-1] == term.words[:-1] and rest[-1].startswith(term.words[-1])
        ):
            found.append((number, number + count))
    return found


def _densest(marked: Sequence[tuple[int, int]]) -> int:
    """The first word of the stretch with the most matches."""
    best, most, begin = 0, 0, 0
    for end, (start, _) in enumerate(marked):
        while marked[begin][0] < start - _LENGTH + _AROUND:
            begin += 1
        if end - begin + 1 > most:
            best, most = marked[begin][0], end - begin + 1
    return best

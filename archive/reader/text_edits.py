"""The edits that make one text of a post into another, each with its class. Pure, no I/O.

Paragraphs are compared first, then their sentences, then words; what moved is found before anything is called removed.
Typography is no edit (`archive.index.edits.plain`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Literal, get_args

from rapidfuzz.distance import Indel

from archive.index.edits import plain
from archive.limits import COMPARED_WORDS, EDIT_CHARACTERS, EDITS
from archive.reader.corrections import is_correction
from archive.reader.diff import NEAR, bounded
from archive.reader.edited_words import Capitals, is_word, likeness, runs, sentences, tokens, word_class

EditClass = Literal[
    "typo", "wording", "number", "name", "headline", "date", "author", "correction", "added", "removed", "moved",
    "link", "image", "replaced",
]  # fmt: skip
EDIT_CLASSES: tuple[EditClass, ...] = get_args(EditClass)
"""What an edit can be."""
_LIKE = 0.5
"""Likeness from which on two sentences are the same one, edited."""
_SPELT_LIKE = 0.75
"""The same for the letters of sentences of a few words."""
_SPELT_CHARACTERS = 100
"""A sentence that is longer has words enough to be known by."""
_MOVED_LIKE = 0.8
"""Likeness from which on a paragraph at another place is the same one, edited."""
_MOVED_WORDS = 3
"""Words of a sentence that is recognised at another place, or within another one."""
_ENDS = frozenset(".!?…。！？")  # noqa: RUF001
_ENDING = 4
"""Tokens within which a sentence ends: the mark, quotation marks, a space."""
_REWRITTEN = 6
"""Words on both sides from which on a sentence with others in their place was replaced."""
_SHORT = 3
"""Letters of words that any two sentences may have in common."""
_MOVED_PAIRS = 2_500
"""Paragraphs on both sides that are compared for it, as a product."""
_LITTLE = 0.2
"""A text of which no more is left, on either side, was replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit of a post."""

    name: EditClass
    before: str | None
    """What was there, without typography; None if nothing was."""
    after: str | None
    """What is there now; None if nothing is."""

    def as_json(self) -> dict[str, object]:
        """It as programs see it."""
        return {"class": self.name, "before": self.before, "after": self.after}


def summary(found: Iterable[EditClass]) -> str:
    """Classes of edits with their numbers, in the order of `EDIT_CLASSES`: `2 typo, number`."""
    many = Counter(found)
    return ", ".join(f"{many[name]} {name}" if many[name] > 1 else name for name in EDIT_CLASSES if many[name])


@dataclass(frozen=True, slots=True)
class _Sentence:
    words: str
    paragraph: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Sentences at one place: removed and added ones, or one that was edited."""

    gone: tuple[_Sentence, ...]
    new: tuple[_Sentence, ...]
    paired: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Both:
    """What is known of both texts."""

    capitals: Capitals
    sizes: Counter[int]
    """Sentences of each paragraph of the later text."""
    outer: frozenset[int] = field(default_factory=frozenset)
    """The first and the last paragraph of the later text."""


def text_edits(before: str, after: str) -> tuple[Edit, ...]:
    """The edits between two texts, what moved first, then in the order of the text; `EDITS` at most.

    Args:
        before: Paragraphs, one a line.
        after: The same of the later text.
    """
    old, new = ([one for line in text.split("\n") if (one := plain(line))] for text in (before, after))
    if old == new:
        return ()
    if not old or not new or _is_replaced(old, new):
        name: EditClass = "replaced" if old and new else "added" if new else "removed"
        return (_edit(name, "\n".join(old), "\n".join(new)),)
    sides = [[_Sentence(one, n) for n, line in enumerate(side) for one in sentences(line)] for side in (old, new)]
    both = _Both(
        capitals=Capitals.of(one.words for side in sides for one in side),
        sizes=Counter(one.paragraph for one in sides[1]),
        outer=frozenset({0, len(new) - 1}),
    )
    blocks = _without_moved(_blocks(old, new))
    found = (edit for block in blocks for edit in _edits_of(block, both))
    return tuple(edit for edit, _ in zip(found, range(EDITS), strict=False))


def _is_replaced(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether two texts have little in common: of the pairs of adjacent words, as words alone recur in any text."""
    sides = [Counter(pair for line in side for pair in _pairs(line)) for side in (old, new)]
    least = min(side.total() for side in sides)
    return least > 0 and (sides[0] & sides[1]).total() <= _LITTLE * least and len(old) + len(new) > 2  # noqa: PLR2004


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    return pairwise(word.casefold() for word in tokens(line) if is_word(word))


def _regions(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Where two sequences differ: begin and end in the one, begin and end in the other."""
    found: list[tuple[int, int, int, int]] = []
    for tag, i1, i2, j1, j2 in bounded(old, new):
        if tag == "equal":
            continue
        adjoins = found and (found[-1][1], found[-1][3]) == (i1, j1)
        begin = found.pop()[::2] if adjoins else (i1, j1)
        found.append((begin[0], i2, begin[1], j2))
    return found


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[_Block]:
    """Where two texts differ: paragraphs that moved, then sentences in order."""
    regions = [(list(range(i1, i2)), list(range(j1, j2))) for i1, i2, j1, j2 in _regions(old, new)]
    moved = list(_moved_paragraphs(old, new, regions))
    left, came = ({pair[side] for pair in moved} for side in (0, 1))
    found = [
        block
        for i, j in moved
        for block in (
            _Block(gone=(_Sentence(old[i], i),), new=(_Sentence(new[j], j),), moved=True),
            *(_paired(_split(old, [i]), _split(new, [j])) if old[i] != new[j] else ()),
        )
    ]
    for gone, fresh in regions:
        some = _split(old, [i for i in gone if i not in left]), _split(new, [j for j in fresh if j not in came])
        words = [[one.words.strip() for one in side] for side in some]
        for i1, i2, j1, j2 in _regions(*words):
            found += _paired(some[0][i1:i2], some[1][j1:j2])
    return found


def _split(paragraphs: Sequence[str], wanted: Iterable[int]) -> list[_Sentence]:
    return [_Sentence(one, n) for n in wanted for one in sentences(paragraphs[n])]


def _moved_paragraphs(
    old: Sequence[str], new: Sequence[str], regions: Sequence[tuple[list[int], list[int]]]
) -> Iterator[tuple[int, int]]:
    """Paragraphs that stand elsewhere in the later text, the same or a little edited."""
    gone = [(i, n) for n, (some, _) in enumerate(regions) for i in some if _is_told_apart(old[i])]
    came = [(j, n) for n, (_, some) in enumerate(regions) for j in some if _is_told_apart(new[j])]
    places: dict[str, list[int]] = {}
    for j, _ in came:
        places.setdefault(new[j], []).append(j)
    taken: set[int] = set()
    left: list[tuple[int, int]] = []
    for i, n in gone:
        if places.get(old[i]):
            j = places[old[i]].pop(0)
            taken.add(j)
            yield i, j
        else:
            left.append((i, n))
    if len(left) * (len(came) - len(taken)) > _MOVED_PAIRS:
        return
    for i, n in left:
        for j, other in came:
            if n != other and j not in taken and likeness(tokens(old[i]), tokens(new[j])) >= _MOVED_LIKE:
                taken.add(j)
                yield i, j
                break


def _is_told_apart(text: str) -> bool:
    return sum(map(is_word, tokens(text))) >= _MOVED_WORDS


def _paired(gone: Sequence[_Sentence], new: Sequence[_Sentence]) -> Iterator[_Block]:
    """Sentences at one place: alike ones are one that was edited."""
    i = j = begun_i = begun_j = 0
    while i < len(gone) and j < len(new):
        pair = next(
            (
                (i + a, j + b)
                for a, b in NEAR
                if i + a < len(gone) and j + b < len(new) and _alike(gone[i + a].words, new[j + b].words)
            ),
            None,
        )
        if pair is None:
            i, j = i + 1, j + 1
            continue
        if pair != (begun_i, begun_j):
            yield _Block(gone=tuple(gone[begun_i : pair[0]]), new=tuple(new[begun_j : pair[1]]))
        yield _Block(gone=(gone[pair[0]],), new=(new[pair[1]],), paired=True)
        i, j = begun_i, begun_j = pair[0] + 1, pair[1] + 1
    if begun_i < len(gone) or begun_j < len(new):
        yield _Block(gone=tuple(gone[begun_i:]), new=tuple(new[begun_j:]))


def _alike(before: str, after: str) -> bool:
    old, new = tokens(before), tokens(after)
    if max(len(old), len(new)) > COMPARED_WORDS:
        return False
    if likeness(old, new) >= _LIKE or _continues(old, new):
        return True
    is_short = max(len(before), len(after)) <= _SPELT_CHARACTERS
    return is_short and Indel.normalized_similarity(before, after) >= _SPELT_LIKE


def _continues(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether one sentence has all the words of the other at its beginning or at its end."""
    short, long = sorted(([word for word in side if is_word(word)] for side in (before, after)), key=len)
    return bool(short) and short in (long[: len(short)], long[-len(short) :])


def _without_moved(blocks: Sequence[_Block]) -> Iterator[_Block]:
    """Blocks in which sentences that were removed at one place and added at another have moved."""
    whole = [block for block in blocks if not block.paired and not block.moved]
    gone = Counter(one.words.strip() for block in whole for one in block.gone)
    new = Counter(one.words.strip() for block in whole for one in block.new)
    moved = Counter({words: many for words, many in (gone & new).items() if _is_told_apart(words)})
    leaving, coming = moved.copy(), moved.copy()
    for block in blocks:
        if block.paired or block.moved or not moved:
            yield block
            continue
        stays = [_take(side, some) for side, some in ((block.gone, leaving), (block.new, coming))]
        for one in block.new:
            if one not in stays[1]:
                yield _Block(gone=(one,), new=(one,), moved=True)
        if stays[0] or stays[1]:
            yield _Block(gone=stays[0], new=stays[1])


def _take(some: Iterable[_Sentence], from_: Counter[str]) -> tuple[_Sentence, ...]:
    """The sentences that are not among those counted, each of which is taken once."""
    left = []
    for one in some:
        words = one.words.strip()
        if from_[words] > 0:
            from_[words] -= 1
        else:
            left.append(one)
    return tuple(left)


def _edits_of(block: _Block, both: _Both) -> Iterator[Edit]:
    if block.moved:
        yield _edit("moved", block.gone[0].words, block.new[0].words)
    elif block.paired:
        yield from _edits_within(block.gone[0].words, block.new[0].words, both.capitals)
    else:
        corrections = [some for some in _by_paragraph(block.new) if _corrects(some, both)]
        yield from (_edit("correction", "", _joined(some)) for some in corrections)
        told = {id(one) for some in corrections for one in some}
        new = tuple(one for one in block.new if id(one) not in told)
        if block.gone and new:
            yield _edit("replaced", _joined(block.gone), _joined(new))
        else:
            yield from (_edit("removed", _joined(some), "") for some in _by_paragraph(block.gone))
            yield from (_edit("added", "", _joined(some)) for some in _by_paragraph(new))


def _edits_within(before: str, after: str, capitals: Capitals) -> Iterator[Edit]:
    if is_correction(after, alone=False) and before.strip() != after.strip():
        yield _edit("correction", before, after)
        return
    old, new = tokens(before.strip()), tokens(after.strip())
    for run in runs(old, new):
        i1, i2, j1, j2 = run
        gone, came = old[i1:i2], new[j1:j2]
        name: EditClass | None = word_class(old, new, run, capitals)
        if name is None:
            continue
        if not gone and _is_sentence(new, j1, j2):
            name = "correction" if is_correction("".join(came), alone=False) else "added"
        elif not came and _is_sentence(old, i1, i2):
            name = "removed"
        elif _is_rewritten(gone, came):
            name = "replaced"
        yield _edit(name, "".join(gone), "".join(came))


def _is_sentence(found: Sequence[str], begin: int, end: int) -> bool:
    """Whether tokens are a whole sentence, although nothing else told it from the ones beside it."""
    before = "".join(found[max(0, begin - _ENDING) : begin]).rstrip()
    said = "".join(found[begin:end]).strip()
    ends = all(not side or side.rstrip("\"')]")[-1:] in _ENDS for side in (before, said))
    return ends and sum(map(is_word, found[begin:end])) >= _MOVED_WORDS


def _is_rewritten(gone: Sequence[str], came: Sequence[str]) -> bool:
    """Whether many words stand in the place of as many others, and no long one is the same."""
    sides = [[word.casefold() for word in side if is_word(word)] for side in (gone, came)]
    long = [{word for word in side if len(word) > _SHORT} for side in sides]
    return min(map(len, sides)) >= _REWRITTEN and long[0].isdisjoint(long[1])


def _corrects(some: Sequence[_Sentence], both: _Both) -> bool:
    place = some[0].paragraph
    whole = len(some) == both.sizes[place]
    return is_correction(_joined(some), alone=whole and place in both.outer)


def _by_paragraph(some: Iterable[_Sentence]) -> list[tuple[_Sentence, ...]]:
    return [tuple(group) for _, group in groupby(some, key=lambda one: one.paragraph)]


def _joined(some: Iterable[_Sentence]) -> str:
    return "\n".join("".join(one.words for one in group).strip() for group in _by_paragraph(some))


def _edit(name: EditClass, before: str, after: str) -> Edit:
    return Edit(name=name, before=_shown(before), after=_shown(after))


def _shown(text: str) -> str | None:
    return text.strip()[:EDIT_CHARACTERS] or None

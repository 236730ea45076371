"""What changed between two texts: paragraphs first, then words within them. Pure, no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

import regex
from rapidfuzz.distance import Indel

from archive.limits import COMPARED_LINES, COMPARED_WORDS

Kind = Literal["same", "gone", "new"]
_WORD = regex.compile(r"\p{Han}|\p{Hiragana}|\p{Katakana}|[\p{L}\p{N}\p{M}]+|\s+|.", regex.DOTALL)
_LIKE = 0.5
"""Similarity from which on two paragraphs are the same one, edited."""

NEAR = sorted(((i, j) for i in range(5) for j in range(5)), key=lambda pair: (sum(pair), pair))
"""How far apart the two sides of an edited paragraph may be among the removed and added ones, nearest first."""


class Run(NamedTuple):
    """Adjacent words that are in both texts, or in only one."""

    kind: Kind
    text: str


class Change(NamedTuple):
    """A paragraph of the old text, of the new one, or of both."""

    kind: Literal["same", "gone", "new", "edited"]
    runs: tuple[Run, ...]
    moved: bool = False
    """Whether the same paragraph stands elsewhere in the other text."""

    @property
    def before(self) -> tuple[Run, ...]:
        """The paragraph in the old text."""
        return tuple(run for run in self.runs if run.kind != "new")

    @property
    def after(self) -> tuple[Run, ...]:
        """The paragraph in the new text."""
        return tuple(run for run in self.runs if run.kind != "gone")


def differences(before: str, after: str) -> list[Change]:
    """The paragraphs of two texts in order, with what changed in each."""
    old, new = before.split("\n"), after.split("\n")
    found: list[Change] = []
    for tag, i1, i2, j1, j2 in bounded(old, new):
        if tag == "equal":
            found += [Change("same", (Run("same", line),)) for line in new[j1:j2]]
        else:
            found += _whole(old[i1:i2], new[j1:j2])
    return _with_moved(_paired(found))


def _with_moved(changes: Sequence[Change]) -> list[Change]:
    """Changes in which removed and added paragraphs with the same words are marked as moved."""
    sides = [Counter(change.runs[0].text for change in changes if change.kind == kind) for kind in ("gone", "new")]
    moved = Counter({line: many for line, many in (sides[0] & sides[1]).items() if _WORD.search(line)})
    left = {"gone": moved, "new": moved.copy()}
    found = []
    for change in changes:
        line = change.runs[0].text if change.runs else ""
        if change.kind in left and left[change.kind][line] > 0:
            left[change.kind][line] -= 1
            found.append(change._replace(moved=True))
        else:
            found.append(change)
    return found


def _whole(gone: Sequence[str], new: Sequence[str]) -> list[Change]:
    return [
        *(Change("gone", (Run("gone", line),)) for line in gone),
        *(Change("new", (Run("new", line),)) for line in new),
    ]


def _paired(changes: Sequence[Change]) -> list[Change]:
    """Merge removed and added paragraphs that are at the same place and alike into edited ones."""
    found: list[Change] = []
    for same, group in groupby(changes, key=lambda change: change.kind == "same"):
        some = list(group)
        if same:
            found += some
            continue
        gone = [change.runs[0].text for change in some if change.kind == "gone"]
        came = [change.runs[0].text for change in some if change.kind == "new"]
        while gone and came:
            for i, j in NEAR:
                edited = _edited(gone[i], came[j]) if i < len(gone) and j < len(came) else None
                if edited is not None:
                    found += [*_whole(gone[:i], came[:j]), edited]
                    del gone[: i + 1], came[: j + 1]
                    break
            else:
                found += _whole(gone[:1], came[:1])
                del gone[0], came[0]
        found += _whole(gone, came)
    return found


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """What turns one sequence into the other, in the form of `difflib`."""
    for one in Indel.opcodes(old, new):
        yield one.tag, one.src_start, one.src_end, one.dest_start, one.dest_end


def bounded(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """What turns one sequence into the other, in the form of `difflib`.

    If too much differs, everything between the common beginning and end is one change.
    """
    begin = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    most = min(len(old), len(new)) - begin
    end = next((n for n in range(most) if old[-1 - n] != new[-1 - n]), most)
    if max(len(old), len(new)) - begin - end <= COMPARED_LINES:
        yield from _opcodes(old, new)
        return
    yield "equal", 0, begin, 0, begin
    yield "replace", begin, len(old) - end, begin, len(new) - end
    yield "equal", len(old) - end, len(old), len(new) - end, len(new)


def _edited(before: str, after: str) -> Change | None:
    old, new = _WORD.findall(before), _WORD.findall(after)
    if not old or not new or len(old) > COMPARED_WORDS or len(new) > COMPARED_WORDS:
        return None
    if Indel.normalized_similarity(*([word for word in side if not word.isspace()] for side in (old, new))) < _LIKE:
        return None
    runs: list[Run] = []
    for tag, i1, i2, j1, j2 in _opcodes(old, new):
        if tag == "equal":
            runs.append(Run("same", "".join(new[j1:j2])))
            continue
        if i2 > i1:
            runs.append(Run("gone", "".join(old[i1:i2])))
        if j2 > j1:
            runs.append(Run("new", "".join(new[j1:j2])))
    return Change("edited", _smoothed(runs))


def _smoothed(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Merge the runs of one change across the spaces between them, so that it reads as one."""
    found: list[Run] = []
    pending: dict[Kind, str] = {"gone": "", "new": ""}

    def flush() -> None:
        for kind in ("gone", "new"):
            if pending[kind]:
                found.append(Run(kind, pending[kind]))
                pending[kind] = ""

    for number, run in enumerate(runs):
        if run.kind != "same":
            pending[run.kind] += run.text
        elif run.text.isspace() and pending["gone"] and pending["new"] and number + 1 < len(runs):
            pending["gone"] += run.text
            pending["new"] += run.text
        else:
            flush()
            found.append(run)
    flush()
    return tuple(found)


def counted(changes: Sequence[Change]) -> dict[str, int]:
    """How many words were removed and added."""
    told = {"gone": 0, "new": 0}
    for change in changes:
        for run in change.runs:
            if run.kind != "same":
                told[run.kind] += sum(1 for word in _WORD.findall(run.text) if word[0].isalnum())
    return {"removed_words": told["gone"], "added_words": told["new"]}

"""Versions of a post: what a reader would call another post than the one before. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from archive.index.edits import Class, edits, edits_of_facts, restless
from archive.index.line_marks import Place, Region, regions, restless_places
from archive.index.schema import CaptureRow, TextRow
from archive.runtime.times import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A run of captures with the same words, title, author, publication date, lead picture and links."""

    number: int
    """From 1, the oldest."""
    text: TextRow
    """The text of its first capture, or of the first that shows the post's page; if that has several, that of the
    newest extractor."""
    captures: tuple[CaptureRow, ...]
    """Oldest first."""
    digests: frozenset[str]
    """Digests of all texts that were made from its captures."""
    changed: tuple[Class, ...] = ()
    """What differs from the version before; empty for the first one."""

    @property
    def first(self) -> datetime:
        """When it was first seen."""
        return self.captures[0].date

    @property
    def last(self) -> datetime:
        """When it was last seen."""
        return max(capture.seen for capture in self.captures)

    def as_json(self) -> dict[str, object]:
        """The version as programs see it."""
        return {
            "version": self.number,
            "url": self.text.url,
            "title": self.text.title,
            "digest": self.text.digest,
            "changed": list(self.changed),
            "first_seen": iso(self.first),
            "last_seen": iso(self.last),
            "captures": len(self.captures),
            "record": self.text.record,
            "capture": self.captures[0].record,
            "timestamp": self.captures[0].timestamp,
        }


RESTLESS_VISITS = 3
"""Visits at which a place in a text was different by chance, from which on it is restless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Different:
    """What differs between a text and the one before by the same extractor from the same source."""

    classes: tuple[Class, ...]
    where: tuple[Region, ...] = ()
    """Where the words differ; empty if that is not known."""


def versions(
    captures: Sequence[CaptureRow],
    texts: Mapping[str, Sequence[TextRow]],
    *,
    restless_visits: int = RESTLESS_VISITS,
) -> list[Version]:
    """The versions of a page, oldest first; one that returns is a version of its own.

    Args:
        captures: Captures of the page, oldest first.
        texts: Texts of each capture that has any, newest first, by its WARC-Record-ID.
        restless_visits: At how many visits a place in the text must have been different by chance to be no edit; 0:
            every difference is one.
    """
    found = [
        (capture, made)
        for capture in captures
        if (made := texts.get(capture.record) or texts.get(capture.refers_to or "") or ())
    ]
    differing = _differing([made for _, made in found])
    ignored = restless(one.classes for one in differing[1:] if one is not None)
    moving = restless_places([one.where if one else None for one in differing], visits=restless_visits)
    runs: list[tuple[tuple[Class, ...], list[tuple[CaptureRow, Sequence[TextRow]]]]] = []
    for one, different in zip(found, differing, strict=True):
        edited = tuple(name for name in _edited(different, moving) if name not in ignored)
        if runs and not edited:
            runs[-1][1].append(one)
        else:
            runs.append((edited, [one]))
    return [
        Version(
            number=number,
            text=next((made[0] for _, made in run if made[0].source == "page"), run[0][1][0]),
            captures=tuple(capture for capture, _ in run),
            digests=frozenset(text.digest for _, made in run for text in made),
            changed=edited,
        )
        for number, (edited, run) in enumerate(runs, start=1)
    ]


def _edited(different: _Different | None, moving: frozenset[Place]) -> tuple[Class, ...]:
    """What differs, without words that differ at restless places alone."""
    if different is None:
        return ()
    if different.where and all(region.place in moving for region in different.where):
        return tuple(name for name in different.classes if name != "text")
    return different.classes


def _differing(made: Sequence[Sequence[TextRow]]) -> list[_Different | None]:
    """What differs between the texts of each capture and those before; None if they cannot be compared.

    A text is compared with the last one that the same extractor made from the same source, page or feed: a difference
    between two extractors, or between page and feed, is not an edit. If there is none, what the post states of itself
    is compared where two extractors found the same words.
    """
    last: dict[tuple[str | None, str], TextRow] = {}
    before_by: dict[str, TextRow] = {}
    found: list[_Different | None] = []
    newest = None
    for texts in made:
        pair = next(((known, row) for row in texts if row.made_by and (known := last.get(_maker(row)))), None)
        different = _difference(*pair) if pair else _of_facts(before_by.get(texts[0].source), texts[0])
        if different and newest == texts[0].digest:
            different = replace(different, classes=tuple(name for name in different.classes if name != "text"))
        found.append(different)
        newest = texts[0].digest
        last.update((_maker(row), row) for row in reversed(texts))
        before_by[texts[0].source] = texts[0]
    return found


def _of_facts(before: TextRow | None, after: TextRow) -> _Different | None:
    """What differs beside the words between the newest texts of two captures, if they can be compared."""
    classes = edits_of_facts(before, after) if before is not None else ()
    return _Different(classes=classes) if classes else None


def _difference(before: TextRow, after: TextRow) -> _Different:
    classes = edits(before, after)
    known = "text" in classes and before.marks is not None and after.marks is not None
    return _Different(classes=classes, where=regions(before.marks or "", after.marks or "") if known else ())


def _maker(row: TextRow) -> tuple[str | None, str]:
    return row.made_by, row.source


def same_words(before: Sequence[TextRow], after: Sequence[TextRow]) -> bool | None:
    """Whether two captures have the same text by the same extractor: another extractor is not an edit of a post.

    Args:
        before: Texts of one capture, newest first.
        after: Texts of another, newest first.

    Returns:
        None if no extractor made a text of both from the same source, page or feed, and their newest ones differ.
    """
    if before and after and before[0].digest == after[0].digest:
        return True
    made = {(row.made_by, row.source): row.digest for row in reversed(before) if row.made_by}
    found = ((made.get((row.made_by, row.source)), row.digest) for row in after if row.made_by)
    return next((digest == other for digest, other in found if digest is not None), None)

"""The history of one page: its versions, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from archive.errors import DamagedError, NotArchivedError, TaskError
from archive.index.edits import Class, Fact, facts, plain, published, same_reading, stated
from archive.index.from_records import HeldText
from archive.index.schema import CaptureRow, TextRow
from archive.index.versions import Version
from archive.limits import COMPARED_CHARACTERS, EDITS
from archive.reader.diff import Change, counted, differences
from archive.reader.fact_edits import OTHER_CLASSES, fact_edits, reference_edits
from archive.reader.reader import Reader
from archive.reader.text_edits import Edit, text_edits
from archive.runtime.times import iso

_MOST_FAILURES = 3
"""Comparisons of one page that may exceed their limits; no more of its versions are compared then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two texts of a page, and what changed between them."""

    before: HeldText
    after: HeldText
    changes: tuple[Change, ...]
    """Paragraphs in order."""
    counts: dict[str, int]
    """How many words were removed and added."""
    facts: tuple[Fact, ...] = ()
    """Title, author, publication date and lead picture on both sides."""
    edits: tuple[Edit, ...] = ()
    """Every edit with its class: of title, date, author, then of the words, links and pictures."""

    def as_json(self, *, changes_only: bool = False) -> dict[str, object]:
        """The comparison as programs see it: paragraphs in order, each in runs of words; or edits alone.

        Args:
            changes_only: `changes` are the edits, instead of all paragraphs.
        """
        edits = [one.as_json() for one in self.edits]
        return {
            "url": self.after.row.url,
            "from": _side(self.before),
            "to": _side(self.after),
            **self.counts,
            "facts": [fact.as_json() for fact in self.facts if fact.edited],
            "edits": edits,
            "changes": edits if changes_only else [self._paragraph(change) for change in self.changes],
        }

    def _paragraph(self, change: Change) -> dict[str, object]:
        sides = [plain("".join(run.text for run in side)) for side in (change.before, change.after)]
        edit = next((one for one in self.edits if change.kind != "same" and _is_in(one, sides)), None)
        return {
            "kind": change.kind,
            "class": edit.name if edit else None,
            "before": sides[0] or None,
            "after": sides[1] or None,
            **({"moved": True} if change.moved else {}),
            "runs": [{"kind": run.kind, "text": run.text} for run in change.runs],
        }


def _is_in(edit: Edit, sides: list[str]) -> bool:
    """Whether an edit of words is one of a paragraph, given before and after."""
    parts = zip((edit.before, edit.after), sides, strict=True)
    return edit.name not in OTHER_CLASSES and all(part is None or plain(part) in side for part, side in parts)


def versions_of(reader: Reader, url: str) -> list[Version]:
    """The versions of a page, oldest first; archived redirects are followed.

    Raises:
        NotArchivedError: The page has no capture or no text.
    """
    return captures_and_versions(reader, url)[1]


def captures_and_versions(reader: Reader, url: str) -> tuple[list[CaptureRow], list[Version]]:
    """Every capture of a page and its versions, oldest first; archived redirects are followed.

    Raises:
        NotArchivedError: The page has no capture or no text.
    """
    for asked in _addresses(reader, url):
        rows, found = reader.history(asked)
        if found:
            return rows, found
    raise NotArchivedError(url, what="no text")


def _addresses(reader: Reader, url: str) -> list[str]:
    """The URL, and where its archived redirects lead."""
    try:
        return list(dict.fromkeys((url, reader.find(url).url)))
    except NotArchivedError:  # a post without a page of its own
        return [url]


def changed(reader: Reader, found: list[Version]) -> list[dict[str, object]]:
    """Versions as programs see them, each with its edits and the number of words removed and added.

    Versions that could not be compared lack the number of words; their edits are those of title, date and author.
    """
    texts: dict[str, HeldText] = {}

    def said(version: Version) -> HeldText:
        if version.text.record not in texts:
            texts[version.text.record] = reader.read_text(version.text)
        return texts[version.text.record]

    told = [{**version.as_json(), "published": published(version.text), "changes": []} for version in found]
    failures = 0
    for (before, after), entry in zip(pairwise(found), told[1:], strict=True):
        try:
            if failures < _MOST_FAILURES:
                both = differing(reader, said(before), said(after), after.changed)
                entry.update({**both.counts, "changes": [edit.as_json() for edit in both.edits]})
        except DamagedError as e:
            entry["damaged"] = str(e)
        except TaskError as e:
            failures += 1
            entry["not_compared"] = str(e)
        texts.pop(before.text.record, None)
    return told


def compared(reader: Reader, found: list[Version], since: datetime | None, until: datetime | None) -> Difference:
    """What changed between the versions at two instants: the last two, or the first and the last if both are the same.

    Args:
        reader: Reads the texts.
        found: The page's versions, oldest first; at least one.
        since: Instant of the older text; None: the one before the newer text.
        until: Instant of the newer text; None: the newest.
    """
    newer = _at(found, until) if until else found[-1]
    older = _at(found, since) if since else found[max(0, newer.number - 2)]
    return differing(reader, reader.read_text(older.text), reader.read_text(newer.text))


def differing(
    reader: Reader, before: HeldText, after: HeldText, changed: Collection[Class] | None = None
) -> Difference:
    """What changed between two texts of a page.

    Args:
        reader: Does the work.
        before: The earlier text.
        after: The later one.
        changed: What makes the later one a version of its own, if the one follows the other: nothing else is an edit.
    """
    texts = {"before": before.text[:COMPARED_CHARACTERS], "after": after.text[:COMPARED_CHARACTERS]}
    of_words = changed is None or "text" in changed
    changes, counts, edits = reader.work(changes_between, **texts, classed=of_words)
    both = facts(stated(before.fields), stated(after.fields), source=after.row.source)
    if _comparable(before.row, after.row):
        both = tuple(replace(one, edited=one.edited and (changed is None or one.name in changed)) for one in both)
        edits += tuple(reference_edits(before.fields, after.fields, texts=(before.text, after.text)))
    else:
        both = tuple(replace(fact, edited=False) for fact in both)
    every = tuple(dict.fromkeys((*fact_edits(both), *edits)))[:EDITS]
    return Difference(before=before, after=after, changes=changes, counts=counts, facts=both, edits=every)


def _comparable(before: TextRow, after: TextRow) -> bool:
    """Whether what two texts state of their post can be compared."""
    return (before.made_by, before.source) == (after.made_by, after.source) or same_reading(before, after)


def changes_between(
    *, before: str, after: str, classed: bool = True
) -> tuple[tuple[Change, ...], dict[str, int], tuple[Edit, ...]]:
    """What changed between two texts, how many words, and, if they are to be `classed`, each edit. No I/O."""
    changes = tuple(differences(before, after))
    return changes, counted(changes), text_edits(before, after) if classed else ()


def _at(found: list[Version], at: datetime) -> Version:
    """The version whose captures are nearest to an instant."""
    return min(found, key=lambda version: min(capture.distance(at) for capture in version.captures))


def _side(held: HeldText) -> dict[str, object]:
    row = held.row
    return {
        "date": iso(row.date),
        "timestamp": f"{row.date:%Y%m%d%H%M%S}",
        "digest": row.digest,
        "record": row.record,
        **{name: held.fields.get(name) for name in ("title", "author", "published", "image")},
    }

"""The history of one page: its versions, and what changed between two of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from archive.errors import DamagedError, NotArchivedError, TaskError
from archive.index.edits import Fact, facts, stated
from archive.index.from_records import HeldText
from archive.index.schema import CaptureRow, TextRow
from archive.index.versions import Version, versions
from archive.limits import COMPARED_CHARACTERS
from archive.reader.diff import Change, counted, differences
from archive.reader.reader import Reader
from archive.runtime.times import iso

_MOST_FAILURES = 3
"""Comparisons of one page that may exceed their limits; no more of its versions are compared then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two texts of a page, and what changed between them."""

    before: HeldText
    after: HeldText
    changes: tuple[Change, ...]
    counts: dict[str, int]
    """How many words were removed and added."""
    facts: tuple[Fact, ...] = ()
    """Title, author, publication date and lead picture on both sides."""

    def as_json(self) -> dict[str, object]:
        """The comparison as programs see it: paragraphs in order, each in runs of words."""
        return {
            "url": self.after.row.url,
            "from": _side(self.before),
            "to": _side(self.after),
            **self.counts,
            "facts": [fact.as_json() for fact in self.facts if fact.edited],
            "changes": [
                {"kind": change.kind, "runs": [{"kind": run.kind, "text": run.text} for run in change.runs]}
                for change in self.changes
            ],
        }


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
        rows, texts = reader.captures_and_texts(asked)
        if found := versions(rows, texts):
            return rows, found
    raise NotArchivedError(url, what="no text")


def _addresses(reader: Reader, url: str) -> list[str]:
    """The URL, and where its archived redirects lead."""
    try:
        return list(dict.fromkeys((url, reader.find(url).url)))
    except NotArchivedError:  # a post without a page of its own
        return [url]


def changed(reader: Reader, found: list[Version]) -> list[dict[str, object]]:
    """Versions as programs see them, each with the number of words removed and added, where they could be compared."""
    texts: dict[str, str] = {}

    def said(version: Version) -> str:
        if version.text.record not in texts:
            texts[version.text.record] = reader.read_text(version.text).text[:COMPARED_CHARACTERS]
        return texts[version.text.record]

    told = [version.as_json() for version in found]
    failures = 0
    for (before, after), entry in zip(pairwise(found), told[1:], strict=True):
        try:
            if failures < _MOST_FAILURES:
                entry.update(reader.work(counts_between, before=said(before), after=said(after)))
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
    before, after = reader.read_text(older.text), reader.read_text(newer.text)
    texts = {"before": before.text[:COMPARED_CHARACTERS], "after": after.text[:COMPARED_CHARACTERS]}
    changes, counts = reader.work(changes_between, **texts)
    both = facts(stated(before.fields), stated(after.fields), source=after.row.source)
    if not _comparable(before.row, after.row):
        both = tuple(replace(fact, edited=False) for fact in both)
    return Difference(before=before, after=after, changes=changes, counts=counts, facts=both)


def _comparable(before: TextRow, after: TextRow) -> bool:
    """Whether the same extractor made both from the same source."""
    return (before.made_by, before.source) == (after.made_by, after.source)


def changes_between(*, before: str, after: str) -> tuple[tuple[Change, ...], dict[str, int]]:
    """What changed between two texts, and how many words. No I/O."""
    changes = tuple(differences(before, after))
    return changes, counted(changes)


def counts_between(*, before: str, after: str) -> dict[str, int]:
    """How many words were removed and added between two texts. No I/O."""
    return changes_between(before=before, after=after)[1]


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

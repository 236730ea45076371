"""Notes: visits for the frontier, stored as lines beside a batch, so that a crash before the commit loses nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from crawler.model.visits import FeedVisit, ListingVisit, PageVisit

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedNote:
    """A visit of a feed, and its capture."""

    kind: Literal["feed"] = "feed"
    record: str | None
    """WARC-Record-ID; None where there was no answer."""
    visit: FeedVisit


@dataclass(frozen=True, slots=True, kw_only=True)
class PageNote:
    """A visit of a page, and its capture."""

    kind: Literal["page"] = "page"
    record: str | None
    """WARC-Record-ID; None where there was no answer."""
    visit: PageVisit


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingNote:
    """A visit of a listing, and its capture."""

    kind: Literal["listing"] = "listing"
    record: str | None
    """WARC-Record-ID; None where there was no answer."""
    visit: ListingVisit


Note = FeedNote | PageNote | ListingNote

_NOTE: TypeAdapter[Note] = TypeAdapter(Note)


def write(note: Note) -> str:
    """A note as one line."""
    return _NOTE.dump_json(note).decode()


def read(lines: Iterable[str], held: Callable[[str], bool]) -> Iterator[Note]:
    """The notes whose capture is archived.

    Args:
        lines: As written by `write`.
        held: Whether the capture with a WARC-Record-ID is archived.
    """
    for line in lines:
        try:
            note = _NOTE.validate_json(line)
        except ValidationError as e:
            log.warning("a note cannot be read, what it was about is fetched again error=%s", str(e).splitlines()[0])
            continue
        if note.record is None or held(note.record):
            yield note

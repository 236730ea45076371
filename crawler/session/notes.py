"""What the frontier is to remember, as lines beside a batch: a crash between capture and commit loses nothing."""

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
    """A visit of a feed, and the capture it rests on."""

    kind: Literal["feed"] = "feed"
    record: str | None
    """WARC-Record-ID; None where there was no answer."""
    visit: FeedVisit


@dataclass(frozen=True, slots=True, kw_only=True)
class PageNote:
    """A visit of a page, and the capture it rests on."""

    kind: Literal["page"] = "page"
    record: str | None
    """WARC-Record-ID; None where there was no answer."""
    visit: PageVisit


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingNote:
    """A visit of a listing, and the capture it rests on."""

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
    """The notes whose capture is held.

    Args:
        lines: As `write` made them.
        held: Whether the capture of a WARC-Record-ID is.
    """
    for line in lines:
        try:
            note = _NOTE.validate_json(line)
        except ValidationError as e:
            log.warning("a note cannot be read, what it was about is fetched again error=%s", str(e).splitlines()[0])
            continue
        if note.record is None or held(note.record):
            yield note

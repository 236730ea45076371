"""Finds what happened to posts, and queues it for those who watch for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine

from archive.errors import DamagedError, NotArchivedError
from archive.reader.reader import Reader
from schedules.changes import deliveries
from schedules.changes.finding import find
from schedules.changes.model import Change
from schedules.changes.watches import Watches

log = logging.getLogger(__name__)


def find_news(
    reader: Reader, engine: Engine, *, now: datetime, enough: Callable[[], bool], most: int | None = None
) -> int:
    """Find what happened to posts, and queue it for watches, in one transaction; returns how many were looked at.

    Raises:
        ArchiveError: Store or database failed.
    """
    watches = Watches(engine).all()

    def entered(connection: Connection, found: Sequence[Change]) -> None:
        deliveries.queue(connection, found, watches, text=words_of(reader), now=now)

    return find(reader, entered=entered, enough=enough, most=most)


def words_of(reader: Reader) -> Callable[[Change], str]:
    """Gives the words of a post as a change left it; none if they cannot be read."""

    def words(change: Change) -> str:
        try:
            return reader.text(change.url, change.at).text
        except (NotArchivedError, DamagedError) as e:
            log.warning("not compared with watches url=%s error=%s", change.url, e)
            return ""

    return words

"""Whether this machine's clock can be right: what a crawl stores is dated by it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.index.schema import CaptureRow
from archive.runtime.database import database_time, transaction
from archive.runtime.times import CLOCK_TOLERANCE
from archive.warc.http_message import header
from crawler.errors import ClockError

log = logging.getLogger(__name__)

_BATCHES = 3
"""Batches committed last that must agree: a single one may come from a machine whose clock was wrong."""
_OF_EACH = 5
"""Captures of each of them that are asked what time their servers stated."""
_REMEDY = "Set the clock (timedatectl set-ntp true). PRESSMARK_TRUST_CLOCK=1 if it is right and the other one is wrong."


def check(archive: Archive, now: datetime, *, trusted: bool) -> None:
    """Make sure that this machine's clock is not far off: not from the database's, nor behind the newest captures.

    Captures may also be of a wrong future, from a clock that was ahead. Their servers' own clocks decide: if those
    agree with this machine's, or mostly do, it is right and the captures are not.

    Args:
        archive: Its database, and its newest captures.
        now: What this machine's clock says.
        trusted: Whether the operator says that it is right.

    Raises:
        ClockError: It is far off, and not trusted.
        DatabaseError: The database failed.
    """
    wrong = _against_database(archive, now) or _against_captures(archive, now)
    if wrong is None:
        return
    if not trusted:
        raise ClockError(f"this machine's clock says {_told(now)}, {wrong}", hint=_REMEDY)
    log.warning("the clock is trusted although it seems to be wrong now=%s: %s", _told(now), wrong)


def _against_database(archive: Archive, now: datetime) -> str | None:
    engine = archive.index.engine
    with transaction(engine, reads=True) as connection:
        theirs = database_time(connection)
    # SQLite has this machine's clock.
    off = engine.dialect.name == "postgresql" and abs(theirs - now) > CLOCK_TOLERANCE
    return f"the database's {_told(theirs)}" if off else None


def _against_captures(archive: Archive, now: datetime) -> str | None:
    latest = now + CLOCK_TOLERANCE
    batches = archive.index.newest_batches(_BATCHES, _OF_EACH)
    if not batches or any(batch[0].date <= latest for batch in batches):
        return None
    stated = list(_stated(archive, [row for batch in batches for row in batch if row.date > latest]))
    if stated and sum(date > latest for date in stated) * 2 <= len(stated):
        log.warning("captures are dated in the future, a clock was ahead newest=%s", _told(batches[0][0].date))
        return None
    return f"the newest capture's {_told(max(batch[0].date for batch in batches))}"


def _stated(archive: Archive, rows: Sequence[CaptureRow]) -> Iterator[datetime]:
    """When servers say that they sent these captures."""
    for row in rows:
        try:
            date = parsedate_to_datetime(header(archive.read(row).head, "date") or "")
        except (ArchiveError, ValueError, OverflowError) as e:
            log.info("capture does not tell the time url=%s reason=%s", row.url, e)
            continue
        yield date.replace(tzinfo=UTC) if date.tzinfo is None else date


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"

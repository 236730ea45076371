"""Confirmations: further answers of a server that nothing has changed, one line each. No I/O.

The first 304 that confirms a response is a capture of its own. Those that follow without anything in between say the
same of the same page, so that only the time of each is kept: as lines of JSON in one metadata record for many pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from archive.runtime.times import iso
from archive.warc import record as warc
from archive.warc.capture import digest

MEDIA_TYPE = "application/x-ndjson"
_RECORD, _DATE = "confirms", "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A request that the server answered like the one before: nothing has changed."""

    record: str
    """WARC-Record-ID of the capture that it is like: a revisit with status 304 of the same URL."""
    date: datetime
    """When the request was sent; aware, UTC, to the microsecond."""

    def line(self) -> str:
        """It as a line of JSON, without the line's end."""
        return json.dumps({_RECORD: self.record, _DATE: iso(self.date)})


def read_line(line: str) -> Confirmation | None:
    """The confirmation in a line; None if the line is something else."""
    try:
        said = json.loads(line)
        date = datetime.fromisoformat(said[_DATE])
        return Confirmation(record=str(said[_RECORD]), date=date.astimezone(UTC))
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def is_line(line: str) -> bool:
    """Whether a line of a batch's journal is a confirmation."""
    return line.startswith(f'{{"{_RECORD}"')


def confirmations(found: Iterable[Confirmation], *, uuid: str, info: str, date: datetime) -> warc.Record:
    """The metadata record of many confirmations, ordered so that what is alike stands together.

    Args:
        found: The confirmations.
        uuid: Of the record.
        info: WARC-Record-ID of the file's warcinfo record.
        date: When their batch was begun.
    """
    ordered = sorted(found, key=lambda one: (one.record, one.date))
    block = "".join(one.line() + "\n" for one in ordered).encode()
    return warc.Record(
        headers=(
            ("WARC-Type", "metadata"),
            ("WARC-Record-ID", warc.record_id(uuid)),
            ("WARC-Date", warc.write_date(date)),
            ("WARC-Warcinfo-ID", info),
            ("Content-Type", MEDIA_TYPE),
            ("WARC-Block-Digest", digest(block)),
        ),
        block=block,
    )


def stated(records: Iterable[warc.Record]) -> Iterator[Confirmation]:
    """The confirmations in records, in their order; other records are left out."""
    for record in records:
        if record.kind == "metadata" and record.get("Content-Type") == MEDIA_TYPE:
            for line in record.block.decode("utf-8", "replace").splitlines():
                if (one := read_line(line)) is not None:
                    yield one

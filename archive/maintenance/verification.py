"""One run of `verify`: chooses what to read, marks what is lost, and takes marks away that do not hold any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from archive.archive import Archive
from archive.evidence import log_object
from archive.index import faults, joins
from archive.index.faults import MISSING
from archive.index.schema import ObjectRow
from archive.maintenance import verify_logs
from archive.maintenance.verify import (
    OWN,
    Check,
    Checked,
    Finding,
    check,
    check_other,
    longest_unread,
    repair,
    unknown,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What one run reads."""

    rows: tuple[ObjectRow, ...]
    """Objects with captures or texts; index lines are read with their object."""
    others: tuple[str, ...]
    """Keys of state objects, profiles of sites, logs and time stamps."""
    known: tuple[str, ...]
    """Keys of all objects that the index knows."""
    total: int
    """Number of objects of which these were chosen."""


class Verification:
    """Reads objects to their ends and stores what was found.

    Args:
        archive: Whose objects are read.
        checks: What to do with the objects of each prefix of the crawler.
        now: The clock.
        repairs: Whether to write index lines again that the store does not have.
    """

    def __init__(
        self, archive: Archive, *, checks: Mapping[str, Check], now: Callable[[], datetime], repairs: bool = False
    ) -> None:
        self._archive = archive
        self._checks = {**OWN, **checks}
        self._now = now
        self._repairs = repairs
        self._missing: list[tuple[str, Checked]] = []

    def chosen(self, share: float) -> Chosen:
        """The objects to read, those first that were not read for the longest time.

        Raises:
            ArchiveError: Store or database failed.
        """
        store, index = self._archive.store, self._archive.index
        known = index.objects()
        others = [key for prefix in self._checks for key in store.keys(prefix)]
        read = faults.states_read(index.engine)
        return Chosen(
            rows=tuple(longest_unread(known, lambda row: row.verified, share=share)),
            others=tuple(longest_unread(others, read.get, share=share)),
            known=tuple(row.key for row in known),
            total=len(known) + len(others),
        )

    def row(self, row: ObjectRow) -> Iterator[Finding]:
        """Read an object with captures or texts.

        Raises:
            ArchiveError: Store or database failed; nothing is marked.
        """
        checked = check(self._archive.store, self._archive.index, row)
        if checked.findings and not self._archive.index.has_object(row.key):
            return  # it was joined with others meanwhile
        if checked.fault == MISSING:
            self._missing.append((row.key, checked))  # marked once it is clear that this is the right store
        else:
            self._store(row.key, checked)
        mended = self._repairs and repair(self._archive.store, checked)
        yield from (one for one in checked.findings if not (mended and one.kind == "missing"))

    def other(self, key: str) -> Iterator[Finding]:
        """Read a state object, the profile of a site, a part of a log or a time stamp.

        Raises:
            ArchiveError: Store or database failed.
        """
        found = list(check_other(self._archive.store, key, self._checks))
        yield from found
        if key.startswith(log_object.PREFIX) and not found:
            yield from verify_logs.other_objects(self._archive.store, self._archive.index, key)
        faults.state_read(self._archive.index.engine, [key], at=self._now())

    def end(self, chosen: Chosen) -> Iterator[Finding]:
        """Mark what is missing, if the store has anything that the index knows; what else it has that no row refers to.

        Raises:
            ArchiveError: Store or database failed.
        """
        missing, self._missing = self._missing, []
        if missing and (len(missing) < len(chosen.rows) or self._archive.is_ours()):
            for key, checked in missing:
                self._store(key, checked)
        index = self._archive.index
        joined = (*index.retired(), *joins.unfinished(index.engine))
        yield from verify_logs.missing_parts(self._archive.store, index)
        yield from unknown(self._archive.store, (*chosen.known, *(row.key for row in index.objects()), *joined))

    def _store(self, key: str, checked: Checked) -> None:
        engine = self._archive.index.engine
        faults.checked(engine, key, at=self._now(), fault=checked.fault, lost=checked.lost)

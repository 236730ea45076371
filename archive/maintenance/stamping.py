"""Time stamps for the newest checkpoint of each log that has none yet; commits never wait for them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from archive.archive import Archive
from archive.errors import ObjectExistsError, SettingsError
from archive.evidence.time_stamps import stamp_key
from archive.evidence.verify_bundle import read_stamp
from archive.index import log_rows
from archive.index.log_rows import StampRow
from archive.reader.log_lines import read_commit

if TYPE_CHECKING:
    from archive.evidence.authority import Authority

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A checkpoint that has a time stamp now."""

    log: str
    size: int
    """Leaves of the log."""
    time: datetime
    """As the authority states it; aware, UTC."""


def stamp_logs(archive: Archive) -> list[Stamped]:
    """Have the newest checkpoints stamped; nothing if no authority is set. What was stamped before a failure stays.

    Raises:
        SettingsError: The authority cannot be used as it is set, or the library for it is not installed.
        TimeStampError: The authority gave no time stamp.
        ArchiveError: Store or database failed.
    """
    if not archive.settings.timestamp_authority:
        return []
    authority = _authority(archive)
    done = []
    for row in log_rows.unstamped(archive.index.engine):
        key = stamp_key(row.log, row.size)
        note = read_commit(archive.store, archive.index, row).note
        response = authority.stamp(note.encode())
        try:
            archive.store.put(key, response)
        except ObjectExistsError:  # another machine was faster
            response = archive.store.read(key)
        log_rows.stamped(archive.index.engine, StampRow(log=row.log, size=row.size, key=key))
        done.append(Stamped(log=row.log, size=row.size, time=read_stamp(response).time))
        log.info("stamped log=%s size=%d", row.log, row.size)
    return done


def _authority(archive: Archive) -> Authority:
    try:
        from archive.evidence.authority import Authority
    except ImportError as e:
        raise SettingsError(
            f"PRESSMARK_TIMESTAMP_AUTHORITY is set, but {e.name} is not installed",
            hint="Install it with pip install 'pressmark[timestamps]'.",
        ) from e
    return Authority(archive.settings.timestamp_authority, archive.settings.timestamp_roots)

"""What is wrong with the parts that daemon and web app need."""

from __future__ import annotations

from archive.archive import Archive
from archive.errors import ArchiveError, SpoolError
from schedules.runs import Runs


def unwell(archive: Archive, runs: Runs) -> dict[str, str]:
    """What is wrong with database, store and disk, by their names; nothing if all is well."""
    found = {}
    for part, check in (("database", runs.latest), ("store", archive.check_writable)):
        try:
            check()
        except SpoolError as e:
            found["disk"] = str(e)
        except ArchiveError as e:
            found[part] = str(e)
    return found

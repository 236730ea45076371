"""An archive of captures and clean texts, stored permanently and readable as of any time. Knows nothing of feeds.

The names below are the public API; each is imported when it is first used (PEP 562), so that `import archive` is cheap.
The function `extract` stays in its package, `archive.extract`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.errors import (
        ArchiveError,
        DamagedError,
        DatabaseError,
        ExtractError,
        NotArchivedError,
        ObjectMissingError,
        SettingsError,
        StoreError,
    )
    from archive.extract.text import Entry, Text
    from archive.index.schema import CaptureRow
    from archive.index.versions import Version
    from archive.public import ArchivedPost, OpenArchive, decoded_payload, open_archive, parse_warc
    from archive.reader.page_history import Difference
    from archive.reader.reader import Exchange, Reader
    from archive.reader.text_edits import Edit
    from archive.search.search import Hit
    from archive.warc.capture import Capture
    from archive.warc.foreign import Broken
    from archive.warc.record import Record, is_capture
    from archive.writer.batch import Origin
    from archive.writer.committer import Writer

_HOMES = {
    "Archive": "archive.archive",
    "ArchiveError": "archive.errors",
    "ArchivedPost": "archive.public",
    "Broken": "archive.warc.foreign",
    "Capture": "archive.warc.capture",
    "CaptureRow": "archive.index.schema",
    "DamagedError": "archive.errors",
    "DatabaseError": "archive.errors",
    "Difference": "archive.reader.page_history",
    "Edit": "archive.reader.text_edits",
    "Entry": "archive.extract.text",
    "Exchange": "archive.reader.reader",
    "ExtractError": "archive.errors",
    "Hit": "archive.search.search",
    "NotArchivedError": "archive.errors",
    "ObjectMissingError": "archive.errors",
    "OpenArchive": "archive.public",
    "Origin": "archive.writer.batch",
    "Reader": "archive.reader.reader",
    "Record": "archive.warc.record",
    "SettingsError": "archive.errors",
    "StoreError": "archive.errors",
    "Text": "archive.extract.text",
    "Version": "archive.index.versions",
    "Writer": "archive.writer.committer",
    "decoded_payload": "archive.public",
    "is_capture": "archive.warc.record",
    "open_archive": "archive.public",
    "parse_warc": "archive.public",
}

__all__ = [
    "Archive",
    "ArchiveError",
    "ArchivedPost",
    "Broken",
    "Capture",
    "CaptureRow",
    "DamagedError",
    "DatabaseError",
    "Difference",
    "Edit",
    "Entry",
    "Exchange",
    "ExtractError",
    "Hit",
    "NotArchivedError",
    "ObjectMissingError",
    "OpenArchive",
    "Origin",
    "Reader",
    "Record",
    "SettingsError",
    "StoreError",
    "Text",
    "Version",
    "Writer",
    "decoded_payload",
    "is_capture",
    "open_archive",
    "parse_warc",
]


def __getattr__(name: str) -> object:
    """A public name, imported when it is first used."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)

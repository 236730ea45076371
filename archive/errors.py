"""What can go wrong in the archive.

    ArchiveError
    ├── SettingsError         a setting cannot be used
    ├── StoreError            the object store failed
    │   ├── ObjectMissingError    no such object
    │   ├── ObjectExistsError     the key already has other bytes (rejected)
    │   ├── StoreBusyError        try again later (temporary)
    │   └── StoreRefusedError     credentials, permissions, no such bucket or folder
    ├── DatabaseError         the database failed (temporary if it was unreachable, rejected if it refused the values)
    ├── SpoolError            the local spool cannot be written
    │   └── SpoolFullError        it has no room (temporary)
    ├── LockedError           another process is already doing this
    ├── NotArchivedError      nothing is archived for that URL
    ├── NotLoggedError        no log has the object of a record
    ├── DamagedError          stored bytes do not match the index
    ├── TimeStampError        a time stamp authority gave no time stamp (temporary)
    ├── TooLargeError         the result does not fit into the requested format
    ├── ExtractError          no text could be extracted from a page
    │   └── PageTooLargeError     it is longer than pages may be
    ├── TaskError             work in another process failed, crashed, or passed a limit
    └── WorkersBusyError      more work is waiting for worker processes than may (temporary)

Each error names its subject. `hint` is the remedy, shown on the command line below the error.
"""

from __future__ import annotations


class ArchiveError(Exception):
    """Something about the archive that its operator can read and act on."""

    temporary = False
    """True where the same call may succeed later; retries look at nothing else."""

    rejected = False
    """True where what was given is at fault: these bytes or values are refused, and always will be. Anything else says
    something about a machine or its state, and whatever waits can wait longer."""

    hint: str | None = None
    """What to do about it, one sentence; None where the message is enough."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class SettingsError(ArchiveError):
    """A setting cannot be used as it is."""


class StoreError(ArchiveError):
    """The object store failed."""

    def __init__(self, message: str, *, location: str, key: str | None = None, hint: str | None = None) -> None:
        subject = f"{location}: {key}" if key else location
        super().__init__(f"{subject}: {message}", hint=hint)
        self.location = location
        self.key = key


class ObjectMissingError(StoreError):
    """The store has no object of that key."""


class ObjectExistsError(StoreError):
    """The key already has other bytes; objects are written once."""

    rejected = True


class StoreBusyError(StoreError):
    """The store is unreachable or overloaded at the moment."""

    temporary = True


class StoreRefusedError(StoreError):
    """The store refuses this until its operator changes something."""


class DatabaseError(ArchiveError):
    """The database failed; `url` has its password removed."""

    def __init__(
        self, message: str, *, url: str, hint: str | None = None, temporary: bool = False, rejected: bool = False
    ) -> None:
        super().__init__(f"{url}: {message}", hint=hint)
        self.url = url
        self.temporary = temporary
        self.rejected = rejected


class SpoolError(ArchiveError):
    """The local spool cannot be written, so nothing more is accepted."""

    def __init__(self, message: str, *, path: str, hint: str | None = None) -> None:
        super().__init__(f"{path}: {message}", hint=hint)
        self.message = message
        self.path = path


class SpoolFullError(SpoolError):
    """The spool has no room at the moment; its contents are intact."""

    temporary = True


class LockedError(ArchiveError):
    """Another process is already doing this."""


class NotArchivedError(ArchiveError):
    """That URL is not archived, or lacks what was requested."""

    def __init__(self, url: str, *, what: str = "no capture", hint: str | None = None) -> None:
        super().__init__(f"{url}: {what} in the archive", hint=hint)
        self.url = url


class NotLoggedError(ArchiveError):
    """No log has the object that a record was sealed in, so nothing about it can be proved."""

    hint = "Only what was archived since Pressmark keeps a log can be proved; pressmark reindex reads the logs again."

    def __init__(self, key: str) -> None:
        super().__init__(f"{key}: is in no log")
        self.key = key


class DamagedError(ArchiveError):
    """Stored bytes are not what was written."""

    def __init__(self, message: str, *, key: str, offset: int) -> None:
        super().__init__(f"{key} at byte {offset}: {message}")
        self.key = key
        self.offset = offset


class TimeStampError(ArchiveError):
    """A time stamp authority gave no time stamp; it is asked again the next time."""

    temporary = True
    hint = "The log is complete without it; pressmark stamp asks again."

    def __init__(self, message: str, *, url: str) -> None:
        super().__init__(f"{url}: {message}")
        self.url = url


class TooLargeError(ArchiveError):
    """What was requested does not fit into that format."""

    hint = "Ask for its WARC records instead."

    def __init__(self, url: str, what: str) -> None:
        super().__init__(f"{url}: too large for {what}")
        self.url = url


class ExtractError(ArchiveError):
    """No text could be extracted from a page; its capture is stored all the same."""

    def __init__(self, message: str, *, url: str) -> None:
        super().__init__(f"{url}: {message}")
        self.url = url


class PageTooLargeError(ExtractError):
    """A page is longer than text is extracted from, also without what only fills it."""


class TaskError(ArchiveError):
    """Work in another process failed, crashed, or passed a limit."""


class WorkersBusyError(ArchiveError):
    """More work is waiting for worker processes than may."""

    temporary = True

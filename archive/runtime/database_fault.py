"""What an error of the database means: an outage that ends, something for its operator, or values that it cannot store.

Whatever the database says about itself says nothing about what it was given; only values that it refuses are never
accepted later. No I/O.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What an error means for whoever called."""

    temporary: bool = False
    """The same call may succeed later without anybody's help."""
    rejected: bool = False
    """The values that were passed are refused, and always will be."""
    hint: str = "Is the database up, with room to write?"


_READ_ONLY = "It is read-only at the moment, perhaps a standby after a failover; what was fetched waits in the spool."
_REBUILD = "Restore the database, or create an empty one and run: pressmark reindex"
_GRANT = "Give PRESSMARK_DATABASE a user who owns the tables."
_VALUES = Fault(rejected=True, hint="Please report this.")

_STATES = {
    "2200H": Fault(hint="A sequence is used up: make it and its column bigint."),
    "25006": Fault(temporary=True, hint=_READ_ONLY),
    "28000": Fault(hint="Check user and password in PRESSMARK_DATABASE."),
    "28P01": Fault(hint="Check user and password in PRESSMARK_DATABASE."),
    "3D000": Fault(hint="Create the database, or correct PRESSMARK_DATABASE."),
    "42501": Fault(hint=_GRANT),
    # A table or column that another version of Pressmark is just changing.
    "42P01": Fault(temporary=True, hint="Is another version of Pressmark at work on it?"),
    "42703": Fault(temporary=True, hint="Is another version of Pressmark at work on it?"),
    "53100": Fault(temporary=True, hint="Free some space on its disk."),
    "53300": Fault(temporary=True, hint="Raise its max_connections, or run fewer processes."),
}
"""By SQLSTATE (PostgreSQL, appendix A); what is not here is judged by its class."""
_CLASSES = {
    "08": Fault(temporary=True),  # connection
    "21": _VALUES,  # two rows where one is needed
    "22": _VALUES,  # encoding, range, form
    "23": _VALUES,  # constraints
    "25": Fault(temporary=True),  # state of the transaction, such as a session that idled for too long
    "40": Fault(temporary=True),  # rolled back: serialization, deadlock
    "53": Fault(temporary=True),  # resources
    "54": _VALUES,  # too large for a row or an index
    "55": Fault(temporary=True),  # locks
    "57": Fault(temporary=True),  # operator: shutdown, starting up, timeouts
    "58": Fault(temporary=True),  # the system beneath
    "XX": Fault(hint=_REBUILD),  # damaged data or index
}
_UNIQUE = "23505"
_NUMBER = "Key (id)="
"""Beginning of the detail where two rows have the same number, which comes from a sequence."""

_CODES = {
    sqlite3.SQLITE_READONLY: Fault(temporary=True, hint="Make the file and its folder writable."),
    sqlite3.SQLITE_FULL: Fault(temporary=True, hint="Free some space on its disk."),
    sqlite3.SQLITE_CORRUPT: Fault(hint=_REBUILD),
    sqlite3.SQLITE_NOTADB: Fault(hint=_REBUILD),
    sqlite3.SQLITE_TOOBIG: _VALUES,
    sqlite3.SQLITE_CONSTRAINT: _VALUES,
    sqlite3.SQLITE_MISMATCH: _VALUES,
}
"""By primary result code (SQLite, rescode.html)."""
_PRIMARY = 0xFF


def fault(e: SQLAlchemyError) -> Fault:
    """What an error of the database means."""
    if not isinstance(e, DBAPIError) or e.orig is None:
        # A value that could not even be turned into the database's form has no DBAPI error beneath.
        values = isinstance(e, StatementError) and isinstance(e.orig, ValueError | OverflowError | TypeError)
        return _VALUES if values else Fault(temporary=isinstance(e, PoolTimeoutError))
    said = e.orig.args[0] if e.orig.args else None
    if isinstance(said, dict):  # pg8000: the server's own error, with its SQLSTATE under C
        return _by_state(str(said.get("C", "")), str(said.get("D", "")))
    otherwise = Fault(temporary=isinstance(e, OperationalError | InterfaceError))
    code = getattr(e.orig, "sqlite_errorcode", None)
    return otherwise if code is None else _CODES.get(code & _PRIMARY, otherwise)


def _by_state(state: str, detail: str) -> Fault:
    if state == _UNIQUE and detail.startswith(_NUMBER):
        return Fault(hint="A sequence is behind its table, as after a restored backup: set it anew.")
    return _STATES.get(state) or _CLASSES.get(state[:2]) or Fault()

"""Names of the objects with time stamps, and what is wrong with one. No I/O."""

from __future__ import annotations

import re

from archive.evidence.verify_bundle import Failure, read_stamp

STAMPS = "stamps/"
"""Prefix of the objects with time stamps of checkpoints."""
_KEY = re.compile(r"stamps/([0-9a-f]{16})/([0-9]{12})\.tsr")


def stamp_key(log: str, size: int) -> str:
    """Key of the time stamp of a log's checkpoint."""
    return f"{STAMPS}{log}/{size:012d}.tsr"


def read_stamp_key(key: str) -> tuple[str, int] | None:
    """Log and size that the key of a time stamp names; None if it is another key."""
    found = _KEY.fullmatch(key)
    return (found[1], int(found[2])) if found else None


def fault(data: bytes) -> str | None:
    """Why an object is no time stamp; None if it is one. Its signature is not checked."""
    try:
        read_stamp(data)
    except Failure as e:
        return str(e)
    return None

"""What every object store guarantees: the part that reads, and the part that writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

from archive.errors import ObjectExistsError

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_MAX_KEY = 512


class ReadableStore(Protocol):
    """Named byte strings, as seen by code that only reads.

    Keys are lower-case ASCII words joined by `/`; no key derives from a URL or a title.
    """

    location: str
    """The store as named in its setting."""

    def read(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """Bytes of an object from `offset`: to its end if no length is given, fewer than `length` if it ends before.

        Raises:
            ObjectMissingError: No such object.
            StoreBusyError: Try again later.
            StoreRefusedError: Credentials, permissions.
        """

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Keys of durable objects that start with `prefix`; the order depends on the store."""

    def size(self, key: str) -> int:
        """Length of an object in bytes.

        Raises:
            ObjectMissingError: No such object.
        """


class ObjectStore(ReadableStore, Protocol):
    """Named byte strings, each written once and never changed."""

    def put(self, key: str, source: bytes | Path) -> None:
        """Store bytes, or the content of a file; they are durable once this returns.

        Putting the same bytes again succeeds, so that a retry is safe.

        Raises:
            ObjectExistsError: The key has other bytes.
            StoreBusyError: Try again later, or when there is room again; `temporary` is true.
            StoreRefusedError: Credentials, permissions.
        """

    def delete(self, key: str) -> None:
        """Remove an object; it is gone once this returns. One that is not there is fine, so that a retry is safe.

        Only for objects whose bytes are durable in another one.

        Raises:
            StoreBusyError: Try again later.
            StoreRefusedError: Credentials, permissions.
        """

    def clean(self, before: datetime) -> int:
        """Remove what writes that began before an instant and were interrupted have left; returns how many.

        Raises:
            StoreBusyError: Try again later.
            StoreRefusedError: Credentials, permissions.
        """

    def check(self) -> None:
        """Make sure that the store can be used; leaves nothing behind.

        Raises:
            StoreBusyError: It is out of reach.
            StoreRefusedError: It refuses these credentials, or does not exist and cannot be created.
        """


def other_bytes(location: str, key: str, *, held: str, given: str) -> ObjectExistsError:
    """The error where a key has other bytes; both are named by their SHA-256."""
    return ObjectExistsError(
        f"holds other bytes: sha256 {held}, not {given}",
        location=location,
        key=key,
        hint="pressmark verify reads what is there; pressmark seal --again stores a batch under another name.",
    )


def is_key(key: str) -> bool:
    """Whether a name has the form that every store supports."""
    return len(key) <= _MAX_KEY and _KEY.fullmatch(key) is not None


def checked_key(key: str) -> str:
    """The key itself, if it is valid.

    Raises:
        ValueError: It does not have the form that every store supports.
    """
    if not is_key(key):
        raise ValueError(f"object key {key!r} is not of the form a-z0-9._- joined by /")
    return key

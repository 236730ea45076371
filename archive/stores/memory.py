"""Objects in this process's memory, for tests and trials; lost when it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from archive.errors import ObjectMissingError
from archive.stores.protocol import checked_key, other_bytes


class MemoryStore:
    """An `ObjectStore` in a dict."""

    _named: ClassVar[dict[str, MemoryStore]] = {}

    def __init__(self, name: str = "") -> None:
        self.location = f"memory:{name}"
        self._objects: dict[str, bytes] = {}

    @classmethod
    def named(cls, name: str) -> MemoryStore:
        """The store of that name; the same one for each caller in this process, so one may write and another read."""
        return cls._named.setdefault(name, cls(name))

    def put(self, key: str, source: bytes | Path) -> None:
        """See `ObjectStore`."""
        data = source.read_bytes() if isinstance(source, Path) else bytes(source)
        held = self._objects.setdefault(checked_key(key), data)
        if held != data:
            there, given = (hashlib.sha256(one).hexdigest() for one in (held, data))
            raise other_bytes(self.location, key, held=there, given=given)

    def delete(self, key: str) -> None:
        """See `ObjectStore`."""
        self._objects.pop(checked_key(key), None)

    def clean(self, before: datetime) -> int:  # noqa: ARG002  the protocol's; nothing is ever unfinished
        """See `ObjectStore`."""
        return 0

    def read(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """See `ObjectStore`."""
        data = self._held(key)
        return data[offset:] if length is None else data[offset : offset + length]

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore`."""
        return (key for key in sorted(self._objects) if key.startswith(prefix))

    def size(self, key: str) -> int:
        """See `ObjectStore`."""
        return len(self._held(key))

    def check(self) -> None:
        """See `ObjectStore`; memory can always be used."""

    def _held(self, key: str) -> bytes:
        try:
            return self._objects[key]
        except KeyError:
            raise ObjectMissingError("no such object", location=self.location, key=key) from None

"""Requests in flight, so that a spider knows when nothing more can follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class InFlight:
    """Requests in flight, by name: `feed https://a.example/feed`."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def __len__(self) -> int:
        return len(self._names)

    def begin(self, name: str) -> None:
        """A request is sent; `ending` ends it."""
        self._names.add(name)

    @contextmanager
    def ending(self, name: str) -> Iterator[None]:
        """Leaving this context, normally or by an exception, ends the request."""
        try:
            yield
        finally:
            self._names.discard(name)

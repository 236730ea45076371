"""Requests that were made and have not come to their end, so that a spider knows when nothing more can follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class InFlight:
    """What is under way, by name: `feed https://a.example/feed`."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def __len__(self) -> int:
        return len(self._names)

    def begin(self, name: str) -> None:
        """A request goes out; `ending` closes it."""
        self._names.add(name)

    @contextmanager
    def ending(self, name: str) -> Iterator[None]:
        """Whatever happens within, well or not, is the end of what was begun."""
        try:
            yield
        finally:
            self._names.discard(name)

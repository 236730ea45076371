"""How long this process was kept from its work, so that servers are not blamed for it. No I/O."""

from __future__ import annotations

from time import monotonic


class Lag:
    """Time that passed while the event loop was busy: other processes had the processor, or a callback took long."""

    def __init__(self) -> None:
        self._total = 0.0

    def slept(self, wanted: float, took: float) -> None:
        """A task that wanted to sleep for so many seconds woke up after so many."""
        self._total += max(0.0, took - wanted)

    def clock(self) -> float:
        """Seconds that passed since some instant, without these."""
        return monotonic() - self._total

"""The candidates of a `srcset` attribute (HTML §4.8.4.2.1). No I/O."""

from __future__ import annotations

from collections.abc import Iterator

_MAX_CHARACTERS = 20_000
"""Beginning of the attribute that is read; genuine ones have a tenth of that."""


def largest(srcset: str | None) -> str | None:
    """The URL of the largest candidate, as written; None if there is none."""
    found = list(candidates(srcset)) if srcset else []
    return max(found, key=lambda one: one[0])[1] if found else None


def candidates(srcset: str) -> Iterator[tuple[float, str]]:
    """Size and URL of each candidate; 1 if no size is stated or it is not a number."""
    link, size = "", 1.0
    for word in srcset[:_MAX_CHARACTERS].split():
        if not link:
            link = word.strip(",")
            if link and word.endswith(","):
                yield size, link
                link = ""
            continue
        stated, comma, following = word.partition(",")
        size = _size(stated) or size
        if comma:
            yield size, link
            link, size = following.strip(","), 1.0
    if link:
        yield size, link


def _size(descriptor: str) -> float | None:
    """The number in `2x` or `640w`."""
    number = descriptor[:-1]
    if descriptor[-1:] not in {"w", "x"} or not number.replace(".", "", 1).isdecimal():
        return None
    return float(number)

"""Damaged spool files: the original is kept, and a file of what is whole in it takes its place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from archive.runtime.durable import sync_folder

FOLDER = "damaged"
"""Folder within the spool where originals are kept."""
_CHUNK = 1 << 20

Span = tuple[int, int]
"""Offset of the first byte, and of the first one behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What was lost of a spool file, and where the file is now."""

    kept: Path
    """The file as it was found."""
    lost: tuple[Span, ...]
    """Bytes of it that are in no whole record."""
    records: int
    """Whole records that were saved from it."""

    def line(self) -> str:
        """The damage as people see it."""
        spans = ", ".join(f"{begin}-{end - 1}" if end > begin else f"{begin} on" for begin, end in self.lost)
        count = f"{self.records} whole record" + ("" if self.records == 1 else "s")
        return f"damaged spool file: bytes {spans} are lost, {count} kept; the file is now {self.kept}"


def keep(path: Path) -> Path:
    """Give a damaged file a second name in the folder of damaged files; returns that name."""
    folder = path.parent / FOLDER
    folder.mkdir(exist_ok=True)
    kept = _linked(path, folder)
    sync_folder(folder)
    return kept


def _linked(path: Path, folder: Path) -> Path:
    number = 0
    while True:
        name = folder / (path.name if not number else f"{path.name}.{number}")
        try:
            name.hardlink_to(path)
        except FileExistsError:
            if name.samefile(path):  # an earlier attempt was interrupted
                return name
            number += 1
        else:
            return name


def rewrite(path: Path, final: Path, kept: Iterable[Span]) -> None:
    """Make a file of some parts of another one, and put it in its place under its final name."""
    part = path.parent / FOLDER / f"{final.name}.part"
    with path.open("rb") as source, part.open("wb") as out:
        for begin, end in kept:
            source.seek(begin)
            left = end - begin
            while left and (data := source.read(min(left, _CHUNK))):
                out.write(data)
                left -= len(data)
        out.flush()
        os.fsync(out.fileno())
    part.replace(final)
    if path != final:
        path.unlink()
    sync_folder(final.parent)


def without(size: int, lost: Iterable[Span]) -> list[Span]:
    """The parts of a file that are not lost."""
    edges = [0, *(edge for span in joined(lost) for edge in span), size]
    return [(begin, end) for begin, end in list(pairwise(edges))[::2] if end > begin]


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch made one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found

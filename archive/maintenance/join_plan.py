"""Which objects are joined with which: a rule over the rows of objects. No I/O."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.index.joins import Held
from archive.index.schema import VISITS, begun_of

FEWEST = 4
"""Objects that are joined: with fewer there is little to gain."""
MOST_SOURCES = 1_000
"""Objects that are joined at once: they become one transaction, and one list."""
MOST_RECORDS = {"warc": 200_000, "text": 20_000, VISITS: 200_000}
"""Captures or texts of a joined object: reindexing and verifying have the rows of one object in memory, and the words
of its texts."""
_SHARE = {"warc": 1.0, "text": 1 / 16, VISITS: 1 / 64}
"""Share of the largest size: texts and confirmations are small, and read into memory together."""
_SMALL = 8
"""An object with an eighth of the largest size, or of the most records, stays as it is."""
SETTLED = timedelta(hours=2)
"""From the end of a day or month until its objects are joined: what is open at midnight is committed by then."""

_NAMED = re.compile(r"(warc|text|visits)/\d{4}/\d\d/\d\d/([a-z0-9]+)-(\d{20})-[a-z0-9-]+\.warc\.gz")
MIXED = "mixed"
"""First word of the name of an object that joins texts of several makers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Objects that become one, in the order in which they were begun."""

    kind: str
    """`warc`, `text` or `visits`."""
    period: str
    """The day or month that they are of, as digits."""
    maker: str
    """First word of their names, or `mixed`."""
    sources: tuple[Held, ...]

    @property
    def begun(self) -> str:
        """When the first of them was begun, 20 digits."""
        return begun_of(self.sources[0].row.key)

    @property
    def bytes(self) -> int:
        """Their size together."""
        return sum(one.row.length for one in self.sources)


def plan(held: Collection[Held], *, now: datetime, most_bytes: float, without: Collection[str] = ()) -> list[Join]:
    """Runs of small objects of one month that is over, or of one day that is over in a month that is not.

    Objects are joined only if none was begun between them that stays apart. So the order of objects, by which the
    newest text of a capture and the response of a revisit are found, stays what it was. Captures of several makers are
    not joined, because the name of an object tells who made them.

    Args:
        held: All objects of the index.
        now: Aware, UTC.
        most_bytes: Largest size of a joined object.
        without: Keys of objects that must stay as they are.
    """
    until = now - SETTLED
    found: list[Join] = []
    for kind, most_records in MOST_RECORDS.items():
        ordered = sorted(
            (one for one in held if one.row.key.startswith(f"{kind}/")),
            key=lambda one: (begun_of(one.row.key), one.row.key),
        )
        limits = _Limits(bytes=most_bytes * _SHARE[kind], records=most_records)
        groups = itertools.groupby(ordered, key=lambda one: _group(one, limits, until, without))
        for group, members in groups:
            if group is not None:
                found += _joins(kind, group[0], limits, members)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """Size of a joined object."""

    bytes: float
    records: float

    def small(self, one: Held) -> bool:
        return one.row.length * _SMALL < self.bytes and one.records * _SMALL < self.records


def _group(one: Held, limits: _Limits, until: datetime, without: Collection[str]) -> tuple[str, str] | None:
    """Period, and maker where it counts; None for an object that stays as it is."""
    named = _NAMED.fullmatch(one.row.key)
    if named is None or one.row.key in without or one.row.fault or not limits.small(one):
        return None
    kind, maker, begun = named.groups()
    today = f"{until:%Y%m%d}"
    if begun[:8] >= today:
        return None
    period = begun[:6] if begun[:6] < today[:6] else begun[:8]
    return period, maker if kind == "warc" else ""


def _joins(kind: str, period: str, limits: _Limits, members: Iterable[Held]) -> Iterator[Join]:
    for run in _runs(limits, members):
        if len(run) >= FEWEST:
            makers = {one.row.key.rsplit("/", 1)[-1].split("-")[0] for one in run}
            maker = makers.pop() if len(makers) == 1 else MIXED
            yield Join(kind=kind, period=period, maker=maker, sources=tuple(run))


def _runs(limits: _Limits, members: Iterable[Held]) -> Iterator[list[Held]]:
    """Members in lists that do not exceed the limits."""
    run: list[Held] = []
    size = records = 0
    for one in members:
        full = size + one.row.length > limits.bytes or records + one.records > limits.records
        if run and (full or len(run) == MOST_SOURCES):
            yield run
            run, size, records = [], 0, 0
        run.append(one)
        size, records = size + one.row.length, records + one.records
    yield run

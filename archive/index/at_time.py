"""A host's posts as the archive had seen them by an instant: in the order of their dates, with what shows each of them.

A post is held at an instant if a text of it had been seen by then. Every list comes in parts, each found by the key of
the last row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Exists, Row, Select, and_, func, or_, select

from archive.index.fulltext import searchable
from archive.index.index import Index
from archive.index.schema import (
    CAPTURES,
    CaptureRow,
    TextRow,
    capture_row,
    captures,
    newest,
    text_row,
    texts,
    texts_select,
)
from archive.index.tallies import tallies
from archive.runtime.database import fetch, in_parts
from archive.warc.page_identity import page_key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"(-?\d{1,18})-(\d{1,18})")
_MOST_NUMBER = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a list of posts, for the next part."""

    dated: datetime
    number: int
    """Of the post's row."""

    @classmethod
    def parse(cls, written: str) -> Place:
        """The place that `str` wrote.

        Raises:
            ValueError: It wrote no such thing.
        """
        found = _PLACE.fullmatch(written)
        try:
            if found:
                dated = _EPOCH + timedelta(microseconds=int(found[1]))
                return cls(dated=dated, number=min(int(found[2]), _MOST_NUMBER))
        except OverflowError:
            pass
        raise ValueError(f"{written[:40]!r} is no place in this list: take it from a link to the next part")

    def __str__(self) -> str:
        return f"{(self.dated - _EPOCH) // timedelta(microseconds=1)}-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A post in such a list, as one of its texts states it."""

    page: str
    """Key of the post: as `Entered.page`."""
    url: str
    title: str | None
    author: str | None
    dated: datetime
    """The date that the post states; otherwise when this text was first seen."""
    seen: datetime
    """When this text was first seen."""
    number: int
    """Of its row; of two texts with one date, the greater comes first."""

    @property
    def place(self) -> Place:
        """The place after it."""
        return Place(dated=self.dated, number=self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows a post: as `archive.index.versions.versions` takes it."""

    captures: Sequence[CaptureRow] = ()
    """Oldest first."""
    texts: Mapping[str, Sequence[TextRow]]
    """Texts of each capture that has any, newest first, by its WARC-Record-ID."""


def hosts_with_posts(index: Index, hosts: Iterable[str]) -> list[str]:
    """Those of some hosts that have posts, in their order."""
    wanted = list(dict.fromkeys(hosts))
    found: set[str] = set()
    for part in in_parts(wanted):
        query = select(tallies.c.name, tallies.c.count.label("posts"))
        query = query.where(tallies.c.kind == "posts", tallies.c.name.in_(part))
        found.update(row.name for row in fetch(index.engine, query) if row.posts)
    return [host for host in wanted if host in found]


def hosts_of_feed(index: Index, url: str, limit: int) -> list[str]:
    """Hosts of the posts whose words came from the document at a URL, those with the most of them first."""
    query = (
        select(searchable.c.host, func.count().label("many"))
        .join(texts, (texts.c.page == searchable.c.page) & (texts.c.digest == searchable.c.digest))
        .join(captures, captures.c.record == texts.c.capture)
        .where(captures.c.page == page_key(url), texts.c.source == "feed")
        .group_by(searchable.c.host)
        .order_by(func.count().desc(), searchable.c.host)
    )
    return [row.host for row in fetch(index.engine, query.limit(limit))]


def held(index: Index, host: str, until: datetime, *, limit: int, after: Place | None = None) -> list[Listed]:
    """Posts of which a text had been seen by an instant, as the last of these states them, newest date first."""
    later = _another(lambda other: or_(other.seen > _SEEN, and_(other.seen == _SEEN, other.id > _ID)), until=until)
    return _part(index, select(searchable).where(searchable.c.host == host, until >= _SEEN, ~later), limit, after)


def seen_later(index: Index, host: str, until: datetime, *, limit: int, after: Place | None = None) -> list[Listed]:
    """Posts that are dated by an instant, but were first seen after it, as their first text states them."""
    earlier = _another(lambda other: or_(other.seen < _SEEN, and_(other.seen == _SEEN, other.id < _ID)))
    dated = searchable.c.dated <= until
    return _part(
        index, select(searchable).where(searchable.c.host == host, dated, until < _SEEN, ~earlier), limit, after
    )


def period(index: Index, hosts: Collection[str], until: datetime) -> tuple[datetime | None, datetime | None]:
    """When the first post of hosts was seen, and when the last text by an instant was first seen."""
    first, last = [], []
    for host in hosts:
        of_host = searchable.c.host == host
        first += fetch(index.engine, select(func.min(_SEEN).label("at")).where(of_host))
        last += fetch(index.engine, select(func.max(_SEEN).label("at")).where(of_host, until >= _SEEN))
    return (
        min((row.at for row in first if row.at is not None), default=None),
        max((row.at for row in last if row.at is not None), default=None),
    )


def among(index: Index, pages: Collection[str], hosts: Collection[str], until: datetime) -> set[str]:
    """Those of some posts, by their keys, that are held at an instant and of these hosts."""
    found: set[str] = set()
    for part in in_parts(pages):
        query = select(searchable.c.page, searchable.c.host).where(searchable.c.page.in_(part), until >= _SEEN)
        # Not a condition: the index of hosts would be taken for it, and all their posts be looked at.
        found.update(row.page for row in fetch(index.engine, query) if row.host in hosts)
    return found


def evidence(index: Index, pages: Collection[str], until: datetime) -> dict[str, Evidence]:
    """The captures and texts by an instant of posts, by the keys of the posts; those without any are left out."""
    joined = index.addresses(pages)
    keys = {page: joined.get(page, (page,)) for page in pages}
    every = {key for some in keys.values() for key in some}
    made: dict[str, dict[str, list[TextRow]]] = {}
    for part in in_parts(every):
        query = texts_select().where(texts.c.page.in_(part), texts.c.date <= until).order_by(*newest(texts))
        for row in fetch(index.engine, query):
            made.setdefault(row.page, {}).setdefault(row.capture, []).append(text_row(row))
    rows: dict[str, dict[str, CaptureRow]] = {}
    for part in in_parts(every):
        for row in fetch(index.engine, CAPTURES.where(captures.c.page.in_(part), captures.c.date <= until)):
            rows.setdefault(row.page, {})[row.record] = capture_row(row)
    own = {record for some in rows.values() for record in some}
    others = {
        row.record: row
        for row in index.captures_of({record for some in made.values() for record in some} - own)
        if row.date <= until
    }
    found: dict[str, Evidence] = {}
    for page, some in keys.items():
        texts_by_capture = {record: more for key in some for record, more in made.get(key, {}).items()}
        here = {record: row for key in some for record, row in rows.get(key, {}).items()}
        here |= {record: others[record] for record in texts_by_capture if record in others}
        if texts_by_capture:
            in_order = sorted(here.values(), key=lambda row: (row.date, row.record))
            found[page] = Evidence(captures=in_order, texts=texts_by_capture)
    return found


_SEEN = searchable.c.seen
_ID = searchable.c.id


def _another(than: Any, until: datetime | None = None) -> Exists:  # noqa: ANN401  a function of SQLAlchemy's columns
    """Whether another text of the same post, seen by `until`, is what a condition says."""
    other = searchable.alias("other")
    found = select(other.c.id).where(other.c.page == searchable.c.page, than(other.c))
    return (found if until is None else found.where(other.c.seen <= until)).exists()


def _part(index: Index, query: Select[Any], limit: int, after: Place | None) -> list[Listed]:
    if after is not None:
        query = query.where(_before(after))
    query = query.order_by(searchable.c.dated.desc(), _ID.desc()).limit(limit)
    return [_listed(row) for row in fetch(index.engine, query)]


def _before(place: Place) -> ColumnElement[bool]:
    dated = searchable.c.dated
    return and_(dated <= place.dated, or_(dated < place.dated, _ID < place.number))  # noqa: SIM300  a column


def _listed(row: Row[Any]) -> Listed:
    return Listed(
        page=row.page,
        url=row.url,
        title=row.title,
        author=row.author,
        dated=row.dated,
        seen=row.seen,
        number=row.id,
    )

"""Lists over many posts: recently archived ones, a host's posts, numbers of captures per day."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, cast, func, literal, select

from archive.index.aliases import conditions, keys_of
from archive.index.fulltext import searchable
from archive.index.index import Index
from archive.index.schema import captures, index_urlkey
from archive.index.tallies import tallies
from archive.runtime.database import fetch, in_parts, transaction
from archive.warc.page_identity import page_key

_POSTS_AT_ONCE = 500
_DAY = 86_400 * 1_000_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A text of a post, as shown in lists."""

    url: str
    title: str | None
    author: str | None
    host: str
    language: str | None
    dated: datetime
    seen: datetime
    """When this text was first seen."""
    edited: bool = False
    """Another text of the same page was seen before."""

    @property
    def month_name(self) -> str:
        """Month of the post's own date."""
        return f"{self.dated:%Y-%m}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of a host."""

    year: int
    month: int
    posts: int


class Overview:
    """Reads of the index over many posts."""

    def __init__(self, index: Index) -> None:
        self._engine = index.engine
        self._index = index

    def counts(self) -> dict[str, int]:
        """How many captures, texts and objects there are."""
        return self._index.counts()

    def latest(self, limit: int, *, edited: bool | None = None) -> list[Post]:
        """The texts that were first seen most recently.

        Args:
            limit: Maximum number of texts.
            edited: True: only of posts whose text was different before; False: only new posts; None: both.
        """
        query = select(searchable, _edited()).order_by(searchable.c.seen.desc(), searchable.c.id.desc())
        if edited is None:
            return [_post(row) for row in fetch(self._engine, query.limit(limit))]
        # Most are new: searching the last few thousand finds enough, without a table of its own.
        recent = query.limit(5_000).subquery()
        chosen = select(recent).where(recent.c.edited == (1 if edited else 0))
        return [
            _post(row)
            for row in fetch(self._engine, chosen.order_by(recent.c.seen.desc(), recent.c.id.desc()).limit(limit))
        ]

    def hosts(self, limit: int = 1_000, *, after: str = "") -> list[tuple[str, int, datetime | None]]:
        """Hosts with their number of posts, and when the last of them was archived, in the order of their names.

        Args:
            limit: Maximum number of hosts.
            after: The last host of the previous part; empty for the first.
        """
        last = select(func.max(searchable.c.seen)).where(searchable.c.host == tallies.c.name).scalar_subquery()
        query = select(tallies.c.name, tallies.c.count.label("posts"), last.label("last")).where(
            tallies.c.kind == "posts"
        )
        if after:
            query = query.where(tallies.c.name > after)
        return [
            (row.name, row.posts, row.last) for row in fetch(self._engine, query.order_by(tallies.c.name).limit(limit))
        ]

    def months(self, host: str) -> list[Month]:
        """The months in which a host has posts, by their own dates, oldest first."""
        seen: dict[tuple[int, int], int] = {}
        query = select(func.min(searchable.c.dated)).where(searchable.c.host == host).group_by(searchable.c.page)
        for row in fetch(self._engine, query):
            moment: datetime = row[0]
            seen[moment.year, moment.month] = seen.get((moment.year, moment.month), 0) + 1
        return [Month(year=year, month=month, posts=count) for (year, month), count in sorted(seen.items())]

    def posts(self, host: str, *, year: int | None = None, limit: int, offset: int = 0) -> list[Post]:
        """A host's posts with their latest text, newest first."""
        newest = select(func.max(searchable.c.id)).where(searchable.c.host == host).group_by(searchable.c.page)
        query = select(searchable, _edited()).where(searchable.c.id.in_(newest))
        if year is not None:
            query = query.where(
                searchable.c.dated >= datetime(year, 1, 1, tzinfo=UTC),
                searchable.c.dated < datetime(year + 1, 1, 1, tzinfo=UTC) if year < 9999 else literal(value=True),  # noqa: PLR2004
            )
        query = query.order_by(searchable.c.dated.desc(), searchable.c.id.desc()).limit(limit).offset(offset)
        return [_post(row) for row in fetch(self._engine, query)]

    def all_posts(
        self,
        *,
        blog: str | None = None,
        language: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Post]:
        """Every post with its latest text, in the order in which the texts were archived.

        Args:
            blog: Only of this host.
            language: Only in this language, an ISO 639-1 code.
            since: Only posts dated at or after this instant.
            until: Only posts dated before this instant.
        """
        newest = select(func.max(searchable.c.id)).group_by(searchable.c.page)
        query = select(searchable, _edited()).where(searchable.c.id.in_(newest))
        if blog is not None:
            query = query.where(searchable.c.host == blog.lower())
        if language is not None:
            query = query.where(func.lower(searchable.c.language) == language.lower())
        if since is not None:
            query = query.where(searchable.c.dated >= since)
        if until is not None:
            query = query.where(searchable.c.dated < until)
        last = 0
        while found := fetch(
            self._engine, query.where(searchable.c.id > last).order_by(searchable.c.id).limit(_POSTS_AT_ONCE)
        ):
            yield from map(_post, found)
            last = found[-1].id

    def days_of_host(self, url: str, since: datetime) -> dict[date, int]:
        """The number of captures of a host on each day, starting at an instant."""
        host = index_urlkey(url).partition(")")[0]
        key = captures.c.urlkey
        return self._days((key >= f"{host})") & (key < f"{host}*") & (captures.c.date >= since))  # `*` follows `)`

    def days_of_page(self, url: str) -> dict[date, int]:
        """The number of captures of a page on each day."""
        return next((days for same in conditions(self._engine, captures, url) if (days := self._days(same))), {})

    def statuses(self, url: str) -> dict[int, int]:
        """The number of captures of a page with each status."""
        for same in conditions(self._engine, captures, url):
            query = select(captures.c.status, func.count().label("many")).where(same).group_by(captures.c.status)
            if rows := fetch(self._engine, query):
                return {row.status: row.many for row in rows}
        return {}

    def statuses_of(self, urls: Collection[str]) -> dict[str, dict[int, int]]:
        """The number of captures of pages with each status, by URL; those without captures are left out."""
        keys = {url: page_key(url) for url in urls}
        with transaction(self._engine, reads=True) as connection:
            joined = keys_of(connection, set(keys.values()))
        pages = {url: joined.get(key, (key,)) for url, key in keys.items()}
        of_page: dict[str, list[Row[Any]]] = {}
        columns = (captures.c.page, captures.c.url, captures.c.status)
        for part in in_parts({key for some in pages.values() for key in some}):
            query = select(*columns, func.count().label("many")).where(captures.c.page.in_(part)).group_by(*columns)
            for row in fetch(self._engine, query):
                of_page.setdefault(row.page, []).append(row)
        found: dict[str, dict[int, int]] = {}
        for url, some in pages.items():
            for row in (row for key in some for row in of_page.get(key, ())):
                is_redirect = 300 <= row.status < 400 and row.status != 304  # noqa: PLR2004  RFC 9110 §15.4
                if not is_redirect or row.url == url.partition("#")[0]:
                    counts = found.setdefault(url, {})
                    counts[row.status] = counts.get(row.status, 0) + row.many
        return found

    def _days(self, condition: ColumnElement[bool]) -> dict[date, int]:
        day = cast(captures.c.date, BigInteger).op("/")(_DAY)
        query = select(day.label("day"), func.count().label("many")).where(condition).group_by("day")
        found: dict[date, int] = {}
        for row in fetch(self._engine, query):
            found[_EPOCH + timedelta(days=int(row.day))] = row.many
        return found


def _edited() -> ColumnElement[int]:
    """Whether another text of the same page was seen before."""
    before = searchable.alias("before")
    found = select(literal(1)).where(before.c.page == searchable.c.page, before.c.seen < searchable.c.seen)
    return func.coalesce(found.limit(1).scalar_subquery(), 0).label("edited")


def _post(row: Row[Any]) -> Post:
    return Post(
        url=row.url,
        title=row.title,
        author=row.author,
        host=row.host,
        language=row.language,
        dated=row.dated,
        seen=row.seen,
        edited=bool(row.edited),
    )

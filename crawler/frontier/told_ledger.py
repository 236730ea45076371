"""The deletion ledger as the archive's commands and pages read it; small, because short commands load it as well."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, inspect, or_, select

from archive.reader.vanished import BLOG, UNLISTED, Ledger, NoLedger, Place, Vanished, Wanted
from archive.runtime.database import fetch, in_parts, migrate, transaction
from crawler.frontier.tables import REVISION, deletions, feeds, pages


class ToldLedger:
    """The ledger as the archive reads it: its `Ledger`, over the crawler's table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, pages: Collection[str]) -> dict[str, Vanished]:
        """For each of these keys of pages, the last time that its post was not online; others are left out."""
        query = select(deletions).order_by(deletions.c.since)
        parts = [query.where(deletions.c.key.in_(part)) for part in in_parts(pages)]
        found = {row.key: _vanished(row) for one in parts for row in fetch(self._engine, one)}
        for one in self._of_blogs(pages):
            if one.key not in found or found[one.key].since < one.since:
                found[one.key] = one
        return found

    def missing(self, pages: Collection[str], at: datetime) -> dict[str, Vanished]:
        """Those of these pages, by their keys, whose post was not online at an instant, each with that time."""
        during = (deletions.c.since <= at) & (deletions.c.restored.is_(None) | (deletions.c.restored > at))
        query = select(deletions).where(during, deletions.c.kind != UNLISTED).order_by(deletions.c.since)
        parts = [query.where(deletions.c.key.in_(part)) for part in in_parts(pages)]
        found = {one.key: one for one in self._of_blogs(pages, during)}
        return found | {row.key: _vanished(row) for one in parts for row in fetch(self._engine, one)}

    def _of_blogs(self, wanted: Collection[str], *conditions: ColumnElement[bool]) -> Iterator[Vanished]:
        """For each of these pages whose blog is, or was, away as a whole, that time."""
        query = select(deletions, pages.c.key.label("page"), pages.c.url.label("address"))
        query = query.join(feeds, feeds.c.key == deletions.c.key).join(pages, pages.c.feed_id == feeds.c.id)
        query = query.where(deletions.c.kind == BLOG, *conditions).order_by(deletions.c.since)
        for part in in_parts(wanted):
            for row in fetch(self._engine, query.where(pages.c.key.in_(part))):
                yield replace(_vanished(row), key=row.page, url=row.address)

    def listed(self, wanted: Wanted, *, limit: int, after: Place | None = None) -> list[Vanished]:
        """Deletions, those found last first; `after` continues a list."""
        query = select(deletions).order_by(deletions.c.since.desc(), deletions.c.key.desc()).limit(limit)
        query = query.where(*matching(wanted))
        if after is not None:
            same = (deletions.c.since == after.since) & (deletions.c.key < after.key)
            query = query.where((deletions.c.since < after.since) | same)
        return [_vanished(row) for row in fetch(self._engine, query)]


def ledger_of(engine: Engine) -> Ledger:
    """The ledger in a database; an empty one if no crawler has ever used it, so that reading creates no tables.

    Raises:
        DatabaseError: It is unreachable, or was created by a newer version of Pressmark.
    """
    with transaction(engine, reads=True) as connection:
        if not inspect(connection).has_table(deletions.name):
            return NoLedger()
    migrate(engine, "crawler", REVISION)
    return ToldLedger(engine)


def matching(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Conditions that the wanted rows meet."""
    if wanted.gone:
        yield deletions.c.restored.is_(None)
    if wanted.kind is not None:
        yield deletions.c.kind == wanted.kind
    if wanted.host is not None:
        yield or_(*_of_host(wanted.host))
    if wanted.since is not None:
        yield or_(deletions.c.since >= wanted.since, deletions.c.restored >= wanted.since)


def _of_host(host: str) -> Iterator[ColumnElement[bool]]:
    """Conditions of which one holds for the pages of a host, with or without `www.`, by their URLs."""
    for start in (f"{scheme}://{www}{host}" for scheme in ("http", "https") for www in ("", "www.")):
        yield deletions.c.url == start
        for end in "/?:":
            yield deletions.c.url.istartswith(start + end, autoescape=True)


def _vanished(row: Row[Any]) -> Vanished:
    return Vanished(
        key=row.key,
        url=row.url,
        kind=row.kind,
        status=row.status,
        since=row.since,
        last_seen=row.alive,
        proof=row.proof,
        back=row.restored,
    )

"""Due feeds and pages: selected together with the claims on their hosts.

A call costs what it returns, however much is due. Pages that are not archived wait in one queue, by when they are due.
Re-checks wait by host: `rechecks` has a row for each host with archived pages that are visited again, and an instant
before which none of them is due. Triggers of the database keep it, whoever changes a page; only a look at the host
that finds nothing moves it forward.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from archive.runtime.database import in_parts, update_all
from crawler.frontier.claims import claim
from crawler.frontier.seen import OF_ENTRY, each_page_once
from crawler.frontier.subscriptions import feed_of
from crawler.frontier.tables import FIRST_CHECK, LATER_CHECK, NEW, OLDER, claims, entries, feeds, pages, rechecks
from crawler.model.visits import Due, Feed, Page, Shard

_DAY = timedelta(days=1)
_LOOK_AGAIN = timedelta(hours=1)
"""Until a host is looked at again whose budget is spent, or whose due pages belong to feeds that are paused."""
_OF_A_HOST = 50
"""Re-checks of one host in one call, so that many hosts are visited side by side."""
_HOSTS = 64
"""Hosts that one statement looks at."""
Place = tuple[datetime, int] | None
"""Position in the order of what is due, from which the next list continues."""
Epochs = Mapping[int, int]
"""Epochs of claims, by shard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host whose re-checks are handed out, as far as they are."""

    name: str
    shard: int
    left: int | None = None
    """How many pages its budget still allows; None: as many as are due, or not known yet."""
    last: tuple[int, datetime, int] | None = None
    """Turn, due and id of the page that was handed out last; None: none was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePlace:
    """How far the due pages have been handed out."""

    new: Place = None
    """Position among the pages that are not archived, or those of feeds that a person named."""
    host: tuple[datetime, str] | None = None
    """Position among the hosts with re-checks."""
    begun: tuple[Host, ...] = ()
    """Hosts before that position that have more pages."""


def claim_feeds(connection: Connection, due: Due, after: Place, limit: int) -> tuple[list[Feed], Place, Epochs]:
    """See `Frontier.claim_feeds`."""
    query = _feeds(None if due.force else due.now, due.part).limit(limit)
    if after:
        query = query.where(tuple_(feeds.c.due, feeds.c.id) > after)
    if due.held_only:
        query = query.where(feeds.c.shard.in_(_claimed(due)))
    rows = connection.execute(query).all()
    ours = _claim(connection, {row.shard for row in rows}, due)
    return [feed_of(row) for row in rows if row.shard in ours], _end(rows), ours


def claim_pages(
    connection: Connection, due: Due, after: PagePlace | None, limit: int
) -> tuple[list[Page], PagePlace | None, Epochs]:
    """See `Frontier.claim_pages`."""
    place = after or PagePlace()
    found: list[Row[Any]] = []
    if due.feed_ids is not None:
        found = list(connection.execute(_of_feeds(due, due.feed_ids, place.new).limit(limit)).all())
        place = replace(place, new=_end(found) or place.new)
    else:
        if due.held is not True:
            found = _new(connection, due, place.new, limit)
            place = replace(place, new=_end(found) or place.new)
        if due.held is not False and len(found) < limit:
            checks, place = _rechecks(connection, due, place, limit - len(found))
            found += checks
    if not found:
        return [], None, {}
    ours = _claim(connection, {row.shard for row in found}, due)
    lost = {row.shard for row in found} - ours.keys()
    begun = tuple(host for host in place.begun if host.shard not in lost)
    wanted = [row.id for row in found if row.shard in ours]
    return list(_read(connection, wanted)), replace(place, begun=begun), ours


def count(connection: Connection, due: Due, limit: int) -> tuple[int, int]:
    """See `Frontier.count_due`."""
    wanted = (_feeds(due.now, due.part).with_only_columns(feeds.c.id), _wanted_pages(due))
    found = (query.order_by(None).limit(limit).subquery() for query in wanted)
    number_of_feeds, number_of_pages = (
        connection.execute(select(func.count()).select_from(rows)).scalar_one() for rows in found
    )
    return number_of_feeds, number_of_pages


def _wanted_pages(due: Due) -> Select[Any]:
    """Due pages of the kinds that are wanted, on whatever hosts."""
    turns = () if due.held else {None: (NEW, OLDER), False: (NEW,), True: (OLDER,)}[due.backfill]
    if due.held is not False:
        turns = (FIRST_CHECK, LATER_CHECK, *turns)
    query = select(pages.c.id).outerjoin(feeds, feeds.c.id == pages.c.feed_id)
    query = query.where(pages.c.turn.in_(turns), pages.c.due <= due.now, ~func.coalesce(feeds.c.paused, False))
    if due.part is not None:
        query = query.where(pages.c.shard % due.part.count == due.part.index)
    return query if due.feed_ids is None else query.where(pages.c.feed_id.in_(due.feed_ids))


def _claim(connection: Connection, shards: set[int], due: Due) -> Epochs:
    return claim(connection, shards, due.holder, lasts=due.lasts)


def _end(rows: Sequence[Row[Any]]) -> Place:
    return (rows[-1].due, rows[-1].id) if rows else None


def _read(connection: Connection, ids: Sequence[int]) -> Iterator[Page]:
    """Pages with their entries, in this order; those of feeds that are paused are left out."""
    query = (
        select(pages, *OF_ENTRY, func.coalesce(feeds.c.paused, False).label("paused"))
        .outerjoin(feeds, feeds.c.id == pages.c.feed_id)
        .outerjoin(entries, entries.c.page_id == pages.c.id)
    )
    rows: dict[int, list[Row[Any]]] = {}
    for part in in_parts(ids):
        for row in connection.execute(query.where(pages.c.id.in_(part))).all():
            rows.setdefault(row.id, []).append(row)
    yield from each_page_once(row for number in ids for row in rows.get(number, ()) if not row.paused)


# -- feeds, and pages that are not archived


def _feeds(now: datetime | None, part: Shard | None) -> Select[Any]:
    query = select(feeds).where(~feeds.c.paused).order_by(feeds.c.due, feeds.c.id)
    if now is not None:
        query = query.where(feeds.c.due <= now)
    return query if part is None else query.where(feeds.c.shard % part.count == part.index)


_PLACED = (pages.c.id, pages.c.shard, pages.c.host, pages.c.due, pages.c.turn)


def _new(connection: Connection, due: Due, after: Place, limit: int) -> list[Row[Any]]:
    """Places of due pages that are not archived, the longest due first."""
    turns = {None: (NEW, OLDER), False: (NEW,), True: (OLDER,)}[due.backfill]
    found: list[Any] = []
    for turn in turns:
        query = select(*_PLACED).where(pages.c.turn == turn, pages.c.due <= due.now, *_where(due, pages.c.shard))
        if due.without:
            query = query.where(pages.c.shard.not_in(due.without))
        if after:
            query = query.where(tuple_(pages.c.due, pages.c.id) > after)
        found += connection.execute(query.order_by(pages.c.due, pages.c.id).limit(limit)).all()
    return sorted(found, key=lambda row: (row.due, row.id))[:limit]


def _of_feeds(due: Due, feed_ids: Sequence[int], after: Place) -> Select[Any]:
    """Places of the due pages of some feeds, the longest due first."""
    ours = pages.c.feed_id.in_(feed_ids)
    query = select(*_PLACED).where(ours, pages.c.due <= due.now, *_where(due, pages.c.shard))
    if due.held is not None:
        query = query.where(pages.c.kept if due.held else ~pages.c.kept)
    if due.backfill is not None:
        query = query.where(or_(pages.c.backfill if due.backfill else ~pages.c.backfill, pages.c.kept))
    if due.without:
        query = query.where(or_(pages.c.kept, pages.c.shard.not_in(due.without)))
    if due.budget is not None:
        within = _within_budget(due.now, due.budget, ours)
        query = query.where(or_(~pages.c.kept, pages.c.id.in_(within)))
    if after:
        query = query.where(tuple_(pages.c.due, pages.c.id) > after)
    return query.order_by(pages.c.due, pages.c.id)


def _where(due: Due, shard: ColumnElement[int]) -> Iterator[ColumnElement[bool]]:
    if due.part is not None:
        yield shard % due.part.count == due.part.index
    if due.held_only:
        yield shard.in_(_claimed(due))


def _claimed(due: Due) -> Select[Any]:
    """Shards that a run has claimed."""
    return select(claims.c.shard).where(claims.c.holder == due.holder)


def _within_budget(now: datetime, budget: int, ours: ColumnElement[bool]) -> Select[Any]:
    """Due archived pages of some feeds, as many of each host as its daily budget still allows, new posts first."""
    of_host = select(func.count()).where(*_spent(now))
    spent = of_host.where(pages.c.host == (due_of_host := pages.alias("due")).c.host).scalar_subquery()
    other = due_of_host.c
    newest = case((other.turn == FIRST_CHECK, other.due), else_=None)
    number = func.row_number().over(partition_by=other.host, order_by=(other.turn, newest.desc(), other.due, other.id))
    kept = select(other.id, number.label("number"), spent.label("spent"))
    ids = select(pages.c.id).where(ours, pages.c.turn.in_((FIRST_CHECK, LATER_CHECK)), pages.c.due <= now)
    numbered = kept.where(other.id.in_(ids)).subquery()
    return select(numbered.c.id).where(numbered.c.number <= budget - numbered.c.spent)


# -- re-checks


def _rechecks(connection: Connection, due: Due, place: PagePlace, limit: int) -> tuple[list[Row[Any]], PagePlace]:
    """Places of re-checks, some of each host; hosts that were not asked yet come first."""
    found: list[Row[Any]] = []
    begun = list(place.begun)
    at = place.host
    while len(found) < limit:
        fresh = _hosts(connection, due, at, min(_HOSTS, limit - len(found)))
        if fresh:
            at = (fresh[-1].due, fresh[-1].host)
            asked = _with_budget(connection, due, [Host(name=row.host, shard=row.shard) for row in fresh])
        else:
            asked, begun = begun[:_HOSTS], begun[_HOSTS:]
        if not asked and not fresh:
            break
        here = _of_hosts(connection, due, asked, min(_OF_A_HOST, max(1, (limit - len(found)) // max(1, len(asked)))))
        _look_later(connection, due.now, [row.host for row in fresh if not here.get(row.host)])
        for host in asked:
            rows = here.get(host.name, [])
            found += rows
            left = None if host.left is None else host.left - len(rows)
            if rows and left != 0:
                begun.append(replace(host, left=left, last=(rows[-1].turn, rows[-1].due, rows[-1].id)))
    return found, replace(place, host=at, begun=tuple(begun))


def _hosts(connection: Connection, due: Due, after: tuple[datetime, str] | None, limit: int) -> Sequence[Row[Any]]:
    """Hosts that may have due re-checks, the longest due first; those that are being written to come another time."""
    query = select(rechecks).where(rechecks.c.due <= due.now, *_where(due, rechecks.c.shard))
    if after:
        query = query.where(tuple_(rechecks.c.due, rechecks.c.host) > after)
    query = query.order_by(rechecks.c.due, rechecks.c.host).limit(limit)
    return connection.execute(query.with_for_update(skip_locked=True)).all()


def _with_budget(connection: Connection, due: Due, hosts: list[Host]) -> list[Host]:
    """Those of some hosts whose daily budget is not spent, with what is left of it."""
    if due.budget is None:
        return hosts
    names = [host.name for host in hosts]
    query = select(pages.c.host, func.count().label("many")).where(pages.c.host.in_(names), *_spent(due.now))
    spent = {row.host: row.many for row in connection.execute(query.group_by(pages.c.host))}
    left = [replace(host, left=due.budget - spent.get(host.name, 0)) for host in hosts]
    return [host for host in left if host.left is not None and host.left > 0]


def _spent(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Pages that count for their hosts' daily budgets."""
    return (pages.c.visited > now - _DAY, pages.c.visited <= now, pages.c.checks > 0)


def _of_hosts(connection: Connection, due: Due, hosts: Sequence[Host], limit: int) -> dict[str, list[Row[Any]]]:
    """Places of the next due re-checks of each host: those of new posts, the newest first, then the longest due."""
    parts = [part for host in hosts for part in _next(host, due.now, limit)]
    found: dict[str, list[Row[Any]]] = {}
    if parts:
        for row in connection.execute(union_all(*parts)).all():
            found.setdefault(row.host, []).append(row)
    for host in hosts:
        rows = sorted(found.get(host.name, ()), key=_turn)
        most = limit if host.left is None else min(limit, host.left)
        found[host.name] = list(islice(rows, most))
    return found


def _turn(row: Row[Any]) -> tuple[int, float, int]:
    """A page's place in the order of its host."""
    sign = -1 if row.turn == FIRST_CHECK else 1
    return row.turn, sign * row.due.timestamp(), sign * row.id


def _next(host: Host, now: datetime, limit: int) -> Iterator[Select[Any]]:
    paused = select(feeds.c.id).where(feeds.c.id == pages.c.feed_id, feeds.c.paused).exists()
    ours = select(*_PLACED).where(pages.c.host == host.name, pages.c.due <= now, ~paused)
    turn, at, number = host.last or (FIRST_CHECK, None, 0)
    place = tuple_(pages.c.due, pages.c.id)
    last = None if at is None else tuple_(literal(at, pages.c.due.type), literal(number))
    if turn == FIRST_CHECK:
        newest = ours if last is None else ours.where(place < last)
        yield _limited(newest.where(pages.c.turn == FIRST_CHECK), (pages.c.due.desc(), pages.c.id.desc()), limit)
    later = ours if turn == FIRST_CHECK or last is None else ours.where(place > last)
    yield _limited(later.where(pages.c.turn == LATER_CHECK), (pages.c.due, pages.c.id), limit)


def _limited(query: Select[Any], order: Sequence[ColumnElement[Any]], limit: int) -> Select[Any]:
    return select(query.order_by(*order).limit(limit).subquery())


def _look_later(connection: Connection, now: datetime, hosts: Iterable[str]) -> None:
    """Move hosts forward that have nothing to hand out now: to when their next page is due, or an hour from now."""
    names = list(hosts)
    if not names:
        return
    first = [
        _limited(select(pages.c.host, pages.c.due).where(pages.c.host == name, pages.c.turn == turn), (pages.c.due,), 1)
        for name in names
        for turn in (FIRST_CHECK, LATER_CHECK)
    ]
    next_due: dict[str, datetime] = {}
    for row in connection.execute(union_all(*first)).all():
        next_due[row.host] = min(next_due.get(row.host, row.due), row.due)
    again = now + _LOOK_AGAIN
    moved = [{"host": name, "due": at if at > now else again} for name, at in next_due.items()]
    update_all(connection, rechecks, sorted(moved, key=lambda row: row["host"]), by="host")
    connection.execute(delete(rechecks).where(rechecks.c.host.in_([name for name in names if name not in next_due])))

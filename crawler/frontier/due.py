"""Due feeds and pages: selected together with the claims on their hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select, tuple_

from crawler.frontier.claims import claim
from crawler.frontier.seen import OF_ENTRY, each_page_once
from crawler.frontier.subscriptions import feed_of
from crawler.frontier.tables import claims, entries, feeds, pages
from crawler.model.visits import Due, Feed, Page, Shard

_DAY = timedelta(days=1)
Place = tuple[datetime, int] | None
"""Position in the order of what is due, from which the next list continues."""
Epochs = Mapping[int, int]
"""Epochs of claims, by shard."""


def claim_feeds(connection: Connection, due: Due, after: Place, limit: int) -> tuple[list[Feed], Place, Epochs]:
    """See `Frontier.claim_feeds`."""
    query = _feeds(None if due.force else due.now, due.part).limit(limit)
    if after:
        query = query.where(tuple_(feeds.c.due, feeds.c.id) > after)
    if due.held_only:
        query = query.where(feeds.c.shard.in_(_claimed(due)))
    rows = connection.execute(query).all()
    ours = _claim(connection, rows, due)
    return [feed_of(row) for row in rows if row.shard in ours], _end(rows), ours


def claim_pages(connection: Connection, due: Due, after: Place, limit: int) -> tuple[list[Page], Place, Epochs]:
    """See `Frontier.claim_pages`."""
    query = _wanted_pages(due)
    if due.held_only:
        query = query.where(pages.c.shard.in_(_claimed(due)))
    if due.without:
        query = query.where(or_(pages.c.kept, pages.c.shard.not_in(due.without)))
    if due.budget is not None:
        query = query.where(or_(~pages.c.kept, pages.c.id.in_(_within_budget(due.now, due.budget))))
    if after:
        query = query.where(tuple_(pages.c.due, pages.c.id) > after)
    rows = connection.execute(query.limit(limit)).all()
    ours = _claim(connection, rows, due)
    return list(each_page_once(row for row in rows if row.shard in ours)), _end(rows), ours


def count(connection: Connection, due: Due, limit: int) -> tuple[int, int]:
    """See `Frontier.count_due`."""
    wanted = (_feeds(due.now, due.part).with_only_columns(feeds.c.id), _wanted_pages(due).with_only_columns(pages.c.id))
    found = (query.order_by(None).distinct().limit(limit).subquery() for query in wanted)
    number_of_feeds, number_of_pages = (
        connection.execute(select(func.count()).select_from(rows)).scalar_one() for rows in found
    )
    return number_of_feeds, number_of_pages


def _wanted_pages(due: Due) -> Select[Any]:
    """Due pages of the kinds that are wanted, on whatever hosts."""
    query = _pages(due.now, due.part, due.feed_ids)
    if due.held is not None:
        query = query.where(pages.c.kept == due.held)
    if due.backfill is not None:
        query = query.where(or_(pages.c.backfill == due.backfill, pages.c.kept))
    return query


def _claim(connection: Connection, rows: Sequence[Row[Any]], due: Due) -> Epochs:
    return claim(connection, {row.shard for row in rows}, due.holder, lasts=due.lasts)


def _end(rows: Sequence[Row[Any]]) -> Place:
    return (rows[-1].due, rows[-1].id) if rows else None


def _feeds(now: datetime | None, part: Shard | None) -> Select[Any]:
    query = select(feeds).where(~feeds.c.paused).order_by(feeds.c.due, feeds.c.id)
    if now is not None:
        query = query.where(feeds.c.due <= now)
    return query if part is None else query.where(feeds.c.shard % part.count == part.index)


def _pages(now: datetime, part: Shard | None, feed_ids: Sequence[int] | None) -> Select[Any]:
    query = (
        select(pages, *OF_ENTRY)
        .outerjoin(feeds, feeds.c.id == pages.c.feed_id)
        .outerjoin(entries, entries.c.page_id == pages.c.id)
        .where(pages.c.due <= now, ~func.coalesce(feeds.c.paused, False))
        .order_by(pages.c.due, pages.c.id)
    )
    if part is not None:
        query = query.where(pages.c.shard % part.count == part.index)
    return query if feed_ids is None else query.where(pages.c.feed_id.in_(feed_ids))


def _claimed(due: Due) -> Select[Any]:
    """Shards that a run has claimed."""
    return select(claims.c.shard).where(claims.c.holder == due.holder)


def _within_budget(now: datetime, budget: int) -> Select[Any]:
    """Due archived pages, as many of each host as its daily budget still allows."""
    spent = (
        select(pages.c.host, func.count().label("spent"))
        .where(pages.c.visited > now - _DAY, pages.c.visited <= now, pages.c.checks > 0)
        .group_by(pages.c.host)
        .subquery()
    )
    number = func.row_number().over(partition_by=pages.c.host, order_by=(pages.c.due, pages.c.id)).label("number")
    due = select(pages.c.id, pages.c.host, number).where(pages.c.kept, pages.c.due <= now).subquery()
    return (
        select(due.c.id)
        .outerjoin(spent, spent.c.host == due.c.host)
        .where(due.c.number <= budget - func.coalesce(spent.c.spent, 0))
    )

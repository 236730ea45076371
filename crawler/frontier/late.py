"""Late visits: those that arrive after something newer is known, such as from a machine that slept.

A visit is late if another run has taken over its host, or if its feed, page or listing was visited after it. It may
only add what nobody knows yet; it changes nothing. This is the one place that decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, select, tuple_

from archive.runtime.database import in_parts
from archive.runtime.times import CLOCK_TOLERANCE
from archive.warc.page_identity import page_key
from crawler.frontier import claims
from crawler.frontier.tables import feeds, listings, pages
from crawler.model.url_identity import key
from crawler.model.visits import FeedVisit, ListingVisit, PageVisit, Visit

V = TypeVar("V", FeedVisit, PageVisit, ListingVisit)


class Late:
    """Which visits of one commit are late.

    Args:
        connection: In the transaction of the commit; claims that are not lost stay so until its end.
        visits: All visits of the commit.
        now: The current time.
    """

    def __init__(self, connection: Connection, visits: Sequence[Visit], *, now: datetime) -> None:
        self._lost = claims.lost(connection, {visit.under for visit in visits if visit.under is not None})
        self._visited = dict(_visited(connection, visits))
        self._latest = now + CLOCK_TOLERANCE
        self.found: list[Visit] = []
        """The late ones among the visits that were asked for, in that order."""

    def each(self, visits: Iterable[V]) -> Iterator[tuple[V, bool]]:
        """Visits of one kind, the oldest first, and whether each is late."""
        for visit in sorted(visits, key=lambda one: one.at):
            late = visit.under in self._lost or self._is_older(visit)
            if late:
                self.found.append(visit)
            yield visit, late

    def _is_older(self, visit: Visit) -> bool:
        known = self._visited.get(_target(visit))
        # A visit of the future was dated by a clock that was ahead: it does not keep later ones out.
        return known is not None and visit.at < known <= self._latest


def _target(visit: Visit) -> object:
    if isinstance(visit, FeedVisit):
        return visit.feed_id
    if isinstance(visit, PageVisit):
        return page_key(visit.url)
    return visit.feed_id, key(visit.url)


def _visited(connection: Connection, visits: Sequence[Visit]) -> Iterator[tuple[object, datetime]]:
    """When the targets of visits were last visited, as far as they were."""
    asked: tuple[tuple[type[Visit], Select[Any], ColumnElement[Any]], ...] = (
        (FeedVisit, select(feeds.c.id, feeds.c.visited), feeds.c.id),
        (PageVisit, select(pages.c.key, pages.c.visited), pages.c.key),
        (
            ListingVisit,
            select(listings.c.feed_id, listings.c.key, listings.c.visited),
            tuple_(listings.c.feed_id, listings.c.key),
        ),
    )
    for kind, query, name in asked:
        for part in in_parts({_target(visit) for visit in visits if isinstance(visit, kind)}):
            for *target, visited in connection.execute(query.where(name.in_(part))):
                if visited is not None:
                    yield target[0] if len(target) == 1 else tuple(target), visited

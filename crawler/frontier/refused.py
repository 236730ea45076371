"""Posts of a feed that could not be had: how many, which, why, and the alarm about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, case, func, or_, select

from archive.runtime.database import in_parts, transaction
from archive.runtime.times import iso
from crawler.frontier import alarms
from crawler.frontier.tables import alarms as raised
from crawler.frontier.tables import entries, feeds, pages
from crawler.model.visits import Alarm, PageVisit

KIND = "refused"
SHOWN = 3
"""Posts that are shown of each feed."""
_MANY = 3
"""Posts of those that a feed shows that raise an alarm, if they are half of them."""
_SHARE = 2
_NEWEST = 100
"""How many of the posts that a feed shows are looked at."""

_NO_REFUSAL = ("media", "foreign")
"""Verdicts on pages that were had, although they are not, or not in words, what the feed's author wrote."""
HAD = pages.c.kept & (func.coalesce(pages.c.source, "page") == "page")
"""Condition for pages that were had as the post."""
REFUSED = ~HAD & or_(
    pages.c.error.is_not(None) & (pages.c.failures > 0),
    pages.c.verdict.is_not(None) & pages.c.verdict.not_in(_NO_REFUSAL),
)
"""Condition for pages that were requested and were not had as the post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A post whose page could not be had."""

    url: str
    status: int | None
    reason: str
    visited: datetime | None
    from_feed: bool
    """Whether its text is archived nevertheless, from the feed."""

    def line(self) -> str:
        """The post and the reason."""
        return f"{self.url}  {self.reason}" + ("; its text is the feed's" if self.from_feed else "")

    def as_json(self) -> dict[str, object]:
        """The post as programs see it."""
        return {
            "url": self.url,
            "status": self.status,
            "reason": self.reason,
            "last_visit": iso(self.visited) if self.visited else None,
            "text_from_feed": self.from_feed,
        }


def newest(engine: Engine, feed_id: int, *, limit: int = SHOWN) -> list[Refused]:
    """The posts of a feed that could not be had, the most recently found first."""
    query = select(pages).where(REFUSED, pages.c.feed_id == feed_id).order_by(pages.c.first_seen.desc(), pages.c.id)
    with transaction(engine, reads=True) as connection:
        return [
            Refused(
                url=row.url,
                status=row.status,
                reason=row.error or f"is not the post ({row.verdict})",
                visited=row.visited,
                from_feed=row.kept,
            )
            for row in connection.execute(query.limit(limit))
        ]


def of_shown(connection: Connection, feed_id: int, shown: int | None) -> tuple[int, int]:
    """Of the posts that a feed shows: how many could not be had, and how many were requested at all."""
    found = (
        select(entries.c.page_id)
        .where(entries.c.feed_id == feed_id, entries.c.page_id.is_not(None))
        .order_by(entries.c.first_seen.desc())
        .limit(min(shown or _NEWEST, _NEWEST))
        .subquery()
    )
    lost, had = func.sum(_one_if(REFUSED)), func.sum(_one_if(HAD))
    row = connection.execute(select(lost, had).where(pages.c.id.in_(select(found.c.page_id)))).one()
    return int(row[0] or 0), int(row[0] or 0) + int(row[1] or 0)


def judge(connection: Connection, visits: Iterable[PageVisit]) -> None:
    """Raise or end the alarms of the feeds whose posts were visited.

    It is raised if several of the posts that a feed shows, and at least half of them, could not be had.
    """
    at: dict[int, datetime] = {}
    failed: set[int] = set()
    for visit in visits:
        if visit.feed_id is not None:
            at[visit.feed_id] = max(at.get(visit.feed_id, visit.at), visit.at)
            if visit.error is not None or visit.verdict is not None:
                failed.add(visit.feed_id)
    for feed_id, url, shown, stands in _to_judge(connection, at, failed):
        lost, requested = of_shown(connection, feed_id, shown)
        alarm = None
        if lost >= _MANY and lost * _SHARE >= requested:
            detail = f"{lost} of the {requested} posts that it shows could not be had; pressmark feeds lists them"
            alarm = Alarm(kind="refused", detail=detail)
        if alarm or stands:
            found = [alarm] if alarm else []
            alarms.judge(connection, connection.engine, url, at=at[feed_id], judged=(KIND,), raised=found)


def _to_judge(
    connection: Connection, visited: Collection[int], failed: Collection[int]
) -> list[tuple[int, str, int | None, bool]]:
    """Id, URL and number of entries of the feeds to judge, and whether an alarm about them stands."""
    standing = set(connection.scalars(select(raised.c.subject).where(raised.c.kind == KIND, raised.c.ended.is_(None))))
    return [
        (row.id, row.url, row.shown, row.url in standing)
        for part in in_parts(sorted(visited))
        for row in connection.execute(select(feeds.c.id, feeds.c.url, feeds.c.shown).where(feeds.c.id.in_(part)))
        if row.id in failed or row.url in standing
    ]


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)

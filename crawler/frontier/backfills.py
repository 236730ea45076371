"""Backfills in the database: which feeds have one, its listings, and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, or_, select, true, update

from archive.runtime.database import transaction, upsert, upsert_all
from crawler.frontier import alarms
from crawler.frontier.tables import backfills, entries, feeds, listings, pages
from crawler.limits import BACKFILL_LISTINGS, BACKFILL_PAGES
from crawler.model.url_identity import key
from crawler.model.visits import Listing, ListingVisit

_ABSENT = (404, 410)
"""Statuses of listings that a blog does not have; most are tried at a guess."""
ARCHIVE = "archive"
"""An archive document of a feed: it no longer changes, so it is read only once (RFC 5005 §4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A post that was found but is not archived."""

    url: str
    status: int | None
    error: str | None
    """None: not tried yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A listing of a backfill, and what became of what it lists."""

    url: str
    kind: str
    read: bool
    """Whether there is nothing left to do about it."""
    error: str | None
    """Why it could not be read."""
    listed: int
    """Number of URLs in it."""
    found: int
    """Number of posts in it that no earlier listing had."""
    aside: int
    """Number of pages in it that were not taken, because their URLs do not have the shape of known posts' URLs."""
    elsewhere: int
    """Number of URLs in it that belong to other sites."""
    unread: int
    """Number of listings that it links to but that were not read, for their names or hosts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Report of what a backfill has found."""

    feed: str
    why: str
    asked: datetime
    ended: datetime | None
    """None: not finished."""
    shown: int | None
    """Number of entries in the feed."""
    total: int | None
    """Number of posts that the site states."""
    found: int
    """Number of posts known, from the feed and from listings."""
    kept: int
    listings: int
    """Number of listings read."""
    waiting: int
    """Number of listings not read yet."""
    missing: tuple[Missing, ...]
    """Posts not archived, at most as many as were requested."""
    everything: bool = False
    """Whether pages are taken whatever their URLs look like."""
    aside: int = 0
    """Number of pages that listings name and that were not taken, for the shape of their URLs."""
    looked: tuple[Looked, ...] = ()
    """Listings that left something aside or could not be read, at most as many as were requested."""
    limits: tuple[str, ...] = ()
    """Limits at which the backfill stopped."""

    @property
    def there(self) -> int:
        """Number of posts of the site, as far as it was looked at."""
        return max(self.total or 0, self.found)

    @property
    def complete(self) -> bool:
        """Whether nothing is known to have been left out."""
        return bool(self.ended) and not self.looked and not self.limits and self.there == self.kept


def ask(
    connection: Connection,
    engine: Engine,
    feed_id: int,
    *,
    at: datetime,
    why: str,
    shown: int | None,
    everything: bool = False,
) -> None:
    """Start a backfill of a feed; one that is not finished continues, a finished one starts again.

    One that is to take everything now, but was not before, starts again too.
    """
    running = (backfills.c.feed_id == feed_id) & backfills.c.ended.is_(None)
    if everything:
        running &= backfills.c.everything
    again: ColumnElement[bool] = backfills.c.ended.is_not(None)
    if connection.execute(select(backfills.c.feed_id).where(running)).first() is None:
        # Listings read before may have changed; archive documents cannot have, so only failed ones are read again.
        ours = listings.c.feed_id == feed_id
        connection.execute(delete(listings).where(ours, listings.c.kind != ARCHIVE))
        anew = {"visited": None, "failures": 0}
        connection.execute(update(listings).where(ours, listings.c.error.is_not(None)).values(anew))
        again = true()
    values = {"asked": at, "why": why, "ended": None, "shown": shown, "everything": everything}
    connection.execute(
        upsert(engine, backfills)
        .values(feed_id=feed_id, **values)
        .on_conflict_do_update(index_elements=["feed_id"], set_=values, where=again)
    )


def visited(connection: Connection, visit: ListingVisit, *, late: bool = False) -> bool:
    """Store a visit of a listing and the listings it links to; False if the subscription was removed.

    A late one only adds listings.
    """
    if connection.execute(select(backfills.c.feed_id).where(backfills.c.feed_id == visit.feed_id)).first() is None:
        return False
    here = Listing(feed_id=visit.feed_id, url=visit.url, kind=visit.kind, number=visit.number)
    add(connection, [here])
    room = BACKFILL_LISTINGS - _count(connection, listings.c.feed_id == visit.feed_id)
    add(connection, visit.more[: max(0, room)])
    if late:
        return True
    values = {
        "visited": visit.at if visit.done else None,
        "status": visit.status,
        "error": visit.error,
        "failures": visit.failures,
        "found": visit.found,
        "listed": visit.listed,
        "aside": visit.aside,
        "elsewhere": visit.elsewhere,
        "unread": visit.unread,
    }
    row = (listings.c.feed_id == visit.feed_id) & (listings.c.key == key(visit.url))
    connection.execute(update(listings).where(row).values(**values))
    if visit.total is not None:
        connection.execute(update(backfills).where(backfills.c.feed_id == visit.feed_id).values(total=visit.total))
    return True


def add(connection: Connection, found: Iterable[Listing]) -> None:
    """Add listings to read; known ones stay unchanged."""
    rows = {
        (listing.feed_id, key(listing.url)): {
            "feed_id": listing.feed_id, "key": key(listing.url), "url": listing.url, "kind": listing.kind,
            "number": listing.number, "failures": 0, "found": 0, "listed": 0, "aside": 0, "elsewhere": 0, "unread": 0,
        }
        for listing in reversed(list(found))
    }  # fmt: skip
    upsert_all(connection, listings, list(rows.values())[::-1])


class Backlog:
    """The backfills in one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(
        self,
        feed_id: int,
        first: Sequence[Listing],
        *,
        at: datetime,
        why: str,
        shown: int | None,
        everything: bool = False,
    ) -> None:
        """Start a backfill with these listings, or continue one; `everything`: whatever URLs of pages look like."""
        with transaction(self._engine) as connection:
            ask(connection, self._engine, feed_id, at=at, why=why, shown=shown, everything=everything)
            add(connection, first)

    def waiting(self) -> list[int]:
        """Feeds whose backfill is not finished, the longest waiting first; without paused ones."""
        query = (
            select(backfills.c.feed_id)
            .join(feeds)
            .where(backfills.c.ended.is_(None), ~feeds.c.paused)
            .order_by(backfills.c.asked, backfills.c.feed_id)
        )
        with transaction(self._engine, reads=True) as connection:
            return list(connection.execute(query).scalars())

    def everything(self, feed_id: int) -> bool:
        """Whether a feed's backfill takes pages whatever their URLs look like."""
        query = select(backfills.c.everything).where(backfills.c.feed_id == feed_id)
        with transaction(self._engine, reads=True) as connection:
            return bool(connection.execute(query).scalar())

    def done(self, feed_id: int) -> bool:
        """Whether a feed's backfill has nothing left: no listing to read, no post to try."""
        left = pages.c.backfill & ~pages.c.kept & pages.c.due.is_not(None) & (pages.c.feed_id == feed_id)
        with transaction(self._engine, reads=True) as connection:
            if _count(connection, listings.c.feed_id == feed_id, listings.c.visited.is_(None)):
                return False
            return connection.execute(select(pages.c.id).where(left).limit(1)).first() is None

    def listings(self, feed_id: int) -> list[Listing]:
        """Unread listings of a feed's backfill, in the order in which they were found."""
        query = (
            select(listings)
            .where(listings.c.feed_id == feed_id, listings.c.visited.is_(None))
            .order_by(listings.c.number, listings.c.url)
        )
        with transaction(self._engine, reads=True) as connection:
            return [
                Listing(feed_id=row.feed_id, url=row.url, kind=row.kind, number=row.number, failures=row.failures)
                for row in connection.execute(query)
            ]

    def known(self, feed_id: int) -> list[tuple[str, str, int]]:
        """URL and kind of all listings of a backfill, and how many posts each listed."""
        query = select(listings.c.url, listings.c.kind, listings.c.found).where(listings.c.feed_id == feed_id)
        with transaction(self._engine, reads=True) as connection:
            return [(row.url, row.kind, row.found) for row in connection.execute(query)]

    def links(self, feed_id: int, *, limit: int = 1_000) -> list[str]:
        """URLs of known posts of a feed: those from the feed itself first, each group newest first."""
        query = select(pages.c.url).where(_of(feed_id)).order_by(pages.c.backfill, pages.c.id.desc()).limit(limit)
        with transaction(self._engine, reads=True) as connection:
            return list(connection.execute(query).scalars())

    def end(self, feed_id: int, *, at: datetime) -> None:
        """End a backfill, and the alarm that started it."""
        with transaction(self._engine) as connection:
            connection.execute(update(backfills).where(backfills.c.feed_id == feed_id).values(ended=at))
            url = connection.execute(select(feeds.c.url).where(feeds.c.id == feed_id)).scalar()
            if url is not None:
                alarms.end(connection, url, ["gap"], at=at)

    def report(self, feed_id: int, *, missing: int = 1_000) -> Report | None:
        """What a feed's backfill found; None if it never had one."""
        with transaction(self._engine, reads=True) as connection:
            query = select(backfills, feeds.c.url, feeds.c.shown.label("shows")).join(feeds)
            row = connection.execute(query.where(backfills.c.feed_id == feed_id)).first()
            if row is None:
                return None
            ours, listed = _of(feed_id), listings.c.feed_id == feed_id
            lost = select(pages.c.url, pages.c.status, pages.c.error).where(ours, ~pages.c.kept)
            found = connection.execute(select(func.count()).select_from(pages).where(ours)).scalar_one()
            kept = connection.execute(select(func.count()).select_from(pages).where(ours, pages.c.kept)).scalar_one()
            sums = select(func.coalesce(func.sum(listings.c.aside), 0), func.coalesce(func.sum(listings.c.found), 0))
            aside, in_listings = connection.execute(sums.where(listed)).one()
            return Report(
                feed=row.url,
                why=row.why,
                asked=row.asked,
                ended=row.ended,
                shown=row.shows,
                total=row.total,
                found=found,
                kept=kept,
                listings=_count(connection, listed, listings.c.visited.is_not(None)),
                waiting=_count(connection, listed, listings.c.visited.is_(None)),
                missing=tuple(
                    Missing(url=one.url, status=one.status, error=one.error)
                    for one in connection.execute(lost.order_by(pages.c.id).limit(missing))
                ),
                everything=row.everything,
                aside=aside,
                looked=tuple(_looked(connection, feed_id, missing)),
                limits=tuple(_limits(_count(connection, listed), in_listings)),
            )


def _looked(connection: Connection, feed_id: int, limit: int) -> Iterator[Looked]:
    """Listings that left something aside or could not be read, in the order in which they were found."""
    failed = listings.c.error.is_not(None) & func.coalesce(listings.c.status, 0).not_in(_ABSENT)
    wrong = or_(listings.c.aside > 0, listings.c.elsewhere > 0, listings.c.unread > 0, failed)
    query = select(listings).where(listings.c.feed_id == feed_id, wrong)
    for row in connection.execute(query.order_by(listings.c.number, listings.c.url).limit(limit)):
        yield Looked(
            url=row.url,
            kind=row.kind,
            read=row.visited is not None,
            error=row.error,
            listed=row.listed,
            found=row.found,
            aside=row.aside,
            elsewhere=row.elsewhere,
            unread=row.unread,
        )


def _limits(number: int, posts: int) -> Iterator[str]:
    if number >= BACKFILL_LISTINGS:
        yield f"{BACKFILL_LISTINGS} listings"
    if posts >= BACKFILL_PAGES:
        yield f"{BACKFILL_PAGES} posts"


def _of(feed_id: int) -> ColumnElement[bool]:
    """Condition for pages of a feed, including those that another feed listed first."""
    shown = select(entries.c.page_id).where(entries.c.feed_id == feed_id, entries.c.page_id.is_not(None))
    return or_(pages.c.feed_id == feed_id, pages.c.id.in_(shown))


def _count(connection: Connection, *conditions: object) -> int:
    found: int = connection.execute(
        select(func.count()).select_from(listings).where(*conditions)  # type: ignore[arg-type]
    ).scalar_one()
    return found

"""The deletion ledger: posts that were deleted, when they were last seen, and the capture that proves it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from archive.reader.vanished import BLOG, EVERY, UNLISTED, Vanished, Wanted
from archive.runtime.database import fetch, in_parts, transaction, upsert
from crawler.frontier import tables
from crawler.frontier.tables import deletions
from crawler.frontier.told_ledger import matching
from crawler.model.visits import Missing, PageVisit

_NOT_OF_PAGE = frozenset({UNLISTED, BLOG})
"""Kinds that visits of the page neither show nor end."""
_MISSING = deletions.c.kind.not_in(_NOT_OF_PAGE) & deletions.c.restored.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A deleted post."""

    key: str
    """Key of its page in the frontier."""
    url: str
    since: datetime
    """When it was first found gone."""
    kind: Missing
    """`gone` (404, 410, 451), `home` (redirect to the front page), `login`, `soft-404`; `unlisted` (taken out of its
    feed), `blog` (away as a whole)."""
    status: int | None
    proof: str | None
    """WARC-Record-ID of the capture that shows the deletion."""
    alive: datetime | None
    """When it was last seen."""
    alive_record: str | None
    """WARC-Record-ID of that capture."""
    restored: datetime | None = None
    """When it was found to be back; None while it is deleted."""
    restored_record: str | None = None

    def missing(self, at: datetime) -> bool:
        """Whether what answered at an instant was not the post."""
        return self.kind not in _NOT_OF_PAGE and self.since <= at and (self.restored is None or at < self.restored)

    def told(self) -> Vanished:
        """It as the archive tells it."""
        return Vanished(
            key=self.key,
            url=self.url,
            kind=self.kind,
            status=self.status,
            since=self.since,
            last_seen=self.alive,
            proof=self.proof,
            back=self.restored,
        )


def missing(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Those of some pages that are deleted, as far as is known."""
    query = select(deletions.c.key).where(_MISSING)
    return {key for part in in_parts(keys) for key in connection.scalars(query.where(deletions.c.key.in_(part)))}


def note(connection: Connection, engine: Engine, key: str, visit: PageVisit) -> bool:
    """Enter the outcome of a visit of a page: deleted, or back; returns whether that changed the ledger.

    Must be called before the page's own row changes.
    """
    if visit.kept:
        over = (deletions.c.key == key) & _MISSING & (deletions.c.since < visit.at)
        back = {"restored": visit.at, "restored_record": visit.record}
        return bool(connection.execute(update(deletions).where(over).values(back)).rowcount)
    if visit.gone and key not in missing(connection, [key]):
        known = tables.pages
        seen = connection.execute(select(known.c.alive, known.c.alive_record).where(known.c.key == key)).first()
        entered = connection.execute(
            upsert(engine, deletions)
            .values(
                key=key,
                since=visit.at,
                url=visit.url,
                kind=visit.gone,
                status=visit.status,
                proof=visit.record,
                alive=seen.alive if seen else None,
                alive_record=seen.alive_record if seen else None,
            )
            .on_conflict_do_nothing()
        )
        return bool(entered.rowcount)
    return False


def lately(engine: Engine, *, back: bool, limit: int, before: Deletion | None = None) -> list[Deletion]:
    """The deletions that were found last, those first.

    Args:
        engine: The database.
        back: Those whose post came back, in the order of that.
        limit: Maximum number.
        before: The last one of the part before.
    """
    at = deletions.c.restored if back else deletions.c.since
    query = select(deletions).where(at.is_not(None)).order_by(at.desc(), deletions.c.key.desc()).limit(limit)
    if before is not None:
        moment = before.restored if back else before.since
        query = query.where(at <= moment, (at < moment) | (deletions.c.key < before.key))
    return [_deletion(row) for row in fetch(engine, query)]


def read(engine: Engine, pages: Iterable[str] | None = None, wanted: Wanted = EVERY) -> list[Deletion]:
    """The whole ledger in the order of its entries, or those that are wanted or about the pages with these keys."""
    query = select(deletions).where(*matching(wanted)).order_by(deletions.c.since, deletions.c.key)
    queries = [query] if pages is None else [query.where(deletions.c.key.in_(part)) for part in in_parts(pages)]
    return [_deletion(row) for one in queries for row in fetch(engine, one)]


def _deletion(row: Row[Any]) -> Deletion:
    return Deletion(**{field.name: getattr(row, field.name) for field in fields(Deletion)})


def enter(engine: Engine, found: Iterable[Deletion]) -> None:
    """Enter deletions unchanged; a known one only takes over the restoration."""
    with transaction(engine) as connection:
        for one in found:
            again = {"restored": one.restored, "restored_record": one.restored_record}
            connection.execute(
                upsert(engine, deletions)
                .values(**asdict(one))
                .on_conflict_do_update(
                    index_elements=["key", "since"], set_=again, where=deletions.c.restored.is_(None)
                )
            )

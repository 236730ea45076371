"""The deletion ledger: posts that were deleted, when they were last seen, and the capture that proves it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, Engine, select, update

from archive.runtime.database import transaction, upsert
from crawler.frontier.tables import deletions, pages
from crawler.model.visits import Gone, PageVisit


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A deleted post."""

    key: str
    """Key of its page in the frontier."""
    url: str
    since: datetime
    """When it was first found gone."""
    kind: Gone
    """`gone` (404, 410, 451), `home` (redirect to the front page), `login`, `soft-404`."""
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
        """Whether the post was deleted at an instant."""
        return self.since <= at and (self.restored is None or at < self.restored)


def note(connection: Connection, engine: Engine, key: str, visit: PageVisit) -> None:
    """Enter the outcome of a visit of a page: deleted, or back. Must be called before the page's own row changes."""
    missing = select(deletions.c.key).where(deletions.c.key == key, deletions.c.restored.is_(None))
    if visit.kept:
        connection.execute(
            update(deletions)
            .where(deletions.c.key == key, deletions.c.restored.is_(None), deletions.c.since < visit.at)
            .values(restored=visit.at, restored_record=visit.record)
        )
    elif visit.gone and connection.execute(missing).first() is None:
        seen = connection.execute(select(pages.c.alive, pages.c.alive_record).where(pages.c.key == key)).first()
        connection.execute(
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


def read(engine: Engine, *, since: datetime | None = None) -> list[Deletion]:
    """The whole ledger in the order of its entries, or the deletions entered or restored since an instant."""
    query = select(deletions).order_by(deletions.c.since, deletions.c.key)
    if since is not None:
        query = query.where((deletions.c.since >= since) | (deletions.c.restored >= since))
    with transaction(engine, reads=True) as connection:
        rows = connection.execute(query).all()
    return [Deletion(**{field.name: getattr(row, field.name) for field in fields(Deletion)}) for row in rows]


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

"""Pages that a person names: found by their URL in any spelling, or added as posts without a feed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from archive.runtime.database import upsert
from archive.warc.page_identity import page_key, without_fragment
from crawler.frontier.seen import OF_ENTRY, each_page_once, located, pages_by_url
from crawler.frontier.tables import entries, pages
from crawler.model.visits import Page


def page(connection: Connection, url: str) -> Page | None:
    """See `Frontier.page`."""
    known = pages_by_url(connection, [url]).get(url)
    if known is None:
        return None
    query = (
        select(pages, *OF_ENTRY)
        .outerjoin(entries, entries.c.page_id == pages.c.id)
        .where(pages.c.key == page_key(known.url))
    )
    return next(each_page_once(connection.execute(query)), None)


def enter(connection: Connection, url: str, now: datetime, *, feed_id: int | None) -> Page:
    """See `Frontier.enter`."""
    known = page(connection, url)
    if known is not None:
        return known
    url = without_fragment(url)
    row = {"key": page_key(url), "feed_id": feed_id, **located(url)}
    insert = upsert(connection.engine, pages).values(**row, first_seen=now, due=now)
    connection.execute(insert.on_conflict_do_nothing())
    found = page(connection, url)
    assert found is not None  # it has just been added
    return found

"""Pages that a person names: found by their URL in any spelling, or added as posts without a feed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from archive.runtime.database import upsert
from archive.warc.page_identity import page_key, without_fragment
from crawler.frontier.seen import each_page_once
from crawler.frontier.tables import entries, pages
from crawler.model.url_identity import host_of, shard
from crawler.model.visits import Page


def page(connection: Connection, url: str) -> Page | None:
    """See `Frontier.page`."""
    query = (
        select(pages, entries.c.facts, entries.c.markup)
        .outerjoin(entries, entries.c.page_id == pages.c.id)
        .where(pages.c.key == page_key(url))
    )
    return next(each_page_once(connection.execute(query)), None)


def enter(connection: Connection, url: str, now: datetime) -> Page:
    """See `Frontier.enter`."""
    url = without_fragment(url)
    connection.execute(
        upsert(connection.engine, pages)
        .values(
            url=url,
            key=page_key(url),
            shard=shard(url),
            host=host_of(url),
            kept=False,
            backfill=False,
            first_seen=now,
            due=now,
            failures=0,
            checks=0,
        )
        .on_conflict_do_nothing()
    )
    found = page(connection, url)
    assert found is not None  # it has just been added
    return found

"""Subscriptions: the feeds, the URLs that people gave for them, and the credentials of their origins.

Spellings of one URL, as `archive.warc.page_identity` knows them, are one feed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, true, tuple_, update

from archive.runtime.database import in_parts, upsert
from archive.warc.page_identity import page_key, without_fragment
from crawler.frontier import alarms, refused, unsaved
from crawler.frontier.tables import credentials, entries, feed_tallies, feeds, pages, seeds
from crawler.model.url_identity import as_http, host_of, shard
from crawler.model.visits import Feed, Subscription
from crawler.net.credentials import Credentials, Origins, bare, origin

_FEED_FIELDS = frozenset(Feed.__slots__)
Added = tuple[datetime, int]
"""Place of a feed in the order in which feeds were added."""


def subscribe(
    connection: Connection,
    url: str,
    *,
    seed: str | None,
    now: datetime,
    listing: str | None = None,
    site: str | None = None,
) -> Feed:
    """Add a feed and the URL that a person gave for it; known ones stay unchanged. Credentials are removed.

    Args:
        connection: A transaction.
        url: URL of the feed.
        seed: URL that a person gave for it.
        now: When it is added.
        listing: Kind of the listing that stands for a feed.
        site: Front page of the blog, if known.
    """
    url, seed = without_fragment(bare(url)), bare(seed) if seed else None
    known = select(feeds.c.id).where(feeds.c.key == page_key(url))
    feed_id = connection.execute(known).scalar()
    entered = feed_id is None
    if feed_id is None:
        row = {"url": url, "key": page_key(url), "shard": shard(url), "added": now, "due": now}
        given = {"paused": False, "failures": 0, "listing": listing, "site": site}
        entered = bool(
            connection.execute(
                upsert(connection.engine, feeds).values(**row, **given).on_conflict_do_nothing()
            ).rowcount
        )
        feed_id = connection.execute(known).scalar_one()
    named = [_name(connection, feed_id, name) for name in sorted({url, seed or url})]
    if entered or any(named):
        unsaved.note(connection, "subscription", [page_key(url)])
    return feed_of(connection.execute(select(feeds).where(feeds.c.id == feed_id)).one())


def restore(connection: Connection, subscription: Subscription) -> Feed:
    """Subscribe with the title, site, seeds, name, folder and state of a stored subscription."""
    feed = subscribe(
        connection,
        subscription.url,
        seed=None,
        now=subscription.added,
        listing=subscription.listing,
        site=subscription.site,
    )
    for seed in subscription.seeds:
        subscribe(connection, subscription.url, seed=seed, now=subscription.added)
    for name in ("title", "site", "listing", "name", "folder"):
        value = {name: getattr(subscription, name)}
        connection.execute(update(feeds).where(feeds.c.id == feed.id, feeds.c[name].is_(None)).values(value))
    if subscription.paused:
        change(connection, subscription.url, paused=True)
    if subscription.unverified:
        change(connection, subscription.url, unverified=True)
    return feed


def every(connection: Connection, keys: Iterable[str] | None = None) -> list[Subscription]:
    """All subscriptions in the order in which they were added, or those of feeds with these keys."""
    if keys is None:
        return _subscriptions(connection, true())
    return [one for part in in_parts(keys) for one in _subscriptions(connection, feeds.c.key.in_(part))]


def _subscriptions(connection: Connection, which: ColumnElement[bool]) -> list[Subscription]:
    """Subscriptions with the URLs that people gave."""
    given: dict[int, list[str]] = {}
    named = select(seeds.c.feed_id, seeds.c.url).join(feeds, feeds.c.id == seeds.c.feed_id).where(which)
    for row in connection.execute(named.order_by(seeds.c.url)):
        given.setdefault(row.feed_id, []).append(row.url)
    return [
        Subscription(
            url=row.url,
            title=row.title,
            site=row.site,
            paused=row.paused,
            added=row.added,
            seeds=tuple(given.get(row.id, ())),
            unverified=row.unverified,
            listing=row.listing,
            name=row.name,
            folder=row.folder,
        )
        for row in connection.execute(select(feeds).where(which).order_by(feeds.c.added, feeds.c.id))
    ]


def with_posts_kept(
    connection: Connection, *, after: Added | None = None, limit: int | None = None, feed_id: int | None = None
) -> list[Feed]:
    """Feeds in the order in which they were added, with the number of posts archived, and of those refused.

    Args:
        connection: A transaction.
        after: Place of the last feed of the previous part.
        limit: Maximum number of feeds.
        feed_id: Only this one.
    """
    counts = (func.coalesce(feed_tallies.c[name], 0).label(name) for name in ("kept", "refused"))
    query = select(feeds, *counts).outerjoin(feed_tallies, feed_tallies.c.feed_id == feeds.c.id)
    if after is not None:
        query = query.where(tuple_(feeds.c.added, feeds.c.id) > after)
    if feed_id is not None:
        query = query.where(feeds.c.id == feed_id)
    query = query.order_by(feeds.c.added, feeds.c.id).limit(limit)
    return [_barred(connection, feed_of(row)) for row in connection.execute(query).all()]


def _barred(connection: Connection, feed: Feed) -> Feed:
    """The feed, marked if none of the posts that it shows could be had."""
    if not feed.refused:
        return feed
    lost, requested = refused.of_shown(connection, feed.id, feed.shown)
    return replace(feed, barred=lost == requested > 0)


def find(connection: Connection, url: str) -> list[Feed]:
    """The feeds behind a URL: the feed with that URL, and those that a person subscribed to by it."""
    query = select(feeds).join(seeds).where(seeds.c.key == page_key(as_http(bare(url)))).order_by(feeds.c.id)
    return [feed_of(row) for row in connection.execute(query)]


def get(connection: Connection, feed_id: int) -> Feed | None:
    """A feed by its id."""
    row = connection.execute(select(feeds).where(feeds.c.id == feed_id)).first()
    return feed_of(row) if row else None


def site(connection: Connection, feed_id: int | None) -> str | None:
    """The front page that a feed states."""
    found: str | None = connection.execute(select(feeds.c.site).where(feeds.c.id == feed_id)).scalar()
    return found


def change(connection: Connection, url: str, **values: bool) -> int:
    """Change `paused` or `unverified` of the feeds behind a URL; returns how many there are."""
    found = find(connection, url)
    connection.execute(update(feeds).where(feeds.c.id.in_([feed.id for feed in found])).values(**values))
    unsaved.note(connection, "subscription", [page_key(feed.url) for feed in found])
    return len(found)


def remove(connection: Connection, url: str) -> int:
    """Delete the feeds behind a URL, and credentials that no other feed needs; returns how many there were.

    Posts that another feed shows too are that feed's from then on. All other posts are not visited any more, archived
    ones neither.
    """
    found = find(connection, url)
    ids = [feed.id for feed in found]
    others_too = (entries.c.page_id == pages.c.id) & entries.c.feed_id.not_in(ids)
    ours = pages.c.feed_id.in_(ids)
    ends = ours & ~select(entries.c.key).where(others_too).exists()
    connection.execute(update(pages).where(ends).values(feed_id=None, due=None))
    other = select(func.min(entries.c.feed_id)).where(others_too).scalar_subquery()
    connection.execute(update(pages).where(ours).values(feed_id=other))
    connection.execute(delete(feeds).where(feeds.c.id.in_(ids)))
    alarms.forget(connection, [feed.url for feed in found])
    unsaved.note(connection, "subscription", [page_key(feed.url) for feed in found])
    known = credentials.c.origin.in_({origin(feed.url) for feed in found})
    over = set(connection.scalars(select(credentials.c.origin).where(known)))
    if over:
        over -= {origin(one) for one in connection.scalars(select(feeds.c.url))}
        connection.execute(delete(credentials).where(credentials.c.origin.in_(over)))
    return len(ids)


def move(connection: Connection, feed_id: int, url: str) -> dict[str, Any]:
    """The columns that change when a feed moves to a URL; its old URL still finds it.

    If another subscription has that URL, the two are merged and no column changes.
    """
    there = connection.execute(select(feeds.c.id).where(feeds.c.key == page_key(url))).scalar()
    if there not in {None, feed_id}:
        _merge(connection, feed_id, there)
        return {}
    _name(connection, feed_id, url)
    unsaved.note(connection, "subscription", [*_keys(connection, feed_id), page_key(url)])
    before = connection.execute(select(feeds.c.url).where(feeds.c.id == feed_id)).scalar()
    if before is not None:
        alarms.move(connection, before, url)
    return {"url": url, "key": page_key(url), "shard": shard(url)}


def _merge(connection: Connection, feed_id: int, other: int) -> None:
    """Merge a subscription into another one of the same feed, which is then visited only once."""
    unsaved.note(connection, "subscription", _keys(connection, feed_id, other))
    for row in connection.execute(select(seeds.c.url).where(seeds.c.feed_id == feed_id)).all():
        _name(connection, other, row.url)
    connection.execute(update(pages).where(pages.c.feed_id == feed_id).values(feed_id=other))
    gone = connection.execute(select(feeds.c.url).where(feeds.c.id == feed_id)).scalar()
    connection.execute(delete(feeds).where(feeds.c.id == feed_id))
    alarms.forget(connection, [gone] if gone else [])


def _keys(connection: Connection, *feed_ids: int) -> list[str]:
    return list(connection.scalars(select(feeds.c.key).where(feeds.c.id.in_(feed_ids))))


def _name(connection: Connection, feed_id: int, url: str) -> bool:
    """Let `find` return the feed for this URL; returns whether it did not before."""
    insert = upsert(connection.engine, seeds).values(key=page_key(url), feed_id=feed_id, url=url)
    return bool(connection.execute(insert.on_conflict_do_nothing()).rowcount)


def store_credentials(connection: Connection, given: Credentials) -> None:
    """Store a user name and password for their origin, in place of earlier ones."""
    row = {"origin": given.origin, "user": given.user, "password": given.password}
    connection.execute(
        upsert(connection.engine, credentials).values(row).on_conflict_do_update(index_elements=["origin"], set_=row)
    )


def origins(connection: Connection) -> Origins:
    """Credentials, and the hosts whose certificates are not verified."""
    given = [
        Credentials(origin=row.origin, user=row.user, password=row.password)
        for row in connection.execute(select(credentials))
    ]
    return Origins(given, [host_of(url) for url in connection.scalars(select(feeds.c.url).where(feeds.c.unverified))])


def feed_of(row: Row[Any]) -> Feed:
    """A row of `feeds`, and `kept` where it was counted, as a value."""
    found = row._asdict()
    return Feed(**{name: found[name] for name in found.keys() & _FEED_FIELDS})

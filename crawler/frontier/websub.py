"""WebSub subscriptions (W3C WebSub): hubs notify us of news in a feed, so it can be polled rarely.

A notification only makes the feed due, which is then fetched as usual; the content that the hub sent is discarded.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import Engine, select, update

from archive.runtime.database import transaction, upsert
from crawler.frontier.tables import feeds, hubs
from crawler.limits import HUBS_AT_ONCE
from crawler.net.backoff import AFTER_HUB

LEASE = timedelta(days=10)
"""The lease that we request; hubs may grant less."""
_LONGEST = timedelta(days=365)
_RENEW = 0.25
"""Share of a lease that remains when it is renewed."""
_SOONEST = timedelta(minutes=10)
"""Minimum time before a lease is renewed, however short it is."""
FLOOR = timedelta(minutes=15)
"""Shortest time between two notifications that make the feed due."""
_METHODS = ("sha256", "sha384", "sha512", "sha1")  # WebSub §8


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A subscription to request."""

    feed_id: int
    hub: str
    topic: str
    token: str
    """Last part of the callback URL; unguessable."""
    secret: str

    def form(self, callback: str) -> bytes:
        """The body of the request to the hub (WebSub §5.1).

        Args:
            callback: URL at which the hub can reach us; the token is appended.
        """
        return urlencode(
            {
                "hub.mode": "subscribe",
                "hub.topic": self.topic,
                "hub.callback": f"{callback.rstrip('/')}/{self.token}",
                "hub.secret": self.secret,
                "hub.lease_seconds": int(LEASE.total_seconds()),
            }
        ).encode()


def wanted(engine: Engine, *, now: datetime) -> list[Wanted]:
    """Subscriptions to request: new ones, changed ones, and those whose lease ends soon."""
    query = (
        select(feeds.c.id, feeds.c.hub, feeds.c.topic, feeds.c.url, hubs.c.token, hubs.c.secret)
        .outerjoin(hubs, hubs.c.feed_id == feeds.c.id)
        .where(feeds.c.hub.is_not(None), ~feeds.c.paused)
        .where(
            hubs.c.feed_id.is_(None)
            | (hubs.c.hub != feeds.c.hub)
            | (hubs.c.topic != feeds.c.topic)
            | (hubs.c.renew <= now)
            | (hubs.c.renew > now + _LONGEST)  # a clock that was ahead has dated it
        )
        .limit(HUBS_AT_ONCE)
    )
    with transaction(engine, reads=True) as connection:
        return [
            Wanted(
                feed_id=row.id,
                hub=row.hub,
                topic=row.topic or row.url,
                token=row.token or secrets.token_urlsafe(24),
                secret=row.secret or secrets.token_urlsafe(32),
            )
            for row in connection.execute(query)
        ]


def asked(engine: Engine, one: Wanted, *, now: datetime) -> None:
    """Record that a subscription is about to be requested: the hub may verify it before it answers."""
    values = {"hub": one.hub, "topic": one.topic, "token": one.token, "secret": one.secret, "renew": now + AFTER_HUB}
    with transaction(engine) as connection:
        connection.execute(
            upsert(engine, hubs)
            .values(feed_id=one.feed_id, **values)
            .on_conflict_do_update(index_elements=["feed_id"], set_=values)
        )


def verified(engine: Engine, token: str, parameters: Mapping[str, str], *, now: datetime) -> str | None:
    """The challenge to echo if we requested this subscription, else None (WebSub §5.3)."""
    with transaction(engine) as connection:
        row = connection.execute(select(hubs).where(hubs.c.token == token)).first()
        if row is None or not hmac.compare_digest(row.topic.encode(), parameters.get("hub.topic", "").encode()):
            return None
        if parameters.get("hub.mode") == "denied":  # WebSub §5.2: at any time, without a challenge
            connection.execute(update(hubs).where(hubs.c.token == token).values(until=None, renew=now + AFTER_HUB))
            connection.execute(update(feeds).where(feeds.c.id == row.feed_id).values(pushed=None))
            return None
        if parameters.get("hub.mode") != "subscribe" or not parameters.get("hub.challenge"):
            return None
        given = parameters.get("hub.lease_seconds", "")
        lease = timedelta(seconds=int(given)) if given.isdecimal() and len(given) < 10 else LEASE  # noqa: PLR2004  digits
        lease = min(lease, _LONGEST)
        connection.execute(
            update(hubs)
            .where(hubs.c.token == token)
            .values(until=now + lease, renew=now + max(lease * (1 - _RENEW), _SOONEST))
        )
        connection.execute(update(feeds).where(feeds.c.id == row.feed_id).values(pushed=now + lease))
    return parameters["hub.challenge"]


def known(engine: Engine, token: str) -> bool:
    """Whether a callback token is one of ours."""
    with transaction(engine, reads=True) as connection:
        return connection.execute(select(hubs.c.feed_id).where(hubs.c.token == token)).first() is not None


def notified(engine: Engine, token: str, body: bytes, signature: str, *, now: datetime) -> bool:
    """Make the feed of a notification due; False if the signature is not the hub's (WebSub §8)."""
    with transaction(engine) as connection:
        row = connection.execute(
            select(hubs.c.feed_id, hubs.c.secret, hubs.c.told).where(hubs.c.token == token)
        ).first()
        if row is None:
            return False
        method, _, given = signature.partition("=")
        if method not in _METHODS:
            return False
        ours = hmac.new(row.secret.encode(), body, getattr(hashlib, method)).hexdigest()
        if not hmac.compare_digest(ours.encode(), given.strip().lower().encode()):
            return False
        due = max(now, row.told + FLOOR) if row.told and row.told <= now + FLOOR else now
        moved = connection.execute(update(feeds).where(feeds.c.id == row.feed_id, feeds.c.due > due).values(due=due))
        if moved.rowcount:
            connection.execute(update(hubs).where(hubs.c.token == token).values(told=due))
    return True

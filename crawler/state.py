"""Subscriptions as an object in the store, so that the frontier can be made anew: one object for each change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from archive.stores import ObjectStore
from crawler.opml import write
from crawler.visit import Subscription

PREFIX = "state/subscriptions/"


def save(store: ObjectStore, subscriptions: Sequence[Subscription], *, now: datetime) -> None:
    """Put the subscriptions into the store, unless the newest object says the same.

    Raises:
        StoreError: The store failed.
    """
    body = write(subscriptions)
    key = newest(store)
    if key is None or store.read(key) != body:
        store.put(f"{PREFIX}{now:%Y%m%dt%H%M%S%f}z.opml", body)


def newest(store: ObjectStore) -> str | None:
    """Key of the newest object with subscriptions; its name tells when it was written."""
    return max(store.keys(PREFIX), default=None)

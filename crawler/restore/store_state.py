"""State objects in the store: subscriptions and the deletion ledger, which captures do not contain."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from archive.stores import ObjectStore
from archive.warc.page_identity import page_key
from crawler.feeds.opml import write
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Subscription

log = logging.getLogger(__name__)

SUBSCRIPTIONS = "state/subscriptions/"
DELETIONS = "state/deletions/"
_NAME = "%Y%m%dt%H%M%S%f"
_DELETION: TypeAdapter[Deletion] = TypeAdapter(Deletion)
_OVERLAP = timedelta(days=2)
"""How far a new object reaches back, so that entries that another run commits late are included."""


def save(store: ObjectStore, frontier: Frontier, *, now: datetime) -> None:
    """Store the subscriptions and the ledger if they have changed.

    Raises:
        StoreError: The store failed.
        DatabaseError: The database failed.
    """
    save_subscriptions(store, frontier.subscriptions(), now=now)
    before = newest(store, DELETIONS)
    since = _written(before, DELETIONS) - _OVERLAP if before else None
    found = frontier.deletions(since=since)
    lines = b"".join(_DELETION.dump_json(one) + b"\n" for one in found)
    if lines and (before is None or not _says(store, before, lines)):
        store.put(f"{DELETIONS}{now:{_NAME}}z.jsonl", lines)


def save_subscriptions(store: ObjectStore, subscriptions: Sequence[Subscription], *, now: datetime) -> None:
    """Store the subscriptions, unless the newest object has the same content.

    Raises:
        StoreError: The store failed.
    """
    body = write(subscriptions)
    key = newest(store, SUBSCRIPTIONS)
    if key is None or store.read(key) != body:
        store.put(f"{SUBSCRIPTIONS}{now:{_NAME}}z.opml", body)


def newest(store: ObjectStore, prefix: str) -> str | None:
    """Key of the newest object with a prefix; its name contains the time of writing."""
    return max(store.keys(prefix), default=None)


def deletions(store: ObjectStore) -> Iterator[Deletion]:
    """The ledger in the store; it may contain the same entry several times.

    Raises:
        StoreError: The store failed.
    """
    for key in sorted(store.keys(DELETIONS)):
        for line in store.read(key).splitlines():
            try:
                one = _DELETION.validate_json(line)
                yield replace(one, key=page_key(one.url))  # an earlier version made other keys
            except ValidationError as e:
                log.warning("entry of the ledger cannot be read object=%s error=%s", key, str(e).splitlines()[0])


def _says(store: ObjectStore, key: str, lines: bytes) -> bool:
    """Whether an object contains every one of these lines."""
    return set(lines.splitlines()) <= set(store.read(key).splitlines())


def _written(key: str, prefix: str) -> datetime:
    name = key.removeprefix(prefix).partition("z.")[0]
    return datetime.strptime(name, _NAME).replace(tzinfo=UTC)

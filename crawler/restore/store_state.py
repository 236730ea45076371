"""State objects in the store: subscriptions, the deletion ledger and aliases, which captures do not contain."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from archive.index.aliases import Alias
from archive.stores import ObjectStore
from archive.warc.page_identity import page_key
from crawler.errors import FeedError
from crawler.feeds.opml import read, write
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Subscription

log = logging.getLogger(__name__)

SUBSCRIPTIONS = "state/subscriptions/"
DELETIONS = "state/deletions/"
ALIASES = "state/aliases/"
_NAME = "%Y%m%dt%H%M%S%f"
_DELETION: TypeAdapter[Deletion] = TypeAdapter(Deletion)
_ALIAS: TypeAdapter[Alias] = TypeAdapter(Alias)
T = TypeVar("T")
_OVERLAP = timedelta(days=2)
"""How far a new object reaches back, so that entries that another run commits late are included."""


def save(store: ObjectStore, frontier: Frontier, *, now: datetime) -> None:
    """Store the subscriptions, the ledger and the aliases if they have changed.

    Raises:
        StoreError: The store failed.
        DatabaseError: The database failed.
    """
    save_subscriptions(store, frontier.subscriptions(), now=now)
    _save_lines(store, DELETIONS, frontier.deletions, _DELETION, now=now)
    _save_lines(store, ALIASES, frontier.aliases, _ALIAS, now=now)


def _save_lines(
    store: ObjectStore, prefix: str, read: Callable[..., list[T]], form: TypeAdapter[T], *, now: datetime
) -> None:
    """Store what was entered since the newest object with a prefix was written."""
    before = newest(store, prefix)
    since = _written(before, prefix) - _OVERLAP if before else None
    lines = b"".join(form.dump_json(one) + b"\n" for one in read(since=since))
    if lines and (before is None or not _says(store, before, lines)):
        store.put(f"{prefix}{now:{_NAME}}z.jsonl", lines)


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
    for one in _lines(store, DELETIONS, _DELETION):
        yield replace(one, key=page_key(one.url))  # an earlier version made other keys


def aliases(store: ObjectStore) -> Iterator[Alias]:
    """The evidence in the store that addresses are one page; it may contain the same several times.

    Raises:
        StoreError: The store failed.
    """
    return _lines(store, ALIASES, _ALIAS)


def opml_fault(data: bytes) -> str | None:
    """Why stored subscriptions cannot be read; None if they can."""
    try:
        read(data, name="", now=datetime.fromtimestamp(0, UTC), ours=True)
    except FeedError as e:
        return f"is no list of subscriptions: {e}"
    return None


def _lines_fault(form: TypeAdapter[T]) -> Callable[[bytes], str | None]:
    """Why stored lines cannot be read."""

    def fault(data: bytes) -> str | None:
        for number, line in enumerate(data.splitlines(), start=1):
            try:
                form.validate_json(line)
            except ValidationError as e:
                return f"line {number} cannot be read: {str(e).splitlines()[0]}"
        return None

    return fault


CHECKS: Mapping[str, Callable[[bytes], str | None]] = {
    SUBSCRIPTIONS: opml_fault,
    DELETIONS: _lines_fault(_DELETION),
    ALIASES: _lines_fault(_ALIAS),
}
"""What shows that an object is damaged, by prefix."""


def _lines(store: ObjectStore, prefix: str, form: TypeAdapter[T]) -> Iterator[T]:
    for key in sorted(store.keys(prefix)):
        for line in store.read(key).splitlines():
            try:
                yield form.validate_json(line)
            except ValidationError as e:
                log.warning("state cannot be read object=%s error=%s", key, str(e).splitlines()[0])


def _says(store: ObjectStore, key: str, lines: bytes) -> bool:
    """Whether an object contains every one of these lines."""
    return set(lines.splitlines()) <= set(store.read(key).splitlines())


def _written(key: str, prefix: str) -> datetime:
    name = key.removeprefix(prefix).partition("z.")[0]
    return datetime.strptime(name, _NAME).replace(tzinfo=UTC)

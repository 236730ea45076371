"""State objects in the store: subscriptions, the deletion ledger and aliases, which captures do not contain.

They are ordered by number, not by a clock. What has changed is written, not the whole: the frontier notes each change
until it is in the store (`crawler.frontier.unsaved`). Of the subscriptions there is a whole list now and then.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from archive.index.aliases import Alias
from archive.stores import ObjectStore, ReadableStore
from archive.warc.page_identity import page_key
from crawler.errors import FeedError
from crawler.feeds import opml
from crawler.frontier import unsaved
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier
from crawler.limits import STATE_CHANGES
from crawler.model.visits import Subscription

log = logging.getLogger(__name__)

SUBSCRIPTIONS = "state/subscriptions/"
DELETIONS = "state/deletions/"
ALIASES = "state/aliases/"
_NUMBERED = re.compile(r"(\d{10})-[0-9a-f]{8}\.")
_WHOLE, _CHANGES = ".opml", ".jsonl"
"""Endings of a whole list of subscriptions, and of lines that have changed."""
_ATTEMPTS = 5
_DELETION: TypeAdapter[Deletion] = TypeAdapter(Deletion)
_ALIAS: TypeAdapter[Alias] = TypeAdapter(Alias)
_SUBSCRIPTION: TypeAdapter[Subscription] = TypeAdapter(Subscription)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a state object stands in the order of its prefix."""

    number: int
    """0 for those of earlier versions, which were named after the time."""
    changes: bool
    """Changes apply to a whole list with the same number, which another machine wrote at the same moment."""
    key: str


def save(store: ObjectStore, frontier: Frontier) -> None:
    """Store what has changed of subscriptions, ledger and aliases.

    Raises:
        StoreError: The store failed.
        DatabaseError: The database failed.
    """
    save_subscriptions(store, frontier)
    _save(
        store, frontier, "deletion", DELETIONS, lambda keys: (_CHANGES, _written(_DELETION, frontier.deletions(keys)))
    )
    _save(store, frontier, "alias", ALIASES, lambda keys: (_CHANGES, _written(_ALIAS, frontier.aliases(keys))))


def save_subscriptions(store: ObjectStore, frontier: Frontier) -> None:
    """Store the subscriptions that have changed, or all of them if there is no list yet or it has changed a lot.

    Raises:
        StoreError: The store failed.
        DatabaseError: The database failed.
    """

    def changed(keys: Iterable[str]) -> tuple[str, bytes]:
        after = list(_since_whole(store))
        if not after or after[0].number == 0 or len(after) > STATE_CHANGES:
            return _WHOLE, opml.write(frontier.subscriptions())
        found = frontier.subscriptions(keys)
        gone = sorted(set(keys) - {page_key(one.url) for one in found})
        removed = b"".join(json.dumps({"removed": key}).encode() + b"\n" for key in gone)
        return _CHANGES, _written(_SUBSCRIPTION, found) + removed

    _save(store, frontier, "subscription", SUBSCRIPTIONS, changed, even_unchanged=not any(_since_whole(store)))


def _save(
    store: ObjectStore,
    frontier: Frontier,
    kind: unsaved.Kind,
    prefix: str,
    changed: Callable[[Iterable[str]], tuple[str, bytes]],
    *,
    even_unchanged: bool = False,
) -> None:
    """Put what has changed behind all other objects with a prefix; `changed` gives an ending and the content.

    If another machine has taken the same number meanwhile, nobody knows which of the two is newer: it is written again.
    """
    number = 0
    for _ in range(_ATTEMPTS):
        marks = unsaved.marks(frontier.engine, kind)
        if not (marks or even_unchanged):
            return
        ending, body = changed(marks)
        number = max((place.number for place in _places(store, prefix)), default=0) + 1
        if body:
            store.put(f"{prefix}{number:010}-{secrets.token_hex(4)}{ending}", body)
        if sum(place.number == number for place in _places(store, prefix)) <= 1:
            unsaved.settle(frontier.engine, kind, marks)
            return
    log.warning("state is written again by the next run prefix=%s number=%d", prefix, number)


def _written(form: TypeAdapter[T], found: Iterable[T]) -> bytes:
    """One line of JSON each."""
    return b"".join(form.dump_json(one) + b"\n" for one in found)


def subscriptions(store: ReadableStore, *, now: datetime) -> list[Subscription] | None:
    """The subscriptions in the store, in the order in which they were added; None if there is no list.

    Raises:
        StoreError: The store failed.
        FeedError: The list cannot be read.
    """
    found: dict[str, Subscription] | None = None
    for place in _since_whole(store):
        body = store.read(place.key)
        if not place.changes:
            listed, _ = opml.read(body, name=place.key, now=now, ours=True)
            found = {page_key(one.url): one for one in listed}
            continue
        found = {} if found is None else found
        for line in body.splitlines():
            _apply(found, line, place.key)
    return None if found is None else sorted(found.values(), key=lambda one: one.added)


def _apply(found: dict[str, Subscription], line: bytes, key: str) -> None:
    try:
        said: Any = json.loads(line)
        if isinstance(said, dict) and "removed" in said:
            found.pop(str(said["removed"]), None)
            return
        one = _SUBSCRIPTION.validate_python(said)
    except ValueError as e:  # what is no JSON, and what pydantic refuses
        log.warning("state cannot be read object=%s error=%s", key, str(e).splitlines()[0])
    else:
        found[page_key(one.url)] = one


def deletions(store: ReadableStore) -> Iterator[Deletion]:
    """The ledger in the store; of several lines about one entry the last one counts.

    Raises:
        StoreError: The store failed.
    """
    for one in _lines(store, DELETIONS, _DELETION):
        yield replace(one, key=page_key(one.url))  # an earlier version made other keys


def aliases(store: ReadableStore) -> Iterator[Alias]:
    """The evidence in the store that addresses are one page; it may contain the same several times.

    Raises:
        StoreError: The store failed.
    """
    return _lines(store, ALIASES, _ALIAS)


def _subscriptions_fault(data: bytes) -> str | None:
    """Why a list of subscriptions, or what has changed of it, cannot be read; None if it can."""
    if not data.lstrip().startswith(b"<"):
        changed = b"".join(line + b"\n" for line in data.splitlines() if not line.startswith(b'{"removed"'))
        return _lines_fault(_SUBSCRIPTION)(changed)
    try:
        opml.read(data, name="", now=datetime.fromtimestamp(0, UTC), ours=True)
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
    SUBSCRIPTIONS: _subscriptions_fault,
    DELETIONS: _lines_fault(_DELETION),
    ALIASES: _lines_fault(_ALIAS),
}
"""What shows that an object is damaged, by prefix."""


def _lines(store: ReadableStore, prefix: str, form: TypeAdapter[T]) -> Iterator[T]:
    for place in _places(store, prefix):
        for line in store.read(place.key).splitlines():
            try:
                yield form.validate_json(line)
            except ValidationError as e:
                log.warning("state cannot be read object=%s error=%s", place.key, str(e).splitlines()[0])


def _since_whole(store: ReadableStore) -> Iterator[_Place]:
    """The newest whole list of subscriptions, and the changes after it."""
    places = _places(store, SUBSCRIPTIONS)
    whole = max((number for number, place in enumerate(places) if not place.changes), default=None)
    yield from places if whole is None else places[whole:]


def _places(store: ReadableStore, prefix: str) -> list[_Place]:
    """The state objects with a prefix, in their order; those of earlier versions first."""
    found = []
    for key in store.keys(prefix):
        match = _NUMBERED.match(key.removeprefix(prefix))
        number = int(match[1]) if match else 0
        found.append(_Place(number=number, changes=not key.endswith(_WHOLE), key=key))
    return sorted(found, key=lambda place: (place.number, place.changes, place.key))

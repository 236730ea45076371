"""Restless feeds: their entries change from visit to visit although nobody edits them. Pure rules, no I/O.

Dates of the last change that are always now, numbers of comments and views, ages of posts: many entries change at once
and in the same way, and no word of them does. What changes so is no edit; a change of words still is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crawler.feeds import identity
from crawler.feeds.model import FeedEntry
from crawler.model.visits import Feed

_MANY = 3
"""Entries that change at once without an edit show that a feed is restless."""
_NOW = timedelta(minutes=10)
"""Dates that are so near to the fetch, or to each other, were made by a program."""
_CALM = timedelta(days=1)
"""Time after which a feed whose entries have not changed by themselves is no longer restless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What is known of a feed's entries, once changes that are no edits are left out of account."""

    known: Mapping[str, str] = field(default_factory=dict)
    """Digests by key: for an entry that nobody has edited, that of the current document."""
    restless: bool | None = None
    """Whether the feed is restless; None: the visit does not show it."""


def settled(
    entries: Sequence[FeedEntry], keys: Sequence[str | None], known: Mapping[str, str], *, feed: Feed, at: datetime
) -> Settled:
    """Compare a document with what is known of its entries, and recognise changes that are no edits.

    Args:
        entries: Of the document.
        keys: Of each of them; None for an empty entry.
        known: Digest of each entry seen before, by key.
        feed: The feed before this visit.
        at: When the document was fetched.
    """
    changes = {
        key: (_change(known[key], entry), entry)
        for entry, key in zip(entries, keys, strict=True)
        if key is not None and key in known
    }
    dates = [entry for change, entry in changes.values() if change == "date"]
    numbers = sum(change == "numbers" for change, _ in changes.values())
    words = sum(change == "words" for change, _ in changes.values())
    counted = numbers >= max(_MANY, words) or numbers == len(changes) > 1
    stirred = counted or _by_program(dates, of=len(changes), at=at)
    calm = len(changes) >= _MANY and not dates and not numbers and _long(feed, at)
    restless = True if stirred else False if feed.restless and calm else None
    idle = {None, "date", "numbers"} if stirred or feed.restless else {None}
    same = {key: entry.digest for key, (change, entry) in changes.items() if change in idle}
    return Settled(known={**known, **same}, restless=restless)


def _change(before: str, entry: FeedEntry) -> identity.Change | None:
    """What has changed in an entry since a digest of it was stored, perhaps by an earlier version."""
    found = identity.change(before, entry.digest)
    if found != "words":
        return found
    former = identity.former_digest(
        link=entry.link, title=entry.title, summary=entry.summary, content=entry.content, updated=entry.updated
    )
    return None if former == before else found


def _by_program(changed: Sequence[FeedEntry], *, of: int, at: datetime) -> bool:
    """Whether entries of which only the date has changed were given it by a program, not by edits."""
    dates = [entry.updated for entry in changed if entry.updated is not None]
    if not dates or len(dates) * 2 < of:
        return False
    now = all(abs(date - at) <= _NOW for date in dates)
    together = max(dates) - min(dates) <= _NOW
    return (len(dates) >= _MANY and (now or together)) or (len(dates) == of > 1 and now)


def _long(feed: Feed, at: datetime) -> bool:
    return feed.visited is not None and at - feed.visited >= _CALM

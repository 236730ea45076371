"""Entries that have left their feed: whether they were taken out, or made way for newer ones. Pure rules, no I/O.

A feed that shows its newest posts lets the oldest go. A post that goes while older ones stay was taken out: it may have
been deleted, unlisted or filed elsewhere, so its page is worth a look.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crawler.feeds.model import ParsedFeed
from crawler.limits import FOLLOWED_ENTRIES
from crawler.model.visits import Feed

_OLDER = 2
"""Older entries that stay and are not pinned: one may have come back, or bear a wrong date."""
_MOST = 0.5
"""Share of the entries above which so many have left at once that the feed itself has changed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that the document before showed."""

    first_seen: datetime
    published: datetime | None
    """None if the entry does not say, or if the feed makes its dates anew."""


def followed(feed: Feed, parsed: ParsedFeed, named: Iterable[str | None]) -> tuple[str, ...] | None:
    """The entries of a document whose departure can be noticed; None for a listing of everything, or a part of a feed.

    Args:
        feed: The feed.
        parsed: The document.
        named: Keys of its entries, in its order.
    """
    if feed.listing is not None or parsed.left_out or len(parsed.entries) > FOLLOWED_ENTRIES:
        return None
    return tuple(dict.fromkeys(key for key in named if key))


def taken_out(before: Mapping[str, Shown], now: Sequence[str]) -> Collection[str]:
    """Which entries have left although older ones are still shown.

    Args:
        before: The entries that the document before showed, by key.
        now: Keys of the document's entries, in its order.
    """
    shown = set(now)
    left = before.keys() - shown
    if not left or len(left) > _MOST * len(before):
        return ()
    staying = [before[key] for key in now if key in before]
    unpinned = [one for at, one in enumerate(staying) if not any(_older(one, other) for other in staying[at + 1 :])]
    return {key for key in left if sum(_older(one, before[key]) for one in unpinned) >= _OLDER}


def _older(one: Shown, other: Shown) -> bool:
    if one.published is not None and other.published is not None:
        return one.published < other.published
    return one.first_seen < other.first_seen

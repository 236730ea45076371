"""What the frontier knows: subscriptions, pages, and what a visit of one changes. Pure values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from archive.text import Entry

Scope = Literal["url", "host", "domain"]
"""What an answer can speak for: its URL, its host, its registrable domain."""
SHARDS = 65_536
"""Values of a shard number; N shards divide them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A subscription."""

    id: int
    url: str
    title: str | None
    site: str | None
    paused: bool
    added: datetime
    visited: datetime | None
    """Last request for it; aware, UTC."""
    due: datetime
    etag: str | None
    """As received, byte for byte (Latin-1)."""
    last_modified: str | None
    """As received, byte for byte (Latin-1)."""
    status: int | None
    """Of the last response; None where there was none."""
    error: str | None
    """Of the last visit; None if it went well."""
    failures: int
    """Visits since the last good one."""
    rhythm: timedelta | None = None
    """How often it has news; None if that is not known."""
    moved_to: str | None = None
    """Where permanent redirects have led of late; adopted once that has proved itself."""
    moved_since: datetime | None = None
    moved_times: int = 0
    """Good visits in a row that were led there."""
    kept: int = 0
    """Posts of this feed that are held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a person decided about a feed; the rest of the frontier follows from captures."""

    url: str
    title: str | None
    site: str | None
    paused: bool
    added: datetime
    seeds: tuple[str, ...]
    """URLs that a person gave for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A post's page that is to be fetched."""

    url: str
    feed_id: int | None
    kept: bool
    """A capture of it is held."""
    etag: str | None = None
    last_modified: str | None = None
    failures: int = 0
    read: datetime | None = None
    """The last visit that is noted, or since when it is to be fetched; a capture after that was not read yet.
    None for a page that was found just now."""
    entry: Entry | None = None
    """What the feed said, without its markup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEntry:
    """An entry of a feed as it is to be remembered."""

    key: str
    id: str | None
    digest: str
    url: str | None
    """Its page; None for an entry without a link."""
    entry: Entry
    fetch: bool
    """Its page is to be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedVisit:
    """What a visit of a feed changes."""

    feed_id: int
    at: datetime
    due: datetime
    status: int | None
    error: str | None
    failures: int
    etag: str | None
    last_modified: str | None
    title: str | None = None
    """None keeps the one known."""
    site: str | None = None
    """None keeps the one known."""
    rhythm: timedelta | None = None
    """None keeps the one known."""
    moved_to: str | None = None
    moved_since: datetime | None = None
    moved_times: int = 0
    url: str | None = None
    """Where the feed lies from now on; None: where it did."""
    entries: tuple[SeenEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageVisit:
    """What a visit of a post's page changes."""

    url: str
    feed_id: int | None
    at: datetime
    due: datetime | None
    """When it is to be fetched again; None: not by itself."""
    kept: bool
    status: int | None
    error: str | None
    failures: int
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of all hosts: number `index` of `count`."""

    index: int
    count: int

    def holds(self, number: int) -> bool:
        """Whether a host of that shard number is in this part."""
        return number % self.count == self.index

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`3/16`; counted from 1, and 0/16 is another name of 16/16.

        Raises:
            ValueError: It is not of that form.
        """
        index, slash, count = text.partition("/")
        numbers = index.isdecimal() and count.isdecimal() and len(text) < 20  # noqa: PLR2004  no number so long
        if not slash or not numbers or not 0 <= int(index) <= int(count) <= SHARDS or not int(count):
            raise ValueError(f"shard {text!r} is not of the form 3/16")
        return cls(int(index) % int(count), int(count))

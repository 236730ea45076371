"""What the frontier knows: subscriptions, pages, and what a visit of one changes. Pure values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from archive.extract.text import Entry

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
    whole: datetime | None = None
    """Last visit that brought the document, not only the word that it is as it was; or that asked for no less."""
    shown: int | None = None
    """Entries in the last document; None before the first."""
    media: str | None = None
    """Media type of the last document."""
    news: datetime | None = None
    """Last visit that brought a new entry."""
    hub: str | None = None
    """WebSub hub that the feed names."""
    topic: str | None = None
    """What the hub knows the feed by."""
    pushed: datetime | None = None
    """Until then its hub tells us when it has news."""
    fresh: timedelta | None = None
    """How long its server says that an answer is fresh; a 304 that does not say leaves it as it was."""
    every: timedelta | None = None
    """How often the document asks to be visited at most."""
    skips: str | None = None
    """Hours and days in which it has no news, as of `freshness.skips`."""
    unverified: bool = False
    """The certificate of its host is taken as it is: a person said so."""
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
    unverified: bool = False
    """The certificate of its host is taken as it is."""


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
    checks: int = 0
    """Visits since it was first kept."""
    alive: datetime | None = None
    """When it was last there; None if it is not kept, or not known."""
    alive_record: str | None = None
    """WARC-Record-ID of that capture."""
    backfill: bool = False
    """It was found in listings, not in the feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that the operator should know."""

    kind: str
    detail: str
    """One line."""


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
    whole: datetime | None = None
    """None keeps the one known."""
    shown: int | None = None
    """None keeps the one known."""
    media: str | None = None
    """None keeps the one known."""
    news: datetime | None = None
    """None keeps the one known."""
    hub: str | None = None
    """Taken over where `whole` is given."""
    topic: str | None = None
    fresh: timedelta | None = None
    every: timedelta | None = None
    """Taken over where `shown` is given."""
    skips: str | None = None
    """Taken over where `shown` is given."""
    entries: tuple[SeenEntry, ...] = ()
    judged: tuple[str, ...] = ()
    """Kinds of alarms that this visit can tell of; one that is not among `alarms` is over."""
    alarms: tuple[Alarm, ...] = ()
    gap: bool = False
    """Entries came and went between the last good visit and this one."""


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
    checks: int = 0
    record: str | None = None
    """WARC-Record-ID of the capture that shows how the page was; None where there was no answer."""
    gone: Gone | None = None
    """Why a post that was there is not there any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a run wants of what is due, and how it claims the hosts of that."""

    now: datetime
    holder: str
    until: datetime
    """When the claim ends by itself, should the run die."""
    part: Shard | None = None
    feed_ids: tuple[int, ...] | None = None
    """Of these feeds alone."""
    force: bool = False
    """Feeds that are not due as well."""
    held: bool | None = None
    """Pages that are held, those that are not, or both."""
    backfill: bool | None = None
    """Of pages that are not held: those found in listings, or in feeds, or both."""
    budget: int | None = None
    """Held pages of one host within a day; None: as many as are due."""
    held_only: bool = False
    """Only on hosts that the run has already."""
    without: tuple[int, ...] = ()
    """Shard numbers of domains of which no pages are wanted that are not held."""


Gone = Literal["gone", "home", "login", "soft-404"]
"""404, 410 or 451; a redirect to the front page; a login wall; an error page that claims to be fine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A document that lists posts of a blog beyond its feed: an archive of the feed, a sitemap, a page of links."""

    feed_id: int
    url: str
    kind: str
    number: int
    """How many listings led to it."""
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingVisit:
    """What a visit of a listing changes."""

    feed_id: int
    url: str
    kind: str
    number: int
    """How many listings led to it."""
    at: datetime
    status: int | None
    error: str | None
    failures: int
    done: bool
    """It need not be visited again in this backfill."""
    total: int | None = None
    """Posts that the site says it has."""
    found: int = 0
    """Posts that it lists and no listing before it did."""
    entries: tuple[SeenEntry, ...] = ()
    """Those of them that are not known."""
    more: tuple[Listing, ...] = ()
    """Listings that this one leads to."""


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

"""What the frontier stores: subscriptions, pages, and what a visit of either changes. Pure values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from archive.extract.text import Entry
from archive.index.aliases import Alias

Scope = Literal["url", "host", "domain"]
"""What a Retry-After can apply to: the URL, its host, its registrable domain."""
SHARDS = 65_536
"""Number of values of a shard number; N shards divide them among themselves."""


LISTINGS = ("sitemap", "index", "wordpress", "links")
"""Kinds of listings that are read as feeds; an index of sitemaps shows which sitemaps there are."""


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
    """When it was last requested; aware, UTC."""
    due: datetime
    etag: str | None
    """As received, byte for byte (Latin-1)."""
    last_modified: str | None
    """As received, byte for byte (Latin-1)."""
    status: int | None
    """Status of the last response; None if there was none."""
    error: str | None
    """Error of the last visit; None if it succeeded."""
    failures: int
    """Failed visits since the last successful one."""
    rhythm: timedelta | None = None
    """Usual time between two new entries; None if not known."""
    moved_to: str | None = None
    """Where permanent redirects have led lately; adopted once several visits have confirmed it."""
    moved_since: datetime | None = None
    moved_times: int = 0
    """Successful visits in a row that were redirected there."""
    whole: datetime | None = None
    """Last visit that brought the document, not only a 304, or that requested it without validators."""
    shown: int | None = None
    """Number of entries in the last document; None before the first."""
    media: str | None = None
    """Media type of the last document."""
    news: datetime | None = None
    """Last visit that brought a new entry."""
    hub: str | None = None
    """WebSub hub that the feed declares."""
    topic: str | None = None
    """The URL by which the hub knows the feed."""
    pushed: datetime | None = None
    """End of the lease during which its hub notifies us of news."""
    fresh: timedelta | None = None
    """Freshness lifetime that its server states; a 304 without one leaves it unchanged."""
    every: timedelta | None = None
    """Shortest time between two visits that the document asks for."""
    skips: str | None = None
    """Hours and days in which it has no news, in the form of `freshness.skips`."""
    unverified: bool = False
    """Whether a person has exempted its host from the verification of certificates."""
    validated: str | None = None
    """WARC-Record-ID of the response whose validators these are."""
    listing: str | None = None
    """Kind of the listing that is read as a feed, because the blog has none: a sitemap …; None: it is a feed."""
    name: str | None = None
    """The name that a person gave it; `title` is the feed's own."""
    folder: str | None = None
    """The folder that a person put it in, as a path with slashes."""
    window: timedelta | None = None
    """How long it takes until what it shows has scrolled away, as far as is known; see `crawler.decide.window`."""
    restless: bool = False
    """Whether its entries change without an edit: dates that are always now, counters in the text."""
    kept: int = 0
    """Number of archived posts of this feed."""
    refused: int = 0
    """Number of posts of this feed whose page could not be had."""
    barred: bool = False
    """Whether none of the posts that it shows could be had from their pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a person has decided about a feed; the rest of the frontier follows from captures."""

    url: str
    title: str | None
    site: str | None
    paused: bool
    added: datetime
    seeds: tuple[str, ...]
    """URLs that a person gave for it."""
    unverified: bool = False
    """Whether its host is exempt from the verification of certificates."""
    listing: str | None = None
    name: str | None = None
    folder: str | None = None


Source = Literal["page", "feed"]
"""Where the text of a post comes from: its page, or its entry in the feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPost:
    """A post as a feed has it: its entry, and the capture of the feed that contains it."""

    address: str
    """URL of the post: its page, or the address that it has in the archive for want of one."""
    entry: Entry
    record: str
    """WARC-Record-ID of the feed's capture."""
    at: datetime
    """When the feed was captured; aware, UTC."""
    base: str
    """URL against which links in the entry are resolved."""
    own: str | None = None
    """The address that it has in the archive if its page turns out to be somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A post's page to fetch."""

    url: str
    feed_id: int | None
    kept: bool
    """Whether it is archived."""
    etag: str | None = None
    last_modified: str | None = None
    failures: int = 0
    read: datetime | None = None
    """The last recorded visit, or since when it is to be fetched; a later capture has not been processed yet.
    None for a page that was found just now."""
    entry: Entry | None = None
    """The entry in the feed, without its markup."""
    checks: int = 0
    """Visits since it was first archived."""
    alive: datetime | None = None
    """When the post was last seen there; None if it is not archived, or not known."""
    alive_record: str | None = None
    """WARC-Record-ID of that capture."""
    backfill: bool = False
    """Whether it was found in a listing, not in the feed."""
    validated: str | None = None
    """WARC-Record-ID of the response whose validators these are."""
    source: Source | None = None
    """Where the post's text comes from; None if there is none yet."""
    verdict: str | None = None
    """Why its page was not the post at the last visit; a kind of `archive.extract.verdict`."""
    shared: bool = False
    """Whether several posts link to it."""
    looks: int = 0
    """Visits within the hour since `looks_since` that new or changed entries caused."""
    looks_since: datetime | None = None
    titles: frozenset[str] | None = None
    """Titles of the entries that link to it, as far as they are known; None: not asked."""
    moved_from: str | None = None
    """Its URL before, if its entry has kept its id and changed its link."""
    post: FeedPost | None = None
    """Its entry in the feed, if that can give the text."""
    posts: tuple[FeedPost, ...] = ()
    """Posts with addresses of their own that link to this page."""
    news: bool = False
    """Whether an entry is new or has changed, so that its words are not archived yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that the operator should know."""

    kind: str
    detail: str
    """One line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEntry:
    """An entry of a feed as the frontier stores it."""

    key: str
    id: str | None
    digest: str
    url: str | None
    """URL of its page; None for an entry without a link."""
    entry: Entry
    fetch: bool
    """Whether to fetch its page."""
    address: str | None = None
    """The post's own address, if it has no page, or shares it with others."""
    later: datetime | None = None
    """When to fetch its page, if it was fetched often enough within the hour; None: now."""
    known: bool = False
    """Whether the entry was seen before and has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Under:
    """The claim under which something was visited."""

    shard: int
    epoch: int
    """Number of the claim; another holder of the shard has a higher one."""


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
    """None keeps the known value."""
    site: str | None = None
    """None keeps the known value."""
    rhythm: timedelta | None = None
    """None keeps the known value."""
    moved_to: str | None = None
    moved_since: datetime | None = None
    moved_times: int = 0
    url: str | None = None
    """New URL of the feed; None keeps the old one."""
    whole: datetime | None = None
    """None keeps the known value."""
    shown: int | None = None
    """None keeps the known value."""
    media: str | None = None
    """None keeps the known value."""
    news: datetime | None = None
    """None keeps the known value."""
    hub: str | None = None
    """Stored if `whole` is given."""
    topic: str | None = None
    fresh: timedelta | None = None
    every: timedelta | None = None
    """Stored if `shown` is given."""
    skips: str | None = None
    """Stored if `shown` is given."""
    entries: tuple[SeenEntry, ...] = ()
    judged: tuple[str, ...] = ()
    """Kinds of alarms that this visit decides; those not among `alarms` end."""
    alarms: tuple[Alarm, ...] = ()
    gap: bool = False
    """Whether entries may have come and gone between the last successful visit and this one."""
    validated: str | None = None
    """WARC-Record-ID of the response whose validators these are."""
    record: str | None = None
    """WARC-Record-ID of the capture that contains the entries."""
    window: timedelta | None = None
    """None keeps the known value."""
    restless: bool | None = None
    """None keeps the known value."""
    texts: tuple[tuple[str, Source], ...] = ()
    """Posts with addresses of their own that have a text with this visit, and where it comes from."""
    shows: tuple[str, ...] | None = None
    """Keys of the document's entries, in its order; None: not known, or there are too many to follow."""
    under: Under | None = None
    """None: not known, as in notes of earlier versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageVisit:
    """What a visit of a post's page changes."""

    url: str
    feed_id: int | None
    at: datetime
    due: datetime | None
    """When to fetch it again; None: not automatically."""
    kept: bool
    status: int | None
    error: str | None
    failures: int
    etag: str | None
    last_modified: str | None
    checks: int = 0
    record: str | None = None
    """WARC-Record-ID of the capture that shows the page; None if there was no response."""
    gone: Gone | None = None
    """Why an archived post is no longer there."""
    validated: str | None = None
    """WARC-Record-ID of the response whose validators these are."""
    source: Source | None = None
    """Where the text comes from that this visit gave the post; None: it gave none."""
    verdict: str | None = None
    """Why the page is not the post."""
    texts: tuple[tuple[str, Source], ...] = ()
    """Posts with addresses of their own that this visit gave a text, and where it comes from."""
    aliases: tuple[Alias, ...] = ()
    """Evidence that the page has several addresses."""
    under: Under | None = None
    """None: not known, as in notes of earlier versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Which due feeds or pages a run wants, and how it claims their hosts."""

    now: datetime
    holder: str
    lasts: timedelta = timedelta(minutes=10)
    """How long the claim lasts if the run dies, by the database's clock."""
    part: Shard | None = None
    feed_ids: tuple[int, ...] | None = None
    """Only these feeds."""
    force: bool = False
    """Also feeds that are not due."""
    held: bool | None = None
    """Only archived pages, only others, or (None) both."""
    backfill: bool | None = None
    """Of pages not archived: only those found in listings, only those found in feeds, or (None) both."""
    budget: int | None = None
    """Maximum number of archived pages of one host within a day; None: all that are due."""
    held_only: bool = False
    """Only on hosts that the run has already claimed."""
    without: tuple[int, ...] = ()
    """Shard numbers of domains of which no pages are wanted except archived ones."""


Missing = Literal["gone", "home", "login", "soft-404", "unlisted", "blog"]
"""As `Gone`; taken out of its feed while older posts stayed in it; its whole blog is away."""
Gone = Literal["gone", "home", "login", "soft-404"]
"""404, 410 or 451; a redirect to the front page; a login wall; an error page with status 200 (soft 404)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A document that lists posts of a blog beyond its feed: an archive of the feed, a sitemap, a page of links."""

    feed_id: int
    url: str
    kind: str
    number: int
    """Depth: how many listings led to it."""
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingVisit:
    """What a visit of a listing changes."""

    feed_id: int
    url: str
    kind: str
    number: int
    """Depth: how many listings led to it."""
    at: datetime
    status: int | None
    error: str | None
    failures: int
    done: bool
    """Whether it need not be visited again in this backfill."""
    total: int | None = None
    """Number of posts that the site states."""
    found: int = 0
    """Number of posts in it that no earlier listing had."""
    listed: int = 0
    """Number of URLs in it."""
    aside: int = 0
    """Number of pages in it that no earlier listing had and that are not taken, for the shape of their URLs."""
    elsewhere: int = 0
    """Number of URLs in it that belong to other sites."""
    unread: int = 0
    """Number of listings that it links to but that are not read."""
    entries: tuple[SeenEntry, ...] = ()
    """Those of these posts that are not known."""
    more: tuple[Listing, ...] = ()
    """Listings that this one links to."""
    record: str | None = None
    """WARC-Record-ID of the capture that contains the entries."""
    under: Under | None = None
    """None: not known, as in notes of earlier versions."""


Visit = FeedVisit | PageVisit | ListingVisit


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of all hosts: part `index` of `count`."""

    index: int
    count: int

    def holds(self, number: int) -> bool:
        """Whether a host with that shard number is in this part."""
        return number % self.count == self.index

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse `3/16`: counted from 1, with 0/16 as another name for 16/16.

        Raises:
            ValueError: The text does not have that form.
        """
        index, slash, count = text.partition("/")
        numbers = index.isdecimal() and count.isdecimal() and len(text) < 20  # noqa: PLR2004  no number is that long
        if not slash or not numbers or not 0 <= int(index) <= int(count) <= SHARDS or not int(count):
            raise ValueError(f"shard {text!r} is not of the form 3/16")
        return cls(int(index) % int(count), int(count))

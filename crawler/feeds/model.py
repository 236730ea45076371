"""Feeds and entries as returned by the parser of each dialect. Pure values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.feeds import identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file attached to an entry, such as a podcast episode."""

    url: str
    type: str | None = None
    length: str | None = None
    """As the feed states it, in bytes; not checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry (an RSS item) of a feed."""

    id: str | None = None
    """guid, atom:id, JSON id or rdf:about, verbatim without surrounding white space."""
    link: str | None = None
    """URL of the post's page, absolute where the feed's own URL is known."""
    original: str | None = None
    """The page itself, if `link` goes through a tracking service (FeedBurner, Pheedo)."""
    related: str | None = None
    """The entry's `related` link: link blogs, whose `link` is an external page, may state their own page here."""
    license: str | None = None
    """Absolute URL of its licence: a `license` link (RFC 4946) or the element of Creative Commons; else the feed's."""
    title: str | None = None
    """Markup, not sanitised; `plain` gives its words."""
    author: str | None = None
    """Names, joined by `, `."""
    is_shared_author: bool = False
    """Whether `author` is the one of an RSS channel, which need not have written each of its items."""
    summary: str | None = None
    """Markup, not sanitised."""
    content: str | None = None
    """Markup, not sanitised; None if the feed has at most a summary."""
    published: datetime | None = None
    """Aware, UTC; None if absent or unreadable."""
    updated: datetime | None = None
    """Aware, UTC; None if absent or unreadable."""
    published_raw: str | None = None
    """The date of publication as the feed writes it."""
    updated_raw: str | None = None
    """The date of the last change as the feed writes it."""
    tags: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    words: str | None = None
    """`plain` of the title, if already computed."""
    essence: str | None = None
    """`digest`, if already computed."""
    listed: bool = False
    """Whether it is only an address in a listing: its date of change says nothing about its publication."""

    @property
    def page(self) -> str | None:
        """URL of the post's page, without a detour through a tracking service."""
        return self.original or self.link

    @property
    def named_by(self) -> str | None:
        """What `key` is derived from: `id`, `link` or `content`; None if the entry is empty."""
        rungs = {"id": self.id, "link": self.link, "content": self._beginning}
        return next((rung for rung, value in rungs.items() if value), None)

    @property
    def key(self) -> str | None:
        """SHA-256 of what identifies this entry within its feed; None if the entry is empty.

        That is its id, else its link, else its title, date of publication and the beginning of its text.
        """
        known = self.id or self.link or self._beginning
        return identity.key(known) if known else None

    @property
    def _beginning(self) -> str | None:
        return identity.beginning(title=self.title, published=self.published, text=self.content or self.summary)

    @property
    def digest(self) -> str:
        """Hashes of what the feed contains of this post; different ones mean that it was edited, or looks like it."""
        if self.essence is not None:
            return self.essence
        return identity.digest(
            link=self.link, title=self.title, summary=self.summary, content=self.content, updated=self.updated
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedInfo:
    """What a feed states about itself."""

    title: str | None = None
    """Markup, not sanitised; `plain` gives its words."""
    link: str | None = None
    id: str | None = None
    subtitle: str | None = None
    author: str | None = None
    language: str | None = None
    updated: datetime | None = None
    every: timedelta | None = None
    """Shortest time between two visits: `ttl`, or `sy:updatePeriod` with `sy:updateFrequency`."""
    skip_hours: frozenset[int] = frozenset()
    """Hours of the day (GMT) without news."""
    skip_days: frozenset[str] = frozenset()
    """Days without news, by their English names."""
    self_link: str | None = None
    """Its own URL as it states it: a hint, never requested in place of the subscription's own."""
    hub: str | None = None
    """The WebSub hub that it declares."""
    prev_archive: str | None = None
    """Document of older entries that no longer changes (RFC 5005 §4)."""
    next_page: str | None = None
    """Document of older entries: RFC 5005 `next`, JSON Feed `next_url`."""
    is_all: bool = False
    """Whether it contains every entry of the blog: a complete feed (RFC 5005 §2)."""
    total: int | None = None
    """Number of entries as stated (OpenSearch)."""
    generator: str | None = None
    """The software that made it, as stated."""
    words: str | None = None
    """`plain` of the title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed document."""

    feed: FeedInfo
    entries: tuple[FeedEntry, ...]
    """In document order; at most FEED_ENTRIES, the newest."""
    complete: bool = True
    """Whether the document is not truncated. A truncated entry is not among `entries`."""
    left_out: int = 0
    """Number of entries beyond FEED_ENTRIES."""

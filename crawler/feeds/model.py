"""Feeds and entries as every dialect's parser gives them. Pure values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.feeds import identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that goes with an entry."""

    url: str
    type: str | None = None
    length: str | None = None
    """As the feed states it, in bytes; not checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry (an RSS item) of a feed."""

    id: str | None = None
    """guid, atom:id, JSON id or rdf:about, verbatim except for surrounding white space."""
    link: str | None = None
    """URL of the post's page, absolute where the feed's own URL is known."""
    original: str | None = None
    """The page itself, where `link` goes through a service that counts readers (FeedBurner, Pheedo)."""
    related: str | None = None
    """The entry's `related` link: a link blog, whose `link` is the page it found, gives its own page here."""
    title: str | None = None
    """Markup, not sanitised; `plain` gives its words."""
    author: str | None = None
    """Several names are joined by `, `."""
    summary: str | None = None
    """Markup, not sanitised."""
    content: str | None = None
    """Markup, not sanitised; None if the feed gives a summary at most."""
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
    """`plain` of the title, where it was made with the rest."""
    essence: str | None = None
    """`digest`, where it was made with the rest."""

    @property
    def page(self) -> str | None:
        """URL of the post's page, without a detour through a service that counts readers."""
        return self.original or self.link

    @property
    def named_by(self) -> str | None:
        """What `key` was made of: `id`, `link` or `content`; None if the entry is empty."""
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
        """SHA-256 of what the feed publishes of this post; a different one means that the post was edited."""
        if self.essence is not None:
            return self.essence
        return identity.digest(
            link=self.link, title=self.title, summary=self.summary, content=self.content, updated=self.updated
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedInfo:
    """What a feed says about itself."""

    title: str | None = None
    """Markup, not sanitised; `plain` gives its words."""
    link: str | None = None
    id: str | None = None
    subtitle: str | None = None
    author: str | None = None
    language: str | None = None
    updated: datetime | None = None
    every: timedelta | None = None
    """Shortest time between two visits that it asks for: `ttl`, `sy:updatePeriod` with `sy:updateFrequency`."""
    skip_hours: frozenset[int] = frozenset()
    """Hours of the day (GMT) in which it has no news."""
    skip_days: frozenset[str] = frozenset()
    """English names of days on which it has no news."""
    self_link: str | None = None
    """The URL it gives for itself: a hint, never requested in place of the subscription's own."""
    hub: str | None = None
    """The WebSub hub that it names."""
    prev_archive: str | None = None
    """Document of older entries that no longer changes (RFC 5005 §4)."""
    next_page: str | None = None
    """Document of older entries: RFC 5005 `next`, JSON Feed `next_url`."""
    is_all: bool = False
    """It contains every entry there is (RFC 5005 §2)."""
    total: int | None = None
    """Number of entries that it states (OpenSearch)."""
    generator: str | None = None
    """The software that made it, as it states."""
    words: str | None = None
    """`plain` of the title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed document."""

    feed: FeedInfo
    entries: tuple[FeedEntry, ...]
    """In document order; at most FEED_ENTRIES, the newest."""
    complete: bool = True
    """The document arrived whole: it ends where a feed ends. A truncated entry is not among `entries`."""
    left_out: int = 0
    """Number of entries beyond FEED_ENTRIES."""

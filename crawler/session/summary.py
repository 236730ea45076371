"""What a crawl did, counted for the person who started it. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from archive.writer.batch import Sealed
from crawler.model.visits import FeedVisit, PageVisit


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOutcome:
    """A visit of a page, and what the summary needs to know of it."""

    visit: PageVisit
    known: bool
    """The page was archived before."""
    kind: str
    """Kind of its capture; empty if there is none."""
    same_text: bool
    """The post's own words are as they were."""


@dataclass(slots=True)
class Summary:
    """What a run did; posts count when they are committed."""

    feeds: int = 0
    """Feeds visited."""
    unchanged: int = 0
    """Of these, answered 304."""
    failed_feeds: int = 0
    posts: int = 0
    """Pages kept that were not archived before."""
    changed: int = 0
    """Pages archived before of which another payload was kept."""
    same: int = 0
    """Pages requested again that were as before."""
    same_text: int = 0
    """Pages with another payload in which the post's own words are as before."""
    failed: int = 0
    """Pages that could not be fetched."""
    vanished: int = 0
    """Pages archived before that are no longer there."""
    listings: int = 0
    """Listings of older posts read."""
    texts: int = 0
    captures: int = 0
    bytes: int = 0
    """Of the objects put into the store."""
    objects: list[str] = field(default_factory=list)
    put_off: set[str] = field(default_factory=set)
    """Registrable domains that have more new pages than one run fetches."""
    expected: int = 0
    """Pages requested so far."""
    done: int = 0
    """Pages answered so far, committed or not."""

    def count(self, sealed: Sealed, feeds: Sequence[FeedVisit], pages: Iterable[PageOutcome]) -> None:
        """Add a batch that was committed."""
        self.objects += [row.key for row, _ in sealed.files]
        self.bytes += sum(row.length for row, _ in sealed.files)
        self.captures += len(sealed.captures)
        self.texts += len(sealed.texts)
        self.feeds += len(feeds)
        self.unchanged += sum(visit.status == HTTPStatus.NOT_MODIFIED for visit in feeds)
        self.failed_feeds += sum(visit.error is not None for visit in feeds)
        for page in pages:
            name = _outcome(page)
            setattr(self, name, getattr(self, name) + 1)

    def line(self) -> str:
        """What was kept, in one line."""
        parts = [f"kept {_count(self.posts, 'new post')}"]
        if self.changed:
            parts.append(f"{self.changed} changed")
        if self.same_text:
            parts.append(f"{self.same_text} with the same text in other bytes")
        if self.same:
            parts.append(f"{self.same} unchanged")
        if self.vanished:
            parts.append(f"{self.vanished} no longer there")
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.put_off:
            parts.append(f"more from {_count(len(self.put_off), 'site')} left for the next crawl")
        visits = _count(self.feeds, "feed") + " visited"
        if self.unchanged:
            visits += f" ({self.unchanged} not modified)"
        if self.failed_feeds:
            visits += f" ({self.failed_feeds} failed)"
        size = f"{_count(self.captures, 'capture')}, {_count(self.texts, 'text')}, {self.bytes:,} bytes stored"
        return f"{', '.join(parts)}; {visits}; {size}"


def _outcome(page: PageOutcome) -> str:
    """The field of a summary that a visit counts to."""
    if page.visit.gone and page.known:
        return "vanished"
    if not page.visit.kept:
        return "failed"
    if not page.known:
        return "posts"
    if page.kind == "response":
        return "same_text" if page.same_text else "changed"
    return "same"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")

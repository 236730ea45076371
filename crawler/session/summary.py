"""Summary of a crawl: counts for the person who started it. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from archive.warc.page_identity import page_key
from archive.writer.batch import Sealed
from crawler.model.visits import FeedVisit, PageVisit


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOutcome:
    """What the summary counts of a visit of a page."""

    visit: PageVisit
    known: bool
    """Whether the page was archived before."""
    kind: str
    """Kind of its capture; empty if there is no capture."""
    same_text: bool
    """Whether the post's own words are unchanged."""
    had_text: bool = False
    """Whether the post had a text before."""


@dataclass(slots=True)
class Named:
    """A post or feed that a person named, and what a visit of it brought; complete once it is committed."""

    url: str
    """As the person gave it."""
    key: str | None = None
    """`page_key` of the post."""
    feed_id: int | None = None
    page: PageOutcome | None = None
    feed: FeedVisit | None = None
    feed_url: str | None = None
    """The feed of a page that was saved; None if none was found."""
    subscribed: bool = False
    """Whether that feed is subscribed to."""

    @property
    def outcome(self) -> str:
        """`archived`, `changed`, `unchanged`, `gone`, `refused` or `failed`; `visited` is for feeds with a document."""
        if self.page is not None:
            answered = self.page.visit.status in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}
            found = _OUTCOMES.get(_outcome(self.page), "failed")
            return "failed" if found == "refused" and not answered else found
        if self.feed is None or self.feed.error is not None:
            return "failed"
        return "unchanged" if self.feed.status == HTTPStatus.NOT_MODIFIED else "visited"

    @property
    def visit(self) -> PageVisit | FeedVisit | None:
        """What the visit changed; None if there was none."""
        return self.page.visit if self.page is not None else self.feed

    @property
    def new_posts(self) -> int:
        """Number of posts of the feed that are new or have changed."""
        return sum(entry.fetch for entry in self.feed.entries) if self.feed is not None else 0


_OUTCOMES = {
    "posts": "archived", "changed": "changed", "same_text": "unchanged", "same": "unchanged", "vanished": "gone",
    "refused": "refused",
}  # fmt: skip
"""Fields of the summary, and what they mean for one page."""


@dataclass(slots=True)
class Summary:
    """Counts of a run; posts are counted when committed."""

    feeds: int = 0
    """Feeds visited."""
    unchanged: int = 0
    """Feeds that answered 304."""
    failed_feeds: int = 0
    posts: int = 0
    """Posts archived for the first time."""
    from_feed: int = 0
    """Those of them that have their text from the feed."""
    refused: int = 0
    """Pages that were answered with something else than the post: a wall, an empty shell, a refusal."""
    changed: int = 0
    """Posts archived before, of which something different was archived."""
    same: int = 0
    """Pages requested again with the same payload."""
    same_text: int = 0
    """Pages with a different payload in which the post's own words are unchanged."""
    failed: int = 0
    """Pages that could not be fetched."""
    vanished: int = 0
    """Pages archived before whose posts are gone."""
    late: int = 0
    """Visits that changed nothing, since other runs had taken over their hosts or knew something newer."""
    listings: int = 0
    """Listings of older posts read."""
    texts: int = 0
    captures: int = 0
    bytes: int = 0
    """Bytes of the objects put into the store."""
    objects: list[str] = field(default_factory=list)
    put_off: set[str] = field(default_factory=set)
    """Registrable domains with more new pages than their budget for one run."""
    left: Mapping[str, int] = field(default_factory=dict)
    """What is due after a run whose time was used up, by kind of thing."""
    slow: set[str] = field(default_factory=set)
    """Registrable domains that have used up the time for which one run waits for them."""
    expected: int = 0
    """Pages requested so far."""
    done: int = 0
    """Pages answered so far, committed or not."""
    named: list[Named] = field(default_factory=list)
    """What a person named, in that order."""

    def count(self, sealed: Sealed, feeds: Sequence[FeedVisit], pages: Iterable[PageOutcome]) -> None:
        """Count a committed batch."""
        self.objects += [row.key for row, _ in sealed.files]
        self.bytes += sum(row.length for row, _ in sealed.files)
        self.captures += len(sealed.captures)
        self.texts += len(sealed.texts)
        self.feeds += len(feeds)
        self.unchanged += sum(visit.status == HTTPStatus.NOT_MODIFIED for visit in feeds)
        self.failed_feeds += sum(visit.error is not None for visit in feeds)
        new = 0
        for visit in feeds:
            written = dict(visit.texts)
            new += sum(one.address in written and not one.known for one in visit.entries)
        self.posts += new
        self.from_feed += new
        for page in pages:
            name = _outcome(page)
            setattr(self, name, getattr(self, name) + 1)
            for one in self.named:
                if one.key == page_key(page.visit.url):
                    one.page = page
            new = 0 if page.known else len(page.visit.texts)
            if page.visit.source == "feed" and not page.had_text:
                self.from_feed += 1
                new += name != "posts"
            self.posts += new
        for one in self.named:
            one.feed = next((visit for visit in feeds if visit.feed_id == one.feed_id), one.feed)

    def line(self) -> str:
        """What was archived, in one line."""
        parts = [f"kept {_count(self.posts, 'new post')}"]
        if self.from_feed:
            parts[0] += f" ({self.from_feed} in the feed's words)"
        counted = (
            (self.changed, "changed"),
            (self.same_text, "with the same text in other bytes"),
            (self.same, "unchanged"),
            (self.vanished, "no longer there"),
            (self.refused, f"page{'' if self.refused == 1 else 's'} without the post"),
            (self.failed, "failed"),
            (self.late, f"visit{'' if self.late == 1 else 's'} too late to count"),
        )
        parts += [f"{number} {what}" for number, what in counted if number]
        if self.put_off:
            parts.append(f"more from {_count(len(self.put_off), 'site')} left for the next crawl")
        if self.slow:
            parts.append(f"the rest of {_count(len(self.slow), 'slow site')} left for the next crawl")
        visits = _count(self.feeds, "feed") + " visited"
        if self.unchanged:
            visits += f" ({self.unchanged} not modified)"
        if self.failed_feeds:
            visits += f" ({self.failed_feeds} failed)"
        size = f"{_count(self.captures, 'capture')}, {_count(self.texts, 'text')}, {self.bytes:,} bytes stored"
        return f"{', '.join(parts)}; {visits}; {size}{self.left_line('; ')}"

    def left_line(self, before: str = "") -> str:
        """What the run has left for the next one; empty if it was nothing."""
        left = " and ".join(_count(number, thing) for thing, number in self.left.items() if number)
        return f"{before}its time is used up, {left} left for the next run" if left else ""


def _outcome(page: PageOutcome) -> str:
    """The field of the summary in which a visit is counted."""
    if page.visit.gone and page.known:
        return "vanished"
    if not page.visit.kept:
        return "refused" if page.visit.verdict and page.visit.status == HTTPStatus.OK else "failed"
    if not page.known:
        return "changed" if page.had_text else "posts"
    if page.kind == "response":
        return "same_text" if page.same_text else "changed"
    return "same"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")

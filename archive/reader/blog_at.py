"""A blog as it was at an instant: the posts that were there, in the versions that held, and what is known of others.

What is said of a past instant is what had been looked at by then: a version holds from when it was first seen until
another one was, and a post is there until it was found gone.
"""

from __future__ import annotations

import heapq
import itertools
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from archive.errors import DamagedError, NotArchivedError, ObjectMissingError
from archive.extract.text import Text
from archive.index import at_time
from archive.index.at_time import Evidence, Listed, Place
from archive.index.from_records import HeldText
from archive.index.schema import CaptureRow
from archive.index.versions import Version, versions
from archive.reader.named_in import named_in
from archive.reader.reader import Reader
from archive.reader.vanished import Vanished
from archive.warc.page_identity import page_key, post_key

log = logging.getLogger(__name__)

AT_ONCE = 200
"""Posts that are asked for at once."""
_FEEDS_TRIED = 5
"""Feeds named by a page of which a capture is looked for."""
Ask = Callable[..., list[Listed]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a list of posts."""

    posts: tuple[Listed, ...]
    following: Place | None
    """Where the next part begins; None at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPost:
    """A post as it was at an instant."""

    listed: Listed
    version: Version
    """The version that held."""
    looked: datetime
    """When the post was last looked at by then."""
    same: datetime | None
    """When a visit after that instant found it as it was; None if there was none before the next version."""
    text: HeldText | None
    """None if it cannot be read."""
    damage: str
    """Why it cannot be read; empty if it can."""

    @property
    def url(self) -> str:
        """Address of the post in this version."""
        return self.version.text.url

    @property
    def stated(self) -> Text | None:
        """The text with its facts; None if it cannot be read."""
        return self.text.as_text() if self.text else None


def last_of(moment: datetime) -> datetime:
    """The last microsecond of a second that is meant as a whole; a moment with a fraction is meant exactly."""
    return moment if moment.microsecond else moment.replace(microsecond=999_999)


class BlogAt:
    """A blog as it was at an instant."""

    def __init__(self, reader: Reader, hosts: Sequence[str], until: datetime) -> None:
        """Nothing is read yet.

        Args:
            reader: Reads the archive.
            hosts: The hosts of the blog, as `hosts_of` returns them.
            until: The last instant that counts; aware, UTC.
        """
        self.host = hosts[0]
        self.until = until
        self._reader = reader
        self._index = reader.index
        self._hosts = tuple(hosts)

    @property
    def moment(self) -> datetime:
        """The instant, to the second."""
        return self.until.replace(microsecond=0)

    def listed(self, limit: int, after: Place | None = None) -> Part:
        """The posts that were there, newest date first; not those that had been found gone."""
        return _part(self._there(after, limit), limit)

    def seen_later(self, limit: int, after: Place | None = None) -> Part:
        """The posts that are dated by the instant, but were first seen after it, newest date first."""
        return _part(self._merged(at_time.seen_later, after, limit), limit)

    def every(self) -> Iterator[Listed]:
        """All of `listed`."""
        return self._there(None, AT_ONCE)

    def every_seen_later(self) -> Iterator[Listed]:
        """All of `seen_later`."""
        return self._merged(at_time.seen_later, None, AT_ONCE)

    def period(self) -> tuple[datetime | None, datetime | None]:
        """When the archive first saw a post of the blog, and when it last saw something new by the instant."""
        return at_time.period(self._index, self._hosts, self.until)

    def posts(self, listed: Sequence[Listed]) -> list[HeldPost]:
        """Listed posts as they were, each with its text; one whose captures the archive does not have is left out."""
        shown = at_time.evidence(self._index, [one.page for one in listed], self.until)
        found = [(one, held) for one in listed if (held := _held(shown.get(one.page)))]
        if len(found) < len(listed):
            log.warning("posts without captures host=%s posts=%d", self.host, len(listed) - len(found))
        return [self._read(one, shown[one.page], version) for one, version in found]

    def post(self, url: str) -> HeldPost:
        """A post of the blog as it was.

        Raises:
            NotArchivedError: It was not there, or not seen yet, or is no post of this blog.
        """
        for page in dict.fromkeys((post_key(url), page_key(url))):
            keys = self._index.addresses([page]).get(page, (page,))
            for root in at_time.among(self._index, keys, self._hosts, self.until):
                evidence = at_time.evidence(self._index, [root], self.until).get(root)
                version = _held(evidence)
                if evidence is None or version is None:
                    continue
                gone = self._reader.missing_of([version.text.url], self.until).get(version.text.url)
                if gone:
                    raise NotArchivedError(url, what="no post that was there at that time", hint=f"It {_told(gone)}.")
                return self._read(_as_listed(root, version), evidence, version)
        seen = f"{self.until:%Y-%m-%d %H:%M:%S} UTC"
        raise NotArchivedError(url, what=f"no post of {self.host} that had been seen by {seen}")

    def known(self, urls: Collection[str]) -> dict[str, str]:
        """Those of some URLs that lead to posts that were held, each with the key of the post."""
        keys = {url: tuple(dict.fromkeys((post_key(url), page_key(url)))) for url in urls}
        joined = self._index.addresses({key for some in keys.values() for key in some})
        every = {url: [one for key in some for one in joined.get(key, (key,))] for url, some in keys.items()}
        held = at_time.among(self._index, {key for some in every.values() for key in some}, self._hosts, self.until)
        led = {url: next((key for key in some if key in held), None) for url, some in every.items()}
        return {url: key for url, key in led.items() if key is not None}

    def front(self) -> CaptureRow | None:
        """The capture of the front page nearest to the instant; None if there is none."""
        return self._capture(f"https://{self.host}/")  # redirects from http to it do not count

    def feed(self, pages: Iterable[CaptureRow | None]) -> CaptureRow | None:
        """The capture nearest to the instant of the blog's feed; None if none is held, or no page names it.

        Args:
            pages: Captures of pages that name the feed, the likeliest first.

        Raises:
            TaskError: A page passed a limit.
        """
        from archive.extract.named_feeds import named_feeds

        for page in pages:
            for url in named_in(self._reader, page, named_feeds)[:_FEEDS_TRIED] if page else ():
                found = self._capture(url)
                if found is not None and "html" not in found.mime:
                    return found
        return None

    def _capture(self, url: str) -> CaptureRow | None:
        try:
            found = self._reader.find(url, self.until)
        except NotArchivedError:
            return None
        return found if found.status < HTTPStatus.BAD_REQUEST else None

    def _merged(self, ask: Ask, after: Place | None, size: int) -> Iterator[Listed]:
        """A list of all hosts in one order."""
        return heapq.merge(
            *(self._of_host(ask, host, after, size + 1) for host in self._hosts),
            key=lambda one: (one.dated, one.number),
            reverse=True,
        )

    def _of_host(self, ask: Ask, host: str, after: Place | None, size: int) -> Iterator[Listed]:
        while found := ask(self._index, host, self.until, limit=size, after=after):
            yield from found
            if len(found) < size:
                return
            after, size = found[-1].place, max(size, AT_ONCE)

    def _there(self, after: Place | None, size: int) -> Iterator[Listed]:
        """The posts that had not been found gone."""
        every = self._merged(at_time.held, after, size)
        sizes = itertools.chain((size + 1,), itertools.repeat(AT_ONCE))  # all but few may be gone
        while some := list(itertools.islice(every, next(sizes))):
            gone = self._reader.missing_of([one.url for one in some], self.until)
            yield from (one for one in some if one.url not in gone)

    def _read(self, listed: Listed, evidence: Evidence, version: Version) -> HeldPost:
        text, damage = None, ""
        try:
            text = self._reader.read_text(version.text)
        except (DamagedError, ObjectMissingError) as e:
            damage = str(e)
        later = [row.last for row in version.captures if row.last is not None and row.last > self.until]
        looked = [row.date if row.seen > self.until else row.seen for row in evidence.captures]
        return HeldPost(
            listed=listed,
            version=version,
            looked=max(looked),
            same=max(later, default=None),
            text=text,
            damage=damage,
        )


def _told(gone: Vanished) -> str:
    """What is known of a post that was not there, after `It`."""
    return gone.line() if gone.back else f"is {gone.line()}"


def _held(evidence: Evidence | None) -> Version | None:
    """The version that held: the last of those seen."""
    found = versions(evidence.captures, evidence.texts) if evidence else []
    return found[-1] if found else None


def _as_listed(page: str, version: Version) -> Listed:
    text = version.text
    return Listed(page=page, url=text.url, title=text.title, author=None, dated=text.date, seen=version.first, number=0)


def _part(found: Iterator[Listed], limit: int) -> Part:
    posts = tuple(itertools.islice(found, limit + 1))
    return Part(posts=posts[:limit], following=posts[limit - 1].place if len(posts) > limit else None)

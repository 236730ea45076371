"""Where the post of a feed's entry is: on a page of its own, on a shared one, or only in the feed. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from archive.limits import URL_CHARACTERS
from archive.warc.page_identity import is_front, page_key, same_page, without_fragment
from crawler.feeds.model import FeedEntry
from crawler.model.url_identity import host_of, is_address, registrable_domain
from crawler.model.visits import SeenEntry

_RECORDINGS = frozenset({".mp3", ".m4a", ".ogg", ".oga", ".opus", ".wav", ".flac", ".mp4", ".m4v", ".mov", ".webm"})
"""Files that are no pages: a podcast whose entries link to the recording."""
_ID_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the post of an entry is."""

    page: str | None = None
    """URL of its page, as it is requested; None if it has none."""
    address: str | None = None
    """Its own address, if it has no page or shares it with other posts; None: the page's."""


def page_url(entry: FeedEntry, own: Collection[str] = ()) -> str | None:
    """URL of the page of an entry's post, if it has one that can be fetched.

    The link of a link blog's entry is somebody else's page. If the entry names a page on the blog's own domain too, as
    its `related` link or its id, that is the post.

    Args:
        entry: The entry.
        own: Registrable domains of the blog.
    """
    link = _fetchable(entry.page)
    if own and (link is None or _domain(link) not in own):
        for other in (entry.related, entry.id):
            candidate = _fetchable(other)
            if candidate and _domain(candidate) in own and not is_front(candidate):
                return candidate
    if link is None or is_front(link) or _is_recording(link, entry):
        return None
    return link


def own_domains(*urls: str | None) -> frozenset[str]:
    """Registrable domains of a blog, from the URLs of its feed and of its site."""
    return frozenset(_domain(url) for url in urls if url and host_of(url))


def places(entries: Sequence[FeedEntry], keys: Sequence[str | None], *, feed: str, own: Collection[str]) -> list[Place]:
    """The places of the entries of one document, with addresses for posts that share a page or have none.

    Args:
        entries: Of one document.
        keys: What identifies each of them; None for an empty one.
        feed: URL of the feed.
        own: Registrable domains of the blog.
    """
    pages = [page_url(entry, own) for entry in entries]
    sharing: dict[str, set[tuple[str, str]]] = {}
    for entry, page in zip(entries, pages, strict=True):
        if page:
            sharing.setdefault(page_key(page), set()).add((entry.words or entry.title or "", entry.content or ""))
    found = []
    for entry, key, page in zip(entries, keys, pages, strict=True):
        if page and len(sharing[page_key(page)]) == 1:
            found.append(Place(page=page))
        else:
            found.append(Place(page=page, address=own_address(entry, key, page, feed=feed) if key else None))
    return found


def own_address(entry: FeedEntry, key: str, page: str | None, *, feed: str) -> str:
    """The stable address of a post without a page of its own: the anchor that it links to, else its id in the feed."""
    fragment = (entry.page or "").partition("#")[2]
    if page and fragment:
        return f"{page}#{fragment[:_ID_CHARACTERS]}"
    return _in_feed(feed, entry.id, key)


def own_address_of(seen: SeenEntry, *, feed: str) -> str:
    """The address in its feed of a post whose page turns out to be somebody else's."""
    return _in_feed(feed, seen.id, seen.key)


def _in_feed(feed: str, known: str | None, key: str) -> str:
    named = known if known and len(known) <= _ID_CHARACTERS else key
    return f"{without_fragment(feed)}#{quote(named, safe=':/@!$()*,;.-_~')}"


def _fetchable(url: str | None) -> str | None:
    return without_fragment(url) if url and len(url) <= URL_CHARACTERS and is_address(url) else None


def _domain(url: str) -> str:
    return registrable_domain(host_of(url))


def _is_recording(url: str, entry: FeedEntry) -> bool:
    """Whether a link leads to a recording rather than to a page about it."""
    if any(same_page(one.url, url) for one in entry.enclosures):
        return True
    return PurePosixPath(urlsplit(url).path.lower()).suffix in _RECORDINGS

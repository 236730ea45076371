"""Which blog somebody means: the hosts of its posts."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice

from archive.errors import NotArchivedError
from archive.index import at_time
from archive.index.from_records import host_of
from archive.reader.named_in import named_in
from archive.reader.reader import Reader
from archive.warc.pasted_url import readings

_SITES_TRIED = 5
"""Sites named by a feed of which posts are looked for."""
_WWW = "www."
_IN_NO_HOST = frozenset(" /?#@")


def hosts_of(reader: Reader, written: str) -> tuple[str, ...]:
    """The hosts of the blog that somebody named, by a host, or by the URL of the blog or of its feed.

    With and without `www.` it is one blog. If the archive has no post there, an archived redirect is followed, and a
    feed leads to the posts whose words came from it, or to the site that it names.

    Raises:
        ValueError: It is neither a host nor a URL.
        NotArchivedError: The archive has no post of it.
        TaskError: The document at the URL passed a limit.
    """
    host = written.strip().lower().removesuffix("/")
    urls: list[str] = []
    try:
        urls = [one.url for one in readings(written)]
    except ValueError:
        if not host.isprintable() or set(host) & _IN_NO_HOST or not host:
            raise
    for named in dict.fromkeys([*map(host_of, urls), *([] if set(host) & _IN_NO_HOST else [host])]):
        if known := _known(reader, named):
            return known
    for url in urls:
        for named in _led_to(reader, url):
            if known := _known(reader, named):
                return known
    raise NotArchivedError(urls[-1] if urls else host, what="no post of that blog")


def _led_to(reader: Reader, url: str) -> Iterator[str]:
    """Hosts to which an archived URL leads: where its redirects end, and if it is a feed, where its posts are."""
    from archive.extract.named_sites import named_sites

    try:
        row = reader.find(url)
    except NotArchivedError:
        return
    yield host_of(row.url)
    yield from at_time.hosts_of_feed(reader.index, row.url, 1)
    if "html" not in row.mime and row.status < HTTPStatus.BAD_REQUEST:
        yield from islice(dict.fromkeys(map(host_of, named_in(reader, row, named_sites))), _SITES_TRIED)


def _known(reader: Reader, host: str) -> tuple[str, ...]:
    other = host.removeprefix(_WWW) if host.startswith(_WWW) else _WWW + host
    return tuple(at_time.hosts_with_posts(reader.index, (host, other)))

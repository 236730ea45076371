"""Finds what happened to posts since it was asked last: their versions, deletions, returns."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from archive.errors import DamagedError, TaskError
from archive.index import untold
from archive.index.from_records import host_of
from archive.index.fulltext import searchable
from archive.index.versions import Version
from archive.reader.page_history import Difference, differing
from archive.reader.reader import Reader
from archive.runtime.database import fetch, transaction
from archive.warc.page_identity import page_key, post_key
from crawler.frontier.deletions import Deletion, lately, read
from schedules.changes import kept
from schedules.changes.model import Change, Kind

log = logging.getLogger(__name__)

_AT_ONCE = 100
"""Posts of one transaction, and deletions that are looked at together."""
Entered = Callable[[Connection, Sequence[Change]], None]
"""Is given what was entered, within the transaction that enters it."""


def find(reader: Reader, *, entered: Entered, enough: Callable[[], bool], most: int | None = None) -> int:
    """Enter what happened to posts since the last time; returns how many posts were looked at.

    A version that turned out to be noise is entered no more.

    Args:
        reader: The archive.
        entered: Is told what is new.
        enough: Whether to stop; the rest is found the next time.
        most: How many posts are looked at, at most; None: all.

    Raises:
        ArchiveError: Store or database failed.
    """
    done = 0
    for gone in _deletions(reader):
        _enter(reader, gone, entered)
    while not enough() and (most is None or done < most):
        posts = untold.newest(reader.index.engine, _AT_ONCE if most is None else min(_AT_ONCE, most - done))
        if not posts:
            break
        _enter(reader, {post.page: post.url for post in posts}, entered)
        untold.settle(reader.index.engine, posts)
        done += len(posts)
    return done


def _deletions(reader: Reader) -> Iterator[dict[str, str]]:
    """Posts whose deletion or return is not entered yet, by the key of their page."""
    engine = reader.index.engine
    kinds: tuple[Kind, ...] = ("vanished", "back")
    for kind in kinds:
        before: Deletion | None = None
        while found := lately(engine, back=kind == "back", limit=_AT_ONCE, before=before):
            there = kept.known(engine, {one.key for one in found})
            fresh = [one for one in found if (one.key, kind, _moment(one, kind)) not in there]
            if not fresh:
                break
            yield {one.key: one.url for one in fresh}
            before = found[-1]
            if len(found) < _AT_ONCE:
                break


def _enter(reader: Reader, posts: dict[str, str], entered: Entered) -> None:
    """Enter what happened to posts, given by the keys of their pages and their URLs."""
    joined = reader.index.addresses(set(posts))
    fresh: list[Change] = []
    stale: list[int] = []
    seen: set[kept.Key] = set()
    for page, url in posts.items():
        pages = joined.get(page, (page,))
        there = kept.known(reader.index.engine, set(pages))
        _, versions = reader.history(url)
        happened: dict[kept.Key, Version | Deletion] = {**_of_versions(versions)}
        happened.update((_key(one.key, kind, one), one) for one, kind in _gone(reader, pages))
        stale += [number for key, number in there.items() if key not in happened]
        fresh += [
            _change(reader, key, one, versions) for key, one in happened.items() if key not in there and key not in seen
        ]
        seen |= happened.keys()
    with transaction(reader.index.engine) as connection:
        kept.forget(connection, stale)
        entered(connection, kept.enter(connection, sorted(fresh, key=lambda one: one.at)))


def _of_versions(versions: Sequence[Version]) -> dict[kept.Key, Version]:
    """When a post was new, and when it was edited."""
    if not versions:
        return {}
    first = versions[0].text.url
    page = post_key(first) if "#" in first else page_key(first)
    return {(page, "new" if one.number == 1 else "edited", one.first): one for one in versions}


def _gone(reader: Reader, pages: Iterable[str]) -> Iterator[tuple[Deletion, Kind]]:
    for one in read(reader.index.engine, pages):
        yield one, "vanished"
        if one.restored:
            yield one, "back"


def _key(page: str, kind: Kind, one: Deletion) -> kept.Key:
    return page, kind, _moment(one, kind)


def _moment(one: Deletion, kind: Kind) -> datetime:
    return one.restored if kind == "back" and one.restored else one.since


def _change(reader: Reader, key: kept.Key, one: Version | Deletion, versions: Sequence[Version]) -> Change:
    page, kind, at = key
    version = one if isinstance(one, Version) else versions[-1] if versions else None
    url = one.text.url if isinstance(one, Version) else one.url
    found = _edited(reader, one, versions) if kind == "edited" and isinstance(one, Version) else None
    return Change(
        page=page,
        at=at,
        kind=kind,
        url=url,
        host=host_of(url).removeprefix("www."),
        title=version.text.title if version else None,
        tags=_tags(reader, version) if version else (),
        edits=found.edits if found else (),
        size=sum(found.counts.values()) if found else 0,
        detail=one.told().line() if isinstance(one, Deletion) else "",
    )


def _edited(reader: Reader, one: Version, versions: Sequence[Version]) -> Difference | None:
    """What was edited in a version; None if a text of it is damaged, or if the comparison exceeds its limits."""
    before = versions[one.number - 2]
    try:
        return differing(reader, reader.read_text(before.text), reader.read_text(one.text), one.changed)
    except (DamagedError, TaskError) as e:
        log.warning("versions not compared url=%s error=%s", one.text.url, e)
        return None


def _tags(reader: Reader, version: Version) -> tuple[str, ...]:
    """The tags of a version's text, which the index of words has."""
    page = post_key(version.text.url) if "#" in version.text.url else page_key(version.text.url)
    pages = reader.index.addresses({page}).get(page, (page,))
    query = select(searchable.c.tags).where(searchable.c.page.in_(pages), searchable.c.digest == version.text.digest)
    rows = fetch(reader.index.engine, query.limit(1))
    return tuple(map(str, json.loads(rows[0].tags))) if rows else ()

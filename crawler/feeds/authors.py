"""Authors of entries: their own, else those that the feed names for all of its entries. Pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crawler.feeds.fields import stripped
from crawler.feeds.links import is_elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Authors that a feed names for all of its entries."""

    names: str | None
    page: str | None
    """The feed's page."""


def of(found: Any) -> str | None:  # noqa: ANN401  feedparser's dict
    """The authors of a feed or entry: names, else what stands in their place."""
    return _joined(found.get("authors", ())) or stripped(found.get("author"))


def of_feed(feed: Any) -> Shared:  # noqa: ANN401  feedparser's dict
    """The authors of a feed's entries, by name: an address is not one.

    `managingEditor` is responsible for the content (RSS 2.0), `dc:creator` and `itunes:author` made it.
    """
    named = feed.get("authors", ())
    creators = [one for one in named if not one.get("is_editor")]
    return Shared(names=_joined(creators) or _joined(named), page=feed.get("link"))


def of_entry(entry: Any, shared: Shared, *, base: str, version: str) -> tuple[str | None, bool]:  # noqa: ANN401
    """The authors of an entry, and whether they are only those of its RSS channel.

    In Atom an entry without authors has those of its source, else those of the feed (RFC 4287 §4.2.1). RSS does not say
    so: its channel's are likely, unless the item was taken from another channel.
    """
    if own := of(entry):
        return own, False
    source = entry.get("source") or {}
    if names := _joined(source.get("authors", ())):
        return names, False
    if version.startswith("atom"):
        return shared.names, False
    origin = source.get("href")
    if shared.names is None or (is_elsewhere(origin, base) and is_elsewhere(origin, shared.page or base)):
        return None, False
    return shared.names, True


def _joined(named: Any) -> str | None:  # noqa: ANN401  feedparser's list
    names = (str(one["name"]).strip() for one in named if one.get("name"))
    return ", ".join(dict.fromkeys(name for name in names if name)) or None

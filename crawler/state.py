"""Subscriptions as an object in the store, so that the frontier can be made anew: OPML, one object for each change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lxml import etree

from archive.stores import ObjectStore
from crawler.errors import FeedError
from crawler.visit import Subscription

PREFIX = "state/subscriptions/"
NAMESPACE = "urn:pressmark:subscription"
MAX_BYTES = 64 * 1024 * 1024

_ADDED, _PAUSED, _SEEDS = (f"{{{NAMESPACE}}}{name}" for name in ("added", "paused", "seeds"))


def save(store: ObjectStore, subscriptions: Sequence[Subscription], *, now: datetime) -> None:
    """Put the subscriptions into the store, unless the newest object says the same.

    Raises:
        StoreError: The store failed.
    """
    body = write(subscriptions)
    key = newest(store)
    if key is None or store.read(key) != body:
        store.put(f"{PREFIX}{now:%Y%m%dt%H%M%S%f}z.opml", body)


def newest(store: ObjectStore) -> str | None:
    """Key of the newest object with subscriptions; its name tells when it was written."""
    return max(store.keys(PREFIX), default=None)


def write(subscriptions: Sequence[Subscription]) -> bytes:
    """OPML 2.0; what it has no attribute for is in our namespace."""
    root = etree.Element("opml", version="2.0", nsmap={"pressmark": NAMESPACE})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Pressmark subscriptions"
    body = etree.SubElement(root, "body")
    for one in subscriptions:
        outline = etree.SubElement(body, "outline", type="rss", text=_clean(one.title or one.url), xmlUrl=one.url)
        if one.site:
            outline.set("htmlUrl", _clean(one.site))
        outline.set(_ADDED, one.added.isoformat())
        outline.set(_PAUSED, str(one.paused).lower())
        outline.set(_SEEDS, " ".join(one.seeds))
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return document


def read(body: bytes, *, name: str) -> tuple[Subscription, ...]:
    """The subscriptions of an object that `write` made.

    Raises:
        FeedError: It is no OPML; `name` is what the message calls it.
    """
    if len(body) > MAX_BYTES:
        raise FeedError(f"is larger than {MAX_BYTES} bytes", url=name)
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as e:
        raise FeedError(f"is no OPML: {e}", url=name) from e
    return tuple(
        Subscription(
            url=outline.get("xmlUrl"),
            title=outline.get("text") if outline.get("text") != outline.get("xmlUrl") else None,
            site=outline.get("htmlUrl"),
            paused=outline.get(_PAUSED) == "true",
            added=datetime.fromisoformat(outline.get(_ADDED)),
            seeds=tuple(outline.get(_SEEDS, "").split()),
        )
        for outline in root.iter("outline")
        if outline.get("xmlUrl") and outline.get(_ADDED)
    )


def _clean(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(character for character in text if character.isprintable())

"""Subscriptions as OPML 2.0, ours and other readers'. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from lxml import etree

from archive.limits import FIELD_CHARACTERS, URL_CHARACTERS
from crawler.errors import FeedError
from crawler.limits import OPML_BYTES, OPML_OUTLINES
from crawler.model.url_identity import is_address
from crawler.model.visits import LISTINGS, Feed, Subscription

NAMESPACE = "urn:pressmark:subscription"

_NAMES = ("added", "paused", "seeds", "unverified", "listing")
_ADDED, _PAUSED, _SEEDS, _UNVERIFIED, _LISTING = (f"{{{NAMESPACE}}}{name}" for name in _NAMES)


def write(subscriptions: Sequence[Subscription], health: Mapping[str, Feed] | None = None) -> bytes:
    """OPML 2.0; what it does not define attributes for is in our namespace.

    Args:
        subscriptions: In the order in which they are written.
        health: State of each feed, by URL; None leaves it out.
    """
    root = etree.Element("opml", version="2.0", nsmap={"pressmark": NAMESPACE})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Pressmark subscriptions"
    body = etree.SubElement(root, "body")
    for one in subscriptions:
        outline = etree.SubElement(
            body, "outline", type="rss", text=_clean(one.title or one.url), xmlUrl=_clean(one.url)
        )
        if one.site:
            outline.set("htmlUrl", _clean(one.site))
        outline.set(_ADDED, one.added.isoformat())
        outline.set(_PAUSED, str(one.paused).lower())
        outline.set(_SEEDS, _clean(" ".join(one.seeds)))
        if one.unverified:
            outline.set(_UNVERIFIED, "true")
        if one.listing:
            outline.set(_LISTING, one.listing)
        for name, value in _health((health or {}).get(one.url)):
            outline.set(f"{{{NAMESPACE}}}{name}", _clean(value))
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return document


def _health(feed: Feed | None) -> list[tuple[str, str]]:
    if feed is None:
        return []
    facts = {
        "lastVisit": feed.visited.isoformat() if feed.visited else None,
        "nextVisit": feed.due.isoformat(),
        "status": str(feed.status) if feed.status is not None else None,
        "error": feed.error,
        "failures": str(feed.failures),
        "postsKept": str(feed.kept),
    }
    return [(name, value) for name, value in facts.items() if value is not None]


def read(
    body: bytes, *, name: str, now: datetime, ours: bool = False
) -> tuple[tuple[Subscription, ...], tuple[str, ...]]:
    """The subscriptions in an OPML document, at any depth, each once; and addresses that are not valid URLs.

    Args:
        body: The document, ours or a feed reader's; small faults are tolerated.
        name: Its name in messages.
        now: When subscriptions without a date begin.
        ours: It is from our own store: faults are not tolerated, and its exemptions from certificate checks apply.

    Raises:
        FeedError: It is not OPML.
    """
    if len(body) > OPML_BYTES:
        raise FeedError(f"is larger than {OPML_BYTES} bytes", url=name)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=not ours, remove_comments=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as e:
        raise FeedError(f"is no OPML: {e}", url=name) from e
    if root is None or etree.QName(root).localname.lower() != "opml":
        raise FeedError("is no OPML", url=name)
    found: dict[str, Subscription] = {}
    wrong: list[str] = []
    for number, outline in enumerate(root.iter("{*}outline")):
        if number >= OPML_OUTLINES:
            break
        told = {key.lower(): value.strip() for key, value in outline.attrib.items()}
        url = told.get("xmlurl", "")
        if not url:
            continue  # a folder
        if not is_address(url):
            wrong.append(url)
        else:
            found.setdefault(url, _subscription(url, told, now, ours=ours))
    return tuple(found.values()), tuple(wrong)


def _subscription(url: str, told: Mapping[str, str], now: datetime, *, ours: bool) -> Subscription:
    title, site = told.get("text") or told.get("title"), told.get("htmlurl")
    try:
        added = datetime.fromisoformat(told.get(_ADDED, ""))
    except ValueError:
        added = now
    return Subscription(
        url=url,
        title=title[:FIELD_CHARACTERS] if title and title != url else None,
        site=site if site and len(site) <= URL_CHARACTERS and is_address(site) else None,
        paused=told.get(_PAUSED) == "true",
        added=added if added.tzinfo else now,
        seeds=tuple(seed for seed in told.get(_SEEDS, "").split() if is_address(seed)),
        unverified=ours and told.get(_UNVERIFIED) == "true",
        listing=listing if (listing := told.get(_LISTING)) in LISTINGS else None,
    )


def _clean(text: str) -> str:
    """Text without characters that XML does not allow."""
    return "".join(character for character in text if character.isprintable())

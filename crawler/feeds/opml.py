"""Subscriptions as OPML 2.0, ours and other readers'. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from lxml import etree

from archive.limits import FIELD_CHARACTERS, URL_CHARACTERS
from archive.warc.page_identity import page_key
from crawler.errors import FeedError
from crawler.limits import OPML_BYTES, OPML_OUTLINES, TAG_CHARACTERS
from crawler.model.url_identity import as_http, is_address
from crawler.model.visits import LISTINGS, Feed, Subscription

NAMESPACE = "urn:pressmark:subscription"

_NAMES = ("added", "paused", "seeds", "unverified", "name", "listing")
_ADDED, _PAUSED, _SEEDS, _UNVERIFIED, _NAME, _LISTING = (f"{{{NAMESPACE}}}{name}" for name in _NAMES)
_PART = re.compile(r"(?:[^\\/]|\\(?:.|\Z))+|/", re.DOTALL)
"""One name in the path of a folder, or a slash between two; a slash within a name is escaped."""


def write(subscriptions: Sequence[Subscription], health: Mapping[str, Feed] | None = None) -> bytes:
    """OPML 2.0; what it does not define attributes for is in our namespace.

    Args:
        subscriptions: In the order in which they are written, within their folders.
        health: State of each feed, by URL; None leaves it out.
    """
    root = etree.Element("opml", version="2.0", nsmap={"pressmark": NAMESPACE})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Pressmark subscriptions"
    folders: dict[tuple[str, ...], Any] = {(): etree.SubElement(root, "body")}
    for one in subscriptions:
        folder = _folder(folders, names_of(one.folder))
        label = one.name or one.title or one.url
        outline = etree.SubElement(folder, "outline", type="rss", text=_clean(label), xmlUrl=_clean(one.url))
        if one.title:
            outline.set("title", _clean(one.title))
        if one.site:
            outline.set("htmlUrl", _clean(one.site))
        outline.set(_ADDED, one.added.isoformat())
        outline.set(_PAUSED, str(one.paused).lower())
        outline.set(_SEEDS, _clean(" ".join(one.seeds)))
        if one.unverified:
            outline.set(_UNVERIFIED, "true")
        for name, value in ((_NAME, one.name), (_LISTING, one.listing)):
            if value:
                outline.set(name, _clean(value))
        for name, value in _health((health or {}).get(one.url)):
            outline.set(f"{{{NAMESPACE}}}{name}", _clean(value))
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return document


def _folder(folders: dict[tuple[str, ...], Any], path: tuple[str, ...]) -> Any:  # noqa: ANN401  lxml's element
    """The outline of a folder, made if it is not there yet."""
    for end in range(1, len(path) + 1):
        if path[:end] not in folders:
            parent, name = folders[path[: end - 1]], _clean(path[end - 1])
            folders[path[:end]] = etree.SubElement(parent, "outline", text=name, title=name)
    return folders[path]


def path_of(names: Sequence[str]) -> str | None:
    """Names of nested folders as a path: slashes between them, slashes within them escaped; None without names."""
    escaped = (name.replace("\\", "\\\\").replace("/", "\\/") for name in names)
    return "/".join(escaped) or None


def names_of(path: str | None) -> tuple[str, ...]:
    """The names of nested folders in such a path."""
    found = (name for name in _PART.findall(path or "") if name != "/")
    return tuple(re.sub(r"\\(.)", r"\1", name, flags=re.DOTALL) for name in found)


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
    """The subscriptions in an OPML document, each once with its folder; and addresses that are not valid URLs.

    Spellings of one URL are one subscription: the first one, with a name and a folder of a later one if it has none.

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
    for number, (outline, folder) in enumerate(_outlines(root)):
        if number >= OPML_OUTLINES:
            break
        told = {key.lower(): value.strip() for key, value in outline.attrib.items()}
        url = as_http(told["xmlurl"]).partition("#")[0]  # a fragment is not sent
        if not is_address(url):
            wrong.append(told["xmlurl"])
            continue
        one, key = _subscription(url, told, folder, now, ours=ours), page_key(url)
        first = found.setdefault(key, one)
        found[key] = replace(first, name=first.name or one.name, folder=first.folder or one.folder)
    return tuple(found.values()), tuple(wrong)


def _outlines(root: Any) -> Iterator[tuple[Any, str | None]]:  # noqa: ANN401  lxml's elements
    """The outlines that are feeds, in the document's order, and the folder that each is in."""
    names: list[str] = []
    for event, element in etree.iterwalk(root, events=("start", "end"), tag="{*}outline"):
        told = {key.lower(): value.strip() for key, value in element.attrib.items()}
        name = "" if told.get("xmlurl") else told.get("text") or told.get("title") or ""
        if event == "end":
            if name:
                names.pop()
            continue
        if name:
            names.append(name[:TAG_CHARACTERS])
        elif told.get("xmlurl"):
            inner = list(names)
            while len(path_of(inner) or "") > FIELD_CHARACTERS:
                inner.pop()
            yield element, path_of(inner)


def _subscription(url: str, told: Mapping[str, str], folder: str | None, now: datetime, *, ours: bool) -> Subscription:
    title, site = told.get("title") or told.get("text"), told.get("htmlurl")
    # Other readers write the name that a person gave a feed where OPML wants the name that is shown.
    name = told.get(_NAME) if _ADDED in told else told.get("text")
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
        name=name[:FIELD_CHARACTERS] if name and name != url else None,
        folder=folder,
    )


def _clean(text: str) -> str:
    """Text without characters that XML does not allow."""
    return "".join(character for character in text if character.isprintable())

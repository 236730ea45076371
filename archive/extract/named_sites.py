"""The sites that a document about posts, such as a feed, names by its links. No I/O."""

from __future__ import annotations

import json

from lxml import etree

from archive.extract.links import joined
from archive.limits import REQUISITE_URL_CHARACTERS, REQUISITES_BYTES, REQUISITES_FOUND


def named_sites(payload: bytes, *, url: str, content_type: str | None) -> list[str]:
    """URLs that the links of an XML document lead to, or the home page of a JSON Feed, in its order, each once.

    Args:
        payload: The document, without content coding.
        url: Its URL.
        content_type: Its Content-Type header; not used: feeds are served as anything.
    """
    del content_type
    start = payload[:REQUISITES_BYTES]
    stated = _of_json(start) if start.lstrip()[:1] == b"{" else _of_xml(start)
    found = (joined(url, link) or "" for link in stated if link.strip())
    web = (one for one in found if one.startswith(("http://", "https://")) and len(one) <= REQUISITE_URL_CHARACTERS)
    return list(dict.fromkeys(web))[:REQUISITES_FOUND]


def _of_xml(document: bytes) -> list[str]:
    """What its elements `link` contain (RSS) or lead to (Atom, RFC 4287 §4.2.7)."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
    try:
        tree = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    if tree is None:  # nothing of it could be recovered
        return []
    links = tree.iter("link", "{*}link")
    return [link.get("href") or link.text or "" for link in links if link.get("rel", "alternate") == "alternate"]


def _of_json(document: bytes) -> list[str]:
    """`home_page_url` (JSON Feed 1.1)."""
    try:
        said = json.loads(document)
    except (ValueError, RecursionError):
        return []
    home = said.get("home_page_url") if isinstance(said, dict) else None
    return [home] if isinstance(home, str) else []

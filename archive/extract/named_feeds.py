"""The feeds that a page names in its head (RSS autodiscovery). No I/O."""

from __future__ import annotations

from lxml import etree
from lxml.html import document_fromstring

from archive.extract.links import base_url, joined
from archive.limits import REQUISITE_URL_CHARACTERS, REQUISITES_BYTES, REQUISITES_FOUND
from archive.warc.codings import unicode_html

_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"})


def named_feeds(payload: bytes, *, url: str, content_type: str | None) -> list[str]:
    """URLs of the feeds that a page names, in its order, each once.

    Args:
        payload: The page, without content coding.
        url: Its URL.
        content_type: Its Content-Type header.
    """
    try:
        tree = document_fromstring(unicode_html(payload[:REQUISITES_BYTES], content_type))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return []
    base = base_url(tree, url)
    stated = (
        joined(base, href)
        for link in tree.iter("link")
        if (href := (link.get("href") or "").strip())
        and "alternate" in (link.get("rel") or "").lower().split()
        and (link.get("type") or "").partition(";")[0].strip().lower() in _TYPES
    )
    web = (found for found in stated if found and found.startswith(("http://", "https://")))
    return list(dict.fromkeys(found for found in web if len(found) <= REQUISITE_URL_CHARACTERS))[:REQUISITES_FOUND]

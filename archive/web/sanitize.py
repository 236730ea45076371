"""Sanitize archived HTML: the plain view without scripts, its links and images pointing into the archive."""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from itertools import islice
from urllib.parse import urljoin, urlsplit

import nh3
from lxml import etree
from lxml.html import HtmlElement, document_fromstring, tostring

from archive.extract.image_sources import IMAGES, image_sources
from archive.limits import DECODED_BYTES, URL_CHARACTERS
from archive.reader.reader import plain_payload
from archive.warc.codings import beginning, unicode_html
from archive.web.errors import escape
from archive.web.limits import PLAIN_CHARACTERS, PLAIN_IMAGES
from archive.web.memento_path import quoted

_TAGS = set(nh3.ALLOWED_TAGS) | {"main", "section", "picture", "audio", "video", "source", "font", "label", "legend"}
_TAGS -= {"map", "area"}
_REMOVED = {
    "script",
    "style",
    "template",
    "noscript",
    "title",
    "head",
    "iframe",
    "object",
    "embed",
    "svg",
    "math",
    "form",
}
_SNIFFED = 2_000
"""Beginning of a payload by which a page is recognized."""
_GENERAL = {"lang", "dir", "title"}
_ATTRIBUTES = {
    **{tag: set(names) - {"style", "class"} for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    "a": {"href", "hreflang", "name"},
    "img": {"src", "alt", "width", "height"},
    "audio": {"src", "controls"},
    "video": {"src", "controls", "width", "height"},
    "source": {"src", "type"},
    "*": _GENERAL,
}


def base_of(tree: HtmlElement, url: str) -> str:
    """The base URL of a page: its first `<base href>`, or its own URL (HTML §4.2.3)."""
    for found in tree.iter("base"):
        if href := found.get("href"):
            return absolute(url, href) or url
    return url


def absolute(base: str, link: str) -> str | None:
    """A link as an absolute http or https URL, else None."""
    try:
        joined = urljoin(base, link.strip())
        parts = urlsplit(joined)
    except ValueError:
        return None
    return joined if parts.scheme in {"http", "https"} and parts.netloc and len(joined) <= URL_CHARACTERS else None


def looks_like_html(body: bytes, *, coding: str | None) -> bool:
    """Whether the beginning of a payload of unknown type looks like a page."""
    return b"<html" in beginning(body, coding, limit=_SNIFFED).lower()


def as_text(body: bytes, *, coding: str | None, content_type: str | None) -> bytes:
    """The characters of a payload, as UTF-8.

    Args:
        body: The payload.
        coding: Its content coding.
        content_type: As the server stated it.
    """
    return unicode_html(_payload(body, coding, content_type), content_type).encode("utf-8", "replace")


def media(payload: bytes, *, url: str, content_type: str | None, coding: str | None = None) -> list[str]:
    """URLs of the images, audio and video of a page, each once.

    Args:
        payload: The page.
        url: URL of the page.
        content_type: As the server stated it.
        coding: Content coding of the payload.
    """
    tree = _tree(_markup(payload, coding, content_type))
    base = base_of(tree, url)
    found = (
        link
        for node in tree.iter(*IMAGES, "audio", "video", "source")
        for stated in (image_sources(node) if node.tag in IMAGES else (node.get("src") or "",))
        if stated and (link := absolute(base, stated))
    )
    return list(dict.fromkeys(islice(found, PLAIN_IMAGES)))


def _payload(body: bytes, coding: str | None, content_type: str | None) -> bytes:
    found = plain_payload(body, coding, content_type)
    if found is None:
        raise OverflowError(f"grows past {DECODED_BYTES} bytes")
    return found


def _markup(body: bytes, coding: str | None, content_type: str | None) -> str:
    return unicode_html(_payload(body, coding, content_type), content_type)[:PLAIN_CHARACTERS].replace("\0", "")


def _tree(markup: str) -> HtmlElement:
    try:
        return document_fromstring(markup)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return document_fromstring("<html><body></body></html>")


def plain(
    payload: bytes, *, url: str, content_type: str | None, stamp: str, kept: Collection[str], coding: str | None = None
) -> str:
    """A page's HTML as a complete sanitized document.

    Args:
        payload: The page.
        url: URL of the page.
        content_type: As the server stated it.
        stamp: 14 digits; links point to mementos of this time.
        kept: Those of its `media` URLs that are archived.
        coding: Content coding of the payload.
    """
    markup = _markup(payload, coding, content_type)
    tree = _tree(markup)
    base = base_of(tree, url)
    _choose_images(tree, base, kept)

    def rewritten(tag: str, name: str, value: str) -> str | None:
        if name in {"src", "href", "cite"}:
            if name == "href" and value.strip().startswith("#"):
                return value
            link = absolute(base, value)
            if name == "src":
                return f"/web/{stamp}im_/{quoted(link)}" if link in kept and link else None
            return f"/web/{stamp}/{quoted(link)}" if link else None
        if name in {"width", "height"} and not value.strip("%px ").isdigit():
            return None
        return value if tag else None

    body = nh3.clean(
        tostring(tree, encoding="unicode"),
        tags=_TAGS,
        clean_content_tags=_REMOVED,
        attributes=_ATTRIBUTES,
        attribute_filter=rewritten,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_top"}, "img": {"loading": "lazy"}},
        url_schemes={"http", "https"},
    )
    title = " ".join((tree.findtext(".//title") or url).split())[:500]
    language = (tree.get("lang") or "").strip()[:35]
    return document(body, title=title, language=language)


def _choose_images(tree: HtmlElement, base: str, kept: Collection[str]) -> None:
    """Give each image the best of its sources that is archived, and show those for readers without scripts."""
    shown: set[str] = set()
    for image in list(tree.iter(*IMAGES)):
        links = (absolute(base, stated) for stated in image_sources(image))
        link = next((link for link in links if link in kept), None)
        image.tag = "img"
        image.attrib.pop("src", None)
        noscript = next(image.iterancestors("noscript"), None)
        if link is not None and (noscript is None or link not in shown):
            image.set("src", link)
            shown.add(link)
            if noscript is not None:
                noscript.addprevious(_alone(image))


def _alone(image: HtmlElement) -> HtmlElement:
    """A copy of an image without the text after it."""
    copied = deepcopy(image)
    copied.tail = None
    return copied


def document(body: str, *, title: str, language: str = "") -> str:
    """A complete document around sanitized HTML."""
    lang = f' lang="{escape(language)}"' if language else ""
    return (
        f"<!doctype html><html{lang}><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1"><meta name=robots content="noindex">'
        f"<title>{escape(title)}</title><link rel=stylesheet href=/static/plain.css></head><body>{body}</body></html>\n"
    )

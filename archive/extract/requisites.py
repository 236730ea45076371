"""Page requisites: the images, stylesheets and fonts that a page needs to look as it did. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from lxml import etree
from lxml.html import HtmlElement, document_fromstring

from archive.extract.image_sources import IMAGES, image_sources
from archive.extract.links import base_url, joined
from archive.extract.srcset import largest
from archive.limits import REQUISITE_URL_CHARACTERS, REQUISITES_BYTES, REQUISITES_FOUND
from archive.warc.codings import unicode_html

Kind = Literal["image", "style", "font"]
_CSS = re.compile(
    r"""(@import\s+)?url\(\s*(?:"([^"]*)"|'([^']*)'|([^"'()\s]++))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""",
    re.IGNORECASE,
)
_FONT = re.compile(r"\.(?:woff2?|ttf|otf|eot)(?:[?#]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Requisite:
    """A resource that a page loads."""

    url: str
    kind: Kind


def requisites(payload: bytes, *, url: str, content_type: str | None) -> list[Requisite]:
    """The resources that a page needs for display, in its order, each once; no scripts, no frames.

    Args:
        payload: The page, without content coding.
        url: Its URL.
        content_type: Its Content-Type header.
    """
    try:
        tree = document_fromstring(unicode_html(payload[:REQUISITES_BYTES], content_type))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return []
    return _each_once(_of_page(tree), base_url(tree, url))


def page_links(payload: bytes, *, url: str, content_type: str | None) -> list[str]:
    """The pages that a page links to, in its order, each once."""
    try:
        tree = document_fromstring(unicode_html(payload[:REQUISITES_BYTES], content_type))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return []
    found: list[tuple[str, Kind]] = [(node.get("href"), "image") for node in tree.iter("a") if node.get("href")]
    return [one.url for one in _each_once(iter(found), base_url(tree, url))]


def of_style(payload: bytes, *, url: str, content_type: str | None = None) -> list[Requisite]:  # noqa: ARG001  as the others
    """The resources of a stylesheet: other stylesheets, fonts and images."""
    return _each_once(_of_css(payload[:REQUISITES_BYTES].decode("utf-8", "replace")), url)


def _of_page(tree: HtmlElement) -> Iterator[tuple[str, Kind]]:
    for node in tree.iter(etree.Element):
        tag, get = node.tag, node.get
        if tag == "link" and (href := get("href")):
            rel = set((get("rel") or "").lower().split())
            if "stylesheet" in rel and "alternate" not in rel:
                yield href, "style"
            elif rel & {"icon", "apple-touch-icon"}:
                yield href, "image"
        elif tag in IMAGES or (tag == "input" and (get("type") or "").lower() == "image"):
            yield from ((link, "image") for link in image_sources(node))
        elif tag == "source" and (link := largest(get("srcset"))):
            yield link, "image"
        elif tag == "video" and (poster := get("poster")):
            yield poster, "image"
        elif tag == "style":
            yield from _of_css(node.text or "")
        if "url(" in (style := get("style") or ""):
            yield from _of_css(style)


def _of_css(css: str) -> Iterator[tuple[str, Kind]]:
    for found in _CSS.finditer(_without_comments(css)):
        link = next((part for part in found.groups()[1:] if part), "")
        if found[1] or found[5] or found[6]:
            yield link, "style"
        else:
            yield link, "font" if _FONT.search(link) else "image"


def _without_comments(css: str) -> str:
    """A stylesheet without its comments; one that is not closed lasts to the end (CSS Syntax §4.3.2)."""
    outside, *comments = css.split("/*")
    kept = [outside]
    for part in comments:
        _, closed, after = part.partition("*/")
        if closed:
            kept.append(after)
    return " ".join(kept)


def _each_once(found: Iterator[tuple[str, Kind]], base: str) -> list[Requisite]:
    seen: dict[str, Requisite] = {}
    for link, kind in found:
        url = (joined(base, link) or "").partition("#")[0]
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        if parts.scheme in {"http", "https"} and parts.hostname and len(url) <= REQUISITE_URL_CHARACTERS:
            seen.setdefault(url, Requisite(url, kind))
            if len(seen) >= REQUISITES_FOUND:
                break
    return list(seen.values())

"""Links as feeds write them: without a scheme, with entities, relative to the blog, not to the feed. Pure, no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urljoin

from crawler.model.url_identity import host_of, is_address, registrable_domain

_BROKEN_SCHEME = re.compile(r"(https?)(?::/*|/{2,})(?=[\w-]+(?:\.[\w-]+)+(?:[:/?#]|$))", re.IGNORECASE)
"""A scheme with too few or too many slashes, or without its colon, before a host name."""
_AMPERSAND = re.compile(r"&(?:amp|#0*38|#x0*26);", re.IGNORECASE)
_HOST = re.compile(r"((?:[\w-]+\.)+[a-z][\w-]*)(?::\d{1,5})?(?=[/?#]|$)", re.IGNORECASE)


def absolute(base: str, link: str) -> str:
    """A link resolved against its base (RFC 3986 §5), as its author meant it; empty if it is not a URL."""
    try:
        return urljoin(base, meant(link, base))
    except ValueError:
        return ""


def resolved(base: str, link: str) -> str:
    """A link in markup resolved against its base (RFC 3986 §5), its entities left; empty if it is not a URL."""
    try:
        return urljoin(base, link)
    except ValueError:
        return ""


def meant(link: str, base: str) -> str:
    """A link whose scheme is missing or misspelt, with the one it was meant to have; other links as they are.

    Args:
        link: As the feed writes it.
        base: What it is relative to: `blog.example/post` is a host and a path in a feed of blog.example, not a path.
    """
    link = _AMPERSAND.sub("&", link.strip())
    if broken := _BROKEN_SCHEME.match(link):
        return f"{broken[1]}://{link[broken.end() :]}"
    host = _HOST.match(link)
    if host is None or not _is_host(host[1], whole=host.end() == len(link), base=base):
        return link
    return f"{'https' if base.lower().startswith('https:') else 'http'}://{link}"


def _is_host(name: str, *, whole: bool, base: str) -> bool:
    """Whether the first part of a link is a host name rather than a file or folder."""
    name = name.lower()
    if name.startswith("www."):
        return True
    host = _plain(host_of(base))
    if host and (name == host or f".{name}".endswith(f".{registrable_domain(host)}") or host.endswith(f".{name}")):
        return True
    # A name alone may be a file: `.md`, `.sh` and `.zip` are domains too.
    return not whole and registrable_domain(f"x.{name}") != f"x.{name}"


def is_elsewhere(page: str | None, url: str) -> bool:
    """Whether a page is on another host than a document, or the document's URL is not known."""
    return bool(page) and is_address(page or "") and _plain(host_of(page or "")) != _plain(host_of(url))


def _plain(host: str) -> str:
    return host.lower().removeprefix("www.")


def alternate(links: Iterable[Mapping[str, str]], language: str | None) -> str | None:
    """The page among several translations: the one in that language, else the first; None if there are not several.

    Args:
        links: Links to pages, with `href` and perhaps `hreflang`.
        language: The entry's, as the feed states it.
    """
    pages = [link for link in links if link.get("href")]
    if len(pages) < 2:  # noqa: PLR2004  several
        return None
    wanted = _subtags(language)
    ranked = [_common(wanted, _subtags(link.get("hreflang"))) for link in pages]
    return pages[ranked.index(max(ranked))]["href"]


def _subtags(language: str | None) -> list[str]:
    return [part for part in re.split(r"[-_]", (language or "").strip().lower()) if part]


def _common(one: list[str], other: list[str]) -> int:
    """How many subtags two languages have in common from the first one on (RFC 4647 §3.4)."""
    same = [a == b for a, b in zip(one, other, strict=False)]
    return same.index(False) if False in same else len(same)

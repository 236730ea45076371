"""Links that lead away from a site: a post's author links to others, its page to itself. No I/O."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from archive.extract.links import joined

_SERVICES = frozenset(
    "blogspot.com wordpress.com github.io gitlab.io substack.com medium.com tumblr.com netlify.app vercel.app pages.dev"  # noqa: SIM905
    " micro.blog bearblog.dev neocities.org livejournal.com ghost.io typepad.com over-blog.com hatenablog.com".split()
)
"""Domains under which each name is a blog of its own."""
_HALF = 0.5
_TITLE = 20
"""Characters a link, on average, from which on the links of a list are titles rather than names of networks."""
_QUOTED = 40
"""Characters from which on a box has words of somebody else rather than the name of a shop."""
_SENTENCE = re.compile(r"[.!?…。！？][\"\N{RIGHT DOUBLE QUOTATION MARK}')]*(?:\s|$)")  # noqa: RUF001
_ITEM = 12
"""Characters from which on an item says something rather than names it."""
_MAX_LINKS = 300
"""Links of one element that are looked at."""


@lru_cache(maxsize=4096)
def leads_away(url: str, base: str) -> bool:
    """Whether an absolute URL is on another site than `base`; that of a share button is not, as it names the page."""
    try:
        there, here = urlsplit(url), _host(urlsplit(base).hostname or "")
        host = _host(there.hostname or "")
    except ValueError:
        return False
    if not here or not host or there.scheme not in ("http", "https") or here in there.query:
        return False
    return _site(host) != _site(here)


def _host(host: str) -> str:
    return host.lower().removeprefix("www.")


def _site(host: str) -> str:
    """The domain that somebody registered, about; or the blog, where a service gives each a domain of its own."""
    labels = host.split(".")
    if host.replace(".", "").isdecimal() or ":" in host:
        return host
    is_shared = ".".join(labels[-2:]) in _SERVICES
    is_second_level = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3  # noqa: PLR2004  such as co.uk
    return ".".join(labels[-3:] if is_shared or is_second_level else labels[-2:])


def is_of_titles(element: HtmlElement, base: str) -> bool:
    """Whether most of the linked words of an element are titles of things on other sites."""
    linked = outward = links = 0
    for at, link in enumerate(element.iter("a")):
        if at >= _MAX_LINKS:
            break
        words = len(" ".join("".join(link.itertext()).split()))
        if words:
            links += 1
            linked += words
            outward += words if leads_away(joined(base, link.get("href") or "") or "", base) else 0
    return links > 0 and outward > _HALF * linked and linked >= _TITLE * links


def is_quoted(element: HtmlElement, base: str) -> bool:
    """Whether an element shows what another site says, in a sentence or more, such as a post of a network or a card."""
    words = " ".join("".join(element.itertext()).split())
    return len(words) >= _QUOTED and _SENTENCE.search(words) is not None and is_of_titles(element, base)


def has_own_items(element: HtmlElement, base: str) -> bool:
    """Whether most items of the lists in an element say something without leading elsewhere on the site."""
    items = [item for item in element.iter("li", "dd") if next(item.iter("ul", "ol"), None) is None]
    return bool(items) and sum(_is_own_item(item, base) for item in items) > _HALF * len(items)


def _is_own_item(item: HtmlElement, base: str) -> bool:
    size = len(" ".join("".join(item.itertext()).split()))
    linked = sum(len("".join(link.itertext()).strip()) for link in item.iter("a"))
    return size > 0 if linked == 0 else size >= _ITEM and is_of_titles(item, base)

"""Resolving the links of a page (RFC 3986 §5) against its base URL. No I/O."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urljoin, urlsplit, urlunsplit

from lxml.html import HtmlElement

_ORDINARY = r"(?:[A-Za-z0-9_~%=&+,:@!$'()*/-]|(?<!/)\.)*+"
_ENDS = rf"(?:\?{_ORDINARY}[A-Za-z0-9_%=/-])?(?:#{_ORDINARY}[A-Za-z0-9_%=/-])?"
_ABSOLUTE = re.compile(rf"https?://[A-Za-z0-9.-]+(?::\d{{1,5}})?(?:/{_ORDINARY}{_ENDS})?")
_ROOTED = re.compile(rf"/(?!/){_ORDINARY}{_ENDS}")
"""Links that are resolved to themselves, or to what follows the host: no point after a slash, no end of nothing."""


def is_ordinary(url: str) -> bool:
    """Whether a URL is an absolute web address in which nothing is resolved, escaped or left out."""
    return _ABSOLUTE.fullmatch(url) is not None


def joined(base: str, link: str) -> str | None:
    """The absolute URL of a link, white space around it removed; None if it is not a valid reference."""
    bare = link.strip()
    if is_ordinary(bare):
        return bare
    if (root := _root(base)) and _ROOTED.fullmatch(bare):
        return root + bare
    try:
        return urljoin(base, bare)
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _root(base: str) -> str:
    """Scheme and host of a web address; empty if it is none."""
    try:
        parts = urlsplit(base)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""


def without_user(url: str) -> str:
    """A URL without the user name and password in it, which are no part of where a page is.

    Raises:
        ValueError: It is not a URL.
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def base_url(tree: HtmlElement, url: str) -> str:
    """The URL that the links of a page are relative to: its `<base href>`, or else its own."""
    # Not w3lib.html.get_base_url: that reads the first 4,096 characters, and a `base` may follow long inline scripts.
    stated = next((href for element in tree.iter("base") if (href := element.get("href"))), "")
    return joined(url, stated) or url

"""Resolving the links of a page (RFC 3986 §5) against its base URL. No I/O."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit, urlunsplit

from lxml.html import HtmlElement


def joined(base: str, link: str) -> str | None:
    """The absolute URL of a link, white space around it removed; None if it is not a valid reference."""
    try:
        return urljoin(base, link.strip())
    except ValueError:
        return None


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

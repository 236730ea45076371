"""Fields that all dialects of feeds share: links, plain text as markup, the words of a title. Pure, no I/O."""

from __future__ import annotations

import re

from lxml import html as lxml_html
from lxml.etree import LxmlError

from archive.limits import FIELD_CHARACTERS
from crawler.feeds import links, titles
from crawler.limits import DATE_CHARACTERS
from crawler.model.url_identity import joined
from crawler.net.credentials import bare

_BREAKS = ("br", "p", "div", "li", "hr")
"""Elements after which a new line begins."""
WEB_URL = re.compile(r"https?://", re.IGNORECASE)


def web_link(value: str | None, url: str) -> str | None:
    """`link_of`, if it is an http or https URL."""
    link = link_of(value, url)
    return link if link and WEB_URL.match(link) else None


def link_of(value: str | None, url: str) -> str | None:
    """A link without credentials, resolved against its base if that is known; None if it is invalid."""
    link = links.meant(value or "", url)
    if not link or not url:
        return link or None
    resolved = joined(url, link)
    return None if resolved is None else bare(resolved)


def stripped(value: object) -> str | None:
    """A text without surrounding white space; None if nothing is left."""
    return value.strip() or None if isinstance(value, str) else None


def string(value: object) -> str | None:
    """A JSON value as text: feeds write numbers where strings belong."""
    if isinstance(value, bool) or value is None:
        return None
    return str(value).strip() or None if isinstance(value, str | int | float) else None


def date_text(value: object) -> str | None:
    """A date as the feed writes it."""
    text = string(value)
    return text[:DATE_CHARACTERS] if text else None


def plain(value: str | None) -> str | None:
    """The words of a title that may contain markup and entities."""
    if not value:
        return None
    if "<" in value or "&" in value:
        try:
            tree = lxml_html.fromstring(f"<div>{titles.as_markup(value)}</div>")
            for line in tree.iter(*_BREAKS):
                line.tail = f" {line.tail or ''}"
            value = tree.text_content()
        except (LxmlError, ValueError):
            return value.strip()
    return " ".join(value.split()) or None


def heading(title: str | None) -> str | None:
    """`plain` of a title, within its limit."""
    return (plain(title) or "")[:FIELD_CHARACTERS] or None

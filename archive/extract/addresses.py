"""The addresses of links, pictures and videos in a text: absolute, safe in Markdown, and none that only counts clicks.

No I/O.
"""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import quote, urlsplit

from archive.extract import boilerplate
from archive.extract.links import is_ordinary, joined

_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"
_MAX_URL = 2_000
"""Characters of an address; longer ones contain data."""
_MAIL = re.compile(r"mailto:[^\s<>?@]{1,254}+@[^\s<>?@]{1,253}+(?=\?|$)", re.IGNORECASE)


def link_target(base: str, source: str) -> str:
    """The absolute web address in an attribute, quoted for Markdown; empty if it is not one."""
    target = joined(base, source)
    if target is not None and len(target) <= _MAX_URL and is_ordinary(target):
        return target
    try:
        parts = urlsplit(target or "")
        if target is None or parts.scheme not in ("http", "https") or not parts.hostname or len(target) > _MAX_URL:
            return ""
    except ValueError:
        return ""
    return quote(target, safe=_URL_SAFE)


def href_target(base: str, href: str) -> str:
    """Where a link leads: a web or mail address, quoted for Markdown.

    Empty for what is not an address - scripts, data - and for those of servers that count clicks and lead on.
    """
    if mail := _MAIL.match(href.strip()):
        return quote(mail[0], safe=_URL_SAFE)
    target = link_target(base, href)
    return "" if is_tracker(target) else target


def is_tracker(url: str) -> bool:
    """Whether an address is that of a server which counts clicks or visits, or hides another address."""
    return bool(url) and _trackers().match(url) is not None


@cache
def _trackers() -> re.Pattern[str]:
    return re.compile("|".join(boilerplate.parsed_rules()["address"]["trackers"]), re.IGNORECASE)

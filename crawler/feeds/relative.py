"""Relative links in markup, resolved; nothing else in the markup changes. Pure, no I/O."""

from __future__ import annotations

import re

from crawler.feeds import links

_NAMES = (
    "href|src|poster|data|cite|action|background|longdesc|usemap|codebase|classid|profile"  # HTML's attributes for URLs
)
_ANY = re.compile(r"""=\s*+(?:["']\s*+)?(?![a-zA-Z][a-zA-Z0-9+.-]*:)[^\s"'<>]""")
"""An attribute whose value is not an absolute URL."""
_TAG = re.compile(r"""<(?P<name>[a-z][a-z0-9:-]*)(?=[\s/])(?:[^<>"']|"[^"<]*"|'[^'<]*')*+>""", re.IGNORECASE)
_LINK = re.compile(
    rf"""(?P<before>\s(?P<name>{_NAMES})\s*=\s*)(?:"(?P<double>[^"<]*)"|'(?P<single>[^'<]*)'|(?P<bare>[^\s"'<>=]+))""",
    re.IGNORECASE,
)
_ABSOLUTE = re.compile(r"\s*[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def resolved(markup: str, base: str) -> str:
    """Markup with the links in its attributes resolved against a base; unchanged if that is empty."""
    if not base or "=" not in markup or not _ANY.search(markup):
        return markup

    def link(found: re.Match[str]) -> str:
        kind = "double" if found["double"] is not None else "single" if found["single"] is not None else "bare"
        value = found[kind]
        if not value.strip() or _ABSOLUTE.match(value):
            return found[0]
        quote = "'" if kind == "single" else '"'
        url = links.resolved(base, value.strip()).replace(quote, "%22" if quote == '"' else "%27")
        return f"{found['before']}{quote}{url or value}{quote}"

    return _TAG.sub(lambda tag: _LINK.sub(link, tag[0]), markup)

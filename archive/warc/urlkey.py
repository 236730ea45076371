"""The key by which captures of one URL are found: its canonical SURT form. No I/O."""

from __future__ import annotations

import re
from functools import lru_cache

import urlcanon

_URL = re.compile(r"https?://(?:www\.)?([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=4096)
def urlkey(url: str) -> str:
    """Canonical SURT of a URL, such as `org,example)/2024/a-post?x=1`.

    Scheme, `www.`, default port, letter case, session ids, fragment and a trailing slash do not distinguish two URLs.
    """
    try:
        canonical = urlcanon.aggressive(urlcanon.parse_url(url))
        key: bytes = canonical.surt(with_scheme=False, trailing_comma=False)
    except ValueError:  # a host that is a negative number, among other things: it is looked up as written
        return url.lower()
    return key.decode("utf-8", "replace").lower()


def variants(url: str) -> tuple[str, ...]:
    """The spellings of one page's URL: scheme, `www.` and trailing slash vary; the URL itself comes first."""
    found = _URL.fullmatch(url)
    if not found:
        return (url,)
    host, path, query = found[1].lower(), found[2].rstrip("/"), found[3] or ""
    ways = (
        f"{scheme}://{www}{host}{path}{slash}{query}"
        for scheme in ("https", "http")
        for www in ("", "www.")
        for slash in ("", "/")
    )
    return tuple(dict.fromkeys((url, *ways)))

"""The key by which captures of one URL are found: its canonical SURT form. No I/O."""

from __future__ import annotations

from functools import lru_cache

import urlcanon


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

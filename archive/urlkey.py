"""The key under which captures of one URL are found: its canonical SURT form. No I/O."""

from __future__ import annotations

from functools import lru_cache

import urlcanon


@lru_cache(maxsize=4096)
def urlkey(url: str) -> str:
    """Canonical SURT of a URL, such as `org,example)/2024/a-post?x=1`.

    Scheme, `www.`, default port, letter case, session ids, fragment and a trailing slash do not tell two URLs apart.
    """
    canonical = urlcanon.aggressive(urlcanon.parse_url(url))
    key: bytes = canonical.surt(with_scheme=False, trailing_comma=False)
    return key.decode("utf-8", "replace").lower()

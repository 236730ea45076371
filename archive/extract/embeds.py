"""What an element plays - a video, a recording - and where that is. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from lxml.html import HtmlElement

from archive.extract.addresses import is_tracker, link_target

_EMBED = re.compile(
    r"/embed|player|video|youtu|vimeo|dailymotion|ted\.com|twitch|peertube|soundcloud|bandcamp", re.IGNORECASE
)
PLAYERS = {
    "lite-youtube": "https://www.youtube.com/watch?v=",
    "amp-youtube": "https://www.youtube.com/watch?v=",
    "lite-vimeo": "https://vimeo.com/",
    "amp-vimeo": "https://vimeo.com/",
}
"""Elements that scripts turn into players, and what precedes the id of a video in its address."""


def embed_target(element: HtmlElement, base: str) -> str:
    """The absolute web address of what an element plays; empty if it plays nothing."""
    is_media = element.tag in ("video", "audio")
    for source in _embedded(element):
        target = link_target(base, source)
        if target and (is_media or _EMBED.search(target)) and not is_tracker(target):
            return target
    return ""


def _embedded(element: HtmlElement) -> Iterator[str]:
    """Addresses of what an element plays, the best first; consent dialogs keep them in `data-` attributes."""
    yield from (value for name in ("src", "data-src", "data") if (value := element.get(name)))
    if element.tag in PLAYERS and (video := element.get("videoid") or element.get("data-videoid")):
        yield PLAYERS[element.tag] + quote(video, safe="")
    yield from (value for part in element.iter("source", "embed", "param") if (value := part.get("src")))
    yield from (value for name, value in element.attrib.items() if name.startswith("data-") and "//" in value[:8])

"""Where the picture of an `img` may come from, also if a script would load it late. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from lxml.html import HtmlElement

from archive.extract.srcset import largest

IMAGES = ("img", "amp-img")
_LATE = re.compile(r"^data-.*(?:src|lazy|original)", re.IGNORECASE)
"""Attributes from which scripts that load pictures late take them."""
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg|bmp)(?:[?#]|$)", re.IGNORECASE)
_DESCRIBED = re.compile(r"\s\d+(?:\.\d+)?[wx]\s*(?:,|$)")
"""After a candidate of a `srcset`."""
_MAX_ADDRESS = 20_000
_MAX_SOURCES = 20
"""`source` elements of one picture, and attributes of one element."""


def image_sources(image: HtmlElement) -> Iterator[str]:
    """Addresses of a picture as written, the best first; those of a set are represented by its largest.

    What a script would load late comes before what is shown until then.
    """
    yield from _of(image)
    for source in picture_of(image)[1]:
        yield from _of(source)


def _of(element: HtmlElement) -> Iterator[str]:
    late = [(name, value) for name, value in element.attrib.items() if name.startswith("data-")][:_MAX_SOURCES]
    sets = [value for name, value in late if _DESCRIBED.search(value) or (name.endswith("set") and _LATE.match(name))]
    for candidates in (*sets, element.get("srcset")):
        if (link := largest(candidates)) and _is_address(link):
            yield link
    yield from (value for name, value in late if _LATE.match(name) and value not in sets and _is_address(value))
    source = element.get("src")
    if source and _is_address(source):
        yield source
    else:
        yield from (value for _, value in late if _PICTURE.search(value) and _is_address(value))


def picture_of(image: HtmlElement) -> tuple[HtmlElement | None, Sequence[HtmlElement]]:
    """The `picture` around an image and its `source` elements; None if there is none.

    The parser does not know that a `source` is empty (HTML §13.1.2): it puts what follows into it.
    """
    above = image.getparent()
    for _ in range(_MAX_SOURCES):
        if above is None or above.tag != "source":
            break
        above = above.getparent()
    if above is None or above.tag != "picture":
        return None, ()
    return above, list(islice(above.iter("source"), _MAX_SOURCES))


def _is_address(value: str) -> bool:
    bare = value.strip()
    return (
        0 < len(bare) <= _MAX_ADDRESS
        and ("/" in bare or "." in bare)
        and not any(map(str.isspace, bare))
        and not bare.lower().startswith(("data:", "about:", "javascript:", "blob:", "{", "["))
    )

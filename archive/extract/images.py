"""The picture that an `img` shows, however late the page would load it; and which `img` is not a picture. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from archive.extract.addresses import is_tracker, link_target
from archive.extract.image_sources import picture_of
from archive.extract.srcset import candidates

_LATE = (
    "data-src", "data-lazy-src", "data-original", "data-lazy", "data-orig-src", "data-actualsrc", "data-img-src",
    "data-image-src", "data-image", "data-url", "data-echo", "data-hi-res-src", "data-full-src", "data-large-file",
    "data-orig-file",
)  # fmt: skip
"""Attributes from which scripts that load pictures late take the address, the usual ones first."""
_LATE_SETS = ("data-srcset", "data-lazy-srcset", "data-original-set", "srcset")
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg|bmp|heic|jxl)(?:[?#&/]|$)", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"(?:^|[/_.-])(?:blank|spacer|placeholder|transparent|pixel|loading|loader|lazy(?:load)?|1x1|gr[ae]y|dummy|empty|trans"
    r"|clear|spinner)[^/]{0,100}\.(?:gif|png|svg|jpe?g|webp)(?:[?#]|$)",
    re.IGNORECASE,
)
"""File names of what is shown until the picture is loaded; some pictures have such names as well."""
_NOTHING = re.compile(
    r"(?:^|/)(?:blank|spacer|placeholder|transparent|pixel|loading|loader|lazy|1x1|trans|clear|empty)\.(?:gif|png|svg)(?:[?#]|$)",
    re.IGNORECASE,
)
"""File names of what is no picture, whatever else there is."""
_NOT_A_PICTURE = re.compile(
    r"(?:^|[\s_-])(?:avatar|gravatar|emoji|smiley|wp-smiley|icon|spinner)(?:$|[\s_-])", re.IGNORECASE
)
_PIXELS = re.compile(r"^\s*+(\d{1,5}+)(?:\.\d++)?\s*+(?:px\s*+)?$")
_STYLED = re.compile(r"(?:^|;)\s*(width|height)\s*:\s*(\d{1,5})(?:\.\d+)?px", re.IGNORECASE)
_PIXEL = 2
"""Pixels up to which what is shown counts visits."""
_ICON = 32
"""Pixels up to which, both ways and without a description, it is an icon."""


def image_target(img: HtmlElement, base: str) -> str:
    """The absolute web address of the picture that an `img` shows; empty if it has none, or shows no picture.

    Of several sizes it is the largest. What a page shows until it has loaded the picture is passed over, and so are
    pixels that count visits, icons and avatars.
    """
    if _is_no_picture(img):
        return ""
    named = [source for source in _sources(img) if not _is_nothing(source)]
    for source in sorted(named, key=lambda one: _PLACEHOLDER.search(one) is not None):
        target = link_target(base, source)
        if target and not is_tracker(target):
            return target
    return ""


def _fallback(img: HtmlElement) -> HtmlElement | None:
    """The `img` for readers without scripts, in a `noscript` after or within another; None if there is none."""
    picture, _ = picture_of(img)
    beside = (img,) if picture is None else (img, picture)
    for sibling in (*(one.getnext() for one in beside), *img.iterchildren("noscript")):
        if sibling is not None and sibling.tag == "noscript":
            return next(sibling.iter("img"), None)
    return None


def _sources(img: HtmlElement) -> Iterator[str]:
    """Addresses of a picture, the best first."""
    yield from _of_sets(img, _LATE_SETS[:-1])
    yield from (value for name in _LATE if (value := img.get(name)))
    yield from _of_sets(img, _LATE_SETS[-1:])
    yield img.get("src") or ""
    for source in picture_of(img)[1]:
        yield from _of_sets(source, _LATE_SETS)
    yield from (
        value
        for name, value in img.attrib.items()
        if name.startswith("data-") and name not in _LATE and _PICTURE.search(value) and " " not in value
    )
    if (instead := _fallback(img)) is not None:
        yield instead.get("src") or ""


def _of_sets(element: HtmlElement, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        found = [one for one in candidates(element.get(name) or "") if not _is_nothing(one[1])]
        if found:
            yield max(found, key=lambda one: one[0])[1]


def _is_nothing(source: str) -> bool:
    bare = source.strip()
    return not bare or bare.startswith(("data:", "about:", "#")) or _NOTHING.search(bare) is not None


def _is_no_picture(img: HtmlElement) -> bool:
    if _NOT_A_PICTURE.search(img.get("class") or "") or "gravatar.com/avatar" in (img.get("src") or ""):
        return True
    sizes = _sizes(img)
    if any(size <= _PIXEL for size in sizes):
        return True
    return len(sizes) > 1 and max(sizes) <= _ICON and not (img.get("alt") or "").strip()


def _sizes(img: HtmlElement) -> list[int]:
    """The width and height that are stated, in CSS pixels."""
    stated = {
        name: int(found[1]) for name in ("width", "height") if (found := _PIXELS.match(img.get(name) or "")) is not None
    }
    styled = {name.lower(): int(size) for name, size in _STYLED.findall(img.get("style") or "")}
    return list({**stated, **styled}.values())

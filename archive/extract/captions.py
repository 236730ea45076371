"""Captions: those of pictures, and those of quotations, tables and listings, which are the post's own words. No I/O."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

_SHOWN = ("img", "picture", "video", "audio", "iframe", "embed", "object", "amp-img", "canvas", "svg")
_OWN_CAPTION = re.compile(r"(?:^|\s)(?:wp-caption-text|wp-element-caption|tr-caption)(?:$|\s)")
"""Caption classes of blog software: these are the author's words, while a newspaper's captions are its agency's."""
_DEPTH = 2
"""Elements around the source of a quotation."""


def is_source(element: HtmlElement) -> bool:
    """Whether an element names the source of a quotation: it is in the quotation, or captions it."""
    above = element.getparent()
    for _ in range(_DEPTH):
        if above is None:
            return False
        if above.tag == "blockquote":
            return True
        if above.tag == "figure":
            return next(above.iter("blockquote"), None) is not None and not shows_picture(above)
        above = above.getparent()
    return False


def shows_picture(figure: HtmlElement) -> bool:
    """Whether a figure has a picture or something that is played, rather than words alone."""
    return next(figure.iter(*_SHOWN), None) is not None


def is_of_words(caption: HtmlElement) -> bool:
    """Whether a caption belongs to words - a quotation, a table, a listing - so that it is text like them."""
    above = caption.getparent()
    if caption.tag != "figcaption" or above is None or above.tag != "figure" or shows_picture(above):
        return False
    return next(above.iter("blockquote", "table", "pre"), None) is not None


def is_own(element: HtmlElement) -> bool:
    """Whether a caption is the author's words, as the quotation, table or picture that it belongs to shows."""
    if is_of_words(element):
        return True
    if not _OWN_CAPTION.search(element.get("class") or ""):
        return False
    figure = element.getparent()
    box = figure.getparent() if figure is not None else None
    return box is None or "featured" not in (box.get("class") or "")

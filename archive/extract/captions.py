"""Captions: those of pictures, and those of quotations, tables and listings, which are the post's own words. No I/O."""

from __future__ import annotations

from lxml.html import HtmlElement

_SHOWN = ("img", "picture", "video", "audio", "iframe", "embed", "object", "amp-img", "canvas", "svg")
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

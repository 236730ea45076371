"""One text from the pages that a post was divided into. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archive.extract import boilerplate
from archive.extract.text import Text
from archive.limits import TEXT_CHARACTERS, TEXT_IMAGES, TEXT_LINKS

_LABEL = 40
"""Characters up to which a paragraph is a label, of which only the numbers may differ from page to page."""
_EDGE = 6
"""Paragraphs at the beginning and at the end of each page that can be repeated on it: title, byline, page numbers."""


def join_pages(first: Text, others: Sequence[Text]) -> Text:
    """The text of a post on several pages: their paragraphs in order, those that each page repeats once.

    Args:
        first: The text of its first page; all facts are its.
        others: Those of its further pages, in order.
    """
    text, markdown, comments = (
        _joined([getattr(page, name) for page in (first, *others)], separator, first.title)
        for name, separator in (("text", "\n"), ("markdown", "\n\n"), ("comments", "\n"))
    )
    links = tuple(dict.fromkeys(link for page in (first, *others) for link in page.links))[:TEXT_LINKS]
    images = tuple(dict.fromkeys(image for page in (first, *others) for image in page.images))[:TEXT_IMAGES]
    return replace(first, text=text, markdown=markdown, comments=comments, links=links, images=images)


def _joined(pages: Sequence[str], separator: str, title: str | None) -> str:
    """Pages one after the other, without the paragraphs at their edges that earlier pages have at theirs."""
    kept = pages[0].split(separator) if pages[0] else []
    edges = {_folded(part) for part in (*kept[:_EDGE], *kept[-_EDGE:])}
    repeated = edges | ({_folded(title)} if title else set())
    for page in pages[1:]:
        parts = page.split(separator) if page else []
        begin, end = 0, len(parts)
        while begin < min(end, _EDGE) and _folded(parts[begin]) in repeated:
            begin += 1
        while end > max(begin, len(parts) - _EDGE) and _folded(parts[end - 1]) in repeated:
            end -= 1
        kept += parts[begin:end]
    return separator.join(kept)[:TEXT_CHARACTERS]


def _folded(part: str) -> str:
    """A paragraph for comparison: without the signs of a heading; in a label such as "Page 2 of 3", numbers as `#`."""
    bare = part.lstrip("# ")
    return boilerplate.folded(bare) if len(bare) <= _LABEL else " ".join(bare.split()).casefold()

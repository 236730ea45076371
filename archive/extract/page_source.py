"""A parsed page. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lxml.html import HtmlElement

from archive.errors import ExtractError, PageTooLargeError
from archive.extract.padding import without_padding
from archive.extract.trafilatura_adapter import parse
from archive.limits import PAGE_BYTES
from archive.warc.codings import unicode_html

_MARKUP = re.compile(r"<(?:p|h[1-6]|div|body|article|main|title|meta)\b[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """A page that was parsed."""

    tree: HtmlElement
    """It is not changed."""
    url: str
    again: Callable[[], HtmlElement]
    """Returns another tree of the same page, which may be changed."""
    elements: Sequence[HtmlElement] = field(init=False, repr=False, compare=False)
    """All of the tree. While they are held, a look at one costs a third: lxml need not make an object for it again."""

    def __post_init__(self) -> None:
        """Hold the elements."""
        object.__setattr__(self, "elements", tuple(self.tree.iter()))

    @classmethod
    def of(cls, payload: bytes, url: str, content_type: str | None) -> Source:
        """Parse a page.

        Raises:
            PageTooLargeError: It is too large, also without what only fills it.
            ExtractError: It is not HTML.
        """
        page = without_padding(unicode_html(payload, content_type))
        if len(page) > PAGE_BYTES:
            raise PageTooLargeError(
                f"{len(page)} characters exceed the limit of {PAGE_BYTES} for text extraction", url=url
            )
        tree = parse(page)
        if tree is None and "html" in (content_type or "") and _MARKUP.search(page):
            page = f"<html>{page}"  # both tags are optional (HTML §13.1.2.4), which trafilatura does not know
            tree = parse(page)
        if tree is None:
            raise ExtractError("is not an HTML page", url=url)
        return cls(tree, url, lambda: parse(page))
